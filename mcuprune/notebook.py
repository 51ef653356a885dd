"""Tables as notebooks show them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

_RIGHT = ' style="text-align:right"'
_LEFT = ' style="text-align:left"'


def html_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    numbers: Iterable[int] = (),
) -> str:
    """Return a table as HTML, all of its texts escaped.

    Args:
        headings: One per column.
        rows: As many cells each.
        title: Stands above it.
        numbers: Which columns hold numbers and stand at the right.

    >>> html_table(["a", "b"], [["<", "1"]], numbers=[1]).count("&lt;")
    1
    """
    right = frozenset(numbers)
    head = _row("th", headings, right)
    body = "".join(_row("td", row, right) for row in rows)
    caption = f"<caption{_LEFT}><b>{html.escape(title)}</b></caption>" if title else ""
    return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>"


def html_line(text: str) -> str:
    """Return a line of text as HTML, escaped."""
    return f"<div>{html.escape(text)}</div>"


def _row(tag: str, cells: Sequence[str], right: frozenset[int]) -> str:
    filled = (
        f"<{tag}{_RIGHT if index in right else _LEFT}>{html.escape(cell)}</{tag}>"
        for index, cell in enumerate(cells)
    )
    return f"<tr>{''.join(filled)}</tr>"
