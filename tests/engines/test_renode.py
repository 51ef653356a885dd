"""Files for Renode say what they must; a Renode that is installed runs them."""

from __future__ import annotations

import os
import re
import shutil
import time

import numpy as np
import pytest
from hand_written_model import RECURSION, answers, firmware, inputs, runtime

from mcuprune.boards import board
from mcuprune.engines.cortexm import CortexM
from mcuprune.engines.installed import RENODE_VARIABLE, renode_command
from mcuprune.engines.renode import Renode, uart_of, write_project
from mcuprune.engines.renode_files import INPUT_COUNT, INPUT_MEMORY_BYTES, INPUTS
from mcuprune.engines.simulate import simulate
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

CHECKOUT = os.environ.get("MCUPRUNE_TFLM_CHECKOUT")
needs_renode = pytest.mark.skipif(
    shutil.which(renode_command()) is None,
    reason="needs Renode 1.15 or newer on the path or in MCUPRUNE_RENODE (renode.io; no package "
    "registry has it)",
)


@pytest.fixture(scope="module")
def built():
    return firmware(Renode(), "stm32f4-discovery")


def test_script_loads_the_boards_platform_and_counts(built, tmp_path):
    write_project(tmp_path, built, inputs(3))
    script = (tmp_path / "load.resc").read_text()
    begins = built.program.address("inference_begins")
    for line in (
        "machine LoadPlatformDescription @platforms/boards/stm32f4_discovery.repl",
        "sysbus LoadELF $ORIGIN/firmware.elf",
        "sysbus LoadBinary $ORIGIN/inputs.bin 0x9f000100",
        "sysbus WriteDoubleWord 0x9f000000 48",
        "sysbus.cpu VectorTableOffset 0x08000000",
        f"sysbus.cpu AddHook {begins:#010x} \"self.InfoLog('inference begins after ' + "
        'str(self.ExecutedInstructions))"',
        "emulation SetGlobalAdvanceImmediately true",
    ):
        assert line in script.splitlines()
    assert (tmp_path / "run.resc").read_text().splitlines() == [
        "include $ORIGIN/load.resc",
        "showAnalyzer sysbus.usart2",
        'emulation RunFor "120"',
    ]
    assert (tmp_path / "inputs.bin").read_bytes() == inputs(3).tobytes()
    assert not (tmp_path / "board.repl").exists()


def test_a_board_without_a_platform_gets_one(tmp_path):
    simulator = Renode()
    write_project(tmp_path, firmware(simulator, "nucleo-l4r5zi"), inputs(1))
    loading = "machine LoadPlatformDescription $ORIGIN/board.repl"
    script = (tmp_path / "load.resc").read_text().splitlines()
    assert loading in script
    uart = '"answers: UART.TrivialUart @ sysbus 0x9eff0000"'
    assert f"machine LoadPlatformDescriptionFromString {uart}" in script
    platform = (tmp_path / "board.repl").read_text()
    assert 'cpuType: "cortex-m4"' in platform
    memories = re.findall(r"MappedMemory @ sysbus (\w+)\n    size: (\w+)", platform)
    assert memories == [("0x20000000", "0xa0000"), ("0x08000000", "0x200000")]


def test_robot_file_expects_the_answers(built, tmp_path):
    expected = answers(inputs(2)).astype(np.int8)
    write_project(tmp_path, built, inputs(2), expected)
    robot = (tmp_path / "model.robot").read_text()
    waits = re.findall(r"Wait For Line On Uart +\^(\w+)\$ +treatAsRegex=true", robot)
    assert waits == [expected[0].tobytes().hex(), expected[1].tobytes().hex(), "end"]
    assert "Create Terminal Tester     sysbus.usart2    timeout=60" in robot
    assert "include @${CURDIR}/load.resc" in robot


def test_a_folder_can_be_moved(built, tmp_path):
    write_project(tmp_path, built, inputs(1), answers(inputs(1)).astype(np.int8))
    for name in ("load.resc", "run.resc", "model.robot"):
        assert str(tmp_path) not in (tmp_path / name).read_text()


