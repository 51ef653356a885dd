"""A converted model as generated C on simulated boards, against LiteRT."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from mcuprune.engines import qemu
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.reference_answers import as_bytes, reference_answers
from mcuprune.engines.sample_inputs import given_inputs, random_inputs
from mcuprune.engines.simulate import simulate
from mcuprune.errors import EngineError, InputError, UnknownNameError
from mcuprune.ir.from_tflite import parse_tflite

pytest.importorskip("unicorn", reason="needs the extra 'boards'")
# The promise of the architecture: keys that tools may rely on.
STABLE = {
    "inputs",
    "inputs_bit_exact",
    "bytes_differing",
    "instructions_per_inference",
    "stack_bytes",
    "arena_bytes",
    "flash_bytes",
    "simulator",
    "runtime",
    "board",
}


@pytest.fixture(scope="module")
def tflite(tmp_path_factory):
    import keras

    from mcuprune.deployment.convert import convert_int8

    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    path = tmp_path_factory.mktemp("model") / "small.tflite"
    path.write_bytes(convert_int8(model, np.random.default_rng(0).random((8, 8, 8, 3), np.float32)))
    return path


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "rp2040-pico", "corstone-300-m55"])
def test_generated_c_answers_as_litert(tflite, name):
    report = simulate(tflite, name, inputs=5)
    assert (report.inputs_bit_exact, report.bytes_differing, report.fault) == (5, 0, None)
    assert report.succeeds
    found = report.to_json()
    assert found.keys() >= STABLE
    # At least the input, 192 bytes, and the first activation, 384; at most the whole reserve.
    assert 192 + 384 <= found["arena_bytes"] <= found["arena_reserved_bytes"]
    assert found["arena_reserved_bytes"] < found["sram_bytes"] < found["sram_available_bytes"]
    # 8 x 8 x 6 x 27 + 6 x 6 x 6 x 9 + 216 x 5 multiplications.
    assert found["instructions_per_inference"] > (10368 + 1944 + 1080) / 2
    assert found["provenance"]["origin"] == "simulated"


def test_several_inputs_and_outputs(tmp_path):
    import keras

    from mcuprune.deployment.convert import convert_int8

    left, right = keras.Input((4, 4, 2), name="left"), keras.Input((4, 4, 2), name="right")
    joined = keras.layers.Add()([left, right])
    model = keras.Model([left, right], [joined, keras.layers.Conv2D(3, 3)(joined)])
    calibration = [np.random.default_rng(i).random((8, 4, 4, 2), np.float32) for i in (0, 1)]
    path = tmp_path / "two.tflite"
    path.write_bytes(convert_int8(model, calibration))
    report = simulate(path, "nucleo-l4r5zi", inputs=3)
    assert report.succeeds
    assert report.simulation.outputs.shape == (3, 4 * 4 * 2 + 2 * 2 * 3)


def test_what_the_simulator_ran_is_what_is_compared(tflite):
    model = tflite.read_bytes()
    samples = random_inputs(parse_tflite(model, "small"), 4)
    found = simulate(tflite, "nucleo-l4r5zi", inputs=4).simulation.outputs
    np.testing.assert_array_equal(found, LiteRT().run(model, samples).outputs)


@pytest.mark.skipif(shutil.which(qemu.PROGRAM) is None, reason=f"needs {qemu.PROGRAM}")
def test_qemu_and_cortexm_agree(tflite):
    by_qemu = simulate(tflite, "stm32f4-discovery", simulator="qemu", inputs=2)
    by_unicorn = simulate(tflite, "stm32f4-discovery", inputs=2)
    assert by_qemu.succeeds
    # Where code lies decides which veneers the linker adds; the work is the same.
    assert by_qemu.simulation.instructions[0] == by_unicorn.simulation.instructions[0]
    assert by_qemu.to_json()["stack_bytes"] == by_unicorn.to_json()["stack_bytes"]


def test_a_checkout_of_tflm_is_for_its_runtime_only(tflite):
    report = simulate(tflite, "nucleo-l4r5zi", inputs=1, tflm="no/such/checkout")
    assert report.succeeds
    assert report.to_json()["runtime"] == "c"


def test_a_stack_that_is_too_small_is_a_result_not_an_error(tflite):
    report = simulate(tflite, "nucleo-l4r5zi", inputs=1, stack_bytes=64)
    assert not report.succeeds
    assert "the stack overflowed: 64 bytes" in report.fault
    assert report.to_json()["instructions_per_inference"] is None


def test_names_that_are_not_known(tflite):
    with pytest.raises(UnknownNameError, match="did you mean 'qemu'"):
        simulate(tflite, "nucleo-l4r5zi", simulator="quemu")
    with pytest.raises(UnknownNameError, match="unknown runtime 'rust'"):
        simulate(tflite, "nucleo-l4r5zi", runtime="rust")
    with pytest.raises(InputError, match="give a checkout of tflite-micro"):
        simulate(tflite, "nucleo-l4r5zi", runtime="tflm")


def test_inputs_of_users(tflite):
    model = tflite.read_bytes()
    graph = parse_tflite(model, "small")
    real = np.random.default_rng(3).random((2, 8 * 8 * 3), np.float32)
    (quantized,) = given_inputs(model, graph, real)
    assert (quantized.shape, quantized.dtype) == ((2, 8, 8, 3), np.int8)
    with pytest.raises(EngineError, match=r"takes \(n, 8, 8, 3\)"):
        given_inputs(model, graph, real[:, 1:])
    with pytest.raises(InputError, match="give at least 1"):
        random_inputs(graph, 0)


def test_random_inputs_are_the_same_each_time(tflite):
    graph = parse_tflite(tflite.read_bytes(), "small")
    first, second = (random_inputs(graph, 4)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first[1] == -128).all()
    assert (first[2] == 127).all()


def test_references_are_bytes(tflite):
    model = tflite.read_bytes()
    samples = random_inputs(parse_tflite(model, "small"), 2)
    reference = reference_answers(model, samples)
    assert reference.engine == "litert"
    assert reference.outputs.shape == (2, 5)
    assert as_bytes(np.float32([[1.0]])).tolist() == [[0, 0, -128, 63]]


def run_command(*arguments):
    command = [sys.executable, "-m", "mcuprune", "simulate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_prints_json_and_a_table(tflite, tmp_path):
    inputs = tmp_path / "inputs.npy"
    np.save(inputs, np.zeros((2, 8, 8, 3), np.int8))
    options = ["--board", "nucleo-l4r5zi", "--inputs", inputs]
    as_json = run_command(tflite, *options, "--json")
    assert as_json.returncode == 0, as_json.stderr
    assert json.loads(as_json.stdout)["inputs_bit_exact"] == 2
    table = run_command(tflite, *options)
    assert table.returncode == 0, table.stderr
    for words in ("inputs answered as by LiteRT", "instructions per inference", "simulated"):
        assert words in table.stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--board", "nucleo-l4r5zi", "--stack", "64B"], 1, "the stack overflowed"),
        (["--board", "esp32-devkitc"], 2, "choose a board"),
        (["--board", "nucleo-l4r5"], 2, "did you mean 'nucleo-l4r5zi'"),
    ],
)
def test_exit_codes(tflite, options, code, words):
    found = run_command(tflite, *options, "--inputs", "1")
    assert found.returncode == code, found.stderr
    assert words in " ".join((found.stdout + found.stderr).split())


def test_the_command_loads_no_tensorflow(tflite):
    script = (
        "import sys; from mcuprune import cli; sys.argv[1:] = "
        f"['simulate', {str(tflite)!r}, '--board', 'nucleo-l4r5zi', '--inputs', '1']\n"
        "try: cli.main()\n"
        "except SystemExit as stopped: code = stopped.code\n"
        "sys.exit(code or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
