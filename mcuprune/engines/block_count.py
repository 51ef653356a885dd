"""Counts the blocks of code that a simulated core enters, and what follows from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from mcuprune.engines.core_cycles import CoreCycles
from mcuprune.engines.program import Program
from mcuprune.engines.simulation import FunctionShare
from mcuprune.engines.thumb import count_instructions

# A block's address and size in one number; no block has the number of the jumps.
_SIZE_BITS, _JUMPS = 16, -1


class BlockCount:
    """Blocks of code entered during one inference.

    Args:
        read: Reads a number of bytes at an address of the code.

    Attributes:
        enter: To be called with each block: (anything, address, size in bytes, anything).
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._entered: dict[int, int] = defaultdict(int)
        self._read = read
        self.enter = self._counter()

    def _counter(self) -> Callable[[object, int, int, object], None]:
        entered, end_of_last = self._entered, 0

        # Called millions of times: a block is one number here, and nothing is looked up on self.
        def enter(_core: object, address: int, size: int, _user_data: object) -> None:
            nonlocal end_of_last
            entered[address << _SIZE_BITS | size] += 1
            if address != end_of_last:
                entered[_JUMPS] += 1
            end_of_last = address + size

        return enter

    @property
    def instructions(self) -> int:
        """Instructions executed."""
        return sum(count_instructions(code) * times for _, code, times in self._blocks())

    def cycles(self, model: CoreCycles) -> int:
        """Return the cycles by a core's table: those of the code, and of the branches taken."""
        straight = sum(model.block(code) * times for _, code, times in self._blocks())
        return straight + self._entered[_JUMPS] * model.pipeline_refill

    def functions(self, program: Program) -> tuple[FunctionShare, ...]:
        """Return the instructions by function, most first."""
        shares: Counter[str] = Counter()
        for address, code, times in self._blocks():
            symbol = program.symbol_at(address)
            shares[symbol.name if symbol else "?"] += count_instructions(code) * times
        return tuple(FunctionShare(name, count) for name, count in shares.most_common())

    def _blocks(self) -> Iterator[tuple[int, bytes, int]]:
        for block, times in self._entered.items():
            if block != _JUMPS:
                address, size = block >> _SIZE_BITS, block & (1 << _SIZE_BITS) - 1
                yield address, self._read(address, size), times
