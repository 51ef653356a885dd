"""Firmware projects: their files compile, run the golden vectors and print PASS."""

from __future__ import annotations

import configparser
import dataclasses
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.csource import ArenaSetting
from mcuprune.deployment.package import deploy
from mcuprune.deployment.projects.firmware import Contents, make_firmware
from mcuprune.deployment.projects.formats import FORMATS, format_names
from mcuprune.deployment.projects.project import project_files, write_projects
from mcuprune.engines.tflm import TFLM as TFLMEngine
from mcuprune.errors import UnknownNameError, UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite

STRICT = ("-Wall", "-Wextra", "-Werror", "-O1")
NAME = "digits_small_model"
CORES = [
    "cortex-m4",
    pytest.param("cortex-m0plus", marks=pytest.mark.slow),
    pytest.param("cortex-m7", marks=pytest.mark.slow),
]
# Classes and functions of the Arduino core that a sketch uses.
ARDUINO_STAND_IN = """#pragma once
#include <cstdio>
#include <cstdlib>
struct {
  void begin(long) {}
  void print(const char* text) { std::printf("%s", text); }
  void print(int number) { std::printf("%d", number); }
  void println(const char* text) { std::printf("%s\\n", text); }
} Serial;
inline void delay(int) { std::exit(0); }
"""
ARDUINO_MAIN = "int main() { setup(); for (;;) { loop(); } }\n"


@pytest.fixture(scope="module")
def contents(digits_tflite) -> Contents:
    inputs = np.random.default_rng(0).integers(-128, 128, (6, 8, 8, 1), dtype=np.int8)
    outputs = TFLMEngine().run(digits_tflite, inputs).all_outputs
    arena = ArenaSetting(3088, 3520, 10)
    return Contents("digits_small", digits_tflite, [inputs], outputs, arena, arena)


