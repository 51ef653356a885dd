"""Carries an optimizer's state over to other variables: momenta sliced like their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcuprune.channels.surgery import replace_value

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
    twin, made = _twin(optimizer, variables)
    if len(twin.variables) != len(optimizer.variables):
        return  # its build was broken off (Ctrl-C): there is no state to keep
    owners = {id(slot): owner for owner, _, slot in made}
    for slot, fresh in zip(optimizer.variables, twin.variables, strict=True):
        if id(fresh) in owners:
            replace_value(slot, slice_slot(slot.numpy(), owners[id(fresh)]))
        elif tuple(slot.shape) != tuple(fresh.shape):
            # Sized by a weight without referring to it (Adafactor's averages): starts anew.
            replace_value(slot, fresh.numpy())


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
    old_slots = _slots(optimizer, old_variables)
    scalars = _scalars(optimizer, old_slots)
    change = slice_slot or _unchanged
    values = {(id(owner), name): change(slot.numpy(), owner) for owner, name, slot in old_slots}
    _forget(optimizer)
    new_slots = _built_slots(optimizer, new_variables)
    for owner, name, slot in new_slots:
        value = values.get((id(owner), name))
        if value is not None and value.shape == tuple(slot.shape):
            slot.assign(value)
    # Not strict: Adafactor adds zeros, one per bias, after those that count.
    for before, after in zip(scalars, _scalars(optimizer, new_slots), strict=False):
        after.assign(before)


def _unchanged(value: np.ndarray, variable: Any) -> np.ndarray:  # noqa: ARG001
    return value


Slot = tuple[Any, str, Any]


def _slots(optimizer: Any, variables: Sequence[Any]) -> list[Slot]:
    """Pair a built optimizer's slots with their owners.

    Keras keeps no such list, but a second optimizer of the same config makes its variables in the
    same order. An optimizer whose build was broken off (Ctrl-C) has no state to keep.
    """
    twin, made = _twin(optimizer, variables)
    if len(twin.variables) != len(optimizer.variables):
        return []
    place = {id(variable): index for index, variable in enumerate(twin.variables)}
    return [(owner, name, optimizer.variables[place[id(slot)]]) for owner, name, slot in made]


def _twin(optimizer: Any, variables: Sequence[Any]) -> tuple[Any, list[Slot]]:
    """Build a second optimizer of the same kind; return it with its slots."""
    twin = type(optimizer).from_config(optimizer.get_config())
    return twin, _built_slots(twin, variables)


def _built_slots(optimizer: Any, variables: Sequence[Any]) -> list[Slot]:
    """Build the optimizer and note which variable each new slot refers to."""
    made: list[Slot] = []
    original = optimizer.add_variable_from_reference

    def recording(reference_variable: Any, name: str | None = None, **options: Any) -> Any:
        slot = original(reference_variable, name=name, **options)
        made.append((reference_variable, name or "var", slot))
        return slot

    optimizer.add_variable_from_reference = recording
    try:
        optimizer.build(list(variables))
    finally:
        del optimizer.add_variable_from_reference
    return made


def _scalars(optimizer: Any, slots: Sequence[Slot]) -> list[Any]:
    """Return the numbers that belong to no weight (iterations, learning rate).

    What an optimizer sizes by a weight without referring to it (Adafactor's row and column
    averages) is neither slot nor number: it starts fresh.
    """
    owned = {id(slot) for _, _, slot in slots}
    free = [variable for variable in optimizer.variables if id(variable) not in owned]
    return [variable for variable in free if len(variable.shape) == 0]


def _learn_variables(optimizer: Any, variables: Sequence[Any]) -> None:
    """Tell a built optimizer that has no slots which variables it is for."""
    import keras

    _index_variables(optimizer, variables)
    with keras.src.utils.tracking.DotNotTrackScope():
        optimizer._trainable_variables = list(variables)


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
    optimizer._trainable_variables_indices = {}
    optimizer._trainable_variables = []
    optimizer.built = False