def test_more_inputs_than_there_is_room_for(built, tmp_path):
    with pytest.raises(InputError, match=r"16,776,960: give fewer with --inputs"):
        write_project(tmp_path, built, inputs(1).repeat(1_100_000, axis=0))


def unicorn_with(built, registers):
    """Return Unicorn with a firmware for Renode in it, and what it sends by the board's UART.

    Args:
        built: The firmware.
        registers: What a write to a register of the UART does: ``(unicorn, offset, value)`` to a
            sent character, None if it sends none.
    """
    unicorn = pytest.importorskip("unicorn", reason="needs the extra 'boards'")
    arm = pytest.importorskip("unicorn.arm_const")
    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    core.mem_map(INPUT_COUNT, INPUT_MEMORY_BYTES)
    for region in built.layout.regions:
        core.mem_map(region.address, region.size_bytes)
    for segment in built.program.segments:
        core.mem_write(segment.address, segment.contents)
    core.reg_write(arm.UC_ARM_REG_SP, built.program.address("stack_top"))
    sent = []
    address = built.target.exchange.uart.address
    page = address & ~0xFFF

    def read(_core, offset, _size, _data):
        return 0x80 if offset + page - address in (0x00, 0x1C) else 1

    def write(_core, offset, _size, value, _data):
        sent.extend(filter(None, [registers(core, offset + page - address, value)]))

    core.mmio_map(page, 0x1000, read, None, write, None)
    return core, sent


def easy_dma():
    held = {}

    def write(core, offset, value):
        held[offset] = value
        if offset != 0x008:
            return None
        assert (held[0x500], held[0x548]) == (8, 1)
        return chr(core.mem_read(held[0x544], 1)[0])

    return write


def data_register(data, control=None, enabled=0):
    held = {}

    def write(_core, offset, value):
        held[offset] = value
        assert held.get(control, 0) == enabled
        return chr(value) if offset == data else None

    return write


@pytest.mark.parametrize(
    ("name", "registers"),
    [
        ("stm32f4-discovery", data_register(0x04, 0x0C, 1 << 13 | 1 << 3)),
        ("stm32f746g-disco", data_register(0x28, 0x00, 1 << 3 | 1)),
        ("nrf52840-dk", easy_dma()),
        ("nucleo-l4r5zi", data_register(0x00)),
    ],
)
def test_inputs_from_memory_and_answers_by_the_uart(name, registers):
    """The firmware for Renode on Unicorn, with the registers of the boards' UARTs."""
    built = firmware(Renode(), name)
    core, sent = unicorn_with(built, registers)
    core.mem_write(INPUTS, inputs(2).tobytes())
    core.mem_write(INPUT_COUNT, (32).to_bytes(4, "little"))
    start = built.program.address("start_program")
    core.emu_start(start | 1, built.program.address("program_exit"))
    lines = "".join(sent).split("\n")
    expected = answers(inputs(2)).astype(np.int8)
    assert bytes.fromhex(lines[0])[:4] == b"STRT"
    assert bytes.fromhex(lines[1] + lines[3]).count(b"INFR") == 2
    assert lines[2::2][:2] == [row.tobytes().hex() for row in expected]


def test_uarts_of_platforms():
    """Addresses as in the chips' reference manuals; no platform has none."""
    assert uart_of("platforms/boards/stm32f4_discovery.repl").address == 0x40004400
    assert uart_of("platforms/cpus/nrf52840.repl").address == 0x40002000
    for platform in (None, "my/own.repl"):
        assert (uart_of(platform).name, uart_of(platform).kind) == ("answers", "trivial")


def test_cores_that_no_firmware_is_built_for():
    with pytest.raises(InputError, match="esp32-devkitc has the core xtensa-lx6"):
        Renode().target(board("esp32-devkitc"), 4096)


def test_a_missing_renode_says_where_to_get_it(built):
    with pytest.raises(MissingToolError, match=r"renode\.io"):
        Renode("renode-absent").run(built, inputs(1))


def stand_in(folder, script):
    """Return a program that is started like Renode."""
    program = folder / "stand-in"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Renode(str(program))


