"""deploy writes a memory plan where it makes the arena smaller."""

import json

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.cost.resources import estimate
from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.package import deploy
from mcuprune.deployment.shipped import shipped
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.recipes.models import dscnn
from mcuprune.report.memory_plan import saved_lines

SAMPLES = np.random.default_rng(0).normal(size=(50, 8, 8, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    """8x8x4 (256 B), its convolution added to it: the sum can take the place of either."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 4))
    convolved = keras.layers.Conv2D(4, 1)(inputs)
    return keras.Model(inputs, keras.layers.Add()([inputs, convolved]), name="sum")


@pytest.fixture(scope="module")
def deployment(model, tmp_path_factory):
    return deploy(model, SAMPLES, tmp_path_factory.mktemp("out") / "sum")


def test_the_file_carries_the_plan_and_tflm_takes_it(deployment):
    data = (deployment.folder / "model.tflite").read_bytes()
    assert parse_tflite(data, "sum").offline_offsets is not None
    # Two tensors of 256 B instead of three.
    assert TFLM().arena(data).head_bytes == deployment.arena.head_bytes == 512
    assert deployment.resources.arena_head_bytes == 512
    assert deployment.predicted.arena_head_bytes == 512
    assert deployment.resources.largest_working_set_bytes == 512
    assert deployment.agreement.largest_difference <= 2


def test_the_report_tells_what_was_saved(deployment):
    report = json.loads((deployment.folder / "report.json").read_text())
    assert report["memory_plan"]["arena_head_bytes"] == {"before": 768, "after": 512}
    assert report["memory_plan"]["saved_bytes"] == 256
    assert "256 B less" in saved_lines(report)[0]


def test_the_plan_takes_no_more_of_the_file_than_it_needs(deployment, model):
    data = (deployment.folder / "model.tflite").read_bytes()
    added = len(data) - len(convert_int8(model, SAMPLES))
    tensors = len(parse_tflite(data, "sum").tensors)
    # The numbers, their name, a table each for buffer and metadata, and alignment to 16.
    assert 4 * (3 + tensors) + 24 <= added <= 4 * (3 + tensors) + 24 + 100


def test_it_can_be_left_out(model, tmp_path):
    plain = deploy(model, SAMPLES, tmp_path / "plain", plan_memory=False)
    assert plain.memory_plan is None
    assert plain.arena.head_bytes == 768
    assert saved_lines(plain.to_json()) == []


def test_a_flash_budget_that_is_met_without_stays_met(model, tmp_path):
    flash = len(convert_int8(model, SAMPLES))
    tight = deploy(model, SAMPLES, tmp_path / "tight", budget=Budget(flash=flash))
    assert tight.verdict.fits
    assert tight.resources.flash_bytes == flash
    assert not tight.memory_plan.is_changed
    assert "more than the budget leaves" in tight.memory_plan.note


def test_a_budget_that_needs_the_plan_gets_it_though_other_kernels_lose():
    """Helium kernels want 4 KiB of scratch memory in the middle of what the plan packs."""
    keras.utils.set_random_seed(0)
    network = dscnn((49, 10, 1), 10, widths=(10, 10, 10, 8, 13))
    samples = np.random.default_rng(0).normal(size=(20, 49, 10, 1)).astype(np.float32)
    converted = convert_int8(network, samples)
    assert not shipped(converted, "kws").is_changed
    roomy = estimate(parse_tflite(converted, "kws")).arena_total_bytes
    budget = Budget(sram=roomy - 1_000)
    planned = shipped(converted, "kws", budget=budget)
    assert TFLM().arena(planned.model).head_bytes == planned.plan.head_bytes == 2_640
    assert TFLM().arena(planned.model).total_bytes <= budget.sram
    assert not shipped(converted, "kws", budget=Budget(sram=roomy)).is_changed
