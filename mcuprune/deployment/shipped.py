"""The file as it ships: with a memory plan, unless that buys nothing or costs too much flash."""

from __future__ import annotations

import dataclasses

from mcuprune.budget import Budget
from mcuprune.cost.firmware import runtime_of_board, target_of
from mcuprune.cost.resources import estimate
from mcuprune.cost.runtime import REFERENCE
from mcuprune.deployment.optimize import Optimized, optimize
from mcuprune.deployment.strip import strip
from mcuprune.ir.from_tflite import parse_tflite


def shipped(
    tflite: bytes, name: str, *, board: str | None = None, budget: Budget | None = None
) -> Optimized:
    """Plan the arena of a converted file.

    Args:
        tflite: Contents of the file.
        name: Its name, for messages.
        board: The board whose kernels matter most; the budget's own by default.
        budget: Where its SRAM is enough only with a plan that makes the arena of other kernels
            larger, that plan is taken. The plan is left out where its bytes would break a limit on
            flash that the file meets without.

    Raises:
        UnknownNameError: No such board.
        InputError: The file is no sound TFLite model.
        UnsupportedModelError: The file cannot take a plan (:func:`.optimize.optimize`).
        EngineError: TFLM answers differently with the plan.
    """
    board = board or (None if budget is None else budget.board)
    runtime = REFERENCE if board is None else runtime_of_board(board)
    optimized = optimize(tflite, name, runtime=runtime)
    if not optimized.plan.proven and _exceeds(optimized.model, name, budget):
        # Better a larger arena with kernels that this budget is not about.
        optimized = optimize(tflite, name, runtime=runtime, others=())
    if not optimized.is_changed:
        return optimized
    if not optimized.plan.saved_bytes:
        return optimized.undone(tflite, f"only other runtimes than {runtime} would gain")
    planned = strip(optimized.model)
    limit = _limit_on_file(tflite, name, budget)
    if limit is not None and len(tflite) <= limit < len(planned):
        needed = f"the plan needs {len(planned) - len(tflite):,} B of flash"
        return optimized.undone(tflite, f"{needed}, more than the budget leaves")
    return dataclasses.replace(optimized, model=planned)


def _exceeds(tflite: bytes, name: str, budget: Budget | None) -> bool:
    """Return whether the arena is larger than the budget allows."""
    if budget is None or budget.sram is None:
        return False
    target = target_of(budget)
    counted = estimate(parse_tflite(tflite, name), target.runtime, target.pointer_bits)
    return counted.arena_total_bytes > budget.sram


def _limit_on_file(tflite: bytes, name: str, budget: Budget | None) -> int | None:
    if budget is None or budget.flash is None:
        return None
    return budget.flash - (target_of(budget).code_bytes(parse_tflite(tflite, name)) or 0)
