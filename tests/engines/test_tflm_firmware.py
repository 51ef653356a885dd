"""TFLM's sources are found, chosen and built; the real ones where a checkout is at hand."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from tflm_stand_in import MICRO, write_checkout

from mcuprune.boards import board
from mcuprune.engines import qemu
from mcuprune.engines.cortexm import CortexM
from mcuprune.engines.cross_compiler import GCC, find_cross_compiler
from mcuprune.engines.firmware_build import build_firmware
from mcuprune.engines.simulate import simulate
from mcuprune.engines.tflm_fetch import fetched_checkout
from mcuprune.engines.tflm_firmware import tflm_runtime
from mcuprune.engines.tflm_library import build_library, find_checkout
from mcuprune.errors import EngineError, InputError, MissingToolError

CHECKOUT = os.environ.get("MCUPRUNE_TFLM_CHECKOUT")
needs_gxx = pytest.mark.skipif(
    shutil.which("arm-none-eabi-g++") is None, reason="needs arm-none-eabi-g++ (apt-get install)"
)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_checkout(tmp_path / "tflite-micro")


@pytest.fixture(scope="module")
def dense():
    import keras

    from mcuprune.deployment.convert import convert_int8

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    return convert_int8(model, np.random.default_rng(0).random((8, 4), np.float32))


@needs_gxx
def test_a_checkout_becomes_a_firmware(checkout, dense):
    simulator, compiler = CortexM(), find_cross_compiler(GCC)
    target = simulator.target(board("nucleo-l4r5zi"), 4096)
    parts = tflm_runtime(dense, checkout, target.core, compiler)
    assert parts.version == "TensorFlow Lite Micro (reference kernels)"
    built = build_firmware(parts, target, 4, compiler)
    found = simulator.run(built, np.int8([[1, -2, 3, -4], [5, 6, 7, 127]]))
    assert found.outputs.tolist() == [[-1, 2, -3, 4], [-5, -6, -7, -127]]
    assert found.arena_bytes == 48
    assert built.runtime == "tflm"


@needs_gxx
def test_compiled_files_are_kept(checkout):
    compiler = find_cross_compiler(GCC)
    sources = find_checkout(checkout)
    archive = build_library(sources, {"FULLY_CONNECTED"}, "cortex-m4", compiler)
    objects = {path: path.stat().st_mtime_ns for path in archive.parent.glob("*.o")}
    assert len(objects) == 2
    build_library(sources, {"FULLY_CONNECTED"}, "cortex-m4", compiler)
    assert {path: path.stat().st_mtime_ns for path in archive.parent.glob("*.o")} == objects
    other = build_library(sources, {"FULLY_CONNECTED"}, "cortex-m7", compiler)
    assert other.parent != archive.parent


@needs_gxx
def test_models_with_other_operators_do_not_share_a_library(checkout):
    compiler, sources = find_cross_compiler(GCC), find_checkout(checkout)
    first = build_library(sources, {"FULLY_CONNECTED"}, "cortex-m4", compiler)
    contents = first.read_bytes()
    second = build_library(sources, {"ADD"}, "cortex-m4", compiler)
    # Another process may be linking with the first.
    assert first.read_bytes() == contents
    assert len(second.read_bytes()) < len(contents)


def test_another_compiler_is_refused(checkout):
    pytest.importorskip("ziglang", reason="needs the extra 'boards'")
    with pytest.raises(MissingToolError, match="libstdc\\+\\+-arm-none-eabi-newlib"):
        build_library(find_checkout(checkout), {"ADD"}, "cortex-m4", find_cross_compiler("ziglang"))


def test_what_is_no_checkout(tmp_path, checkout):
    with pytest.raises(InputError, match=r"holds no tensorflow/lite/micro/micro_interpreter\.cc"):
        find_checkout(tmp_path)
    (checkout / MICRO / "tools/make/downloads/ruy").rmdir()
    with pytest.raises(InputError, match="third_party_downloads"):
        find_checkout(checkout)


needs_cmake = pytest.mark.skipif(
    shutil.which("cmake") is None or shutil.which("make") is None, reason="needs cmake and make"
)


@needs_cmake
def test_fetching_takes_what_cmake_is_told_to(checkout):
    downloads = checkout / MICRO / "tools/make/downloads"
    (downloads / "ruy").rmdir()
    # The real makefile downloads; this one makes folders.
    (checkout / MICRO / "tools/make/Makefile").write_text(
        f"third_party_downloads:\n\tmkdir -p {downloads}/ruy {downloads}/$(OPTIMIZED_KERNEL_DIR)\n"
    )
    fetched = fetched_checkout(checkout)
    assert fetched == checkout.resolve()
    assert find_checkout(fetched).cmsis_nn == fetched / MICRO / "tools/make/downloads/cmsis_nn"
    shutil.rmtree(downloads)
    # Fetched once, kept in the cache.
    assert fetched_checkout() == fetched


@needs_cmake
def test_fetching_that_fails_says_what_cmake_said(checkout):
    (checkout / MICRO / "tools/make/Makefile").write_text("third_party_downloads:\n\tfalse\n")
    with pytest.raises(EngineError, match=r"makefile could not download .*--tflm DIR"):
        fetched_checkout(checkout)


def test_fetching_needs_cmake(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(MissingToolError, match="apt-get install cmake"):
        fetched_checkout(checkout)


@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason="needs MCUPRUNE_TFLM_CHECKOUT, a checkout of TFLM")
@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant", "ad01_int8"])
def test_real_tflm_takes_the_instructions_that_were_measured_elsewhere(shared, name):
    with (shared / "tables" / "tflm_reference.csv").open() as table:
        rows = {row["model"]: row for row in csv.DictReader(table)}
    measured = rows[f"mlperf_tiny/{name}.tflite"]
    path = shared / "models" / "mlperf_tiny" / f"{name}.tflite"
    report = simulate(path, "nucleo-l4r5zi", runtime="tflm", tflm=Path(CHECKOUT), inputs=2)
    assert report.succeeds
    assert report.simulation.arena_bytes == int(measured["m4_arena_bytes"])
    # Another release of CMSIS-NN and no floating-point unit: within 3%.
    assert report.simulation.instructions_per_inference == pytest.approx(
        int(measured["m4_instructions"]), rel=0.03
    )


@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason="needs MCUPRUNE_TFLM_CHECKOUT, a checkout of TFLM")
@pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason=f"needs {qemu.PROGRAM}")
def test_helium_takes_less_than_half_the_instructions(shared):
    path = shared / "models" / "mlperf_tiny" / "kws_ref_model.tflite"
    options = {"simulator": "qemu", "runtime": "tflm", "tflm": CHECKOUT, "inputs": 2}
    helium = simulate(path, "ek-ra8d1", **options)
    dsp = simulate(path, "nucleo-l4r5zi", **options)
    assert (helium.succeeds, dsp.succeeds) == (True, True)
    counts = [report.simulation.instructions_per_inference for report in (helium, dsp)]
    assert counts[0] < counts[1] / 2
