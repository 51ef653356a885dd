from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from trial_rows import finished

import mcuprune
from mcuprune.deployment.convert import convert_int8
from mcuprune.errors import InputError, UnknownNameError
from mcuprune.recipes.load import load_recipe
from mcuprune.sweep.folder import SweepFolder
from mcuprune.sweep.row import FAILED
from mcuprune.sweep.select import Candidate, choose
from mcuprune.sweep.summary import Summary


def chosen(tmp_path, *candidates):
    return choose(candidates, Summary(tmp_path, tuple(each.row for each in candidates)))


def test_the_most_accurate_within_the_limits_wins(tmp_path):
    choice = chosen(
        tmp_path,
        Candidate(finished(0, 0.90, 4000)),
        Candidate(finished(1, 0.97, 9000), ("sram 9,000 of 8,000 B",)),
        Candidate(finished(2, 0.95, 6000)),
    )
    assert choice.winner is not None
    assert choice.winner.trial == 2
    assert choice.deployment == tmp_path / "trials" / "0002" / "deployment"
    assert choice.why[1:] == (
        "It is the most accurate of 2 finished trials within the limits, of 3 in all.",
        "Next best: trial 0 (SRAM 4,000 B, seed 0), 5.00 points less: 90.00% int8 accuracy, arena "
        "4,000 B, file 10,000 B, 1,000 MACs.",
        "Over a limit: trial 1 (SRAM 9,000 B, seed 0), 97.00%: sram 9,000 of 8,000 B.",
    )


@pytest.mark.parametrize(
    "better",
    [
        finished(1, 0.9, 4000, latency_ms=2.0),
        finished(1, 0.9, 3999, latency_ms=3.0),
        finished(1, 0.9, 4000, flash=9_999, latency_ms=3.0),
    ],
)
def test_of_equals_the_fastest_then_the_smallest(tmp_path, better):
    worse = finished(0, 0.9, 4000, latency_ms=3.0)
    choice = chosen(tmp_path, Candidate(worse), Candidate(better))
    assert choice.winner == better


def test_seeds_are_held_against_their_mean(tmp_path):
    first, second = finished(0, 0.90, 4000), finished(1, 0.94, 4000, seed=1)
    choice = chosen(tmp_path, Candidate(first), Candidate(second))
    assert "mean 92.00% over 2 of 2 seeds" in choice.why[-1]


def test_none_within_the_limits(tmp_path):
    choice = chosen(tmp_path, Candidate(finished(0, 0.9, 4000), ("sram 4,000 of 3,000 B",)))
    assert (choice.winner, choice.deployment) == (None, None)
    assert choice.why[0] == "None of 1 finished trials meets the limits."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two trials with real files, 16 and 4 units wide; the wide one is said to be better."""
    path = tmp_path_factory.mktemp("sweep")
    place = SweepFolder(path)
    place.begin(load_recipe("digits", ["sweep.seeds=2"]), resume=False)
    for number, (width, accuracy) in enumerate([(16, 0.99), (4, 0.90)]):
        model = keras.Sequential(
            [keras.Input((8,)), keras.layers.Dense(width, "relu"), keras.layers.Dense(2)]
        )
        samples = np.random.default_rng(0).random((8, 8), np.float32)
        file = path / "trials" / f"{number:04d}" / "deployment" / "model.tflite"
        file.parent.mkdir(parents=True)
        file.write_bytes(convert_int8(model, samples))
        found = mcuprune.estimate(file)
        row = finished(number, accuracy, found.peak_sram_bytes, found.flash_bytes, found.macs)
        place.results.put([row])
    return path


def test_limits_are_held_against_the_files(folder):
    wide, narrow = (8 * width + width * 2 for width in (16, 4))
    assert mcuprune.select_trial(folder, max_macs=wide).winner.trial == 0
    choice = mcuprune.select_trial(folder, max_macs=wide - 1)
    assert choice.winner.trial == 1
    assert f"macs {wide:,} of {wide - 1:,} MACs" in choice.why[-1]
    assert mcuprune.select_trial(folder, max_macs=narrow - 1).winner is None
    assert mcuprune.select_trial(folder, max_macs=wide - 1, min_accuracy=0.95).winner is None


def test_a_board_counts_the_files_anew(folder):
    choice = mcuprune.select_trial(folder, board="nucleo-l4r5zi", max_latency="50ms")
    assert choice.winner.trial == 0
    assert choice.winner.latency_ms > 0
    assert "counted anew" in choice.why[-1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"board": "nucleo-l4r5z"}, UnknownNameError),
        ({"max_sram": "3 KiBs"}, InputError),
        ({"max_latency": "5ms"}, InputError),
    ],
)
def test_mistakes(folder, arguments, error):
    with pytest.raises(error):
        mcuprune.select_trial(folder, **arguments)


def test_nothing_has_finished(tmp_path):
    place = SweepFolder(tmp_path)
    place.begin(load_recipe("digits", ["sweep.seeds=2"]), resume=False)
    place.results.put([dataclasses.replace(finished(0, 0.9, 4000), status=FAILED)])
    with pytest.raises(InputError, match="has finished: run mcuprune sweep"):
        mcuprune.select_trial(tmp_path)
