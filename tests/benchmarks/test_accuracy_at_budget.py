"""The accuracy benchmark runs what is missing, trains as asked and tells what came of it."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from accuracy import methods
from accuracy.ablations import ALL, WIDTHS_OF_OURS
from accuracy.methods import METHODS, Job
from accuracy.part import Part, by_rate, parts, told
from accuracy.peers import Point, fitting
from accuracy.phases import train
from accuracy.splits import TEST_SPEAKERS, digits_fold, speakers_apart, takes_fold
from accuracy.store import Key, Store
from accuracy.table import Row, best, lead, markdown, rows, short
from accuracy.tasks import TASKS, Limits
from accuracy.widths import counted, fits, network, whole_widths
from accuracy_at_budget import arguments, overrides, recipe_of, run_all
from accuracy_table import (
    best_rate_lines,
    last_cut_of,
    lead_lines,
    own_rate,
    parts_line,
    rate_lines,
    tells_more,
    when_lines,
)

from mcuprune.channels.analysis import coupling_groups
from mcuprune.errors import InputError
from mcuprune.pruning.importance import Importance
from mcuprune.recipes.datasets.dataset import Dataset

OURS_ROW = Row("ours", {0: 0.8}, [0.8], [0.8], 9, 7, 5, 2.0, True)
EIGHTH = Limits("1/8", 100, 10)
NO_RESOURCES = {"arena_bytes": 0, "flash_bytes": 0, "macs": 0}
BY_CHANCE_ROW = dataclasses.replace(OURS_ROW, label="ours, importance by chance", int8={0: 0.7})


INPUT_SHAPES = {"digits": (8, 8, 1), "kws-fsdd": (49, 10, 1), "fashion": (28, 28, 1)}


def one_item(input_shape):
    x, y = np.zeros((1, *input_shape), np.float32), np.zeros(1, np.int64)
    return Dataset(x, y, x, y, x, y, classes=10, input_shape=input_shape)


def asked(store, *more):
    own = ["--task", "digits", "--budget", "1/8", "--epochs", "2", "--store", str(store)]
    return arguments([*own, *more])


@pytest.mark.usefixtures("digits")
def test_what_is_there_is_not_run_again(tmp_path, monkeypatch, capsys):
    given = asked(tmp_path, "--method", "uniform", "--seeds", "0")
    run_all(given)
    assert "digits 1/8 uniform seed 0" in capsys.readouterr().out
    (found,) = Store(tmp_path).read("digits").values()
    assert found["fits"]
    assert found["resources"]["arena_bytes"] == found["resources"]["predicted_arena_bytes"]
    assert found["resources"]["flash_bytes"] == found["resources"]["predicted_flash_bytes"]
    assert found["settings"]["learning_rate"] == 0.016

    def never(job):
        raise AssertionError(f"ran {job} again")

    monkeypatch.setitem(ALL, "uniform", never)
    run_all(given)


@pytest.mark.usefixtures("digits")
@pytest.mark.parametrize("method", ["taylor-layer", "magnitude-global"])
def test_networks_of_the_methods_fit(tmp_path, method):
    run_all(asked(tmp_path, "--method", method))
    (found,) = Store(tmp_path).read("digits").values()
    assert found["fits"]
    assert max(found["widths"].values()) > 1


@pytest.mark.usefixtures("digits")
def test_our_widths_are_trained_from_scratch(tmp_path):
    given = asked(tmp_path, "--method", WIDTHS_OF_OURS, "--seeds", "3")
    with pytest.raises(InputError, match="needs a run of 'ours' at 1/8, seed 3"):
        run_all(given)
    widths = {"conv1": 2, "conv2": 3, "conv3": 5}
    key = Key("digits", "1/8", "ours", 3, 2)
    Store(tmp_path).add({**dataclasses.asdict(key), "widths": widths})
    run_all(given)
    found = Store(tmp_path).read("digits")[dataclasses.replace(key, label=WIDTHS_OF_OURS)]
    assert found["widths"] == widths


def widths_by(method, task, data):
    job = Job(task.settings(3, ("training.seed=1",)), data, task.budgets["1/8"])
    keras.utils.set_random_seed(1)
    model = ALL[method](job).model
    assert fits(model, job.limits)
    return coupling_groups(model).widths()


def test_ablations_take_one_part_away(digits, monkeypatch):
    task = TASKS["digits"]
    uniform = widths_by("uniform", task, digits)
    assert widths_by("ours, to uniform widths", task, digits) == uniform
    scores = []
    measured = Importance.scores

    def noted(self, widths):
        scores.append(measured(self, widths))
        return scores[-1]

    monkeypatch.setattr(Importance, "scores", noted)
    assert widths_by("ours, importance by chance", task, digits) != uniform
    # All channels of a group are worth the same but for a thousandth, which decides between them.
    shares = [share * len(share) for found in scores for share in found.values() if len(share) > 1]
    assert all(0 < np.ptp(share) < 2e-3 for share in shares)


@pytest.mark.parametrize(
    ("after_cut", "starts"), [("continue", [0, 1]), ("rewind", [0, 0])], ids=["continue", "rewind"]
)
def test_both_stretches_make_up_the_epochs(digits, monkeypatch, after_cut, starts):
    stretches = []

    def noted(*given, after=0, span=None):
        *_, epochs = given
        stretches.append((epochs, after, span))
        return 1.0

    monkeypatch.setattr(methods, "train", noted)
    task = TASKS["digits"]
    job = Job(task.settings(3), digits, task.budgets["1/8"], 0.4, after_cut)
    assert METHODS["random"](job).fit_seconds == 2.0
    assert [epochs for epochs, _, _ in stretches] == [1, 2]
    assert [after for _, after, _ in stretches] == starts


def test_a_taught_network_learns_what_the_whole_one_answers(digits, monkeypatch):
    trained = []

    def noted(model, *_, callbacks=(), targets=None):  # noqa: ARG001
        trained.append((model.count_params(), targets))
        return 2.0

    monkeypatch.setattr(methods, "train", noted)
    task = TASKS["digits"]
    job = Job(task.settings(3), digits, task.budgets["1/8"])
    assert METHODS["uniform, taught by the whole network"](job).fit_seconds == 4.0
    (whole, labels), (narrow, targets) = trained
    assert narrow < whole
    assert labels is None
    # Nine tenths are the teacher's, who has learned nothing.
    np.testing.assert_allclose(targets.sum(1), 1.0, rtol=1e-6)
    own = targets[np.arange(64), digits.y_train]
    assert 0.1 < own.min() <= own.max() < 1.0


def test_a_continued_schedule_goes_on_where_it_was(digits):
    recipe = TASKS["digits"].settings(4)
    model = network(recipe, digits, (1, 1, 1))
    train(model, recipe, digits, 1, after=2, span=4)
    # One step per epoch: at three of four steps the cosine is at (1 + cos(3 pi / 4)) / 2.
    expected = 0.016 * (1 + np.cos(0.75 * np.pi)) / 2
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(
        expected, rel=1e-5
    )


def test_overrides_reach_the_recipe():
    given = overrides(["cuts=6", "start_epoch=0", "training.learning_rate=0.01"])
    recipe = TASKS["digits"].settings(None, given)
    assert recipe.pruning.options["cuts"] == 6
    assert (recipe.pruning.start_epoch, recipe.training.learning_rate) == (0, 0.01)


def test_a_key_of_the_recipe_varies_any_method(tmp_path):
    varied = ["--vary", "training.learning_rate=0.01", "--label", "uniform, faster"]
    given = asked(tmp_path, *varied, "--method", "uniform")
    assert recipe_of(TASKS["digits"], given, seed=3).training.learning_rate == 0.01


@pytest.mark.parametrize(
    "given",
    [
        ["--vary", "cuts=6", "--method", "ours"],
        ["--vary", "cuts=6", "--label", "six cuts", "--method", "uniform"],
        ["--vary", "training.learning_rate=0.01", "--method", "uniform"],
        ["--label", "variant", "--method", "ours", "uniform"],
        ["--budget", "1/3"],
    ],
)
def test_what_makes_no_sense_is_refused(given, tmp_path, capsys):
    with pytest.raises(SystemExit):
        asked(tmp_path, *given)
    assert "error" in capsys.readouterr().err


def test_folds_of_the_digits_test_on_other_images():
    folds = [digits_fold(None, fold) for fold in range(5)]
    own = TASKS["digits"].data(None)
    for part in ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(folds[0], part), getattr(own, part))
    # The 300 images for validation are the test of the next fold, their labels too.
    np.testing.assert_array_equal(folds[1].x_test, own.x_val)
    np.testing.assert_array_equal(folds[1].y_test, own.y_val)
    tested = np.concatenate([fold.x_test for fold in folds]).reshape(1500, 64)
    assert len(np.unique(tested, axis=0)) == 1500
    for fold in folds:
        images = np.concatenate([fold.x_train, fold.x_val, fold.x_test]).reshape(1797, 64)
        assert len(np.unique(images, axis=0)) == 1797
    with pytest.raises(InputError, match="no fold 5: give --seeds from 0 to 4"):
        digits_fold(None, 5)


def write_clips(path, clips, samples):
    """Write spoken digits: (digit, speaker, take) and 400 samples of each."""
    np.savez(
        path,
        pcm=np.concatenate(samples).astype(np.int16),
        offsets=np.arange(len(clips) + 1) * 400,
        name=np.array([f"{digit}_{speaker}_{take}" for digit, speaker, take in clips]),
    )


def test_a_fold_of_the_spoken_digits_tests_on_other_takes(tmp_path):
    clips = [(digit, "jackson", take) for digit in range(2) for take in range(50)]
    rng = np.random.default_rng(0)
    # Takes 5 to 9 are silent.
    sounds = [rng.integers(-3000, 3000, 400) * (take not in range(5, 10)) for *_, take in clips]
    path = tmp_path / "fsdd.npz"
    write_clips(path, clips, sounds)
    data = takes_fold(path, 1)
    assert [len(part) for part in (data.x_train, data.x_val, data.x_test)] == [86, 4, 10]
    assert len(np.unique(data.x_test, axis=0)) == 1
    assert len(np.unique(data.x_train, axis=0)) == 86
    with pytest.raises(InputError, match="no fold 10: give --seeds from 0 to 9"):
        takes_fold(path, 10)


@pytest.mark.parametrize("name", [task.name for task in TASKS.values() if task.network])
def test_budgets_of_other_networks_lie_between_the_narrowest_and_the_whole(name):
    task = TASKS[name]
    data, recipe = one_item(INPUT_SHAPES[task.recipe]), task.settings(1)
    whole = whole_widths(recipe)
    needs = [counted(network(recipe, data, widths)) for widths in ([1] * len(whole), whole)]
    for share, budget in ((1, "1"), (4, "1/4"), (8, "1/8")):
        for limit, (floor, top) in (
            (task.budgets[budget].arena_bytes, [need.arena_total_bytes for need in needs]),
            (task.budgets[budget].flash_bytes, [need.flash_bytes for need in needs]),
        ):
            assert int(floor + (top - floor) / share) == limit
    assert arguments(["--task", task.name]).budget == ["1/4", "1/8"]


def test_each_seed_of_a_task_with_folds_has_a_fold_of_its_own(tmp_path, monkeypatch):
    tests = []

    def note(job, _):
        tests.append(job.data.x_test)
        accuracy = {"float": 0, "int8": 0}
        return {"accuracy": accuracy, "resources": NO_RESOURCES, "fits": True, "fit_seconds": 0}

    monkeypatch.setattr("accuracy_at_budget.run", note)
    words = ["--task", "digits-folds", "--budget", "1/4", "--method", "uniform"]
    run_all(arguments([*words, "--seeds", "0", "3", "--store", str(tmp_path)]))
    for found, fold in zip(tests, (0, 3), strict=True):
        np.testing.assert_array_equal(found, digits_fold(None, fold).x_test)


def test_speakers_of_the_test_are_in_no_other_part(tmp_path):
    clips = [
        (digit, speaker, take)
        for digit in range(2)
        for speaker in ("jackson", *TEST_SPEAKERS)
        for take in range(7)
    ]
    rng = np.random.default_rng(0)
    path = tmp_path / "fsdd.npz"
    write_clips(path, clips, [rng.integers(-3000, 3000, 400) for _ in clips])
    data = speakers_apart(path)
    # Of the one other speaker, takes 0-4 validate and 5-6 train.
    assert [len(part) for part in (data.x_train, data.x_val, data.x_test)] == [4, 10, 28]


def test_of_a_peer_the_fitting_network_with_most_macs_counts():
    points = [
        Point("a", 0, macs=10, flash_bytes=100, arena_bytes=10, int8=0.9),
        Point("a", 0, macs=20, flash_bytes=200, arena_bytes=10, int8=0.8),
        Point("a", 0, macs=30, flash_bytes=300, arena_bytes=10, int8=0.95),
        Point("a", 1, macs=10, flash_bytes=100, arena_bytes=10, int8=0.7),
        Point("b", 0, macs=5, flash_bytes=50, arena_bytes=11, int8=0.99),
    ]
    assert fitting(points, Limits("x", flash_bytes=200, arena_bytes=10)) == {
        "a": [points[1], points[3]]
    }


def test_rows_gather_seeds_and_the_best_comes_first():
    def run(label, seed, int8, arena):
        return {
            "label": label,
            "seed": seed,
            "accuracy": {"int8": int8, "float": 0.5, "float_validation": 0.6},
            "resources": {"arena_bytes": arena, "flash_bytes": 7, "macs": 5},
            "fit_seconds": 2.0,
            "fits": arena <= 10,
        }

    found = rows([run("a", 0, 0.5, 9), run("b", 0, 0.9, 9), run("b", 1, 0.7, 11)])
    assert [row.label for row in found] == ["b", "a"]
    assert found[0] == Row("b", {0: 0.9, 1: 0.7}, [0.5, 0.5], [0.6, 0.6], 11, 7, 5, 2.0, False)
    cells = (
        "b",
        "2",
        "80.00 +- 14.14",
        "50.00 +- 0.00",
        "60.00 +- 0.00",
        "11",
        "7",
        "5",
        "2",
        "NO",
    )
    assert found[0].cells == cells
    assert best(found) == "80.00 +- 14.14 (b; seeds: 2)"
    assert best([]) == "-"
    assert short(found[0]) == "80.00 +- 14.14 (2)"


def test_a_lead_is_told_seed_by_seed():
    ours = dataclasses.replace(OURS_ROW, int8={0: 0.9, 1: 0.8, 2: 0.7, 4: 0.1})
    other = dataclasses.replace(OURS_ROW, label="uniform", int8={0: 0.8, 1: 0.8, 2: 0.6, 3: 0.9})
    # 10, 0 and 10 points: their deviation is 5.77, over the root of three 3.33.
    assert lead(ours, other) == ("3", "+6.67 +- 3.33", "2.5")
    assert lead(OURS_ROW, other) == ("1", "+0.00", "0.5")
    lone = dataclasses.replace(OURS_ROW, label="random")
    part = Part("digits", 60, EIGHTH, 0.02, [ours, other, lone, BY_CHANCE_ROW])
    assert list(lead_lines(part)) == [
        ("digits", "1/8", "60", "0.02", "uniform", "3", "+6.67 +- 3.33", "2.5")
    ]


def test_the_parts_of_ours_stand_beside_each_other():
    part = Part("digits", 60, EIGHTH, 0.02, [OURS_ROW, BY_CHANCE_ROW])
    assert parts_line(part) == (
        *("digits", "1/8", "60", "0.02"),
        *("80.00 (1)", "-", "-", "-", "70.00 (1)", "-", "-", "-"),
    )


def test_a_table_is_markdown():
    assert markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_when_to_cut_is_told_by_epoch():
    later = dataclasses.replace(OURS_ROW, label="ours, last cut after epoch 20", int8={0: 0.7})
    earlier = dataclasses.replace(OURS_ROW, label="ours, last cut after epoch 5", int8={0: 0.75})
    part = Part("digits", 60, EIGHTH, 0.02, [OURS_ROW, later, earlier])
    assert last_cut_of(part) == 10
    assert when_lines(part, 10) == [
        ("digits", "1/8", "60", "0.02", "5", "75.00", "80.00", "1"),
        ("digits", "1/8", "60", "0.02", "10, the recipe's", "80.00", "80.00", "1"),
        ("digits", "1/8", "60", "0.02", "20", "70.00", "80.00", "1"),
    ]
    assert when_lines(dataclasses.replace(part, rows=[OURS_ROW]), 10) == []


def test_learning_rates_are_told_by_method():
    slower = dataclasses.replace(OURS_ROW, int8={0: 0.7})
    lone = dataclasses.replace(OURS_ROW, label="uniform")
    same = [
        Part("digits", 60, EIGHTH, 0.002, [slower, BY_CHANCE_ROW]),
        Part("digits", 60, EIGHTH, 0.016, [OURS_ROW, BY_CHANCE_ROW, lone]),
    ]
    assert own_rate("digits") == 0.016
    assert rate_lines(same, 0.016) == [
        ("digits", "1/8", "60", "ours", "0.002", "80.00", "70.00", "1"),
        ("digits", "1/8", "60", "ours", "0.016, the recipe's", "80.00", "80.00", "1"),
    ]


def test_each_method_is_told_at_the_rate_that_validates_best():
    def row(label, int8, validation):
        seeds = dict(enumerate(int8))
        return dataclasses.replace(OURS_ROW, label=label, int8=seeds, validation=[validation] * 3)

    slower = [
        row("ours", [0.8, 0.8, 0.8], 0.7),
        row("uniform", [0.6, 0.5, 0.4], 0.7),
        row("random", [0.9, 0.9, 0.9], 0.9),
        row("taylor-layer", [0.9, 0.9, 0.9], 0.6),
        row("magnitude-layer", [0.2, 0.2, 0.2], 0.6),
    ]
    faster = [
        row("ours", [0.7, 0.7, 0.7], 0.8),
        row("uniform", [0.9, 0.9, 0.9], 0.6),
        row("taylor-layer", [0.9, 0.9], 0.9),
        row("magnitude-layer", [0.3, 0.3, 0.3], 0.6),
    ]
    same = [Part("digits", 60, EIGHTH, 0.25, slower), Part("digits", 60, EIGHTH, 0.5, faster)]
    third = ("30.00 +- 0.00", "+40.00 +- 0.00", "3")
    # One rate of random was tried, and too few seeds of the other rate of taylor-layer.
    assert best_rate_lines(same) == [
        ("digits", "1/8", "60", "ours", "0.5", "70.00 +- 0.00", "-", "-"),
        ("digits", "1/8", "60", "uniform", "0.25", "50.00 +- 10.00", "+20.00 +- 5.77", "3"),
        ("digits", "1/8", "60", "magnitude-layer", "0.5", *third),
    ]
    assert best_rate_lines(same[:1]) == []


def a_run(label, seed, budget, rate):
    return {
        "label": label,
        "seed": seed,
        "budget": budget,
        "epochs": 60,
        "settings": {"learning_rate": rate},
        "accuracy": {"int8": 0.5, "float": 0.5, "float_validation": 0.5},
        "resources": {"arena_bytes": 9, "flash_bytes": 7, "macs": 5},
        "fit_seconds": 2.0,
        "fits": True,
    }


def test_runs_are_apart_by_their_learning_rate():
    runs = [
        a_run("ours", 0, "1/8", 0.016),
        a_run("ours, learning rate 0.004", 0, "1/8", 0.004),
        a_run("ours, one cut, learning rate 0.004", 0, "1/8", 0.004),
        a_run("ours", 0, "1/4", 0.016),
    ]
    found = list(parts(TASKS["digits"], runs))
    assert [(part.cells, list(part.by_label)) for part in found] == [
        (("digits", "1/4", "60", "0.016"), ["ours"]),
        (("digits", "1/8", "60", "0.004"), ["ours", "ours, one cut"]),
        (("digits", "1/8", "60", "0.016"), ["ours"]),
    ]
    assert [len(same) for same in by_rate(found)] == [1, 2]


@pytest.mark.parametrize(("runs_at_own", "expected"), [(1, 0.004), (2, 0.016)])
def test_a_budget_is_told_at_the_recipes_rate_once_that_was_repeated(runs_at_own, expected):
    runs = [a_run("ours, learning rate 0.004", seed, "1/8", 0.004) for seed in range(3)]
    runs += [a_run("ours", seed, "1/8", 0.016) for seed in range(runs_at_own)]
    assert told(list(parts(TASKS["digits"], runs)), 0.016).rate == expected


def test_another_rate_is_told_if_it_has_other_methods():
    twice = dataclasses.replace(OURS_ROW, int8={0: 0.7, 1: 0.7})
    first = Part("digits", 60, EIGHTH, 0.016, [twice])
    assert tells_more(Part("digits", 60, EIGHTH, 0.004, [twice, BY_CHANCE_ROW]), first)
    assert not tells_more(Part("digits", 60, EIGHTH, 0.004, [twice]), first)
    assert not tells_more(Part("digits", 60, EIGHTH, 0.004, [OURS_ROW, BY_CHANCE_ROW]), first)
    assert not tells_more(Part("digits", 60, EIGHTH, 0.004, [BY_CHANCE_ROW]), first)
