"""One layer of Keras 2 as a layer of Keras 3, without its weights."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mcuprune.errors import UnsupportedModelError
from mcuprune.keras2.calls import filled

Rebuild = Callable[[Any], Any]

# Class in tf_keras and that in Keras 3, where the names differ.
_CLASSES = {"SyncBatchNormalization": "BatchNormalization", "ThresholdedReLU": "ReLU"}
_RENAMED = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "ThresholdedReLU": {"theta": "threshold"},
}
_ADDED: dict[str, dict[str, Any]] = {"SyncBatchNormalization": {"synchronized": True}}
# Keys of Keras 2 that say nothing about what the layer computes.
_WITHOUT_EFFECT = {
    "batch_input_shape",
    "implementation",
    "input_length",
    "key_shape",
    "query_shape",
    "rng_type",
    "value_shape",
    "vocabulary_size",
}
# Keys of Keras 2 that Keras 3 lacks, and the one value that both mean.
_ONLY_VALUE: dict[str, Any] = {
    "groups": 1,
    "renorm": False,
    "softmax_robust_masking": False,
    "time_major": False,
}
# Separable convolutions inherit these and use depthwise_... and pointwise_... in their place.
_UNUSED_BY_SEPARABLE = {"kernel_constraint", "kernel_initializer", "kernel_regularizer"}


def layer_like(layer: Any, custom_objects: Mapping[str, Any], rebuild: Rebuild) -> Any:
    """Return a new Keras 3 layer with the options of a Keras 2 layer.

    Args:
        layer: A ``tf_keras`` layer that is neither an input nor a model.
        custom_objects: Keras 3 class or function per name, for what is not part of Keras.
        rebuild: Makes the Keras 3 counterpart of a layer or model that ``layer`` wraps.

    Raises:
        UnsupportedModelError: Keras 3 has no such layer, or not with these options.
    """
    import keras

    refuse_tfmot(layer)
    kind = type(layer).__name__
    if kind not in custom_objects and kind in _WRAPPERS and _is_part_of_keras(layer):
        return _WRAPPERS[kind](layer, rebuild)
    if kind == "Lambda" and _is_part_of_keras(layer):
        return _lambda_like(layer)
    target = _target_class(layer, custom_objects)
    config = _config(layer)
    if kind not in custom_objects:
        config = _understood(layer, target, config)
    with keras.saving.custom_object_scope(dict(custom_objects)):
        try:
            return target.from_config(config)
        except (TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UnsupportedModelError(
                f"Keras 3 cannot make layer {layer.name!r} ({kind}) from its Keras 2 options "
                f"({reason}). Functions and classes of your own go into "
                "custom_objects={name: what it is in Keras 3}"
            ) from error


def keras3_name(name: str) -> str:
    """Return a name as Keras 3 allows it: it refuses ``/``.

    Example:
        >>> keras3_name("expanded_conv/depthwise")
        'expanded_conv_depthwise'
    """
    return name.replace("/", "_")


def refuse_tfmot(layer: Any) -> None:
    """Refuse the wrappers that tensorflow-model-optimization puts around layers.

    Raises:
        UnsupportedModelError: The layer is such a wrapper; the message says how to take it off.
    """
    if not type(layer).__module__.startswith("tensorflow_model_optimization"):
        return
    kind = type(layer).__name__
    if kind.startswith("PruneLowMagnitude"):
        advice = "call tfmot.sparsity.keras.strip_pruning(model) and convert what it returns"
    elif kind.startswith("Cluster"):
        advice = "call tfmot.clustering.keras.strip_clustering(model) and convert what it returns"
    else:
        advice = (
            "convert the float model that you gave to quantize_model or quantize_annotate_model; "
            "mcuprune.deploy quantizes the pruned one"
        )
    raise UnsupportedModelError(
        f"layer {layer.name!r} is a {kind} of tensorflow-model-optimization: {advice}"
    )


def _is_part_of_keras(layer: Any) -> bool:
    return type(layer).__module__.split(".")[0] == "tf_keras"


def _counterpart_module(layer: Any) -> Any:
    """Return where Keras 3 keeps a layer class; some applications have classes of their own."""
    import keras

    module = type(layer).__module__
    if module.startswith("tf_keras.src.applications."):
        return importlib.import_module(module.removeprefix("tf_"))
    return keras.layers


def _target_class(layer: Any, custom_objects: Mapping[str, Any]) -> Any:
    kind = type(layer).__name__
    if kind in custom_objects:
        return custom_objects[kind]
    if not _is_part_of_keras(layer):
        raise UnsupportedModelError(
            f"layer {layer.name!r} is of a class that is not part of Keras ({kind}): pass a Keras "
            f"3 class with the same options and weights, custom_objects={{{kind!r}: YourClass}}"
        )
    target = getattr(_counterpart_module(layer), _CLASSES.get(kind, kind), None)
    if target is None:
        raise UnsupportedModelError(
            f"layer {layer.name!r} is a {kind}, which Keras 3 does not have: replace it, or pass "
            f"a Keras 3 class with the same weights, custom_objects={{{kind!r}: YourClass}}"
        )
    return target


def _config(layer: Any) -> dict[str, Any]:
    """Return a layer's config with name, axes and dtype policy as Keras 3 writes them."""
    config: dict[str, Any] = filled({**layer.get_config(), "name": keras3_name(layer.name)}, {})
    config.pop("batch_input_shape", None)
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    if "dtype" in config:
        config["dtype"] = layer.dtype_policy.name
    return config


