"""A trained network is made to fit by several methods, all from the same weights."""

from __future__ import annotations

import pytest
from accuracy.store import Store
from from_pretrained import arguments, run_all, tables


def record(label: str, seed: int, int8: float, validation: float) -> dict:
    return {
        "task": "digits",
        "budget": "1/8",
        "label": label,
        "seed": seed,
        "epochs": 5,
        "accuracy": {"int8": int8, "float": int8, "float_validation": validation},
        "resources": {"arena_bytes": 1, "flash_bytes": 1, "macs": 1},
        "fit_seconds": 1.0,
        "fits": True,
        "settings": {},
    }


def test_rate_is_chosen_by_validation(tmp_path):
    store = Store(tmp_path)
    for seed in (0, 1):
        store.add(record("ours; 1", seed, int8=0.99, validation=0.90))
        store.add(record("ours; 4", seed, int8=0.95, validation=0.92))
        store.add(record("taylor-layer; 2", seed, int8=0.80, validation=0.80))
    _, _, *lines = tables(store).splitlines()
    found = [line.strip("| ").split(" | ") for line in lines]
    assert [(cells[3], cells[4], cells[5]) for cells in found] == [
        ("ours", "4", "2"),
        ("taylor-layer", "2", "2"),
    ]
    assert found[0][6].startswith("95.00")


@pytest.mark.usefixtures("digits")
def test_methods_begin_with_the_same_network(tmp_path, capsys):
    methods = ["ours", "taylor-layer, taught"]
    words = ["--task", "digits", "--budget", "1/8", "--epochs", "2", "--rate", "2"]
    words += ["--folder", str(tmp_path / "runs"), "--store", str(tmp_path / "results")]
    given = arguments([*words, "--method", *methods])
    store = Store(given.store)
    run_all(given, store)
    records = store.read("digits").values()
    assert [one["label"] for one in records] == [f"{method}; 2" for method in methods]
    assert len({one["reference"] for one in records}) == 1
    assert all(one["fits"] for one in records)
    # Twice the recipe's 0.016.
    assert all(one["settings"]["training"]["learning_rate"] == 0.032 for one in records)
    capsys.readouterr()
    run_all(given, store)
    assert "digits" not in capsys.readouterr().out
