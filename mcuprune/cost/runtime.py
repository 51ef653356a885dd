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
from mcuprune.cost.cmsis_nn import CmsisNn, Simd
from mcuprune.errors import InputError
from mcuprune.suggest import unknown_name

REFERENCE = "tflm-reference"


@dataclasses.dataclass(frozen=True)
class Build:
    """How a runtime is built.

    Attributes:
        structs: Whose structures it has: ``"wheel"`` of the Python package, ``"plain"``.
        pointer_bits: Width of a pointer where it usually runs.
        simd: Instructions that its CMSIS-NN kernels use, None for reference kernels.
        scratch_for_3x3: Whether its CMSIS-NN is so old that it wants scratch memory for 3x3
            depthwise filters.
        enum_bytes: Size of an enum at 32 bits. GCC for bare-metal Arm packs one into the smallest
            integer that holds it (-fshort-enums), the Xtensa ABI takes an int.
    """

    structs: str
    pointer_bits: int
    simd: Simd | None = None
    scratch_for_3x3: bool = False
    enum_bytes: int = 1


# Runtimes by the name users give.
RUNTIMES: Mapping[str, Build] = {
    REFERENCE: Build("wheel", 64),
    "tflm-reference-plain": Build("plain", 64),
    "tflm-cmsis-nn": Build("plain", 32, "dsp"),
    "tflm-cmsis-nn-c": Build("plain", 32, "c"),
    "tflm-cmsis-nn-mve": Build("plain", 32, "mve"),
    "tflm-arduino": Build("plain", 32, "dsp", scratch_for_3x3=True),
    "tflm-esp32": Build("plain", 32, enum_bytes=4),
}
_FIELD_BYTES = {"b": 1, "h": 2, "i": 4, "q": 8}
_HOST_ENUM_BYTES = 4
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
    """A build of TFLM.

    Attributes:
        name: Name of the runtime.
        pointer_bits: 64 or 32.
        alignment_bytes: Alignment of buffers that kernels ask for.
        interpreter: Rooms allocated before any model is known, in order.
        structs: Room of each structure, by name.
        spare_scratch_requests: For how many more requests there is room while a model is allocated.
        plan_bytes_per_buffer: What the memory planner needs for each buffer.
        kernels: What each known operator keeps, by kind.
        unknown_kernel: What an operator without an entry is counted with.
        cmsis_nn: The CMSIS-NN that its kernels call, None if they are the reference kernels.
    """

    name: str
    pointer_bits: int
    alignment_bytes: int
    interpreter: tuple[Room, ...]
    structs: Mapping[str, Room]
    spare_scratch_requests: int
    plan_bytes_per_buffer: int
    kernels: Mapping[str, Kernel]
    unknown_kernel: Kernel
    cmsis_nn: CmsisNn | None = None

    def kernel(self, kind: str) -> Kernel:
        """Return what an operator of ``kind`` keeps; the stated default if it is unknown."""
        return self.kernels.get(kind, self.unknown_kernel)


def load_runtime(name: str = REFERENCE, pointer_bits: int | None = None) -> Runtime:
    """Return the structures of a runtime.

    Args:
        name: ``"tflm-reference"``: the one that the Python package ``tflite-micro`` runs, which
            on a 64-bit host records its allocations and so needs some 250 B more than firmware;
            ``"tflm-reference-plain"``: a plain ``MicroInterpreter``. At 32 bits both are plain.
            ``"tflm-cmsis-nn"``: optimized kernels for cores with the DSP extension, such as
            Cortex-M4; ``"tflm-cmsis-nn-c"`` for Cortex-M0+ and M3, ``"tflm-cmsis-nn-mve"`` for
            Cortex-M55; ``"tflm-arduino"``: the older one of Arduino's library; ``"tflm-esp32"``:
            Espressif's, whose structures are those of the reference kernels by the Xtensa ABI.
        pointer_bits: 64 for a host, 32 for a microcontroller; None for 64 with reference kernels
            and 32 with CMSIS-NN.

    Raises:
        UnknownNameError: No such runtime.
        InputError: Another width of pointers.
    """
    if name not in RUNTIMES:
        raise unknown_name("runtime", name, RUNTIMES)
    if pointer_bits not in (32, 64, None):
        raise InputError(f"pointers of {pointer_bits} bits are unknown: give 32 or 64")
    return _load(name, pointer_bits or RUNTIMES[name].pointer_bits)


