"""Lines as Renode 1.15.3 prints them become counts, bytes and faults."""

from __future__ import annotations

import pytest
from hand_written_model import firmware

from mcuprune.engines.renode import Renode
from mcuprune.engines.renode_output import Printed, fault_in
from mcuprune.errors import EngineError, FirmwareError

HEAD = """\
00:55:41.1605 [INFO] Loaded monitor commands from: /opt/renode/scripts/monitor.py
Renode, version 1.15.3.1578 (03756cb5)

(monitor) include @read.resc
00:55:47.9125 [INFO] cpu: inference begins after 21352
00:55:48.0327 [INFO] cpu: inference ends after 21502
00:55:48.0455 [INFO] cpu: inference begins after 36998
00:55:48.0487 [INFO] cpu: inference ends after 37145
"""
MEMORY = """\
[\r
0x0B, 0x00, 0x00, 0x00, %s, 0x00, 0x00, 0x00, \r
]\r
[\r
0x53, 0x54, 0x52, 0x54, 0x00, 0x00, 0x00, 0x00, 0x40, 0x80, \r
0xFF, 0x11, 0x12, \r
]\r
Renode is quitting
"""


@pytest.fixture(scope="module")
def built():
    return firmware(Renode(), "nucleo-l4r5zi")


def test_version_counts_and_memory():
    printed = Printed(HEAD + MEMORY % "0x01")
    assert (printed.version, printed.instructions) == ("1.15.3", (150, 147))
    assert printed.written() == bytes([0x53, 0x54, 0x52, 0x54, 0, 0, 0, 0, 0x40, 0x80, 0xFF])


def test_a_firmware_that_goes_on():
    with pytest.raises(FirmwareError, match="did not end in Renode"):
        Printed(HEAD + MEMORY % "0x00").written()


def test_a_command_that_is_refused():
    said = (
        "There was an error executing command 'machine LoadPlatformDescription @no.repl'\n"
        "Could not find file 'no.repl'.\n"
    )
    message = r"1\.15\.3 refused `machine LoadPlatformDescription @no\.repl`: Could not find file"
    with pytest.raises(EngineError, match=message):
        Printed(HEAD + said).written()


def test_a_renode_that_prints_no_memory():
    with pytest.raises(EngineError, match=r"its last words were: .* inference ends after 37145"):
        Printed(HEAD).written()


def test_accesses_where_no_memory_is(built):
    code = built.program.address("model_invoke") & ~1
    line = f"[WARNING] sysbus: [cpu: 0x{code + 6:X}] WriteDoubleWord to non existing peripheral at "
    fault = fault_in(line + "0x200A0004, value 0x1.", built)
    assert fault is not None
    assert f"the code at {code + 6:#010x} (model_invoke+0x6) writes 4 bytes at 0x200a0004" in fault
    assert "behind the end of" in fault
    overflow = fault_in(line + "0x1FFFFFF8, value 0x1.", built)
    assert overflow is not None
    assert overflow.startswith("the stack overflowed: 4,096 bytes are reserved for it")


def test_a_jump_where_no_memory_is(built):
    line = "[WARNING] sysbus: [cpu: 0x30000000] ReadByte from non existing peripheral at 0x30000000"
    fault = fault_in(line, built)
    assert fault is not None
    assert fault.startswith("the firmware jumps where no code is: at 0x30000000, 267,")


def test_lines_without_a_fault(built):
    for line in [*HEAD.splitlines(), "[ERROR] Download failed 5 times, aborting."]:
        assert fault_in(line, built) is None
