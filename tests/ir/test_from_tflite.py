"""The .tflite door against files made by an independent writer (the flatbuffers schema library)."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import parse_tflite, read_tflite
from mcuprune.ir.graph import Graph

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"
needs_models = pytest.mark.skipif(not MODELS.is_dir(), reason=f"no reference models at {MODELS}")


def tensor(name, shape, type_code=9, buffer=0, scales=(0.5,), is_variable=False):
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name, list(shape), type_code, buffer
    made.isVariable = is_variable
    if scales:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = list(scales)
        made.quantization.zeroPoint = [0] * len(scales)
    return made


def operator(code, inputs, outputs, options_type=0, options=None):
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, list(inputs), list(outputs)
    made.builtinOptionsType, made.builtinOptions = options_type, options
    return made


def operator_code(deprecated, builtin=0, version=1, custom=None):
    made = schema.OperatorCodeT()
    made.deprecatedBuiltinCode, made.builtinCode = deprecated, builtin
    made.version, made.customCode = version, custom
    return made


def buffer(data=None):
    made = schema.BufferT()
    made.data = None if data is None else np.frombuffer(data, np.uint8)
    return made


def conv_options(stride=(2, 1), dilation=1):
    made = schema.Conv2DOptionsT()
    made.padding, made.strideH, made.strideW = 1, *stride
    made.dilationHFactor = made.dilationWFactor = dilation
    made.fusedActivationFunction = 3
    return made


def small_model():
    """conv 3x1 (1,9,4,2) -> (1,4,4,5), then mean over height and width."""
    subgraph = schema.SubGraphT()
    subgraph.tensors = [
        tensor("in", (1, 9, 4, 2)),
        tensor("w", (5, 3, 1, 2), buffer=1, scales=(0.1,) * 5),
        tensor("b", (5,), type_code=2, buffer=2, scales=(0.1,) * 5),
        tensor("mid", (1, 4, 4, 5)),
        tensor("axes", (2,), type_code=2, buffer=3, scales=()),
        tensor("out", (1, 5)),
    ]
    reducer = schema.ReducerOptionsT()
    reducer.keepDims = False
    subgraph.operators = [
        operator(0, (0, 1, 2), (3,), 1, conv_options()),
        operator(1, (3, 4), (5,), 27, reducer),
    ]
    subgraph.inputs, subgraph.outputs = [0], [5]
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = [operator_code(3, 3, version=3), operator_code(40, 40, version=2)]
    model.buffers = [
        buffer(),
        buffer(bytes(30)),
        buffer(bytes(20)),
        buffer(np.array([1, 2], "<i4").tobytes()),
    ]
    model.subgraphs = [subgraph]
    return model


def pack(model):
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_reads_tensors():
    graph = parse_tflite(pack(small_model()), "m")
    weights = graph.tensors[1]
    assert weights.shape == (5, 3, 1, 2)
    assert (weights.dtype, weights.bits) == ("int8", 8)
    assert weights.is_constant
    assert weights.stored_bytes == 30
    assert weights.buffer == 1
    assert weights.quantization_scales == 5
    assert graph.tensors[2].dtype == "int32"
    assert graph.tensors[2].bits == 32
    assert graph.tensors[4].quantization_scales == 0
    assert not graph.tensors[0].is_constant
    assert graph.tensors[0].stored_bytes is None
    assert (graph.inputs, graph.outputs) == ((0,), (5,))


def test_reads_operators_and_their_options():
    graph = parse_tflite(pack(small_model()), "m")
    conv, mean = graph.operators
    assert (conv.kind, conv.inputs, conv.outputs) == ("CONV_2D", (0, 1, 2), (3,))
    assert conv.attributes == {
        "padding": "VALID",
        "stride_h": 2,
        "stride_w": 1,
        "dilation_h": 1,
        "dilation_w": 1,
        "fused_activation": "RELU6",
        "version": 3,
    }
    assert mean.attributes == {"keep_dims": False, "axis": (1, 2), "version": 2}


def test_unnamed_tensors_are_named_after_their_operator():
    model = small_model()
    for made in model.subgraphs[0].tensors[1:5]:
        made.name = None
    names = [tensor.name for tensor in parse_tflite(pack(model), "m").tensors]
    assert names == [
        "in",
        "conv_2d_0/input_1",
        "conv_2d_0/input_2",
        "conv_2d_0",
        "mean_1/input_1",
        "out",
    ]


def test_file_size_is_kept():
    data = pack(small_model())
    assert parse_tflite(data, "m").file_bytes == len(data)


def test_operator_codes_beyond_127_stand_in_the_newer_field_alone():
    model = small_model()
    model.operatorCodes[1] = operator_code(127, 150)
    model.subgraphs[0].operators[1].builtinOptions = None
    model.subgraphs[0].operators[1].builtinOptionsType = 0
    assert parse_tflite(pack(model), "m").operators[1].kind == "GELU"


def test_old_files_have_the_deprecated_code_alone():
    model = small_model()
    model.operatorCodes[0] = operator_code(3, 0)
    assert parse_tflite(pack(model), "m").operators[0].kind == "CONV_2D"


def test_custom_operator_is_named_by_its_code():
    model = small_model()
    model.operatorCodes[1] = operator_code(32, 32, custom="ethos-u")
    model.subgraphs[0].operators[1].builtinOptions = None
    model.subgraphs[0].operators[1].builtinOptionsType = 0
    assert parse_tflite(pack(model), "m").operators[1].kind == "ethos-u"


def test_absent_optional_input_is_minus_one():
    model = small_model()
    model.subgraphs[0].operators[0].inputs = [0, 1, -1]
    assert parse_tflite(pack(model), "m").operators[0].inputs == (0, 1, -1)


def test_first_of_several_subgraphs_is_returned():
    model = small_model()
    model.subgraphs.append(schema.SubGraphT())
    assert len(parse_tflite(pack(model), "m").operators) == 2


def with_offline_plan(numbers):
    model = small_model()
    model.buffers.append(buffer(np.array(numbers, "<i4").tobytes()))
    entry = schema.MetadataT()
    entry.name, entry.buffer = "OfflineMemoryAllocation", len(model.buffers) - 1
    model.metadata = [entry]
    return pack(model)


def test_offline_plan_is_read():
    graph = parse_tflite(with_offline_plan([1, 0, 6, 0, -1, -1, 128, -1, 256]), "m")
    assert graph.offline_offsets == (0, -1, -1, 128, -1, 256)


def test_offline_plan_of_the_wrong_length_is_refused():
    with pytest.raises(InputError, match="6 tensors"):
        parse_tflite(with_offline_plan([1, 0, 5, 0, -1, -1, 128, -1]), "m")


def broken(change):
    model = small_model()
    change(model.subgraphs[0], model)
    return pack(model)


def set_shape(index, shape):
    def change(subgraph, _):
        subgraph.tensors[index].shape = shape

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s, _: setattr(s.operators[0], "inputs", [0, 99, 2]), "tensor 99 of 6 tensors"),
        (lambda s, _: setattr(s.operators[0], "outputs", [-1]), "tensor -1 of 6 tensors"),
        (
            lambda s, _: setattr(s.operators[0], "inputs", []),
            r"\(CONV_2D\) reads tensors \[\] and writes \[3\]; it needs one of each",
        ),
        (lambda s, _: setattr(s.operators[1], "outputs", []), r"\(MEAN\) reads .* writes \[\]"),
        (lambda s, _: setattr(s.operators[0], "opcodeIndex", 7), "code 7 of 2 codes"),
        (lambda s, _: setattr(s.tensors[0], "buffer", 40), "buffer 40 of 4 buffers"),
        (lambda s, _: setattr(s.tensors[0], "type", 77), "unknown type 77"),
        (lambda s, _: setattr(s, "inputs", [6]), "tensor 6 of 6 tensors"),
        (set_shape(0, [1, -1, 4, 2]), "shape \\(1, -1, 4, 2\\)"),
        (set_shape(0, [1, 2**30, 2**30, 2]), "over 2,147,483,648 bytes"),
        (set_shape(1, [5, 3, 2, 2]), "needs 60 bytes, its buffer 1 holds 30"),
        (lambda _, m: setattr(m, "operatorCodes", [operator_code(3, 9999)]), "builtin 9999"),
        (lambda _, m: setattr(m, "version", 4), "schema version 4"),
        (lambda _, m: setattr(m, "subgraphs", []), "no subgraph"),
        (
            lambda s, _: setattr(s.operators[0], "builtinOptions", conv_options(stride=(0, 1))),
            "stride_h 0; it must be at least 1",
        ),
        (lambda s, _: setattr(s.operators[0], "builtinOptions", None), "stride_w 0"),
        (
            lambda s, _: setattr(s.tensors[1].quantization, "scale", [float("nan")]),
            "not finite",
        ),
    ],
)
def test_inconsistent_model_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        parse_tflite(broken(change), "m")


def test_more_axes_than_dimensions_are_refused():
    model = small_model()
    model.buffers[3].data = np.zeros(400, np.uint8)
    model.subgraphs[0].tensors[4].shape = [100]
    with pytest.raises(InputError, match="reduces over 100 axes; at most 8"):
        parse_tflite(pack(model), "m")


def test_options_of_another_operator_are_refused():
    model = small_model()
    model.subgraphs[0].operators[0].builtinOptionsType = 27
    model.subgraphs[0].operators[0].builtinOptions = schema.ReducerOptionsT()
    with pytest.raises(InputError, match="of kind 27; CONV_2D takes kind 1"):
        parse_tflite(pack(model), "m")


def test_data_after_the_flatbuffer_must_lie_within_the_file():
    model = small_model()
    model.buffers[1].data = None
    model.buffers[1].offset, model.buffers[1].size = 10_000_000, 30
    with pytest.raises(InputError, match="byte 10000000 needs 30 bytes"):
        parse_tflite(pack(model), "m")


def test_data_after_the_flatbuffer_is_found():
    model = small_model()
    model.buffers[1].data = None
    model.buffers[1].offset, model.buffers[1].size = 64, 30
    weights = parse_tflite(pack(model), "m").tensors[1]
    assert weights.is_constant
    assert weights.stored_bytes == 30


def test_cut_short_anywhere_is_refused():
    data = pack(small_model())
    for length in range(len(data)):
        with pytest.raises(InputError):
            parse_tflite(data[:length], "m")


def assert_graph_or_input_error(data):
    try:
        outcome = parse_tflite(data, "m")
    except InputError as error:
        outcome = str(error)
    assert isinstance(outcome, Graph) or "m is not a sound TFLite model" in outcome


@given(st.data())
def test_damage_gives_a_graph_or_an_input_error(data):
    damaged = bytearray(pack(small_model()))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(8, len(damaged))) :]
    assert_graph_or_input_error(bytes(damaged))


@given(st.binary(max_size=300))
def test_random_bytes_after_the_mark_give_a_graph_or_an_input_error(noise):
    assert_graph_or_input_error(noise[:4].ljust(4, b"\0") + b"TFL3" + noise[4:])


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.tflite does not exist: check the path"):
        read_tflite(tmp_path / "absent.tflite")


def test_a_file_of_nearly_that_name_is_named(tmp_path):
    (tmp_path / "model.tflite").touch()
    with pytest.raises(InputError, match=r"the model file \(there is .*model\.tflite\)$"):
        read_tflite(tmp_path / "model.tflit")


def test_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is a folder: give the \.tflite file inside it$"):
        read_tflite(tmp_path)
    (tmp_path / "deployment").mkdir()
    (tmp_path / "deployment" / "model.tflite").touch()
    with pytest.raises(InputError, match=r"inside it, .*deployment.model\.tflite$"):
        read_tflite(tmp_path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04....", r"a \.keras file"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"hello, world", "12 bytes starting with 68 65"),
    ],
)
def test_other_formats_are_named(tmp_path, content, found):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(InputError, match=found):
        read_tflite(path)


@needs_models
def test_every_reference_model_reads():
    paths = sorted(MODELS.glob("*/*.tflite"))
    assert len(paths) > 50
    for path in paths:
        graph = read_tflite(path)
        assert graph.operators
        assert graph.file_bytes == path.stat().st_size


@needs_models
def test_resnet_agrees_with_the_schema_library():
    path = MODELS / "mlperf_tiny" / "pretrainedResnet_quant.tflite"
    graph = read_tflite(path)
    oracle = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0)).subgraphs[0]
    assert [list(t.shape) for t in graph.tensors] == [list(t.shape) for t in oracle.tensors]
    assert [list(o.inputs) for o in graph.operators] == [list(o.inputs) for o in oracle.operators]
    assert [t.quantization_scales for t in graph.tensors] == [
        0 if t.quantization.scale is None else len(t.quantization.scale) for t in oracle.tensors
    ]
    strides = [o.attributes["stride_h"] for o in graph.operators if o.kind == "CONV_2D"]
    assert strides == [1, 1, 1, 2, 1, 2, 2, 1, 2]


@needs_models
def test_cut_and_damaged_reference_model():
    data = (MODELS / "tflm" / "hello_world_int8.tflite").read_bytes()
    for length in range(len(data)):
        with pytest.raises(InputError):
            parse_tflite(data[:length], "m")
    for index in range(8, len(data), 3):
        assert_graph_or_input_error(data[:index] + bytes([data[index] ^ 0xFF]) + data[index + 1 :])
