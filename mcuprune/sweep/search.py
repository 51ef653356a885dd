"""Where a sweep's next trial comes from: the grid, or Optuna."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from mcuprune.recipes.schema import Recipe
from mcuprune.sweep.front import costs_of
from mcuprune.sweep.grid import axis, combinations_of, new_row, sweep_of, trial_recipe
from mcuprune.sweep.row import FINISHED, Row, written_settings

LIMITS = ("sram", "flash", "macs", "latency")
# One accuracy up; arena, file and time down.
DIRECTIONS = ("maximize", "minimize", "minimize", "minimize")
_MOST_REPEATS = 50


class Search(Protocol):
    """Gives trials until there are no more."""

    @property
    def trials(self) -> int:
        """How many trials the sweep has in all."""

    def next(self) -> Row | None:
        """Return the next trial to run, None if there is none."""

    def tell(self, row: Row) -> None:
        """Say how a trial has ended."""


class GridSearch:
    """Gives the trials of a grid that are not done, in their order.

    Args:
        rows: All trials.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.trials = len(rows)
        self._waiting = deque(row for row in rows if not row.is_settled)

    def next(self) -> Row | None:
        """Return the next trial."""
        return self._waiting.popleft() if self._waiting else None

    def tell(self, row: Row) -> None:
        """Do nothing: a grid is what it is."""


class OptunaSearch:
    """Looks for the front with Optuna's sampler, a study for each board.

    Nothing of it is kept but the table of trials, from which the studies are built again.

    Args:
        recipe: With its section ``sweep``: a limit lies between the smallest and the largest value
            of its axis, on a logarithmic scale, other keys take one of theirs; boards and seeds
            come in turn.
        rows: The trials there are already.
    """

    def __init__(self, recipe: Recipe, rows: Sequence[Row]) -> None:
        sweep = sweep_of(recipe)
        self.trials = max(sweep.trials or 0, len(rows))
        self._recipe = recipe
        self._boards = axis(sweep.boards, recipe.deploy.board)
        self._seeds = sweep.seed_list(recipe.training.seed)
        self._distributions = _distributions(recipe)
        self._studies = {
            board: _study(recipe.training.seed + len(rows) + place, self.trials)
            for place, board in enumerate(self._boards)
        }
        self._asked: dict[int, Any] = {}
        self._known = {row.identity for row in rows}
        self._count = len(rows)
        self._waiting = deque(row for row in rows if not row.is_settled)
        for row in rows:
            if row.is_settled:
                self._add(row)

    def next(self) -> Row | None:
        """Return a trial that was not finished, or a new one."""
        if self._waiting:
            row = self._waiting.popleft()
            study = self._studies[row.board]
            study.enqueue_trial(self._parameters(row))
            self._asked[row.trial] = study.ask(self._distributions)
            return row
        return self._new() if self._count < self.trials else None

    def tell(self, row: Row) -> None:
        """Give Optuna a trial's accuracy and costs, or that it has none."""
        asked = self._asked.pop(row.trial, None)
        if asked is None:
            return
        values = _values(row)
        if values is None:
            self._studies[row.board].tell(asked, state=_failed())
        else:
            self._studies[row.board].tell(asked, values)

    def _new(self) -> Row | None:
        number = self._count
        board = self._boards[number % len(self._boards)]
        seed = self._seeds[number // len(self._boards) % len(self._seeds)]
        study = self._studies[board]
        for _ in range(_MOST_REPEATS):
            asked = study.ask(self._distributions)
            row = self._row(number, board, seed, asked.params)
            if row.identity not in self._known:
                trial_recipe(self._recipe, row)
                self._known.add(row.identity)
                self._asked[number] = asked
                self._count += 1
                return row
            study.tell(asked, state=_failed())
        # Everything there is to try has been tried.
        self.trials = self._count
        return None

    def _row(self, number: int, board: str | None, seed: int, found: dict[str, Any]) -> Row:
        limits = {name: _fixed(self._recipe, name) for name in LIMITS}
        limits.update({name: value for name, value in found.items() if name in LIMITS})
        settings = found.get("settings", settings_of(self._recipe)[0])
        return new_row(number, seed, board, **limits, settings=settings)

    def _parameters(self, row: Row) -> dict[str, Any]:
        """Return a trial as Optuna knows it."""
        known = {**row.limits, "settings": row.settings}
        return {name: known[name] for name in self._distributions}

    def _add(self, row: Row) -> None:
        from optuna.trial import create_trial

        values = _values(row)
        state = {"values": values} if values is not None else {"state": _failed()}
        self._studies[row.board].add_trial(
            create_trial(params=self._parameters(row), distributions=self._distributions, **state)
        )


def make_search(recipe: Recipe, rows: Sequence[Row]) -> Search:
    """Return the search that a recipe asks for.

    Args:
        recipe: With its section ``sweep``.
        rows: The trials there are: of a grid all, of a search those made so far.
    """
    return OptunaSearch(recipe, rows) if sweep_of(recipe).search == "optuna" else GridSearch(rows)


def _fixed(recipe: Recipe, name: str) -> int | None:
    values: list[int] = getattr(sweep_of(recipe), name)
    fixed: int | None = values[0] if values else getattr(recipe.budget, name)
    return fixed


def settings_of(recipe: Recipe) -> list[str]:
    """Return every combination of the values that vary, as the rows keep them."""
    return [written_settings(each) for each in combinations_of(sweep_of(recipe).vary)]


def _distributions(recipe: Recipe) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    sweep, found = sweep_of(recipe), {}
    for name in LIMITS:
        values = getattr(sweep, name)
        if len(set(values)) > 1:
            found[name] = IntDistribution(min(values), max(values), log=True)
    settings = settings_of(recipe)
    if len(settings) > 1:
        found["settings"] = CategoricalDistribution(settings)
    return found


def _study(seed: int, trials: int) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # A quarter at random before anything is concluded, so that short searches conclude at all.
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(4, trials // 4))
    return optuna.create_study(directions=DIRECTIONS, sampler=sampler)


def _values(row: Row) -> list[float] | None:
    costs = costs_of(row)
    if row.status != FINISHED or costs is None or row.accuracy is None:
        return None
    time = costs.macs if costs.latency_ms is None else costs.latency_ms
    return [row.accuracy, costs.peak_sram_bytes, costs.flash_bytes, time]


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL
