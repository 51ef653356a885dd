"""A mixed-precision model as float32: the converter knows no float16 convolution."""

from __future__ import annotations

from typing import Any

_OTHER_PRECISIONS = {"float16", "bfloat16", "float64"}


def in_float32(model: Any) -> Any:
    """Return a model that computes in float32.

    Args:
        model: A built functional or Sequential ``keras.Model``.

    Returns:
        The model itself if its layers compute in float32, otherwise a copy with the same weights
        whose every layer does. The model given is never changed.
    """
    import keras

    layers = [layer for layer in model._flatten_layers(include_self=False) if layer is not model]
    if all(layer.compute_dtype not in _OTHER_PRECISIONS for layer in layers):
        return model
    copy = keras.models.clone_model(model, clone_function=_in_float32)
    copy.set_weights(model.get_weights())
    return copy


def _in_float32(layer: Any) -> Any:
    return type(layer).from_config(_with_float32(layer.get_config()))


def _with_float32(config: Any) -> Any:
    """Replace each other precision in a config, at any depth: wrappers hold layers' configs."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return "float32" if _is_other(config["config"]["name"]) else config
        return {
            key: "float32" if key == "dtype" and _is_other(value) else _with_float32(value)
            for key, value in config.items()
        }
    if isinstance(config, list | tuple):
        return type(config)(_with_float32(item) for item in config)
    return config


def _is_other(policy: Any) -> bool:
    return isinstance(policy, str) and policy.removeprefix("mixed_") in _OTHER_PRECISIONS
