"""Lists for people."""

from __future__ import annotations

import dataclasses
import io

from rich.console import Console

from mcuprune.boards import board
from mcuprune.channels.share import FrozenLayer, Share
from mcuprune.channels.worth import ChannelWorth
from mcuprune.report.listing import boards_table, groups_lines, groups_table, recipes_table
from mcuprune.report.overview import GroupEntry, GroupOverview


def text(table) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    return console.file.getvalue()


def row_of(output: str, word: str) -> list[str]:
    return next(line.split() for line in output.splitlines() if word in line)


def test_boards_in_80_columns():
    row = row_of(text(boards_table([board("nucleo-h743zi2")])), "h743")
    assert row == ["nucleo-h743zi2", "cortex-m7", "480", "992", "512", "2,048"]


def test_recipes():
    assert "Handwritten" in text(recipes_table({"digits": "Handwritten digits"}))


def overview() -> GroupOverview:
    made = GroupEntry(
        name="conv1",
        width=16,
        producers=("conv1",),
        pass_through=("a", "b", "c", "d", "e", "f", "g"),
        consumers=("conv2",),
        members=(),
        classes={},
        frozen=None,
        worth=ChannelWorth(1024, 40, 2304, in_sram_peak=False),
        worth_absent=None,
    )
    frozen = dataclasses.replace(
        made, name="classes", pass_through=(), consumers=(), frozen="model output", worth=None
    )
    return GroupOverview(
        model="net",
        groups={"conv1": made, "classes": frozen},
        channels=Share(16, 26),
        parameters=Share(160, 170),
        frozen_layers=(FrozenLayer("classes", "Dense", "model output"),),
    )


def test_groups_tell_worth_layers_and_what_freezes_them():
    output = text(groups_table(overview()))
    # Not in the peak, hence the star.
    assert row_of(output, "conv1")[:5] == ["conv1", "16", "*1,024", "40", "2,304"]
    told = " ".join(output.split())
    assert "made by conv1; passed on by" in told
    assert "a, b, c, d, e and 2 more; read by" in told
    assert row_of(output, "classes")[:5] == ["classes", "16", "-", "-", "-"]
    assert "frozen: model output" in told


def test_below_the_groups_stand_shares_and_frozen_layers():
    assert groups_lines(overview()) == [
        "Can be pruned: 61.5% (16 of 26) of channels, 94.1% (160 of 170) of parameters.",
        "* not in memory at the SRAM peak; the rest is the arena's tail",
        "Frozen layers:",
        "  classes (Dense): model output",
    ]
