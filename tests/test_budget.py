"""Budgets from quantities and from boards."""

from __future__ import annotations

import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.errors import InputError, UnknownNameError


def test_quantities_with_units():
    budget = Budget(sram="64KiB", flash="128 KB", macs="2M")
    assert (budget.sram, budget.flash, budget.macs) == (65536, 128_000, 2_000_000)


def test_only_given_limits_count():
    assert list(Budget(flash=100).limits()) == [("flash", 100)]


def test_empty_budget_is_refused():
    with pytest.raises(InputError, match="at least one of sram, flash, macs"):
        Budget()


def test_whole_numbers_of_numpy_are_taken():
    budget = Budget(sram=np.int64(5000), macs=np.uint32(7))
    assert budget == Budget(sram=5000, macs=7)
    assert type(budget.sram) is int


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"sram": 0}, "0 is not positive"),
        ({"sram": "64kB?"}, "is no bytes"),
        ({"flash": "64KiBB"}, "Did you mean 'KiB'"),
        ({"macs": "2T"}, "unknown unit 'T'"),
        ({"sram": 1.5}, "1.5 is no bytes"),
        ({"sram": True}, "True is no bytes"),
        ({"sram": np.bool_(True)}, "True.* is no bytes"),
        ({"sram": np.float64(5000)}, "5000.* is no bytes"),
    ],
)
def test_bad_quantities(limits, message):
    with pytest.raises(InputError, match=message):
        Budget(**limits)


def test_board_gives_its_largest_memory_less_the_reserve():
    budget = Budget.for_board("nucleo-h743zi2", reserve_sram="32KiB", reserve_flash=1024, macs="5M")
    assert budget == Budget(sram=(512 - 32) * 1024, flash=2048 * 1024 - 1024, macs=5_000_000)


def test_reserve_that_leaves_nothing():
    with pytest.raises(InputError, match=r"leaves nothing of microbit-v2's SRAM \(131,072 B\)"):
        Budget.for_board("microbit-v2", reserve_sram="128KiB")


def test_unknown_board():
    with pytest.raises(UnknownNameError, match="did you mean 'microbit-v2'"):
        Budget.for_board("microbit")


def test_a_boards_budget_remembers_the_board_but_equals_its_limits():
    budget = Budget.for_board("esp32-s3-devkitc")
    assert (budget.board, budget.channel_multiple) == ("esp32-s3-devkitc", 8)
    assert budget == Budget(sram=budget.sram, flash=budget.flash)
    assert repr(budget).endswith("macs=None, board='esp32-s3-devkitc')")
    assert Budget(macs=5).channel_multiple == 1


def test_limits_of_ones_own_for_a_board():
    assert Budget(macs="2M", board="corstone-300-m55").channel_multiple == 16
    with pytest.raises(UnknownNameError, match="did you mean 'corstone-300-m55'"):
        Budget(macs="2M", board="corstone-300")


def test_latency_in_microseconds():
    budget = Budget(latency="50ms", board="nucleo-l4r5zi")
    assert budget.latency == 50_000
    assert list(budget.limits()) == [("latency", 50_000)]
    assert Budget.for_board("nucleo-l4r5zi", latency="1.5 s").latency == 1_500_000


@pytest.mark.parametrize("text", ["50", "50m", "fast", "0ms"])
def test_times_without_a_unit_are_refused(text):
    with pytest.raises(InputError, match=r"ms|positive"):
        Budget(latency=text)


def test_budgets_without_a_latency_look_as_before():
    assert repr(Budget(sram=1024)) == "Budget(sram=1024, flash=None, macs=None)"
    assert repr(Budget(sram=1024, latency=7)).endswith("macs=None, latency=7)")
