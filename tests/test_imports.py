"""The direction of imports, and what the quick commands must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mcuprune

CHECKOUT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "sklearn", "matplotlib", "tflite_micro", "ai_edge_litert", "ray")
# 1,000 bytes of zeros are no model, but they take the way of a .tflite file.
PROBE = """
import sys
sys.argv = ["mcuprune", *sys.argv[1:]]
from mcuprune import cli
try:
    cli.main()
except SystemExit as stopped:
    code = stopped.code or 0
loaded = [name for name in {heavy!r} if name in sys.modules]
print("loaded:", ",".join(loaded), file=sys.stderr)
sys.exit(code)
"""


def run_probe(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = PROBE.format(heavy=HEAVY)
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["run", "--help"], 0),
        (["sweep", "--help"], 0),
        (["sweep", "digits"], 2),
        (["select", "absent"], 2),
        (["boards"], 0),
        (["boards", "--json"], 0),
        (["recipes"], 0),
        (["run", "digit"], 2),
        (["estimate", "absent.tflite"], 2),
    ],
)
def test_quick_commands_load_nothing_heavy(arguments, code):
    found = run_probe(*arguments)
    assert found.returncode == code, found.stderr
    assert found.stderr.splitlines()[-1] == "loaded: "


@pytest.mark.parametrize(
    ("command", "code"),
    [(["estimate"], 0), (["report"], 0), (["check", "--sram", "1MiB", "--macs", "2"], 1)],
)
def test_tflite_input_loads_nothing_heavy(command, code, tiny_tflite):
    name, *options = command
    found = run_probe(name, str(tiny_tflite), *options)
    assert found.returncode == code, found.stderr
    assert found.stderr.splitlines()[-1] == "loaded: "


@pytest.fixture(scope="module")
def tiny_tflite(tmp_path_factory) -> Path:
    import keras
    import numpy as np

    from mcuprune.deployment.convert import convert_int8

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="tiny")
    path = tmp_path_factory.mktemp("model") / "tiny.tflite"
    path.write_bytes(convert_int8(model, np.random.default_rng(0).random((8, 4), np.float32)))
    return path


@pytest.mark.parametrize("name", mcuprune.__all__)
def test_public_names_exist(name):
    assert getattr(mcuprune, name) is not None
    assert name in dir(mcuprune)


def test_public_functions_are_no_modules():
    import mcuprune.deployment.package

    assert callable(mcuprune.deploy)
    assert mcuprune.deploy is mcuprune.deployment.package.deploy


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'prune'"):
        _ = mcuprune.prune


def test_importing_the_package_loads_nothing_heavy():
    script = f"import sys, mcuprune; sys.exit(any(name in sys.modules for name in {HEAVY!r}))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_imports_point_down():
    lint = pytest.importorskip("importlinter.cli", reason="needs import-linter")
    exit_code = lint.lint_imports(config_filename=str(CHECKOUT / "pyproject.toml"), no_cache=True)
    assert exit_code == 0
