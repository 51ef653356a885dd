"""What is known of a model of the zoo, as its ``card.yaml`` says it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mcuprune.mapping_file import build, read_mapping

_PLACES = 5
_KEYS = "title, recipe, accuracy, resources"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Section):
    """What the model was trained and tested on.

    Attributes:
        title: Name of the data set.
        licence: Under which it may be used.
        source: Where it comes from.
        package: The dependency of mcuprune that brings it; None if it has to be given.
    """

    title: str
    licence: str
    source: str
    package: str | None = None


class Normalisation(_Section):
    """What firmware makes of each feature before it is quantized: ``(feature - mean) / deviation``.

    Attributes:
        mean: Of each coefficient, over the training data.
        deviation: Of each coefficient, over the training data.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def rounded(cls, mean: Iterable[float], deviation: Iterable[float]) -> Normalisation:
        """Return the numbers as a card gives them, to five places.

        >>> Normalisation.rounded([1 / 3], [2.0])
        Normalisation(mean=(0.33333,), deviation=(2.0,))
        """
        return cls(mean=_rounded(mean), deviation=_rounded(deviation))


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(each, _PLACES) for each in values)


class Making(_Section):
    """The run that makes the model again.

    Attributes:
        name: A recipe of the package.
        seed: Its seed.
        overrides: What the recipe was told besides, as ``--set`` takes it.
        versions: Version of each package that it was made with.
    """

    name: str
    seed: int = Field(ge=0)
    overrides: tuple[str, ...] = ()
    versions: dict[str, str] = {}

    @property
    def command(self) -> str:
        """The command line; ``--data`` is left out."""
        words = ["mcuprune", "run", self.name, "--seed", str(self.seed)]
        for override in self.overrides:
            words += ["--set", override]
        return shlex.join(words)


class Accuracy(_Section):
    """Shares of the test inputs that are classified right, 0 to 1 (interpreter).

    Attributes:
        float32: The pruned Keras model.
        int8: The file, under LiteRT's reference kernels.
        inputs: Number of test inputs.
    """

    float32: float = Field(ge=0, le=1)
    int8: float = Field(ge=0, le=1)
    inputs: int = Field(gt=0)


class Resources(_Section):
    """What the model takes.

    Attributes:
        arena_bytes: Head and tail as TFLM used them on a 64-bit host (interpreter).
        flash_bytes: Bytes of the file.
        macs: Multiply-accumulates per inference, counted on the file (predicted).
        operators: Kinds of operators, sorted.
    """

    arena_bytes: int = Field(gt=0)
    flash_bytes: int = Field(gt=0)
    macs: int = Field(ge=0)
    operators: tuple[str, ...]


class Budget(_Section):
    """What the model was pruned to: bytes of arena on a 64-bit host, bytes of the file."""

    sram_bytes: int = Field(gt=0)
    flash_bytes: int = Field(gt=0)


class Card(_Section):
    """A model of the zoo.

    Attributes:
        name: What it is called, the name of its folder.
        title: What it does, on one line.
        inputs: What an input is: shape, and what the numbers mean before they are quantized.
        normalisation: What firmware does to its features first; None if nothing.
        classes: What the outputs stand for, in order.
        data: What it was trained on.
        recipe: How it was made.
        budget: What it was made to fit.
        accuracy: How often it is right.
        resources: What it takes.
        sha256: Of ``model.tflite``, in hexadecimal.
    """

    name: str
    title: str
    inputs: str
    normalisation: Normalisation | None = None
    classes: tuple[str, ...]
    data: Data
    recipe: Making
    budget: Budget
    accuracy: Accuracy
    resources: Resources
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


def read_card(path: Path) -> Card:
    """Return what a card says.

    Args:
        path: The ``card.yaml``.

    Raises:
        InputError: It is not readable, or a key is unknown, missing or not allowed.
    """
    return build(Card, read_mapping(path, "card", _KEYS), f"card {path}")
