"""Nested loops over tensors: few, because axes that run alike become one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mcuprune.codegen.kernel_call import Parameter
from mcuprune.codegen.model_file import Node


@dataclasses.dataclass(frozen=True)
class Loop:
    """One loop and how far each pointer moves per round.

    Attributes:
        size: Rounds.
        steps: Elements, one number per pointer.
    """

    size: int
    steps: tuple[int, ...]


def merged(loops: Sequence[Loop]) -> list[Loop]:
    """Return the same rounds in as few loops as possible, outermost first.

    >>> merged([Loop(2, (12, 0)), Loop(3, (4, 4)), Loop(4, (1, 1))])
    [Loop(size=2, steps=(12, 0)), Loop(size=12, steps=(1, 1))]
    """
    found: list[Loop] = []
    for loop in loops:
        if loop.size == 1:
            continue
        if found and all(
            outer == loop.size * inner
            for outer, inner in zip(found[-1].steps, loop.steps, strict=True)
        ):
            found[-1] = Loop(found[-1].size * loop.size, loop.steps)
        else:
            found.append(loop)
    return found


def loop_parameters(
    node: Node, loops: Sequence[Loop], count: int, pointers: Sequence[str], sizes: str = "sizes"
) -> dict[str, Parameter]:
    """Return loops as fields of a kernel's structure, filled up to a fixed number of loops.

    Args:
        node: Its operator, for messages.
        loops: The loops, outermost first.
        count: Number of loops in the kernel.
        pointers: Names of the fields with steps.
        sizes: Name of the field with rounds.

    Raises:
        UnsupportedModelError: More loops are left than the kernel has.
    """
    few = merged(loops)
    node.require(
        len(few) <= count, f"its axes need {len(few)} nested loops, the kernel has {count}"
    )
    filled = [Loop(1, (0,) * len(pointers))] * (count - len(few)) + few
    steps = {
        name: tuple(loop.steps[place] for loop in filled) for place, name in enumerate(pointers)
    }
    return {sizes: tuple(loop.size for loop in filled), **steps}


def row_steps(shape: Sequence[int]) -> tuple[int, ...]:
    """Return how many elements lie between neighbours along each axis.

    >>> row_steps((2, 3, 4))
    (12, 4, 1)
    """
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= size
    return tuple(reversed(steps))


def broadcast_steps(shape: Sequence[int], output: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of an input per axis of the output; 0 where it is repeated.

    >>> broadcast_steps((3, 1), (2, 3, 4))
    (0, 1, 0)
    """
    padded = (1,) * (len(output) - len(shape)) + tuple(shape)
    return tuple(
        0 if size == 1 else step for size, step in zip(padded, row_steps(padded), strict=True)
    )