@pytest.fixture(scope="module")
def projects(contents, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    write_projects(folder, contents, tuple(FORMATS))
    return folder


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(folder: Path, ending: str) -> list[Path]:
    return sorted(path for path in folder.rglob(f"*{ending}") if "emulator" not in path.parts)


def includes(folder: Path) -> list[str]:
    return [f"-I{path}" for path in sorted({header.parent for header in folder.rglob("*.h")})]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_c_file_compiles_for_a_microcontroller(name, projects, tmp_path):
    files = sources(projects / name, ".c")
    assert {"golden_test.c", "golden_vectors.c", f"{NAME}.c"} <= {path.name for path in files}
    for number, source in enumerate(files):
        run(
            *("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-std=c99", *STRICT),
            *(*includes(projects / name), "-c", source, "-o", tmp_path / f"{number}.o"),
        )


@pytest.mark.parametrize("name", ["zephyr", "cmsis-pack", "cmake"])
def test_programs_pass_on_this_machine(name, projects, tmp_path):
    program = tmp_path / "golden"
    folder = projects / name
    run("gcc", "-std=c99", *STRICT, *includes(folder), *sources(folder, ".c"), "-o", program)
    assert run(program).splitlines() == [
        *(f"golden vector {number}: 0 numbers differ" for number in range(4)),
        "PASS",
    ]


def test_esp_idf_program_passes_on_this_machine(projects, tmp_path):
    folder, program = projects / "esp-idf", tmp_path / "golden"
    start = tmp_path / "start.c"
    start.write_text("void app_main(void);\nint main(void) { app_main(); return 0; }\n")
    files = sources(folder, ".c")
    run("gcc", "-std=c99", *STRICT, *includes(folder), *files, start, "-o", program)
    assert run(program).splitlines()[-1] == "PASS"


def compiled_c(folder: Path, objects: Path) -> list[Path]:
    """Compile the C files of a project, as C++ programs cannot take them in one command."""
    made = []
    for source in sources(folder, ".c"):
        target = objects / f"{source.stem}.o"
        run("gcc", "-std=c99", *STRICT, *includes(folder), "-c", source, "-o", target)
        made.append(target)
    return made


@pytest.mark.parametrize("name", ["arduino", "platformio"])
def test_sketches_pass_with_a_stand_in_for_the_board(name, projects, tmp_path):
    folder, program = projects / name, tmp_path / "golden"
    (tmp_path / "Arduino.h").write_text(ARDUINO_STAND_IN, encoding="ascii")
    sketch = next(path for path in folder.rglob("*") if path.suffix in (".ino", ".cpp"))
    whole = "#include <Arduino.h>\n" + sketch.read_text(encoding="utf-8") + ARDUINO_MAIN
    (tmp_path / "sketch.cpp").write_text(whole, encoding="utf-8")
    run(
        *("g++", "-std=c++17", *STRICT, "-DARDUINO=100", f"-I{tmp_path}", *includes(folder)),
        *(tmp_path / "sketch.cpp", *compiled_c(folder, tmp_path), "-o", program),
    )
    assert run(program).splitlines()[-1] == "PASS"


def test_platformio_native_program_passes(projects, tmp_path):
    folder, program = projects / "platformio", tmp_path / "golden"
    objects = compiled_c(folder, tmp_path)
    main = folder / "src" / "main.cpp"
    run("g++", "-std=c++17", *STRICT, *includes(folder), main, *objects, "-o", program)
    assert run(program).splitlines()[-1] == "PASS"


def test_a_wrong_answer_fails(projects, tmp_path):
    """The last golden answer, changed by one."""
    folder = tmp_path / "cmake"
    shutil.copytree(projects / "cmake", folder)
    vectors = folder / "test" / "golden_vectors.c"
    before, last, end = re.split(r"(-?\d+),(?=\n\};\n$)", vectors.read_text(encoding="ascii"))
    changed = int(last) + 1 if int(last) < 127 else int(last) - 1
    vectors.write_text(f"{before}{changed},{end}", encoding="ascii")
    program = tmp_path / "golden"
    run("gcc", "-std=c99", *includes(folder), *sources(folder, ".c"), "-o", program)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == ["golden vector 3: 1 numbers differ", "FAIL"]


def test_cmake_builds_and_tests_on_this_machine(projects, tmp_path):
    build = tmp_path / "build"
    flags = "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror"
    run("cmake", "-S", projects / "cmake", "-B", build, flags)
    run("cmake", "--build", build)
    assert "100% tests passed, 0 tests failed out of 1" in run("ctest", "--test-dir", build)


@pytest.mark.parametrize("core", CORES)
def test_cmake_builds_for_a_core_and_tests_in_qemu(core, projects, tmp_path):
    folder, build = projects / "cmake", tmp_path / "build"
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={folder}/cmake/arm-none-eabi.cmake"
    flags = "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror"
    run("cmake", "-S", folder, "-B", build, toolchain, f"-DMCU_CORE={core}", flags)
    run("cmake", "--build", build)
    assert "100% tests passed, 0 tests failed out of 1" in run("ctest", "--test-dir", build)


def test_cmake_project_lies_in_another(projects, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(firmware C)\n"
        f"add_subdirectory({projects}/cmake model)\nadd_executable(firmware main.c)\n"
        f"target_link_libraries(firmware {NAME})\n"
    )
    (tmp_path / "main.c").write_text(
        f'#include "{NAME}.h"\nint main(void) {{ return {NAME}_invoke(0, 0) == -1 ? 0 : 1; }}\n'
    )
    build = tmp_path / "build"
    run("cmake", "-S", tmp_path, "-B", build)
    run("cmake", "--build", build)
    run(build / "firmware")
    assert not list(build.rglob("golden_test"))


def test_the_board_decides_kernels_and_names(contents, tmp_path):
    on_board = dataclasses.replace(contents, board="nucleo-l4r5zi")
    write_projects(tmp_path, on_board, ("platformio", "zephyr", "esp-idf", "cmake"))
    ini = configparser.ConfigParser()
    ini.read(tmp_path / "platformio" / "platformio.ini")
    assert ini["platformio"]["default_envs"] == "nucleo_l4r5zi"
    assert dict(ini["env:nucleo_l4r5zi"])["platform"] == "ststm32"
    twister = yaml.safe_load((tmp_path / "zephyr" / "sample.yaml").read_text())
    assert twister["tests"][f"{NAME}.golden_vectors"]["integration_platforms"] == ["nucleo_l4r5zi"]
    assert "-b nucleo_l4r5zi" in (tmp_path / "zephyr" / "README.md").read_text()
    assert "set(MCU_CORE cortex-m4 " in (tmp_path / "cmake/cmake/arm-none-eabi.cmake").read_text()
    # Kernels for the DSP extension.
    assert (tmp_path / "cmake" / "model" / "mcuprune_conv_2d_dsp.h").is_file()


def test_library_properties_keep_the_specifications_rules(projects):
    """Rules of Arduino's library specification: required fields, none of them empty."""
    lines = (projects / "arduino" / "library.properties").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category"}
    assert all(fields[name] for name in (*required, "url", "architectures"))
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9 _.-]{,62}", fields["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", fields["version"])
    assert (projects / "arduino" / "src" / fields["includes"]).is_file()


