"""Public int8 models as C: every one whose operators have kernels answers as real TFLM."""

import numpy as np
import pytest
from operator_checks import TARGETS

from mcuprune.codegen import generate
from mcuprune.codegen.operators.registry import PORTABLE
from mcuprune.deployment.optimize import random_inputs
from mcuprune.engines.c_host import CHost
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import parse_tflite

QUICK = (
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/ad01_int8",
    "mlperf_tiny/str_ww_ref_model",
    "tflm/hello_world_int8",
    "tflm/micro_speech_quantized",
    "tflm/simple_add_model",
    "cfu_playground/model_magic_wand",
)


def read(shared, name):
    return (shared / "models" / f"{name}.tflite").read_bytes()


def require_equal(model, name, count):
    inputs = random_inputs(parse_tflite(model, name), count)
    expected = TFLM().run(model, inputs).all_outputs
    for target in TARGETS:
        found = CHost(target).run(model, inputs).all_outputs
        for one, other in zip(found, expected, strict=True):
            assert one.tobytes() == other.tobytes(), (name, target)


@pytest.mark.parametrize("name", QUICK)
def test_small_models(shared, name):
    require_equal(read(shared, name), name, 3)


@pytest.mark.slow
def test_all_models(shared):
    checked = []
    for path in sorted((shared / "models").glob("*/*.tflite")):
        model = path.read_bytes()
        graph = parse_tflite(model, path.name)
        dtypes = {graph.tensors[i].dtype for op in graph.operators for i in op.outputs}
        if dtypes - {"float32"} and all(op.kind in PORTABLE for op in graph.operators):
            require_equal(model, path.name, 2)
            checked.append(path.name)
    assert len(checked) >= 45, checked


def test_models_without_kernels_are_refused_with_every_operator(shared):
    with pytest.raises(InputError, match=r"1 \(SVDF\), 3 \(SVDF\), 5 \(SVDF\), 7 \(SVDF\)"):
        generate(read(shared, "tflm/keyword_scrambled_8bit"))
    with pytest.raises(InputError, match=r"operator 0 \(FULLY_CONNECTED\).*float32"):
        generate(read(shared, "tflm/hello_world_float"))


# Arena of TFLM with CMSIS-NN on a Cortex-M4, from tables/tflm_reference.csv.
@pytest.mark.parametrize(
    ("name", "tflm_bytes"),
    [
        ("mlperf_tiny/kws_ref_model", 22_820),
        ("mlperf_tiny/ad01_int8", 2_580),
        ("mlperf_tiny/pretrainedResnet_quant", 54_996),
        ("mlperf_tiny/vww_96_int8", 100_708),
        ("tflm/person_detect", 82_308),
    ],
)
def test_arenas_are_smaller_than_tflms(shared, name, tflm_bytes):
    assert generate(read(shared, name), target="cortex-m4").arena_bytes < tflm_bytes


def keyword_inputs(shared, count):
    with np.load(shared / "data/mlperf_kws/kws01_int8_49x10.npz") as data:
        return data["x"][:count, ..., np.newaxis], data["y"][:count]


def board_outputs(shared, count):
    with np.load(shared / "data/mlperf_kws/v0.5_NucleoL4R5ZI_kws_outputs.npz") as data:
        return data["outputs"][:count]


def require_equal_to_the_board(outputs, expected):
    # The board cut its softmax, in steps of 1/256, to three decimals.
    real = (outputs.astype(np.int32) + 128) / 256
    assert np.floor(real * 1000).tolist() == np.round(expected * 1000).tolist()


@pytest.mark.parametrize("target", TARGETS)
def test_keywords_as_a_real_board_answered(shared, target):
    inputs, _ = keyword_inputs(shared, 100)
    found = CHost(target).run(read(shared, "mlperf_tiny/kws_ref_model"), inputs).outputs
    require_equal_to_the_board(found, board_outputs(shared, 100))


@pytest.mark.slow
def test_all_official_keywords(shared):
    model = read(shared, "mlperf_tiny/kws_ref_model")
    inputs, labels = keyword_inputs(shared, 1000)
    tflm, litert = TFLM().run(model, inputs).outputs, LiteRT().run(model, inputs).outputs
    for target in TARGETS:
        found = CHost(target).run(model, inputs).outputs
        assert found.tobytes() == tflm.tobytes()
        require_equal_to_the_board(found, board_outputs(shared, 1000))
        assert np.mean(found.argmax(axis=1) == labels) == 0.901
        # LiteRT rounds FULLY_CONNECTED once, TFLM twice: seen in 20 of 12,000 outputs.
        assert np.count_nonzero(found != litert) == 20
        assert np.array_equal(found.argmax(axis=1), litert.argmax(axis=1))
