"""The boards of the catalogue that hold a model."""

from __future__ import annotations

import dataclasses

from mcuprune.boards import board, board_names
from mcuprune.cost.firmware import BOARD_POINTER_BITS, runtime_of_board
from mcuprune.cost.flash import flash_bytes
from mcuprune.cost.latency import board_latency_ms
from mcuprune.cost.memory import arena_total
from mcuprune.ir.graph import Graph


@dataclasses.dataclass(frozen=True)
class BoardFit:
    """A board that holds a model, with nothing reserved for the firmware.

    Attributes:
        name: Name in the catalogue.
        runtime: The runtime that its arena was counted for.
        arena_bytes: Bytes of the arena there.
        spare_sram_bytes: What its largest memory has left.
        reserved_sram_bytes: What firmware takes of that before any application, None if unknown.
        spare_flash_bytes: What the flash has left for the program.
        latency_ms: Predicted milliseconds of an inference, None where not known.
    """

    name: str
    runtime: str
    arena_bytes: int
    spare_sram_bytes: int
    reserved_sram_bytes: int | None
    spare_flash_bytes: int
    latency_ms: float | None


def boards_that_fit(graph: Graph) -> tuple[BoardFit, ...]:
    """Return the boards whose memories hold a model's arena and file.

    Args:
        graph: A graph whose dimensions are ints.
    """
    file_bytes = int(flash_bytes(graph)) if graph.file_bytes is None else graph.file_bytes
    arenas: dict[str, int] = {}
    fits = []
    for name in board_names():
        device, runtime = board(name), runtime_of_board(name)
        if runtime not in arenas:
            arenas[runtime] = arena_total(graph, BOARD_POINTER_BITS, runtime)
        spare_sram = device.arena_bytes - arenas[runtime]
        spare_flash = device.flash_bytes - file_bytes
        if spare_sram < 0 or spare_flash < 0:
            continue
        fits.append(
            BoardFit(
                name=name,
                runtime=runtime,
                arena_bytes=arenas[runtime],
                spare_sram_bytes=spare_sram,
                reserved_sram_bytes=None if device.reserve is None else device.reserve.sram_bytes,
                spare_flash_bytes=spare_flash,
                latency_ms=board_latency_ms(graph, device, runtime),
            )
        )
    return tuple(fits)
