"""The trials of a sweep on Ray Tune.

Tune places trials on workers, starts them again when their process dies, and stops those that
cannot reach the front. It keeps no state of its own that would be needed: what a sweep is and what
has become of it stands in its folder, so any process can go on with it.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Mapping
from typing import Any

import ray
from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from mcuprune.errors import McupruneError
from mcuprune.recipes.schema import Recipe
from mcuprune.sweep import worker
from mcuprune.sweep.cluster import Workers
from mcuprune.sweep.folder import WORK, SweepFolder
from mcuprune.sweep.grid import trial_recipe
from mcuprune.sweep.ledger import Ledger
from mcuprune.sweep.live import LiveView
from mcuprune.sweep.row import Row
from mcuprune.sweep.search import Search
from mcuprune.sweep.shared_reference import reference_name
from mcuprune.sweep.trial import Epoch

# How often the process of a trial may die; it goes on from its last epoch each time.
MOST_DEATHS = 3
_NUMBER = "number"


def train_references(recipes: list[Recipe], folder: SweepFolder, workers: Workers) -> None:
    """Train the references of trials, each once.

    Args:
        recipes: Recipes of trials; those that share a reference may be there several times.
        folder: The sweep's.
        workers: What each is trained on.

    Raises:
        McupruneError: One has failed.
    """
    distinct = {reference_name(recipe): recipe for recipe in recipes}
    train = ray.remote(
        num_cpus=workers.cpus, num_gpus=workers.gpus, max_retries=MOST_DEATHS, max_calls=1
    )(worker.train_reference)
    tasks = [
        train.remote(
            {
                "recipe": recipe.model_dump(mode="json"),
                "folder": str(folder.references / name),
                "cpus": workers.cpus,
            }
        )
        for name, recipe in distinct.items()
    ]
    try:
        failures = [failure for failure in ray.get(tasks) if failure]
    except ray.exceptions.RayError as error:
        raise McupruneError(
            f"training the reference has failed ({error}): see {worker.LOG_FILE} below "
            f"{folder.references}"
        ) from error
    if failures:
        raise McupruneError(failures[0])


def run_trials(
    recipe: Recipe,
    folder: SweepFolder,
    search: Search,
    ledger: Ledger,
    view: LiveView,
    workers: Workers,
    at_once: int,
) -> None:
    """Run trials until the search has no more.

    Args:
        recipe: The sweep's.
        folder: The sweep's.
        search: Where trials come from; hears how they end.
        ledger: Hears of all that happens.
        view: Shows it.
        workers: What each trial runs on.
        at_once: How many run at once.
    """
    work = folder.path / WORK
    # It prints a traceback where a process died; the watcher says so in a line.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    watcher = _Watcher(ledger, search, view)
    tuner = tune.Tuner(
        tune.with_resources(worker.run_trial, {"cpu": workers.cpus, "gpu": workers.gpus}),
        tune_config=tune.TuneConfig(
            num_samples=-1,
            search_alg=_Queue(recipe, folder, search, watcher, workers.cpus),
            scheduler=_Stopping(ledger),
            max_concurrent_trials=at_once,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(work.resolve()),
            failure_config=tune.FailureConfig(max_failures=MOST_DEATHS),
            callbacks=[watcher],
            verbose=0,
        ),
    )
    try:
        tuner.fit()
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Stateless:
    """What Tune writes down of its parts, which it is never asked to read: nothing."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Queue(_Stateless, Searcher):  # type: ignore[misc]  # ray has no types
    """Gives Tune the trials of a search."""

    def __init__(
        self, recipe: Recipe, folder: SweepFolder, search: Search, watcher: _Watcher, cpus: int
    ) -> None:
        super().__init__()
        self._recipe, self._folder = recipe, folder
        self._search, self._watcher, self._cpus = search, watcher, cpus

    def suggest(self, trial_id: str) -> Any:
        row = self._search.next()
        if row is None:
            return Searcher.FINISHED
        self._watcher.expect(row)
        own = trial_recipe(self._recipe, row)
        return {
            _NUMBER: row.trial,
            "row": dataclasses.asdict(row),
            "recipe": own.model_dump(mode="json"),
            "folder": str(self._folder.trial(row)),
            "reference": str(self._folder.references / reference_name(own)),
            "cpus": self._cpus,
        }

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: the watcher has told the search how it ended."""

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing: the sweep's folder holds all there is."""

    def restore(self, checkpoint_path: str) -> None:
        """Take nothing."""


class _Stopping(_Stateless, FIFOScheduler):  # type: ignore[misc]  # ray has no types
    """Stops the trials that the ledger says cannot reach the front."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Mapping[str, Any]) -> str:
        epoch = Epoch.from_json(result[worker.EPOCH])
        is_hopeless = self._ledger.epoch(trial.config[_NUMBER], epoch) is not None
        decision: str = TrialScheduler.STOP if is_hopeless else TrialScheduler.CONTINUE
        return decision


class _Watcher(_Stateless, TrialProgressCallback):  # type: ignore[misc]  # ray has no types
    """Hears from Tune what happens to trials, and keeps it from printing."""

    def __init__(self, ledger: Ledger, search: Search, view: LiveView) -> None:
        self._ledger, self._search, self._view = ledger, search, view
        self._expected: dict[int, Row] = {}

    def expect(self, row: Row) -> None:
        """Note a trial that Tune has been given."""
        self._expected[row.trial] = row
        self._ledger.plan(row)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        row = self._expected[trial.config[_NUMBER]]
        again = row.trial in self._ledger.began
        self._ledger.begin(row)
        self._view.began(row, again=again)

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Any],
        trial: Any,
        result: Mapping[str, Any],
        **info: Any,
    ) -> None:
        """Do nothing: the scheduler has told the ledger."""

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._ended(self._ledger.end(trial.config[_NUMBER]))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config[_NUMBER]
        log = f"{self._expected[number].folder}/{worker.LOG_FILE}"
        self._ended(
            self._ledger.fail(number, f"its process died {MOST_DEATHS + 1} times, see {log}")
        )

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        self._view.refresh()

    def _ended(self, row: Row) -> None:
        self._search.tell(row)
        self._view.ended(row)
