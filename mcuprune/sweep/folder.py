"""The folder of a sweep: its recipe, the table of trials, a run folder for each of them."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import yaml

from mcuprune.errors import InputError
from mcuprune.mapping_file import read_mapping
from mcuprune.recipes.load import validate
from mcuprune.recipes.schema import Recipe
from mcuprune.sweep.results import Results
from mcuprune.sweep.row import Row
from mcuprune.whole_file import write_whole

RECIPE_FILE, RESULTS_FILE, PAGE_FILE = "sweep.yaml", "results.sqlite", "pareto.html"
REFERENCES, WORK, LOCK_FILE = "references", "ray", ".lock"


@dataclasses.dataclass(frozen=True)
class SweepFolder:
    """The folder of a sweep.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def results(self) -> Results:
        """The table of its trials."""
        return Results(self.path / RESULTS_FILE)

    @property
    def page(self) -> Path:
        """The page with the fronts."""
        return self.path / PAGE_FILE

    @property
    def references(self) -> Path:
        """Where the trained references lie, each in a run folder of its own."""
        return self.path / REFERENCES

    @property
    def is_begun(self) -> bool:
        """Whether there is a sweep."""
        return (self.path / RECIPE_FILE).is_file()

    def trial(self, row: Row) -> Path:
        """Return a trial's run folder."""
        return self.path / row.folder

    def recipe(self) -> Recipe:
        """Return the recipe of the sweep, with its section ``sweep``.

        Raises:
            InputError: The folder is none of a sweep.
        """
        if not self.is_begun:
            found = "holds no sweep" if self.path.is_dir() else "does not exist"
            raise InputError(
                f"{self.path} {found} (no {RECIPE_FILE} inside): name the folder that mcuprune "
                "sweep --out was given"
            )
        path = self.path / RECIPE_FILE
        return validate(read_mapping(path, "sweep", "title, data, sweep"), f"sweep {path}")

    def begin(self, recipe: Recipe, *, resume: bool) -> None:
        """Keep the recipe of a new sweep, or check that of an old one.

        Args:
            recipe: With its section ``sweep``.
            resume: Whether to go on with what is there.

        Raises:
            InputError: There is a sweep already and it is not to be resumed, or it is another one;
                or the folder cannot be written.
        """
        if self.is_begun:
            self._require_same(recipe, resume)
            return
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise InputError(f"{self.path} holds other files: choose another folder with --out")
        text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
        try:
            write_whole(self.path / RECIPE_FILE, text)
        except OSError as error:
            raise InputError(
                f"cannot write to {self.path} ({error.strerror}): choose another folder with --out"
            ) from error

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from running the same sweep, until the block ends or this one dies.

        Where the system has no such locks, nothing is kept from anything.

        Raises:
            InputError: Another process runs it.
        """
        if importlib.util.find_spec("fcntl") is None:
            yield
            return
        import fcntl

        with (self.path / LOCK_FILE).open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"another process runs the sweep in {self.path}: wait for it, or stop it first"
                ) from error
            yield

    def _require_same(self, recipe: Recipe, resume: bool) -> None:
        if not resume:
            rows = self.results.rows()
            settled = sum(row.is_settled for row in rows)
            raise InputError(
                f"{self.path} holds a sweep of which {settled} of {len(rows)} trials are done: go "
                "on with --resume, or choose another folder with --out"
            )
        before, now = (_without_length(each) for each in (self.recipe(), recipe))
        differing = [name for name in type(now).model_fields if _of(now, name) != _of(before, name)]
        if differing:
            raise InputError(
                f"{self.path} holds the sweep of another recipe ({', '.join(differing)} differ): "
                f"go on with mcuprune sweep {self.path} --resume, or choose another folder with "
                "--out"
            )


def _of(recipe: Recipe, name: str) -> object:
    return getattr(recipe, name)


def _without_length(recipe: Recipe) -> Recipe:
    """Return a recipe without how long its search is, which may grow."""
    if recipe.sweep is None or recipe.sweep.trials is None:
        return recipe
    return recipe.model_copy(update={"sweep": recipe.sweep.model_copy(update={"trials": 1})})
