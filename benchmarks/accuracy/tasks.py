"""What is learned, and within how many bytes."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.datasets.fsdd import TEST_TAKES, load_fsdd
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.schema import Recipe

# Of the six, the last two by name; nobody listened to them first.
TEST_SPEAKERS = ("theo", "yweweler")


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
    """

    name: str
    recipe: str
    letter: str | None
    budgets: Mapping[str, Limits]
    changes: tuple[str, ...] = ()

    def settings(self, epochs: int | None, overrides: tuple[str, ...] = ()) -> Recipe:
        """Return the recipe, scaled to a number of epochs; None for its own."""
        return load_recipe(self.recipe, (*self.changes, *overrides), epochs)

    def data(self, path: Path | None) -> Dataset:
        """Load the data; ``path`` as the recipe's ``--data``."""
        if self.name == "kws-fsdd-speakers":
            return speakers_apart(path)
        recipe = self.settings(None)
        return load(recipe.data.name, path, recipe.data.options)


def _budgets(**bytes_of: tuple[int, int]) -> dict[str, Limits]:
    names = {"whole": "1", "half": "1/2", "quarter": "1/4", "eighth": "1/8"}
    return {names[key]: Limits(names[key], *pair) for key, pair in bytes_of.items()}


# floor + share * (reference - floor): the floor is the same network at width 1 (digits) or 2, the
# reference the whole network, files and arenas as converted by TensorFlow 2.21 and used by TFLM.
_SPOKEN_DIGITS = _budgets(
    whole=(45_680, 24_048), half=(27_024, 14_272), quarter=(17_696, 9_384), eighth=(13_032, 6_940)
)
_FASHION = _budgets(
    whole=(94_176, 44_240), half=(51_320, 26_576), quarter=(29_892, 17_744), eighth=(19_178, 13_328)
)
_ALL_IMAGES = "data.options.train_images=null"
TASKS = {
    task.name: task
    for task in (
        Task(
            "digits",
            "digits",
            "D",
            _budgets(
                whole=(31_000, 4_496),
                half=(17_576, 3_520),
                quarter=(10_864, 3_032),
                eighth=(7_508, 2_788),
            ),
        ),
        Task("kws-fsdd", "kws-fsdd", "K", _SPOKEN_DIGITS),
        Task("kws-fsdd-speakers", "kws-fsdd", None, _SPOKEN_DIGITS),
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
    )
}


def speakers_apart(path: Path | None) -> Dataset:
    """Load the spoken digits with :data:`TEST_SPEAKERS` held out for the test (1,000 clips).

    Of the others, the first five takes of each digit are for validation (200 clips), the rest for
    training (1,800).

    Args:
        path: The ``.npz`` of the spoken digits.
    """
    if path is None or not path.is_file():
        return load_fsdd(path)  # It says what is missing.
    with np.load(path) as archive:
        arrays = {key: archive[key] for key in ("pcm", "offsets", "name")}
    arrays["name"] = np.array([renumbered(str(name)) for name in arrays["name"]])
    with tempfile.TemporaryDirectory() as folder:
        renamed = Path(folder) / "speakers_apart.npz"
        np.savez(renamed, **arrays)
        return load_fsdd(renamed, validation_takes=TEST_TAKES)


def renumbered(name: str) -> str:
    """Return a clip's name with the take that puts it into the part its speaker belongs to.

    The loader tests on the first takes, so all clips of a test speaker get take 0.

    >>> renumbered("7_theo_32"), renumbered("7_jackson_32")
    ('7_theo_0', '7_jackson_37')
    """
    digit, speaker, take = re.split("_", name)
    moved = 0 if speaker in TEST_SPEAKERS else int(take) + TEST_TAKES
    return f"{digit}_{speaker}_{moved}"
