"""What pruning does, for TensorBoard."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcuprune.errors import MissingToolError

if TYPE_CHECKING:
    from mcuprune.pruning.pruner import Pruner

_PREFIX = "pruning"


class TensorBoardLog:
    """Writes a pruner's state as scalars and histograms.

    Scalars are ``pruning/widths/GROUP`` (open channels), ``pruning/resources/NAME`` and
    ``pruning/budget/NAME`` (bytes, MACs, microseconds; predicted), ``pruning/multipliers/NAME`` and
    ``pruning/penalty``; histograms ``pruning/gates/GROUP``.

    Args:
        folder: Where the events file lies; made at the first write.

    Raises:
        MissingToolError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise MissingToolError(
                "log_dir needs TensorBoard, which is not installed: pip install "
                "'mcuprune[tensorboard]', or leave log_dir out"
            )
        self._folder = folder
        self._writer: Any = None

    def write(self, epoch: int, pruner: Pruner) -> None:
        """Write the state after an epoch.

        Args:
            epoch: Counted from 0; TensorBoard's step.
            pruner: Whose state.
        """
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default(step=epoch):
            for name, value in _scalars(pruner).items():
                tf.summary.scalar(f"{_PREFIX}/{name}", value)
            for group, gates in pruner.gates().items():
                tf.summary.histogram(f"{_PREFIX}/gates/{group}", gates)
        self._writer.flush()

    def close(self) -> None:
        """Finish the events file; a later write begins another one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _scalars(pruner: Pruner) -> dict[str, float]:
    families: Mapping[str, Mapping[str, float]] = {
        "widths": pruner.widths(),
        "resources": pruner.resources(),
        "budget": dict(pruner.budget.limits()),
        "multipliers": pruner.multipliers(),
    }
    flat = {
        f"{family}/{name}": float(value)
        for family, values in families.items()
        for name, value in values.items()
    }
    return {**flat, "penalty": float(pruner.penalty())}
