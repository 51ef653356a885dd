"""Kinds of memory on and beside a microcontroller."""

from __future__ import annotations

# Kinds that an arena can lie in without further drivers, all on the chip.
ARENA_KINDS = ("sram", "dtcm", "ccm")
ON_CHIP_RAM_KINDS = (*ARENA_KINDS, "itcm", "backup")
OFF_CHIP_KINDS = ("psram", "sdram", "external flash")
FLASH = "flash"
