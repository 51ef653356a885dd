"""A model with gates in it, and the optimizer that trains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcuprune.channels.groups import Group, Groups
from mcuprune.channels.optimizer import Slice, rebuild_optimizer, slice_slots
from mcuprune.channels.surgery import Cut, cut
from mcuprune.pruning.closing import IntArray
from mcuprune.pruning.gates import Gates, left_in
from mcuprune.pruning.replicas import scope_of


class GatedModel:
    """Puts gates into a model, cuts it, takes them out; the optimizer's slots follow.

    Gates that an earlier training left in the model when it was broken off are taken out first.

    Args:
        model: A built functional or Sequential ``keras.Model``.
        optimizer: The optimizer that trains it; the compiled one if None.

    Attributes:
        gates: The gates, None while there are none.
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self._model = model
        self._optimizer = optimizer
        self.gates: Gates | None = None
        for gates in left_in(model):
            self._take_out(gates)

    def attach(self, groups: Groups, gated: Sequence[Group]) -> None:
        """Put open gates on the channels of some groups.

        Args:
            groups: The coupling groups of the model.
            gated: Those to gate.
        """
        before = self._variables()
        with scope_of(self._model):
            self.gates = Gates(self._model, groups, gated)
            self.gates.attach()
            self._rebuild_optimizer(before)

    def release(self) -> None:
        """Fold the gates into the weights and take them out, if there are any."""
        if self.gates is not None:
            self._take_out(self.gates)
            self.gates = None

    def cut(self, groups: Groups, kept: Mapping[str, IntArray], is_last: bool) -> Cut:
        """Remove channels for good; with the last cut the gates go too.

        Args:
            groups: The coupling groups of the model, which has gates.
            kept: Indices of the channels that stay, per group, ascending.
            is_last: Whether the model shall be a plain one afterwards.
        """
        assert self.gates is not None
        before = self._variables()
        with scope_of(self._model):
            if is_last:
                self.gates.fold()
                self.gates.detach()
            done = cut(groups, kept)
            if is_last:
                self.gates = None
                self._rebuild_optimizer(before, done.slice_like)
            else:
                self.gates.narrow(done.groups, done.alive)
                self._slice_slots(self.gates.slicing(done))
        return done

    def _take_out(self, gates: Gates) -> None:
        before = self._variables()
        with scope_of(self._model):
            gates.fold()
            gates.detach()
            self._rebuild_optimizer(before)

    def _variables(self) -> list[Any]:
        return list(self._model.trainable_variables)

    def _rebuild_optimizer(self, before: Sequence[Any], slice_slot: Slice | None = None) -> None:
        """Let the optimizer know that variables have come or gone."""
        if (optimizer := self._built_optimizer()) is not None:
            rebuild_optimizer(optimizer, before, self._model.trainable_variables, slice_slot)

    def _slice_slots(self, slice_slot: Slice) -> None:
        if (optimizer := self._built_optimizer()) is not None:
            slice_slots(optimizer, self._model.trainable_variables, slice_slot)

    def _built_optimizer(self) -> Any:
        optimizer = self._optimizer or getattr(self._model, "optimizer", None)
        return optimizer if optimizer is not None and optimizer.built else None
