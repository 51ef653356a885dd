"""Loops counted by hand, tables against counted networks, open widths against closed ones."""

from __future__ import annotations

import csv
import math

import keras
import numpy as np
import pytest

from mcuprune.boards import Speed, board, board_names
from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.cmsis_nn_helium_loops import cmsis_nn_helium_loops
from mcuprune.cost.cmsis_nn_loops import cmsis_nn_loops
from mcuprune.cost.firmware import runtime_of_board
from mcuprune.cost.kernel_tables import CALL, load_table
from mcuprune.cost.latency import (
    OTHER,
    Timing,
    board_latency_ms,
    board_timing,
    budget_timing,
    required_millicycles,
    total_millicycles,
    unknown_kernels,
)
from mcuprune.cost.open_costs import OpenCosts
from mcuprune.cost.plain_loops import plain_loops
from mcuprune.cost.runtime import RUNTIMES
from mcuprune.cost.windows import convolution_windows
from mcuprune.errors import InputError, UnsupportedModelError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph, Operator, Tensor

TABLES = ("cortex-m4_cmsis-nn", "cortex-m4_reference", "cortex-m55_cmsis-nn")
ONE_TO_ONE = Speed("", "", {OTHER: 1.0}, "measured", "an instruction a cycle", "")


def counting(table: str) -> Timing:
    return Timing(load_table(table), ONE_TO_ONE, 1.0)


def single(kind: str, shapes: list[tuple[int, ...]], out: tuple[int, ...], **attributes) -> Graph:
    """Return one int8 operator whose inputs after the first are constants."""
    tensors = [Tensor("x", shapes[0])]
    tensors += [Tensor("w", s, is_constant=True, quantization_scales=s[0]) for s in shapes[1:]]
    tensors.append(Tensor("y", out))
    operator = Operator(0, kind, tuple(range(len(shapes))), (len(shapes),), attributes)
    return Graph(kind, tuple(tensors), (operator,), (0,), (len(shapes),))


def test_taps_outside_of_the_input_are_not_inside():
    graph = single("CONV_2D", [(1, 4, 4, 1), (1, 3, 3, 1)], (1, 4, 4, 1), padding="SAME")
    windows = convolution_windows(graph, graph.operators[0])
    # Of three taps two hit the image at either end: 2 + 3 + 3 + 2 along each axis.
    assert (windows.taps, windows.taps_inside) == (16 * 9, 10 * 10)
    assert windows.widest_padding == 1


def test_padding_comes_after_where_strides_leave_one_row():
    attributes = {"padding": "SAME", "stride_h": 2, "stride_w": 2}
    graph = single("CONV_2D", [(1, 4, 4, 1), (1, 3, 3, 1)], (1, 2, 2, 1), **attributes)
    windows = convolution_windows(graph, graph.operators[0])
    assert windows.widest_padding == 0
    assert windows.taps_inside == (3 + 2) * (3 + 2)


def test_pointwise_convolution_goes_by_two_channels_and_two_positions():
    graph = single("CONV_2D", [(1, 1, 5, 21), (3, 1, 1, 21)], (1, 1, 5, 3))
    loops = cmsis_nn_loops(graph, graph.operators[0])
    assert loops.kernel == "conv_1x1"
    assert loops.counts == {
        "row_call": 1,
        "pair_of_channels": 1,  # of three channels
        "pair_of_channels_sum": 21,
        "tile": 2,  # of five positions
        "tile_by_16": 2 * 1,  # 21 = 16 + 4 + 1
        "tile_by_4": 2 * 1,
        "tile_single": 2 * 1,
        "odd_position": 1,
        "odd_position_by_16": 1,
        "odd_position_by_4": 1,
        "odd_position_single": 1,
        "odd_channel": 5,
        "odd_channel_product": 5 * 21,
    }


def test_convolution_copies_columns_and_multiplies_two_of_them():
    graph = single("CONV_2D", [(1, 3, 3, 2), (4, 2, 2, 2)], (1, 2, 2, 4), padding="VALID")
    loops = cmsis_nn_loops(graph, graph.operators[0])
    assert loops.kernel == "conv"
    counts = {name: count for name, count in loops.counts.items() if count}
    assert counts == {
        "copy": 4 * 4,  # positions by taps
        "copy_single": 4 * 4 * 2,
        "column": 4,
        "column_by_4": 4 * 2,  # 2 * 2 * 2 elements
        "pair_of_columns": 2,
        "tile": 2 * 2,
        "tile_by_4": 2 * 2 * 2,
    }


