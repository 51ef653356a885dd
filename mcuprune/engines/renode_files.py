"""Files for Renode: the platform, the script that runs a firmware on it, and a test to keep.

The commands are those of Renode 1.15 (renode.readthedocs.io: describing platforms, monitor and
script syntax, testing API).
"""

from __future__ import annotations

from mcuprune.engines.base import Array
from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_layout import Layout

# Beside every board's own memories; the layout within is that of firmware/mailbox.c.
MAILBOX_ADDRESS, MAILBOX_BYTES = 0x9F000000, 16 * 2**20
INPUT_COUNT, OUTPUT_COUNT, ENDED = MAILBOX_ADDRESS, MAILBOX_ADDRESS + 4, MAILBOX_ADDRESS + 8
INPUTS, OUTPUTS = MAILBOX_ADDRESS + 256, MAILBOX_ADDRESS + 8 * 2**20
LARGEST_INPUT_BYTES = OUTPUTS - INPUTS
LARGEST_OUTPUT_BYTES = MAILBOX_ADDRESS + MAILBOX_BYTES - OUTPUTS
MAILBOX = (
    f"mailbox: Memory.MappedMemory @ sysbus {MAILBOX_ADDRESS:#010x} {{ size: {MAILBOX_BYTES:#x} }}"
)
# Names of the files within the folder that Renode runs.
ELF, INPUT_FILE, GENERATED = "firmware.elf", "inputs.bin", "board.repl"
SCRIPT, TEST = "run.resc", "model.robot"
BEGINS, ENDS = "inference begins after", "inference ends after"
_CPU_TYPES = {"cortex-m0plus": "cortex-m0+"}
_WORD_BYTES = 4
_QUANTUM_SECONDS = 0.1


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


def run_script(firmware: Firmware, input_bytes: int, seconds: int) -> str:
    """Return a ``.resc`` that loads a firmware with its inputs and runs it.

    It expects :data:`ELF`, :data:`INPUT_FILE` and a written platform in its own folder, so that
    the folder can be moved.

    Args:
        firmware: Built for Renode.
        input_bytes: How many bytes all inputs are.
        seconds: Simulated seconds to run for; those after the firmware's end cost nearly nothing.
    """
    platform = firmware.target.platform
    place = "$ORIGIN/" if platform == GENERATED else "@"
    begins = firmware.program.address("inference_begins")
    ends = firmware.program.address("inference_ends")
    return _lines(
        'mach create "mcuprune"',
        f"machine LoadPlatformDescription {place}{platform}",
        f'machine LoadPlatformDescriptionFromString "{MAILBOX}"',
        f"sysbus LoadELF $ORIGIN/{ELF}",
        f"sysbus LoadBinary $ORIGIN/{INPUT_FILE} {INPUTS:#010x}",
        f"sysbus WriteDoubleWord {INPUT_COUNT:#010x} {input_bytes}",
        f"sysbus.cpu VectorTableOffset {firmware.layout.flash.address:#010x}",
        _counting_hook(begins, BEGINS),
        _counting_hook(ends, ENDS),
        # Else simulated time passes no faster than real time, and in steps of 0.1 ms.
        "emulation SetGlobalAdvanceImmediately true",
        f'emulation SetGlobalQuantum "{_QUANTUM_SECONDS}"',
        f'emulation RunFor "{seconds}"',
    )


def reading_script(written_bytes: int) -> str:
    """Return a ``.resc`` that runs :data:`SCRIPT`, prints what the firmware wrote, and quits.

    Args:
        written_bytes: How much the firmware writes at most.
    """
    return _lines(
        "numbersMode Hexadecimal",
        f"include $ORIGIN/{SCRIPT}",
        f"sysbus ReadBytes {OUTPUT_COUNT:#010x} {2 * _WORD_BYTES}",
        f"sysbus ReadBytes {OUTPUTS:#010x} {written_bytes}",
        "quit",
    )


def robot_test(answers_at: int, expected: Array) -> str:
    """Return a test for ``renode-test`` that the firmware answers as it did here.

    Args:
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
    Execute Command            include @${{CURDIR}}/{SCRIPT}
    Word Should Be             {ENDED:#010x}    1
{checks}
"""


def _lines(*lines: str) -> str:
    return "\n".join([*lines, ""])


def _counting_hook(address: int, words: str) -> str:
    message = f"'{words} ' + str(self.ExecutedInstructions)"
    return f'sysbus.cpu AddHook {address:#010x} "self.InfoLog({message})"'
