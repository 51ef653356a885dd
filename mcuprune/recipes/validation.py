"""The end of a run: the deployed model as machine code on a simulated board."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcuprune.engines.simulate import simulate
from mcuprune.errors import MissingToolError, UnsupportedModelError
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import ValidateSection
from mcuprune.report.doubts import Doubt
from mcuprune.report.progress import announce


@dataclasses.dataclass(frozen=True)
class Simulated:
    """What became of the simulation.

    Attributes:
        report: What ``mcuprune simulate --json`` prints; None where nothing was simulated.
        doubts: Why a board that the recipe names was not simulated, or answered otherwise.
    """

    report: dict[str, Any] | None = None
    doubts: tuple[Doubt, ...] = ()


def simulated_board(section: ValidateSection, data: Dataset, model: Path) -> Simulated:
    """Simulate a deployed model on the recipe's board.

    Args:
        section: Which board, and on how many inputs.
        data: Its test set gives the inputs.
        model: The deployed ``.tflite`` file.

    Returns:
        Its report. Without a board there is none; where something that simulation needs is not
        installed, or an operator has no kernel in C, there is a doubt instead, and it is announced.
    """
    if section.board is None:
        return Simulated()
    announce(f"validation: running the model on a simulated {section.board}")
    try:
        report = simulate(
            model,
            section.board,
            simulator=section.simulator,
            inputs=data.x_test[: section.inputs],
        )
    except (MissingToolError, UnsupportedModelError) as error:
        announce(f"validation: left out, {error}")
        left_out = f"the model did not run on a simulated {section.board}: {str(error).rstrip('.')}"
        return Simulated(doubts=(Doubt("simulation-left-out", left_out),))
    found = report.to_json()
    return Simulated(found, tuple(_disagreement(found)))


def _disagreement(found: dict[str, Any]) -> Iterator[Doubt]:
    differing = found["bytes_differing"]
    if differing:
        yield Doubt(
            "engines-disagree",
            f"the simulated {found['board']} answered {differing:,} bytes otherwise than "
            f"{found['reference']}: do not ship this model, please report it",
        )