@pytest.mark.parametrize(
    ("weights", "attributes", "kernel"),
    [
        ((1, 3, 3, 4), {"padding": "SAME"}, "depthwise_3x3"),
        ((1, 5, 5, 4), {"padding": "SAME"}, "depthwise"),
        ((1, 3, 3, 4), {"dilation_h": 2, "dilation_w": 2}, "depthwise_generic"),
        ((1, 3, 3, 16), {"depth_multiplier": 4}, "depthwise_by_multiplier"),
        ((1, 3, 3, 12), {"depth_multiplier": 3}, "depthwise_generic"),
    ],
)
def test_depthwise_kernel_that_cmsis_nn_chooses(weights, attributes, kernel):
    graph = single(
        "DEPTHWISE_CONV_2D", [(1, 8, 8, 4), weights], (1, 8, 8, weights[3]), **attributes
    )
    assert cmsis_nn_loops(graph, graph.operators[0]).kernel == kernel


def test_helium_pays_a_whole_vector_for_a_part():
    def vectors(channels):
        shapes = [(1, 2, 2, channels), (8, 1, 1, channels)]
        graph = single("CONV_2D", shapes, (1, 2, 2, 8))
        return cmsis_nn_helium_loops(graph, graph.operators[0]).counts["four_vector"]

    assert [vectors(c) for c in (16, 17, 32)] == [8 * 1, 8 * 2, 8 * 2]


def test_reference_kernels_visit_every_tap():
    graph = single("CONV_2D", [(1, 4, 4, 2), (3, 3, 3, 2)], (1, 4, 4, 3), padding="SAME")
    loops = plain_loops(graph, graph.operators[0])
    assert loops.kernel == "conv_2d_int8"
    assert loops.counts["output"] == 16 * 3
    assert loops.counts["tap"] == 16 * 9 * 3
    assert loops.counts["product"] == 100 * 3 * 2


def test_instructions_are_parts_times_runs(residual):
    table = load_table("cortex-m4_cmsis-nn")
    add = table.kernels["add"]
    # 8 * 8 * 4 elements, four at once.
    expected = table.operator + add[CALL] + 64 * add["by_4"]
    only_add = Graph("add", residual.tensors, (residual.operators[1],), (0, 3), (4,))
    found = total_millicycles(only_add, counting("cortex-m4_cmsis-nn")) / 1_000
    assert found == pytest.approx(expected + table.inference, abs=0.1)


def test_channels_beyond_a_multiple_of_four_cost_more_than_their_share():
    def cycles(channels):
        shapes = [(1, 8, 8, channels), (8, 1, 1, channels)]
        return total_millicycles(single("CONV_2D", shapes, (1, 8, 8, 8)), counting(TABLES[0]))

    assert cycles(17) - cycles(16) > 1.5 * (cycles(20) - cycles(16)) / 4


