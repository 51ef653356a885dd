import numpy as np
import pytest

from mcuprune.pruning.importance import Importance


def test_shares_follow_the_root_mean_square_of_the_derivatives() -> None:
    importance = Importance(decay=0.5)
    importance.update({"a": np.array([3.0, -1.0])})
    importance.update({"a": np.array([1.0, 1.0])})
    # second moments: 0.5 * 9 + 0.5 * 1 = 5 and 1; roots 2.236 and 1.
    shares = importance.scores({"a": 2})["a"]
    assert shares == pytest.approx([5**0.5 / (5**0.5 + 1), 1 / (5**0.5 + 1)])


def test_before_any_step_all_channels_matter_alike() -> None:
    assert Importance().scores({"a": 4})["a"] == pytest.approx([0.25] * 4)


def test_a_step_with_nan_is_passed_over() -> None:
    importance = Importance()
    importance.update({"a": np.array([1.0, 3.0])})
    importance.update({"a": np.array([np.nan, 3.0])})
    importance.update({"a": np.array([np.inf, 3.0])})
    assert importance.passed_over == 2
    assert importance.scores({"a": 2})["a"] == pytest.approx([0.25, 0.75])


def test_cut_channels_are_forgotten() -> None:
    importance = Importance()
    importance.update({"a": np.array([1.0, 2.0, 3.0])})
    importance.keep({"a": np.array([0, 2])})
    assert importance.scores({"a": 2})["a"] == pytest.approx([0.25, 0.75])
