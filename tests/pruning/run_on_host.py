"""Runs a printed program as one of several hosts, and keeps the weights that its model ends with.

Arguments: the program, where the weights go, and ``otherwise`` for a host that judges channels by
chance in place of the training.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mcuprune.pruning.importance import FloatArray, Importance


def by_chance(_: Importance, widths: Mapping[str, int]) -> dict[str, FloatArray]:
    drawn = {name: np.random.default_rng(width).random(width) for name, width in widths.items()}
    return {name: each / each.sum() for name, each in drawn.items()}


def main(program: str, weights: str, otherwise: str = "") -> None:
    if otherwise:
        Importance.scores = by_chance  # type: ignore[method-assign]
    names: dict[str, Any] = {}
    exec(Path(program).read_text(encoding="utf-8"), names)
    np.savez(weights, *(weight.numpy() for weight in names["model"].weights))


if __name__ == "__main__":
    main(*sys.argv[1:])
