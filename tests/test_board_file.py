"""A board of the user's own: a file like those of the catalogue, given by its path."""

from pathlib import Path

import pytest

from mcuprune.board_file import read_board_file
from mcuprune.boards import BOARDS_FOLDER, Board, board, board_names
from mcuprune.budget import Budget
from mcuprune.catalogue import find
from mcuprune.errors import InputError

OWN = """\
title: The sensor node's second revision (STM32L432KC)
core: cortex-m4
clock_mhz: 80
sram_bytes: 65536
flash_bytes: 262144
memories:
  - {name: SRAM1, size_bytes: 49152}
  - {name: SRAM2, size_bytes: 16384, kind: backup}
source:
  document: DS11451
  url: https://www.st.com/resource/en/datasheet/stm32l432kc.pdf
  read: "2026-11"
"""


def written(folder: Path, text: str) -> str:
    path = folder / "node.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_board_by_path_is_one_like_any_other(tmp_path: Path) -> None:
    name = written(tmp_path, OWN)
    device = board(name)
    assert (device.name, device.arena_bytes, device.channel_multiple) == (name, 49152, 4)
    budget = Budget.for_board(name, reserve_sram="16KiB", reserve_flash="64KiB")
    assert (budget.sram, budget.flash, budget.board) == (32768, 196608, name)


@pytest.mark.parametrize("name", board_names())
def test_boards_of_the_catalogue_keep_to_the_same_rules(name: str) -> None:
    fields = read_board_file(find(BOARDS_FOLDER, name, "board"))
    assert set(fields) <= set(Board.__dataclass_fields__)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("clock_mhz: 80", "clock: 80", "unknown key 'clock': did you mean 'clock_mhz'?"),
        ("sram_bytes: 65536", "sram_bytes: 64KiB", "sram_bytes: input should be a valid integer"),
        ("size_bytes: 49152", "size: 49152", "unknown key 'memories.0.size'"),
        ("kind: backup", "kind: eeprom", "memories.1.kind: kinds of memory are sram, dtcm"),
        ("title:", "addresses: {SRAM3: 0}\ntitle:", "'SRAM3', which is no memory of the board"),
        ("SRAM1, size_bytes: 49152", "X, size_bytes: 1, kind: itcm", "no memory can hold an arena"),
        ("size_bytes: 49152", "size_bytes: 491520", "SRAM1 has 491,520 bytes, the chip 65,536"),
        ("core: cortex-m4", "core: cortex-a53", "core 'cortex-a53', of which"),
        ("memories:", "memories", "no valid YAML"),
    ],
)
def test_findings_name_the_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in OWN
    with pytest.raises(InputError) as caught:
        board(written(tmp_path, OWN.replace(old, new)))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"board file .*none\.yaml is not readable"):
        board(str(tmp_path / "none.yaml"))
