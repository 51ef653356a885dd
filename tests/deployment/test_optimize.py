import json

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from kernel_files import SHAPE, kernel_file
from typer.testing import CliRunner

from mcuprune.cli import app
from mcuprune.cost.memory import arena_head
from mcuprune.deployment.optimize import optimize, random_inputs
from mcuprune.deployment.strip import strip
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.own_process import OwnProcess
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import EngineError, UnsupportedModelError
from mcuprune.ir.from_tflite import parse_tflite


def unpacked(data):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def packed(model):
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def visual_wake_words(shared):
    return (shared / "models/mlperf_tiny/vww_96_int8.tflite").read_bytes()


@pytest.fixture(scope="module")
def optimized(visual_wake_words):
    return optimize(visual_wake_words, "vww")


def test_stock_tflm_uses_the_plan(optimized):
    # TFLM's own plan and the largest working set, as measured with the plain interpreter.
    assert optimized.plan.unplanned_head_bytes == 73_728
    assert optimized.plan.head_bytes == 55_296
    assert optimized.plan.proven
    assert optimized.measured.head_before_bytes == 73_728
    assert optimized.measured.head_after_bytes == 55_296
    assert TFLM().arena(optimized.model).head_bytes == 55_296


def test_the_whole_file_stands_unchanged_behind_the_plan(visual_wake_words, optimized):
    padded = visual_wake_words + bytes(-len(visual_wake_words) % 16)
    assert optimized.model.endswith(padded)
    # Whatever was aligned to 16 bytes still is.
    assert (len(optimized.model) - len(padded)) % 16 == 0


def test_nothing_but_metadata_and_a_buffer_is_added(visual_wake_words, optimized):
    before, after = unpacked(visual_wake_words), unpacked(optimized.model)
    entry, data = after.metadata.pop(), after.buffers.pop().data
    assert entry.name == b"OfflineMemoryAllocation"
    assert entry.buffer == len(before.buffers)
    numbers = np.frombuffer(bytes(data), "<i4")
    assert numbers[:3].tolist() == [1, 0, len(before.subgraphs[0].tensors)]
    assert packed(after) == packed(before)


def test_other_runtimes_read_the_file_as_before(visual_wake_words, optimized):
    inputs = random_inputs(parse_tflite(visual_wake_words, "vww"), 2)
    before, after = (LiteRT().run(m, inputs) for m in (visual_wake_words, optimized.model))
    assert before.outputs.tobytes() == after.outputs.tobytes()


def test_the_estimate_of_the_file_counts_its_plan(optimized):
    assert arena_head(parse_tflite(optimized.model, "vww")) == 55_296


def test_a_stripped_file_keeps_its_plan(optimized):
    stripped = strip(optimized.model)
    assert len(stripped) < len(optimized.model)
    assert TFLM().arena(stripped).head_bytes == 55_296


def test_a_planned_file_is_left_as_it_is(optimized):
    again = optimize(optimized.model)
    assert again.model == optimized.model
    assert not again.is_changed
    assert "already as small" in again.note


def test_another_order_is_written_where_it_stands(shared):
    data = (shared / "models/cfu_playground/hps_model_2022_01_05_74ops.tflite").read_bytes()
    result = optimize(data, "hps", check=False)
    assert result.plan.is_reordered
    # The file brings a plan of 237,552 B, its largest working set; another order needs less.
    assert (result.plan.unplanned_head_bytes, result.plan.head_bytes) == (237_552, 236_272)
    assert len(result.model) == len(data)
    assert TFLM().arena(result.model).head_bytes == 236_272
    before, after = unpacked(data).subgraphs[0], unpacked(result.model).subgraphs[0]

    def facts(op):
        options = None if op.builtinOptions is None else vars(op.builtinOptions)
        return op.opcodeIndex, list(op.inputs), list(op.outputs), options

    assert [facts(before.operators[i]) for i in result.plan.operators] == [
        facts(op) for op in after.operators
    ]


def test_other_kernels_count_where_the_reference_cannot_gain(shared):
    data = (shared / "models/mlperf_tiny/str_ww_ref_model.tflite").read_bytes()
    plan = optimize(data).plan
    # Reference kernels use 6,656 B, CMSIS-NN's on a Cortex-M4 7,936 B: tflm_reference.csv.
    assert plan.unplanned_heads_bytes[:2] == plan.heads_bytes[:2] == (6_656, 7_936)
    assert plan.heads_bytes[2] < plan.unplanned_heads_bytes[2]


def test_scratch_of_the_signal_library_has_its_room(shared):
    data = (shared / "models/tflm/audio_preprocessor_int8.tflite").read_bytes()
    result = optimize(data)
    # tflm_reference.csv: 3,040 B, of which 1,024 B are scratch for an FFT of 512 int16.
    assert (result.plan.head_bytes, result.plan.proven) == (3_040, True)
    assert TFLM().arena(data).head_bytes == 3_040
    assert not result.is_changed


def test_choices_are_respected():
    model = kernel_file("ADD", "int8", SHAPE)
    assert optimize(model).plan.in_place == 1
    kept = optimize(model, in_place=False)
    assert kept.model == model
    assert not kept.is_changed


def test_operators_named_by_position_stay(shared):
    data = (shared / "models/cfu_playground/hps_model_2022_01_05_74ops.tflite").read_bytes()
    model = unpacked(data)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "model_control_dependencies", 0
    model.metadata.append(entry)
    assert not optimize(packed(model), check=False).plan.is_reordered


def test_several_subgraphs_are_refused():
    model = unpacked(kernel_file("RELU"))
    model.subgraphs.append(model.subgraphs[0])
    with pytest.raises(UnsupportedModelError, match="2 subgraphs"):
        optimize(packed(model))


