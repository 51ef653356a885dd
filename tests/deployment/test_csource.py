"""The C files compile, as C and as C++, and hold what they should."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from mcuprune.deployment import csource
from mcuprune.errors import ConversionError
from mcuprune.ir.graph import Graph, Operator

MODEL = bytes(range(256)) * 2 + b"end"
INPUTS = np.arange(-12, 12, dtype=np.int8).reshape(2, 3, 4)
OUTPUTS = np.array([[-128, 127], [0, -1]], np.int8)
ARENA = csource.ArenaSetting(used_bytes=3088, smallest_bytes=3520, headroom_percent=10)

COMPILERS = [
    ("gcc", "-std=c11"),
    ("gcc", "-std=c99"),
    ("g++", "-std=c++17", "-x", "c++"),
]


def graph(*kinds):
    operators = tuple(Operator(i, kind, (0,), (0,)) for i, kind in enumerate(kinds))
    return Graph("m", (), operators, (), ())


@pytest.fixture
def folder(tmp_path):
    kinds = ("CONV_2D", "MAX_POOL_2D", "CONV_2D", "SOFTMAX")
    files = {
        "model_data.h": csource.model_header("net"),
        "model_data.c": csource.model_source("net", MODEL),
        "model_settings.h": csource.settings_header("net", graph(*kinds), ARENA),
        "golden_vectors.h": csource.golden_header("net", [INPUTS], [OUTPUTS]),
        "golden_vectors.c": csource.golden_source("net", [INPUTS], [OUTPUTS]),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def build_and_run(folder, main, compiler, sources):
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"{compiler[0]} is not installed")
    (folder / "main.c").write_text(main)
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", "program"]
    subprocess.run([*compiler, *flags, "main.c", *sources], cwd=folder, check=True)
    return subprocess.run(
        ["./program"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("compiler", COMPILERS)
def test_model_data_compiles_and_is_aligned(folder, compiler):
    main = """
    #include <stdint.h>
    #include <stdio.h>
    #include "model_data.h"
    #include "model_data.h"
    int main(void) {
      printf("%d %d ", (int)net_model_data_size, (int)((uintptr_t)net_model_data % 16));
      for (size_t i = 0; i < net_model_data_size; ++i) printf("%02x", net_model_data[i]);
      return 0;
    }"""
    printed = build_and_run(folder, main, compiler, ["model_data.c"])
    assert printed == f"{len(MODEL)} 0 {MODEL.hex()}"


@pytest.mark.parametrize("compiler", COMPILERS)
def test_golden_vectors_compile(folder, compiler):
    main = """
    #include <stdio.h>
    #include "golden_vectors.h"
    #include "golden_vectors.h"
    int main(void) {
      printf("%d %d %d", kGoldenCount, kGoldenInputSize, kGoldenOutputSize);
      for (int i = 0; i < kGoldenCount * kGoldenInputSize; ++i) printf(" %d", net_golden_inputs[i]);
      for (int i = 0; i < kGoldenCount * kGoldenOutputSize; ++i)
        printf(" %d", net_golden_outputs[i]);
      return 0;
    }"""
    printed = build_and_run(folder, main, compiler, ["golden_vectors.c"])
    numbers = [2, 12, 2, *range(-12, 12), -128, 127, 0, -1]
    assert printed.split() == [str(number) for number in numbers]


@pytest.mark.parametrize("compiler", COMPILERS[:2])
def test_settings_compile_as_c(folder, compiler):
    main = """
    #include <stdio.h>
    #include "model_settings.h"
    #include "model_settings.h"
    static unsigned char arena[kTensorArenaSize];
    int main(void) { printf("%d %d", (int)sizeof(arena), kOperatorCount); return 0; }
    """
    assert build_and_run(folder, main, compiler, []) == "3872 3"


def test_operators_register_in_cpp(folder):
    main = """
    #include <cstdio>
    #include "model_settings.h"
    enum Status { kOk = 0, kError = 1 };
    struct Resolver {
      Status AddConv2D() { std::printf("conv "); return kOk; }
      Status AddMaxPool2D() { std::printf("pool "); return kOk; }
      Status AddSoftmax() { std::printf("softmax "); return kError; }
    };
    int main() { Resolver resolver; std::printf("%d", AddModelOperators(resolver)); return 0; }
    """
    printed = build_and_run(folder, main, COMPILERS[2], [])
    assert printed == "conv pool softmax 1"


def test_settings_state_the_resolver_and_the_headroom(folder):
    text = (folder / "model_settings.h").read_text()
    assert "tflite::MicroMutableOpResolver<3> resolver;" in text
    assert "3088 bytes are used (64-bit host, reference kernels)" in text
    assert "10 % headroom" in text


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("CONV_2D", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("FULLY_CONNECTED", "AddFullyConnected"),
        ("AVERAGE_POOL_2D", "AddAveragePool2D"),
        ("L2_NORMALIZATION", "AddL2Normalization"),
        ("MEAN", "AddMean"),
        ("PADV2", "AddPadV2"),
        ("SELECT_V2", "AddSelectV2"),
        ("BATCH_MATMUL", "AddBatchMatMul"),
        ("BATCH_TO_SPACE_ND", "AddBatchToSpaceNd"),
        ("LEAKY_RELU", "AddLeakyRelu"),
        ("RELU6", "AddRelu6"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
        ("LOG_SOFTMAX", "AddLogSoftmax"),
        ("CUMSUM", "AddCumSum"),
        ("ADD_N", "AddAddN"),
    ],
)
def test_resolver_methods(kind, method):
    assert csource.resolver_method(kind) == method


def test_custom_operator_cannot_be_registered():
    with pytest.raises(ConversionError, match="'ethos-u' is no TFLite builtin"):
        csource.settings_header("net", graph("ethos-u"), ARENA)


def test_arena_covers_the_larger_need_and_rounds_up():
    assert csource.ArenaSetting(1000, 900, 10).size_bytes == 1104  # 1100 up to 16
    assert csource.ArenaSetting(1000, 1600, 0).size_bytes == 1600
    assert csource.ArenaSetting(1001, 900, 0).size_bytes == 1008


@pytest.mark.parametrize("name", ["digits", "KWS (v2)", "3d", "_", "größe", "a-b.c"])
def test_identifiers_are_valid_c(name):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", csource.c_identifier(name))
