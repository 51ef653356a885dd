"""Lists for people."""

from __future__ import annotations

import io

from rich.console import Console

from mcuprune.boards import board
from mcuprune.channels.groups import Group
from mcuprune.report.listing import boards_table, groups_table, recipes_table


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


def test_groups_name_why_one_is_frozen():
    output = text(
        groups_table(
            [
                Group("conv1", 16, ("conv1",), ("conv2",)),
                Group("classes", 10, ("classes",), (), frozen="model output"),
            ]
        )
    )
    assert row_of(output, "conv1") == ["conv1", "16", "conv1", "conv2", "yes"]
    assert row_of(output, "classes")[-3:] == ["no:", "model", "output"]
