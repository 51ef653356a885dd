"""A simulated core with a board's memories: answers, counts, high-water marks and faults."""

from __future__ import annotations

import numpy as np
import pytest
from hand_written_model import RECURSION, answers, firmware, inputs, runtime

from mcuprune.boards import board, board_names
from mcuprune.engines import cross_compiler
from mcuprune.engines.cortexm import CortexM
from mcuprune.engines.cross_compiler import find_cross_compiler
from mcuprune.engines.firmware_layout import board_layout
from mcuprune.engines.program import read_program
from mcuprune.errors import EngineError, FirmwareError, InputError, MissingToolError

unicorn = pytest.importorskip("unicorn", reason="needs the extra 'boards'")
SIMULATED = [name for name in board_names() if board(name).simulator == "cortexm"]


def run(built, count=5, simulator=None):
    return (simulator or CortexM()).run(built, inputs(count))


@pytest.mark.parametrize("name", SIMULATED)
def test_every_board_answers(name):
    found = run(firmware(CortexM(), name))
    np.testing.assert_array_equal(found.outputs, answers(inputs(5)))
    assert name in found.machine


@pytest.mark.parametrize("name", ["rp2040-pico", "stm32f746g-disco", "corstone-300-m55"])
def test_the_compiler_that_pip_installs(name):
    pytest.importorskip("ziglang", reason="needs the extra 'boards'")
    found = run(firmware(CortexM(), name, compiler="ziglang"))
    np.testing.assert_array_equal(found.outputs, answers(inputs(5)))


def test_high_water_marks():
    found = run(firmware(CortexM(), "nucleo-l4r5zi"))
    # 16 bytes of input behind 4 that nobody touches.
    assert found.arena_bytes == 20
    assert 64 <= found.stack_bytes < 256


def test_stack_of_a_large_frame():
    frame = "volatile int8_t frame[1000]; frame[0] = in[0]; out[0] += 0 * frame[0];"
    small = run(firmware(CortexM(), "nucleo-l4r5zi")).stack_bytes
    large = run(firmware(CortexM(), "nucleo-l4r5zi", runtime(frame))).stack_bytes
    assert 1000 <= large < 1000 + small


def test_instructions_equal_those_of_a_hook_on_every_one():
    built = firmware(CortexM(), "stm32f4-discovery")
    found = CortexM(counted_inputs=3).run(built, inputs(3))
    assert list(found.instructions) == each_instruction(built, 3)
    assert sum(one.instructions for one in found.functions) == found.instructions[0]
    assert found.functions[0].name == "model_invoke"


def each_instruction(built, count):
    """Count with Unicorn's hook on each instruction, without the engine under test."""
    arm = pytest.importorskip("unicorn.arm_const")
    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    core.mem_map(0x08000000, 0x100000)
    core.mem_map(0x20000000, 0x20000)
    for segment in built.program.segments:
        core.mem_write(segment.address, segment.contents)
    begins, ends = (built.program.address(f"inference_{what}") for what in ("begins", "ends"))
    counts, fed = [], iter(inputs(count).tobytes()[i * 16 : i * 16 + 16] for i in range(count))
    counting = [False]

    def each(_core, address, _size, _data):
        if address == begins:
            counting[0] = True
            counts.append(0)
        counting[0] = counting[0] and address != ends
        if counting[0]:
            counts[-1] += 1

    def call(_core, _number, _data):
        operation, block = core.reg_read(arm.UC_ARM_REG_R0), core.reg_read(arm.UC_ARM_REG_R1)
        answer = 1
        if operation == 6:
            sample = next(fed, None)
            answer = 0 if sample else 16
            if sample:
                core.mem_write(int.from_bytes(core.mem_read(block + 4, 4), "little"), sample)
        core.reg_write(arm.UC_ARM_REG_R0, answer)
        core.reg_write(arm.UC_ARM_REG_PC, core.reg_read(arm.UC_ARM_REG_PC) + 2 | 1)
        if operation == 0x18:
            core.emu_stop()

    core.hook_add(unicorn.UC_HOOK_CODE, each)
    core.hook_add(unicorn.UC_HOOK_INTR, call)
    stack, start = (int.from_bytes(core.mem_read(0x08000000 + i, 4), "little") for i in (0, 4))
    core.reg_write(arm.UC_ARM_REG_SP, stack)
    core.emu_start(start, 0xFFFFFFFE)
    return counts


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "*(volatile int32_t *)0x20020000 = 1;",
            r"model_invoke\+.* writes 4 bytes at 0x20020000, 1 bytes behind the end of SRAM1-SRAM2",
        ),
        (
            "*(volatile int8_t *)0x08000000 = 1;",
            "writes 1 bytes at 0x08000000, in flash, which cannot be written",
        ),
        (
            "out[0] = *(volatile int8_t *)0x0ffffff8;",
            "reads 1 bytes at 0x0ffffff8, 8 bytes below the start of CCM",
        ),
        ("((void (*)(void))0x30000001)();", "jumps at 0x30000000"),
        (RECURSION, r"the stack overflowed: 4,096 bytes .*: reserve more with --stack"),
        # As a simulator with memory below the stack sees it.
        ("extern int8_t stack_bottom[]; stack_bottom[0] ^= 1;", "the stack overflowed: 4,096"),
        ('__asm__ volatile("udf #0");', "the core"),
        ("return -1;", "an inference ended with status -1"),
    ],
)
def test_faults_are_named(statement, message):
    with pytest.raises(FirmwareError, match=message):
        run(firmware(CortexM(), "stm32f4-discovery", runtime(statement)))


def test_an_arena_beyond_the_memory():
    too_big = 128 * 1024
    message = "stack, variables and arena take .* more than SRAM1-SRAM2 has"
    with pytest.raises(FirmwareError, match=message):
        firmware(CortexM(), "stm32f4-discovery", runtime(arena_bytes=too_big))


def test_constants_beyond_the_flash():
    big = "static const volatile int8_t big[1100000] = {1}; out[0] += big[in[0] & 1] * 0;"
    with pytest.raises(FirmwareError, match=r"code, weights and constants .* more than flash has"):
        firmware(CortexM(), "nrf52840-dk", runtime(big))


def test_boards_without_addresses_or_with_other_cores():
    with pytest.raises(InputError, match="addresses of spresense's memories are not known"):
        board_layout(board("spresense"))
    with pytest.raises(InputError, match="esp32-devkitc has the core xtensa-lx6"):
        CortexM().target(board("esp32-devkitc"), 4096)


def test_what_is_no_program():
    with pytest.raises(EngineError, match="no readable ELF file"):
        read_program(b"\x00" * 100)


def test_a_gcc_without_newlib_is_passed_over(monkeypatch):
    monkeypatch.setattr(cross_compiler, "_has_c_library", lambda _gcc: False)
    assert find_cross_compiler().name == "ziglang"


def test_compilers_that_are_not_there():
    with pytest.raises(MissingToolError, match=r"pip install 'mcuprune\[boards\]'"):
        find_cross_compiler("armcc")
