"""What a network has to stand when channels are cut out of it, one function per check."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keeps import Keep
from masked_model import Array, masked_outputs, relative_difference
from networks import as_called, settle_normalization

from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.groups import Groups
from mcuprune.channels.optimizer import slice_slots
from mcuprune.channels.surgery import cut
from mcuprune.cost.resources import estimate
from mcuprune.deployment.convert import convert_int8
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import ConversionError, EngineError, UnsupportedModelError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph

# Largest difference of masked and cut outputs, over the range of the output, in float32.
TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Agreement:
    """A cut network beside the masked one.

    Attributes:
        difference: Largest difference of their outputs, over the range of the output.
        effect: The same between the masked network and the whole one: what the dropped channels
            had to say. Where it is near zero, agreement would prove nothing.
        params: Parameters of the cut network.
        groups: The groups of the cut network, as the cut returned them.
    """

    difference: float
    effect: float
    params: int
    groups: Groups = dataclasses.field(repr=False)


def cut_and_compare(
    model: Any,
    choose: Callable[[Groups], Keep],
    inputs: Sequence[Array],
    groups: Groups | None = None,
) -> Agreement:
    """Cut channels out of a model in place and hold it against the masked whole.

    Args:
        model: The whole.
        choose: Chooses the channels to keep.
        inputs: What both are run on.
        groups: The model's coupling groups, if an earlier cut has returned them.
    """
    groups = groups or coupling_groups(model)
    keep = choose(groups)
    whole = outputs(model, inputs)
    masked = masked_outputs(model, groups, keep, inputs)
    done = cut(groups, keep)
    if getattr(model, "optimizer", None) is not None and model.optimizer.built:
        slice_slots(model.optimizer, model.trainable_variables, done.slice_like)
        model.make_train_function(force=True)
    return Agreement(
        difference=relative_difference(masked, outputs(model, inputs)),
        effect=relative_difference(masked, whole),
        params=model.count_params(),
        groups=done.groups,
    )


def outputs(model: Any, inputs: Sequence[Array]) -> list[Array]:
    """Return a model's outputs in inference mode, one array each."""
    return [np.asarray(y) for y in keras.tree.flatten(model(as_called(model, list(inputs))))]


def reloaded_difference(model: Any, inputs: Sequence[Array], folder: Path) -> float:
    """Save a model, load it again, and return the largest difference of the two's outputs."""
    model.save(folder / "cut.keras")
    return relative_difference(
        outputs(model, inputs), outputs(keras.models.load_model(folder / "cut.keras"), inputs)
    )


def cloned_difference(model: Any, inputs: Sequence[Array]) -> float:
    """Clone a model, copy its weights, and return the largest difference of the two's outputs."""
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    settle_normalization(clone)
    return relative_difference(outputs(model, inputs), outputs(clone, inputs))


def summary_is_right(model: Any) -> bool:
    """Tell whether ``model.summary()`` counts the trainable parameters that are there."""
    lines: list[str] = []
    model.summary(200, print_fn=lambda line, **_: lines.append(line), expand_nested=True)
    count = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return f"Trainable params: {count:,} " in "\n".join(lines)


def compiled(model: Any) -> Any:
    """Compile a model with Adam, whose two slots per weight have to follow a cut.

    It trains eagerly: for a step or two, tracing a big network would take longer than running it.
    """
    losses = ["mse"] * len(model.outputs)
    model.compile(keras.optimizers.Adam(1e-3), losses, run_eagerly=True)
    return model


def train_one_step(model: Any, inputs: Sequence[Array], seed: int) -> float:
    """Take one optimizer step towards random targets and return the loss."""
    rng = np.random.default_rng(seed)
    targets = [rng.normal(size=y.shape).astype("float32") for y in outputs(model, inputs)]
    given = targets if len(targets) > 1 else targets[0]
    losses = model.train_on_batch(as_called(model, list(inputs)), given)
    return float(np.ravel(losses)[0])


@dataclasses.dataclass(frozen=True)
class Int8:
    """A network as a file, beside what was foreseen from Keras.

    Attributes:
        converted: Whether the converter made a full-int8 file; if not, ``note`` says why.
        foreseen: Whether the IR was read from Keras; if not, ``note`` says why.
        same_operators: Whether kinds and output shapes of both graphs are equal, in order.
        arena_predicted_bytes: Arena from the Keras model.
        arena_counted_bytes: Arena that TFLM used; None if TFLM does not run the file.
        flash_predicted_bytes: Size of the file from the Keras model.
        flash_counted_bytes: Size of the file.
        note: What was refused, and why.
    """

    converted: bool
    foreseen: bool
    same_operators: bool | None = None
    arena_predicted_bytes: int | None = None
    arena_counted_bytes: int | None = None
    flash_predicted_bytes: int | None = None
    flash_counted_bytes: int | None = None
    note: str = ""


def as_int8(model: Any, calibration: list[Array]) -> Int8:
    """Convert a network and hold the file against the graph read from Keras.

    Args:
        model: The network.
        calibration: Samples for each of its inputs.
    """
    try:
        data = convert_int8(model, as_called(model, calibration))
    except (ConversionError, UnsupportedModelError) as error:
        return Int8(converted=False, foreseen=False, note=str(error))
    file = parse_tflite(data, model.name)
    try:
        arena, note = TFLM().arena(data), ""
    except EngineError as error:
        arena, note = None, str(error)
    counted = {
        "arena_counted_bytes": None if arena is None else arena.head_bytes + arena.tail_bytes,
        "flash_counted_bytes": len(data),
    }
    try:
        graph = graph_from_keras(model)
    except UnsupportedModelError as error:
        return Int8(converted=True, foreseen=False, note=str(error), **counted)
    predicted = estimate(graph)
    return Int8(
        converted=True,
        foreseen=True,
        same_operators=_kinds_and_shapes(graph) == _kinds_and_shapes(file),
        arena_predicted_bytes=predicted.arena_total_bytes,
        flash_predicted_bytes=predicted.tflite_bytes,
        note=note,
        **counted,
    )


def _kinds_and_shapes(graph: Graph) -> list[tuple[str, list[tuple[int, ...]]]]:
    return [
        (op.kind, [tuple(graph.tensors[i].shape) for i in op.outputs]) for op in graph.operators
    ]
