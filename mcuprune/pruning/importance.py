"""How much the training needs each channel, measured from the training itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Importance:
    """Running root mean square of the loss's derivative by each gate.

    The derivative by a gate is the first-order change of the loss when the channel goes (Molchanov
    et al., "Importance Estimation for Neural Network Pruning", arXiv 1906.10771, equation 8 squares
    and averages it over batches). The root keeps one loud channel from drowning its group.

    Args:
        decay: Weight of the past per step. 0.99 remembers about 100 steps.

    Attributes:
        passed_over: Steps in a row, up to the last one, that had a non-finite derivative.
    """

    def __init__(self, decay: float = 0.99) -> None:
        self._decay = decay
        self._second_moment: dict[str, FloatArray] = {}
        self.passed_over = 0

    def update(self, sensitivities: Mapping[str, FloatArray]) -> None:
        """Take in one step's derivatives; steps with a non-finite one are passed over."""
        if not all(np.isfinite(value).all() for value in sensitivities.values()):
            self.passed_over += 1
            return
        self.passed_over = 0
        for name, value in sensitivities.items():
            past = self._second_moment.get(name, value**2)
            self._second_moment[name] = self._decay * past + (1.0 - self._decay) * value**2

    def keep(self, kept: Mapping[str, npt.NDArray[np.intp]]) -> None:
        """Forget the channels that were cut."""
        for name, indices in kept.items():
            if name in self._second_moment:
                self._second_moment[name] = self._second_moment[name][indices]

    def state(self) -> dict[str, list[float]]:
        """Return what was measured, as plain values."""
        return {name: moment.tolist() for name, moment in self._second_moment.items()}

    def restore(self, state: Mapping[str, Sequence[float]]) -> None:
        """Take over what :meth:`state` returned."""
        self._second_moment = {name: np.array(moment) for name, moment in state.items()}

    def scores(self, widths: Mapping[str, int]) -> dict[str, FloatArray]:
        """Return each channel's share of its group's importance; equal shares before any step.

        Args:
            widths: Number of channels of each group asked for.
        """
        return {name: self._shares(name, width) for name, width in widths.items()}

    def _shares(self, name: str, width: int) -> FloatArray:
        root = np.sqrt(self._second_moment.get(name, np.ones(width)))
        total = root.sum()
        return root / total if total > 0 else np.full(width, 1.0 / width)
