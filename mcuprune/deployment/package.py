"""From a Keras model to a folder that a firmware engineer can use, verified on the way."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mcuprune.budget import Budget, require_budget
from mcuprune.cost.firmware import HOST, target_of
from mcuprune.cost.front import estimate as estimate_model
from mcuprune.cost.resources import Resources, estimate
from mcuprune.cost.timing import estimate_for
from mcuprune.cost.verdict import compare
from mcuprune.deployment import csource
from mcuprune.deployment.confusion import checked_class_names
from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.doubts import deployment_doubts
from mcuprune.deployment.folder import MARK, require_replaceable, whole_folder
from mcuprune.deployment.golden import write_golden
from mcuprune.deployment.projects.firmware import C, Contents, require_runtime
from mcuprune.deployment.projects.formats import format_names
from mcuprune.deployment.projects.project import write_projects
from mcuprune.deployment.result import Accuracy, Deployment
from mcuprune.deployment.shipped import shipped
from mcuprune.deployment.verify import Verification, keras_accuracy, output_size, verify
from mcuprune.engines.base import ArenaUse, Array
from mcuprune.engines.int8_kernels import layers_without_int8_kernel
from mcuprune.engines.smallest_arena import smallest_arena
from mcuprune.errors import ConversionError, EngineError, UnsupportedModelError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.ir.graph import Graph
from mcuprune.quantization.calibration_data import calibration_arrays
from mcuprune.quantization.method import quantization_of
from mcuprune.report.write import write_report

# Optimised kernels (CMSIS-NN) ask for scratch that reference kernels do without. On whole int8
# networks a Cortex-M4's arena exceeded the 64-bit host's by up to 2%, on small ones by 3%.
HOST_HEADROOM_PERCENT = 10
# Arenas of boards are predicted within 1% (benchmarks/measured_arenas.py).
BOARD_HEADROOM_PERCENT = 2
INTERPRETER = "interpreter"


def deploy(
    model: Any,
    calibration: Any,
    out: str | Path,
    *,
    quantization: str | None = None,
    board: str | None = None,
    budget: Budget | None = None,
    reference: Any = None,
    test: tuple[Array, Array] | None = None,
    class_names: Sequence[str] | None = None,
    plan_memory: bool = True,
    format: str | Sequence[str] | None = None,
    runtime: str = C,
    debug: bool = False,
) -> Deployment:
    """Convert a Keras model to int8, verify it and write its deployment folder.

    The folder holds ``model.tflite``, ``model.keras``, ``model_data.h/.c``, ``model_settings.h``,
    ``golden.npz``, ``golden_vectors.h/.c``, and the report as ``report.json``, ``report.html`` and
    ``report.md``. It appears as a whole or not at all; an earlier deployment in its place is
    replaced.

    Args:
        model: A built functional or Sequential ``keras.Model``.
        calibration: Training inputs, shape ``(n, ...)``; a hundred or more. For several inputs a
            list or tuple of such arrays, in the order of ``model.inputs``.
        out: The folder.
        quantization: ``"ptq"`` takes ranges from the calibration data; ``"qat"`` from the model,
            which is one of :func:`mcuprune.quantize_aware`. None for what the model is made for.
        board: A board of the catalogue; its memories are the budget where none is given.
        budget: What is allowed; the folder is written even if it is exceeded. One that names a
            board is held against what the firmware of that board needs, predicted; any other
            against what TFLM uses on this host.
        reference: The unpruned model, or its :class:`~mcuprune.cost.resources.Resources`, for
            comparison.
        test: Inputs and class numbers unseen in training, for accuracy (of models with one
            output).
        class_names: What the classes are called in the report, in the order of their numbers.
        plan_memory: Whether to write a memory plan into the file where it makes the arena smaller
            (:mod:`mcuprune.deployment.optimize`), unless the budget's flash has no room for it.
        format: Firmware projects to write besides, each into a folder of its name: ``"arduino"``,
            ``"platformio"``, ``"zephyr"``, ``"esp-idf"``, ``"cmake"``, ``"cmsis-pack"``.
        runtime: What runs the model there: ``"c"``, generated C, or ``"tflm"``.
        debug: Leave the converter's messages on the terminal.

    Raises:
        InputError: Data or names of classes that do not fit the model, an unknown board, format,
            runtime or quantization, or one that the model is not made for, a budget of another
            type, or a folder that cannot be written.
        UnsupportedModelError: A project with generated C, and operators without a kernel.
        ConversionError: The model has no full-int8 form.
        EngineError: LiteRT or TFLM refuses the converted model.
    """
    if budget is not None:
        require_budget(budget)
    formats = format_names(format)
    require_runtime(runtime)
    out = Path(out)
    require_replaceable(out)
    method = quantization_of(model, quantization)
    if budget is None and board is not None:
        budget = Budget.for_board(board)
    board = board or (None if budget is None else budget.board)
    with _naming_layers(model):
        converted = convert_int8(model, calibration, debug=debug)
        names = checked_class_names(class_names, output_size(model))
        plan = None
        if plan_memory:
            plan = shipped(converted, model.name, board=board, budget=budget)
        tflite = converted if plan is None else plan.model
        verification = _verified(model, tflite, calibration, test)
    graph = parse_tflite(tflite, model.name)
    resources = estimate_for(budget, graph)
    is_on_host = target_of(budget) == HOST
    if is_on_host:
        resources = _as_used(resources, verification.arena)
    verdict = None if budget is None else compare(resources, budget)
    accuracy = _accuracy(verification, reference, test)
    deployment = Deployment(
        folder=out,
        resources=resources,
        predicted=estimate(graph),
        reference=_resources_of(reference, resources),
        budget=budget,
        verdict=verdict,
        accuracy=accuracy,
        verification=verification,
        arena_setting=_host_arena(tflite, verification.arena)
        if is_on_host
        else _board_arena(resources),
        board=board,
        memory_plan=plan,
        quantization=method,
        formats=formats,
        class_names=names,
        doubts=deployment_doubts(verification, verdict, accuracy.float_reference),
    )
    with whole_folder(out) as folder:
        _write(folder, model, tflite, graph, deployment)
        if formats:
            write_projects(folder, _contents(model.name, tflite, deployment), formats, runtime)
        write_report(folder)
    return deployment


@contextlib.contextmanager
def _naming_layers(model: Any) -> Iterator[None]:
    """Add to the refusal of a model the layers whose operators TFLM lacks."""
    try:
        yield
    except (ConversionError, EngineError) as error:
        lacking = ""
        with contextlib.suppress(UnsupportedModelError):
            lacking = layers_without_int8_kernel(graph_from_keras(model))
        if not lacking:
            raise
        raise type(error)(
            f"{error} TFLM has no int8 kernels for what these layers become: {lacking}. Replace "
            "them, activations by relu, silu or hard_silu for example"
        ) from error


def _verified(
    model: Any, tflite: bytes, calibration: Any, test: tuple[Array, Array] | None
) -> Verification:
    if test is None:
        samples = calibration_arrays(calibration, model)
        return verify(model, tflite, samples if len(samples) > 1 else samples[0])
    inputs, labels = test
    return verify(model, tflite, inputs, labels)


def _as_used(predicted: Resources, arena: ArenaUse) -> Resources:
    """Put the arena that TFLM used in the place of the predicted one."""
    measured = ("peak_sram_bytes", "arena_head_bytes", "arena_tail_bytes", "arena_total_bytes")
    return dataclasses.replace(
        predicted,
        peak_sram_bytes=arena.total_bytes,
        arena_head_bytes=arena.head_bytes,
        arena_tail_bytes=arena.tail_bytes,
        arena_total_bytes=arena.total_bytes,
        provenance={**predicted.provenance, **dict.fromkeys(measured, INTERPRETER)},
    )


def _resources_of(reference: Any, like: Resources) -> Resources | None:
    """Count an unpruned model for the same runtime."""
    if reference is None or isinstance(reference, Resources):
        return reference
    return estimate_model(reference, like.runtime, like.pointer_bits)


def _accuracy(
    verification: Verification, reference: Any, test: tuple[Array, Array] | None
) -> Accuracy:
    float_reference = None
    if test is not None and hasattr(reference, "predict"):
        float_reference = keras_accuracy(reference, *test)
    return Accuracy(float_reference, verification.keras_accuracy, verification.int8_accuracy)


def _host_arena(tflite: bytes, arena: ArenaUse) -> csource.ArenaSetting:
    return csource.ArenaSetting(arena.total_bytes, smallest_arena(tflite), HOST_HEADROOM_PERCENT)


def _board_arena(resources: Resources) -> csource.ArenaSetting:
    return csource.ArenaSetting(
        resources.arena_total_bytes,
        resources.arena_smallest_bytes,
        BOARD_HEADROOM_PERCENT,
        f"predicted for {resources.runtime}, {resources.pointer_bits}-bit",
    )


def _contents(title: str, tflite: bytes, deployment: Deployment) -> Contents:
    said = deployment.verification
    return Contents(
        title=title,
        tflite=tflite,
        golden_inputs=said.golden_inputs,
        golden_outputs=said.golden_outputs,
        arena=deployment.arena_setting,
        host_arena=_host_arena(tflite, said.arena),
        board=deployment.board,
    )


def _write(folder: Path, model: Any, tflite: bytes, graph: Graph, deployment: Deployment) -> None:
    name = csource.c_identifier(model.name)
    (folder / "model.tflite").write_bytes(tflite)
    model.save(folder / "model.keras")
    texts = {
        "model_data.h": csource.model_header(name),
        "model_data.c": csource.model_source(name, tflite),
        "model_settings.h": csource.settings_header(name, graph, deployment.arena_setting),
        MARK: json.dumps(deployment.to_json(), indent=2) + "\n",
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    said = deployment.verification
    write_golden(folder, name, said.golden_inputs, said.golden_outputs)
