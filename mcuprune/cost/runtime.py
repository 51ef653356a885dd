"""What a TFLM runtime keeps per operator: sizes of its structures, from ``cost_models/kernels``.

A structure's size follows from its fields and the width of a pointer, so one table serves the
64-bit host and a 32-bit device.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Any

import yaml

from mcuprune.catalogue import data_folder
from mcuprune.errors import InputError
from mcuprune.suggest import unknown_name

# Runtimes by the name users give, and the build whose structures they have.
RUNTIMES: Mapping[str, str] = {
    "tflm-reference": "wheel",
    "tflm-reference-plain": "plain",
}
_FIELD_BYTES = {"b": 1, "h": 2, "i": 4, "q": 8}
# GCC for bare-metal Arm packs an enum into the smallest integer that holds it (-fshort-enums).
_ENUM_BYTES = {64: 4, 32: 1}
_TOKEN = re.compile(r"(?:(?P<count>\d*)(?P<code>[bhiqezp])|@(?P<struct>\w+))")


@dataclasses.dataclass(frozen=True)
class Room:
    """Bytes to allocate and the alignment they need."""

    size_bytes: int
    alignment_bytes: int


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What one operator's kernel keeps whatever its tensors are.

    Attributes:
        options: Room of its options, None if it has none.
        data: Room of the data its ``Init`` allocates, None if it has none.
    """

    options: Room | None
    data: Room | None


@dataclasses.dataclass(frozen=True)
class Runtime:
    """A build of TFLM with reference kernels.

    Attributes:
        name: Name of the runtime.
        pointer_bits: 64 or 32.
        alignment_bytes: Alignment of buffers that kernels ask for.
        interpreter: Rooms allocated before any model is known, in order.
        structs: Room of each structure, by name.
        kernels: What each known operator keeps, by kind.
        unknown_kernel: What an operator without an entry is counted with.
    """

    name: str
    pointer_bits: int
    alignment_bytes: int
    interpreter: tuple[Room, ...]
    structs: Mapping[str, Room]
    kernels: Mapping[str, Kernel]
    unknown_kernel: Kernel

    def kernel(self, kind: str) -> Kernel:
        """Return what an operator of ``kind`` keeps; the stated default if it is unknown."""
        return self.kernels.get(kind, self.unknown_kernel)


@functools.cache
def load_runtime(name: str = "tflm-reference", pointer_bits: int = 64) -> Runtime:
    """Return the structures of a runtime.

    Args:
        name: ``"tflm-reference"``: the one that the Python package ``tflite-micro`` runs, which
            on a 64-bit host records its allocations and so needs some 250 B more than firmware;
            ``"tflm-reference-plain"``: a plain ``MicroInterpreter``. At 32 bits both are plain.
        pointer_bits: 64 for a host, 32 for a microcontroller.

    Raises:
        UnknownNameError: No such runtime.
        InputError: Another width of pointers.
    """
    if name not in RUNTIMES:
        raise unknown_name("runtime", name, RUNTIMES)
    if pointer_bits not in (32, 64):
        raise InputError(f"pointers of {pointer_bits} bits are unknown: give 32 or 64")
    build = RUNTIMES[name] if pointer_bits == 64 else "plain"
    table = read_table("tflm_reference")
    structs = _structs(table["structs"], build, pointer_bits)
    unknown = table["unknown_kernel"]
    alignment = table["alignment_bytes"]
    return Runtime(
        name=name,
        pointer_bits=pointer_bits,
        alignment_bytes=alignment,
        interpreter=tuple(structs[struct] for struct in table["interpreter"]),
        structs=structs,
        kernels={kind: _kernel(entry, structs) for kind, entry in table["kernels"].items()},
        unknown_kernel=Kernel(
            Room(unknown["options_bytes"], 4), Room(unknown["data_bytes"], alignment)
        ),
    )


def read_table(name: str) -> dict[str, Any]:
    """Return a table of ``cost_models/kernels``."""
    path = data_folder("cost_models/kernels") / f"{name}.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: dict[str, Any] = yaml.load(path.read_text(), loader)
    return table


def struct_room(layout: str, pointer_bits: int, known: Mapping[str, Room]) -> Room:
    """Return size and alignment of a C structure.

    Args:
        layout: Its fields, in the codes that ``cost_models/kernels/tflm_reference.yaml`` explains.
        pointer_bits: Width of a pointer.
        known: Structures that the layout may refer to.

    >>> struct_room("2p i", 64, {}), struct_room("2p i", 32, {})
    (Room(size_bytes=24, alignment_bytes=8), Room(size_bytes=12, alignment_bytes=4))
    """
    end, widest = 0, 1
    for token in layout.split():
        count, field = _field(token, pointer_bits, known)
        start = -(-end // field.alignment_bytes) * field.alignment_bytes
        end = start + count * field.size_bytes
        widest = max(widest, field.alignment_bytes)
    return Room(-(-end // widest) * widest, widest)


def _field(token: str, pointer_bits: int, known: Mapping[str, Room]) -> tuple[int, Room]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InputError(f"unknown field {token!r} in a structure: see the codes in the table")
    if match["struct"]:
        return 1, known[match["struct"]]
    size_bytes = {**_FIELD_BYTES, "e": _ENUM_BYTES[pointer_bits]}.get(
        match["code"], pointer_bits // 8
    )
    return int(match["count"] or 1), Room(size_bytes, size_bytes)


def _structs(entries: Mapping[str, Any], build: str, pointer_bits: int) -> dict[str, Room]:
    rooms: dict[str, Room] = {}
    for name, entry in entries.items():
        layout = entry.get(build, entry["fields"])
        rooms[name] = struct_room(layout, pointer_bits, rooms)
    return rooms


def _kernel(entry: Mapping[str, str], structs: Mapping[str, Room]) -> Kernel:
    options, data = entry.get("options"), entry.get("data")
    return Kernel(
        None if options is None else structs[options], None if data is None else structs[data]
    )