def test_a_renode_that_dies(built, tmp_path):
    with pytest.raises(EngineError, match="exit code 3; its last words were: no mono here"):
        stand_in(tmp_path, "echo no mono here >&2; exit 3").run(built, inputs(1))


def test_a_renode_that_says_nothing(built, tmp_path):
    with pytest.raises(EngineError, match="the UART sent nothing; Renode's last words were: none"):
        stand_in(tmp_path, "exit 0").run(built, inputs(1))


def test_a_renode_that_hangs_is_ended_with_all_that_it_started(built, tmp_path, monkeypatch):
    monkeypatch.setattr("mcuprune.engines.renode._TIME_LIMIT_S", 0.5)
    # Holds standard output open: waiting for its end without ending the child would take minutes.
    hanging = stand_in(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(FirmwareError, match=r"did not end within 0\.5 s"):
        hanging.run(built, inputs(1))
    child = int((tmp_path / "child").read_text())
    while _is_running(child):
        time.sleep(0.01)


def test_a_fault_ends_renode_at_once(built, tmp_path):
    line = "[WARNING] sysbus: [cpu: 0x8000000] ReadByte from non existing peripheral at 0x10."
    with pytest.raises(FirmwareError, match="reads 1 bytes at 0x00000010"):
        stand_in(tmp_path, f"echo '{line}'; sleep 300").run(built, inputs(1))


def test_the_environment_names_renode(built, monkeypatch):
    monkeypatch.setenv(RENODE_VARIABLE, "renode-of-the-environment")
    with pytest.raises(MissingToolError, match="renode-of-the-environment is not installed"):
        Renode().run(built, inputs(1))


def _is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@needs_renode
@pytest.mark.parametrize(
    "name",
    [
        "stm32f4-discovery",
        "nucleo-l4r5zi",
        "stm32f746g-disco",
        "nucleo-h743zi2",
        "nrf52840-dk",
        "rp2040-pico",
    ],
)
def test_renode_answers_and_counts_as_unicorn(name):
    found = Renode().run(firmware(Renode(), name), inputs(3))
    np.testing.assert_array_equal(found.outputs, answers(inputs(3)))
    by_unicorn = CortexM(counted_inputs=3).run(firmware(CortexM(), name), inputs(3))
    np.testing.assert_allclose(found.instructions, by_unicorn.instructions, atol=8)


@needs_renode
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("*(volatile int32_t *)0x200a0000 = 1;", r"model_invoke\+.* writes 4 bytes at 0x200a0000"),
        (RECURSION, r"the stack overflowed: 4,096 bytes .*: reserve more with --stack"),
        ('__asm__ volatile("udf #0");', "the firmware faulted"),
        ("return -1;", "an inference ended with status -1"),
    ],
)
def test_renode_names_faults(statement, message):
    with pytest.raises(FirmwareError, match=message):
        Renode().run(firmware(Renode(), "nucleo-l4r5zi", runtime(statement)), inputs(1))


@needs_renode
@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason="needs MCUPRUNE_TFLM_CHECKOUT, a checkout of TFLM")
def test_renode_runs_tflm_as_unicorn(shared):
    path = shared / "models" / "mlperf_tiny" / "kws_ref_model.tflite"
    reports = [
        simulate(path, "stm32f4-discovery", simulator=name, runtime="tflm", tflm=CHECKOUT, inputs=2)
        for name in ("renode", "cortexm")
    ]
    assert [report.succeeds for report in reports] == [True, True]
    counts = [report.simulation.instructions[0] for report in reports]
    assert counts[0] == pytest.approx(counts[1], abs=8)


@needs_renode
def test_renode_sees_a_stack_that_goes_on_in_the_memory_below():
    limited = """
    static int depth;
    volatile int8_t frame[64];
    frame[0] = in[0];
    if (depth < 60) { depth++; model_invoke(in, (int8_t *)frame); depth--; out[1] = frame[0]; }
    """
    overflowing = firmware(Renode(), "stm32f4-discovery", runtime(limited))
    with pytest.raises(FirmwareError, match="the stack overflowed: 4,096 bytes"):
        Renode().run(overflowing, inputs(1))
