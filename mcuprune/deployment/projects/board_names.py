"""What PlatformIO, Zephyr and ESP-IDF call the boards of the catalogue."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parent / "board_names.yaml"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a project runs.

    Attributes:
        board: The board in the words of the project's tools, or the chip for ESP-IDF.
        platform: PlatformIO's package of tools, else empty.
        is_emulated: Whether the tools run it without a board.
    """

    board: str
    platform: str = ""
    is_emulated: bool = False


def place_of(format_name: str, board: str | None, runtime: str) -> Place | None:
    """Return where a project runs: on the board, if its tools know it, else on their usual one.

    Args:
        format_name: A name of :data:`~mcuprune.deployment.projects.formats.FORMATS`.
        board: A board of the catalogue, or None.
        runtime: ``"c"`` or ``"tflm"``.

    Returns:
        The place; None for formats that name no board, and for a PlatformIO project that runs on
        the host.

    >>> place_of("zephyr", "nucleo-l4r5zi", "c").board
    'nucleo_l4r5zi'
    >>> place_of("zephyr", None, "c")
    Place(board='mps2/an386', platform='', is_emulated=True)
    >>> place_of("cmake", "nucleo-l4r5zi", "c") is None
    True
    """
    tool = _names().get(format_name)
    if tool is None:
        return None
    usual = tool.get(f"usual_{runtime}", tool.get("usual"))
    found = tool["boards"].get(board, usual)
    return None if found is None else Place(**found)


@functools.cache
def _names() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
