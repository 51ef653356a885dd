"""Every board's data is whole, and the required ones say what their datasheets say."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from mcuprune import catalogue
from mcuprune.boards import (
    BOARDS_FOLDER,
    CHANNEL_MULTIPLES,
    KERNELS_FOLDER,
    Memory,
    board,
    board_names,
)
from mcuprune.errors import UnknownNameError
from mcuprune.memory_kinds import FLASH, OFF_CHIP_KINDS, ON_CHIP_RAM_KINDS

KIB = 1024


@pytest.mark.parametrize(
    ("name", "core", "clock_mhz", "sram_kib", "flash_kib", "arena_kib"),
    [
        ("nucleo-l4r5zi", "cortex-m4", 120, 640, 2048, 640),
        ("stm32f746g-disco", "cortex-m7", 216, 320, 1024, 320),
        ("nucleo-h743zi2", "cortex-m7", 480, 992, 2048, 512),
        ("arduino-nano-33-ble", "cortex-m4", 64, 256, 1024, 256),
        ("rp2040-pico", "cortex-m0plus", 133, 264, 2048, 264),
        ("esp32-devkitc", "xtensa-lx6", 240, 520, 4096, 160),
        ("nrf5340-dk", "cortex-m33", 128, 512, 1024, 512),
        ("corstone-300-m55", "cortex-m55", 32, 3584, 8192, 2048),
    ],
)
def test_datasheet_values(name, core, clock_mhz, sram_kib, flash_kib, arena_kib):
    device = board(name)
    assert (device.core, device.clock_mhz) == (core, clock_mhz)
    assert device.sram_bytes == sram_kib * KIB
    assert device.flash_bytes == flash_kib * KIB
    assert device.arena_bytes == arena_kib * KIB


@pytest.mark.parametrize("name", board_names())
def test_every_board_is_whole(name):
    device = board(name)
    assert device.title
    assert device.source.document
    assert device.source.url.startswith("https://")
    assert isinstance(device.clock_mhz, int)


@pytest.mark.parametrize("name", board_names())
def test_memories_are_of_known_kinds_and_add_up(name):
    device = board(name)
    kinds = {*ON_CHIP_RAM_KINDS, *OFF_CHIP_KINDS, FLASH}
    assert {memory.kind for memory in device.memories} <= kinds
    arena = [memory.size_bytes for memory in device.memories if memory.holds_arena]
    assert sum(arena) <= device.sram_bytes
    assert device.arena_bytes == max(arena)
    assert device.memories[-1] == Memory("flash", device.flash_bytes, "flash")


@pytest.mark.parametrize("name", board_names())
def test_speed_and_power_say_where_they_come_from(name):
    device = board(name)
    for known in (*device.speeds, *([device.power] if device.power else [])):
        assert known.origin in ("measured", "published", "inferred")
        assert len(known.source) > 20
        assert known.error_percent is None or 0 <= known.error_percent < 100
    if device.reserve is not None:
        assert 0 < device.reserve.sram_bytes < device.arena_bytes


def test_there_are_boards_enough():
    assert len(board_names()) >= 25


def test_memories_beside_the_chip_hold_no_arena():
    beside = {m.kind for m in board("arduino-portenta-h7").memories if not m.holds_arena}
    assert beside == {"itcm", "sdram", "external flash", "flash"}
    assert board("arduino-portenta-h7").arena_bytes == 512 * KIB


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("rp2040-pico", 1),  # Cortex-M0+: no SIMD instructions
        ("nucleo-l4r5zi", 4),  # Cortex-M4: four int8 values in a 32-bit word
        ("nucleo-h743zi2", 4),
        ("rp2350-pico2", 4),
        ("corstone-300-m55", 16),  # Cortex-M55: vectors of 128 bits
        ("esp32-devkitc", 1),
        ("esp32-s3-devkitc", 8),
    ],
)
def test_channels_that_the_kernels_take_at_once(name, channels):
    assert board(name).channel_multiple == channels


def test_every_multiple_names_a_source_of_the_table():
    table = yaml.safe_load(catalogue.find(KERNELS_FOLDER, CHANNEL_MULTIPLES, "table").read_text())
    for core, entry in table["cores"].items():
        assert entry["channel_multiple"] in (1, 4, 8, 16), core
        assert entry["source"] in table["sources"], core
        assert ".c" in entry["reason"] or "README.md" in entry["reason"], core


def test_the_example_of_the_documentation_is_the_boards_file():
    text = (Path(__file__).parents[1] / "docs" / "boards.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    path = catalogue.find(BOARDS_FOLDER, "nucleo-f446re", "board")
    assert yaml.safe_load(example) == yaml.safe_load(path.read_text())


def test_json_has_plain_types():
    found = board("stm32f4-discovery").to_json()
    assert found["arena_bytes"] == 128 * KIB
    assert found["memories"][1] == {"name": "CCM", "size_bytes": 64 * KIB, "kind": "ccm"}


def test_unknown_board_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'nucleo-l4r5zi'"):
        board("nucleo-l4r5")


def test_boards_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        board("microbit-v2").clock_mhz = 65
