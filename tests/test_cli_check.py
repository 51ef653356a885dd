"""``mcuprune check`` with a budget file."""

from __future__ import annotations

import json
import sys

import keras
import numpy as np
import pytest

from mcuprune import cli

BUDGETS = "models:\n  loose: {path: m.tflite, sram: 1MiB}\n  tight: {path: m.tflite, macs: 1}\n"


@pytest.fixture(scope="module")
def model_bytes() -> bytes:
    from mcuprune.deployment.convert import convert_int8

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="tiny")
    return convert_int8(model, np.random.default_rng(0).random((8, 4), np.float32))


@pytest.fixture
def check(monkeypatch, capfd, tmp_path, model_bytes):
    """Run the command in a folder with a model and a budget file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.tflite").write_bytes(model_bytes)
    (tmp_path / "mcuprune-budgets.yaml").write_text(BUDGETS)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mcuprune", "check", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return (int(stopped.value.code or 0), *capfd.readouterr())

    return run


def test_all_models_are_named(check):
    code, out, err = check()
    assert (code, err) == (1, "")
    assert "loose fits" in out
    assert "tight does not fit" in out


def test_json(check):
    code, out, _ = check("--json")
    report = json.loads(out)
    assert code == 1
    assert not report["fits"]
    assert [(model["name"], model["fits"]) for model in report["models"]] == [
        ("loose", True),
        ("tight", False),
    ]
    # Four inputs times two outputs.
    assert report["models"][1]["macs"] == {
        "required": 8,
        "available": 1,
        "excess": 7,
        "unit": "MACs",
    }


def test_github(check):
    code, out, err = check("--format", "github")
    loose, tight = out.splitlines()
    assert (code, err) == (1, "")
    assert loose.startswith(
        "::notice title=loose meets its budget,file=mcuprune-budgets.yaml,line=2::"
    )
    assert tight.startswith(
        "::error title=tight exceeds its budget,file=mcuprune-budgets.yaml,line=3::"
    )


def test_github_of_one_model(check):
    code, out, _ = check("m.tflite", "--macs", "8", "--format", "github")
    assert code == 0
    title, said = "m.tflite meets its budget", "macs: 8 MACs needed, 8 MACs allowed"
    assert out == f"::notice title={title},file=m.tflite::{said}\n"


def test_github_says_why_it_could_not_check(check):
    code, out, err = check("--budgets", "absent.yaml", "--format", "github")
    assert code == 2
    assert out.startswith("::error title=mcuprune could not check::budget file absent.yaml is not")
    assert err.startswith("error: budget file absent.yaml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m.tflite", "--budgets", "mcuprune-budgets.yaml"], "leave out all but --budgets"),
        (["--sram", "1KiB"], "leave out all but --budgets"),
        (["--format", "gitlab"], "did you mean 'github'"),
    ],
)
def test_bad_input(check, arguments, message):
    code, out, err = check(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_no_model_and_no_budget_file(check, tmp_path):
    (tmp_path / "mcuprune-budgets.yaml").unlink()
    code, _, err = check()
    assert code == 2
    assert "write a mcuprune-budgets.yaml" in err
