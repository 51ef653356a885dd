"""Budget files: models with their budgets, in YAML and TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcuprune.budget import Budget
from mcuprune.deployment.budget_file import check_budgets
from mcuprune.deployment.check import check
from mcuprune.errors import InputError, UnknownNameError


@pytest.fixture
def folder(tmp_path, digits_tflite) -> Path:
    (tmp_path / "kws").mkdir()
    (tmp_path / "kws" / "model.tflite").write_bytes(digits_tflite)
    return tmp_path


def written(folder: Path, text: str, name: str = "budgets.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


TWO = """\
# Of the product.
models:
  loose:
    path: kws
    sram: 1MiB
  tight:
    path: kws/model.tflite
    sram: 1 KiB
    macs: 10
"""


def test_each_model_is_held_against_its_budget(folder):
    loose, tight = check_budgets(written(folder, TWO))
    assert (loose.name, loose.verdict.fits, loose.line) == ("loose", True, 3)
    assert (tight.name, tight.verdict.fits, tight.line) == ("tight", False, 6)
    assert [row.available for row in tight.verdict.rows] == [1024, 10]
    assert loose.verdict == check(folder / "kws", Budget(sram="1MiB"))


def test_toml_says_the_same(folder):
    text = (
        '[models.loose]\npath = "kws"\nsram = "1MiB"\n\n[models."a b"]\npath = "kws"\nmacs = 10\n'
    )
    found = check_budgets(written(folder, text, "budgets.toml"))
    assert [(one.name, one.verdict.fits, one.line) for one in found] == [
        ("loose", True, 1),
        ("a b", False, 5),
    ]


def test_a_board_gives_the_limits_that_are_not_given(folder):
    text = (
        "models:\n  kws:\n    path: kws\n    board: nucleo-l4r5zi\n    sram: 64KiB\n"
        "    reserve_flash: 1MiB\n"
    )
    (found,) = check_budgets(written(folder, text))
    limits = {row.name: row.available for row in found.verdict.rows}
    # The board has 2 MiB of flash.
    assert limits == {"sram": 64 * 1024, "flash": 1024 * 1024}


def test_models_are_looked_for_beside_the_file(folder, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert len(check_budgets(written(folder, TWO))) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, expected a mapping"),
        ("- kws", "holds a list of 1"),
        ("models: {}", "models: "),
        ("models: {kws: kws.tflite}", "models.kws: expected a mapping with keys such as path"),
        ("models: {kws: {sram: 1KiB}}", "the key models.kws.path is missing"),
        ("models: {kws: {path: kws}}", "models.kws: no limit is given"),
        ("models: {kws: {path: kws, srm: 1KiB}}", "did you mean 'models.kws.sram'"),
        ("models: {kws: {path: kws, sram: 1 parsec}}", "models.kws: .*parsec"),
        ("models: {kws: {path: kws, sram: true}}", "models.kws.sram: .*found true"),
        ("models: {kws: {path: no.tflite, sram: 1KiB}}", "models.kws: .*no.tflite does not exist"),
        ("models: {kws: {path: kws, sram: 1KiB, latency: 5ms}}", "models.kws: .*need a board"),
        ("model: {kws: {path: kws, sram: 1KiB}}", "did you mean 'models'"),
        ("models: {a: {path: kws, sram: 1KiB}, a: {path: kws, sram: 2KiB}}", "given 2 times"),
    ],
)
def test_mistakes_are_named_with_their_place(text, message, folder):
    with pytest.raises(InputError, match=message):
        check_budgets(written(folder, text))


def test_an_unknown_board_names_the_nearest(folder):
    text = "models: {kws: {path: kws, board: nucleo-l4r5}}"
    with pytest.raises(UnknownNameError, match=r"models\.kws: .*did you mean 'nucleo-l4r5zi'"):
        check_budgets(written(folder, text))


def test_broken_toml(folder):
    with pytest.raises(InputError, match=r"budgets\.toml is no valid TOML"):
        check_budgets(written(folder, "models = [", "budgets.toml"))
