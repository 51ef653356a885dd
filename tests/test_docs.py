"""The Python in the README and the docs runs as printed, and the commands exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import mcuprune
from mcuprune.cli import app

CHECKOUT = Path(__file__).parents[1]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?(?:\S*/)?mcuprune ([a-z]+)(.*)$", re.MULTILINE)

SNIPPETS = [
    pytest.param(code, id=f"{page.stem}-{index}")
    for page in PAGES
    for index, code in enumerate(PYTHON.findall(page.read_text(encoding="utf-8")))
]


@pytest.fixture
def names(monkeypatch, tmp_path):
    """What the pages take for granted: a model, data, and a loop's ingredients."""
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="classes"),
        ],
        name="kws",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    x = np.random.default_rng(0).random((32, 8, 8, 1), np.float32)
    y = np.arange(32) % 3
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(8).repeat(2)
    return {
        "keras": keras,
        "tf": tf,
        "np": np,
        "mcuprune": mcuprune,
        "model": model,
        "build_model": lambda: keras.models.clone_model(model),
        "x_val": x,
        "y_val": y,
        "x": x,
        "y": y,
        "val": (x, y),
        "budget": mcuprune.Budget(macs="25k"),
        "optimizer": keras.optimizers.Adam(),
        "loss_of": loss,
        "batches": batches,
        "dataset": batches,
    }


@pytest.mark.parametrize("code", SNIPPETS)
def test_python_runs_as_printed(code, names):
    exec(code, names)


def console_blocks() -> list[str]:
    return [
        block
        for page in PAGES
        for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]


def typed(block: str) -> list[tuple[str, list[str]]]:
    """Return each command of a block (those of a group as ``zoo get``) and what follows it."""
    groups = {group.name for group in app.registered_groups}
    found = []
    for name, rest in COMMAND.findall(block):
        words = shlex.split(rest)
        if name in groups and words:
            name, words = f"{name} {words[0]}", words[1:]
        found.append((name, words))
    return found


def test_commands_exist():
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    for group in app.registered_groups:
        inside = group.typer_instance.registered_commands
        known |= {f"{group.name} {each.name or each.callback.__name__}" for each in inside}
    shown = {name for block in console_blocks() for name, _ in typed(block)}
    assert shown
    assert shown <= known


def test_options_exist():
    used = {
        (name, word.split("=")[0])
        for block in console_blocks()
        for name, words in typed(block)
        for word in words
        if word.startswith("--")
    }
    assert used
    for name in {name for name, _ in used}:
        shown = subprocess.run(
            [sys.executable, "-m", "mcuprune", *name.split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "200", "PATH": ""},
        ).stdout
        for option in (option for command, option in used if command == name):
            assert option in shown, f"mcuprune {name} has no {option}"


def test_recipe_page_shows_a_valid_recipe():
    import yaml

    from mcuprune.recipes.load import validate

    page = (CHECKOUT / "docs" / "recipes.md").read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n(title.*?)```", page, re.DOTALL)
    validate(yaml.safe_load(shown[1]), "docs/recipes.md")


def test_the_api_page_has_every_public_name():
    page = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")
    for name in mcuprune.__all__:
        value = getattr(mcuprune, name)
        home = value.__module__
        described = f"::: {home}.{value.__name__}\n" in page or f"::: {home}\n" in page
        assert described, f"docs/api.md lacks {home}.{value.__name__}"


def test_every_page_is_in_the_navigation():
    pages = {path.relative_to(CHECKOUT / "docs").as_posix() for path in PAGES[1:]}
    pages |= {f"tutorials/{path.name}" for path in (CHECKOUT / "docs/tutorials").glob("*.md")}
    navigation = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    assert set(re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)) == pages
