"""Engines in processes of their own: the same answers, and crashes that stay there."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mcuprune.engines.litert import LiteRT
from mcuprune.engines.own_process import OwnProcess
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import EngineError, InputError

TESTS = Path(__file__).resolve().parents[1]
MODEL = TESTS.parent / "zoo" / "digits-small" / "model.tflite"
CORPUS = TESTS / "data" / "malformed"
# Its output has not the shape of its inputs: TFLM's kernel aborts.
CRASHES = (CORPUS / "addition_of_another_shape.tflite").read_bytes()
INPUTS = [np.int8([[1, 2, 3, 4]]), np.int8([[5, 6, 7, 8]])]


@pytest.fixture
def child(monkeypatch):
    """Make the child run other Python code, with the folder of its answers as argument."""
    run = subprocess.run

    def instead(script):
        def started(command, **options):
            return run([sys.executable, "-c", script, command[-1]], **options)

        monkeypatch.setattr("mcuprune.child_process.subprocess.run", started)

    return instead


@pytest.mark.parametrize(("name", "engine"), [("tflm", TFLM), ("litert", LiteRT)])
def test_answers_are_those_of_the_engine(name, engine):
    model = MODEL.read_bytes()
    images = np.random.default_rng(0).integers(-128, 128, (2, 8, 8, 1)).astype(np.int8)
    apart, here = (each.run(model, images) for each in (OwnProcess(name), engine()))
    assert (apart.arena, apart.engine, apart.version) == (here.arena, here.engine, here.version)
    for one, other in zip(apart.all_outputs, here.all_outputs, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_a_crash_is_an_error_that_names_the_signal():
    with pytest.raises(EngineError, match=r"crashed on the model \(SIGABRT\)"):
        OwnProcess("tflm").run(CRASHES, INPUTS)


def test_an_engine_without_end_is_ended(child):
    child("import time; time.sleep(60)")
    with pytest.raises(EngineError, match=r"no answer after 0\.2 s"):
        OwnProcess("tflm", limit_s=0.2).run(CRASHES, INPUTS)


def test_a_child_that_fails_in_python_says_why(child):
    child("raise SystemExit('no module named tflite_micro')")
    with pytest.raises(EngineError, match="no module named tflite_micro"):
        OwnProcess("tflm").run(CRASHES, INPUTS)


def test_a_child_that_says_nothing_is_an_error(child):
    child("")
    with pytest.raises(EngineError, match="without an answer that can be read"):
        OwnProcess("tflm").run(CRASHES, INPUTS)


def test_answers_are_never_code(child):
    # What a damaged process writes may be anything; a pickle would run code here.
    child(
        "import sys, pathlib, json, numpy as np; folder = pathlib.Path(sys.argv[1]);"
        "np.savez(folder / 'outputs.npz', np.array([{}], dtype=object));"
        "said = {'refusal': None, 'arena': None, 'version': '1'};"
        "(folder / 'said.json').write_text(json.dumps(said))"
    )
    with pytest.raises(EngineError, match="Python objects, which are not loaded"):
        OwnProcess("tflm").run(CRASHES, INPUTS)


def test_refusals_come_back():
    with pytest.raises(EngineError, match="give a list with one array for each"):
        OwnProcess("tflm").run(CRASHES, INPUTS[0])
    with pytest.raises(InputError):
        OwnProcess("tflm").run(b"\0" * 100, INPUTS)
