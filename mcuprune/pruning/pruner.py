"""Prunes a model while somebody trains it: gates, prices, cuts at fixed steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mcuprune.budget import RESOURCE_UNITS, Budget, require_budget
from mcuprune.channels.groups import Group, Groups, coupling_groups
from mcuprune.channels.optimizer import rebuild_optimizer
from mcuprune.channels.surgery import Succession, cut
from mcuprune.errors import InfeasibleBudgetError, UnsupportedModelError
from mcuprune.interrupt import interrupt_deferred
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.pruning.arguments import (
    layer_patterns,
    matches,
    refuse_strategy,
    require_matches,
    whole_number,
    window,
)
from mcuprune.pruning.gates import FloatArray, Gates, left_in
from mcuprune.pruning.importance import Importance
from mcuprune.pruning.prices import Prices
from mcuprune.pruning.projection import Projection
from mcuprune.pruning.usage import ResourceModel
from mcuprune.pruning.widths import gates_for, marginal_worth, most_important, moved

# Gates move this often in the whole pruning phase, whatever its length in steps.
MOVES = 200
# Per move: largest relative change of a width, largest change of a gate.
WIDTH_RATE = 0.02
GATE_RATE = 0.1


class Pruner:
    """Prunes a Keras model inside a training loop of the user's own.

    Making the pruner puts gates into the model. Call :meth:`penalty` in the loss and :meth:`step`
    after each optimizer step. The model's variables change whenever :meth:`step` returns True: make
    a ``tf.function`` that captured them anew. After :meth:`finish` the model is a plain, smaller
    one that meets the budget.

    Args:
        model: A built functional or Sequential ``keras.Model``.
        budget: Limits to meet.
        start_step: Training steps before the first gate moves.
        end_step: Step of the last cut; training after it fine-tunes what remains.
        cuts: How often channels are removed for good on the way, the last one included.
        round_to: Widths become multiples of this.
        min_channels: No group becomes narrower.
        exclude: A layer name or pattern (``"stem*"``) whose output channels all stay, or several.
        optimizer: The optimizer whose slots follow the cuts; the compiled one by default.

    Raises:
        UnsupportedModelError: The model is of an unsupported form, is trained under a strategy of
            ``tf.distribute``, or has no prunable channel.
        InfeasibleBudgetError: Not even the smallest allowed widths meet the budget.
        InputError: Steps, cuts or widths make no sense.
    """

    def __init__(
        self,
        model: Any,
        budget: Budget,
        *,
        start_step: int = 0,
        end_step: int = 1000,
        cuts: int = 3,
        round_to: int = 1,
        min_channels: int = 1,
        exclude: str | Sequence[str] = (),
        optimizer: Any = None,
    ) -> None:
        import tensorflow as tf

        require_budget(budget)
        self.model = model
        self.budget = budget
        self.start_step, self.end_step = window("step", start_step, end_step)
        self._cuts = whole_number("cuts", cuts, at_least=1)
        self._round_to = whole_number("round_to", round_to, at_least=1)
        self._min_channels = whole_number("min_channels", min_channels, at_least=1)
        self._exclude = layer_patterns(exclude)
        self._optimizer = optimizer
        self._limits = dict(budget.limits())
        self._steps = self._moves_done = self._cuts_done = 0
        self._importance = Importance()
        refuse_strategy(model)
        for gates in left_in(model):
            self._take_out(gates)
        self._read_model()
        if not self._prunable:
            raise UnsupportedModelError(_no_prunable_channel(self._groups))
        require_matches(self._exclude, [layer.name for layer in model.layers])
        self._refuse_impossible()
        reference = self._resources.exact(self._full)
        self.done = all(reference[name] <= limit for name, limit in self._limits.items())
        self._soft: dict[str, float] = {name: float(w) for name, w in self._full.items()}
        self._prices = Prices(self._limits, reference)
        self._penalty = tf.Variable(0.0, trainable=False, name="penalty")
        self._price(0.0)
        self._gates: Gates | None = None
        if not self.done:
            before = list(model.trainable_variables)
            self._attach()
            self._follow(before, _themselves(before))

    @property
    def groups(self) -> Groups:
        """The coupling groups as they are now."""
        return self._groups

    def penalty(self) -> Any:
        """Return the penalty on the soft widths, a float32 scalar tensor to add to the loss.

        It is zero while every resource is within its present target. Its gradient by the widths is
        known in closed form and :meth:`step` applies it, so adding it only lets the loss show it.
        """
        import tensorflow as tf

        return tf.convert_to_tensor(self._penalty)

    def step(self, steps: int = 1) -> bool:
        """Take note of a finished training step; move gates and cut channels when due.

        Args:
            steps: Optimizer steps since the last call.

        Returns:
            True when the model's variables have changed.
        """
        if self.done or self._gates is None:
            return False
        self._steps += steps
        self._importance.update(self._gates.sensitivities())
        fraction = (self._steps - self.start_step) / (self.end_step - self.start_step)
        while self._moves_done < min(math.floor(fraction * MOVES), MOVES):
            self._moves_done += 1
            self._move(self._moves_done / MOVES)
        cuts_due = min(math.floor(fraction * self._cuts + 1e-9), self._cuts)
        if self._cuts_done < cuts_due:
            self._cuts_done = cuts_due
            with interrupt_deferred():
                self._cut(self._cuts_done / self._cuts)
            return True
        return False

    def finish(self) -> None:
        """Cut to the budget now, whatever is left of the schedule, and leave a plain model."""
        if not self.done:
            with interrupt_deferred():
                self._cut(1.0)

    def release(self) -> None:
        """Take the gates out without cutting further: the model is plain, the budget not met."""
        if self._gates is not None:
            self._take_out(self._gates)
            self._gates = None
        self.done = True

    def resources(self) -> dict[str, int]:
        """Return the limited resources of the channels that are open now (predicted).

        Bytes of arena and flash, MACs; exact for the network that a cut would leave.
        """
        return self._resources.exact(self._whole())

    def multipliers(self) -> dict[str, float]:
        """Return the penalty's present strength per resource."""
        return self._prices.multipliers

    def widths(self) -> dict[str, int]:
        """Return the number of open channels per prunable group, rounded."""
        return self._whole()

    def _read_model(self) -> None:
        self._groups = coupling_groups(self.model)
        self._prunable = [g for g in self._groups.prunable if not self._excluded(g)]
        self._full = {g.name: g.width for g in self._prunable}
        fixed = {n: w for n, w in self._groups.widths().items() if n not in self._full}
        graph = graph_from_keras(self.model, self._groups.dims())
        self._resources = ResourceModel(graph, fixed, tuple(self._limits))

    def _excluded(self, group: Group) -> bool:
        return any(matches(layer, self._exclude) for layer in group.producers)

    def _floors(self) -> dict[str, int]:
        smallest = max(self._min_channels, self._round_to)
        return {name: min(smallest, full) for name, full in self._full.items()}

    def _refuse_impossible(self) -> None:
        smallest = self._resources.exact(self._floors())
        for resource, limit in self._limits.items():
            if smallest[resource] > limit:
                unit = RESOURCE_UNITS[resource]
                raise InfeasibleBudgetError(
                    f"the {resource} budget of {limit:,} {unit} cannot be met: with every "
                    f"prunable group at its smallest width this network still needs "
                    f"{smallest[resource]:,} {unit}. Allow at least that, or start from a "
                    "smaller network.",
                    resource=resource,
                    required=smallest[resource],
                    available=limit,
                )

    def _move(self, fraction: float) -> None:
        """Move multipliers, soft widths and gates by one step."""
        assert self._gates is not None
        shares = self._importance.scores(self._full)
        gates = self._gates.values()
        for name, width in self._soft.items():
            force = marginal_worth(shares[name], width) - width * self._prices.of(name)
            floor, full = self._floors()[name], self._full[name]
            self._soft[name] = moved(width, force, WIDTH_RATE, floor, full)
            gates[name] = gates_for(shares[name], self._soft[name], gates[name], GATE_RATE)
        self._gates.assign(gates)
        self._price(fraction)

    def _price(self, fraction: float) -> None:
        self._prices.move(fraction, self._resources, self._soft)
        self._penalty.assign(self._prices.penalty)

    def _whole(self) -> dict[str, int]:
        floors = self._floors()
        return {name: max(round(width), floors[name]) for name, width in self._soft.items()}

    def _cut(self, fraction: float) -> None:
        """Remove channels so that the target due at ``fraction`` is met exactly."""
        assert self._gates is not None
        shares, gates = self._importance.scores(self._full), self._gates.values()
        limits = {n: math.ceil(t) for n, t in self._prices.targets(fraction).items()}
        search = Projection(
            self._resources.exact_terms, limits, shares, self._floors(), self._round_to
        )
        widths = search.run(self._whole())
        kept = most_important(gates, shares, widths)
        last = fraction >= 1.0 or all(width == 1 for width in widths.values())
        if last:
            self._gates.fold()
        before = list(self.model.trainable_variables)
        self._gates.detach()
        succession = cut(self.model, self._groups, kept)
        self._importance.keep(kept)
        self._read_model()
        self.done, self._gates = last, None
        if last:
            self._soft = {name: float(width) for name, width in self._full.items()}
            self._price(1.0)
        else:
            self._soft = {n: min(self._soft[n], float(w)) for n, w in self._full.items()}
            self._attach({name: gates[name][kept[name]] for name in self._full})
        self._follow(before, succession.successors, succession)

    def _take_out(self, gates: Gates) -> None:
        before = list(self.model.trainable_variables)
        gates.fold()
        gates.detach()
        self._follow(before, _themselves(before))

    def _attach(self, values: Mapping[str, FloatArray] | None = None) -> None:
        self._gates = Gates(self.model, self._groups, self._prunable, values)
        self._gates.attach()

    def _follow(
        self,
        before: Sequence[Any],
        successors: Mapping[int, Any],
        succession: Succession | None = None,
    ) -> None:
        """Let the optimizer know the model's present variables."""
        optimizer = self._optimizer or getattr(self.model, "optimizer", None)
        if optimizer is None or not optimizer.built:
            return
        rebuild_optimizer(
            optimizer,
            before,
            self.model.trainable_variables,
            successors,
            lambda value, owner: succession.slice_like(value, owner) if succession else value,
        )


def _themselves(variables: Sequence[Any]) -> dict[int, Any]:
    """Map every variable to itself: only gates have come or gone."""
    return {id(variable): variable for variable in variables}


def _no_prunable_channel(groups: Groups) -> str:
    reasons = sorted({g.frozen for g in groups.groups.values() if g.frozen})
    why = f" ({'; '.join(reasons[:3])})" if reasons else ""
    return (
        f"the model has no prunable channel{why}. Pruning needs convolution or dense layers whose "
        "output goes on to other layers and is not excluded."
    )
