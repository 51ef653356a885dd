"""The end of a run: the deployed model as machine code on a simulated board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcuprune.engines.simulate import simulate
from mcuprune.errors import MissingToolError, UnsupportedModelError
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import ValidateSection
from mcuprune.report.progress import announce


def simulated_board(section: ValidateSection, data: Dataset, model: Path) -> dict[str, Any] | None:
    """Simulate a deployed model on the recipe's board.

    Args:
        section: Which board, and on how many inputs.
        data: Its test set gives the inputs.
        model: The deployed ``.tflite`` file.

    Returns:
        What ``mcuprune simulate --json`` prints; None without a board, or where something that
        simulation needs is not installed, or an operator has no kernel in C, which is announced.
    """
    if section.board is None:
        return None
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
        return None
    return report.to_json()
