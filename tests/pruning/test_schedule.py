import pytest

from mcuprune.pruning.schedule import cubic_progress, target


@pytest.mark.parametrize(
    ("fraction", "due"),
    [(-1.0, 0.0), (0.0, 0.0), (0.1, 1 - 0.729), (0.5, 0.875), (1.0, 1.0), (2, 1)],
)
def test_cubic_progress(fraction: float, due: float) -> None:
    assert cubic_progress(fraction) == pytest.approx(due)


def test_target_starts_at_the_present_cost_and_ends_at_the_budget() -> None:
    assert target(4496, 3032, 0.0) == 4496
    assert target(4496, 3032, 1.0) == 3032


def test_a_met_budget_is_the_target_throughout() -> None:
    assert target(1000, 3032, 0.0) == 3032
