"""What is stripped changes no output; what a device needs stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mcuprune.deployment.strip import strip
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"
pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"no reference models at {MODELS}")

NAMES = [
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/ad01_int8",
    "tflm/hello_world_int8",
    "tflm/micro_speech_lstm",
]


def model(name):
    return (MODELS / f"{name}.tflite").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_arena_stay(name):
    before = model(name)
    after = strip(before)
    graph = parse_tflite(before, name)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    inputs = np.random.RandomState(0).randint(-128, 128, (3, *shape)).astype(np.int8)
    for engine in (TFLM(), LiteRT()):
        ran_before, ran_after = engine.run(before, inputs), engine.run(after, inputs)
        assert ran_after.outputs.tobytes() == ran_before.outputs.tobytes()
        assert ran_after.arena == ran_before.arena


@pytest.mark.parametrize("name", NAMES)
def test_graph_stays_but_for_inner_names(name):
    before, after = parse_tflite(model(name), "m"), parse_tflite(strip(model(name)), "m")
    assert after.operators == before.operators
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (new.shape, new.dtype, new.stored_bytes) == (old.shape, old.dtype, old.stored_bytes)
        assert new.quantization_scales == old.quantization_scales


def test_names_of_inputs_and_outputs_stay_alone():
    before = parse_tflite(model("mlperf_tiny/kws_ref_model"), "m")
    contents = schema.Model.GetRootAs(strip(model("mlperf_tiny/kws_ref_model")), 0)
    subgraph = contents.Subgraphs(0)
    stored = [subgraph.Tensors(i).Name() for i in range(subgraph.TensorsLength())]
    outward = {*before.inputs, *before.outputs}
    assert stored == [
        t.name.encode() if i in outward else None for i, t in enumerate(before.tensors)
    ]


def test_saves_flash():
    # 35 tensors whose names take 4,5 KB of the file's 53,936 bytes, and what else is dropped.
    assert len(strip(model("mlperf_tiny/kws_ref_model"))) < 53_936 - 4_500


def test_weights_stay_aligned():
    data = strip(model("mlperf_tiny/pretrainedResnet_quant"))
    contents = schema.Model.GetRootAs(data, 0)
    tables = [contents.Buffers(i) for i in range(contents.BuffersLength())]
    starts = [t._tab.Vector(t._tab.Offset(4)) for t in tables if not t.DataIsNone()]
    assert len(starts) > 20
    assert [start % 16 for start in starts] == [0] * len(starts)


def test_stripping_twice_changes_nothing():
    once = strip(model("tflm/hello_world_int8"))
    assert strip(once) == once


def test_offline_plan_and_minimum_version_stay():
    path = MODELS / "cfu_playground" / "hps_model_2022_01_05_74ops.tflite"
    before = path.read_bytes()
    after = strip(before)
    plan = parse_tflite(before, "m").offline_offsets
    assert plan is not None
    assert parse_tflite(after, "m").offline_offsets == plan
    assert TFLM().arena(after) == TFLM().arena(before)


def test_unused_buffers_go():
    data = strip(model("mlperf_tiny/kws_ref_model"))
    contents = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    constants = {t.buffer for t in contents.subgraphs[0].tensors} - {0}
    metadata = {m.buffer for m in contents.metadata}
    assert len(contents.buffers) == 1 + len(constants) + len(metadata)
    assert contents.description is None
