"""Every board's data is whole, and the required ones say what their datasheets say."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from mcuprune import catalogue
from mcuprune.boards import BOARDS_FOLDER, board, board_names
from mcuprune.errors import UnknownNameError

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
    assert sum(memory.size_bytes for memory in device.memories) <= device.sram_bytes
    assert isinstance(device.clock_mhz, int)


def test_the_example_of_the_documentation_is_the_boards_file():
    text = (Path(__file__).parents[1] / "docs" / "boards.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    path = catalogue.find(BOARDS_FOLDER, "nucleo-f446re", "board")
    assert yaml.safe_load(example) == yaml.safe_load(path.read_text())


def test_json_has_plain_types():
    found = board("stm32f4-discovery").to_json()
    assert found["arena_bytes"] == 128 * KIB
    assert found["memories"][1] == {"name": "CCM", "size_bytes": 64 * KIB}


def test_unknown_board_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'nucleo-l4r5zi'"):
        board("nucleo-l4r5")


def test_boards_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        board("microbit-v2").clock_mhz = 65
