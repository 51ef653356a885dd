"""Results of the accuracy benchmark survive interruptions and are not run twice."""

from __future__ import annotations

import json

import pytest
from accuracy.store import Key, OtherSettingsError, Store

KEY = Key(task="digits", budget="1/4", label="ours", seed=0, epochs=60)
SETTINGS = {"method": "ours", "learning_rate": 0.004, "pruning": {"end_epoch": 10}}


def record(accuracy=0.5, **changed):
    own = {"task": "digits", "budget": "1/4", "label": "ours", "seed": 0, "epochs": 60}
    return {**own, "accuracy": accuracy, "settings": SETTINGS, **changed}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def test_an_empty_store_has_nothing(store):
    assert not store.has(KEY, SETTINGS)
    assert store.read("digits") == {}


def test_what_was_added_is_there(store):
    store.add(record())
    assert store.has(KEY, SETTINGS)
    assert store.read("digits") == {KEY: record()}


@pytest.mark.parametrize(
    "changed",
    [{"budget": "1/8"}, {"label": "uniform"}, {"seed": 1}, {"epochs": 30}, {"task": "fashion"}],
)
def test_another_run_is_not_there(store, changed):
    store.add(record(**changed))
    assert not store.has(KEY, SETTINGS)


def test_a_label_stands_for_one_setting(store):
    store.add(record())
    with pytest.raises(OtherSettingsError, match="learning_rate"):
        store.has(KEY, {**SETTINGS, "learning_rate": 0.002})


def test_the_last_line_of_a_key_counts(store):
    store.add(record(accuracy=0.5))
    store.add(record(accuracy=0.7))
    assert store.read("digits")[KEY]["accuracy"] == 0.7


def test_a_line_cut_short_is_passed_over_and_hurts_no_other(store, tmp_path):
    store.add(record())
    file = tmp_path / "results" / "digits.jsonl"
    file.write_text(file.read_text() + json.dumps(record(seed=1))[:40])
    assert set(store.read("digits")) == {KEY}
    store.add(record(seed=2))
    assert {key.seed for key in store.read("digits")} == {0, 2}


def test_a_record_without_a_key_is_refused(store):
    incomplete = record()
    del incomplete["seed"]
    with pytest.raises(KeyError):
        store.add(incomplete)
    assert store.tasks() == []
