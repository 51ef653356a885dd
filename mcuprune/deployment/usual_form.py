"""The order and the names of tensors that a file converted with calibration data has.

A model with ranges of its own converts to the same operators and tensors, numbered otherwise, with
ends named after the rounding in up to 200 bytes. In the usual form its file is as long as
predicted, to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcuprune.ir.keras_order import input_names
from mcuprune.ir.renumbering import renumber

# What TensorFlow calls the results of a function.
_OUTPUT_NAME = "Identity"


def in_usual_form(model: bytes) -> bytes:
    """Return an equivalent ``.tflite`` file whose tensors are numbered and named as usual.

    Args:
        model: Contents of a sound ``.tflite`` file with one subgraph.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    contents = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    (subgraph,) = contents.subgraphs
    _name_ends(subgraph)
    renumber(subgraph, list(dict.fromkeys(_usual_order(subgraph, contents.buffers))))
    builder = flatbuffers.Builder(len(model))
    builder.Finish(contents.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _name_ends(subgraph: Any) -> None:
    for tensor, name in zip(subgraph.inputs, input_names(len(subgraph.inputs)), strict=True):
        subgraph.tensors[tensor].name = name
    for number, tensor in enumerate(subgraph.outputs):
        subgraph.tensors[tensor].name = f"{_OUTPUT_NAME}_{number}" if number else _OUTPUT_NAME


def _usual_order(subgraph: Any, buffers: Any) -> Iterator[int]:
    """Yield inputs, integers, weights from the last operator to the first, then activations."""
    yield from subgraph.inputs
    read = [int(i) for operator in subgraph.operators for i in operator.inputs if i >= 0]
    constants = [i for i in read if buffers[subgraph.tensors[i].buffer].data is not None]
    yield from (i for i in constants if not _is_quantized(subgraph.tensors[i]))
    yield from reversed(constants)
    for operator in subgraph.operators:
        yield from operator.outputs
    yield from range(len(subgraph.tensors))


def _is_quantized(tensor: Any) -> bool:
    return tensor.quantization is not None and tensor.quantization.scale is not None
