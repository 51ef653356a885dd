"""What a recipe says about a sweep: the axes of its grid, and how they are searched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, field_validator, model_validator

from mcuprune.errors import InputError
from mcuprune.recipes.section import (
    SECTION,
    BoardName,
    Fraction,
    NotNegative,
    Positive,
    with_key_path,
)
from mcuprune.units import parse_bytes, parse_count, parse_microseconds

# Sections whose keys may vary; the axes of their own stand for the others.
VARIED_SECTIONS = ("model", "training", "pruning", "distillation", "quantization")
_OWN_AXES = {"training.seed": "seeds", "pruning.options": "pruning.options.KEY"}


def _several(parse: Callable[[Any], int]) -> Any:
    def parsed(value: Any) -> Any:
        with with_key_path():
            return [parse(each) for each in (value if isinstance(value, list) else [value])]

    return BeforeValidator(parsed)


class SweepSection(BaseModel):
    """A sweep over budgets, boards, seeds and settings; an axis left empty is the recipe's.

    Attributes:
        sram: Limits on the arena, bytes or text with a unit; one or a list.
        flash: Limits on the ``.tflite`` file, likewise.
        macs: Limits on multiply-accumulates.
        latency: Limits on the time of an inference on the trial's board.
        boards: Boards of the catalogue that the networks are meant for.
        seeds: How many seeds, counted from ``training.seed``, or a list of them.
        vary: Values of further keys, such as ``training.learning_rate: [0.002, 0.004]``.
        search: ``grid`` runs every combination; ``optuna`` looks for the front: limits anywhere
            between the smallest and the largest of an axis, boards and seeds in turn.
        trials: How many trials ``optuna`` makes.
        stop: ``dominated`` stops a trial that cannot reach the front any more, see
            :mod:`mcuprune.sweep.stopping`; ``never`` runs all to their end.
        stop_margin: How much more accuracy than foreseen such a trial is thought capable of,
            0 to 1.
    """

    model_config = SECTION

    sram: Annotated[list[int], _several(parse_bytes)] = []
    flash: Annotated[list[int], _several(parse_bytes)] = []
    macs: Annotated[list[int], _several(parse_count)] = []
    latency: Annotated[list[int], _several(parse_microseconds)] = []
    boards: list[BoardName] = []
    seeds: Positive | list[NotNegative] = 1
    vary: dict[str, list[Any]] = {}
    search: Literal["grid", "optuna"] = "grid"
    trials: Positive | None = None
    stop: Literal["dominated", "never"] = "dominated"
    stop_margin: Fraction = 0.01

    @field_validator("vary")
    @classmethod
    def _known_sections(cls, vary: dict[str, list[Any]]) -> dict[str, list[Any]]:
        with with_key_path():
            for path, values in vary.items():
                _check_varied(path, values)
        return vary

    @model_validator(mode="after")
    def _trials_of_a_search(self) -> SweepSection:
        if self.search == "optuna" and self.trials is None:
            raise ValueError("search: optuna needs the number of trials: add trials (--trials 40)")
        if self.search == "grid" and self.trials is not None:
            raise ValueError(
                "a grid runs every combination, so it takes no number of trials: leave out trials, "
                "or choose search: optuna"
            )
        return self

    @property
    def margin(self) -> float | None:
        """``stop_margin``, None where every trial runs to its end."""
        return self.stop_margin if self.stop == "dominated" else None

    def seed_list(self, first: int) -> list[int]:
        """Return the seeds.

        Args:
            first: The recipe's ``training.seed``, from which they are counted if only their number
                is given.

        >>> SweepSection(seeds=3).seed_list(7), SweepSection(seeds=[1, 5]).seed_list(7)
        ([7, 8, 9], [1, 5])
        """
        if isinstance(self.seeds, list):
            return list(self.seeds)
        return list(range(first, first + self.seeds))


def _check_varied(path: str, values: list[Any]) -> None:
    if path in _OWN_AXES:
        raise InputError(f"{path!r} cannot vary as a whole: use {_OWN_AXES[path]}")
    section, dot, key = path.partition(".")
    if section not in VARIED_SECTIONS or not dot or not key:
        raise InputError(
            f"{path!r} cannot vary: name a key below {', '.join(VARIED_SECTIONS)}, such as "
            "training.learning_rate; budgets, boards and seeds have axes of their own"
        )
    if not values:
        raise InputError(f"{path!r} has no values: give a list of at least one")
