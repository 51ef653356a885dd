"""Files of operators that stand side by side, each with inputs and outputs of its own."""

import dataclasses

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS

_TYPES = {"int8": 9, "uint8": 3, "int32": 2, "float32": 0}


@dataclasses.dataclass(frozen=True)
class Data:
    """A tensor: activations, or a constant if it has values.

    Attributes:
        shape: Its dimensions.
        scales: One, one per channel, or none.
        zero_point: Of all scales.
        dtype: Its type.
        values: Of a constant.
        axis: Dimension of the channels.
    """

    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_point: int = 0
    dtype: str = "int8"
    values: np.ndarray | None = None
    axis: int = 0


def constant(values, dtype="int32", scales=(), zero_point=0, axis=0):
    values = np.asarray(values, dtype)
    return Data(values.shape, tuple(scales), zero_point, dtype, values, axis)


@dataclasses.dataclass(frozen=True)
class Case:
    """One operator.

    Attributes:
        kind: TFLite's name of it.
        inputs: In the order of the operator.
        outputs: In the order of the operator.
        options: Name of the options' table, and its fields by flatbuffers' Python names.
    """

    kind: str
    inputs: tuple[Data, ...]
    outputs: tuple[Data, ...]
    options: tuple[str, dict] | None = None


def operators_file(cases):
    """Return a file that runs all cases; inputs and outputs in their order."""
    model, subgraph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs = 3, [subgraph]
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    subgraph.tensors, subgraph.operators = [], []
    subgraph.inputs, subgraph.outputs = [], []
    codes = {}
    for case in cases:
        reads = [_add(model, subgraph, data) for data in case.inputs]
        writes = [_add(model, subgraph, data) for data in case.outputs]
        subgraph.inputs += [
            i for i, data in zip(reads, case.inputs, strict=True) if data.values is None
        ]
        subgraph.outputs += writes
        operator = schema.OperatorT()
        operator.opcodeIndex = codes.setdefault(case.kind, len(codes))
        operator.inputs, operator.outputs = reads, writes
        if case.options is not None:
            name, fields = case.options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = getattr(schema, f"{name}T")()
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        subgraph.operators.append(operator)
    for kind in codes:
        code = schema.OperatorCodeT()
        code.builtinCode = BUILTIN_OPERATORS.index(kind)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        model.operatorCodes.append(code)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _add(model, subgraph, data):
    tensor = schema.TensorT()
    tensor.name = f"tensor{len(subgraph.tensors)}".encode()
    tensor.shape, tensor.type, tensor.buffer = list(data.shape), _TYPES[data.dtype], 0
    if data.scales:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = list(data.scales)
        tensor.quantization.zeroPoint = [data.zero_point] * len(data.scales)
        tensor.quantization.quantizedDimension = data.axis
    if data.values is not None:
        tensor.buffer = len(model.buffers)
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(data.values.tobytes(), np.uint8)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1
