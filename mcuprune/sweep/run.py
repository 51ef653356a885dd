"""Runs a sweep: references, trials, the page with the fronts."""

from __future__ import annotations

from pathlib import Path

from mcuprune.recipes.ingredients import allow_code as require_code_allowed
from mcuprune.recipes.schema import Recipe
from mcuprune.report.progress import announce
from mcuprune.sweep.cluster import Workers, require_ray, running_cluster
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.grid import axis, grid, new_row, sweep_of, trial_recipe
from mcuprune.sweep.ledger import Ledger, taken_up
from mcuprune.sweep.live import LiveView
from mcuprune.sweep.page import write_page
from mcuprune.sweep.row import Row
from mcuprune.sweep.search import Search, make_search, settings_of
from mcuprune.sweep.summary import Summary, results_summary


def run_sweep(
    recipe: Recipe,
    folder: str | Path,
    *,
    workers: Workers | None = None,
    resume: bool = False,
    allow_code: bool = False,
) -> Summary:
    """Run the trials of a sweep, each in a folder of its own.

    Args:
        recipe: What each trial runs, with its section ``sweep``; trials may run on other machines,
            so its data and the folder must be where they can be read there by the same paths.
        folder: The sweep's folder; made if absent.
        workers: What trials run on; by default a cluster of this machine with one core for each.
        resume: Whether to go on with the sweep that the folder holds: what is done is kept, what
            was running goes on from its last epoch.
        allow_code: Whether to run Python files that the recipe names from outside the working
            folder.

    Returns:
        What has come of it, also by :func:`mcuprune.results_summary`.

    Raises:
        InputError: The recipe has no sweep, a trial's values are not allowed, or the folder holds
            something else.
        MissingToolError: The extra ``sweep`` is not installed.
        KeyboardInterrupt: Stopped; the message says how to go on.
    """
    place = SweepFolder(Path(folder).absolute())
    workers = workers or Workers()
    recipe = _with_data_anywhere(recipe)
    sweep_of(recipe)
    planned = _planned(recipe)
    require_code_allowed(recipe, is_allowed=allow_code)
    require_ray()
    place.begin(recipe, resume=resume)
    with place.alone():
        _run_alone(recipe, place, planned, workers)
    return results_summary(place.path)


def _run_alone(recipe: Recipe, place: SweepFolder, planned: list[Row], workers: Workers) -> None:
    rows = taken_up(_merged(planned, place.results.rows()), place)
    ledger = Ledger(place, rows, sweep_of(recipe).margin)
    search = make_search(recipe, rows)
    try:
        _run(recipe, place, search, ledger, workers)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_stopped(place, ledger)) from interrupt
    finally:
        write_page(place)


def _run(
    recipe: Recipe, folder: SweepFolder, search: Search, ledger: Ledger, workers: Workers
) -> None:
    if sum(row.is_settled for row in ledger.rows) >= search.trials:
        announce("all trials are done")
        return
    from mcuprune.sweep.tuning import run_trials, train_references

    announce("sweep: starting Ray" if workers.address is None else "sweep: joining Ray")
    with running_cluster(workers) as at_once:
        announce(f"sweep: {search.trials} trials, {at_once} at once; first the reference")
        train_references(_recipes_of_references(recipe), folder, workers)
        with LiveView(ledger, search.trials, at_once) as view:
            run_trials(recipe, folder, search, ledger, view, workers, at_once)


def _planned(recipe: Recipe) -> list[Row]:
    """Return the trials that are known beforehand; checks those of a search by their extremes."""
    return grid(recipe) if sweep_of(recipe).search == "grid" else []


def _merged(planned: list[Row], there: list[Row]) -> list[Row]:
    """Return the trials there are, and those of the plan that are not among them."""
    known = {row.identity for row in there}
    return [*there, *(row for row in planned if row.identity not in known)]


def _recipes_of_references(recipe: Recipe) -> list[Recipe]:
    """Return a recipe for each combination of settings, of which some change the reference."""
    limits = recipe.budget.model_dump()
    board = axis(sweep_of(recipe).boards, recipe.deploy.board)[0]
    seed = recipe.training.seed
    return [
        trial_recipe(recipe, new_row(0, seed, board, **limits, settings=settings))
        for settings in settings_of(recipe)
    ]


def _with_data_anywhere(recipe: Recipe) -> Recipe:
    """Return a recipe whose data is named by an absolute path, for workers elsewhere."""
    if recipe.data.path is None:
        return recipe
    data = recipe.data.model_copy(update={"path": recipe.data.path.absolute()})
    return recipe.model_copy(update={"data": data})


def _stopped(folder: SweepFolder, ledger: Ledger) -> str:
    done = sum(row.is_settled for row in ledger.rows)
    return (
        f"{done} trials are done and kept in {folder.path}, the others go on from their last epoch "
        f"with: mcuprune sweep {folder.path} --resume"
    )
