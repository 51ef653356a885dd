"""What a run does without the means to simulate."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from mcuprune.errors import MissingToolError
from mcuprune.recipes import validation
from mcuprune.recipes.run import Outcome
from mcuprune.recipes.schema import ValidateSection
from mcuprune.recipes.validation import Simulated, simulated_board
from mcuprune.report.simulation import simulated_lines


def test_no_board_no_simulation():
    assert simulated_board(ValidateSection(), None, Path("absent.tflite")) == Simulated()
    assert simulated_lines({"simulation": None}) == []


def test_a_missing_tool_ends_no_run(monkeypatch, capsys):
    def simulate(*_arguments, **_options):
        raise MissingToolError("unicorn is missing: pip install 'mcuprune[boards]'")

    class Data:
        x_test = ()

    monkeypatch.setattr(validation, "simulate", simulate)
    section = ValidateSection(board="nucleo-l4r5zi")
    simulated = simulated_board(section, Data(), Path("absent.tflite"))
    assert simulated.report is None
    assert [doubt.name for doubt in simulated.doubts] == ["simulation-left-out"]
    assert "did not run on a simulated nucleo-l4r5zi: unicorn is" in simulated.doubts[0].message
    assert "pip install 'mcuprune[boards]'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("differing", "doubts"), [(0, 0), (None, 0), (3, 1)])
def test_a_board_that_answers_otherwise_is_a_doubt(monkeypatch, differing, doubts):
    found = {"board": "nucleo-l4r5zi", "reference": "tflm", "bytes_differing": differing}
    report = SimpleNamespace(to_json=lambda: found)
    monkeypatch.setattr(validation, "simulate", lambda *_, **__: report)
    section, data = ValidateSection(board="nucleo-l4r5zi"), SimpleNamespace(x_test=())
    simulated = simulated_board(section, data, Path("absent.tflite"))
    assert simulated.report == found
    assert len(simulated.doubts) == doubts
    for doubt in simulated.doubts:
        assert doubt.name == "engines-disagree"
        assert "answered 3 bytes otherwise than tflm" in doubt.message


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_model_that_fails_on_the_board_fails_the_run(succeeds):
    deployment = SimpleNamespace(verdict=SimpleNamespace(fits=True))
    outcome = Outcome(None, deployment, {"simulation": {"succeeds": succeeds}})
    assert outcome.fits is succeeds


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"fault": "the stack overflowed"}, "it does not run: the stack overflowed"),
        (
            {
                "fault": None,
                "inputs": 20,
                "inputs_bit_exact": 19,
                "latency_ms": 1.234,
                "instructions_per_inference": 123_456,
                "sram_bytes": 4_000,
                "flash_bytes": 12_000,
            },
            "19 of 20 inputs bit for bit: 123,456 instructions, 1.23 ms, 4,000 B of SRAM",
        ),
    ],
)
def test_the_summary_says_what_the_board_did(found, words):
    (line,) = simulated_lines({"simulation": {"board": "nucleo-l4r5zi", **found}})
    assert words in line
