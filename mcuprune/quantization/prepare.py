"""A small network, prepared to fine-tune as its int8 file will compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mcuprune.engines.base import Array
from mcuprune.errors import InputError
from mcuprune.ir.keras_graph import LayerCall, LayerGraph, TensorKey, layer_graph
from mcuprune.ir.keras_models import functional
from mcuprune.quantization.calibration_data import calibration_arrays
from mcuprune.quantization.folding import folded
from mcuprune.quantization.method import QAT, quantization_of
from mcuprune.quantization.placement import shared_ranges
from mcuprune.quantization.ranges import observed_ranges
from mcuprune.quantization.rebuild import Copies, keras_kind, rebuilt


def quantize_aware(model: Any, calibration: Any) -> Any:
    """Return a copy of a model that computes, and trains, with the numbers of int8.

    Batch norm is folded into the layers before it. Weights are rounded per output channel,
    activations wherever the ``.tflite`` file holds an int8 tensor. Ranges start from the
    calibration data and train with the weights. Prepare a network that is trained and, if it is to
    be, pruned; then compile the copy, fit it for a few epochs at a tenth of the learning rate or
    less, and deploy it like any model (:func:`mcuprune.deploy`): the conversion takes the ranges
    from the model.

    Args:
        model: A built functional or Sequential ``keras.Model``; it is not changed.
        calibration: Training inputs, shape ``(n, ...)``; a hundred or more. For several inputs a
            list or tuple of such arrays, in the order of ``model.inputs``.

    Returns:
        A functional ``keras.Model``, uncompiled, with the same inputs and outputs. It saves as a
        ``.keras`` file; ``import mcuprune.ir.fake_quantization`` before
        ``keras.models.load_model`` makes its layers known.

    Raises:
        InputError: The calibration data do not fit the model, or it is prepared already.
        UnsupportedModelError: A layer that cannot be trained with the numbers of int8; the message
            names it.
    """
    from mcuprune.ir.fake_quantization import FAKE_QUANTIZED

    if quantization_of(functional(model)) == QAT:
        raise InputError(
            f"model {model.name!r} computes with the numbers of int8 already: compile and fit it"
        )
    samples = calibration_arrays(calibration, model)
    graph = layer_graph(folded(model))
    rounding, copies = _rounding(graph, samples), Copies()

    def rounded(key: TensorKey, tensor: Any) -> Any:
        return rounding[key](tensor) if key in rounding else tensor

    def write(call: LayerCall, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        layer = copies.of(call, FAKE_QUANTIZED.get(keras_kind(call)))
        return rounded(call.outputs[0], layer(*arguments, **keywords))

    prepared = rebuilt(graph, write, rounded)
    copies.finish()
    return prepared


def _rounding(graph: LayerGraph, samples: Sequence[Array]) -> dict[TensorKey, Any]:
    """Return the layer that rounds each tensor, one for all that share a range."""
    from mcuprune.ir.fake_quantization import FakeQuantization

    shared = shared_ranges(graph)
    found: dict[TensorKey, Any] = {}
    # A layer that is called several times puts out tensors of several ranges.
    times: Counter[str] = Counter()
    for of_range, reach in zip(shared, observed_ranges(graph, shared, samples), strict=True):
        of_layer = of_range.tensors[0].layer
        name = f"{of_layer}_range" + (f"_{times[of_layer]}" if times[of_layer] else "")
        times[of_layer] += 1
        is_free = of_range.fixed is None
        layer = FakeQuantization(*reach, is_free, name=name, dtype="float32")
        found |= dict.fromkeys(of_range.tensors, layer)
    return found
