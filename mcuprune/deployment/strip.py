"""Takes out of a ``.tflite`` file what a device stores in flash and never reads.

Dropped: names of inner tensors (the names of inputs and outputs stay), the description, metadata
about the conversion, codes of operators that do not occur, and the empty buffers of activations.
Kept: operators, weights, quantization, signatures, the minimum runtime version and an offline
memory plan.
"""

from __future__ import annotations

from typing import Any

_KEPT_METADATA = (b"min_runtime_version", b"OfflineMemoryAllocation")
# schema.fbs: Buffer.data has force_align 16, so that kernels may load weights by vectors.
_ALIGNMENT_BYTES = 16


def strip(model: bytes) -> bytes:
    """Return an equivalent, smaller ``.tflite`` file.

    The result depends on the contents alone, so equal models give equal files.

    Args:
        model: Contents of a sound ``.tflite`` file.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    contents = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    contents.description = None
    contents.metadata = [m for m in contents.metadata or [] if m.name in _KEPT_METADATA]
    for subgraph in contents.subgraphs:
        _drop_inner_names(subgraph)
    _drop_idle_operator_codes(contents)
    _drop_idle_buffers(contents)
    for buffer in contents.buffers:
        buffer.Pack = _aligned_packer(schema, buffer)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(contents.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _drop_inner_names(subgraph: Any) -> None:
    outward = {*subgraph.inputs, *subgraph.outputs}
    for index, tensor in enumerate(subgraph.tensors):
        if index not in outward:
            tensor.name = None


def _drop_idle_operator_codes(contents: Any) -> None:
    """Keep those that an operator has, in their order, and renumber."""
    operators = [operator for subgraph in contents.subgraphs for operator in subgraph.operators]
    used = sorted({operator.opcodeIndex for operator in operators})
    contents.operatorCodes = [contents.operatorCodes[index] for index in used]
    for operator in operators:
        operator.opcodeIndex = used.index(operator.opcodeIndex)


def _drop_idle_buffers(contents: Any) -> None:
    """Keep buffer 0 (the schema's empty one) and those with data, and renumber."""
    kept = [contents.buffers[0]]
    new_index: dict[int, int] = {}
    tensors = [tensor for subgraph in contents.subgraphs for tensor in subgraph.tensors]
    for user in [*tensors, *contents.metadata]:
        buffer = contents.buffers[user.buffer]
        if buffer.data is None or not len(buffer.data):
            user.buffer = 0
            continue
        if user.buffer not in new_index:
            new_index[user.buffer] = len(kept)
            kept.append(buffer)
        user.buffer = new_index[user.buffer]
    contents.buffers = kept


def _aligned_packer(schema: Any, buffer: Any) -> Any:
    """Return a packer that aligns the data, which the generated one does not."""

    def pack(builder: Any) -> Any:
        data = None if buffer.data is None else bytes(buffer.data)
        vector = _aligned_vector(builder, data) if data else None
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)

    return pack


def _aligned_vector(builder: Any, data: bytes) -> Any:
    builder.StartVector(1, len(data), _ALIGNMENT_BYTES)
    end = builder.Head()
    builder.head = end - len(data)
    builder.Bytes[builder.head : end] = data
    return builder.EndVector()
