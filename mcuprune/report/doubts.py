"""What makes a result doubtful: sentences of their own, in the console, the page and the JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Doubt:
    """A reason to look twice before the model is shipped.

    Attributes:
        name: What kind it is, for programs: ``"accuracy-collapsed"``, ``"input-range"``,
            ``"outputs-saturated"``, ``"budget-at-the-edge"``, ``"engines-disagree"``,
            ``"int8-differs"`` or ``"simulation-left-out"``.
        message: What was found, what it means, what to do; no full stop at its end.
    """

    name: str
    message: str

    def to_json(self) -> dict[str, str]:
        """Return both under their names."""
        return dataclasses.asdict(self)


def doubts_of(found: Mapping[str, Any]) -> tuple[Doubt, ...]:
    """Return the doubts that a report holds; none where another version wrote it.

    Args:
        found: What ``report.json`` holds.
    """
    return tuple(Doubt(entry["name"], entry["message"]) for entry in found.get("doubts") or ())


def doubt_lines(found: Mapping[str, Any]) -> list[str]:
    """Return the doubts as lines for the console.

    >>> doubt_lines({"doubts": [{"name": "int8-differs", "message": "look again"}]})
    ['Warning (int8-differs): look again.']
    """
    return [f"Warning ({doubt.name}): {doubt.message}." for doubt in doubts_of(found)]
