"""Models that several devices train together, under a strategy of ``tf.distribute``.

Every device holds a replica of each variable. A cut makes new variables, and so happens within the
scope of the model's own strategy; nothing is distributed by hand.
"""

from __future__ import annotations

import contextlib
from typing import Any

from mcuprune.errors import UnsupportedModelError


def require_replicas(model: Any) -> None:
    """Refuse a model whose variables have no replicas that pruning could cut together.

    Raises:
        UnsupportedModelError: A strategy is in effect in which the model was not made, or it is
            one that does not mirror variables.
    """
    import tensorflow as tf

    found = _strategy_of(model)
    if tf.distribute.has_strategy() and tf.distribute.get_strategy() is not found:
        kind = type(tf.distribute.get_strategy()).__name__
        raise UnsupportedModelError(
            f"tf.distribute's {kind} is in effect, and model {model.name!r} was made outside of "
            "it: build and compile the model within strategy.scope()"
        )
    known = tf.distribute
    mirroring = (
        known.MirroredStrategy,
        known.MultiWorkerMirroredStrategy,
        known.OneDeviceStrategy,
    )
    if found is not None and not isinstance(found, mirroring):
        raise UnsupportedModelError(
            f"model {model.name!r} was made under tf.distribute's {type(found).__name__}; pruning "
            "works under MirroredStrategy (several devices), MultiWorkerMirroredStrategy (several "
            "hosts, in a loop of your own) and OneDeviceStrategy: build and compile the model in "
            "the scope of one of these, or outside of any"
        )


def scope_of(model: Any) -> Any:
    """Return the scope in which variables of a model are made, as a context manager."""
    found = _strategy_of(model)
    return contextlib.nullcontext() if found is None else found.scope()


def _strategy_of(model: Any) -> Any:
    return getattr(model, "_distribute_strategy", None)