def test_pack_description_names_each_file_once(projects):
    folder = projects / "cmsis-pack"
    package = ElementTree.parse(folder / f"mcuprune.{NAME}.pdsc").getroot()
    named = [file.get("name") for file in package.iter("file")]
    assert len(named) == len(set(named))
    assert all((folder / name).is_file() for name in named)
    with zipfile.ZipFile(folder / f"mcuprune.{NAME}.1.0.0.pack") as pack:
        assert pack.testzip() is None
        assert {*named, f"mcuprune.{NAME}.pdsc"} <= set(pack.namelist())


def test_pack_description_keeps_the_schemas_rules(projects):
    """Rules of PACK.xsd: order of elements, lengths of names, versions, categories."""
    package = ElementTree.parse(projects / "cmsis-pack" / f"mcuprune.{NAME}.pdsc").getroot()
    assert [element.tag for element in package][:5] == [
        *("vendor", "name", "description", "url", "releases")
    ]
    assert re.fullmatch(r"[\-_A-Za-z0-9]+", package.findtext("name"))
    for release in package.iter("release"):
        assert re.fullmatch(r"\d+\.\d+\.\d+", release.get("version"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", release.get("date"))
    conditions = {condition.get("id") for condition in package.iter("condition")}
    for component in package.iter("component"):
        assert component.get("condition") in (None, *conditions)
        for attribute in ("Cclass", "Cgroup", "Csub"):
            assert 3 <= len(component.get(attribute)) <= 32
    assert {file.get("category") for file in package.iter("file")} == {"header", "sourceC"}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_tflm_projects_hold_the_model_and_an_interpreter(name, contents):
    files = project_files(make_firmware(contents, "tflm"), name)
    by_name = {place.rpartition("/")[2]: text for place, text in files.items()}
    assert {f"{NAME}.cpp", f"{NAME}.h", "model_data.c", "model_settings.h"} <= set(by_name)
    # Used 3,088, allocates in 3,520; 10 % on top, rounded up to 16.
    assert "kTensorArenaSize = 3872" in by_name["model_settings.h"]
    assert f"int {NAME}_invoke(const int8_t *input, int8_t *output)" in by_name[f"{NAME}.cpp"]
    # Grey levels from 0 to 1: a scale of 1/255, 0 at -128.
    assert re.search(
        r"input: int8 1x8x8x1, scale 0\.0039\d+, zero point -128", by_name[f"{NAME}.h"]
    )


def test_tflm_projects_name_where_the_runtime_comes_from(contents):
    firmware = make_firmware(contents, "tflm")
    assert (
        "depends=Chirale_TensorFLowLite" in project_files(firmware, "arduino")["library.properties"]
    )
    assert "Chirale_TensorFLowLite" in project_files(firmware, "platformio")["platformio.ini"]
    assert "CONFIG_TENSORFLOW_LITE_MICRO=y" in project_files(firmware, "zephyr")["prj.conf"]
    component = project_files(firmware, "esp-idf")[f"components/{NAME}/idf_component.yml"]
    assert list(yaml.safe_load(component)["dependencies"]) == ["espressif/esp-tflite-micro"]
    assert "FetchContent_Declare" in project_files(firmware, "cmake")["cmake/tflm.cmake"]
    assert 'Csub="Kernel"' in project_files(firmware, "cmsis-pack")[f"mcuprune.{NAME}.pdsc"]


@pytest.mark.parametrize("runtime", ["c", "tflm"])
@pytest.mark.parametrize("title", ["../../../escape", "/etc/x", "a b{name}", "<&>\"'", "x" * 400])
def test_no_name_leads_out_of_the_folder_or_breaks_a_file(title, runtime, contents, tmp_path):
    folder = tmp_path / "out"
    write_projects(folder, dataclasses.replace(contents, title=title), tuple(FORMATS), runtime)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name for path in folder.iterdir()} == set(FORMATS)
    ElementTree.parse(next(folder.rglob("*.pdsc")))
    json.loads(next(folder.rglob("library.json")).read_text(encoding="utf-8"))


def test_deploy_writes_projects_with_the_deployment(digits_model, digit_images, tmp_path):
    out, calibration = tmp_path / "digits", digit_images[0][:100]
    deployment = deploy(digits_model, calibration, out, format=["cmake", "zephyr"], runtime="tflm")
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert deployment.formats == tuple(report["formats"]) == ("cmake", "zephyr")
    assert (out / "zephyr" / "model" / "model_data.c").is_file()
    # The deployment's own golden vectors.
    copied = (out / "cmake" / "test" / "golden_vectors.c").read_text(encoding="ascii")
    own = (out / "golden_vectors.c").read_text(encoding="ascii")
    assert copied.replace(NAME, "digits_small") == own


@pytest.mark.parametrize("wrong", [{"format": "zefyr"}, {"format": "cmake", "runtime": "tfl"}])
def test_deploy_refuses_unknown_names_before_it_converts(wrong, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean"):
        deploy(None, None, tmp_path / "out", **wrong)
    assert not list(tmp_path.iterdir())


def test_unknown_formats_and_runtimes_name_the_nearest(contents):
    with pytest.raises(UnknownNameError, match="did you mean 'zephyr'"):
        format_names(["cmake", "zefyr"])
    with pytest.raises(UnknownNameError, match=r"runtime 'tfl'.*did you mean 'tflm'"):
        make_firmware(contents, "tfl")


def test_a_model_without_kernels_is_told_of_the_other_runtime(contents, monkeypatch):
    def refuse(*_, **__):
        raise UnsupportedModelError("operators without a kernel in C: 3 (CUMSUM)")

    monkeypatch.setattr("mcuprune.deployment.projects.firmware.generate", refuse)
    with pytest.raises(UnsupportedModelError, match=r"3 \(CUMSUM\).*choose the runtime 'tflm'"):
        make_firmware(contents)


def test_several_inputs_and_outputs(tmp_path):
    random = np.random.default_rng(0)
    samples = [random.random((20, width), np.float32) for width in (4, 6)]
    tflite = convert_int8(two_by_two(), samples)
    graph = parse_tflite(tflite, "two_by_two")
    widths = [int(graph.tensors[index].shape[-1]) for index in graph.inputs]
    inputs = [random.integers(-128, 128, (5, width), dtype=np.int8) for width in widths]
    outputs = TFLMEngine().run(tflite, inputs).all_outputs
    arena = ArenaSetting(2000, 2000, 10)
    write_projects(
        tmp_path, Contents("two_by_two", tflite, inputs, outputs, arena, arena), ("zephyr",)
    )
    folder, program = tmp_path / "zephyr", tmp_path / "golden"
    run("gcc", "-std=c99", *STRICT, *includes(folder), *sources(folder, ".c"), "-o", program)
    assert run(program).splitlines()[-1] == "PASS"


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        "ad01_int8",
        "kws_ref_model",
        "pretrainedResnet_quant",
        "str_ww_ref_model",
        "vww_96_int8",
    ],
)
def test_mlperf_tiny_passes_with_kernels_for_dsp(file, shared, tmp_path):
    tflite = (shared / "models" / "mlperf_tiny" / f"{file}.tflite").read_bytes()
    graph = parse_tflite(tflite, file)
    shape = [int(size) for size in graph.tensors[graph.inputs[0]].shape[1:]]
    inputs = np.random.default_rng(0).integers(-128, 128, (2, *shape), dtype=np.int8)
    outputs = TFLMEngine().run(tflite, inputs).all_outputs
    arena = ArenaSetting(1, 1, 10)
    given = Contents(file, tflite, [inputs], outputs, arena, arena, "nucleo-l4r5zi")
    write_projects(tmp_path, given, ("zephyr",))
    folder, program = tmp_path / "zephyr", tmp_path / "golden"
    run("gcc", "-std=c99", *STRICT, *includes(folder), *sources(folder, ".c"), "-o", program)
    assert run(program).splitlines()[-1] == "PASS"


def two_by_two() -> keras.Model:
    keras.utils.set_random_seed(0)
    left, right = keras.Input((4,), name="left"), keras.Input((6,), name="right")
    joined = keras.layers.Concatenate()([left, right])
    outputs = [keras.layers.Dense(width)(joined) for width in (3, 2)]
    return keras.Model([left, right], outputs, name="two_by_two")
