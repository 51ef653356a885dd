"""Every kernel that is said to work in place, run in place by real TFLM."""

import dataclasses

import numpy as np
import pytest
from kernel_files import SHAPE, kernel_file

from mcuprune.deployment.offline_file import with_offline_plan
from mcuprune.deployment.optimize import random_inputs
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.planner.in_place import in_place_kinds
from mcuprune.planner.offline import plan_offline

BINARY = ("ADD", "SUB", "MUL")
INT8 = ("RELU", "RELU6", "LOGISTIC", "TANH", "LEAKY_RELU", "ELU", "ABS", "QUANTIZE")
FLOAT = ("RELU", "RELU6", "LOGISTIC", "TANH", "LEAKY_RELU", "ELU", "ABS", "NEG")
FLOAT_ONLY = ("SIN", "COS", "LOG", "SQRT", "RSQRT", "SQUARE")
COPIES = ("RESHAPE", "EXPAND_DIMS")
LOOSE = [
    *((kind, dtype, shape) for kind in BINARY for dtype in ("int8", "float32")
      for shape in (SHAPE, (1, 1, 1, SHAPE[3]), (1, 1, 1, 1))),
    *((kind, "int8", None) for kind in (*INT8, *COPIES)),
    *((kind, "float32", None) for kind in (*FLOAT, *FLOAT_ONLY, *COPIES)),
]  # fmt: skip


def test_every_kind_of_the_table_is_tried():
    kinds = in_place_kinds()
    assert {kind for kind, _, _ in LOOSE} == kinds.copies | kinds.elementwise


@pytest.mark.parametrize(("kind", "dtype", "second_shape"), LOOSE)
def test_tflm_answers_the_same_in_place(kind, dtype, second_shape):
    model = kernel_file(kind, dtype, second_shape)
    graph = parse_tflite(model, kind)
    plan = plan_offline(graph)
    # The output takes the place of the first input: one buffer less of its size.
    assert plan.in_place == 1
    assert plan.offsets_bytes[1] == plan.offsets_bytes[0]
    planned = with_offline_plan(model, plan)
    inputs = [np.abs(values) if kind in FLOAT_ONLY else values for values in _inputs(graph)]
    apart, together = TFLM().run(model, inputs), TFLM().run(planned, inputs)
    assert together.outputs.tobytes() == apart.outputs.tobytes()
    assert together.arena.head_bytes == plan.head_bytes < apart.arena.head_bytes
    assert len(np.unique(apart.outputs)) > 3


def test_two_inputs_of_which_the_second_is_written_over():
    model = kernel_file("SUB", "int8", SHAPE)
    graph = parse_tflite(model, "sub")
    plan = plan_offline(graph)
    first, second = plan.offsets_bytes[0], plan.offsets_bytes[2]
    swapped = dataclasses.replace(plan, offsets_bytes=(first, second, second))
    inputs = random_inputs(graph, 5)
    expected = TFLM().run(model, inputs).outputs
    found = TFLM().run(with_offline_plan(model, swapped), inputs).outputs
    assert found.tobytes() == expected.tobytes()


def _inputs(graph):
    return random_inputs(graph, 5)
