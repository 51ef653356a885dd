"""What is learned, and within how many bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from accuracy.splits import digits_fold, speakers_apart, takes_fold
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.ingredient_sections import ModelSection
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.schema import Recipe


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a network may take.

    Attributes:
        name: Share of the way from the narrowest network to the reference (``"1/4"``).
        flash_bytes: Of the ``.tflite`` file.
        arena_bytes: Head and tail as TFLM uses them on a 64-bit host.
    """

    name: str
    flash_bytes: int
    arena_bytes: int


@dataclasses.dataclass(frozen=True)
class Task:
    """A data set, a network and budgets.

    Attributes:
        name: What the task is called.
        recipe: The recipe that says how its network is built and trained.
        letter: What the peers' table calls it, None if they did not run it.
        budgets: By name. Within ``"1"`` the whole network fits.
        changes: What differs from the recipe, ``key=value``.
        split: Loads the data in other parts than the recipe's, by path and seed; None for its own.
        network: One of :mod:`accuracy.other_networks` in place of the recipe's; likewise.
    """

    name: str
    recipe: str
    letter: str | None
    budgets: Mapping[str, Limits]
    changes: tuple[str, ...] = ()
    split: Callable[[Path | None, int], Dataset] | None = None
    network: str | None = None

    def settings(self, epochs: int | None, overrides: tuple[str, ...] = ()) -> Recipe:
        """Return the recipe, scaled to a number of epochs; None for its own."""
        recipe = load_recipe(self.recipe, (*self.changes, *overrides), epochs)
        if self.network is None:
            return recipe
        # Recipes name networks of the package alone; a copy is not checked.
        return recipe.model_copy(update={"model": ModelSection.model_construct(name=self.network)})

    def data(self, path: Path | None, seed: int = 0) -> Dataset:
        """Load the data; ``path`` as the recipe's ``--data``, ``seed`` for what splits by it."""
        if self.split is not None:
            return self.split(path, seed)
        recipe = self.settings(None)
        return load(recipe.data.name, path, recipe.data.options)


def _budgets(**bytes_of: tuple[int, int]) -> dict[str, Limits]:
    names = {"whole": "1", "half": "1/2", "quarter": "1/4", "eighth": "1/8"}
    return {names[key]: Limits(names[key], *pair) for key, pair in bytes_of.items()}


# floor + share * (reference - floor): the floor is the same network at width 1 (digits) or 2, the
# reference the whole network, files and arenas as converted by TensorFlow 2.21 and used by TFLM.
_DIGITS = _budgets(
    whole=(31_000, 4_496), half=(17_576, 3_520), quarter=(10_864, 3_032), eighth=(7_508, 2_788)
)
_SPOKEN_DIGITS = _budgets(
    whole=(45_680, 24_048), half=(27_024, 14_272), quarter=(17_696, 9_384), eighth=(13_032, 6_940)
)
_FASHION = _budgets(
    whole=(94_176, 44_240), half=(51_320, 26_576), quarter=(29_892, 17_744), eighth=(19_178, 13_328)
)
# Of the other networks likewise, the floor at width 1, all as predicted. By recipe.
_OTHER_NETWORKS = {
    "digits": {
        "perceptron": _budgets(
            whole=(24_288, 3_456), quarter=(7_584, 2_256), eighth=(4_800, 2_056)
        ),
        "over-rows": _budgets(whole=(30_896, 4_720), quarter=(9_812, 3_064), eighth=(6_298, 2_788)),
        "vgg": _budgets(whole=(226_128, 10_960), quarter=(59_556, 5_440), eighth=(31_794, 4_520)),
        "mobilenet": _budgets(
            whole=(35_552, 8_832), quarter=(12_332, 5_112), eighth=(8_462, 4_492)
        ),
        "mobilenet-v2": _budgets(
            whole=(116_528, 30_736), quarter=(36_392, 13_528), eighth=(23_036, 10_660)
        ),
        "densenet": _budgets(
            whole=(53_856, 15_520), quarter=(17_712, 8_104), eighth=(11_688, 6_868)
        ),
    },
    "kws-fsdd": {
        "over-rows": _budgets(whole=(31_184, 9_968), quarter=(9_884, 5_024), eighth=(6_334, 4_200)),
        "mobilenet": _budgets(
            whole=(35_552, 19_296), quarter=(12_332, 8_376), eighth=(8_462, 6_556)
        ),
    },
    "fashion": {
        "over-rows": _budgets(
            whole=(33_776, 7_280), quarter=(10_568, 4_784), eighth=(6_700, 4_368)
        ),
        "mobilenet": _budgets(
            whole=(35_552, 26_112), quarter=(12_332, 10_512), eighth=(8_462, 7_912)
        ),
    },
}
_FOLDS = {"digits": digits_fold, "kws-fsdd": takes_fold}
_ALL_IMAGES = "data.options.train_images=null"
TASKS = {
    task.name: task
    for task in (
        Task("digits", "digits", "D", _DIGITS),
        Task("digits-folds", "digits", None, _DIGITS, split=digits_fold),
        Task("kws-fsdd", "kws-fsdd", "K", _SPOKEN_DIGITS),
        Task("kws-fsdd-folds", "kws-fsdd", None, _SPOKEN_DIGITS, split=takes_fold),
        Task(
            "kws-fsdd-speakers",
            "kws-fsdd",
            None,
            _SPOKEN_DIGITS,
            split=lambda path, _: speakers_apart(path),
        ),
        Task("fashion", "fashion", "F", _FASHION),
        # For a GPU: all images; and from a network twice as wide into the same bytes.
        Task("fashion-full", "fashion", None, _FASHION, (_ALL_IMAGES,)),
        Task(
            "fashion-full-wide",
            "fashion",
            None,
            {**_FASHION, **_budgets(whole=(330_080, 84_560))},
            (_ALL_IMAGES, "model.options.widths=[32,64,128]"),
        ),
        *(
            Task(f"{recipe}-{name}", recipe, None, budgets, split=_FOLDS.get(recipe), network=name)
            for recipe, networks in _OTHER_NETWORKS.items()
            for name, budgets in networks.items()
        ),
    )
}
