"""Files for Renode say what they must; a Renode that is installed runs them."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from hand_written_model import answers, firmware, inputs

from mcuprune.boards import board
from mcuprune.engines.cortexm import CortexM
from mcuprune.engines.renode import Renode, _counts, _written, write_project
from mcuprune.engines.renode_files import ENDED, INPUT_COUNT, INPUTS, MAILBOX_ADDRESS, OUTPUTS
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

needs_renode = pytest.mark.skipif(
    shutil.which("renode") is None,
    reason="needs Renode 1.15 or newer on the path (renode.io; no package registry has it)",
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
        f"sysbus LoadELF @{tmp_path}/firmware.elf",
        f"sysbus LoadBinary @{tmp_path}/inputs.bin 0x9f000100",
        "sysbus WriteDoubleWord 0x9f000000 48",
        "sysbus.cpu VectorTableOffset 0x08000000",
        f"sysbus.cpu AddHook {begins:#010x} \"self.InfoLog('inference begins after ' + "
        'str(self.ExecutedInstructions))"',
        'emulation RunFor "20"',
    ):
        assert line in script.splitlines()
    assert (tmp_path / "inputs.bin").read_bytes() == inputs(3).tobytes()
    assert not (tmp_path / "board.repl").exists()


def test_a_board_without_a_platform_gets_one(tmp_path):
    simulator = Renode()
    write_project(tmp_path, firmware(simulator, "nucleo-l4r5zi"), inputs(1))
    assert f"@{tmp_path}/board.repl" in (tmp_path / "run.resc").read_text()
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
    assert f"include @{tmp_path}/run.resc" in robot


def test_what_the_monitor_prints_becomes_bytes():
    said = "[INFO] cpu: inference begins after 100\n[INFO] cpu: inference ends after 281\n"
    assert _counts(said) == (181,)
    printed = "\r\n".join(["0x00000001", "0x00000006", "0x04030201", "0x00000605"])
    assert _written(printed) == bytes([1, 2, 3, 4, 5, 6])
    with pytest.raises(FirmwareError, match="did not end in Renode"):
        _written("0x00000000\n0x00000000\n")
    with pytest.raises(EngineError, match="its last words were: no such command"):
        _written("no such command\n")


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


@needs_renode
@pytest.mark.parametrize("name", ["stm32f4-discovery", "nucleo-l4r5zi", "stm32f746g-disco"])
def test_renode_answers_and_counts_as_unicorn(name):
    found = Renode().run(firmware(Renode(), name), inputs(3))
    np.testing.assert_array_equal(found.outputs, answers(inputs(3)))
    by_unicorn = CortexM(counted_inputs=3).run(firmware(CortexM(), name), inputs(3))
    np.testing.assert_allclose(found.instructions, by_unicorn.instructions, atol=8)
