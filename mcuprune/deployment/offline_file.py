"""Writes an offline plan into a ``.tflite`` file and leaves every other byte of it as it is.

Flatbuffers refer forwards only, so that what is new can stand before the file, which keeps all its
inner distances: a new root with longer lists of buffers and metadata, and the plan. The operators'
order is a list of distances, exchanged where it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import flatbuffers

from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.flatbuffer import Table, root_table
from mcuprune.planner.offline import OfflinePlan

# Source of slots and of the alignment: tensorflow/compiler/mlir/lite/schema/schema.fbs.
_VERSION, _SUBGRAPHS, _BUFFERS, _METADATA = 0, 2, 4, 6
_MODEL_SLOTS = 10
_SUBGRAPH_OPERATORS = 3
_OPERATOR_OUTSIDE_OPTIONS = 9
_BUFFER_OUTSIDE = 1
_ALIGNMENT_BYTES = 16
_MARK = b"TFL3"
# Layout of the plan: [version, subgraph, number of tensors, offset per tensor], by
# tensorflow/lite/micro/docs/memory_management.md and micro_allocator_test.cc.
PLAN_NAME = "OfflineMemoryAllocation"
_PLAN_HEAD = (1, 0)
_ORDERED_METADATA = frozenset({"model_control_dependencies"})


def with_offline_plan(model: bytes, plan: OfflinePlan) -> bytes:
    """Return a ``.tflite`` file that runs by a plan.

    Args:
        model: Contents of a sound file with one subgraph.
        plan: A plan of its graph.

    Returns:
        The file itself where the plan leaves it as it is.

    Raises:
        UnsupportedModelError: The file keeps parts outside the flatbuffer, is of a newer schema,
            names operators by their position while the plan moves them, or its arena is larger
            than a plan can say.
    """
    if plan.offsets_bytes is None:
        return model
    root = root_table(model, "model")
    require_rewritable(root)
    changed = bytearray(model)
    if plan.is_reordered:
        _exchange_operators(changed, root, plan.operators)
    _require_32_bits(plan.offsets_bytes)
    numbers = [*_PLAN_HEAD, len(plan.offsets_bytes), *plan.offsets_bytes]
    data = struct.pack(f"<{len(numbers)}i", *numbers)
    stored = _stored_plan(root)
    if stored is None:
        return _with_metadata(bytes(changed), root, data)
    start, length = stored
    changed[start : start + length] = data.ljust(length, b"\0")[:length]
    return bytes(changed)


def require_rewritable(root: Table) -> None:
    """Check that a file can take a plan.

    Args:
        root: The model's table.

    Raises:
        UnsupportedModelError: It cannot; the message says why.
    """
    subgraphs = root.tables(_SUBGRAPHS, "subgraph")
    if len(subgraphs) != 1:
        raise UnsupportedModelError(
            f"the file has {len(subgraphs)} subgraphs; memory is planned for files with one: "
            "convert the model without control flow"
        )
    if any(root.has(slot) for slot in range(_MODEL_SLOTS, root.slots)):
        raise UnsupportedModelError(
            f"the file has fields of a newer schema (more than {_MODEL_SLOTS}), which may not be "
            "moved unseen: convert the model with TensorFlow 2.21 or older"
        )
    outside = [b.number(_BUFFER_OUTSIDE, "uint64") > 1 for b in root.tables(_BUFFERS, "buffer")]
    operators = subgraphs[0].tables(_SUBGRAPH_OPERATORS, "operator")
    options = [op.number(_OPERATOR_OUTSIDE_OPTIONS, "uint64") > 1 for op in operators]
    if any(outside) or any(options):
        raise UnsupportedModelError(
            "the file keeps data after the flatbuffer, as files over 2 GiB do: no microcontroller "
            "holds it, give a smaller model"
        )


def has_operators_by_position(model: bytes) -> bool:
    """Return whether a file's metadata name operators by their position, so that none may move."""
    entries = root_table(model, "model").tables(_METADATA, "metadata")
    return any(entry.text(0, "name") in _ORDERED_METADATA for entry in entries)


def _require_32_bits(offsets_bytes: Sequence[int]) -> None:
    largest = max(offsets_bytes, default=0)
    if largest >= 2**31:
        raise UnsupportedModelError(
            f"a tensor's place in the arena is byte {largest:,}, plans end at {2**31:,}: no "
            "microcontroller has such an arena, give a smaller model"
        )


def _exchange_operators(changed: bytearray, root: Table, operators: Sequence[int]) -> None:
    """Put the distances to the operators' tables into another order."""
    subgraph = root.tables(_SUBGRAPHS, "subgraph")[0]
    tables = subgraph.tables(_SUBGRAPH_OPERATORS, "operator")
    start = subgraph.target(_SUBGRAPH_OPERATORS, "operators")
    if start is None:
        return
    for place, old in enumerate(operators):
        element = start + 4 + 4 * place
        struct.pack_into("<I", changed, element, tables[old].position - element)


def _stored_plan(root: Table) -> tuple[int, int] | None:
    """Return the place and the length of the plan that a file already has."""
    buffers = root.tables(_BUFFERS, "buffer")
    found = None
    for entry in root.tables(_METADATA, "metadata"):
        if entry.text(0, "name") == PLAN_NAME:
            found = buffers[entry.number(1, "uint32")].span(0, "data")
    return found


def _with_metadata(model: bytes, root: Table, data: bytes) -> bytes:
    """Return the file with the plan as a further buffer, and metadata that name it."""
    padded = model + bytes(-len(model) % _ALIGNMENT_BYTES)
    builder = flatbuffers.Builder(len(padded) + 64 * len(data))
    builder.head -= len(padded)
    builder.Bytes[builder.head :] = padded
    builder.minalign = _ALIGNMENT_BYTES

    def distance(position: int) -> int:
        return len(padded) - position

    buffers = [distance(table.position) for table in root.tables(_BUFFERS, "buffer")]
    entries = [distance(table.position) for table in root.tables(_METADATA, "metadata")]
    entry = _entry(builder, len(buffers))
    lists = {
        _BUFFERS: _offsets(builder, [*buffers, _buffer(builder, data)]),
        _METADATA: _offsets(builder, [*entries, entry]),
    }
    builder.StartObject(_MODEL_SLOTS)
    builder.PrependUint32Slot(_VERSION, root.number(_VERSION, "uint32"), 0)
    for slot in range(_VERSION + 1, _MODEL_SLOTS):
        target = root.target(slot, f"field {slot}")
        if slot in lists:
            builder.PrependUOffsetTRelativeSlot(slot, lists[slot], 0)
        elif target is not None:
            builder.PrependUOffsetTRelativeSlot(slot, distance(target), 0)
    builder.Finish(builder.EndObject(), file_identifier=_MARK)
    return bytes(builder.Output())


def _buffer(builder: flatbuffers.Builder, data: bytes) -> int:
    builder.StartVector(1, len(data), _ALIGNMENT_BYTES)
    end = builder.Head()
    builder.head = end - len(data)
    builder.Bytes[builder.head : end] = data
    vector = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, vector, 0)
    return int(builder.EndObject())


def _entry(builder: flatbuffers.Builder, buffer: int) -> int:
    name = builder.CreateString(PLAN_NAME)
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependUint32Slot(1, buffer, 0)
    return int(builder.EndObject())


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
