"""A whole run on the digits, short but complete, and what is kept when one is stopped."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from rich.console import Console

from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError, TrainingDivergedError
from mcuprune.recipes.datasets.registry import load
from mcuprune.recipes.fingerprints import reference_fingerprint
from mcuprune.recipes.load import load_recipe
from mcuprune.recipes.run import run_recipe
from mcuprune.recipes.stages import train_pruned, train_reference
from mcuprune.report.summary import print_summary

EPOCHS = 2
DEPLOYED = {
    "golden.npz",
    "golden_vectors.c",
    "golden_vectors.h",
    "memory_timeline.png",
    "model.keras",
    "model.tflite",
    "model_data.c",
    "model_data.h",
    "model_settings.h",
    "report.html",
    "report.json",
    "report.md",
}
NO_LIMIT = ("budget.sram=1MiB", "budget.flash=1MiB", "budget.macs=1G")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return run_recipe(short_recipe(), folder), folder


def short_recipe():
    # Each cut costs a new trace of the training step.
    return load_recipe("digits", ["pruning.options.cuts=1"], epochs=EPOCHS)


def test_the_budget_is_met_on_the_exported_file(finished):
    outcome, folder = finished
    tflite = (folder / "deployment" / "model.tflite").read_bytes()
    arena = TFLM().run(tflite, np.zeros((1, 8, 8, 1), np.int8)).arena
    assert arena.total_bytes <= 3032
    assert len(tflite) <= 10864
    assert outcome.report["resources"]["pruned"]["macs"] <= 40000
    assert outcome.fits
    assert outcome.report["verdict"] == "fits"


def test_the_deployment_folder_is_whole(finished):
    _, folder = finished
    assert {path.name for path in (folder / "deployment").iterdir()} == DEPLOYED
    assert (folder / "deployment" / "memory_timeline.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_keeps_its_promises(finished):
    outcome, folder = finished
    report = json.loads((folder / "deployment" / "report.json").read_text())
    assert report == json.loads(json.dumps(outcome.report))
    assert set(report) >= {
        *("verdict", "budget", "resources", "accuracy", "agreement", "fit_seconds", "deployment"),
    }
    assert set(report["accuracy"]) >= {"float_reference", "float_pruned", "int8"}
    assert report["budget"] == {"sram": 3032, "flash": 10864, "macs": 40000}
    assert report["resources"]["reference"]["macs"] == 157_312
    assert report["agreement"]["tflm_vs_litert_inputs"] >= 100
    assert report["agreement"]["tflm_vs_litert_top1_agreement"] == 1.0
    assert report["arena"]["used"]["head_bytes"] == report["arena"]["predicted"]["head_bytes"]
    assert all(0.0 <= share <= 1.0 for share in report["accuracy"].values())


def test_the_run_ends_on_a_simulated_board(finished):
    outcome, _ = finished
    found = outcome.report["simulation"]
    assert (found["board"], found["runtime"]) == ("nucleo-l4r5zi", "c")
    assert (found["inputs"], found["inputs_bit_exact"], found["succeeds"]) == (20, 20, True)
    assert found["instructions_per_inference"] > outcome.report["resources"]["pruned"]["macs"] / 2


def test_the_model_is_plain_and_trains_on(finished):
    outcome, folder = finished
    loaded = keras.models.load_model(folder / "pruned" / "model.keras")
    images = load("digits", None, {}).x_test[:20]
    kinds = {type(layer).__module__.split(".")[0] for layer in loaded.layers}
    assert kinds == {"keras"}
    np.testing.assert_allclose(
        loaded.predict(images, verbose=0), outcome.model.predict(images, verbose=0), atol=1e-6
    )
    narrow = loaded.get_layer("conv3")
    assert narrow.filters == narrow.kernel.shape[-1] < 64
    loaded.fit(images, np.eye(10)[np.zeros(20, int)], verbose=0)


def test_accuracies_are_those_of_the_kept_models(finished):
    outcome, folder = finished
    data = load("digits", None, {})
    for stage, key in (("reference", "float_reference"), ("pruned", "float_pruned")):
        model = keras.models.load_model(folder / stage / "model.keras")
        right = model.predict(data.x_test, verbose=0).argmax(axis=1) == data.y_test
        assert outcome.report["accuracy"][key] == pytest.approx(right.mean())


def test_the_report_page_shows_the_whole_run(finished):
    outcome, folder = finished
    page = (folder / "deployment" / "report.html").read_text(encoding="utf-8")
    for section in ("numbers", "memory", "operators", "widths", "training", "accuracy", "board"):
        assert f'<section id="{section}"' in page
    confusion = outcome.report["confusion"]
    right = sum(row[index] for index, row in enumerate(confusion["int8"]))
    assert right == round(outcome.report["accuracy"]["int8"] * 300)
    assert f"{outcome.report['resources']['pruned']['macs']:,}" in outcome._repr_html_()


def test_history_has_a_line_per_epoch(finished):
    _, folder = finished
    header, *lines = (folder / "pruned" / "history.csv").read_text().splitlines()
    assert len(lines) == EPOCHS
    assert {"loss", "sram", "sram_budget"} <= set(header.split(","))


def test_summary_shows_both_origins_and_the_limit(finished):
    outcome, _ = finished
    console = Console(file=io.StringIO(), width=120)
    print_summary(outcome.report, console)
    text = " ".join(console.file.getvalue().split())
    for expected in (
        "157,312",
        "predicted",
        "interpreter (TFLM)",
        "interpreter (LiteRT)",
        "64-bit host",
        "limit",
        "The budget is met.",
        "3,032 B",
    ):
        assert expected in text


def test_the_same_run_again_takes_the_reference_and_gives_the_same_bytes(finished, capfd):
    _, folder = finished
    first = (folder / "deployment" / "model.tflite").read_bytes()
    run_recipe(short_recipe(), folder)
    assert "reference: taken from" in capfd.readouterr().err
    assert (folder / "deployment" / "model.tflite").read_bytes() == first


def test_a_reference_is_taken_only_if_whole(tmp_path):
    data = load("digits", None, {})
    recipe = load_recipe("digits", epochs=1)
    assert not train_reference(recipe, data, tmp_path).reused
    assert train_reference(recipe, data, tmp_path).reused
    (tmp_path / "reference" / "stage.json").write_text('{"fingerp')
    assert not train_reference(recipe, data, tmp_path).reused


@pytest.mark.parametrize(
    ("override", "changes"),
    [
        ("training.seed=1", True),
        ("training.learning_rate=0.01", True),
        ("model.options.widths=[8, 8, 8]", True),
        ("reference.epochs=7", True),
        ("training.epochs=80", False),
        ("budget.sram=4KiB", False),
        ("title=Other", False),
    ],
)
def test_what_makes_a_reference_another_one(override, changes):
    data = load("digits", None, {})
    plain, changed = load_recipe("digits"), load_recipe("digits", [override])
    differs = reference_fingerprint(plain, data) != reference_fingerprint(changed, data)
    assert differs is changes


def test_other_data_make_another_reference():
    data, recipe = load("digits", None, {}), load_recipe("digits")
    other = dataclasses.replace(data, x_train=data.x_train * 0.5)
    assert reference_fingerprint(recipe, data) != reference_fingerprint(recipe, other)


def test_pruning_can_start_from_the_reference(finished):
    _, folder = finished
    still = ["training.learning_rate=1e-12", "pruning.start_from=reference"]
    recipe = load_recipe("digits", [*NO_LIMIT, *still], epochs=1)
    stage = train_pruned(recipe, load("digits", None, {}), folder)
    reference = keras.models.load_model(folder / "reference" / "model.keras")
    for name in ("conv1", "conv3", "classes"):
        np.testing.assert_allclose(
            stage.model.get_layer(name).kernel, reference.get_layer(name).kernel, atol=1e-6
        )


def test_a_pruned_network_learns_from_the_reference(finished):
    """What it is asked for is what the reference answers, whatever the labels say."""
    _, folder = finished
    data = load("digits", None, {})
    taught = ["distillation.share=0.999", "distillation.temperature=0.1"]
    recipe = load_recipe("digits", [*NO_LIMIT, *taught], epochs=6)
    reference = keras.models.load_model(folder / "reference" / "model.keras")
    thinks = reference.predict(data.x_test, verbose=0).argmax(1)
    wrong = dataclasses.replace(data, y_train=np.roll(data.y_train, 1))
    stage = train_pruned(recipe, wrong, folder)
    learned = stage.model.predict(data.x_test, verbose=0).argmax(1)
    assert np.mean(learned == thinks) > 0.8


def test_a_loss_that_becomes_nan_names_the_epoch_and_what_to_try(tmp_path):
    data = load("digits", None, {})
    recipe = load_recipe(
        "digits", ["training.optimizer=sgd", "training.learning_rate=1e30"], epochs=2
    )
    with pytest.raises(TrainingDivergedError, match=r"epoch 1: lower training\.learning_rate"):
        train_reference(recipe, data, tmp_path)


def test_a_run_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write to .*file.*--out"):
        run_recipe(load_recipe("digits", epochs=1), tmp_path / "file")


def interrupted(folder: Path, line: str) -> tuple[int, str]:
    """Run the digits and send Ctrl-C once ``line`` was shown; returns exit code and stderr."""
    command = [sys.executable, "-m", "mcuprune", "run", "digits", "--out", str(folder)]
    options = ["--set", "training.epochs=300", "--set", "reference.epochs=2"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # Shells let what they start in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        seen = []
        for shown in process.stderr:
            seen.append(shown)
            if shown.startswith(line):
                process.send_signal(signal.SIGINT)
                break
        rest, _ = process.stderr.read(), process.stdout.read()
        return process.wait(), "".join(seen) + rest


def test_ctrl_c_keeps_what_was_finished(tmp_path):
    code, err = interrupted(tmp_path, "epoch   2/300")
    assert code == 130
    assert "Traceback" not in err
    assert "stopped: kept" in err
    for kept in ("reference/model.keras", "pruned/interrupted.keras"):
        assert kept in err
        model = keras.models.load_model(tmp_path / kept)
        assert model.predict(np.zeros((1, 8, 8, 1)), verbose=0).shape == (1, 10)