def _understood(layer: Any, target: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """Rename and drop keys that Keras 3 does not know.

    Raises:
        UnsupportedModelError: A dropped key would have changed what the layer computes.
    """
    kind = type(layer).__name__
    known = argument_names(target)
    renamed = {_RENAMED.get(kind, {}).get(key, key): value for key, value in config.items()}
    ignored = _WITHOUT_EFFECT | (_UNUSED_BY_SEPARABLE if "Separable" in kind else set())
    for key, value in renamed.items():
        if key in known or key in ignored or value is None:
            continue
        if key not in _ONLY_VALUE or _ONLY_VALUE[key] != value:
            raise UnsupportedModelError(
                f"layer {layer.name!r} ({kind}) has {key}={value!r}, an option that Keras 3 does "
                "not have: build the layer without it"
            )
    return {key: value for key, value in renamed.items() if key in known} | _ADDED.get(kind, {})


def argument_names(target: Any) -> set[str]:
    """Return the names of all arguments that a Keras 3 layer class takes."""
    found: set[str] = set()
    for owner in target.__mro__:
        if "__init__" not in vars(owner):
            continue
        parameters = inspect.signature(owner.__init__).parameters.values()
        found |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return found - {"self"}


def _base_options(layer: Any) -> dict[str, Any]:
    return {
        "name": keras3_name(layer.name),
        "trainable": layer.trainable,
        "dtype": layer.dtype_policy.name,
    }


def _lambda_like(layer: Any) -> Any:
    import keras

    return keras.layers.Lambda(
        layer.function,
        output_shape=layer._output_shape,
        mask=layer.mask,
        arguments=layer.arguments,
        **_base_options(layer),
    )


def _time_distributed(layer: Any, rebuild: Rebuild) -> Any:
    import keras

    return keras.layers.TimeDistributed(rebuild(layer.layer), **_base_options(layer))


def _spectral_normalization(layer: Any, rebuild: Rebuild) -> Any:
    import keras

    options = {"power_iterations": layer.power_iterations, **_base_options(layer)}
    return keras.layers.SpectralNormalization(rebuild(layer.layer), **options)


def _bidirectional(layer: Any, rebuild: Rebuild) -> Any:
    import keras

    options = {"merge_mode": layer.merge_mode, **_base_options(layer)}
    if hasattr(layer, "_backward_layer_config"):  # given by the user, not derived
        options["backward_layer"] = rebuild(layer.backward_layer)
    return keras.layers.Bidirectional(rebuild(layer.layer), **options)


def _rnn(layer: Any, rebuild: Rebuild) -> Any:
    import keras

    config = _understood(layer, keras.layers.RNN, _config(layer))
    return keras.layers.RNN(**{**config, "cell": rebuild(layer.cell)})


def _stacked_cells(layer: Any, rebuild: Rebuild) -> Any:
    import keras

    return keras.layers.StackedRNNCells(
        [rebuild(cell) for cell in layer.cells], name=keras3_name(layer.name)
    )


_WRAPPERS: dict[str, Callable[[Any, Rebuild], Any]] = {
    "Bidirectional": _bidirectional,
    "RNN": _rnn,
    "SpectralNormalization": _spectral_normalization,
    "StackedRNNCells": _stacked_cells,
    "TimeDistributed": _time_distributed,
}
