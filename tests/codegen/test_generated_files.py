"""What is written: names, files, arenas, and how the C behaves when called."""

import ctypes
import json
import subprocess

import numpy as np
import pytest
from operator_files import Case, Data, constant, operators_file
from typer.testing import CliRunner

from mcuprune.cli.app import EXIT_BAD_INPUT, app
from mcuprune.codegen import generate
from mcuprune.engines.c_host import compiled_library, host_compiler
from mcuprune.errors import EngineError, InputError, UnknownNameError

SOURCE = Data((1, 4, 4, 2), (0.1,), -3)
TARGET = Data((1, 4, 4, 2), (0.1,), -3)
RELU = Case("RELU", (SOURCE,), (TARGET,))
# 0 is stored as -3, so that numbers below it become -3.
GIVEN = np.arange(-16, 16, dtype=np.int8)
EXPECTED = np.maximum(GIVEN, -3)


def flags(*more):
    return (*host_compiler(), "-O1", *more)


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


@pytest.fixture(scope="module")
def relu_model():
    return operators_file([RELU])


def test_only_used_kernels_are_written(relu_model):
    sources = generate(relu_model, name="kws")
    assert sorted(sources.files) == [
        "kws.c",
        "kws.h",
        "kws_weights.c",
        "kws_weights.h",
        "mcuprune_lookup.h",
    ]
    assert sources.source_files == ("kws.c", "kws_weights.c")
    # A table of 256 bytes; both tensors of 32 bytes in one place.
    assert (sources.weights_bytes, sources.arena_bytes) == (256, 32)
    assert "#define KWS_ARENA_BYTES 32\n" in sources.files["kws.h"]


def test_null_pointers_are_refused(relu_model, tmp_path):
    library = compiled_library(generate(relu_model), tmp_path, flags())
    output = np.zeros(32, np.int8)
    assert library.model_invoke(None, pointer(output)) == -1
    assert library.model_invoke(pointer(GIVEN), None) == -1
    assert library.model_invoke(pointer(GIVEN), pointer(output)) == 0
    assert output.tolist() == EXPECTED.tolist()


def test_inputs_may_be_filled_in_place(relu_model, tmp_path):
    library = compiled_library(generate(relu_model), tmp_path, flags())
    library.model_input.restype = ctypes.POINTER(ctypes.c_int8)
    place = np.ctypeslib.as_array(library.model_input(), (32,))
    place[:] = GIVEN
    output = np.zeros(32, np.int8)
    assert library.model_invoke(pointer(place), pointer(output)) == 0
    assert output.tolist() == EXPECTED.tolist()


def test_reentrant_models_live_in_the_callers_arena(relu_model, tmp_path):
    sources = generate(relu_model, reentrant=True)
    library = compiled_library(sources, tmp_path, flags())
    arena, output = np.zeros(sources.arena_bytes + 16, np.int8), np.zeros(32, np.int8)
    assert library.model_invoke(pointer(arena), pointer(GIVEN), pointer(output)) == 0
    assert output.tolist() == EXPECTED.tolist()
    assert not arena[sources.arena_bytes :].any()
    assert "arena_words" not in sources.files["model.c"]


def test_several_inputs_and_outputs_are_further_parameters(tmp_path):
    sources = generate(operators_file([RELU, RELU]))
    assert sources.prototype == (
        "int model_invoke(const int8_t *input0, const int8_t *input1, "
        "int8_t *output0, int8_t *output1)"
    )
    library = compiled_library(sources, tmp_path, flags())
    first, second = np.zeros(32, np.int8), np.zeros(32, np.int8)
    arguments = map(pointer, (GIVEN, GIVEN[::-1].copy(), first, second))
    assert library.model_invoke(*arguments) == 0
    assert first.tolist() == EXPECTED.tolist()
    assert second.tolist() == EXPECTED[::-1].tolist()