def test_a_plan_of_another_tool_for_custom_operators_is_refused(shared):
    data = (shared / "models/tflm/person_detect_vela.tflite").read_bytes()
    with pytest.raises(UnsupportedModelError, match="ethos-u"):
        optimize(data)


def test_a_file_that_tflm_cannot_run_is_planned_and_not_measured():
    # TFLM's kernel takes float32 alone.
    result = optimize(kernel_file("SIN", "int8"))
    assert result.is_changed
    assert result.measured is None
    assert result.note.startswith("not measured: TFLM")


def test_a_file_that_crashes_tflm_does_not_end_the_process():
    model, other = unpacked(kernel_file("RELU")), unpacked(kernel_file("ADD", "int8", SHAPE))
    graph, addition = model.subgraphs[0], other.subgraphs[0].operators[0]
    # TFLM's kernel aborts where the sum has not the shape of what is added.
    graph.tensors.append(other.subgraphs[0].tensors[1])
    graph.tensors[2].shape = [1, 7, 5, 2]
    model.operatorCodes.append(other.operatorCodes[0])
    addition.opcodeIndex, addition.inputs, addition.outputs = 1, [1, 1], [2]
    graph.operators.append(addition)
    graph.outputs = [2]
    result = optimize(packed(model))
    assert result.is_changed
    assert result.note.startswith("not measured: tflm crashed on the model (SIGABRT)")


def test_an_arena_that_no_device_has_is_not_tried():
    model = unpacked(kernel_file("RELU"))
    for tensor in model.subgraphs[0].tensors:
        tensor.shape = [1, 1, 1, 2**28]
    assert "536,870,912 B together" in optimize(packed(model)).note


def test_wrong_answers_stop_the_rewriting(monkeypatch):
    model = kernel_file("RELU")
    run = OwnProcess.run

    def spoilt(self, file, inputs):
        answer = run(self, file, inputs)
        if file != model:
            answer.all_outputs[0].flat[0] ^= 1
        return answer

    monkeypatch.setattr(OwnProcess, "run", spoilt)
    with pytest.raises(EngineError, match="differently"):
        optimize(model)


def test_scratch_that_is_not_in_the_tables_keeps_the_file(monkeypatch):
    from mcuprune.engines.base import ArenaUse

    model = kernel_file("RELU")
    run = OwnProcess.run

    def wasteful(self, file, inputs):
        answer = run(self, file, inputs)
        arena = ArenaUse(answer.arena.head_bytes + 4096 * (file != model), 0, 0)
        return type(answer)(answer.all_outputs, arena, answer.engine, answer.version)

    monkeypatch.setattr(OwnProcess, "run", wasteful)
    result = optimize(model)
    assert result.model == model
    assert not result.is_changed
    assert "not in the tables" in result.note


class TestCommand:
    def run(self, *arguments):
        return CliRunner().invoke(app, ["optimize", *map(str, arguments)])

    def test_writes_the_file_and_says_what_it_saves(self, tmp_path):
        given, out = tmp_path / "in.tflite", tmp_path / "out.tflite"
        given.write_bytes(kernel_file("ADD", "int8", SHAPE))
        said = self.run(given, "-o", out)
        assert said.exit_code == 0
        # Two tensors of 315 B (320 aligned) instead of three.
        assert "960 B" in said.output
        assert "640 B" in said.output
        assert "shrinks by 320 B" in said.output
        assert TFLM().arena(out.read_bytes()).head_bytes == 640

    def test_json_stands_alone(self, tmp_path):
        given, out = tmp_path / "in.tflite", tmp_path / "out.tflite"
        given.write_bytes(kernel_file("ADD", "int8", SHAPE))
        found = json.loads(self.run(given, "-o", out, "--json").stdout)
        assert found["arena_head_bytes"] == {"before": 960, "after": 640}
        assert found["proven"] is True
        assert found["tflm"] == {"head_before_bytes": 960, "head_after_bytes": 640, "inputs": 3}

    def test_a_file_that_gains_nothing_is_copied(self, tmp_path):
        given, out = tmp_path / "in.tflite", tmp_path / "out.tflite"
        given.write_bytes(kernel_file("ADD", "int8", SHAPE))
        said = self.run(given, "-o", out, "--no-in-place")
        assert "stays as it is" in said.output
        assert out.read_bytes() == given.read_bytes()

    def test_a_file_may_be_rewritten_in_its_place(self, tmp_path):
        given = tmp_path / "in.tflite"
        given.write_bytes(kernel_file("RELU"))
        assert self.run(given, "-o", given).exit_code == 0
        assert TFLM().arena(given.read_bytes()).head_bytes == 320
        assert list(tmp_path.iterdir()) == [given]

    def test_the_folder_is_made(self, tmp_path):
        given, out = tmp_path / "in.tflite", tmp_path / "new" / "out.tflite"
        given.write_bytes(kernel_file("RELU"))
        assert self.run(given, "-o", out).exit_code == 0
        assert [path.name for path in out.parent.iterdir()] == ["out.tflite"]

    def test_bad_input_ends_with_code_2(self, tmp_path):
        given = tmp_path / "in.tflite"
        given.write_bytes(b"nothing")
        assert self.run(given, "-o", tmp_path / "out.tflite").exit_code == 2
        assert self.run(tmp_path / "none.tflite", "-o", tmp_path / "out.tflite").exit_code == 2
        given.write_bytes(kernel_file("RELU"))
        said = self.run(given, "-o", given / "out.tflite")
        assert said.exit_code == 2
        assert "cannot write" in said.output
        assert list(tmp_path.iterdir()) == [given]
        assert self.run(given, "-o", tmp_path / "o.tflite", "--time-limit", "-1").exit_code == 2