@pytest.mark.parametrize(
    "model",
    [
        "tflm/person_detect",
        "mlperf_tiny/ad01_int8",
        "mlperf_tiny/kws_ref_model",
        "mlperf_tiny/pretrainedResnet_quant",
        "mlperf_tiny/str_ww_ref_model",
        "mlperf_tiny/vww_96_int8",
        "mlperf_tiny/vww_96_float",
        "cfu_playground/model_mobilenetv2_160_035",
        "tinyengine/detection",
    ],
)
def test_networks_that_the_tables_have_not_seen(shared, model):
    with (shared / "tables" / "tflm_reference.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    counted = int(rows[f"{model}.tflite"]["m4_instructions"])
    graph = read_tflite(shared / "models" / f"{model}.tflite")
    found = total_millicycles(graph, counting("cortex-m4_cmsis-nn")) / 1_000
    assert found == pytest.approx(counted, rel=0.05)


@pytest.mark.parametrize(
    ("board_name", "model", "published_ms"),
    [
        # MLPerf Tiny v1.0, OctoML, microtvm_cmsis_nn
        ("nucleo-l4r5zi", "mlperf_tiny/kws_ref_model", 99.81),
        ("nucleo-l4r5zi", "mlperf_tiny/pretrainedResnet_quant", 389.56),
        ("nrf5340-dk", "mlperf_tiny/vww_96_int8", 232.0),
        # MLPerf Tiny v0.7 and v1.2, Renesas
        ("ek-ra6m4", "mlperf_tiny/kws_ref_model", 50.57),
        ("ek-ra8d1", "mlperf_tiny/pretrainedResnet_quant", 8.478),
        # mcufit-bench
        ("arduino-nano-33-ble", "mlperf_tiny/kws_ref_model", 224.55),
        ("esp32-devkitc", "tflm/person_detect", 474.2),
    ],
)
def test_published_milliseconds(shared, board_name, model, published_ms):
    graph, device = read_tflite(shared / "models" / f"{model}.tflite"), board(board_name)
    found = board_latency_ms(graph, device, runtime_of_board(board_name))
    assert found == pytest.approx(published_ms, rel=0.15)


@pytest.mark.parametrize("table", TABLES)
def test_open_widths_count_what_closed_graphs_count(table):
    inputs = keras.Input((12, 10, 2))
    x = keras.layers.Conv2D(9, 3, padding="same", activation="relu")(inputs)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    y = keras.layers.Conv2D(14, 1)(x)
    z = keras.layers.Conv2D(14, 5, strides=2, padding="same")(x)
    x = keras.layers.Concatenate()([keras.layers.AveragePooling2D(2)(y), z])
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dense(7, activation="relu")(keras.layers.Flatten()(x))
    model = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(3)(x)))
    groups = coupling_groups(model)
    graph, timing = graph_from_keras(model, groups.dims()), counting(table)
    costs = OpenCosts(graph, timing=timing)
    rng = np.random.default_rng(1)
    for _ in range(20):
        widths = {name: int(rng.integers(2, width + 1)) for name, width in groups.widths().items()}
        expected = timing.microseconds(total_millicycles(graph.at(widths), timing))
        assert costs.at(widths).latency_us == pytest.approx(expected, rel=1e-12)


def test_slopes_of_the_latency_are_those_of_whole_vectors():
    inputs = keras.Input((4, 4, 16))
    x = keras.layers.Conv2D(64, 1, activation="relu", name="a")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(8, 1, name="b")(x))
    groups = coupling_groups(model)
    costs = OpenCosts(graph_from_keras(model, groups.dims()), timing=counting(TABLES[0]))
    (group,) = (g.name for g in groups.prunable)
    widths = groups.widths()

    def at(width):
        return costs.at({**widths, group: width})

    # From one multiple of sixteen to the next nothing is rounded.
    expected = (at(48).latency_us - at(32).latency_us) / 16
    slope = costs.slopes(at(32), latency_us=1.0)[group]
    assert slope == pytest.approx(expected, rel=0.1)


def test_what_no_table_tells_is_not_guessed():
    graph = single("CUMSUM", [(1, 8)], (1, 8))
    timing = counting("cortex-m4_cmsis-nn")
    assert total_millicycles(graph, timing) is None
    assert unknown_kernels(graph, timing) == ("cumsum_int8",)
    with pytest.raises(UnsupportedModelError, match="cumsum_int8; limit MACs instead"):
        required_millicycles(graph, timing)


def test_boards_of_unknown_speed_have_no_latency(residual):
    device = board("corstone-300-m55")
    assert board_timing(device, runtime_of_board(device.name)) is None
    assert board_latency_ms(residual, device, "tflm-cmsis-nn-mve") is None
    with pytest.raises(InputError, match="nothing is known of how fast corstone-300-m55"):
        budget_timing(device.name)


def test_a_latency_budget_needs_a_board():
    with pytest.raises(InputError, match="names no board"):
        budget_timing(None)


@pytest.mark.parametrize("name", board_names())
def test_speeds_name_tables_and_runtimes_that_exist(name):
    device = board(name)
    for speed in device.speeds:
        assert speed.runtime in RUNTIMES or speed.runtime == "tflm-2.3.1"
        assert load_table(speed.table).kernels
        assert speed.cycles_per_instruction[OTHER] > 0
    timing = board_timing(device, runtime_of_board(name))
    assert timing is None or math.isfinite(timing.milliseconds(1))
