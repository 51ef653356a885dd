"""The debugger's side of Arm semihosting, with files that lie in memory.

Source of the numbers: Arm, Semihosting for AArch32 and AArch64 (2.0), chapters 6 and 7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

SYS_OPEN, SYS_WRITE, SYS_READ, SYS_EXIT = 0x01, 0x05, 0x06, 0x18
BREAKPOINT = 0xAB
FAILED = 0xFFFFFFFF
FIRST_HANDLE = 1
INPUTS, OUTPUTS = "inputs.bin", "outputs.bin"


@dataclasses.dataclass
class SemihostingFiles:
    """Two files that a firmware reads and writes.

    Attributes:
        inputs: Contents of ``inputs.bin``.
        outputs: What was written to ``outputs.bin`` so far.
        has_ended: Whether the firmware asked to end.
    """

    inputs: bytes
    outputs: bytearray = dataclasses.field(default_factory=bytearray)
    has_ended: bool = False
    _place: int = 0

    def answer(
        self,
        operation: int,
        parameter: int,
        read: Callable[[int, int], bytes],
        write: Callable[[int, bytes], None],
    ) -> int:
        """Carry out a call and return what goes into r0.

        Args:
            operation: Contents of r0.
            parameter: Contents of r1, usually an address.
            read: Reads a number of bytes at an address of the simulated memory.
            write: Writes bytes to an address of it.
        """
        if operation == SYS_EXIT:
            self.has_ended = True
            return 0
        if operation not in (SYS_OPEN, SYS_READ, SYS_WRITE):
            return FAILED
        block = read(parameter, 12)
        first, second, third = (int.from_bytes(block[i : i + 4], "little") for i in (0, 4, 8))
        if operation == SYS_OPEN:
            names = {INPUTS: FIRST_HANDLE, OUTPUTS: FIRST_HANDLE + 1}
            return names.get(read(first, third).decode("ascii", "replace"), FAILED)
        if operation == SYS_WRITE:
            self.outputs += read(second, third)
            return 0
        taken = self.inputs[self._place : self._place + third]
        self._place += len(taken)
        write(second, taken)
        return third - len(taken)
