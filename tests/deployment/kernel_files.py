"""Files of a single operator, for real runtimes."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mcuprune.ir.tflite_schema import BUILTIN_OPERATORS

SHAPE = (1, 7, 5, 9)
TYPE_CODES = {"int8": 9, "float32": 0, "int32": 2, "int16": 7}
# What the kernels demand of the output's scale and zero point.
OUTPUT_QUANTIZATION = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


def options_of(kind):
    made = {
        "ADD": (schema.BuiltinOptions.AddOptions, schema.AddOptionsT),
        "SUB": (schema.BuiltinOptions.SubOptions, schema.SubOptionsT),
        "MUL": (schema.BuiltinOptions.MulOptions, schema.MulOptionsT),
        "LEAKY_RELU": (schema.BuiltinOptions.LeakyReluOptions, schema.LeakyReluOptionsT),
        "RESHAPE": (schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT),
        "EXPAND_DIMS": (schema.BuiltinOptions.ExpandDimsOptions, schema.ExpandDimsOptionsT),
    }.get(kind)
    return (0, None) if made is None else (made[0], made[1]())


def kernel_file(kind, dtype="int8", second_shape=None):
    """Return a file whose one operator takes an input of SHAPE, and a second if it has a shape."""
    shape = (*SHAPE[:3], 1, SHAPE[3]) if kind == "EXPAND_DIMS" else SHAPE
    if kind == "RESHAPE":
        shape = (1, int(np.prod(SHAPE)))
    output = OUTPUT_QUANTIZATION.get(kind, (0.07, 3))
    tensors = [_tensor("x", SHAPE, dtype, (0.05, -5)), _tensor("y", shape, dtype, output)]
    buffers, inputs = [None], [0]
    if second_shape is not None:
        tensors.append(_tensor("z", second_shape, dtype, (0.03, 7)))
        inputs.append(2)
    reads = list(inputs)
    if kind == "EXPAND_DIMS":
        tensors.append(_tensor("axis", (1,), "int32", None, buffer=1))
        buffers.append(np.array([3], "<i4").view(np.uint8))
        reads.append(2)
    return _pack(tensors, kind, inputs, reads, buffers)


def _tensor(name, shape, dtype, quantization, buffer=0):
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name.encode(), shape, TYPE_CODES[dtype], buffer
    if quantization is not None and dtype == "int8":
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = [quantization[0]]
        made.quantization.zeroPoint = [quantization[1]]
    return made


def _pack(tensors, kind, inputs, reads, buffers):
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = BUILTIN_OPERATORS.index(kind)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    operator.inputs, operator.outputs = reads, [1]
    operator.builtinOptionsType, operator.builtinOptions = options_of(kind)
    subgraph, model = schema.SubGraphT(), schema.ModelT()
    subgraph.tensors, subgraph.operators = tensors, [operator]
    subgraph.inputs, subgraph.outputs = inputs, [1]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [subgraph]
    model.buffers = []
    for data in buffers:
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = data
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
