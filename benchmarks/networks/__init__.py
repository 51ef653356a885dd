"""Untrained networks of every architecture that pruning is tried on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from layer_walk import evaluated

from mcuprune.ir.keras_graph import layer_graph
from networks.applications import APPLICATIONS
from networks.embedded import EMBEDDED
from networks.joins import JOINS
from networks.particular import PARTICULAR

Array = npt.NDArray[Any]

NETWORKS: dict[str, Callable[[], Any]] = {**APPLICATIONS, **EMBEDDED, **JOINS, **PARTICULAR}


def network(name: str, seed: int) -> Any:
    """Build a network whose weights all differ, the same for the same seed."""
    keras.utils.set_random_seed(seed)
    return randomise(NETWORKS[name](), seed)


def random_inputs(model: Any, seed: int, count: int = 4) -> list[Array]:
    """Return ``count`` random samples per input of a model; whole numbers where it takes such."""
    rng = np.random.default_rng(seed)
    made = []
    for tensor in model.inputs:
        shape = (count, *tensor.shape[1:])
        if tensor.dtype.startswith("int"):
            made.append(rng.integers(0, 20, shape).astype(tensor.dtype))
        else:
            made.append(rng.normal(size=shape).astype("float32"))
    return made


def as_called(model: Any, inputs: list[Array]) -> Any:
    """Return the inputs as ``model(...)`` takes them: a list only where there are several."""
    return inputs if len(model.inputs) > 1 else inputs[0]


def randomise(model: Any, seed: int) -> Any:
    """Give the weights values that show mistakes, in place.

    What Keras starts at zero or one (biases, scales, offsets, slopes) is scattered, since equal
    values would hide an exchange. Batch-norm statistics are measured on random inputs and then
    scattered, so that the signal of every layer reaches the outputs, however deep the network.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = weight.numpy()
        if not np.issubdtype(values.dtype, np.floating):
            continue
        if np.ptp(values) == 0:
            spread = 0.2 * rng.normal(size=values.shape)
            weight.assign(values + (np.abs(spread) if "variance" in weight.path else spread))
        else:
            # Kernels are drawn for no activation; ReLU halves the variance.
            weight.assign(values * np.sqrt(2))
    settle_normalization(model)
    if any(map(_is_batch_norm, model._flatten_layers(include_self=False))):
        _measure_batch_norm(model, rng)
    return model


def settle_normalization(model: Any) -> None:
    """Let ``Normalization`` layers use the statistics that they would read back from a file."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.Normalization) and layer.built:
            layer.finalize_state()


def _is_batch_norm(layer: Any) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _measure_batch_norm(model: Any, rng: np.random.Generator) -> None:
    graph = layer_graph(model)
    inputs = random_inputs(model, seed=int(rng.integers(2**31)), count=32)
    tensors = dict(zip(graph.inputs, map(keras.ops.convert_to_tensor, inputs), strict=True))
    for call in graph.calls:
        if _is_batch_norm(call.layer):
            _measure(call.layer, np.asarray(tensors[call.inputs[0]]), rng)
        tensors |= zip(call.outputs, keras.tree.flatten(evaluated(call, tensors)), strict=True)


def _measure(norm: Any, values: Array, rng: np.random.Generator) -> None:
    axes = tuple(range(values.ndim - 1))
    mean, variance = values.mean(axes), values.var(axes)
    variance += 0.01 + variance.mean()  # else channels that hardly vary would explode
    spread = 0.2 * np.sqrt(variance)
    norm.moving_mean.assign(mean + spread * rng.normal(size=mean.shape))
    norm.moving_variance.assign(variance * rng.uniform(0.7, 1.4, size=variance.shape))
