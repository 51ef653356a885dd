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
from mcuprune.engines.renode import PROGRAM, VARIABLE, Renode, write_project
from mcuprune.engines.renode_files import ENDED, INPUT_COUNT, INPUTS, MAILBOX_ADDRESS, OUTPUTS
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

needs_renode = pytest.mark.skipif(
    shutil.which(os.environ.get(VARIABLE) or PROGRAM) is None,
    reason="needs Renode 1.15 or newer on the path or in MCUPRUNE_RENODE (renode.io; no package "
    "registry has it)",
)


@pytest.fixture(scope="module")
def built():
    return firmware(Renode(), "stm32f4-discovery")


def test_script_loads_the_boards_platform_and_counts(built, tmp_path):
    write_project(tmp_path, built, inputs(3))
    script = (tmp_path / "run.resc").read_text()
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
        'emulation RunFor "120"',
    ):
        assert line in script.splitlines()
    assert (tmp_path / "inputs.bin").read_bytes() == inputs(3).tobytes()
    assert not (tmp_path / "board.repl").exists()


def test_a_board_without_a_platform_gets_one(tmp_path):
    simulator = Renode()
    write_project(tmp_path, firmware(simulator, "nucleo-l4r5zi"), inputs(1))
    loading = "machine LoadPlatformDescription $ORIGIN/board.repl"
    assert loading in (tmp_path / "run.resc").read_text().splitlines()
    platform = (tmp_path / "board.repl").read_text()
    assert 'cpuType: "cortex-m4"' in platform
    memories = re.findall(r"MappedMemory @ sysbus (\w+)\n    size: (\w+)", platform)
    assert memories == [("0x20000000", "0xa0000"), ("0x08000000", "0x200000")]


def test_robot_file_expects_the_answers(built, tmp_path):
    expected = answers(inputs(2)).astype(np.int8)
    write_project(tmp_path, built, inputs(2), expected)
    robot = (tmp_path / "model.robot").read_text()
    word = int.from_bytes(expected[0].tobytes(), "little")
    # Behind the record of the start and that of the first inference, 16 bytes each.
    assert f"Word Should Be             {OUTPUTS + 32:#010x}    {word:#010x}" in robot
    assert f"Word Should Be             {ENDED:#010x}    1" in robot
    assert "include @${CURDIR}/run.resc" in robot


def test_a_folder_can_be_moved(built, tmp_path):
    write_project(tmp_path, built, inputs(1), answers(inputs(1)).astype(np.int8))
    for name in ("run.resc", "model.robot"):
        assert str(tmp_path) not in (tmp_path / name).read_text()


def test_more_inputs_than_there_is_room_for(built, tmp_path):
    with pytest.raises(InputError, match=r"8,388,352: give fewer with --inputs"):
        write_project(tmp_path, built, inputs(1).repeat(600_000, axis=0))


def test_the_mailbox_carries_inputs_and_answers(built):
    """The firmware for Renode on Unicorn, with the mailbox that Renode's script makes."""
    unicorn = pytest.importorskip("unicorn", reason="needs the extra 'boards'")
    arm = pytest.importorskip("unicorn.arm_const")
    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    for address, size in ((0x08000000, 2**20), (0x20000000, 2**17), (MAILBOX_ADDRESS, 2**24)):
        core.mem_map(address, size)
    for segment in built.program.segments:
        core.mem_write(segment.address, segment.contents)
    core.mem_write(INPUTS, inputs(2).tobytes())
    core.mem_write(INPUT_COUNT, (32).to_bytes(4, "little"))
    core.reg_write(arm.UC_ARM_REG_SP, built.program.address("stack_top"))
    start = built.program.address("start_program")
    core.emu_start(start | 1, built.program.address("program_exit"))
    found = bytes(core.mem_read(OUTPUTS, 16 + 2 * 20))
    expected = answers(inputs(2)).astype(np.int8)
    assert found[:4] == b"STRT"
    assert (found[32:36], found[52:56]) == (expected[0].tobytes(), expected[1].tobytes())


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
    with pytest.raises(EngineError, match="printed no memory; its last words were: none"):
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
    monkeypatch.setenv(VARIABLE, "renode-of-the-environment")
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
    "name", ["stm32f4-discovery", "nucleo-l4r5zi", "stm32f746g-disco", "nrf52840-dk", "rp2040-pico"]
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
