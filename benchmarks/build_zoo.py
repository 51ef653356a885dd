"""Makes models of the zoo by recipes, and writes their cards from what was measured.

    python benchmarks/build_zoo.py digits-small digits-medium digits-large
    python benchmarks/build_zoo.py keywords-small --data fsdd.npz --runs /tmp/runs

Each model is one run of a recipe with the seed and the overrides below; a run that is stopped goes
on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.metadata
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml
from accuracy.tasks import TASKS, Limits

from mcuprune.engines.accuracy import int8_accuracy
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.ingredients import load_data
from mcuprune.recipes.kept import REFERENCE
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.run import DEPLOYMENT_FOLDER, run_recipe
from mcuprune.recipes.yardstick import INT8_FILE
from mcuprune.whole_file import write_whole
from mcuprune.zoo.card import Accuracy, Budget, Card, Data, Making
from mcuprune.zoo.collection import CARD_FILE, MODEL_FILE
from mcuprune.zoo.measure import normalisation_of, resources_of

ZOO = Path(__file__).resolve().parents[1] / "zoo"
PACKAGES = ("mcuprune", "tensorflow", "keras", "ai-edge-litert", "tflite-micro", "numpy")
DIGIT_NAMES = tuple("0123456789")
SPOKEN = tuple("zero one two three four five six seven eight nine".split())  # noqa: SIM905


@dataclasses.dataclass(frozen=True)
class Family:
    """Models of one recipe in several sizes.

    Attributes:
        recipe: Its name.
        title: What the models do.
        inputs: What an input is.
        classes: What the outputs stand for.
        data: What they are trained on.
    """

    recipe: str
    title: str
    inputs: str
    classes: tuple[str, ...]
    data: Data


# Which budget of the recipe's task in the accuracy benchmark.
SIZES = {"large": "1/2", "medium": "1/4", "small": "1/8"}
FAMILIES: Mapping[str, Family] = {
    "digits": Family(
        recipe="digits",
        title="Handwritten digits",
        inputs="8 x 8 x 1, grey values from 0 (white) to 1 (ink)",
        classes=DIGIT_NAMES,
        data=Data(
            title="Optical Recognition of Handwritten Digits, as scikit-learn has it",
            licence="CC BY 4.0",
            source="E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998",
            package="scikit-learn",
        ),
    ),
    "keywords": Family(
        recipe="kws-fsdd",
        title="Spoken digits, one second of sound",
        inputs="49 x 10 x 1, MFCC of 40 ms every 20 ms at 8 kHz "
        "(mcuprune/recipes/datasets/mfcc.py), normalised",
        classes=SPOKEN,
        data=Data(
            title="Free Spoken Digit Dataset",
            licence="CC BY-SA 4.0",
            source="Z. Jackson and others, github.com/Jakobovski/free-spoken-digit-dataset",
        ),
    ),
    "fashion": Family(
        recipe="fashion",
        title="Clothes on small pictures",
        inputs="28 x 28 x 1, grey values from 0 to 1",
        classes=(
            *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
        data=Data(
            title="Fashion-MNIST, the first 20,000 training images",
            licence="MIT",
            source="H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747",
        ),
    ),
}
NAMES = [f"{name}-{size}" for name in FAMILIES for size in SIZES]


def limits_of(family: Family, size: str) -> Limits:
    return TASKS[family.recipe].budgets[SIZES[size]]


def overrides_of(family: Family, size: str) -> tuple[str, ...]:
    allowed = limits_of(family, size)
    limits = (f"budget.sram={allowed.arena_bytes} B", f"budget.flash={allowed.flash_bytes} B")
    # The recipe's other limits are for its own budget.
    own = load_recipe(family.recipe).budget
    return (*limits, "budget.macs=null") if own.macs is not None else limits


def make(name: str, seed: int, data: Path | None, runs: Path) -> Card:
    """Run the recipe and write model and card."""
    kind, size = name.split("-")
    family = FAMILIES[kind]
    overrides = overrides_of(family, size)
    path = () if data is None else (f"data.path={data}",)
    recipe = load_recipe(family.recipe, (*overrides, f"training.seed={seed}", *path))
    _take_reference(runs, name)
    run_recipe(recipe, runs / name)
    model = (runs / name / DEPLOYMENT_FOLDER / MODEL_FILE).read_bytes()
    allowed, data_set = limits_of(family, size), load_data(recipe.data)
    card = Card(
        name=name,
        title=f"{family.title}, {size}",
        inputs=family.inputs,
        normalisation=normalisation_of(data_set),
        classes=family.classes,
        data=family.data,
        recipe=Making(
            name=family.recipe,
            seed=seed,
            overrides=overrides,
            versions={package: importlib.metadata.version(package) for package in PACKAGES},
        ),
        budget=Budget(sram_bytes=allowed.arena_bytes, flash_bytes=allowed.flash_bytes),
        accuracy=_accuracy(runs / name, model, data_set),
        resources=resources_of(model, name),
        sha256=hashlib.sha256(model).hexdigest(),
    )
    (ZOO / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(runs / name / DEPLOYMENT_FOLDER / MODEL_FILE, ZOO / name / MODEL_FILE)
    text = yaml.safe_dump(card.model_dump(mode="json"), sort_keys=False, width=100)
    write_whole(ZOO / name / CARD_FILE, text)
    return card


def _take_reference(runs: Path, name: str) -> None:
    """Take the reference of another size; a run trains its own if that is not it."""
    own = runs / name / REFERENCE
    others = runs.glob(f"{name.split('-')[0]}-*/{REFERENCE}")
    trained = next((folder for folder in others if (folder / INT8_FILE).is_file()), None)
    if trained is not None and not own.exists():
        shutil.copytree(trained, own)


def _accuracy(run: Path, model: bytes, data: Dataset) -> Accuracy:
    report = yaml.safe_load((run / DEPLOYMENT_FOLDER / "report.json").read_text())
    return Accuracy(
        float32=round(report["accuracy"]["float_pruned"], 6),
        int8=round(int8_accuracy(model, data.x_test, data.y_test), 6),
        inputs=len(data.x_test),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=NAMES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="as the recipe's --data")
    parser.add_argument("--runs", type=Path, default=Path("runs/zoo"))
    given = parser.parse_args()
    for name in given.names:
        card = make(name, given.seed, given.data, given.runs)
        print(f"{name}: int8 {100 * card.accuracy.int8:.2f}%, {card.resources}")


if __name__ == "__main__":
    main()
