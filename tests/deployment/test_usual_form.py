"""Files whose tensors are numbered and named otherwise become the file that calibration gives."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mcuprune.deployment.strip import strip
from mcuprune.deployment.usual_form import in_usual_form


def opened(model):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))


def packed(contents):
    builder = flatbuffers.Builder(0)
    builder.Finish(contents.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def renumbered(model, order):
    """Put the tensors into another order, and call the first input and output something long."""
    contents = opened(model)
    (subgraph,) = contents.subgraphs
    subgraph.tensors[subgraph.inputs[0]].name = "image_range_1/FakeQuantWithMinMaxVars"
    subgraph.tensors[subgraph.outputs[0]].name = "classes_1/BiasAdd"
    place = {int(old): new for new, old in enumerate(order)}
    subgraph.tensors = [subgraph.tensors[old] for old in order]
    for holder in (subgraph, *subgraph.operators):
        holder.inputs = [place[i] for i in holder.inputs]
        holder.outputs = [place[i] for i in holder.outputs]
    return packed(contents)


def test_a_file_from_calibration_is_in_its_usual_form(digits_tflite):
    assert strip(in_usual_form(digits_tflite)) == digits_tflite


@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_names_give_the_same_file(digits_tflite, seed):
    count = len(opened(digits_tflite).subgraphs[0].tensors)
    shuffled = renumbered(digits_tflite, np.random.default_rng(seed).permutation(count))
    assert strip(shuffled) != digits_tflite
    assert strip(in_usual_form(shuffled)) == digits_tflite


def test_codes_of_operators_that_do_not_occur_are_stripped(digits_tflite):
    contents = opened(digits_tflite)
    for place, kind in ((0, "QUANTIZE"), (3, "DEQUANTIZE")):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 1
        contents.operatorCodes.insert(place, code)
        for operator in contents.subgraphs[0].operators:
            operator.opcodeIndex += operator.opcodeIndex >= place
    with_idle_codes = packed(contents)
    assert strip(with_idle_codes) == digits_tflite
