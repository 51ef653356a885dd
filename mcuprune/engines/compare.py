"""Compares the answers of two engines byte by byte."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcuprune.engines.base import Array, as_arrays
from mcuprune.errors import EngineError


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far two sets of quantized outputs agree.

    Attributes:
        inputs: Number of inputs compared.
        bytes_total: Output elements compared (bytes for int8).
        bytes_differing: Elements that differ.
        largest_difference: Largest absolute difference, in quantization steps.
        top1_agreement: Share of inputs whose largest output stands at the same place, 0 to 1.
    """

    inputs: int
    bytes_total: int
    bytes_differing: int
    largest_difference: int
    top1_agreement: float


def compare_outputs(a: Array | Sequence[Array], b: Array | Sequence[Array]) -> Agreement:
    """Compare the quantized outputs of two engines.

    Args:
        a: Integers, shape ``(n, ...)``; a list of such arrays for several outputs, of which all
            must agree on the largest.
        b: Integers of the same shape and dtype.

    Raises:
        EngineError: The shapes or dtypes differ, or there is nothing to compare.

    >>> compare_outputs(np.int8([[1, 5], [7, 2]]), np.int8([[1, 5], [7, 9]]))
    Agreement(inputs=2, bytes_total=4, bytes_differing=1, largest_difference=7, top1_agreement=0.5)
    """
    pairs = list(zip(as_arrays(a), as_arrays(b), strict=True))
    for left, right in pairs:
        _require_comparable(left, right)
    differences = [np.abs(x.astype(np.int64) - y.astype(np.int64)) for x, y in pairs]
    same_winner = np.all([_top1(left) == _top1(right) for left, right in pairs], axis=0)
    return Agreement(
        inputs=len(same_winner),
        bytes_total=sum(difference.size for difference in differences),
        bytes_differing=sum(int(np.count_nonzero(difference)) for difference in differences),
        largest_difference=max(int(difference.max()) for difference in differences),
        top1_agreement=float(np.mean(same_winner)),
    )


def _require_comparable(a: Array, b: Array) -> None:
    if a.shape != b.shape or a.dtype != b.dtype or not a.size:
        raise EngineError(
            f"cannot compare outputs {a.dtype}{a.shape} with {b.dtype}{b.shape}: both must come "
            "from the same model and the same inputs, at least one"
        )


def _top1(outputs: Array) -> Array:
    winners: Array = outputs.reshape(len(outputs), -1).argmax(axis=1)
    return winners
