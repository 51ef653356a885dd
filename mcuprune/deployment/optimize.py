"""Rewrites a ``.tflite`` file so that stock TFLM needs a smaller arena, and checks that it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcuprune.cost.memory import largest_working_set
from mcuprune.cost.runtime import REFERENCE, load_runtime
from mcuprune.cost.scratch import scratch_requests
from mcuprune.deployment.offline_file import (
    has_operators_by_position,
    require_rewritable,
    with_offline_plan,
)
from mcuprune.engines.base import Array
from mcuprune.engines.own_process import OwnProcess
from mcuprune.errors import EngineError, InputError, UnsupportedModelError
from mcuprune.ir.flatbuffer import root_table
from mcuprune.ir.from_tflite import parse_tflite, read_model_bytes, sound_file
from mcuprune.ir.graph import Graph, Tensor
from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS
from mcuprune.planner.offline import OfflinePlan, plan_offline
from mcuprune.planner.optimal import TIME_LIMIT_S
from mcuprune.whole_file import write_whole

CHECKED_INPUTS = 3
# No microcontroller has as much; a damaged file may ask for more than the host has.
MEASURED_TENSORS_BYTES = 2**28
# Kernels that the same file may run with: their scratch memory is placed by TFLM on the device.
RUNTIMES = (REFERENCE, "tflm-cmsis-nn", "tflm-cmsis-nn-mve")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What TFLM said about the file before and after.

    Attributes:
        head_before_bytes: The arena's head as the file was.
        head_after_bytes: The head with the plan.
        inputs: Number of random inputs for which all output bytes were equal.
    """

    head_before_bytes: int
    head_after_bytes: int
    inputs: int


@dataclasses.dataclass(frozen=True)
class Optimized:
    """A file with its memory plan.

    Attributes:
        model: Contents of the file; as given where nothing was gained.
        plan: The plan that was found, also where the file stays as it is.
        largest_working_set_bytes: Of the file as given.
        measured: What TFLM said, None where it was not asked or refuses the file.
        note: Why the file stays as it is, or why nothing was measured; empty otherwise.
        runtimes: Whose kernels the plan's heads are for, in their order.
    """

    model: bytes
    plan: OfflinePlan
    largest_working_set_bytes: int
    measured: Measured | None
    note: str
    runtimes: tuple[str, ...] = RUNTIMES

    @property
    def is_changed(self) -> bool:
        """Whether the file differs from the given one."""
        return self.plan.offsets_bytes is not None

    def undone(self, model: bytes, note: str) -> Optimized:
        """Return the same finding with the file as it was given, and the reason."""
        plan = dataclasses.replace(
            self.plan,
            operators=tuple(range(len(self.plan.operators))),
            offsets_bytes=None,
            heads_bytes=self.plan.unplanned_heads_bytes,
            in_place=0,
        )
        return dataclasses.replace(self, model=model, plan=plan, note=note)

    def to_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        plan = self.plan
        return {
            "changed": self.is_changed,
            "runtime": self.runtimes[0],
            "arena_head_bytes": {"before": plan.unplanned_head_bytes, "after": plan.head_bytes},
            "saved_bytes": plan.saved_bytes,
            "lower_bound_bytes": plan.lower_bound_bytes,
            "proven": plan.proven,
            "largest_working_set_bytes": self.largest_working_set_bytes,
            "reordered": plan.is_reordered,
            "in_place_tensors": plan.in_place,
            "tflite_bytes": len(self.model),
            "tflm": None if self.measured is None else dataclasses.asdict(self.measured),
            "other_runtimes": {
                name: {"before": before, "after": after}
                for name, before, after in zip(
                    self.runtimes[1:],
                    plan.unplanned_heads_bytes[1:],
                    plan.heads_bytes[1:],
                    strict=True,
                )
            },
            "note": self.note,
        }


def optimize(
    model: bytes,
    name: str = "the model",
    *,
    reorder: bool = True,
    in_place: bool = True,
    time_limit_s: float = TIME_LIMIT_S,
    check: bool = True,
    runtime: str = REFERENCE,
    others: Sequence[str] = RUNTIMES,
) -> Optimized:
    """Plan the arena of a ``.tflite`` file and write the plan into it.

    The plan is kept only if it makes the arena smaller: with the runtime's kernels, or as small
    with them and smaller with others, and larger with none. Everything else in the file stays.

    Args:
        model: Contents of the file.
        name: Its name, for messages.
        reorder: Whether operators may run in another order.
        in_place: Whether tensors may share a place where the kernels allow it.
        time_limit_s: Seconds after which the best plan found is taken.
        check: Whether to run both files with TFLM, in processes of their own, and compare; not
            done where the tensors have over 256 MiB together.
        runtime: Whose kernels matter most, a name of :data:`mcuprune.cost.runtime.RUNTIMES`.
        others: Whose arena may not grow either.

    Raises:
        UnknownNameError: No such runtime.
        InputError: The file is no sound TFLite model, or the time limit is negative.
        UnsupportedModelError: It has several subgraphs, data outside the flatbuffer, or a plan of
            another tool for operators that are not TFLite's.
        EngineError: TFLM answers differently with the plan.
    """
    graph = parse_tflite(model, name)
    with sound_file(name):
        require_rewritable(root_table(model, name))
        is_movable = reorder and not has_operators_by_position(model)
    _require_own_memory(graph)
    runtimes = tuple(dict.fromkeys([runtime, *others]))
    first, *more = [scratch_requests(graph, load_runtime(each)) for each in runtimes]
    plan = plan_offline(
        graph,
        first,
        others=more,
        reorder=is_movable,
        in_place=in_place,
        time_limit_s=time_limit_s,
    )
    with sound_file(name):
        planned = with_offline_plan(model, plan)
    optimized = Optimized(
        model=planned,
        plan=plan,
        largest_working_set_bytes=largest_working_set(graph),
        measured=None,
        note="",
        runtimes=runtimes,
    )
    if not optimized.is_changed:
        return dataclasses.replace(optimized, note=_nothing_gained(plan))
    if not check:
        return optimized
    measured, note = _measure(model, optimized.model, graph)
    optimized = dataclasses.replace(optimized, measured=measured, note=note)
    if measured is None or _is_worth_it(measured, optimized):
        return optimized
    return optimized.undone(
        model,
        f"kernels ask for scratch memory that is not in the tables: with the plan TFLM uses "
        f"{measured.head_after_bytes:,} B, without it {measured.head_before_bytes:,} B",
    )


