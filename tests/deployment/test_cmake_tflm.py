"""The CMake project with TensorFlow Lite Micro: fetched sources, this machine and Cortex-M."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from tflm_stand_in import MICRO, write_checkout

from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.csource import ArenaSetting
from mcuprune.deployment.projects.firmware import TFLM, Contents
from mcuprune.deployment.projects.project import write_projects
from mcuprune.engines.smallest_arena import smallest_arena
from mcuprune.engines.tflm import TFLM as TFLMEngine

CHECKOUT = os.environ.get("MCUPRUNE_TFLM_CHECKOUT")
# CMake's own way to put local sources in the place of those that a project fetches.
FETCHED = "-DFETCHCONTENT_SOURCE_DIR_TFLITE_MICRO"
FOR_CORE = ("-DCMAKE_TOOLCHAIN_FILE=cmake/arm-none-eabi.cmake", "-DMCU_CORE=cortex-m4")
# Offline, whatever the machine can reach.
DOWNLOAD_THAT_FAILS = "exit 1\n"


@pytest.fixture(scope="module")
def dense() -> bytes:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    return convert_int8(model, np.random.default_rng(0).random((8, 4), np.float32))


@pytest.fixture
def project(dense, tmp_path) -> Path:
    """A project whose golden answers are those of the stand-in, which negates bytes."""
    inputs = np.random.default_rng(0).integers(-127, 128, (6, 4), dtype=np.int8)
    arena = ArenaSetting(64, 64, 0)
    contents = Contents("dense", dense, [inputs], (-inputs,), arena, arena)
    write_projects(tmp_path / "projects", contents, ("cmake",), TFLM)
    return tmp_path / "projects" / "cmake"


@pytest.fixture
def checkout(tmp_path) -> Path:
    root = write_checkout(tmp_path / "tflite-micro")
    script = root / MICRO / "tools/make/ext_libs/cmsis_nn_download.sh"
    script.parent.mkdir(parents=True)
    script.write_text(DOWNLOAD_THAT_FAILS)
    return root


def cmake(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["cmake", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False
    )


def built_and_tested(project: Path, *options: object) -> str:
    """Configure, build and run the golden vectors; returns what configuring said."""
    configured = cmake("-B", "build", *options, folder=project)
    assert configured.returncode == 0, configured.stdout + configured.stderr
    built = cmake("--build", "build", folder=project)
    assert built.returncode == 0, built.stdout + built.stderr
    tested = subprocess.run(
        ["ctest", "--test-dir", "build", "--output-on-failure"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "100% tests passed, 0 tests failed out of 1" in tested.stdout, tested.stdout
    return configured.stderr


@pytest.mark.parametrize("place", [FETCHED, "-DTFLM_DIR"])
def test_sources_on_this_machine_stand_in_for_fetched_ones(place, project, checkout):
    assert built_and_tested(project, f"{place}={checkout}") == ""


def test_a_core_runs_the_vectors_in_qemu(project, checkout):
    said = built_and_tested(project, f"{FETCHED}={checkout}", *FOR_CORE)
    assert "CMSIS-NN could not be downloaded" in said


def test_a_core_takes_the_kernels_of_cmsis_nn(project, checkout):
    """The stand-in's own kernel is spoilt: only the one of CMSIS-NN negates."""
    kernels = checkout / MICRO / "kernels"
    (kernels / "cmsis_nn").mkdir()
    shutil.move(kernels / "fully_connected.cc", kernels / "cmsis_nn" / "fully_connected.cc")
    (kernels / "fully_connected.cc").write_text("#error replaced\nvoid Register_FULLY_CONNECTED();")
    cmsis_nn = checkout / MICRO / "tools/make/downloads/cmsis_nn"
    (cmsis_nn / "Source").mkdir(parents=True)
    (cmsis_nn / "Source" / "arm_nn.c").write_text("int arm_nn(void) { return 0; }\n")
    (cmsis_nn / "Source" / "arm_nn_f16.c").write_text("#error no half floats here\n")
    assert built_and_tested(project, f"{FETCHED}={checkout}", *FOR_CORE) == ""


def test_what_is_no_checkout_is_named(project, tmp_path):
    done = cmake("-B", "build", f"-DTFLM_DIR={tmp_path}", folder=project)
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "is no checkout of tflite-micro: correct TFLM_DIR" in said


def test_downloads_that_fail_name_the_way_out(project, checkout):
    shutil.rmtree(checkout / MICRO / "tools/make/downloads")
    done = cmake("-B", "build", f"{FETCHED}={checkout}", folder=project)
    assert done.returncode != 0
    assert "-DTFLM_DIR=/path/to/tflite-micro" in " ".join(done.stderr.split())


@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason="needs MCUPRUNE_TFLM_CHECKOUT, a checkout of TFLM")
def test_real_tflm_passes_on_a_cortex_m4(digits_tflite, tmp_path):
    inputs = np.random.default_rng(0).integers(-128, 128, (4, 8, 8, 1), dtype=np.int8)
    answers = TFLMEngine().run(digits_tflite, inputs)
    arena = ArenaSetting(answers.arena.total_bytes, smallest_arena(digits_tflite), 10)
    contents = Contents("digits", digits_tflite, [inputs], answers.all_outputs, arena, arena)
    write_projects(tmp_path, contents, ("cmake",), TFLM)
    built_and_tested(tmp_path / "cmake", f"{FETCHED}={CHECKOUT}", *FOR_CORE)
