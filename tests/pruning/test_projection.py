import dataclasses
from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mcuprune.pruning.allowed import Allowed
from mcuprune.pruning.projection import Projection


def even(*widths: int) -> dict[str, np.ndarray]:
    return {name: np.full(w, 1 / w) for name, w in zip("abcd", widths, strict=False)}


def upto(*widths: int, multiple: int = 1) -> dict[str, Allowed]:
    """All multiples up to these widths."""
    return {n: Allowed(multiple, w, multiple) for n, w in zip("ab", widths, strict=True)}


@dataclasses.dataclass(frozen=True)
class ChainNeeds:
    terms: Mapping[str, np.ndarray]
    by_width: Mapping[str, np.ndarray]

    def slopes(self, weights: Mapping[str, np.ndarray]) -> dict[str, float]:
        total = sum(weights[name] @ self.by_width[name] for name in weights)
        return dict(zip("ab", total.tolist(), strict=True))


@dataclasses.dataclass(frozen=True)
class Chain:
    """Two layers in a row: memory holds both outputs, weights are their product.

    Where ``b`` is odd, ``wasted`` times as much memory is needed.
    """

    limited: tuple[str, ...] = ("sram", "flash")
    wasted: float = 1.0

    def needs(self, widths: Mapping[str, int], waste: float = 1.0) -> ChainNeeds:
        a, b = widths["a"], widths["b"]
        terms = {
            "sram": waste * np.array([100.0 * a, 50.0 * b]),
            "flash": np.array([1.0 * a * b]),
        }
        by_width = {
            "sram": waste * np.array([[100.0, 0.0], [0.0, 50.0]]),
            "flash": np.array([[1.0 * b, 1.0 * a]]),
        }
        return ChainNeeds({name: terms[name] for name in self.limited}, by_width)

    def waste(self, widths: Mapping[str, int]) -> float:
        return self.wasted if widths["b"] % 2 else 1.0


def test_what_fits_is_left_alone() -> None:
    search = Projection(Chain(), {"sram": 10_000, "flash": 10_000}, even(8, 16), upto(8, 16))
    assert search.run({"a": 8, "b": 16}) == {"a": 8, "b": 16}


def test_only_the_group_that_binds_is_narrowed() -> None:
    # sram <= 400 allows a = 4 and b = 8; flash is free.
    search = Projection(Chain(), {"sram": 400, "flash": 10_000}, even(8, 8), upto(8, 8))
    assert search.run({"a": 8, "b": 8}) == {"a": 4, "b": 8}


def test_slack_left_by_the_start_is_filled() -> None:
    search = Projection(Chain(), {"sram": 400, "flash": 10_000}, even(8, 8), upto(8, 8))
    assert search.run({"a": 1, "b": 1}) == {"a": 4, "b": 8}


def test_the_group_whose_channels_matter_less_is_narrowed() -> None:
    scores = {"a": np.array([0.97, 0.01, 0.01, 0.01]), "b": np.full(4, 0.25)}
    search = Projection(Chain(("flash",)), {"flash": 8}, scores, upto(4, 4))
    assert search.run({"a": 4, "b": 4}) == {"a": 2, "b": 4}


def test_widths_are_multiples_where_asked() -> None:
    search = Projection(Chain(("sram",)), {"sram": 700}, even(16, 16), upto(16, 16, multiple=4))
    # sram <= 700 allows a = 7 and b = 14; multiples of 4 below: 4 and 12.
    assert search.run({"a": 16, "b": 16}) == {"a": 4, "b": 12}


def test_a_width_beyond_what_is_allowed_is_narrowed_within_the_limits() -> None:
    allowed = {"a": Allowed(1, 8), "b": Allowed(1, 3)}
    search = Projection(Chain(("sram",)), {"sram": 10_000}, even(8, 8), allowed)
    assert search.run({"a": 8, "b": 8}) == {"a": 8, "b": 3}


def test_an_impossible_limit_is_reported() -> None:
    search = Projection(Chain(("sram",)), {"sram": 99}, even(8, 8), upto(8, 8))
    assert search.run({"a": 8, "b": 8}) is None


def test_memory_that_the_plan_wastes_counts() -> None:
    # Working sets alone would allow b = 7, where 350 B and half as much again are needed.
    search = Projection(Chain(("sram",), wasted=1.5), {"sram": 400}, even(8, 7), upto(8, 7))
    assert search.run({"a": 8, "b": 7}) == {"a": 4, "b": 6}


@settings(max_examples=60, deadline=None)
@given(st.integers(100, 3200), st.integers(1, 1024), st.integers(1, 32), st.integers(1, 32))
def test_limits_are_met_and_no_channel_more_would_fit(
    sram: int, flash: int, a: int, b: int
) -> None:
    limits = {"sram": sram, "flash": flash}
    search = Projection(Chain(), limits, even(32, 32), upto(32, 32))

    def fits(widths: Mapping[str, int]) -> bool:
        a, b = widths["a"], widths["b"]
        return max(100 * a, 50 * b) <= sram and a * b <= flash

    found = search.run({"a": a, "b": b})
    assert fits(found)
    for name in found:
        wider = {**found, name: found[name] + 1}
        assert wider[name] > 32 or not fits(wider)


def gap_to_the_best(seed: int) -> float:
    """Return the worth that is missed for random limits, of all 144 widths of two groups."""
    rng = np.random.default_rng(seed)
    sram, flash = int(rng.integers(100, 1200)), int(rng.integers(1, 144))
    scores = {name: rng.dirichlet(np.ones(12)) for name in "ab"}
    search = Projection(Chain(), {"sram": sram, "flash": flash}, scores, upto(12, 12))
    best = max(
        search.worth({"a": a, "b": b})
        for a in range(1, 13)
        for b in range(1, 13)
        if max(100 * a, 50 * b) <= sram and a * b <= flash
    )
    return best - search.worth(search.run({"a": 12, "b": 12}))


def test_the_worth_is_nearly_always_the_best_there_is() -> None:
    gaps = [gap_to_the_best(seed) for seed in range(100)]
    assert max(gaps) < 0.2
    assert sum(gap > 1e-9 for gap in gaps) <= 5
