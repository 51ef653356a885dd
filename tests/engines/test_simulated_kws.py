"""MLPerf Tiny's keyword spotting on a simulated board, against what the real board answered."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.engines.quantization import output_quantization
from mcuprune.engines.simulate import simulate

pytest.importorskip("unicorn", reason="needs the extra 'boards'")


def assert_equals_the_board(shared, count):
    path = shared / "models" / "mlperf_tiny" / "kws_ref_model.tflite"
    with np.load(shared / "data" / "mlperf_kws" / "kws01_int8_49x10.npz") as data:
        inputs = data["x"][:count]
    with np.load(shared / "data" / "mlperf_kws" / "v0.5_NucleoL4R5ZI_kws_outputs.npz") as data:
        measured = data["outputs"][:count]
    report = simulate(path, "nucleo-l4r5zi", inputs=inputs)
    assert (report.inputs_bit_exact, report.bytes_differing) == (count, 0)
    real = output_quantization(path.read_bytes()).dequantize(report.simulation.outputs)
    # The board cut its softmax, in steps of 1/256, to three decimals.
    assert np.floor(real * 1000).tolist() == np.round(measured * 1000).tolist()


def test_the_simulated_board_answers_as_the_real_one_on_a_sample(shared):
    assert_equals_the_board(shared, 10)


@pytest.mark.slow
def test_the_simulated_board_answers_as_the_real_one_on_all_inputs(shared):
    assert_equals_the_board(shared, 1000)
