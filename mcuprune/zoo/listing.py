"""The zoo as tables."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from mcuprune.zoo.card import Card
from mcuprune.zoo.measure import Finding

_HASH_LENGTH = 64


def zoo_table(cards: Iterable[Card]) -> Table:
    """Return a table of models: accuracy and what each takes."""
    table = Table(
        box=SIMPLE,
        caption="accuracy: LiteRT, int8, on all test inputs; arena: TFLM on a 64-bit host, which "
        "takes more than a board; flash: the file",
    )
    table.add_column("model", no_wrap=True)
    table.add_column("what it does")
    for heading in ("int8 %", "arena B", "flash B", "MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for card in cards:
        table.add_row(
            card.name,
            card.title,
            f"{100 * card.accuracy.int8:.1f}",
            f"{card.resources.arena_bytes:,}",
            f"{card.resources.flash_bytes:,}",
            f"{card.resources.macs:,}",
        )
    return table


def findings_table(name: str, findings: Iterable[Finding]) -> Table:
    """Return a table of what a card says and what was found."""
    table = Table(box=SIMPLE, title=name, title_justify="left")
    for heading in ("", "card", "found", "from", ""):
        table.add_column(heading)
    for finding in findings:
        mark = Text("same", "green") if finding.agrees else Text("DIFFERS", "red")
        # A hash is told by its beginning.
        shown = (
            text if len(text) < 64 else f"{text[:12]}..."
            for text in (finding.stated, finding.found)
        )
        table.add_row(finding.what, *shown, finding.provenance, mark)
    return table
