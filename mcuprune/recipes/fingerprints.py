"""Hashes of all that decides what a training becomes: equal ones have the same result."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from typing import Any

from mcuprune.recipes.datasets.dataset import PARTS, Dataset
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.user_code import code_hash


def reference_fingerprint(recipe: Recipe, data: Dataset) -> str:
    """Return a hash of all that decides what the reference becomes."""
    return _digest(data, reference_choices(recipe))


def pruned_fingerprint(recipe: Recipe, data: Dataset) -> str:
    """Return a hash of all that decides what the pruned network becomes."""
    return _digest(data, _pruned(recipe))


def quantized_fingerprint(recipe: Recipe, data: Dataset) -> str:
    """Return a hash of all that decides what the network of ``qat`` becomes."""
    sections = recipe.model_dump(mode="json", include={"quantization"})
    samples = {"calibration_samples": recipe.deploy.calibration_samples}
    return _digest(data, {"pruned": _pruned(recipe), **sections, **samples})


def reference_choices(recipe: Recipe) -> dict[str, Any]:
    """Return what of a recipe decides what its reference becomes, besides the data."""
    sections = recipe.model_dump(mode="json", include={"model", "training", "reference"})
    del sections["training"]["epochs"]  # those of the pruned network
    # The seed that counts, wherever it stands.
    del sections["reference"]["seed"]
    sections["training"]["seed"] = recipe.reference_training.seed
    return {**sections, **_code(recipe)}


def _pruned(recipe: Recipe) -> dict[str, Any]:
    sections = recipe.model_dump(mode="json", include={"model", "training", "pruning", "budget"})
    more: dict[str, Any] = {"board": recipe.deploy.board, "float_epochs": recipe.float_epochs}
    more.update(_code(recipe))
    if recipe.distillation.share:
        more["distillation"] = recipe.distillation.model_dump(mode="json")
    if recipe.needs_reference:
        more["reference"] = reference_choices(recipe)
    return {**sections, **more}


def _code(recipe: Recipe) -> dict[str, str]:
    """Return a hash of the user's file that builds the network; its data is hashed as arrays."""
    return {} if recipe.model.code is None else {"code": code_hash(recipe.model.code)}


def _digest(data: Dataset, decisive: Mapping[str, Any]) -> str:
    versions = [importlib.metadata.version(name) for name in ("mcuprune", "keras", "tensorflow")]
    digest = hashlib.sha256(json.dumps([decisive, versions], sort_keys=True).encode())
    for part in PARTS:
        digest.update(getattr(data, f"x_{part}").tobytes())
        digest.update(getattr(data, f"y_{part}").tobytes())
    return digest.hexdigest()
