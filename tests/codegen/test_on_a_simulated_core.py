"""The DSP instructions themselves: kernels for the Cortex-M4 on a simulated one, against TFLM."""

import hypothesis.strategies as st
import pytest
from hypothesis import given
from operator_checks import BATCH, some_batches
from operator_files import operators_file
from test_convolutions import convolutions, dense_layers
from test_operators import arithmetic

from mcuprune.engines.simulate import simulate

pytest.importorskip("unicorn", reason="needs the extra 'boards'")

KINDS = {
    "CONV_2D": convolutions("CONV_2D"),
    "DEPTHWISE_CONV_2D": convolutions("DEPTHWISE_CONV_2D"),
    "FULLY_CONNECTED": dense_layers(),
    "ADD": arithmetic("ADD"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_answer_as_tflm(kind, tmp_path):
    @some_batches(1)
    @given(st.lists(KINDS[kind], min_size=BATCH, max_size=BATCH))
    def check(cases):
        path = tmp_path / "cases.tflite"
        path.write_bytes(operators_file(cases))
        report = simulate(path, "nucleo-l4r5zi", inputs=3)
        assert report.fault is None
        assert report.bytes_differing == 0, cases

    check()
