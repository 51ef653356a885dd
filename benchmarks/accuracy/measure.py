"""What a trained network reaches as an int8 file, and what the file takes."""

from __future__ import annotations

from typing import Any

from accuracy.tasks import Limits
from accuracy.widths import counted
from mcuprune.budget import Budget
from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.resources import estimate
from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.shipped import shipped
from mcuprune.engines.accuracy import int8_accuracy
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.recipes.datasets.dataset import Dataset
from mcuprune.recipes.schema import Recipe
from mcuprune.recipes.training import accuracy


def measured(model: Any, recipe: Recipe, data: Dataset, limits: Limits) -> dict[str, Any]:
    """Convert a network and count it.

    Args:
        model: A plain ``keras.Model``.
        recipe: Says how many training inputs calibrate.
        data: Float accuracy is that of Keras, int8 accuracy that of LiteRT's reference kernels on
            the file, both on all test inputs, 0 to 1.
        limits: What the file and the arena are held against, the file as ``deploy`` ships it.

    Returns:
        ``accuracy``, ``resources`` (bytes and MACs; the arena as TFLM uses it on a 64-bit host and
        as predicted from the Keras model without a plan in its file), ``widths`` per coupling
        group, ``fits``.
    """
    converted = convert_int8(model, data.x_train[: recipe.deploy.calibration_samples])
    budget = Budget(sram=limits.arena_bytes, flash=limits.flash_bytes)
    tflite = shipped(converted, model.name, budget=budget).model
    predicted, arena = counted(model), TFLM().arena(tflite)
    in_file = estimate(parse_tflite(tflite, model.name))
    return {
        "accuracy": {
            "float": accuracy(model, data.x_test, data.y_test),
            "int8": int8_accuracy(tflite, data.x_test, data.y_test),
            "float_validation": accuracy(model, data.x_val, data.y_val),
        },
        "resources": {
            "arena_bytes": arena.total_bytes,
            "arena_head_bytes": arena.head_bytes,
            "flash_bytes": len(tflite),
            "macs": in_file.macs,
            "params": in_file.params,
            "predicted_arena_bytes": predicted.arena_total_bytes,
            "predicted_flash_bytes": predicted.flash_bytes,
        },
        "widths": {group.name: group.width for group in coupling_groups(model).prunable},
        "fits": arena.total_bytes <= limits.arena_bytes and len(tflite) <= limits.flash_bytes,
    }