def optimize_file(path: Path, out: Path, **options: Any) -> Optimized:
    """Plan the arena of a ``.tflite`` file and write the result to another.

    Args:
        path: The file.
        out: The file to write; may be the same. Where nothing is gained it becomes a copy. Its
            folder is made if absent.
        options: As for :func:`optimize`.

    Raises:
        InputError: The file cannot be read or is unsound, or ``out`` cannot be written.
        UnsupportedModelError: See :func:`optimize`.
        EngineError: See :func:`optimize`.
    """
    optimized = optimize(read_model_bytes(path), str(path), **options)
    try:
        write_whole(out, optimized.model)
    except OSError as error:
        raise InputError(
            f"cannot write {out} ({error.strerror or error}): choose a folder that you may write to"
        ) from None
    return optimized


def _require_own_memory(graph: Graph) -> None:
    """Refuse files whose plan serves operators that use the arena in ways unknown here."""
    custom = sorted({op.kind for op in graph.operators if op.kind not in BUILTIN_OPERATORS})
    if custom and graph.offline_offsets is not None:
        raise UnsupportedModelError(
            f"{graph.name} already has an offline memory plan, made for {', '.join(custom)}, which "
            "may use the arena beyond its tensors: plan the model with the tool that made it, or "
            "optimise it before that tool runs"
        )


def _nothing_gained(plan: OfflinePlan) -> str:
    if plan.proven:
        return "the arena's head is already as small as it can be"
    return f"no smaller plan was found; none is below {plan.lower_bound_bytes:,} B"


def _is_worth_it(measured: Measured, optimized: Optimized) -> bool:
    """Return whether TFLM uses less, or as much where other kernels are said to use less."""
    plan = optimized.plan
    heads = zip(optimized.runtimes, plan.unplanned_heads_bytes, plan.heads_bytes, strict=True)
    elsewhere = sum(before - after for name, before, after in heads if name != REFERENCE)
    saved = measured.head_before_bytes - measured.head_after_bytes
    return saved > 0 or (saved == 0 and elsewhere > 0)


def _measure(before: bytes, after: bytes, graph: Graph) -> tuple[Measured | None, str]:
    """Run both files on the same random inputs and compare every output byte."""
    held_bytes = sum(int(t.size_bytes) for t in graph.tensors if not t.is_constant)
    if held_bytes > MEASURED_TENSORS_BYTES:
        return None, (
            f"not measured: its tensors have {held_bytes:,} B together, over the "
            f"{MEASURED_TENSORS_BYTES:,} B that are tried"
        )
    inputs = random_inputs(graph, CHECKED_INPUTS)
    tflm = OwnProcess("tflm")
    try:
        given = tflm.run(before, inputs)
    except EngineError as error:
        return None, f"not measured: {error}"
    planned = tflm.run(after, inputs)
    for one, other in zip(given.all_outputs, planned.all_outputs, strict=True):
        if one.tobytes() != other.tobytes():
            raise EngineError(
                f"TFLM answers differently when {graph.name} runs by the plan, so the file is left "
                "as it was: please report this, and use --no-in-place and --no-reorder meanwhile"
            )
    assert given.arena is not None
    assert planned.arena is not None
    return Measured(given.arena.head_bytes, planned.arena.head_bytes, CHECKED_INPUTS), ""


def random_inputs(graph: Graph, count: int) -> list[Array]:
    """Return random inputs for a model, the same at every call.

    Args:
        graph: The model's graph.
        count: Number of inputs.

    Returns:
        An array of shape ``(count, ...)`` per input of the model, in its type. Wide integers, which
        may be places in a table, are 0 or 1.
    """
    chance = np.random.default_rng(0)
    return [_random(graph.tensors[index], count, chance) for index in graph.inputs]


def _random(tensor: Tensor, count: int, chance: np.random.Generator) -> Array:
    shape, dtype = (count, *tensor.shape[1:]), np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return chance.normal(size=shape).astype(dtype)
    if dtype.kind == "b" or dtype.itemsize > 2:
        return chance.integers(0, 2, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return chance.integers(limits.min, limits.max + 1, shape).astype(dtype)
