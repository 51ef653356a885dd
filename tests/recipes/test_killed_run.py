"""``mcuprune run``, killed with SIGKILL at some point and started again, ends as if undisturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import mcuprune.ir.fake_quantization  # noqa: F401  # makes its layers known to load_model
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.run import run_recipe

ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
# Cuts at the ends of epochs 2 and 3.
SHORT = (
    "training.epochs=4",
    "pruning.start_epoch=1",
    "pruning.end_epoch=3",
    "pruning.options.cuts=2",
    "reference.epochs=1",
    "validate.board=null",
)
WITH_INT8 = (*SHORT, "training.epochs=6", "quantization.method=qat", "quantization.epochs=2")


def command(folder, settings):
    given = [word for setting in settings for word in ("--set", setting)]
    return [sys.executable, "-m", "mcuprune", "run", "digits", "--out", str(folder), *given]


def finished(folder, settings):
    """Run to the end; return what was said."""
    done = subprocess.run(
        command(folder, settings), capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def killed(folder, settings, is_there):
    """Run and kill as soon as a condition on the run folder holds."""
    null = subprocess.DEVNULL
    with subprocess.Popen(
        command(folder, settings), stdout=null, stderr=null, env=ENVIRONMENT
    ) as process:
        while process.poll() is None and not is_there(folder):
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -signal.SIGKILL


def assert_same(folder, expected):
    """Compare widths and weights of the trained networks and what was deployed."""
    stages = sorted(path.parent.name for path in expected.glob("*/stage.json"))
    assert stages == sorted(path.parent.name for path in folder.glob("*/stage.json"))
    for stage in stages:
        models = [keras.models.load_model(f / stage / "model.keras") for f in (folder, expected)]
        ours, theirs = (model.get_weights() for model in models)
        assert [w.shape for w in ours] == [w.shape for w in theirs]
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
    ours, theirs = ((f / "deployment" / "model.tflite").read_bytes() for f in (folder, expected))
    assert ours == theirs
    for inside in (".", "deployment"):
        names = [{path.name for path in (f / inside).iterdir()} for f in (folder, expected)]
        assert names[0] == names[1]


def lines(path):
    return len(path.read_text().splitlines()) if path.is_file() else 0


def test_killed_between_two_cuts(tmp_path, capfd):
    folder, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    killed(folder, SHORT, lambda f: lines(f / "pruned" / "history.csv") >= 1 + 2)
    assert not (folder / "deployment").exists()
    recipe = load_recipe("digits", SHORT)
    run_recipe(recipe, folder)
    said = "".join(capfd.readouterr())
    assert "reference: taken from" in said
    assert "the training resumes at epoch" in said
    run_recipe(recipe, undisturbed)
    assert_same(folder, undisturbed)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finished(folder, WITH_INT8)
    return folder


def half_deployed(name):
    def is_there(folder: Path) -> bool:
        return any(part.is_file() for part in folder.glob(f".deployment.*.part/**/{name}"))

    return is_there


POINTS = {
    "first epoch": lambda f: any(f.glob("reference/backup/*/training.npz")),
    "reference half kept": lambda f: any(f.glob("reference/.model.keras.*")),
    "reference kept": lambda f: (f / "reference" / "stage.json").is_file(),
    "reference converted": lambda f: (f / "reference" / "model.tflite").is_file(),
    "pruning begins": lambda f: any(f.glob("pruned/backup/*/.training.npz.*")),
    "after the last cut": lambda f: lines(f / "pruned" / "history.csv") >= 1 + 3,
    "pruned half kept": lambda f: any(f.glob("pruned/.model.keras.*")),
    "pruned kept": lambda f: (f / "pruned" / "stage.json").is_file(),
    "with the numbers of int8": lambda f: any(f.glob("quantized/backup/*/training.npz")),
    "deployment begun": half_deployed("model.tflite"),
    "deployment with golden vectors": half_deployed("golden_vectors.c"),
    "deployment with its report": half_deployed("report.json"),
    "deployment nearly whole": half_deployed("memory_timeline.png"),
}


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(point, undisturbed, tmp_path):
    killed(tmp_path, WITH_INT8, POINTS[point])
    assert not (tmp_path / "deployment").exists()
    finished(tmp_path, WITH_INT8)
    assert_same(tmp_path, undisturbed)


@pytest.mark.slow
def test_killed_again_and_again(undisturbed, tmp_path):
    kills = 0
    for seconds in (10, 12, 14, 16, 18):
        with subprocess.Popen(
            command(tmp_path, WITH_INT8), stderr=subprocess.DEVNULL, env=ENVIRONMENT
        ) as process:
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert kills
    finished(tmp_path, WITH_INT8)
    assert_same(tmp_path, undisturbed)
