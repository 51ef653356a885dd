import pytest

from mcuprune.boards import Power, board
from mcuprune.budget import Budget
from mcuprune.cost.energy import grams_co2e, inference_energy
from mcuprune.cost.fitting import boards_that_fit
from mcuprune.cost.resources import estimate
from mcuprune.cost.timing import estimate_for, with_time
from mcuprune.cost.verdict import compare
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import read_tflite


def test_energy_is_power_times_time():
    energy = inference_energy(20.0, "published", Power(30.0, "published", "a meter", 2.0))
    assert energy.millijoules == pytest.approx(0.6)  # 20 ms * 30 mW = 600 uJ
    assert (energy.origin, energy.error_percent) == ("published", 2.0)


def test_energy_is_as_certain_as_its_weaker_half():
    power = Power(30.0, "measured", "a meter")
    assert inference_energy(1.0, "inferred", power).origin == "inferred"


def test_published_energy_of_mlperf_tiny(shared):
    """OctoML, v1.0: 5,230 uJ for keyword spotting, 20,236 uJ for images, on a Nucleo-L4R5ZI."""
    for model, published_mj in (("kws_ref_model", 5.230), ("pretrainedResnet_quant", 20.236)):
        graph = read_tflite(shared / "models" / "mlperf_tiny" / f"{model}.tflite")
        resources = estimate(graph, "tflm-cmsis-nn")
        timed = with_time(resources, graph, board("nucleo-l4r5zi"))
        assert timed.energy_mj == pytest.approx(published_mj, rel=0.15)


def test_emissions_of_the_grid():
    # 3.6 MJ are a kilowatt-hour.
    assert grams_co2e(3.6, 1e6, 500.0) == pytest.approx(0.5)
    with pytest.raises(InputError, match="negative"):
        grams_co2e(1.0, 1.0, -1.0)


def test_time_comes_with_cycles_per_operator_and_its_origin(residual):
    device = board("nucleo-l4r5zi")
    timed = with_time(estimate(residual, "tflm-cmsis-nn"), residual, device)
    overhead = timed.cycles - sum(operator.cycles for operator in timed.operators)
    assert 0 <= overhead < 200
    assert timed.latency_ms == pytest.approx(timed.cycles / 120_000)
    assert timed.latency.origin == "published"
    assert timed.latency.absent is None
    assert timed.provenance["latency_ms"] == "predicted"


def test_what_is_not_known_stays_none_and_says_why(residual):
    timed = with_time(estimate(residual), residual, board("corstone-300-m55"))
    assert (timed.latency_ms, timed.energy_mj, timed.cycles) == (None, None, None)
    assert "nothing is known" in timed.latency.absent


def test_latency_is_held_against_a_budget(residual):
    budget = Budget(latency="1us", board="nucleo-l4r5zi")
    timed = estimate_for(budget, residual)
    (row,) = compare(timed, budget).rows
    assert (row.name, row.available, row.unit) == ("latency", 1, "us")
    assert row.required == pytest.approx(timed.latency_ms * 1_000, abs=1)
    assert not compare(timed, budget).fits


def test_a_latency_that_is_not_known_cannot_be_held_against_a_budget(residual):
    with pytest.raises(InputError, match="counted for no board"):
        compare(estimate(residual), Budget(latency="1ms"))


def test_boards_that_fit_are_those_with_room(residual):
    fits = {fit.name: fit for fit in boards_that_fit(residual)}
    small = fits["microbit-v2"]
    assert small.spare_sram_bytes == board("microbit-v2").arena_bytes - small.arena_bytes
    assert small.reserved_sram_bytes == 4416
    huge = read_large(residual)
    assert {fit.name for fit in boards_that_fit(huge)} == {"mps2-an386"}


def read_large(graph):
    """Return the graph with activations of 3 MiB, which one board alone can hold."""
    import dataclasses

    wide = [dataclasses.replace(t, shape=(1, 1024, 1024, 3)) for t in graph.tensors[:1]]
    return dataclasses.replace(graph, tensors=(*wide, *graph.tensors[1:]))