@pytest.mark.parametrize("target", ["portable", "cortex-m4"])
def test_arithmetic_has_no_undefined_behaviour(target, tmp_path):
    weights = constant(np.full((3, 3, 3, 2), -127), "int8", (0.01, 0.02, 0.03))
    bias = constant([-(2**29), 2**29, 7], "int32", (0.001, 0.002, 0.003))
    convolution = Case(
        "CONV_2D",
        (SOURCE, weights, bias),
        (Data((1, 4, 4, 3), (0.5,), 5),),
        ("Conv2DOptions", {"strideH": 1, "strideW": 1}),
    )
    sources = generate(operators_file([convolution, RELU]), target=target)
    sources.write(tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "model.h"\n'
        "int main(void) {\n"
        "  int8_t in[32] = {-128, 127}, conv[48], relu[32];\n"
        "  return model_invoke(in, in, conv, relu);\n"
        "}\n"
    )
    program = tmp_path / "program"
    files = [str(tmp_path / name) for name in (*sources.source_files, "main.c")]
    sanitize = ("-fsanitize=undefined,address", "-fno-sanitize-recover")
    subprocess.run([*flags(*sanitize), *files, "-o", str(program)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_headers_are_cpp_too(relu_model, tmp_path):
    generate(relu_model).write(tmp_path)
    (tmp_path / "user.cc").write_text('#include "model.h"\n#include "model_weights.h"\n')
    command = [*host_compiler(), "-x", "c++", "-fsyntax-only", str(tmp_path / "user.cc")]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("name", ["2fast", "a-b", "", "int", "ä"])
def test_names_are_c_identifiers(relu_model, name):
    with pytest.raises(InputError, match="start with a letter"):
        generate(relu_model, name=name)


def test_unknown_targets_are_named(relu_model):
    with pytest.raises(UnknownNameError, match=r"did you mean 'cortex-m4'\?"):
        generate(relu_model, target="cortex-m3")


def test_compilers_that_fail_are_quoted(relu_model, tmp_path):
    with pytest.raises(EngineError, match="no-such-option"):
        compiled_library(generate(relu_model), tmp_path, flags("--no-such-option"))


def test_command_writes_files_and_json(relu_model, tmp_path):
    model, out = tmp_path / "relu.tflite", tmp_path / "c"
    model.write_bytes(relu_model)
    command = ["codegen", str(model), "-o", str(out), "--name", "relu", "--json"]
    done = CliRunner().invoke(app, command)
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert sorted(report["files"]) == sorted(path.name for path in out.iterdir())
    assert report["arena_bytes"] == 32
    assert "relu_invoke" in CliRunner().invoke(app, command[:-1]).stdout


def test_nothing_is_written_for_models_without_kernels(tmp_path):
    case = Case("FLOOR", (Data((1, 4), dtype="float32"),), (Data((1, 4), dtype="float32"),))
    model, out = tmp_path / "floor.tflite", tmp_path / "c"
    model.write_bytes(operators_file([case]))
    done = CliRunner().invoke(app, ["codegen", str(model), "-o", str(out)])
    assert done.exit_code == EXIT_BAD_INPUT
    assert "0 (FLOOR)" in done.output
    assert not out.exists()


def test_forms_that_kernels_do_not_take_are_refused_by_name():
    batch = Data((2, 4, 4, 2), (0.1,), -3)
    fields = {"strideH": 1, "strideW": 1, "filterHeight": 2, "filterWidth": 2}
    pool = Case("MAX_POOL_2D", (batch,), (batch,), ("Pool2DOptions", fields))
    with pytest.raises(InputError, match=r"operator 0 \(MAX_POOL_2D\): .*\(2, 4, 4, 2\).*batch 1"):
        generate(operators_file([pool]))
    unscaled = Case("RELU", (Data((1, 4)),), (Data((1, 4), (0.1,)),))
    with pytest.raises(InputError, match=r"operator 1 \(RELU\): a tensor has 0 scales"):
        generate(operators_file([RELU, unscaled]))
