"""Time and energy of a model on a board, with where the numbers come from."""

from __future__ import annotations

import dataclasses

from mcuprune.boards import Board, board
from mcuprune.budget import Budget
from mcuprune.cost.energy import inference_energy
from mcuprune.cost.firmware import target_of
from mcuprune.cost.latency import (
    Latency,
    Timing,
    board_timing,
    budget_timing,
    operator_millicycles,
    required_millicycles,
    total_millicycles,
    unknown_kernels,
    whole_cycles,
)
from mcuprune.cost.resources import PREDICTED, Resources, estimate
from mcuprune.ir.graph import Graph


def estimate_for(budget: Budget | None, graph: Graph) -> Resources:
    """Count what a budget is about: on its board, or on the host, with the latency if limited.

    Args:
        budget: What is allowed, if anything was said.
        graph: The model, its dimensions ints.

    Raises:
        InputError: The latency is limited, but the budget names no board, or one of unknown speed.
        UnsupportedModelError: A kernel of the model is in no table.
    """
    target = target_of(budget)
    resources = estimate(graph, target.runtime, target.pointer_bits)
    if budget is None or budget.latency is None:
        return resources
    timing = budget_timing(budget.board)
    required_millicycles(graph, timing)
    return _timed(resources, graph, timing, board(budget.board or ""))


def with_time(resources: Resources, graph: Graph, device: Board) -> Resources:
    """Return resources with latency, cycles per operator and energy on a board.

    What is not known stays None, and ``latency`` says why.

    Args:
        resources: What the model needs; their runtime is the one that is timed.
        graph: The model, its dimensions ints.
        device: The board.
    """
    timing = board_timing(device, resources.runtime)
    if timing is None:
        reason = f"nothing is known of how fast {device.name} runs {resources.runtime}"
        return dataclasses.replace(resources, latency=Latency(absent=reason))
    return _timed(resources, graph, timing, device)


def _timed(resources: Resources, graph: Graph, timing: Timing, device: Board) -> Resources:
    cycles = [whole_cycles(operator_millicycles(graph, o, timing)) for o in graph.operators]
    operators = tuple(
        dataclasses.replace(operator, cycles=each)
        for operator, each in zip(resources.operators, cycles, strict=True)
    )
    timed = dataclasses.replace(resources, operators=operators, latency=_latency(graph, timing))
    total = whole_cycles(total_millicycles(graph, timing))
    if total is None:
        return timed
    latency_ms = timing.milliseconds(total)
    energy = None
    if device.power is not None:
        energy = inference_energy(latency_ms, timing.speed.origin, device.power)
    return dataclasses.replace(
        timed,
        cycles=total,
        latency_ms=latency_ms,
        energy=energy,
        energy_mj=None if energy is None else energy.millijoules,
        provenance={**resources.provenance, "latency_ms": PREDICTED, "energy_mj": PREDICTED},
    )


def _latency(graph: Graph, timing: Timing) -> Latency:
    unknown = unknown_kernels(graph, timing)
    absent = None
    if unknown:
        absent = f"no table tells what these kernels take: {', '.join(unknown)}"
    speed = timing.speed
    return Latency(
        origin=speed.origin,
        source=speed.source,
        software=speed.software,
        table=speed.table,
        clock_mhz=timing.clock_mhz,
        error_percent=speed.error_percent,
        absent=absent,
    )
