"""Lines as Renode 1.15.3 prints them and those of the UART become counts, bytes and faults."""

from __future__ import annotations

import pytest
from hand_written_model import firmware

from mcuprune.engines.renode import Renode
from mcuprune.engines.renode_output import Printed, fault_in, sent_bytes
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
SENT = """\
53545254000000004080ff11
0001
end
"""


@pytest.fixture(scope="module")
def built():
    return firmware(Renode(), "nucleo-l4r5zi")


def test_version_and_counts():
    printed = Printed(HEAD)
    assert (printed.version, printed.instructions) == ("1.15.3", (150, 147))
    printed.require_no_complaint()


def test_lines_of_the_uart():
    expected = b"STRT\x00\x00\x00\x00@\x80\xff\x11\x00\x01"
    assert sent_bytes(SENT, Printed(HEAD)) == expected


def test_a_firmware_that_goes_on():
    for sent in ("5354\n", "5354\nen"):
        with pytest.raises(FirmwareError, match="did not end in Renode"):
            sent_bytes(sent, Printed(HEAD))


def test_a_command_that_is_refused():
    said = (
        "There was an error executing command 'machine LoadPlatformDescription @no.repl'\n"
        "Could not find file 'no.repl'.\n"
    )
    message = r"1\.15\.3 refused `machine LoadPlatformDescription @no\.repl`: Could not find file"
    with pytest.raises(EngineError, match=message):
        Printed(HEAD + said).require_no_complaint()


def test_a_uart_that_sends_nothing_or_something_else():
    with pytest.raises(EngineError, match=r"last words were: .* inference ends after 37145"):
        sent_bytes("", Printed(HEAD))
    with pytest.raises(EngineError, match="something else than the harness's lines"):
        sent_bytes("Hello\nend\n", Printed(HEAD))


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
