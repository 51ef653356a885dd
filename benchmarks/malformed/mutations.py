"""Damages model files, mostly where their structure is and not among their weights."""

from __future__ import annotations

import dataclasses
import random
import struct
from collections.abc import Callable, Sequence

from mcuprune.ir.flatbuffer import root_table

# Slot of the buffers in a TFLite model, and of the bytes in a buffer (schema.fbs).
_BUFFERS, _DATA = 4, 0
# Longer ones are weights; shorter ones may be shapes, axes and paddings, which decide something.
_WEIGHT_BYTES = 64
_AT_LIMITS = (0, 1, 2, 4, -1, 127, 255, 65535, 2**31 - 1, -(2**31), 2**24, 2**30)
_SHARE_AMONG_WEIGHTS = 0.05


@dataclasses.dataclass(frozen=True)
class Seed:
    """A sound file.

    Attributes:
        name: Of the file.
        data: Its contents.
        structure: Spans (start, end) of bytes that are no weights.
    """

    name: str
    data: bytes
    structure: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, name: str, data: bytes) -> Seed:
        """Find out where the file keeps its weights."""
        spans = [table.span(_DATA, "data") for table in root_table(data, name).tables(_BUFFERS, "")]
        weights = sorted((at, at + length) for at, length in spans if length > _WEIGHT_BYTES)
        starts = [0, *(end for _, end in weights)]
        ends = [*(start for start, _ in weights), len(data)]
        between = zip(starts, ends, strict=True)
        return cls(name, data, tuple((start, end) for start, end in between if end - start >= 4))

    def place(self, chance: random.Random) -> int:
        """Return a byte offset, seldom among the weights."""
        if not self.structure or chance.random() < _SHARE_AMONG_WEIGHTS:
            return chance.randrange(len(self.data))
        sizes = [end - start for start, end in self.structure]
        start, end = chance.choices(self.structure, weights=sizes)[0]
        return chance.randrange(start, end)


def damaged(seed: Seed, others: Sequence[Seed], chance: random.Random) -> bytes:
    """Return a file with one to eight damages.

    Args:
        seed: The sound file.
        others: Files of which pieces may be put in.
        chance: Decides everything; the same state makes the same file.
    """
    data = bytearray(seed.data)
    for _ in range(min(8, 1 + int(chance.expovariate(0.7)))):
        damage = chance.choices(_DAMAGES, weights=_WEIGHTS)[0]
        damage(data, seed, chance)
    if chance.random() < 0.02:
        _splice(data, chance.choice(others), chance)
    return bytes(data)


def random_bytes(chance: random.Random) -> bytes:
    """Return up to 4 KiB that no model ever was, half of them with a model's mark."""
    data = bytearray(chance.randbytes(chance.randrange(4096)))
    if len(data) >= 8 and chance.random() < 0.5:
        # An offset that lies within the file, so that reading goes on behind the mark.
        struct.pack_into("<I", data, 0, chance.randrange(len(data)))
        data[4:8] = b"TFL3"
    return bytes(data)


def _flip_bit(data: bytearray, seed: Seed, chance: random.Random) -> None:
    at = _within(data, seed.place(chance), 1)
    if at is not None:
        data[at] ^= 1 << chance.randrange(8)


def _other_byte(data: bytearray, seed: Seed, chance: random.Random) -> None:
    at = _within(data, seed.place(chance), 1)
    if at is not None:
        data[at] = chance.randrange(256)


def _number(data: bytearray, seed: Seed, chance: random.Random) -> None:
    """Replace an aligned 32-bit number by one at a limit, a small one, or another's."""
    at = _within(data, seed.place(chance) // 4 * 4, 4)
    if at is None:
        return
    found = struct.unpack_from("<i", data, at)[0]
    near = [found + 1, found - 1, 2 * found, -found, len(data), len(data) - at]
    number = chance.choice([*_AT_LIMITS, *near, chance.randrange(17)])
    struct.pack_into("<I", data, at, number % 2**32)


def _short(data: bytearray, seed: Seed, chance: random.Random) -> None:
    """Replace an aligned 16-bit number, such as a field's place in a table."""
    at = _within(data, seed.place(chance) // 2 * 2, 2)
    if at is not None:
        struct.pack_into("<H", data, at, chance.choice([0, 2, 4, 8, 65535, chance.randrange(64)]))


def _swap(data: bytearray, seed: Seed, chance: random.Random) -> None:
    """Exchange two aligned 32-bit numbers, such as the offsets of two tables."""
    places = [_within(data, seed.place(chance) // 4 * 4, 4) for _ in range(2)]
    one, other = places
    if one is not None and other is not None:
        data[one : one + 4], data[other : other + 4] = data[other : other + 4], data[one : one + 4]


def _copy(data: bytearray, seed: Seed, chance: random.Random) -> None:
    """Write one stretch over another."""
    length = chance.randrange(1, 65)
    source = _within(data, seed.place(chance), length)
    target = _within(data, seed.place(chance), length)
    if source is not None and target is not None:
        data[target : target + length] = data[source : source + length]


def _zeros(data: bytearray, seed: Seed, chance: random.Random) -> None:
    length = chance.randrange(1, 33)
    at = _within(data, seed.place(chance), length)
    if at is not None:
        data[at : at + length] = bytes(length)


def _cut_short(data: bytearray, seed: Seed, chance: random.Random) -> None:
    del data[chance.choice([seed.place(chance), chance.randrange(len(seed.data))]) :]


def _removed(data: bytearray, seed: Seed, chance: random.Random) -> None:
    at = seed.place(chance)
    del data[at : at + chance.choice([1, 2, 4, 8, 16])]


def _inserted(data: bytearray, seed: Seed, chance: random.Random) -> None:
    at = min(seed.place(chance), len(data))
    data[at:at] = chance.randbytes(chance.choice([1, 4, 8, 16]))


def _splice(data: bytearray, other: Seed, chance: random.Random) -> None:
    """Go on with another file's end."""
    at = min(chance.randrange(len(other.data)), len(data))
    data[at:] = other.data[at:]


def _within(data: bytearray, at: int, length: int) -> int | None:
    """Return a place if that many bytes lie there; an earlier damage may have taken them."""
    return at if at + length <= len(data) else None


Damage = Callable[[bytearray, Seed, random.Random], None]
# Damages that shift all that follows seldom get past the first check, so they are rare.
_CHANCES: dict[Damage, int] = {
    _number: 40,
    _other_byte: 20,
    _flip_bit: 15,
    _short: 10,
    _swap: 8,
    _copy: 8,
    _zeros: 4,
    _cut_short: 2,
    _removed: 1,
    _inserted: 1,
}
_DAMAGES, _WEIGHTS = tuple(_CHANCES), tuple(_CHANCES.values())
