"""Runs a model as machine code on a simulated board, and compares its answers byte by byte."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcuprune.boards import Board, board
from mcuprune.engines.base import Array
from mcuprune.engines.cortexm import CortexM
from mcuprune.engines.cross_compiler import WITHOUT_HELIUM, CrossCompiler, find_cross_compiler
from mcuprune.engines.firmware_build import Firmware, build_firmware
from mcuprune.engines.firmware_layout import STACK_BYTES, Target
from mcuprune.engines.generated_c import generated_c
from mcuprune.engines.qemu import Qemu
from mcuprune.engines.reference_answers import ReferenceAnswers, as_bytes, reference_answers
from mcuprune.engines.renode import Renode, write_project
from mcuprune.engines.sample_inputs import given_inputs, random_inputs
from mcuprune.engines.simulated_time import SimulatedTime, simulated_time
from mcuprune.engines.simulation import Simulation, Simulator
from mcuprune.engines.tflm_fetch import FETCH, fetched_checkout
from mcuprune.engines.tflm_firmware import tflm_runtime
from mcuprune.errors import FirmwareError, InputError
from mcuprune.ir.from_tflite import parse_tflite, read_model_bytes
from mcuprune.suggest import unknown_name

C, TFLM = "c", "tflm"
RUNTIMES = (C, TFLM)
SIMULATORS: Mapping[str, Callable[[], Simulator]] = {
    "cortexm": CortexM,
    "qemu": Qemu,
    "renode": Renode,
}
DEFAULT_INPUTS = 8


@dataclasses.dataclass(frozen=True)
class SimulationReport:
    """A model on a simulated board. All numbers are simulated.

    Attributes:
        model: The file.
        board: The board.
        simulator: Name of the simulator.
        runtime: ``"c"`` or ``"tflm"``.
        inputs: How many inputs were given.
        firmware: What was built, None if it does not fit the board.
        simulation: What the simulator saw, None after a fault.
        reference: What the model must answer.
        time: Estimated time, None where nothing is known of the core's speed.
        fault: Why there is no simulation, None if there is one.
    """

    model: str
    board: Board
    simulator: str
    runtime: str
    inputs: int
    firmware: Firmware | None
    simulation: Simulation | None
    reference: ReferenceAnswers
    time: SimulatedTime | None
    fault: str | None = None

    @property
    def bytes_differing(self) -> int | None:
        """Bytes that differ from the reference, None after a fault."""
        return None if self.simulation is None else int(np.count_nonzero(self._differences()))

    @property
    def inputs_bit_exact(self) -> int | None:
        """Inputs on which all bytes are equal to the reference, None after a fault."""
        if self.simulation is None:
            return None
        return int(np.count_nonzero(~self._differences().any(axis=1)))

    @property
    def succeeds(self) -> bool:
        """Whether the model fits the board and answers as it must."""
        return self.bytes_differing == 0

    @property
    def sram_bytes(self) -> int | None:
        """Arena, variables and the deepest stack."""
        if self.simulation is None or self.firmware is None:
            return None
        stack = max(self.simulation.stack_bytes, self.simulation.start_stack_bytes)
        return self.firmware.static_sram_bytes + stack

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        firmware, simulation, time = self.firmware, self.simulation, self.time
        return {
            "model": self.model,
            "board": self.board.name,
            "simulator": self.simulator,
            "runtime": self.runtime,
            "inputs": self.inputs,
            "inputs_bit_exact": self.inputs_bit_exact,
            "bytes_differing": self.bytes_differing,
            "reference": self.reference.engine,
            "reference_note": self.reference.note,
            "instructions_per_inference": simulation and simulation.instructions_per_inference,
            "inputs_counted": simulation and len(simulation.instructions),
            "cycles_per_inference": time and time.cycles,
            "cycles_without_wait_states": simulation and simulation.cycles,
            "latency_ms": time and time.latency_ms,
            "stack_bytes": simulation and simulation.stack_bytes,
            "start_stack_bytes": simulation and simulation.start_stack_bytes,
            "arena_bytes": simulation and simulation.arena_bytes,
            "arena_reserved_bytes": firmware and firmware.arena_reserved_bytes,
            "sram_bytes": self.sram_bytes,
            "sram_available_bytes": self.board.arena_bytes,
            "flash_bytes": firmware and firmware.flash_bytes,
            "flash_available_bytes": self.board.flash_bytes,
            "succeeds": self.succeeds,
            "fault": self.fault,
            "functions": [dataclasses.asdict(one) for one in simulation.functions]
            if simulation
            else [],
            "provenance": self._provenance(),
        }

    def _provenance(self) -> dict[str, str | None]:
        simulation, time = self.simulation, self.time
        return {
            "origin": "simulated",
            "simulator": simulation.simulator if simulation else None,
            "machine": simulation.machine if simulation else None,
            "built_with": self.firmware.built_with if self.firmware else None,
            "reference": self.reference.version,
            "latency_ms": time.source if time else None,
        }

    def _differences(self) -> Array:
        assert self.simulation is not None
        differ: Array = self.simulation.outputs != self.reference.outputs
        return differ


def simulate(
    path: str | Path,
    board_name: str,
    *,
    simulator: str = "cortexm",
    runtime: str = C,
    inputs: Array | Sequence[Array] | int = DEFAULT_INPUTS,
    tflm: str | Path | None = None,
    stack_bytes: int = STACK_BYTES,
    compiler: str | None = None,
    renode: str | None = None,
    project: str | Path | None = None,
) -> SimulationReport:
    """Build a model's firmware for a board, run it simulated, and compare what it answers.

    Args:
        path: A ``.tflite`` file.
        board_name: A board of the catalogue with a Cortex-M.
        simulator: A name of :data:`SIMULATORS`.
        runtime: ``"c"`` for generated C, ``"tflm"`` for TensorFlow Lite Micro.
        inputs: Inputs, shape ``(n, ...)``, real or quantized, a list of such arrays for several
            inputs; or how many random ones.
        tflm: For TensorFlow Lite Micro: a checkout of it, with what its makefile downloads, or
            ``"fetch"``.
        stack_bytes: What to reserve for the stack.
        compiler: ``"arm-none-eabi-gcc"`` or ``"ziglang"``; None takes the first that is there.
        renode: The ``renode`` command; None looks for it on the path.
        project: For Renode: a folder to keep the firmware, platform, script and test in.

    Raises:
        InputError: No readable model, no such board, simulator or runtime, no sound inputs.
        UnsupportedModelError: The runtime lacks operators of the model.
        EngineError: Something is not installed, or the firmware cannot be built.
    """
    if runtime not in RUNTIMES:
        raise unknown_name("runtime", runtime, RUNTIMES)
    if simulator not in SIMULATORS:
        raise unknown_name("simulator", simulator, list(SIMULATORS))
    device = board(board_name)
    chosen = Renode(renode) if simulator == "renode" else SIMULATORS[simulator]()
    model = read_model_bytes(path)
    graph = parse_tflite(model, str(path))
    target = chosen.target(device, stack_bytes)
    samples = (
        random_inputs(graph, inputs)
        if isinstance(inputs, int)
        else given_inputs(model, graph, inputs)
    )
    build = _builder(model, runtime, tflm, target, find_cross_compiler(compiler))
    reference = reference_answers(model, samples)
    firmware = simulation = fault = None
    try:
        firmware = build(reference.outputs.shape[1])
        if project is not None:
            write_project(Path(project), firmware, as_bytes(samples), reference.outputs)
        simulation = chosen.run(firmware, as_bytes(samples))
    except FirmwareError as error:
        fault = str(error)
    return SimulationReport(
        model=str(path),
        board=device,
        simulator=chosen.name,
        runtime=runtime,
        inputs=len(samples[0]),
        firmware=firmware,
        simulation=simulation,
        reference=reference,
        time=_time(device, runtime, target, simulation),
        fault=fault,
    )


def _time(
    device: Board, runtime: str, target: Target, simulation: Simulation | None
) -> SimulatedTime | None:
    if simulation is None:
        return None
    # CMSIS-NN has kernels for Helium, generated C has none.
    has_vectors = runtime == TFLM and target.core in WITHOUT_HELIUM
    return simulated_time(device, target.core, simulation, has_vectors=has_vectors)


def _checkout(tflm: str | Path) -> Path:
    return fetched_checkout() if str(tflm) == FETCH else Path(tflm)


def _builder(
    model: bytes,
    runtime: str,
    tflm: str | Path | None,
    target: Target,
    compiler: CrossCompiler,
) -> Callable[[int], Firmware]:
    if runtime == TFLM and tflm is None:
        raise InputError(
            "the runtime tflm is built from its sources: give a checkout of tflite-micro "
            f"with --tflm, or --tflm {FETCH} to get one from GitHub"
        )
    checkout = _checkout(tflm) if runtime == TFLM and tflm is not None else None

    def build(output_bytes: int) -> Firmware:
        if checkout is None:
            parts = generated_c(model, target.core)
        else:
            parts = tflm_runtime(model, checkout, target.core, compiler)
        return build_firmware(parts, target, output_bytes, compiler)

    return build
