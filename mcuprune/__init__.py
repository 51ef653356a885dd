"""Makes a Keras model fit a microcontroller, and proves that it does.

The names below are imported on first use: TensorFlow is loaded only by what needs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcuprune.budget import Budget as Budget
    from mcuprune.channels.effect import ConfigSize as ConfigSize
    from mcuprune.channels.effect import Effect as Effect
    from mcuprune.channels.effect import WeightAxis as WeightAxis
    from mcuprune.channels.effect import channel_rule as channel_rule
    from mcuprune.cost.front import estimate as estimate
    from mcuprune.cost.resources import Resources as Resources
    from mcuprune.deployment.check import check as check
    from mcuprune.deployment.optimize import optimize as optimize
    from mcuprune.deployment.package import deploy as deploy
    from mcuprune.errors import McupruneError as McupruneError
    from mcuprune.keras2.rebuild import from_tf_keras as from_tf_keras
    from mcuprune.pruning.callback import MCUPruning as MCUPruning
    from mcuprune.pruning.distillation import soft_targets as soft_targets
    from mcuprune.pruning.minimize import minimize as minimize
    from mcuprune.pruning.pruner import Pruner as Pruner
    from mcuprune.quantization.prepare import quantize_aware as quantize_aware
    from mcuprune.report.overview import group_overview as groups
    from mcuprune.report.timeline import plot_memory as plot_memory
    from mcuprune.sweep.run import run_sweep as run_sweep
    from mcuprune.sweep.select import select_trial as select_trial
    from mcuprune.sweep.summary import results_summary as results_summary

# Public name: module that holds it, and its name there.
_HOMES = {
    "Budget": ("mcuprune.budget", "Budget"),
    "ConfigSize": ("mcuprune.channels.effect", "ConfigSize"),
    "Effect": ("mcuprune.channels.effect", "Effect"),
    "MCUPruning": ("mcuprune.pruning.callback", "MCUPruning"),
    "McupruneError": ("mcuprune.errors", "McupruneError"),
    "Pruner": ("mcuprune.pruning.pruner", "Pruner"),
    "Resources": ("mcuprune.cost.resources", "Resources"),
    "WeightAxis": ("mcuprune.channels.effect", "WeightAxis"),
    "channel_rule": ("mcuprune.channels.effect", "channel_rule"),
    "check": ("mcuprune.deployment.check", "check"),
    "deploy": ("mcuprune.deployment.package", "deploy"),
    "estimate": ("mcuprune.cost.front", "estimate"),
    "from_tf_keras": ("mcuprune.keras2.rebuild", "from_tf_keras"),
    "groups": ("mcuprune.report.overview", "group_overview"),
    "minimize": ("mcuprune.pruning.minimize", "minimize"),
    "optimize": ("mcuprune.deployment.optimize", "optimize"),
    "plot_memory": ("mcuprune.report.timeline", "plot_memory"),
    "quantize_aware": ("mcuprune.quantization.prepare", "quantize_aware"),
    "results_summary": ("mcuprune.sweep.summary", "results_summary"),
    "run_sweep": ("mcuprune.sweep.run", "run_sweep"),
    "select_trial": ("mcuprune.sweep.select", "select_trial"),
    "soft_targets": ("mcuprune.pruning.distillation", "soft_targets"),
}

__all__ = [
    "Budget",
    "ConfigSize",
    "Effect",
    "MCUPruning",
    "McupruneError",
    "Pruner",
    "Resources",
    "WeightAxis",
    "channel_rule",
    "check",
    "deploy",
    "estimate",
    "from_tf_keras",
    "groups",
    "minimize",
    "optimize",
    "plot_memory",
    "quantize_aware",
    "results_summary",
    "run_sweep",
    "select_trial",
    "soft_targets",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mcuprune' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
