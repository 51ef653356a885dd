"""Carries an optimizer's state over to other variables: momenta sliced like their weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mcuprune.channels.variables import replace_value

# Takes the value of a slot and the variable that the slot belongs to, returns the new value.
Slice = Callable[[np.ndarray, Any], np.ndarray]


def slice_slots(optimizer: Any, variables: Sequence[Any], slice_slot: Slice) -> None:
    """Let an optimizer's slots follow variables that a cut has made smaller.

    Args:
        optimizer: A built ``keras.Optimizer``.
        variables: The trainable variables it was built for, in their order, already cut.
        slice_slot: Gives a slot's new value.
    """
    inner = getattr(optimizer, "inner_optimizer", None)
    _index_variables(optimizer, variables)
    if inner is not None:  # mixed_float16: a LossScaleOptimizer around the one with the slots
        slice_slots(inner, variables, slice_slot)
        return
    for variable, planned in _planned(optimizer, variables):
        if _is_slot(planned):
            replace_value(variable, slice_slot(variable.numpy(), planned.owner))
        elif tuple(variable.shape) != tuple(planned.shape):
            # Sized by a weight without referring to it (Adafactor's averages): starts anew.
            replace_value(variable, np.zeros(planned.shape, dtype=variable.dtype))
    _average_all(optimizer, variables)


def rebuild_optimizer(
    optimizer: Any,
    old_variables: Sequence[Any],
    new_variables: Sequence[Any],
    slice_slot: Slice | None = None,
) -> None:
    """Build an optimizer anew, in place, for a list of variables to which some came or went.

    Iterations, learning rate and scalars stay, and so do the slots of variables that stay.

    Args:
        optimizer: A built ``keras.Optimizer``.
        old_variables: The trainable variables it was built for, in their order.
        new_variables: The trainable variables it shall be built for.
        slice_slot: Gives a slot's new value where a cut has made its variable smaller.
    """
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        rebuild_optimizer(inner, old_variables, new_variables, slice_slot)
        _learn_variables(optimizer, new_variables)
        return
    planned = _planned(optimizer, old_variables)
    known = {(id(p.owner), p.name): v for v, p in planned if _is_slot(p)}
    numbers = [v for v, p in planned if not _is_slot(p) and len(v.shape) == 0]
    if slice_slot is not None:
        owners = {id(variable): variable for variable in old_variables}
        for (owner, _), slot in known.items():
            replace_value(slot, slice_slot(slot.numpy(), owners[owner]))
    _forget(optimizer)
    _build_with(optimizer, new_variables, known)
    slots = {id(slot) for slot in known.values()}
    free = [v for v in optimizer.variables if id(v) not in slots and len(v.shape) == 0]
    # Not strict: Adafactor adds zeros, one per bias, after those that count.
    for before, after in zip(numbers, free, strict=False):
        after.assign(before)


@dataclasses.dataclass(frozen=True, eq=False)
class _Planned:
    """A variable that building an optimizer would make.

    Attributes:
        shape: Its shape.
        owner: The weight that it refers to, if any: then it is a slot.
        name: Which of the owner's slots it is.
    """

    shape: tuple[int, ...]
    owner: Any = None
    name: str = ""


def _is_slot(planned: Any) -> bool:
    return isinstance(planned, _Planned) and planned.owner is not None


def _planned(optimizer: Any, variables: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pair a built optimizer's variables with what building it for ``variables`` makes.

    Keras does not say which slot belongs to which weight, but a second optimizer of the same
    config, which only notes what it would make, plans its variables in the same order. An
    optimizer whose build was broken off (Ctrl-C) has no state to keep.
    """
    twin = type(optimizer).from_config(optimizer.get_config())

    def note(planned: _Planned) -> _Planned:
        twin._tracker.add_to_store("variables", planned)
        return planned

    def add_slot(reference_variable: Any, name: str | None = None, **_: Any) -> _Planned:
        return note(_Planned(tuple(reference_variable.shape), reference_variable, name or "var"))

    def add_other(shape: Sequence[int], *_: Any, **__: Any) -> _Planned:
        return note(_Planned(tuple(shape)))

    twin.add_variable_from_reference, twin.add_variable = add_slot, add_other
    twin.build(list(variables))
    if len(twin.variables) != len(optimizer.variables):
        return []
    return list(zip(optimizer.variables, twin.variables, strict=True))


def _build_with(
    optimizer: Any, variables: Sequence[Any], known: Mapping[tuple[int, str], Any]
) -> None:
    """Build an optimizer with the slots that exist already, by owner's ``id`` and name."""
    make = optimizer.add_variable_from_reference

    def reuse(reference_variable: Any, name: str | None = None, **options: Any) -> Any:
        slot = known.get((id(reference_variable), name or "var"))
        if slot is None or tuple(slot.shape) != tuple(reference_variable.shape):
            return make(reference_variable, name=name, **options)
        optimizer._track_variable(slot)
        return slot

    optimizer.add_variable_from_reference = reuse
    try:
        optimizer.build(list(variables))
    finally:
        del optimizer.add_variable_from_reference
    _average_all(optimizer, variables)


def _average_all(optimizer: Any, variables: Sequence[Any]) -> None:
    """Give also the variables that their gradients overwrite a moving average.

    Keras leaves None in its place, which its own callback ``SwapEMAWeights`` cannot swap.
    """
    import keras

    if not optimizer.use_ema:
        return
    averages = []
    for average, variable in zip(optimizer._model_variables_moving_average, variables, strict=True):
        if average is None or tuple(average.shape) != tuple(variable.shape):
            zeros = np.zeros(variable.shape)
            average = keras.Variable(zeros, dtype=variable.dtype, trainable=False)
        averages.append(average)
    _set(optimizer, "_model_variables_moving_average", averages)


def _learn_variables(optimizer: Any, variables: Sequence[Any]) -> None:
    """Tell a built optimizer that has no slots which variables it is for."""
    _index_variables(optimizer, variables)
    _set(optimizer, "_trainable_variables", list(variables))


def _set(optimizer: Any, name: str, variables: list[Any]) -> None:
    """Replace one of an optimizer's lists whole.

    TensorFlow refuses to export what holds a list of which elements were removed or replaced.
    """
    import keras

    with keras.src.utils.tracking.DotNotTrackScope():
        setattr(optimizer, name, variables)


def _index_variables(optimizer: Any, variables: Sequence[Any]) -> None:
    """Renew the keys of variables, which change with their arrays."""
    optimizer._trainable_variables_indices = {
        optimizer._var_key(variable): index for index, variable in enumerate(variables)
    }


def _forget(optimizer: Any) -> None:
    """Undo ``build``: drop everything but iterations and learning rate."""
    kept = [optimizer._iterations]
    if any(optimizer._learning_rate is variable for variable in optimizer.variables):
        kept.append(optimizer._learning_rate)
    for variable in optimizer.variables:
        if not any(variable is keep for keep in kept):
            optimizer._tracker.untrack(variable)
    _set(optimizer, "_variables", list(optimizer._variables))
    is_variable, _ = optimizer._tracker.config["variables"]
    optimizer._tracker.config["variables"] = (is_variable, optimizer._variables)
    optimizer._trainable_variables_indices = {}
    optimizer._trainable_variables = []
    optimizer.built = False
