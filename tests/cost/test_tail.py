import pytest

from mcuprune.cost.runtime import load_runtime, struct_room
from mcuprune.cost.tail import allocations, arena_tail
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError, UnknownNameError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph, Operator, Tensor


def softmax() -> Graph:
    tensors = (Tensor("x", (1, 12)), Tensor("y", (1, 12)))
    return Graph("softmax", tensors, (Operator(0, "SOFTMAX", (0,), (1,)),), (0,), (1,))


def dense() -> Graph:
    tensors = (
        Tensor("x", (1, 64)),
        Tensor("kernel", (12, 64), is_constant=True),
        Tensor("bias", (12,), 32, "int32", is_constant=True),
        Tensor("y", (1, 12)),
    )
    return Graph("dense", tensors, (Operator(0, "FULLY_CONNECTED", (0, 1, 2), (3,)),), (0,), (3,))


def convolution() -> Graph:
    tensors = (
        Tensor("x", (1, 25, 5, 64)),
        Tensor("kernel", (64, 1, 1, 64), is_constant=True, quantization_scales=64),
        Tensor("bias", (64,), 32, "int32", is_constant=True, quantization_scales=64),
        Tensor("y", (1, 25, 5, 64)),
    )
    return Graph("conv", tensors, (Operator(0, "CONV_2D", (0, 1, 2), (3,)),), (0,), (3,))


# Measured on single layers of MLPerf Tiny's keyword spotting: with the Python package tflite-micro
# 0.dev20261023182759, and with a plain MicroInterpreter built from 90b983c.
@pytest.mark.parametrize(
    ("graph", "wheel", "plain"),
    [(softmax(), 912, 672), (dense(), 976, 720), (convolution(), 1504, 1248)],
)
def test_single_layers(graph, wheel, plain):
    assert arena_tail(graph) == wheel
    assert arena_tail(graph, runtime="tflm-reference-plain") == plain


@pytest.mark.parametrize(("graph", "tail"), [(softmax(), 388), (convolution(), 948)])
def test_single_layers_on_a_cortex_m4(graph, tail):
    """Measured under QEMU, GCC 12.2; these kernels keep the same with CMSIS-NN."""
    assert arena_tail(graph, pointer_bits=32) == tail


def test_softmax_by_hand():
    # 72+72+72 allocator, planner, interpreter's allocator; 16+16 model; 2*24 tensors; 64 node
    # = 360; 4 options; 80 kernel, aligned: 448; for input and output 8, aligned, 64, 24 and 8.
    sizes = [a.size_bytes for a in allocations(softmax(), load_runtime("tflm-reference-plain"))]
    ends = [8, 64, 24, 8]
    assert sizes == [72, 72, 72, 16, 16, 48, 64, 4, 80, *ends, *ends]


def test_a_device_needs_less_than_a_host():
    for graph in (softmax(), dense(), convolution()):
        assert arena_tail(graph, pointer_bits=32) < arena_tail(
            graph, runtime="tflm-reference-plain"
        )


def test_per_channel_weights_cost_8_bytes_a_channel():
    graph = convolution()
    wider = [t if t.shape[0] != 64 else _with_channels(t, 80) for t in graph.tensors]
    wide = Graph("wide", tuple(wider), graph.operators, (0,), (3,))
    assert arena_tail(wide) - arena_tail(graph) == 16 * 8


def _with_channels(tensor: Tensor, channels: int) -> Tensor:
    shape = (channels, *tensor.shape[1:])
    return Tensor(tensor.name, shape, tensor.bits, tensor.dtype, True, False, channels)


def test_an_unknown_operator_is_not_free():
    known = softmax()
    unknown = Graph("custom", known.tensors, (Operator(0, "MyOperator", (0,), (1,)),), (0,), (1,))
    empty = Graph("empty", known.tensors, (), (0,), (1,))
    assert arena_tail(unknown) - arena_tail(empty) >= 64 + 32 + 80


@pytest.mark.parametrize(
    ("layout", "bits", "size", "alignment"),
    [
        ("b i", 64, 8, 4),
        ("i b", 64, 8, 4),
        ("p i", 64, 16, 8),
        ("p i", 32, 8, 4),
        ("3h i h i", 64, 20, 4),
        ("q i", 32, 16, 8),
        ("e i e", 64, 12, 4),
        ("2e 2b e", 32, 5, 1),
        ("256b", 64, 256, 1),
    ],
)
def test_structures_follow_the_abi(layout, bits, size, alignment):
    room = struct_room(layout, bits, 4 if bits == 64 else 1, {})
    assert (room.size_bytes, room.alignment_bytes) == (size, alignment)


def test_refuses_unknown_runtimes_and_pointers():
    with pytest.raises(UnknownNameError, match="tflm-reference"):
        arena_tail(softmax(), runtime="tflm-referense")
    with pytest.raises(InputError, match="give 32 or 64"):
        arena_tail(softmax(), pointer_bits=16)


@pytest.mark.parametrize(
    "file",
    [
        "mlperf_tiny/pretrainedResnet_quant",
        "mlperf_tiny/kws_ref_model",
        "mlperf_tiny/ad01_int8",
        "mlperf_tiny/vww_96_int8",
        "mlperf_tiny/str_ww_ref_model",
        "tflm/hello_world_float",
        "tflm/keyword_scrambled_8bit",
        "tflm/trained_lstm_int8",
        "cfu_playground/model_magic_wand",
        "cfu_playground/hps_model_2022_01_05_74ops",
        "tinyengine/ptq_mnist_lenet-300-100",
    ],
)
def test_equals_what_tflm_uses(shared, file):
    data = (shared / "models" / f"{file}.tflite").read_bytes()
    used = TFLM().arena(data)
    assert arena_tail(parse_tflite(data, file)) == used.tail_bytes
