"""The command line: output, exit codes, and one clear message per mistake."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from mcuprune import cli
from mcuprune.cli.console import load_test_set
from mcuprune.errors import InputError


@pytest.fixture
def command(monkeypatch, capfd):
    """Run the command in this process; returns exit code, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mcuprune", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        return int(stopped.value.code or 0), out, err

    return run


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory) -> Path:
    """A convolution of 4 channels on 8x8x1, pooled, into 3 classes."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(inputs)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    # The converter drops a bias of zeros, as no trained model has.
    x = layers.Dense(3, bias_initializer="ones", name="classes")(x)
    model = keras.Model(inputs, x, name="tiny")
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def tflite_file(keras_file) -> Path:
    from mcuprune.deployment.convert import convert_int8

    calibration = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
    path = keras_file.with_suffix(".tflite")
    path.write_bytes(convert_int8(keras.models.load_model(keras_file), calibration))
    return path


def test_help_names_every_command(command):
    code, out, _ = command("--help")
    assert code == 0
    for name in ("run", "estimate", "check", "groups", "deploy", "boards", "recipes"):
        assert name in out


def test_boards(command):
    code, out, _ = command("boards", "--json")
    boards = {board["name"]: board for board in json.loads(out)}
    assert code == 0
    assert boards["nucleo-l4r5zi"]["arena_bytes"] == 640 * 1024
    assert command("boards")[1].count("cortex-m") >= 8


def test_recipes(command):
    code, out, _ = command("recipes", "--json")
    assert code == 0
    assert {recipe["name"] for recipe in json.loads(out)} >= {"digits", "kws-fsdd", "fashion"}
    assert "digits" in command("recipes")[1]


def test_estimate_of_a_file_and_of_its_keras_model(command, keras_file, tflite_file):
    code, out, _ = command("estimate", tflite_file, "--json")
    counted = json.loads(out)
    assert code == 0
    # 8*8*9*4 for the convolution, 4*3 for the classes.
    assert counted["macs"] == 2304 + 12
    assert counted["tflite_bytes"] == tflite_file.stat().st_size
    # Input 64 B and output 256 B of the convolution.
    assert counted["largest_working_set_bytes"] == 64 + 256
    predicted = json.loads(command("estimate", keras_file, "--json")[1])
    assert predicted["macs"] == counted["macs"]
    assert predicted["arena_total_bytes"] == counted["arena_total_bytes"]


def test_estimate_for_people_says_how_the_arena_is_counted(command, tflite_file):
    code, out, _ = command("estimate", tflite_file)
    assert code == 0
    assert "2,316" in out
    assert "64-bit host" in " ".join(out.split())


def test_estimate_names_layers_counted_by_conversion(command, tmp_path):
    inputs = keras.Input((6, 4))
    attended = keras.layers.MultiHeadAttention(2, 4, name="mha")(inputs, inputs)
    path = tmp_path / "attention.keras"
    keras.Model(inputs, attended).save(path)
    counted = json.loads(command("estimate", path, "--json")[1])
    assert counted["converted_layers"] == ["mha (MultiHeadAttention)"]
    # Query, key, value and output of 4 to 8 numbers; then 6 places meet 6 in 8 numbers, twice.
    assert counted["macs"] == 4 * 6 * 4 * 8 + 2 * 6 * 6 * 8
    said = " ".join(command("estimate", path)[1].split())
    assert "converting the layer alone" in said
    assert "mha (MultiHeadAttention)" in said


def test_estimate_for_a_board(command, tflite_file):
    code, out, _ = command("estimate", tflite_file, "--board", "microbit-v2", "--json")
    counted = json.loads(out)
    assert code == 0
    assert (counted["board"], counted["fits_board"]) == ("microbit-v2", True)
    without = json.loads(command("estimate", tflite_file, "--json")[1])
    assert (without["board"], without["fits_board"]) == (None, None)
    assert (without["runtime"], without["pointer_bits"]) == ("tflm-reference", 64)
    # A board's own runtime is counted: CMSIS-NN on a Cortex-M4.
    assert (counted["runtime"], counted["pointer_bits"]) == ("tflm-cmsis-nn", 32)
    chosen = ("--runtime", "tflm-cmsis-nn", "--pointer-bits", "32")
    plain = json.loads(command("estimate", tflite_file, *chosen, "--json")[1])
    # The same memory; what the board adds is time and energy.
    same = ("arena_total_bytes", "arena_by_cause", "flash_bytes", "macs", "params")
    assert {key: counted[key] for key in same} == {key: plain[key] for key in same}
    assert sum(plain["arena_by_cause"].values()) == plain["arena_total_bytes"]
    assert plain["arena_smallest_bytes"] >= plain["arena_total_bytes"]
    _, out, _ = command("estimate", tflite_file, "--board", "microbit-v2")
    said = " ".join(out.split())
    assert "The model fits microbit-v2" in said
    # 128 KiB of SRAM and 512 KiB of flash.
    assert "of 131,072 B of SRAM" in said
    assert "of 524,288 B of flash" in said


def test_estimate_says_what_the_arena_goes_to(command, tflite_file):
    said = command("estimate", tflite_file, "--runtime", "tflm-cmsis-nn")[1]
    assert "structures of TFLM" in said
    assert "as tflm-cmsis-nn allocates it with pointers of 32 bits" in " ".join(said.split())
    code, _, error = command("estimate", tflite_file, "--runtime", "tflm-cmsis")
    assert code == 2
    assert "tflm-cmsis-nn" in error


def test_check_fits(command, tflite_file):
    code, out, _ = command("check", tflite_file, "--sram", "8KiB", "--macs", "2316", "--json")
    verdict = json.loads(out)
    assert code == 0
    assert verdict["fits"] is True
    assert verdict["macs"] == {"required": 2316, "available": 2316, "excess": 0, "unit": "MACs"}


def test_check_exceeds(command, tflite_file):
    code, out, _ = command("check", tflite_file, "--macs", "2000", "--json")
    assert code == 1
    assert json.loads(out)["macs"]["excess"] == 316
    code, out, _ = command("check", tflite_file, "--macs", "2000")
    assert code == 1
    assert "does not fit" in out
    assert "316" in out


def test_check_against_a_board(command, tflite_file):
    code, out, _ = command(
        "check", tflite_file, "--board", "microbit-v2", "--reserve-sram", "127KiB", "--json"
    )
    assert json.loads(out)["sram"]["available"] == 1024
    assert code == 1


def test_groups(command, keras_file):
    code, out, _ = command("groups", keras_file, "--json")
    assert code == 0
    conv = next(group for group in json.loads(out) if group["name"] == "conv")
    assert (conv["width"], conv["consumers"], conv["frozen"]) == (4, ["classes"], None)
    assert conv["macs_per_channel"] > 0
    shown = command("groups", keras_file)[1]
    assert "made by conv" in shown
    assert "Can be pruned: " in shown


def test_deploy(command, keras_file, tmp_path):
    calibration = tmp_path / "x.npy"
    np.save(calibration, np.random.default_rng(0).random((20, 8, 8, 1), np.float32))
    out_folder = tmp_path / "out"
    code, out, _ = command(
        "deploy", keras_file, "--calibration", calibration, "--out", out_folder, "--json"
    )
    assert code == 0
    assert json.loads(out)["deployment"] == str(out_folder)
    assert (out_folder / "model.tflite").stat().st_size > 0
    code, out, _ = command(
        "deploy", keras_file, "--calibration", calibration, "--out", out_folder, "--flash", "100 B"
    )
    assert code == 1
    assert "does not fit" in out
    assert "kTensorArenaSize" not in out
    used_bytes = json.loads((out_folder / "report.json").read_text())["arena"]["used"][
        "total_bytes"
    ]
    code, out, _ = command(
        "deploy",
        keras_file,
        "--calibration",
        calibration,
        "--out",
        out_folder,
        "--sram",
        used_bytes,
    )
    assert code == 0
    assert f"kTensorArenaSize is {_reserved_bytes(out_folder):,} B" in " ".join(out.split())


def _reserved_bytes(folder: Path) -> int:
    settings = (folder / "model_settings.h").read_text()
    return int(re.search(r"kTensorArenaSize = (\d+)", settings)[1])


def cut_short(path: Path, tmp_path: Path) -> Path:
    short = tmp_path / "short.tflite"
    short.write_bytes(path.read_bytes()[:1000])
    return short


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "digit"], "unknown recipe 'digit': did you mean 'digits'"),
        (["run", "mine.yaml"], "recipe file mine.yaml does not exist"),
        (["run", "digits", "--set", "training.epoch=1"], "did you mean 'training.epochs'"),
        (["run", "digits", "--set", "pruning.options.cut=1"], "did you mean 'cuts'"),
        (["run", "digits", "--set", "budget.sram=3KiBi"], "unknown unit"),
        (["run", "digits", "--epochs", "0"], "training.epochs"),
        (["run", "digits", "--data", "x.npz"], "leave out --data"),
        (["run", "kws-fsdd"], "git clone https://github.com/Jakobovski"),
        (["run", "kws-fsdd", "--data", "nowhere"], "nowhere does not exist"),
        (["run", "fashion", "--data", "nowhere.npz"], "nowhere.npz does not exist"),
        (["run", "digits", "--set", "model.options.widths=wide"], "model.options"),
        (["estimate", "absent.tflite"], "absent.tflite"),
        (["estimate", "absent.keras"], "absent.keras does not exist: check the path"),
        (["check", "absent.tflite", "--sram", "1KiB"], "absent.tflite"),
        (["estimate", "a.tflite", "--board", "microbit"], "did you mean 'microbit-v2'"),
        (["check", "absent.tflite"], "give --sram, --flash, --macs or --board"),
        (["check", "a.tflite", "--sram", "12 parsecs"], "unknown unit 'parsecs'"),
        (["check", "a.tflite", "--board", "nucleo"], "did you mean 'nucleo-"),
        (["check", "a.tflite", "--sram", "1KiB", "--reserve-sram", "1KiB"], "need a board"),
        (["groups", "absent.keras"], "absent.keras does not exist"),
        (["estimate", "."], ". is a folder"),
        (["deploy", "absent.keras", "--calibration", "x.npy"], "absent.keras does not exist"),
    ],
)
def test_bad_input_ends_with_one_message(command, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_file_cut_short(command, tflite_file, tmp_path):
    code, _, err = command("estimate", cut_short(tflite_file, tmp_path))
    assert code == 2
    assert "short.tflite" in err
    assert "Traceback" not in err


def test_deploy_measures_accuracy_on_a_test_set(command, keras_file, tmp_path):
    inputs = np.random.default_rng(0).random((30, 8, 8, 1), np.float32)
    model = keras.models.load_model(keras_file)
    answers = np.asarray(model(inputs)).argmax(axis=1)
    classes = model.output_shape[-1]
    names = [f"word{number}" for number in range(classes)]
    calibration, test, out = tmp_path / "x.npy", tmp_path / "test.npz", tmp_path / "out"
    np.save(calibration, inputs)
    np.savez(test, x=inputs, y=answers)
    code, printed, _ = command(
        *("deploy", keras_file, "--calibration", calibration, "--out", out, "--test", test),
        *("--class-names", ",".join(names)),
    )
    assert code == 0
    assert "Accuracy: float 100.0%, int8" in printed
    confusion = json.loads((out / "report.json").read_text())["confusion"]
    assert confusion["classes"] == names
    counts = np.bincount(answers, minlength=classes)
    assert confusion["float"] == np.diag(counts).tolist()


@pytest.mark.parametrize(
    ("arrays", "found"), [({"x": 1, "labels": 2}, "labels, x"), (None, "an array without a name")]
)
def test_a_test_set_with_other_arrays_is_refused(arrays, found, tmp_path):
    path = tmp_path / "test.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3)) if arrays is None else np.savez(file, **arrays)
    with pytest.raises(InputError, match=rf"test\.npz holds {found}, a test set is x, the inputs"):
        load_test_set(path)


def test_deploy_two_inputs_with_an_npz_file(command, tmp_path):
    left, right = keras.Input((4,)), keras.Input((3,))
    joined = keras.layers.Concatenate()([left, right])
    model = tmp_path / "two.keras"
    keras.Model([left, right], keras.layers.Dense(2)(joined)).save(model)
    random = np.random.default_rng(0)
    calibration = tmp_path / "x.npz"
    np.savez(calibration, left=random.random((20, 4)), right=random.random((20, 3)))
    out = tmp_path / "out"
    code, printed, _ = command(
        "deploy", model, "--calibration", calibration, "--out", out, "--json"
    )
    assert code == 0
    assert json.loads(printed)["resources"]["pruned"]["macs"] == (4 + 3) * 2
    np.save(tmp_path / "x.npy", random.random((20, 4)))
    code, _, err = command("deploy", model, "--calibration", tmp_path / "x.npy", "--out", out)
    assert code == 2
    assert "2 inputs" in err


def test_calibration_that_is_missing(command, keras_file, tmp_path):
    code, _, err = command("deploy", keras_file, "--calibration", tmp_path / "x.npy")
    assert code == 2
    assert "x.npy does not exist: write the data to a file with numpy.save" in err
    assert "Errno" not in err


def test_calibration_that_is_no_array(command, keras_file, tmp_path):
    (tmp_path / "x.npy").write_bytes(b"no array")
    code, _, err = command("deploy", keras_file, "--calibration", tmp_path / "x.npy")
    assert code == 2
    assert "x.npy is no readable .npy or .npz file" in err


def test_impossible_budget_is_refused_before_training(command, tmp_path):
    code, _, err = command("run", "digits", "--set", "budget.sram=1KiB", "--out", tmp_path / "run")
    assert code == 2
    assert "1,024" in err or "1024" in err
    assert not (tmp_path / "run").exists()


def test_model_without_a_prunable_channel(command, tmp_path):
    code, _, err = command(
        "run", "digits", "--set", "model.options.widths=[]", "--out", tmp_path / "run"
    )
    assert code == 2
    assert "prun" in err
    assert not (tmp_path / "run").exists()


def test_debug_shows_the_traceback_wherever_it_stands(command):
    code, _, err = command("run", "digit", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert "error: unknown recipe" in err


@pytest.mark.parametrize(("fits", "expected"), [(True, 0), (False, 1)])
def test_run_ends_with_the_verdict(command, monkeypatch, tmp_path, fits, expected):
    from mcuprune.recipes import run

    report = {"verdict": "fits" if fits else "exceeds"}
    outcome = run.Outcome(None, SimpleNamespace(verdict=SimpleNamespace(fits=fits)), report)
    monkeypatch.setattr(run, "run_recipe", lambda *_, **__: outcome)
    code, out, _ = command("run", "digits", "--out", tmp_path / "run", "--json")
    assert code == expected
    assert json.loads(out) == report


def test_seed_data_and_epochs_reach_the_recipe(command, monkeypatch, tmp_path):
    from mcuprune.errors import InputError
    from mcuprune.recipes import run

    def refuse(recipe, folder, *, allow_code):
        found = (recipe.training.seed, recipe.training.epochs, recipe.data.path, allow_code, folder)
        raise InputError(" ".join(map(str, found)))

    monkeypatch.setattr(run, "run_recipe", refuse)
    options = ["--seed", 7, "--epochs", 3, "--data", "my: data", "--out", tmp_path]
    _, _, err = command("run", "fashion", *options)
    assert f"error: 7 3 my: data False {tmp_path}" in err


def test_ctrl_c(command, monkeypatch):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr("mcuprune.boards.board_names", stop)
    code, _, err = command("boards")
    assert code == 130
    assert "stopped: nothing was changed" in err


def test_unknown_command(command):
    code, _, err = command("prune")
    assert code == 2
    assert "prune" in err
