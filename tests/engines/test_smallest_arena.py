from __future__ import annotations

from pathlib import Path

import pytest

from mcuprune.engines.smallest_arena import smallest_arena
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError
from mcuprune.native_output import caught_stderr

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"
needs_models = pytest.mark.skipif(not MODELS.is_dir(), reason=f"no reference models at {MODELS}")


def allocates(model, size_bytes):
    from tflite_micro.python.tflite_micro import runtime

    with caught_stderr():
        try:
            runtime.Interpreter.from_bytes(model, arena_size=size_bytes)
        except RuntimeError:
            return False
    return True


@needs_models
@pytest.mark.parametrize("name", ["mlperf_tiny/ad01_int8", "mlperf_tiny/kws_ref_model"])
def test_allocates_in_it_and_not_in_less(name):
    model = (MODELS / f"{name}.tflite").read_bytes()
    smallest = smallest_arena(model)
    assert smallest % 16 == 0
    assert allocates(model, smallest)
    assert not allocates(model, smallest - 16)


@needs_models
def test_can_exceed_the_arena_used():
    model = (MODELS / "mlperf_tiny" / "ad01_int8.tflite").read_bytes()
    assert smallest_arena(model) > TFLM().arena(model).total_bytes


@needs_models
def test_kernel_that_crashes_on_lack_of_memory_does_not_end_the_process():
    model = (MODELS / "tflm" / "dtln_noise_suppression.tflite").read_bytes()
    assert smallest_arena(model) >= TFLM().arena(model).head_bytes


def test_damaged_model_is_refused():
    with pytest.raises(InputError):
        smallest_arena(b"\0" * 100)


@needs_models
def test_files_of_the_user_are_not_imported(tmp_path, monkeypatch):
    model = (MODELS / "mlonmcu_layers" / "aww_layer12.tflite").read_bytes()
    (tmp_path / "select.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.chdir(tmp_path)
    assert smallest_arena(model) > 0
