"""Models that several devices train together, under a strategy of ``tf.distribute``.

Every device holds a replica of each variable. A cut makes new variables, and so happens within the
scope of the model's own strategy; nothing is distributed by hand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mcuprune.errors import UnsupportedModelError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


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


def average_statistics(model: Any) -> None:
    """Give all devices of this host the mean of what each has kept for itself.

    Keras lets each device follow the moving averages of its own share of the batches, and evaluates
    with all of them, but saves those of the first device.
    """
    import tensorflow as tf

    strategy = _strategy_of(model)
    if strategy is None:
        return
    own = [v.value for v in model.non_trainable_variables if v.aggregation == "none"]
    for variable in own:
        copies = strategy.experimental_local_results(variable)
        if len(copies) > 1 and variable.dtype.is_floating:
            variable.assign(tf.add_n([copy.read_value() for copy in copies]) / len(copies))


def of_first_host(model: Any, values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return what the first of the hosts that train a model has found.

    What hosts decide must be the same to the channel, and their arithmetic need not be: another
    processor rounds sums in another order, and a slower one has found another memory plan when its
    time was up. All hosts call this at the same step.

    Args:
        model: The model.
        values: By name, of the same names and shapes on each host; returned as they are where
            there is one host.
    """
    import tensorflow as tf

    strategy = _strategy_of(model)
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return dict(values)
    flat = np.concatenate([np.ravel(value) for value in values.values()])

    def summand(replica: Any) -> Any:
        is_first = replica.replica_id_in_sync_group == 0
        return tf.constant(flat if is_first else np.zeros_like(flat))

    summands = strategy.experimental_distribute_values_from_function(summand)
    total = strategy.reduce(tf.distribute.ReduceOp.SUM, summands, axis=None).numpy()
    ends = np.cumsum([value.size for value in values.values()])
    parts = zip(values.items(), np.split(total, ends), strict=False)
    return {name: part.reshape(value.shape) for (name, value), part in parts}


def kept_by_first_host(
    model: Any, kept: Mapping[str, IntArray], widths: Mapping[str, int]
) -> dict[str, IntArray]:
    """Return the channels that the first of the hosts that train a model keeps.

    Args:
        model: The model.
        kept: Indices of the channels that this host keeps, per group, ascending.
        widths: Channels that each of these groups has.
    """
    stays = {n: np.isin(np.arange(widths[n]), k).astype(np.float64) for n, k in kept.items()}
    return {name: np.flatnonzero(each) for name, each in of_first_host(model, stays).items()}


def _strategy_of(model: Any) -> Any:
    return getattr(model, "_distribute_strategy", None)
