"""Files for Renode: the platform, the script that runs a firmware on it, and a test to keep.

Written after Renode's documentation (renode.readthedocs.io: describing platforms, monitor and
script syntax, testing API); the commands are those of Renode 1.15.
"""

from __future__ import annotations

from pathlib import PurePath

from mcuprune.engines.base import Array
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Layout

# Beside every board's own memories; the layout within is that of firmware/mailbox.c.
MAILBOX_ADDRESS, MAILBOX_BYTES = 0x9F000000, 16 * 2**20
INPUT_COUNT, OUTPUT_COUNT, ENDED = MAILBOX_ADDRESS, MAILBOX_ADDRESS + 4, MAILBOX_ADDRESS + 8
INPUTS, OUTPUTS = MAILBOX_ADDRESS + 256, MAILBOX_ADDRESS + 8 * 2**20
MAILBOX = (
    f"mailbox: Memory.MappedMemory @ sysbus {MAILBOX_ADDRESS:#010x} {{ size: {MAILBOX_BYTES:#x} }}"
)
BEGINS, ENDS = "inference begins after", "inference ends after"
_CPU_TYPES = {"cortex-m0plus": "cortex-m0+"}
_WORD_BYTES = 4


def platform_description(core: str, layout: Layout) -> str:
    """Return a ``.repl`` with a board's core and memories, for boards that Renode lacks.

    Args:
        core: The core, such as ``"cortex-m4"``.
        layout: The board's memories.

    >>> from mcuprune.boards import board
    >>> from mcuprune.engines.firmware_layout import board_layout
    >>> print(platform_description("cortex-m0plus", board_layout(board("rp2040-pico"))))
    nvic: IRQControllers.NVIC @ sysbus 0xE000E000
        -> cpu@0
    <BLANKLINE>
    cpu: CPU.CortexM @ sysbus
        cpuType: "cortex-m0+"
        nvic: nvic
    <BLANKLINE>
    memory0: Memory.MappedMemory @ sysbus 0x20000000
        size: 0x42000
    <BLANKLINE>
    memory1: Memory.MappedMemory @ sysbus 0x10000000
        size: 0x200000
    <BLANKLINE>
    """
    cpu_type = _CPU_TYPES.get(core, core)
    parts = [
        "nvic: IRQControllers.NVIC @ sysbus 0xE000E000\n    -> cpu@0\n",
        f'cpu: CPU.CortexM @ sysbus\n    cpuType: "{cpu_type}"\n    nvic: nvic\n',
    ]
    for number, region in enumerate(layout.regions):
        place = f"memory{number}: Memory.MappedMemory @ sysbus {region.address:#010x}"
        parts.append(f"{place}\n    size: {region.size_bytes:#x}\n")
    return "\n".join(parts)


def run_script(
    firmware: Firmware, elf: PurePath, inputs: PurePath, input_bytes: int, seconds: int
) -> str:
    """Return a ``.resc`` that loads a firmware with its inputs and runs it.

    Args:
        firmware: Built for Renode.
        elf: Where its ELF file will lie.
        inputs: Where the inputs will lie, all bytes one after the other.
        input_bytes: How many bytes these are.
        seconds: Simulated seconds to run for.
    """
    begins = firmware.program.address("inference_begins")
    ends = firmware.program.address("inference_ends")
    return "\n".join(
        [
            'mach create "mcuprune"',
            f"machine LoadPlatformDescription @{firmware.target.platform}",
            f'machine LoadPlatformDescriptionFromString "{MAILBOX}"',
            f"sysbus LoadELF @{elf}",
            f"sysbus LoadBinary @{inputs} {INPUTS:#010x}",
            f"sysbus WriteDoubleWord {INPUT_COUNT:#010x} {input_bytes}",
            f"sysbus.cpu VectorTableOffset {firmware.layout.flash.address:#010x}",
            _counting_hook(begins, BEGINS),
            _counting_hook(ends, ENDS),
            f'emulation RunFor "{seconds}"',
            "",
        ]
    )


def reading_commands(first: int, count_bytes: int) -> list[str]:
    """Return the commands that print words of memory, as many as hold the bytes."""
    words = -(-count_bytes // _WORD_BYTES)
    return [f"sysbus ReadDoubleWord {first + _WORD_BYTES * i:#010x}" for i in range(words)]


def robot_test(script: PurePath, answers_at: int, expected: Array) -> str:
    """Return a test for ``renode-test`` that the firmware answers as it did here.

    Args:
        script: The ``.resc`` file.
        answers_at: Address of the first expected word.
        expected: Bytes that the firmware must have written there, int8, a multiple of four.
    """
    words = expected.view("<u4").tolist()
    checks = "\n".join(
        f"    Word Should Be             {answers_at + _WORD_BYTES * i:#010x}    {word:#010x}"
        for i, word in enumerate(words)
    )
    return f"""\
*** Keywords ***
Word Should Be
    [Arguments]                ${{address}}    ${{expected}}
    ${{word}}=                   Execute Command    sysbus ReadDoubleWord ${{address}}
    Should Be Equal As Numbers    ${{word}}    ${{expected}}

*** Test Cases ***
Model Should Answer Bit For Bit
    Execute Command            include @{script}
    Word Should Be             {ENDED:#010x}    1
{checks}
"""


def _counting_hook(address: int, words: str) -> str:
    message = f"'{words} ' + str(self.ExecutedInstructions)"
    return f'sysbus.cpu AddHook {address:#010x} "self.InfoLog({message})"'
