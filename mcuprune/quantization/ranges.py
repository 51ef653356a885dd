"""How far activations reach, seen on calibration data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mcuprune.engines.base import Array
from mcuprune.ir.keras_graph import LayerGraph
from mcuprune.quantization.placement import Range, SharedRange

_BATCH = 32
# A tensor of zeros alone (its channels are dead) needs some scale.
_RANGE_OF_ZEROS = 1.0


def observed_ranges(
    graph: LayerGraph, ranges: Sequence[SharedRange], samples: Sequence[Array]
) -> list[Range]:
    """Return how far below and above zero each range reaches: minimum and maximum.

    Args:
        graph: The network in float.
        ranges: Its ranges (:func:`mcuprune.quantization.placement.shared_ranges`).
        samples: An array for each input, shape ``(n, ...)``.
    """
    import keras

    keys = [key for shared in ranges for key in shared.tensors]
    tensors = {key: graph.tensors[key][0] for key in keys}
    probe = keras.Model([graph.tensors[key][0] for key in graph.inputs], tensors)
    lowest, highest = dict.fromkeys(keys, 0.0), dict.fromkeys(keys, 0.0)
    for batch in _batches(samples):
        for key, values in probe(batch, training=False).items():
            lowest[key] = min(lowest[key], float(keras.ops.min(values)))
            highest[key] = max(highest[key], float(keras.ops.max(values)))
    return [_range(shared, lowest, highest) for shared in ranges]


def _batches(samples: Sequence[Array]) -> Iterator[list[Array]]:
    for start in range(0, len(samples[0]), _BATCH):
        yield [array[start : start + _BATCH] for array in samples]


def _range(shared: SharedRange, lowest: dict[Any, float], highest: dict[Any, float]) -> Range:
    if shared.fixed is not None:
        return shared.fixed
    low = min(lowest[key] for key in shared.tensors)
    high = max(highest[key] for key in shared.tensors)
    return (-low, high) if high > low else (0.0, _RANGE_OF_ZEROS)
