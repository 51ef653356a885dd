"""Runs operators as C and with real TFLM, and compares every byte."""

import numpy as np
from hypothesis import Phase, settings
from operator_files import operators_file

from mcuprune.engines.c_host import CHost
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite

TARGETS = ("portable", "cortex-m4")
_SAMPLES = 3
BATCH = 8


def some_batches(count):
    """Return settings without shrinking: each try compiles, and messages name the one case."""
    return settings(max_examples=count, phases=(Phase.explicit, Phase.reuse, Phase.generate))


def extreme_inputs(model, seed):
    """Return inputs: random ones, the least and largest numbers, and a mixture of both."""
    chance = np.random.default_rng(seed)
    graph = parse_tflite(model, "cases")
    return [_numbers(graph.tensors[index], chance) for index in graph.inputs]


def _numbers(tensor, chance):
    shape = (_SAMPLES, *tensor.shape[1:])
    if tensor.dtype == "float32":
        return chance.normal(0, 3, shape).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    numbers = chance.integers(limits.min, limits.max + 1, shape).astype(tensor.dtype)
    numbers[1] = chance.choice([limits.min, limits.max], shape[1:])
    return numbers


def require_equal_to_tflm(cases, targets=TARGETS, seed=0, engine=None):
    """Compare all cases in one file; `engine` stands in for TFLM where that lacks an operator."""
    model = operators_file(cases)
    inputs = extreme_inputs(model, seed)
    expected = (engine or TFLM()).run(model, inputs).all_outputs
    outputs = [(case, data) for case in cases for data in case.outputs]
    for target in targets:
        found = CHost(target, options=("-O0",)).run(model, inputs).all_outputs
        for (case, _), one, other in zip(outputs, found, expected, strict=True):
            assert one.tobytes() == other.tobytes(), (target, case, _first_difference(one, other))


def require_equal_to_litert(cases, **options):
    require_equal_to_tflm(cases, engine=LiteRT(), **options)


def _first_difference(one, other):
    one, other = one.ravel(), other.ravel()
    place = int(np.flatnonzero(one != other)[0])
    return f"element {place}: {one[place]} instead of {other[place]}"
