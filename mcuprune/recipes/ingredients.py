"""A recipe's data and network: those of the package by name, or of a user's Python file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.dataset import PARTS, Dataset
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.ingredient_sections import (
    DATA_FUNCTION,
    MODEL_ARGUMENTS_FROM_DATA,
    MODEL_FUNCTION,
    DataSection,
    ModelSection,
)
from mcuprune.recipes.models import builder
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.user_code import argument_names, call, require_allowed
from mcuprune.report.progress import announce

_EXPECTED = "(x_train, y_train), (x_val, y_val), (x_test, y_test)"


def allow_code(recipe: Recipe, *, is_allowed: bool) -> None:
    """Say which Python files a recipe runs, and refuse those from outside the working folder.

    Args:
        recipe: The recipe; nothing of it was run yet.
        is_allowed: Whether the user has allowed files from anywhere.

    Raises:
        InputError: A file lies elsewhere, and it was not allowed.
    """
    files = {DATA_FUNCTION: recipe.data.code, MODEL_FUNCTION: recipe.model.code}
    named = {function: path for function, path in files.items() if path is not None}
    require_allowed(list(named.values()), is_allowed=is_allowed, folder=Path.cwd())
    for function, path in named.items():
        announce(f"Python code: {function}() of {path}")


def load_data(section: DataSection) -> Dataset:
    """Load a recipe's data.

    Raises:
        InputError: It is missing or malformed, or the user's code raises.
    """
    data = _loaded(section)
    if not section.class_names:
        return data
    return dataclasses.replace(data, class_names=tuple(section.class_names))


def _loaded(section: DataSection) -> Dataset:
    if section.name is not None:
        return load(section.name, section.path, section.options)
    assert section.code is not None
    arguments = dict(section.options)
    known = argument_names(section.code, DATA_FUNCTION)
    if section.path is not None:
        if known is not None and "path" not in known:
            raise InputError(
                f"data.path is {section.path}, but {DATA_FUNCTION}() of {section.code} has no "
                "argument path: add it, or leave out data.path and --data"
            )
        arguments["path"] = section.path
    return _dataset(call(section.code, DATA_FUNCTION, arguments), section.code)


def build_network(section: ModelSection, data: Dataset) -> Any:
    """Build a recipe's network for its data, uncompiled.

    Raises:
        InputError: The network cannot be built from these inputs and options, does not fit the
            data, or the user's code raises.
    """
    of_data = {"input_shape": data.input_shape, "classes": data.classes}
    if section.name is not None:
        return _built(section, of_data)
    assert section.code is not None
    known = argument_names(section.code, MODEL_FUNCTION)
    taken = {name: of_data[name] for name in MODEL_ARGUMENTS_FROM_DATA if name in (known or ())}
    model = call(section.code, MODEL_FUNCTION, {**taken, **section.options})
    _require_classifier(model, data, section.code)
    return model


def _built(section: ModelSection, of_data: dict[str, Any]) -> Any:
    assert section.name is not None
    try:
        return builder(section.name)(**of_data, **section.options)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"model {section.name!r} cannot be built for inputs of shape {of_data['input_shape']} "
            f"with model.options {section.options} ({error}): correct the options"
        ) from error


def _dataset(loaded: Any, code: Path) -> Dataset:
    if isinstance(loaded, Dataset):
        return loaded
    pairs = _pairs(loaded)
    if pairs is None:
        raise InputError(f"{DATA_FUNCTION}() of {code} must return {_EXPECTED}: correct it")
    arrays: dict[str, Any] = {}
    for part, (inputs, labels) in zip(PARTS, pairs, strict=True):
        arrays[f"x_{part}"] = np.asarray(inputs, np.float32)
        arrays[f"y_{part}"] = _labels(np.asarray(labels), part, code)
        if not np.isfinite(arrays[f"x_{part}"]).all():
            raise InputError(
                f"{DATA_FUNCTION}() of {code}: the {part} inputs hold NaN or infinity: clean them"
            )
    classes = max(int(arrays[f"y_{part}"].max(initial=0)) for part in PARTS) + 1
    return Dataset(**arrays, classes=classes, input_shape=arrays["x_train"].shape[1:])


def _pairs(loaded: Any) -> Sequence[Any] | None:
    is_right = (
        isinstance(loaded, tuple | list)
        and len(loaded) == len(PARTS)
        and all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in loaded)
    )
    return loaded if is_right else None


def _labels(labels: Any, part: str, code: Path) -> Any:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{DATA_FUNCTION}() of {code}: the {part} labels are {labels.dtype} of shape "
            f"{labels.shape}, expected whole numbers of shape (n,): of one-hot labels take "
            "labels.argmax(axis=1), of text the place in the list of classes"
        )
    return labels.astype(np.int64)


def _require_classifier(model: Any, data: Dataset, code: Path) -> None:
    import keras

    what = f"{MODEL_FUNCTION}() of {code}"
    if not isinstance(model, keras.Model):
        raise InputError(f"{what} must return a keras.Model, found {type(model).__name__}")
    if not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError(
            f"{what}: the network must know its shapes and have one input and one output: begin "
            "with keras.Input"
        )
    found, expected = tuple(model.input_shape[1:]), data.input_shape
    if len(found) != len(expected) or any(
        size not in (None, wanted) for size, wanted in zip(found, expected, strict=True)
    ):
        raise InputError(
            f"{what}: the network takes inputs of shape {found}, the data has {expected}: take the "
            "argument input_shape"
        )
    if tuple(model.output_shape[1:]) != (data.classes,):
        raise InputError(
            f"{what}: the network gives outputs of shape {tuple(model.output_shape[1:])}, the "
            f"labels run from 0 to {data.classes - 1}: end in a Dense layer with the argument "
            "classes, one output for each"
        )
