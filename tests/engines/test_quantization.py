from __future__ import annotations

import numpy as np
import pytest

from mcuprune.engines.quantization import Quantization


@pytest.mark.parametrize(
    ("real", "stored"),
    [
        (0.0, 3),
        (1.0, 5),
        (0.25, 4),  # 0.5 steps: away from zero, where numpy.round would give 0
        (-0.25, 2),
        (1.25, 6),  # 2.5 steps
        (0.24, 3),
        (1000.0, 127),
        (-1000.0, -128),
        (0.49999997 * 0.5, 3),  # just below half a step
    ],
)
def test_quantize_rounds_half_away_from_zero_and_clips(real, stored):
    assert Quantization(0.5, 3, "int8").quantize(np.array([real])).tolist() == [stored]


def test_dequantize_undoes_quantize():
    quantization = Quantization(0.25, -128, "int8")
    real = np.arange(256) * 0.25
    assert quantization.dequantize(quantization.quantize(real)).tolist() == real.tolist()


def test_type_is_the_models():
    assert Quantization(0.5, 128, "uint8").quantize(np.array([-70.0, 70.0])).tolist() == [0, 255]
