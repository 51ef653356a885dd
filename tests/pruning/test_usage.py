"""The resource model at soft widths against itself at whole ones."""

from typing import Any

import numpy as np
import pytest

from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.open_costs import OpenCosts
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.pruning.usage import ResourceModel
from mcuprune.recipes.models import digits_cnn, dscnn, mobilenet_v1_025, resnet8


def resource_model(model: Any) -> tuple[ResourceModel, dict[str, int]]:
    groups = coupling_groups(model)
    full = {g.name: g.width for g in groups.prunable}
    fixed = {n: w for n, w in groups.widths().items() if n not in full}
    graph = graph_from_keras(model, groups.dims())
    return ResourceModel(OpenCosts(graph), fixed, ("sram", "flash", "macs")), full


@pytest.mark.parametrize("build", [digits_cnn, resnet8, dscnn, mobilenet_v1_025])
def test_the_largest_terms_are_the_exact_needs_at_whole_widths(build: Any) -> None:
    resources, full = resource_model(build())
    for widths in (full, {name: max(1, width // 3) for name, width in full.items()}):
        exact = resources.exact(widths)
        needs = resources.needs(widths, resources.waste(widths))
        assert {n: terms.max() for n, terms in needs.terms.items()} == pytest.approx(exact)


def test_slopes_equal_differences_over_sixteen_channels() -> None:
    """Sixteen channels of int8 keep every alignment, so only curvature could differ."""
    resources, _ = resource_model(digits_cnn(widths=(32, 64, 128)))
    middle = {"conv1": 32, "conv2": 64, "conv3": 128}
    needs = resources.needs(middle)
    slopes = {name: needs.slopes({name: np.ones(1)}) for name in ("flash", "macs")}
    for group in middle:
        up = resources.exact({**middle, group: middle[group] + 16})
        down = resources.exact({**middle, group: middle[group] - 16})
        for name in ("flash", "macs"):
            assert slopes[name][group] == pytest.approx((up[name] - down[name]) / 32)


def test_by_hand_on_the_digits_network() -> None:
    resources, _ = resource_model(digits_cnn())
    exact = resources.exact({"conv1": 4, "conv2": 16, "conv3": 28})
    # 8x8x9x4 + 4x4x9x4x16 + 2x2x9x16x28 + 28x10 multiply-accumulates.
    assert exact["macs"] == 2304 + 9216 + 16128 + 280


def test_slopes_of_the_arena_weigh_working_sets_waste_and_tail() -> None:
    resources, _ = resource_model(digits_cnn(widths=(32, 64, 128)))
    middle = {"conv1": 32, "conv2": 64, "conv3": 128}
    needs = resources.needs(middle, waste=1.5)
    second = np.zeros(len(needs.terms["sram"]))
    second[1] = 2.0
    slope = needs.slopes({"sram": second})["conv1"]
    # The second operator pools 8x8 to 4x4; the tail holds a multiplier and a shift per channel.
    assert slope == pytest.approx(2 * (1.5 * (64 + 16) + 8))
