"""The variables behind layers' weights: which one it is, and how it gets another shape."""

from __future__ import annotations

from typing import Any

import numpy as np


def variable_of(layer: Any, weight: str) -> Any:
    """Return the ``keras.Variable`` that a layer calls ``weight``.

    Gating turns the attribute into a property of a subclass that returns the gated tensor; the
    variable is what the layer's own class has under that name.
    """
    base = getattr(type(layer), "_mcuprune_base", type(layer))
    declared = getattr(base, weight, None)
    if isinstance(declared, property):
        return declared.__get__(layer)
    return layer.__dict__[weight] if weight in layer.__dict__ else getattr(layer, weight)


def replace_value(variable: Any, value: np.ndarray) -> None:
    """Let a ``keras.Variable`` hold an array of another shape; the object stays the same.

    Args:
        variable: The variable. One that was made under a strategy of ``tf.distribute`` needs its
            scope.
        value: Its new contents, of the variable's dtype.
    """
    import tensorflow as tf

    if tuple(variable.shape) == value.shape:
        variable.assign(value)
        return
    mirrored = tf.distribute.has_strategy()
    make = _replicated_variable if mirrored else _tensorflow_variable
    variable._initialize(make(variable, value))
    variable._shape = tuple(value.shape)


def _tensorflow_variable(variable: Any, value: np.ndarray) -> Any:
    """Make a ``tf.Variable`` of the kind that a ``keras.Variable`` holds.

    TensorFlow compiles a kernel for each shape and name that variables are created with, and
    another to read them: 3 ms for each of the thousand arrays of a large network, all of shapes
    of their own. So the resource is created without a shape, which takes a tenth; shape and
    handle get it afterwards, as if it had been created with it.
    """
    import tensorflow as tf
    from tensorflow.python.ops import handle_data_util

    with tf.init_scope():
        made = tf.Variable(
            tf.constant(value, dtype=variable.dtype),
            trainable=variable.trainable,
            aggregation=variable._map_aggregation(variable.aggregation),
            shape=tf.TensorShape(None),
            name="narrowed",
        )
    made._shape = tf.TensorShape(value.shape)
    made.handle._handle_data = handle_data_util.create_handle_data(made.shape, made.dtype)
    return made


def _replicated_variable(variable: Any, value: np.ndarray) -> Any:
    """Make a variable of the kind that the strategy in effect makes: one for all replicas."""
    import tensorflow as tf

    with tf.init_scope():
        return tf.Variable(
            tf.constant(value, dtype=variable.dtype),
            trainable=variable.trainable,
            aggregation=variable._map_aggregation(variable.aggregation),
            synchronization=variable._map_synchronization(variable.synchronization),
            name="narrowed",
        )
