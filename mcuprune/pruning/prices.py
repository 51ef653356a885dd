"""The targets of the day and what exceeding them costs, as numbers a traced step reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcuprune.pruning.penalty import ascend, penalty
from mcuprune.pruning.schedule import target
from mcuprune.pruning.usage import ResourceModel

# Step of dual ascent, and the largest excess that one step answers to.
ASCENT_RATE = 2.0
MOST_EXCESS = 0.2


class Prices:
    """Targets and multipliers of the limited resources.

    They live in ``tf.Variable``s: a training step traced once reads what they are at the moment.

    Args:
        limits: Budget per resource, in bytes or MACs.
        reference: What the unpruned network needs, likewise.
    """

    def __init__(self, limits: Mapping[str, int], reference: Mapping[str, int]) -> None:
        import tensorflow as tf

        self._limits, self._reference = dict(limits), dict(reference)
        self._multipliers = dict.fromkeys(limits, 0.0)
        self._tf_targets = tf.Variable(tf.ones(len(limits)), trainable=False, name="targets")
        self._tf_multipliers = tf.Variable(tf.zeros(len(limits)), trainable=False, name="strength")
        self._tf_head_factor = tf.Variable(1.0, trainable=False, name="head_factor")

    @property
    def multipliers(self) -> dict[str, float]:
        """The penalty's present strength per resource."""
        return dict(self._multipliers)

    def targets(self, fraction: float) -> dict[str, float]:
        """Return the target per resource at a share of the pruning phase."""
        return {
            name: target(self._reference[name], limit, fraction)
            for name, limit in self._limits.items()
        }

    def move(self, fraction: float, resources: ResourceModel, widths: Mapping[str, int]) -> None:
        """Set the targets due at ``fraction`` and let the multipliers answer to the excess.

        Args:
            fraction: Elapsed share of the pruning phase.
            resources: The resource model of the network as it is.
            widths: Channels that are open in each group.
        """
        targets = self.targets(fraction)
        for name, needed in resources.exact(widths).items():
            excess = max(-MOST_EXCESS, min(needed / targets[name] - 1.0, MOST_EXCESS))
            self._multipliers[name] = ascend(self._multipliers[name], excess, ASCENT_RATE)
        self._tf_targets.assign(list(targets.values()))
        self._tf_multipliers.assign(list(self._multipliers.values()))
        self._tf_head_factor.assign(resources.head_factor(widths))

    def penalty(self, resources: ResourceModel, widths: Mapping[str, Any]) -> Any:
        """Return the penalty on soft widths (a scalar tensor per group), a float32 scalar."""
        import tensorflow as tf

        terms = resources.soft_terms(widths, self._tf_head_factor)
        targets = dict(zip(self._limits, tf.unstack(self._tf_targets), strict=True))
        strengths = dict(zip(self._limits, tf.unstack(self._tf_multipliers), strict=True))
        return penalty(terms, targets, strengths)
