"""Files for Renode: the platform, the scripts that run a firmware on it, and a test to keep.

The commands are those of Renode 1.15 (renode.readthedocs.io: describing platforms, monitor and
script syntax, UART integration, testing with Renode).
"""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.engines.firmware_build import Firmware
from mcuprune.engines.firmware_exchange import Exchange, Uart
from mcuprune.engines.firmware_layout import Layout
from mcuprune.errors import InputError

# Beside every board's own memories; the layout within is that of firmware/uart_files.c.
INPUT_COUNT, INPUT_MEMORY_BYTES = 0x9F000000, 16 * 2**20
INPUTS = INPUT_COUNT + 256
LARGEST_INPUT_BYTES = INPUT_COUNT + INPUT_MEMORY_BYTES - INPUTS
# Where a platform has no UART that is known.
ADDED_UART = Uart("answers", "trivial", 0x9EFF0000)
# Names of the files within the folder that Renode runs.
ELF, INPUT_FILE, GENERATED = "firmware.elf", "inputs.bin", "board.repl"
LOADING, SCRIPT, TEST = "load.resc", "run.resc", "model.robot"
RECEIVED = "uart.txt"
BEGINS, ENDS = "inference begins after", "inference ends after"
# The last line that a firmware sends.
LAST_LINE = "end"
_CPU_TYPES = {"cortex-m0plus": "cortex-m0+"}
_QUANTUM_SECONDS = 0.1


def exchange_of(firmware: Firmware) -> Exchange:
    """Return how a firmware for Renode exchanges inputs and answers.

    Raises:
        InputError: The firmware was built for another simulator.
    """
    if firmware.target.exchange is None:
        raise InputError("a project for Renode needs a firmware for it: give --simulator renode")
    return firmware.target.exchange


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


def loading_script(firmware: Firmware, input_bytes: int) -> str:
    """Return a ``.resc`` that makes a board and loads a firmware with its inputs.

    It expects :data:`ELF`, :data:`INPUT_FILE` and a written platform in its own folder, so that
    the folder can be moved.

    Args:
        firmware: Built for Renode.
        input_bytes: How many bytes all inputs are.
    """
    platform = firmware.target.platform
    place = "$ORIGIN/" if platform == GENERATED else "@"
    begins = firmware.program.address("inference_begins")
    ends = firmware.program.address("inference_ends")
    added = [_memory_with_inputs()]
    if exchange_of(firmware).uart == ADDED_UART:
        added.append(_added_uart())
    return _lines(
        'mach create "mcuprune"',
        f"machine LoadPlatformDescription {place}{platform}",
        *(f'machine LoadPlatformDescriptionFromString "{text}"' for text in added),
        f"sysbus LoadELF $ORIGIN/{ELF}",
        f"sysbus LoadBinary $ORIGIN/{INPUT_FILE} {INPUTS:#010x}",
        f"sysbus WriteDoubleWord {INPUT_COUNT:#010x} {input_bytes}",
        f"sysbus.cpu VectorTableOffset {firmware.layout.flash.address:#010x}",
        _counting_hook(begins, BEGINS),
        _counting_hook(ends, ENDS),
        # Else simulated time passes no faster than real time, and in steps of 0.1 ms.
        "emulation SetGlobalAdvanceImmediately true",
        f'emulation SetGlobalQuantum "{_QUANTUM_SECONDS}"',
    )


def run_script(uart: Uart, seconds: int) -> str:
    """Return a ``.resc`` that runs what :data:`LOADING` loads, and shows what the UART sends.

    Args:
        uart: The UART.
        seconds: Simulated seconds to run for; those after the firmware's end cost nearly nothing.
    """
    return _lines(
        f"include $ORIGIN/{LOADING}",
        f"showAnalyzer sysbus.{uart.name}",
        f'emulation RunFor "{seconds}"',
    )


def reading_script(uart: Uart, seconds: int) -> str:
    """Return a ``.resc`` that writes what the UART sends into :data:`RECEIVED`, and quits.

    Args:
        uart: The UART.
        seconds: Simulated seconds to run for.
    """
    return _lines(
        f"include $ORIGIN/{LOADING}",
        f"sysbus.{uart.name} CreateFileBackend $ORIGIN/{RECEIVED} true",
        f'emulation RunFor "{seconds}"',
        "quit",
    )


def robot_test(uart: Uart, seconds: int, answers: Sequence[bytes]) -> str:
    """Return a test for ``renode-test`` that the firmware answers as it did here.

    Args:
        uart: The UART that answers leave by.
        seconds: Simulated seconds to wait for an answer at most.
        answers: What the firmware must answer to each input.
    """
    # Whole lines, else a short answer is found within a longer line.
    lines = [*(f"^{answer.hex()}$" for answer in answers), f"^{LAST_LINE}$"]
    waits = "".join(
        f"    Wait For Line On Uart      {line}    treatAsRegex=true\n" for line in lines
    )
    return f"""\
*** Test Cases ***
Model Should Answer Bit For Bit
    Execute Command            include @${{CURDIR}}/{LOADING}
    Create Terminal Tester     sysbus.{uart.name}    timeout={seconds}
    Start Emulation
{waits}"""


def _memory_with_inputs() -> str:
    place = f"inputs: Memory.MappedMemory @ sysbus {INPUT_COUNT:#010x}"
    return f"{place} {{ size: {INPUT_MEMORY_BYTES:#x} }}"


def _added_uart() -> str:
    return f"{ADDED_UART.name}: UART.TrivialUart @ sysbus {ADDED_UART.address:#010x}"


def _lines(*lines: str) -> str:
    return "\n".join([*lines, ""])


def _counting_hook(address: int, words: str) -> str:
    message = f"'{words} ' + str(self.ExecutedInstructions)"
    return f'sysbus.cpu AddHook {address:#010x} "self.InfoLog({message})"'
