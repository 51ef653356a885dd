"""Arenas of TFLM with CMSIS-NN: predictions against Cortex-M4 builds and against real boards."""

import csv
import json

import pytest

from mcuprune.cost.code import runtime_code_bytes
from mcuprune.cost.firmware import runtime_of_board, runtime_of_core
from mcuprune.cost.memory import arena_head, arena_tail, arena_total
from mcuprune.cost.runtime import load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph, Operator, Tensor

DSP, MVE = "tflm-cmsis-nn", "tflm-cmsis-nn-mve"
# The signal library's custom operators have no entry in the table.
UNKNOWN_KERNELS = "tflm/audio_preprocessor_int8.tflite"


def weights(name, shape, scales):
    return Tensor(name, shape, is_constant=True, quantization_scales=scales)


def bias(width, scales):
    return Tensor("bias", (width,), 32, "int32", is_constant=True, quantization_scales=scales)


def single(kind, tensors, attributes=()):
    """One operator; its inputs come first, the last tensor is its output."""
    last = len(tensors) - 1
    data = next(i for i, tensor in enumerate(tensors) if not tensor.is_constant)
    operator = Operator(0, kind, tuple(range(last)), (last,), dict(attributes))
    return Graph(kind, tuple(tensors), (operator,), (data,), (last,))


def transposed(channels, outputs=5, image=6):
    """3x3 filters in steps of 2, without a bias."""
    tensors = [
        Tensor("shape", (4,), 32, "int32", is_constant=True, quantization_scales=0),
        weights("kernel", (outputs, 3, 3, channels), outputs),
        Tensor("x", (1, image, image, channels)),
        Tensor("y", (1, 2 * image, 2 * image, outputs)),
    ]
    return single("TRANSPOSE_CONV", tensors, {"stride_h": 2, "stride_w": 2, "padding": "SAME"})


def dense(features, outputs, leading=(1,), scales=1):
    kernel = weights("kernel", (outputs, features), scales)
    data, output = Tensor("x", (*leading, features)), Tensor("y", (*leading, outputs))
    return single("FULLY_CONNECTED", [data, kernel, bias(outputs, scales), output])


def requested(graph, runtime):
    return [request.size_bytes for request in scratch_requests(graph, load_runtime(runtime))]


# Built with GCC 12.2 from tflite-micro 90b983c and CMSIS-NN, run under QEMU (mps2-an386).
@pytest.mark.parametrize(("channels", "total"), [(8, 2292), (20, 3572)])
def test_transposed_convolutions_on_a_cortex_m4(channels, total):
    assert arena_total(transposed(channels), runtime=DSP) == total


def test_a_second_request_is_made_even_for_nothing():
    assert requested(transposed(8), DSP) == [(5 * 2 + 3) * 5 * 3 * 4, 0]


def test_rows_of_features_are_a_pointwise_convolution_where_they_divide_by_four():
    # A multiplier and a shift for each of 10 outputs, as the weights have one scale.
    assert requested(dense(12, 10, (1, 6)), DSP) == [10 * 8]
    assert requested(dense(12, 10, (1, 6), scales=10), DSP) == []
    assert requested(dense(9, 10, (1, 6)), DSP) == []
    assert requested(dense(12, 10), DSP) == []


def test_helium_keeps_sums_of_constant_weights():
    graph = dense(64, 12)
    more = arena_tail(graph, runtime=MVE) - arena_tail(graph, runtime=DSP)
    assert more == 12 * 4
    assert requested(graph, MVE) == []


def test_helium_sums_weights_that_are_not_constant_at_run_time():
    tensors = list(dense(64, 12).tensors)
    tensors[1] = Tensor("kernel", (12, 64))
    assert requested(single("FULLY_CONNECTED", tensors), MVE) == [12 * 4]


def test_head_and_total_equal_every_arena_measured_on_a_cortex_m4(shared):
    with (shared / "tables/tflm_reference.csv").open() as table:
        measured = [row for row in csv.DictReader(table) if row["m4_arena_bytes"]]
    wrong = {}
    for row in measured:
        graph = read_tflite(shared / "models" / row["model"])
        found = arena_head(graph, DSP), arena_total(graph, runtime=DSP)
        if found != (int(row["m4_head_bytes"]), int(row["m4_arena_bytes"])):
            wrong[row["model"]] = found
    assert len(measured) > 50
    assert set(wrong) <= {UNKNOWN_KERNELS}


def test_the_autoencoder_on_a_cortex_m55(shared):
    graph = read_tflite(shared / "models/mlperf_tiny/ad01_int8.tflite")
    assert (arena_total(graph, runtime=DSP), arena_total(graph, runtime=MVE)) == (2580, 9268)


BOARDS = {"esp32": "esp32-devkitc", "nano33ble": "arduino-nano-33-ble"}


def test_arenas_on_real_boards(shared):
    """The ESP32's come out exactly; the Arduino library is older than what is counted."""
    lines = (shared / "tables/mcufit_bench/results.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if "arena_used_bytes" in row]
    files = {path.name: path for path in (shared / "models").rglob("*.tflite")}
    errors = {}
    for row in rows:
        runtime = runtime_of_board(BOARDS[row["target"]])
        found = arena_total(read_tflite(files[row["model"]]), runtime=runtime)
        errors[row["target"], row["model"]] = found / row["arena_used_bytes"] - 1
    assert len(errors) == 8
    assert all(error == 0 for (target, _), error in errors.items() if target == "esp32")
    assert max(map(abs, errors.values())) < 0.01


def test_cores_have_their_runtime():
    assert runtime_of_core("cortex-m0plus") == "tflm-cmsis-nn-c"
    assert runtime_of_core("cortex-m55") == MVE
    assert runtime_of_core("hazard3") == "tflm-reference"


def test_code_that_operators_share_is_counted_once():
    runtime = load_runtime(DSP)
    nothing, conv, dense, both = (
        runtime_code_bytes(kinds, runtime)
        for kinds in ((), ("CONV_2D",), ("FULLY_CONNECTED",), ("CONV_2D", "FULLY_CONNECTED"))
    )
    # The linker's sizes: 13,711 B without operators, of which 427 are a program that does nothing;
    # 33,493 and 21,535 B more with one of the operators alone.
    linked = [13_711 - 427, 13_711 - 427 + 33_493, 13_711 - 427 + 21_535]
    assert [nothing, conv, dense] == pytest.approx(linked, abs=100)
    assert dense < both < conv + dense - nothing


def test_reference_kernels_have_less_code():
    optimized, reference = (
        runtime_code_bytes(["CONV_2D"], load_runtime(name, 32)) for name in (DSP, "tflm-reference")
    )
    assert reference < optimized


def test_code_that_was_not_measured_is_unknown():
    assert runtime_code_bytes(["MyOperator"], load_runtime(DSP)) is None
    assert runtime_code_bytes(["CONV_2D"], load_runtime(MVE)) is None
    assert runtime_code_bytes(["CONV_2D"], load_runtime("tflm-reference")) is None  # a host
