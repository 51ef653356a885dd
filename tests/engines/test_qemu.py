"""QEMU's machines: answers, and counts equal to those of the other simulator."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hand_written_model import answers, firmware, inputs, runtime

from mcuprune.boards import board
from mcuprune.engines import qemu
from mcuprune.engines.cortexm import CortexM
from mcuprune.engines.qemu import Qemu, machines
from mcuprune.errors import FirmwareError, InputError, MissingToolError

needs_qemu = pytest.mark.skipif(
    shutil.which(qemu.PROGRAM) is None, reason=f"needs {qemu.PROGRAM} (apt-get install)"
)


@needs_qemu
@pytest.mark.parametrize("machine", machines())
def test_every_machine_answers(machine):
    simulator = Qemu(machine)
    built = firmware(simulator, "nucleo-l4r5zi")
    found = simulator.run(built, inputs(4))
    np.testing.assert_array_equal(found.outputs, answers(inputs(4)))
    assert len(found.instructions) == 4
    assert found.arena_bytes == 20
    assert f"QEMU's {machine} " in found.machine


@needs_qemu
@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "stm32f4-discovery", "nrf5340-dk"])
def test_both_simulators_count_the_same_in_one_program(name):
    built = firmware(Qemu(), name)
    by_qemu = Qemu().run(built, inputs(3))
    by_unicorn = CortexM(counted_inputs=3).run(built, inputs(3))
    assert by_qemu.instructions == by_unicorn.instructions
    assert by_qemu.stack_bytes == by_unicorn.stack_bytes


@needs_qemu
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("*(volatile int32_t *)0x50000000 = 1;", r"the firmware faulted at 0x.* \(model_invoke\+"),
        ('__asm__ volatile("udf #0");', r"the firmware faulted at 0x.* \(model_invoke\+"),
        ("return -1;", "an inference ended with status -1"),
        (
            "volatile int8_t frame[64]; if (in != out) { model_invoke(in, (int8_t *)frame); "
            "out[1] = frame[0]; }",
            "the stack overflowed: 4,096 bytes",
        ),
    ],
)
def test_faults_are_named(statement, message):
    built = firmware(Qemu(), "nucleo-l4r5zi", runtime(statement))
    with pytest.raises(FirmwareError, match=message):
        Qemu().run(built, inputs(1))


def test_a_board_with_a_machine_of_its_own():
    target = Qemu().target(board("stm32f4-discovery"), 4096)
    assert target.platform == "netduinoplus2"
    assert (target.layout.flash.address, target.layout.ram.address) == (0x08000000, 0x20000000)


def test_a_stand_in_has_no_more_memory_than_the_board():
    target = Qemu().target(board("microbit-v2"), 4096)
    assert target.platform == "mps2-an386"
    assert (target.layout.flash.size_bytes, target.layout.ram.size_bytes) == (524288, 131072)


def test_cores_without_a_machine():
    with pytest.raises(InputError, match="no machine that could stand for esp32-devkitc"):
        Qemu().target(board("esp32-devkitc"), 4096)


def test_a_missing_qemu_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(qemu, "PROGRAM", "qemu-system-absent")
    built = firmware(Qemu(), "nucleo-l4r5zi")
    with pytest.raises(MissingToolError, match="apt-get install qemu-system-arm"):
        Qemu().run(built, inputs(1))
