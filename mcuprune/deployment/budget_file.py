"""Files of models with their budgets, for continuous integration."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mcuprune.budget import Budget, budget_of
from mcuprune.cost.verdict import Verdict
from mcuprune.deployment.check import check
from mcuprune.errors import InputError
from mcuprune.mapping_file import build, read_mapping

WHAT = "budget file"
Quantity = int | str | None


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelBudget(_Keys):
    """A model and what it may take.

    Attributes:
        path: A ``.tflite`` file or a deployment folder, from the budget file's folder.
        sram: Limit on the arena, bytes or text with a unit.
        flash: Limit on flash, likewise.
        macs: Limit on multiply-accumulates.
        latency: Limit on the predicted time on ``board``, microseconds or text with a unit.
        board: A board of the catalogue, whose memories are limits where none are given.
        reserve_sram: SRAM of the board for the rest of the firmware.
        reserve_flash: Flash of the board likewise.
    """

    path: Path
    sram: Quantity = None
    flash: Quantity = None
    macs: Quantity = None
    latency: Quantity = None
    board: str | None = None
    reserve_sram: Quantity = None
    reserve_flash: Quantity = None

    def budget(self) -> Budget | None:
        """Return the limits, None if there are none.

        Raises:
            InputError: A limit needs a board, or is no quantity; or there is no such board.
        """
        return budget_of(**self.model_dump(exclude={"path"}))


class BudgetFile(_Keys):
    """A budget file's contents.

    Attributes:
        models: Models with their budgets by name.
    """

    models: Annotated[dict[str, ModelBudget], Field(min_length=1)]


@dataclasses.dataclass(frozen=True)
class Checked:
    """A model held against its budget.

    Attributes:
        name: Its name in the budget file.
        model: The file that was checked, or its folder.
        verdict: What is required and available.
        line: Where the budget file names it, counted from 1; None if that was not found.
    """

    name: str
    model: Path
    verdict: Verdict
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {"name": self.name, "model": str(self.model), **self.verdict.to_json()}


def check_budgets(path: str | Path) -> tuple[Checked, ...]:
    """Hold every model of a budget file against its budget.

    Args:
        path: The file, TOML if its name ends in ``.toml``, else YAML; models are looked for from
            its folder.

    Returns:
        A verdict per model, in the file's order.

    Raises:
        InputError: The file, a budget or a model cannot be read; names the model.
        UnknownNameError: A board is not in the catalogue.
    """
    path = Path(path)
    values = read_mapping(path, WHAT, "models: see the page on use in CI")
    budgets = build(BudgetFile, values, f"{WHAT} {path}").models
    text = path.read_text(encoding="utf-8")
    return tuple(
        Checked(
            name,
            path.parent / entry.path,
            _verdict(name, path.parent / entry.path, entry),
            _line(text, name),
        )
        for name, entry in budgets.items()
    )


def _verdict(name: str, model: Path, entry: ModelBudget) -> Verdict:
    try:
        budget = entry.budget()
        if budget is None:
            raise InputError("no limit is given: add sram, flash, macs or board")
        return check(model, budget)
    except InputError as error:
        # The same kind of error, since names that are not known are one of their own.
        raise type(error)(f"models.{name}: {error}") from error


def _line(text: str, name: str) -> int | None:
    """Return the line that names a model, as a key of YAML or a table of TOML."""
    key = rf"""["']?{re.escape(name)}["']?"""
    found = re.search(rf"^\s*(?:{key}\s*:|\[models\.{key}\])", text, re.MULTILINE)
    # The match may start with empty lines.
    return None if found is None else text.count("\n", 0, found.end()) + 1
