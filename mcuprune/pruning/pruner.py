"""Prunes a model while somebody trains it: gates, prices, cuts at fixed steps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mcuprune.budget import Budget, require_budget
from mcuprune.channels.analysis import coupling_groups
from mcuprune.channels.groups import Group, Groups
from mcuprune.engines.int8_kernels import layers_without_int8_kernel
from mcuprune.errors import TrainingDivergedError, UnsupportedModelError
from mcuprune.interrupt import interrupt_deferred
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.graph import Graph
from mcuprune.pruning.allowed import Allowed
from mcuprune.pruning.closing import Closing, IntArray, closing_starts
from mcuprune.pruning.controls import Controls
from mcuprune.pruning.feasibility import narrowest, require_feasible
from mcuprune.pruning.gated_model import GatedModel
from mcuprune.pruning.gates import FloatArray, Gates
from mcuprune.pruning.importance import Importance
from mcuprune.pruning.phase import Phase
from mcuprune.pruning.prices import Prices
from mcuprune.pruning.replicas import (
    kept_by_first_host,
    of_first_host,
    require_replicas,
    scope_of,
)
from mcuprune.pruning.shipping import Shipping, shipping
from mcuprune.pruning.widths import gates_for, marginal_worth, most_important, moved

# Per move: largest relative change of a width, largest change of a gate.
WIDTH_RATE = 0.02
GATE_RATE = 0.1
# Steps in a row without a finite derivative that no scaling of a float16 loss explains: that halves
# its factor, at most 2^15, after each.
NOT_FINITE = 100


class Pruner:
    """Prunes a Keras model inside a training loop of the user's own.

    Making the pruner puts gates into the model. Call :meth:`penalty` in the loss and :meth:`step`
    after each optimizer step. The model's variables change whenever :meth:`step` returns True: make
    a ``tf.function`` that captured them anew. After :meth:`finish` the model is a plain, smaller
    one that meets the budget. Where several hosts train the model (``tf.distribute``), all of them
    call :meth:`step` after the same steps.

    Args:
        model: A built functional or Sequential ``keras.Model``.
        budget: Limits to meet.
        start_step: Training steps before the first gate moves.
        end_step: Step of the last cut; training after it fine-tunes what remains.
        cuts: How often channels are removed for good on the way, the last one included.
        round_to: Widths become multiples of this; by default of what the kernels of the budget's
            board take at once, of 1 without a board. Narrower groups keep their width.
        min_channels: No group becomes narrower; a number, or one per layer name, pattern or class
            (``{"conv*": 8}``), which then holds for the groups that those layers put out.
        max_channels: Every group is cut to at most this, even where the budget is met without;
            likewise.
        exclude: A layer name, pattern (``"stem*"``) or class (``keras.layers.Dense``, ``"Dense"``)
            whose output channels all stay, or several.
        optimizer: The optimizer whose slots follow the cuts; the compiled one by default.
        plan_memory: Whether the arena is counted with the memory plan that
            :func:`mcuprune.deploy` writes into the file. False for files of another converter, in
            which TFLM plans by itself.

    Raises:
        UnsupportedModelError: The model is of an unsupported form, was made under a strategy of
            ``tf.distribute`` that does not mirror variables, or has no prunable channel.
        InfeasibleBudgetError: Not even the smallest allowed widths meet the budget.
        InputError: Steps, cuts or widths make no sense, or a name, pattern or class in the
            controls matches no layer.
    """

    def __init__(
        self,
        model: Any,
        budget: Budget,
        *,
        start_step: int = 0,
        end_step: int = 1000,
        cuts: int = 3,
        round_to: int | None = None,
        min_channels: int | Mapping[str | type, int] = 1,
        max_channels: int | Mapping[str | type, int] | None = None,
        exclude: str | type | Iterable[str | type] = (),
        optimizer: Any = None,
        plan_memory: bool = True,
    ) -> None:
        import tensorflow as tf

        require_budget(budget)
        self._shipping: Shipping
        self.model = model
        self.budget = budget
        self.phase = Phase(start_step, end_step, cuts)
        self._controls = Controls.given(exclude, round_to, min_channels, max_channels)
        self._plan_memory = plan_memory
        self._limits = dict(budget.limits())
        self._importance = Importance()
        require_replicas(model)
        self._gated = GatedModel(model, optimizer)
        _warn_of_missing_kernels(self._read_model())
        if not self._prunable:
            raise UnsupportedModelError(_no_prunable_channel(self._groups))
        self._controls.refuse_vain_caps(self._groups, self._bounds.excluded)
        self._first = dict(self._full)
        require_feasible(self._shipping, self._limits, self._groups, self._bounds, self._full)
        reference = self._shipping.model.exact(self._full)
        fits = self._shipping.meets(self._limits, self._full)
        fits = fits and all(self._full[n] <= a.largest for n, a in self._allowed().items())
        self.done = bool(of_first_host(model, {"done": np.array([float(fits)])})["done"])
        self._soft: dict[str, float] = {name: float(w) for name, w in self._full.items()}
        self._prices = Prices(self._limits, reference)
        with scope_of(model):
            self._penalty = tf.Variable(0.0, trainable=False, name="penalty")
        self._price(0.0)
        self._closing: Closing | None = None
        self._removed: list[dict[str, Any]] = []
        if not self.done:
            self._gated.attach(self._groups, self._prunable)

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

        Raises:
            TrainingDivergedError: In too many calls in a row the loss had no finite derivative.
        """
        if self.done:
            return False
        self.phase.advance(steps)
        self._importance.update(self._gates.sensitivities())
        self._require_finite()
        for fraction in self.phase.due_moves():
            self._move(fraction)
        due = self.phase.due_cut()
        if due is None:
            return False
        with interrupt_deferred():
            self._cut(due)
        return True

    def state(self) -> dict[str, Any]:
        """Return all that the model and its optimizer do not tell, as plain values.

        With :meth:`restore` and the values of all variables a training can go on elsewhere.
        """
        return {
            "phase": self.phase.state(),
            "removed": self._removed,
            "soft": self._soft,
            "gates": {name: values.tolist() for name, values in self.gates().items()},
            "importance": self._importance.state(),
            "prices": self._prices.state(),
            "closing": None if self._closing is None else self._closing.to_json(),
            "planned": self._shipping.is_planned,
            "done": self.done,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Bring a fresh pruner, and the model that it was made with, to a state of another.

        The model gets the structure; its variables and the optimizer's keep arbitrary values, which
        the caller replaces.

        Args:
            state: What :meth:`state` of a pruner of the same arguments returned, its model built
                alike.
        """
        for made in state["removed"]:
            kept = {name: np.array(indices, np.intp) for name, indices in made["kept"].items()}
            self._remove(kept, made["last"])
        self.phase.restore(state["phase"])
        self._soft = dict(state["soft"])
        self._importance.restore(state["importance"])
        self._prices.restore(state["prices"])
        self._penalty.assign(self._prices.penalty)
        closing = state["closing"]
        self._closing = None if closing is None else Closing.from_json(closing)
        self._shipping = self._shipping.beginning(state["planned"])
        if not self.done:
            self._gates.assign({name: np.array(gates) for name, gates in state["gates"].items()})
        if state["done"]:
            self.release()

    def finish(self) -> None:
        """Cut to the budget now, whatever is left of the schedule, and leave a plain model."""
        if not self.done:
            with interrupt_deferred():
                self._cut(1.0)

    def release(self) -> None:
        """Take the gates out without cutting further: the model is plain, the budget not met."""
        self._gated.release()
        self.done = True

    def resources(self) -> dict[str, int]:
        """Return the limited resources of the channels that are open now (predicted).

        Bytes of arena and flash, MACs, microseconds; exact for the network that a cut would leave.
        """
        return self._shipping.model.exact(self._whole())

    @property
    def is_planned(self) -> bool:
        """Whether :meth:`resources` count the memory plan that ``deploy`` writes into the file."""
        return self._shipping.is_planned

    def multipliers(self) -> dict[str, float]:
        """Return the penalty's present strength per resource."""
        return self._prices.multipliers

    def widths(self) -> dict[str, int]:
        """Return the number of open channels per prunable group, rounded."""
        return self._whole()

    def gates(self) -> dict[str, FloatArray]:
        """Return the gates of each prunable group, 0 (closed) to 1 (open); none when done.

        Returns:
            float64 per group, shape ``(width,)``: its channels in their order.
        """
        return {} if self.done else self._gates.values()

    def _read_model(self) -> Graph:
        self._groups = coupling_groups(self.model)
        self._bounds = self._controls.on(self._groups, self.budget.channel_multiple)
        self._prunable = self._prunable_of(self._groups)
        self._full = {g.name: g.width for g in self._prunable}
        graph = graph_from_keras(self.model, self._groups.dims())
        self._shipping = shipping(
            graph, self._groups.widths(), self._fixed(), self.budget, self._plan_memory
        )
        return graph

    def _prunable_of(self, groups: Groups) -> list[Group]:
        return [group for group in groups.prunable if group.name not in self._bounds.excluded]

    def _allowed(self, fraction: float = 1.0) -> dict[str, Allowed]:
        """Return the widths that each group may take at a share of the pruning phase."""
        return {
            name: self._bounds.allowed(name, width, self._first[name], fraction)
            for name, width in self._full.items()
        }

    @property
    def _gates(self) -> Gates:
        assert self._gated.gates is not None
        return self._gated.gates

    def _require_finite(self) -> None:
        if self._importance.passed_over < NOT_FINITE:
            return
        self.release()
        raise TrainingDivergedError(
            f"the loss had no finite derivative by the gates {NOT_FINITE} times in a row: it is "
            "NaN or infinite. The model was left plain but is not usable; lower the learning "
            "rate, clip gradients (clipnorm=1.0), or check the input for NaN."
        )

    def _move(self, fraction: float) -> None:
        """Move multipliers, soft widths and gates by one step, or close what will go."""
        due = self.phase.next_cut
        if self._closing is None and fraction >= closing_starts(due, self.phase.cuts):
            self._closing = self._decided(due, fraction)
        if self._closing is not None:
            self._close(self._closing, fraction)
            return
        shares = self._importance.scores(self._full)
        gates, allowed = self._gates.values(), self._allowed(fraction)
        for name, width in self._soft.items():
            force = marginal_worth(shares[name], width) - width * self._prices.of(name)
            least, most = allowed[name].smallest, allowed[name].largest
            self._soft[name] = moved(width, force, WIDTH_RATE, least, most)
            gates[name] = gates_for(shares[name], self._soft[name], gates[name], GATE_RATE)
        self._gates.assign(of_first_host(self.model, gates))
        self._price(fraction)

    def _decided(self, due: float, fraction: float) -> Closing:
        """Choose what stays so that the target of a cut is met exactly.

        No cut on the way leaves a group less than the budget itself would: what is removed does
        not come back, and the slack could be filled by nothing.
        """
        shares = self._importance.scores(self._full)
        # A group that a cut has left one channel cannot be pruned further, but has its gate.
        gates = {name: gate for name, gate in self._gates.values().items() if name in self._full}
        limits = {n: math.ceil(t) for n, t in self._prices.targets(due).items()}
        allowed = self._allowed(due)
        if limits != self._limits:
            last, _ = self._shipping.search(self._limits, shares, self._allowed(), self._whole())
            allowed = {n: widths.at_least(last[n]) for n, widths in allowed.items()}
        widths, self._shipping = self._shipping.search(limits, shares, allowed, self._whole())
        kept = most_important(gates, shares, widths)
        return Closing(kept_by_first_host(self.model, kept, self._full), gates, fraction, due)

    def _close(self, closing: Closing, fraction: float) -> None:
        gates = closing.gates(fraction)
        self._gates.assign(gates)
        self._soft = {name: float(gates[name].sum()) for name in self._soft}
        self._price(fraction)

    def _price(self, fraction: float) -> None:
        self._prices.move(fraction, self._shipping.model, self._soft)
        self._penalty.assign(self._prices.penalty)

    def _whole(self) -> dict[str, int]:
        least = narrowest(self._bounds, self._full)
        return {name: max(round(width), least[name]) for name, width in self._soft.items()}

    def _cut(self, fraction: float) -> None:
        """Remove channels so that the target due at ``fraction`` is met exactly."""
        closing, self._closing = self._closing, None
        if closing is None or closing.due < fraction:
            closing = self._decided(fraction, fraction)
        else:
            self._gates.assign(closing.gates(fraction))
        ends = fraction >= 1.0 or all(width == 1 for width in closing.widths.values())
        self._remove(closing.kept, ends)

    def _remove(self, kept: Mapping[str, IntArray], is_last: bool) -> None:
        """Take all other channels out for good, and with the last cut the gates."""
        done = self._gated.cut(self._groups, kept, is_last)
        self._removed.append({"kept": {n: k.tolist() for n, k in kept.items()}, "last": is_last})
        self._importance.keep(kept)
        self._narrow(done.groups)
        if is_last:
            self.done = True
            self._soft = {name: float(width) for name, width in self._full.items()}
            self._price(1.0)
        else:
            self._soft = {n: min(self._soft[n], float(w)) for n, w in self._full.items()}

    def _narrow(self, groups: Groups) -> None:
        """Take note of the groups that a cut has left; costs are known at open widths."""
        self._groups = groups
        self._prunable = [group for group in self._prunable_of(groups) if group.name in self._full]
        self._full = {group.name: group.width for group in self._prunable}
        self._shipping = self._shipping.at_fixed(self._fixed())

    def _fixed(self) -> dict[str, int]:
        return {n: w for n, w in self._groups.widths().items() if n not in self._full}


def _no_prunable_channel(groups: Groups) -> str:
    reasons = sorted({g.frozen for g in groups.groups.values() if g.frozen})
    why = f" ({'; '.join(reasons[:3])})" if reasons else ""
    return (
        f"the model has no prunable channel{why}. Pruning needs convolution or dense layers whose "
        "output goes on to other layers and is not excluded."
    )


def _warn_of_missing_kernels(graph: Graph) -> None:
    """Say before a long training what :func:`mcuprune.deploy` would refuse after it."""
    lacking = layers_without_int8_kernel(graph)
    if lacking:
        warnings.warn(
            f"TensorFlow Lite Micro has no int8 kernels for what these layers become: {lacking}. "
            "The network can be pruned, but mcuprune.deploy will refuse it: replace them before "
            "you train, activations by relu, silu or hard_silu for example",
            stacklevel=3,
        )
