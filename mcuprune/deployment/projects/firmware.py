"""What every firmware project holds: the model as sources, golden vectors, and their test."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from mcuprune.boards import board as find_board
from mcuprune.codegen.generate import Sources, generate
from mcuprune.codegen.model_file import ModelFile, read_model
from mcuprune.deployment import csource
from mcuprune.deployment.golden import VECTORS_IN_C
from mcuprune.deployment.projects.names import project_name
from mcuprune.deployment.projects.templates import render
from mcuprune.engines.base import Array
from mcuprune.engines.generated_c import target_of_core
from mcuprune.errors import UnsupportedModelError
from mcuprune.ir.graph import Graph
from mcuprune.suggest import unknown_name

C, TFLM = "c", "tflm"
RUNTIMES = (C, TFLM)
_C_TYPES = {"float32": "float", "bool": "uint8_t"}


@dataclasses.dataclass(frozen=True)
class Port:
    """An input or output of the model in C.

    Attributes:
        name: Its parameter, ``input``, or ``input0`` and so on of several.
        c_type: Type of its numbers.
        elements: How many of them.
        size_bytes: Their bytes.
        golden: What its golden numbers are called, ``inputs`` or ``inputs_0``.
        golden_step: Name of the number of them per vector, ``kGoldenInputSize``.
        place: Its position among the inputs, or among the outputs.
        description: Type, shape, scale and zero point.
    """

    name: str
    c_type: str
    elements: int
    size_bytes: int
    golden: str
    golden_step: str
    place: int
    description: str


@dataclasses.dataclass(frozen=True)
class Firmware:
    """A model as sources, with what tests it.

    Attributes:
        name: Prefix of files, functions and macros.
        runtime: ``"c"``: generated C; ``"tflm"``: TensorFlow Lite Micro.
        board: A board of the catalogue, or None.
        core: Its core, or None.
        kinds: Kinds of operators, sorted.
        inputs: Inputs of the model.
        outputs: Outputs of the model.
        model_files: Sources of the model by file name.
        golden_files: Golden vectors and their test by file name.
        arena_bytes: RAM that the model takes for tensors.
    """

    name: str
    runtime: str
    board: str | None
    core: str | None
    kinds: tuple[str, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    model_files: Mapping[str, str]
    golden_files: Mapping[str, str]
    arena_bytes: int

    @property
    def macro(self) -> str:
        """Prefix of macros."""
        return self.name.upper()

    @property
    def prototype(self) -> str:
        """Declaration of the function that runs the model."""
        parameters = [f"const {port.c_type} *{port.name}" for port in self.inputs]
        parameters += [f"{port.c_type} *{port.name}" for port in self.outputs]
        return f"int {self.name}_invoke({', '.join(parameters)})"

    @property
    def model_sources(self) -> tuple[str, ...]:
        """Names of the model's files that are compiled."""
        return _compiled(self.model_files)

    @property
    def golden_sources(self) -> tuple[str, ...]:
        """Names of the golden vectors' files that are compiled."""
        return _compiled(self.golden_files)


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a firmware is made from.

    Attributes:
        title: The model's name, any text.
        tflite: Contents of the ``.tflite`` file.
        golden_inputs: Quantized inputs, an array of shape ``(n, ...)`` for each input.
        golden_outputs: TFLM's answers, an array of shape ``(n, ...)`` for each output.
        arena: The arena that TFLM needs on the device.
        host_arena: The arena that TFLM needs on a 64-bit host.
        board: A board of the catalogue, or None.
    """

    title: str
    tflite: bytes
    golden_inputs: Sequence[Array]
    golden_outputs: Sequence[Array]
    arena: csource.ArenaSetting
    host_arena: csource.ArenaSetting
    board: str | None = None


def require_runtime(runtime: str) -> None:
    """Raise unless firmware projects can be made with a runtime.

    Raises:
        UnknownNameError: It is not known; names the nearest.
    """
    if runtime not in RUNTIMES:
        raise unknown_name("runtime", runtime, RUNTIMES)


def make_firmware(contents: Contents, runtime: str = C) -> Firmware:
    """Write the sources that all formats share.

    Args:
        contents: The model and its golden vectors.
        runtime: ``"c"`` or ``"tflm"``.

    Raises:
        UnknownNameError: Another runtime, or no such board.
        UnsupportedModelError: Operators without a kernel in C; names them.
        ConversionError: For ``"tflm"``, an operator is no TFLite builtin.
    """
    require_runtime(runtime)
    model = read_model(contents.tflite, contents.title)
    graph = model.graph
    core = None if contents.board is None else find_board(contents.board).core
    firmware = Firmware(
        name=project_name(contents.title),
        runtime=runtime,
        board=contents.board,
        core=core,
        kinds=tuple(sorted({operator.kind for operator in graph.operators})),
        inputs=_ports(model, "input", graph.inputs),
        outputs=_ports(model, "output", graph.outputs),
        model_files={},
        golden_files={},
        arena_bytes=contents.arena.size_bytes,
    )
    golden = _golden_files(firmware, contents)
    if runtime == TFLM:
        files = _tflm_files(firmware, contents, graph)
        return dataclasses.replace(firmware, model_files=files, golden_files=golden)
    sources = _generated(firmware, contents.tflite)
    return dataclasses.replace(
        firmware,
        model_files=dict(sources.files),
        golden_files=golden,
        arena_bytes=sources.arena_bytes,
    )


def _generated(firmware: Firmware, tflite: bytes) -> Sources:
    target = "portable" if firmware.core is None else target_of_core(firmware.core)
    try:
        return generate(tflite, name=firmware.name, target=target)
    except UnsupportedModelError as error:
        raise UnsupportedModelError(
            f"{error}. A project with TensorFlow Lite Micro takes the model: choose the runtime "
            f"{TFLM!r}"
        ) from error


def _tflm_files(firmware: Firmware, contents: Contents, graph: Graph) -> dict[str, str]:
    name = firmware.name
    values = {"firmware": firmware, "host_arena_bytes": contents.host_arena.size_bytes}
    return {
        f"{name}.h": render("shared/model.h.j2", values),
        f"{name}.cpp": render("shared/model.cpp.j2", values),
        "model_data.h": csource.model_header(name),
        "model_data.c": csource.model_source(name, contents.tflite),
        "model_settings.h": csource.settings_header(name, graph, contents.arena),
    }


def _golden_files(firmware: Firmware, contents: Contents) -> dict[str, str]:
    inputs = [array[:VECTORS_IN_C] for array in contents.golden_inputs]
    outputs = [array[:VECTORS_IN_C] for array in contents.golden_outputs]
    values = {"firmware": firmware}
    return {
        "golden_vectors.h": csource.golden_header(firmware.name, inputs, outputs),
        "golden_vectors.c": csource.golden_source(firmware.name, inputs, outputs),
        "golden_test.h": render("shared/golden_test.h.j2", values),
        "golden_test.c": render("shared/golden_test.c.j2", values),
    }


def _ports(model: ModelFile, what: str, tensors: Sequence[int]) -> tuple[Port, ...]:
    several = len(tensors) > 1
    found = []
    for place, index in enumerate(tensors):
        tensor = model.graph.tensors[index]
        ending = f"_{place}" if several else ""
        found.append(
            Port(
                name=f"{what}{place}" if several else what,
                c_type=_C_TYPES.get(tensor.dtype, f"{tensor.dtype}_t"),
                elements=int(tensor.elements),
                size_bytes=int(tensor.size_bytes),
                golden=f"{what}s{ending}",
                golden_step=f"kGolden{what.capitalize()}Size{ending}",
                place=place,
                description=model.description(index),
            )
        )
    return tuple(found)


def _compiled(files: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in files if name.endswith((".c", ".cpp"))))
