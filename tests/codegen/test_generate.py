"""Whole models as C, against real TFLM."""

import pytest

from mcuprune.codegen import generate
from mcuprune.deployment.optimize import random_inputs
from mcuprune.engines.c_host import CHost
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite

MODELS = [
    "mlperf_tiny/kws_ref_model.tflite",
    "mlperf_tiny/ad01_int8.tflite",
    "mlperf_tiny/pretrainedResnet_quant.tflite",
    "mlperf_tiny/str_ww_ref_model.tflite",
]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("target", ["portable", "cortex-m4"])
def test_models_answer_as_tflm(shared, name, target):
    model = (shared / "models" / name).read_bytes()
    inputs = random_inputs(parse_tflite(model, name), 3)
    expected = TFLM().run(model, inputs).outputs
    assert CHost(target).run(model, inputs).outputs.tobytes() == expected.tobytes()


def test_missing_operators_are_named_with_their_index(shared):
    model = (shared / "models/tflm/trained_lstm_int8.tflite").read_bytes()
    with pytest.raises(UnsupportedModelError, match=r"0 \(UNIDIRECTIONAL_SEQUENCE_LSTM\)"):
        generate(model)


def test_names_are_c_identifiers(shared):
    model = (shared / "models/tflm/hello_world_int8.tflite").read_bytes()
    with pytest.raises(InputError, match="start with a letter"):
        generate(model, name="2fast")
