"""A run folder written by hand: a small model of the zoo of operators, its reference, its logs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mcuprune.budget import Budget
from mcuprune.cost.resources import estimate
from mcuprune.cost.verdict import compare
from mcuprune.ir.from_tflite import parse_tflite

SIDE = 8
BUDGET = Budget(sram=4000, flash=2000, macs=5000)
HOSTILE = "<img src=x onerror=alert(1)>\"'&|`](javascript:x)"


def write_run(folder: Path, name: str = "tiny", title: str = "A tiny run", width: int = 4) -> Path:
    """Write a run with a reference of eight channels and a model of ``width``.

    Args:
        folder: The run folder, made here.
        name: Of the model, its first layer and its first tensor.
        title: Of the recipe.
        width: Channels of the pruned model.
    """
    reference, model = (tflite(channels, name) for channels in (8, width))
    for place in ("reference", "pruned", "deployment"):
        (folder / place).mkdir(parents=True)
    (folder / "reference" / "model.tflite").write_bytes(reference)
    (folder / "deployment" / "model.tflite").write_bytes(model)
    (folder / "deployment" / "model_data.c").write_text("/* model */")
    _write_keras(folder / "reference" / "model.keras", name, 8)
    _write_keras(folder / "pruned" / "model.keras", name, width)
    (folder / "reference" / "history.csv").write_text(
        "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.25,0.6,1.5\n1,0.75,0.5,0.8,0.75\n"
    )
    (folder / "pruned" / "history.csv").write_text(
        "epoch,accuracy,flash,flash_budget,loss,val_accuracy\n"
        "0,0.5,3000,2000,1.0,0.55\n1,0.7,1500,2000,0.5,0.7\n"
    )
    report = json.dumps(_report(reference, model, name, title), indent=2)
    (folder / "deployment" / "report.json").write_text(report)
    return folder


def tflite(channels: int, name: str) -> bytes:
    """Return a 1x1 convolution to some channels, then one back to a single one."""
    tensors = [
        _tensor(name, (1, SIDE, SIDE, 1), 0),
        _tensor("kernel_a", (channels, 1, 1, 1), 1),
        _tensor("middle", (1, SIDE, SIDE, channels), 0),
        _tensor("kernel_b", (1, 1, 1, channels), 2),
        _tensor("end", (1, SIDE, SIDE, 1), 0),
    ]
    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.name = tensors, b"main"
    subgraph.inputs, subgraph.outputs = [0], [4]
    subgraph.operators = [_convolution([0, 1, -1], [2]), _convolution([2, 3, -1], [4])]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [subgraph]
    model.buffers = [_buffer(0), _buffer(channels), _buffer(channels)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _tensor(name: str, shape: tuple[int, ...], buffer: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name.encode(), list(shape), buffer
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5], [0]
    return tensor


def _convolution(inputs: list[int], outputs: list[int]) -> schema.OperatorT:
    operator = schema.OperatorT()
    operator.inputs, operator.outputs, operator.opcodeIndex = inputs, outputs, 0
    operator.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    options = schema.Conv2DOptionsT()
    options.strideW = options.strideH = options.dilationWFactor = options.dilationHFactor = 1
    operator.builtinOptions = options
    return operator


def _buffer(size_bytes: int) -> schema.BufferT:
    buffer = schema.BufferT()
    buffer.data = np.ones(size_bytes, np.uint8) if size_bytes else None
    return buffer


def _write_keras(path: Path, name: str, width: int) -> None:
    layers = [
        {"class_name": "InputLayer", "config": {"name": "image"}},
        {"class_name": "Conv2D", "config": {"name": name, "filters": width}},
        {"class_name": "Dense", "config": {"name": "classes", "units": 3}},
    ]
    config = {"class_name": "Functional", "config": {"name": name, "layers": layers}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))


def _report(reference: bytes, model: bytes, name: str, title: str) -> dict:
    before, after = (estimate(parse_tflite(data, name)) for data in (reference, model))
    verdict = compare(after, BUDGET)
    used = {
        "head_bytes": after.arena_head_bytes,
        "tail_bytes": after.arena_tail_bytes,
        "total_bytes": after.arena_total_bytes,
    }
    return {
        "recipe": title,
        "seed": 3,
        "verdict": "fits" if verdict.fits else "exceeds",
        "check": verdict.to_json(),
        "board": None,
        "quantization": "ptq",
        "budget": dict(BUDGET.limits()),
        "resources": {"reference": before.to_json(), "pruned": after.to_json()},
        "accuracy": {
            "float_reference": 0.9,
            "float_pruned": 0.8125,
            "int8": 0.75,
            "int8_reference": 0.875,
        },
        "confusion": {
            "classes": [name, "up", "down"],
            "float": [[4, 0, 1], [0, 5, 0], [1, 1, 4]],
            "int8": [[4, 1, 0], [0, 5, 0], [2, 1, 3]],
        },
        "agreement": {
            "litert_vs_keras": 0.9375,
            "litert_vs_keras_inputs": 16,
            "tflm_vs_litert_inputs": 100,
            "tflm_vs_litert_bytes": 300,
            "tflm_vs_litert_bytes_differing": 7,
            "tflm_vs_litert_largest_difference": 1,
            "tflm_vs_litert_top1_agreement": 1.0,
        },
        "arena": {
            "used": used,
            "predicted": used,
            "smallest_bytes": 3000,
            "headroom_percent": 10,
            "tensor_arena_bytes": 3300,
            "counted_for": "64-bit host, reference kernels",
            "counted_bytes": used["total_bytes"],
        },
        "arena_reference": {"used": used},
        "memory_plan": None,
        "engines": ["LiteRT 2"],
        "fit_seconds": 12.0,
        "simulation": _simulation(name),
        "limit": f"MACs limit the model because of {name}.",
        "deployment": "deployment",
    }


def _simulation(name: str) -> dict:
    return {
        "board": "nucleo-l4r5zi",
        "simulator": "cortexm",
        "runtime": "c",
        "inputs": 8,
        "inputs_bit_exact": 8,
        "bytes_differing": 0,
        "reference": "litert",
        "reference_note": None,
        "instructions_per_inference": 12_345,
        "latency_ms": 0.5,
        "stack_bytes": 96,
        "arena_bytes": 320,
        "arena_reserved_bytes": 384,
        "sram_bytes": 700,
        "sram_available_bytes": 655_360,
        "flash_bytes": 5000,
        "flash_available_bytes": 2_097_152,
        "succeeds": True,
        "fault": None,
        "functions": [
            {"name": name, "instructions": 9000},
            {"name": "main", "instructions": 1000},
        ],
        "provenance": {"machine": "a core", "built_with": "a compiler", "latency_ms": "a table"},
    }
