"""The commands of the zoo, as a user types them."""

import json

from typer.testing import CliRunner

from mcuprune.cli import app
from mcuprune.zoo import measure
from mcuprune.zoo.collection import zoo_card, zoo_names

RUN = CliRunner()


def test_list_names_all_models():
    found = RUN.invoke(app, ["zoo", "list", "--json"])
    assert [card["name"] for card in json.loads(found.stdout)] == zoo_names()
    shown = RUN.invoke(app, ["zoo", "list"]).stdout
    assert all(name in shown for name in zoo_names())


def test_get_writes_the_model_and_tells_how_it_was_made(tmp_path):
    found = RUN.invoke(app, ["zoo", "get", "digits-small", "--out", str(tmp_path)])
    assert found.exit_code == 0
    assert (tmp_path / "digits-small.tflite").stat().st_size == (
        zoo_card("digits-small").resources.flash_bytes
    )
    assert "mcuprune run digits --seed" in found.stdout


def test_verify_agrees_with_the_card():
    found = RUN.invoke(app, ["zoo", "verify", "digits-small", "--json"])
    assert found.exit_code == 0
    rows = json.loads(found.stdout)["digits-small"]
    assert [row["what"] for row in rows][-1] == "int8 %"
    assert all(row["stated"] == row["found"] for row in rows)


def test_verify_exits_with_1_where_a_card_is_wrong(monkeypatch):
    card = zoo_card("digits-small")
    wrong = card.model_copy(update={"sha256": "0" * 64})
    monkeypatch.setattr(measure, "zoo_card", lambda _: wrong)
    found = RUN.invoke(app, ["zoo", "verify", "digits-small"])
    assert found.exit_code == 1
    assert "DIFFERS" in found.stdout


def test_an_unknown_model_is_bad_input():
    found = RUN.invoke(app, ["zoo", "get", "digits-tiny"])
    assert found.exit_code == 2
    assert "digits-" in found.output
