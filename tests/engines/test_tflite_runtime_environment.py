"""The legacy tflite-runtime in an environment of its own: Python 3.11, numpy 1, no TensorFlow."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from mcuprune.engines.litert import LiteRT

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT.parent / "shared" / "models" / "mlperf_tiny"

RUN_IN_ENVIRONMENT = """
import sys
import numpy as np
from mcuprune.engines.litert import LiteRT

run = LiteRT().run(open(sys.argv[1], "rb").read(), np.load(sys.argv[2]))
np.save(sys.argv[3], run.outputs)
print(run.version, np.__version__, "tensorflow" in sys.modules)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.version_info >= (3, 12) or not sysconfig.get_platform().startswith("linux"),
        reason="tflite-runtime has wheels for Linux up to Python 3.11 only",
    ),
    pytest.mark.skipif(not MODELS.is_dir(), reason=f"no reference models at {MODELS}"),
]


@pytest.fixture(scope="module")
def legacy_python(tmp_path_factory):
    folder = tmp_path_factory.mktemp("legacy")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    packages = ["tflite-runtime==2.14.0", "numpy<2"]
    install = [python, "-m", "pip", "install", "--quiet", "--no-input", *packages]
    subprocess.run(install, check=True, timeout=600)
    return python


@pytest.mark.parametrize(
    ("name", "shape"), [("kws_ref_model", (49, 10, 1)), ("pretrainedResnet_quant", (32, 32, 3))]
)
def test_outputs_equal_those_of_litert(legacy_python, tmp_path, name, shape):
    path = MODELS / f"{name}.tflite"
    inputs = np.random.RandomState(0).randint(-128, 128, (10, *shape)).astype(np.int8)
    np.save(tmp_path / "inputs.npy", inputs)
    files = [path, tmp_path / "inputs.npy", tmp_path / "outputs.npy"]
    done = subprocess.run(
        [legacy_python, "-c", RUN_IN_ENVIRONMENT, *files],
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    version, numpy_version, has_tensorflow = done.stdout.rsplit(maxsplit=2)
    assert version == "tflite-runtime 2.14.0"
    assert numpy_version.startswith("1.")
    assert has_tensorflow == "False"
    expected = LiteRT("ai-edge-litert").run(path.read_bytes(), inputs).outputs
    assert np.load(tmp_path / "outputs.npy").tolist() == expected.tolist()
