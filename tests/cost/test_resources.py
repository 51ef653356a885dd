import json

import pytest

from mcuprune.budget import Budget
from mcuprune.cost.limits import limiting_sentence
from mcuprune.cost.resources import estimate
from mcuprune.cost.verdict import compare
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph, Tensor

PROMISED = """
    model runtime pointer_bits peak_sram_bytes largest_working_set_bytes arena_head_bytes
    arena_tail_bytes flash_bytes tflite_bytes macs params latency_ms operators peak_operator
    provenance
""".split()  # noqa: SIM905 (a list of words)


def test_json_has_the_promised_keys(residual):
    found = json.loads(json.dumps(estimate(residual).to_json()))
    assert set(PROMISED) <= set(found)
    assert found["latency_ms"] is None
    add = found["operators"][1]
    # Its padding depends on what is allocated before it.
    del add["arena_by_cause"]["alignment"]
    assert add == {
        "index": 1,
        "kind": "ADD",
        "macs": 0,
        "weights_bytes": 0,
        "working_set_bytes": 768,
        "live_tensors": [{"name": n, "bytes": 256} for n in "xcs"],
        # Three tensors; OpDataAdd is a bool and 14 ints, TfLiteAddParams an enum and a bool.
        "arena_by_cause": {
            "activations": 768,
            "scratch": 0,
            "plan_gaps": 0,
            "persistent_buffers": 60,
            "structs": 8,
        },
        "cycles": None,
    }
    assert found["peak_operator"] == 1


def test_sums_and_parts_agree(residual):
    resources = estimate(residual)
    assert resources.peak_sram_bytes == resources.arena_total_bytes
    assert resources.arena_total_bytes == resources.arena_head_bytes + resources.arena_tail_bytes
    assert resources.macs == sum(op.macs for op in resources.operators)
    assert resources.params == 4 * 3 * 3 * 4 + 4 + 3 * 4  # the axes of MEAN are no parameters


def test_every_number_says_where_it_comes_from(residual):
    resources = estimate(residual)
    numbers = {k for k, v in resources.to_json().items() if isinstance(v, int)}
    unlabelled = {"pointer_bits", "peak_operator"}
    assert numbers - unlabelled == set(resources.provenance)
    assert resources.provenance["flash_bytes"] == "predicted"


def test_of_a_file_the_size_is_taken_not_predicted(shared):
    path = shared / "models/mlperf_tiny/kws_ref_model.tflite"
    resources = estimate(read_tflite(path))
    assert resources.flash_bytes == resources.tflite_bytes == path.stat().st_size == 53_936
    assert resources.provenance["flash_bytes"] == "file"
    assert resources.unknown_operators == ()


def test_names_operators_counted_by_default(shared):
    graph = read_tflite(shared / "models/tflm/audio_preprocessor_int8.tflite")
    assert "SignalFftAutoScale" in estimate(graph).unknown_operators


def test_verdict_counts_what_is_missing(residual):
    resources = estimate(residual)
    verdict = compare(resources, Budget(sram=resources.peak_sram_bytes - 1, macs=resources.macs))
    assert not verdict.fits
    assert verdict.to_json() == {
        "fits": False,
        "sram": {
            "required": resources.peak_sram_bytes,
            "available": resources.peak_sram_bytes - 1,
            "excess": 1,
            "unit": "B",
        },
        "macs": {
            "required": resources.macs,
            "available": resources.macs,
            "excess": 0,
            "unit": "MACs",
        },
    }


def test_verdict_fits_at_the_limit(residual):
    resources = estimate(residual)
    assert compare(resources, Budget(flash=resources.flash_bytes)).fits


@pytest.mark.parametrize(
    ("budget", "beginning", "parts"),
    [
        ({"sram": "2KiB"}, "SRAM limits", ["operator 1 (ADD)", "768 B", "x (256 B)", "s (256 B)"]),
        ({"flash": "1KiB"}, "Flash limits", ["operator 0 (CONV_2D)", "160 B"]),
        ({"macs": "5k"}, "MACs limit", ["operator 0 (CONV_2D)", "9,216", "9,228"]),
        ({"macs": "5k", "sram": "1MiB"}, "MACs limit", ["185% of the budget"]),
    ],
)
def test_sentence_names_what_limits(residual, budget, beginning, parts):
    sentence = limiting_sentence(estimate(residual), Budget(**budget))
    assert sentence.startswith(beginning)
    for part in parts:
        assert part in sentence


def test_sentence_shortens_names_of_fused_layers(residual):
    fused = "model/add/add;model/relu/Relu;model/conv/Conv2D"
    tensors = tuple(Tensor(fused, t.shape) if t.name == "s" else t for t in residual.tensors)
    graph = Graph("fused", tensors, residual.operators, residual.inputs, residual.outputs)
    sentence = limiting_sentence(estimate(graph), Budget(sram="2KiB"))
    assert "model/add/add (256 B)" in sentence
    assert "Conv2D" not in sentence


def test_a_graph_without_operators_costs_only_the_interpreter():
    graph = Graph("wire", (Tensor("x", (1, 4)),), (), (0,), (0,))
    resources = estimate(graph)
    assert resources.peak_operator is None
    assert resources.macs == 0
    assert "no operators" in limiting_sentence(resources, Budget(sram="1KiB"))