@functools.cache
def _load(name: str, pointer_bits: int) -> Runtime:
    build = RUNTIMES[name]
    table = read_table("tflm_reference")
    optimized = {} if build.simd is None else read_table("tflm_cmsis_nn")
    layouts = table["structs"] | optimized.get("structs", {})
    is_host = pointer_bits == 64
    enum_bytes = _HOST_ENUM_BYTES if is_host else build.enum_bytes
    structs = _structs(layouts, build.structs if is_host else "plain", pointer_bits, enum_bytes)
    kernels = table["kernels"] | optimized.get("kernels", {})
    unknown = table["unknown_kernel"]
    alignment = table["alignment_bytes"]
    return Runtime(
        name=name,
        pointer_bits=pointer_bits,
        alignment_bytes=alignment,
        interpreter=tuple(structs[struct] for struct in table["interpreter"]),
        structs=structs,
        spare_scratch_requests=table["spare_scratch_requests"],
        plan_bytes_per_buffer=table["plan_bytes_per_buffer"],
        kernels={kind: _kernel(entry, structs) for kind, entry in kernels.items()},
        unknown_kernel=Kernel(
            Room(unknown["options_bytes"], 4), Room(unknown["data_bytes"], alignment)
        ),
        cmsis_nn=_cmsis_nn(build, optimized),
    )


def _cmsis_nn(build: Build, table: Mapping[str, Any]) -> CmsisNn | None:
    if build.simd is None:
        return None
    constants = table["cmsis_nn"]
    return CmsisNn(
        simd=build.simd,
        scratch_for_3x3=build.scratch_for_3x3,
        depthwise_block_channels=constants["depthwise_block_channels"],
        depthwise_as_conv_above_channels=constants["depthwise_as_conv_above_channels"],
        reverse_transpose_conv_above_channels=constants["reverse_transpose_conv_above_channels"],
    )


@functools.cache
def read_table(name: str) -> Mapping[str, Any]:
    """Return a table of ``cost_models/kernels``, read once; it is not to be changed."""
    path = data_folder("cost_models/kernels") / f"{name}.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: Mapping[str, Any] = yaml.load(path.read_text(), loader)
    return table


def struct_room(layout: str, pointer_bits: int, enum_bytes: int, known: Mapping[str, Room]) -> Room:
    """Return size and alignment of a C structure.

    Args:
        layout: Its fields, in the codes that ``cost_models/kernels/tflm_reference.yaml`` explains.
        pointer_bits: Width of a pointer.
        enum_bytes: Size of an enum without an underlying type.
        known: Structures that the layout may refer to.

    >>> struct_room("2p i", 64, 4, {}), struct_room("2p i", 32, 1, {})
    (Room(size_bytes=24, alignment_bytes=8), Room(size_bytes=12, alignment_bytes=4))
    """
    pointer_bytes = pointer_bits // 8
    sizes = {**_FIELD_BYTES, "e": enum_bytes, "p": pointer_bytes, "z": pointer_bytes}
    end, widest = 0, 1
    for token in layout.split():
        count, field = _field(token, sizes, known)
        start = -(-end // field.alignment_bytes) * field.alignment_bytes
        end = start + count * field.size_bytes
        widest = max(widest, field.alignment_bytes)
    return Room(-(-end // widest) * widest, widest)


def _field(token: str, sizes: Mapping[str, int], known: Mapping[str, Room]) -> tuple[int, Room]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InputError(f"unknown field {token!r} in a structure: see the codes in the table")
    if match["struct"]:
        return 1, known[match["struct"]]
    size_bytes = sizes[match["code"]]
    return int(match["count"] or 1), Room(size_bytes, size_bytes)


def _structs(
    entries: Mapping[str, Any], build: str, pointer_bits: int, enum_bytes: int
) -> dict[str, Room]:
    rooms: dict[str, Room] = {}
    for name, entry in entries.items():
        layout = entry.get(build, entry["fields"])
        rooms[name] = struct_room(layout, pointer_bits, enum_bytes, rooms)
    return rooms


def _kernel(entry: Mapping[str, str], structs: Mapping[str, Room]) -> Kernel:
    options, data = entry.get("options"), entry.get("data")
    return Kernel(
        None if options is None else structs[options], None if data is None else structs[data]
    )
