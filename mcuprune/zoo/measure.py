"""Measures a model of the zoo again and holds it against its card."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

from mcuprune.cost.resources import estimate
from mcuprune.engines.accuracy import int8_accuracy
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite, read_model_bytes
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.ingredients import load_data
from mcuprune.recipes.load import load_recipe
from mcuprune.zoo.card import Card, Normalisation, Resources
from mcuprune.zoo.collection import MODEL_FILE, zoo_card, zoo_folder


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that a card says, and what was found.

    Attributes:
        what: Name of it.
        stated: As the card says.
        found: As measured.
        provenance: Where the found value comes from.
    """

    what: str
    stated: str
    found: str
    provenance: str

    @property
    def agrees(self) -> bool:
        """Whether the card is right."""
        return self.stated == self.found


def verify(name: str, data: Path | None = None) -> tuple[Finding, ...]:
    """Measure a model of the zoo again.

    Args:
        name: Of the model.
        data: File or folder of its data set, for its accuracy. Sets that come with a package are
            found without; accuracy and normalisation of others are passed over.

    Raises:
        UnknownNameError: No such model; names the nearest.
        InputError: The data cannot be read.
        EngineError: LiteRT or TFLM refuses the file.
    """
    card = zoo_card(name)
    model = read_model_bytes(zoo_folder(name) / MODEL_FILE)
    return (*_of_the_file(card, model), *_of_the_accuracy(card, model, data))


def resources_of(model: bytes, name: str) -> Resources:
    """Measure what a file takes.

    Args:
        model: Contents of the file.
        name: Its name, for messages.

    Raises:
        InputError: No sound TFLite model.
        EngineError: TFLM refuses it.
    """
    graph = parse_tflite(model, name)
    return Resources(
        arena_bytes=TFLM().arena(model).total_bytes,
        flash_bytes=len(model),
        macs=int(estimate(graph).macs),
        operators=tuple(sorted({operator.kind for operator in graph.operators})),
    )


def _of_the_file(card: Card, model: bytes) -> Iterator[Finding]:
    found, stated = resources_of(model, card.name), card.resources
    yield Finding("sha256", card.sha256, hashlib.sha256(model).hexdigest(), "measured")
    rows = (
        ("arena B", stated.arena_bytes, found.arena_bytes, "interpreter (TFLM, 64-bit host)"),
        ("flash B", stated.flash_bytes, found.flash_bytes, "measured (size of the file)"),
        ("MACs", stated.macs, found.macs, "predicted"),
    )
    for what, one, other, provenance in rows:
        yield Finding(what, f"{one:,}", f"{other:,}", provenance)
    yield Finding(
        "operators",
        ", ".join(stated.operators),
        ", ".join(found.operators),
        "measured (read from the file)",
    )


def _of_the_accuracy(card: Card, model: bytes, data: Path | None) -> Iterator[Finding]:
    recipe = load_recipe(card.recipe.name, card.recipe.overrides)
    if data is None and card.data.package is None:
        return
    section = recipe.data if data is None else recipe.data.model_copy(update={"path": data})
    test = load_data(section)
    stated = f"{100 * card.accuracy.int8:.2f} of {card.accuracy.inputs:,}"
    found = f"{100 * int8_accuracy(model, test.x_test, test.y_test):.2f} of {len(test.x_test):,}"
    yield Finding("int8 %", stated, found, "interpreter (LiteRT)")
    normalisation = normalisation_of(test)
    if (card.normalisation, normalisation) != (None, None):
        yield Finding(
            "normalisation",
            str(card.normalisation),
            str(normalisation),
            "measured (mean and deviation of the training data)",
        )


def normalisation_of(data: Dataset) -> Normalisation | None:
    """Return what a card says of how the inputs of a data set were normalised."""
    if data.normalisation is None:
        return None
    return Normalisation.rounded(data.normalisation.mean, data.normalisation.deviation)
