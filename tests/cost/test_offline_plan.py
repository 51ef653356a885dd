import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mcuprune.cost.memory import arena_head
from mcuprune.engines.tflm import TFLM
from mcuprune.ir.from_tflite import parse_tflite


def with_offsets(data: bytes, offsets: list[int]) -> bytes:
    """Append a plan: version, subgraph, number of tensors, an offset per tensor or -1."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    plan = schema.BufferT()
    plan.data = np.array([1, 0, len(offsets), *offsets], "<i4").view(np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "OfflineMemoryAllocation", len(model.buffers)
    model.buffers.append(plan)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_tflm_and_the_plan_follow_prescribed_offsets_alike(shared):
    data = (shared / "models/mlperf_tiny/kws_ref_model.tflite").read_bytes()
    graph = parse_tflite(data, "kws")
    first, last = graph.operators[0].outputs[0], graph.operators[-1].outputs[0]
    for places in ({}, {first: 40_000}, {first: 0, last: 20_000}, {last: 8_000}):
        offsets = [places.get(index, -1) for index in range(len(graph.tensors))]
        planned = with_offsets(data, offsets)
        assert arena_head(parse_tflite(planned, "kws")) == TFLM().arena(planned).head_bytes
