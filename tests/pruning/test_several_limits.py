"""Arena, flash, MACs and time at once: every one of them is met."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mcuprune.budget import Budget
from mcuprune.deployment.package import deploy
from mcuprune.pruning.pruner import Pruner
from mcuprune.recipes.models import digits_cnn

BOARD = "nucleo-l4r5zi"
# The whole network takes 3,828 B, 98,285 B with the runtime's code, 157,312 MACs, 5.9 ms there.
LOOSE = {"sram": 3_500, "flash": 92_000, "macs": 100_000, "latency": 4_500}


def pruned(limits):
    model = digits_cnn()
    pruner = Pruner(model, Budget(**limits, board=BOARD))
    pruner.finish()
    return model, pruner


def macs_of(widths):
    """Count images of 8x8, 4x4 and 2x2 under kernels of 3x3, and ten classes."""
    first, second, third = widths
    return 64 * 9 * first + 16 * 9 * first * second + 4 * 9 * second * third + 10 * third


@pytest.mark.parametrize(
    "tight", [{"sram": 3_250}, {"flash": 84_000}, {"macs": 40_000}, {"latency": 2_000}]
)
def test_all_limits_are_met_whichever_decides(tight):
    limits = {**LOOSE, **tight}
    _, pruner = pruned(limits)
    used = pruner.resources()
    assert set(used) == set(limits)
    assert all(used[name] <= limits[name] for name in limits)
    assert used["macs"] == macs_of(pruner.groups.widths()[n] for n in ("conv1", "conv2", "conv3"))
    # Widths go in steps of four channels there, and yet little is given away.
    (decisive,) = tight
    assert used[decisive] > 0.95 * limits[decisive]


def test_the_deployed_file_meets_them_all(tmp_path):
    limits = {"sram": 3_250, "flash": 84_000, "macs": 80_000, "latency": 4_000}
    model, _ = pruned(limits)
    images = (load_digits().images[:100, ..., None] / 16).astype(np.float32)
    found = deploy(model, images, tmp_path / "out", budget=Budget(**limits, board=BOARD))
    assert found.verdict.fits
    check = found.verdict.to_json()
    assert {name: row["available"] for name, row in check.items() if name != "fits"} == limits
    tflite = (tmp_path / "out" / "model.tflite").read_bytes()
    assert check["flash"]["required"] == len(tflite) + found.resources.runtime_code_bytes
    assert check["latency"]["required"] == pytest.approx(1000 * found.resources.latency_ms, abs=1)
    widths = [model.get_layer(name).filters for name in ("conv1", "conv2", "conv3")]
    assert check["macs"]["required"] == macs_of(widths)
