"""Which tensors may lie in the same place, though their lifetimes touch.

A reshaped tensor holds the bytes of its source, and an element-wise operator may write its result
over an input that nothing reads afterwards. TFLM takes both from an offline plan; which kernels
allow it is listed, with sources, in ``cost_models/kernels/in_place.yaml``.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

import yaml

from mcuprune.catalogue import data_folder
from mcuprune.ir.dim import Extent, align_up
from mcuprune.ir.graph import Graph, Operator
from mcuprune.planner.lifetimes import (
    BUFFER_ALIGNMENT_BYTES,
    Buffer,
    Lifetime,
    ScratchRequest,
    lifetimes,
    step_of,
)


@dataclasses.dataclass(frozen=True)
class InPlaceKinds:
    """Kinds of operators by what their kernels allow.

    Attributes:
        copies: The output holds the bytes of the first input.
        elementwise: The output may be written over an input of its shape and type.
    """

    copies: frozenset[str]
    elementwise: frozenset[str]


@functools.cache
def in_place_kinds() -> InPlaceKinds:
    """Return the kinds that ``cost_models/kernels/in_place.yaml`` lists."""
    path = data_folder("cost_models/kernels") / "in_place.yaml"
    table = yaml.safe_load(path.read_text())
    return InPlaceKinds(frozenset(table["copies"]), frozenset(table["elementwise"]))


def copied_places(graph: Graph) -> dict[int, int]:
    """Return for each tensor that copies another the tensor in whose place it may lie.

    That place holds for any order of the operators.
    """
    planned = {life.tensor for life in lifetimes(graph)}
    place: dict[int, int] = {}
    for operator in graph.operators:
        if operator.kind not in in_place_kinds().copies:
            continue
        source, copy = operator.inputs[0], operator.outputs[0]
        is_same_size = graph.tensors[source].size_bytes == graph.tensors[copy].size_bytes
        if is_same_size and {source, copy} <= planned and copy not in graph.inputs:
            place[copy] = place.get(source, source)
    return place


def overwritable(graph: Graph, operator: Operator, place: Mapping[int, int]) -> list[int]:
    """Return the inputs that an operator may write its output over, once nothing else reads them.

    Args:
        graph: The graph.
        operator: One of its operators.
        place: Tensors that lie in the place of another.
    """
    if operator.kind not in in_place_kinds().elementwise or len(operator.outputs) != 1:
        return []
    output = graph.tensors[operator.outputs[0]]
    present = [i for i in operator.inputs if i >= 0]
    alike = [
        i
        for i in present
        if graph.tensors[i].shape == output.shape
        and graph.tensors[i].bits == output.bits
        and not graph.tensors[i].is_constant
        and not graph.tensors[i].is_variable
    ]
    # An input of another shape is read at other places than it would be written.
    other = {place.get(i, i) for i in present if i not in alike}
    return [i for i in dict.fromkeys(alike) if place.get(i, i) not in other]


def shared_places(graph: Graph) -> dict[int, int]:
    """Return for each tensor that can do without a place of its own whose place it takes.

    Args:
        graph: A graph, its widths known or open, its operators in the order of execution.
    """
    place = copied_places(graph)
    last: dict[int, int] = {}
    planned = {life.tensor: life for life in lifetimes(graph)}
    for tensor, life in planned.items():
        room = place.get(tensor, tensor)
        # The caller reads outputs after the last operator has run.
        read = step_of(len(graph.operators)) if tensor in graph.outputs else life.last_step
        last[room] = max(last.get(room, read), read)
    for operator in graph.operators:
        for source in overwritable(graph, operator, place):
            target, room = operator.outputs[0], place.get(source, source)
            if source in planned and target in planned and last[room] == step_of(operator.index):
                _move_into(place, last, target, room)
                break
    return place


def places_in_file(graph: Graph) -> dict[int, int]:
    """Return for each tensor that the graph's file puts in the place of another that place.

    Args:
        graph: A graph; without an offline plan nothing is shared.
    """
    offsets = graph.offline_offsets
    if offsets is None:
        return {}
    shared = shared_places(graph).items()
    return {t: room for t, room in shared if offsets[t] == offsets[room] >= 0}


def room_buffers(
    graph: Graph, scratch: Sequence[ScratchRequest], place: Mapping[int, int]
) -> tuple[Buffer, ...]:
    """Return the buffers to be placed, one for all tensors that share a place.

    An operator's scratch memory is one buffer: whatever order TFLM places its requests in, they fit
    where that buffer is reserved.

    Args:
        graph: A graph, its widths known or open; offsets that its file prescribes are ignored.
        scratch: What the kernels ask for.
        place: Tensors that lie in the place of another (:func:`shared_places`), or none.
    """
    rooms: dict[int, list[Lifetime]] = {}
    free = dataclasses.replace(graph, offline_offsets=None)
    for life in lifetimes(free):
        rooms.setdefault(place.get(life.tensor, life.tensor), []).append(life)
    tensors = (
        Buffer(
            tensor=room,
            size_bytes=align_up(graph.tensors[room].size_bytes, BUFFER_ALIGNMENT_BYTES),
            first_step=min(life.first_step for life in lives),
            last_step=max(life.last_step for life in lives),
        )
        for room, lives in rooms.items()
    )
    return (*(b for b in tensors if b.size_bytes != 0), *scratch_buffers(scratch))


def scratch_buffers(scratch: Sequence[ScratchRequest]) -> Iterator[Buffer]:
    """Yield one buffer per operator that asks for scratch memory, as large as all its requests.

    Args:
        scratch: What the kernels ask for.
    """
    needed: dict[int, Extent] = {}
    for request in scratch:
        size_bytes = align_up(request.size_bytes, BUFFER_ALIGNMENT_BYTES)
        needed[request.operator] = needed.get(request.operator, 0) + size_bytes
    for operator, size_bytes in needed.items():
        if size_bytes != 0:
            yield Buffer(None, size_bytes, step_of(operator), step_of(operator))


def _move_into(place: dict[int, int], last: dict[int, int], target: int, room: int) -> None:
    """Give a tensor, and all that lie in its place, another place."""
    for tensor in [target, *(t for t, of in place.items() if of == target)]:
        place[tensor] = room
    last[room] = max(last[room], last.pop(target))
