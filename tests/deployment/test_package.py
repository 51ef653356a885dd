"""A whole deployment of a small CNN on the digits."""

from __future__ import annotations

import json
import shutil
import subprocess

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.deployment.check import check
from mcuprune.deployment.package import deploy
from mcuprune.engines.litert import LiteRT
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InputError, UnknownNameError

FILES = {
    "golden.npz",
    "golden_vectors.c",
    "golden_vectors.h",
    "model.keras",
    "model.tflite",
    "model_data.c",
    "model_data.h",
    "model_settings.h",
    "report.html",
    "report.json",
    "report.md",
}

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.fixture(scope="module")
def deployment(digits_model, digit_images, tmp_path_factory):
    images, labels = digit_images
    return deploy(
        digits_model,
        images[:200],
        tmp_path_factory.mktemp("out") / "digits",
        budget=Budget(sram="4KiB", flash="8KiB", macs="1M"),
        reference=digits_model,
        test=(images[1497:], labels[1497:]),
        class_names=WORDS,
    )


def test_names_of_classes_are_those_of_the_outputs(digits_model, digit_images, tmp_path):
    with pytest.raises(InputError, match="class_names has 2 names for 10 classes"):
        deploy(digits_model, digit_images[0][:20], tmp_path / "d", class_names=["a", "b"])


def test_folder_holds_all_files(deployment):
    assert {path.name for path in deployment.folder.iterdir()} == FILES


def test_numbers_are_those_of_the_file(deployment):
    data = (deployment.folder / "model.tflite").read_bytes()
    assert deployment.resources.tflite_bytes == len(data)
    assert deployment.arena == TFLM().arena(data)
    assert deployment.resources.peak_sram_bytes == deployment.arena.total_bytes
    assert deployment.resources.provenance["arena_total_bytes"] == "interpreter"
    # Two 3x3 convolutions at 8x8 and 4x4 positions, then the dense layer.
    macs = 64 * 9 * 1 * 8 + 16 * 9 * 8 * 16 + 16 * 10
    assert deployment.resources.macs == macs


def test_predicted_head_is_the_head_tflm_used(deployment):
    assert deployment.predicted.arena_head_bytes == deployment.arena.head_bytes


def test_runtimes_agree(deployment):
    assert deployment.agreement.inputs == 100
    assert deployment.agreement.bytes_total == 100 * 10
    assert deployment.agreement.largest_difference <= 3
    assert deployment.agreement.top1_agreement == 1.0
    assert deployment.verification.litert_vs_keras >= 0.98


def test_accuracy_is_measured_on_the_test_set(deployment, digits_model, digit_images):
    images, labels = digit_images[0][1497:], digit_images[1][1497:]
    _, expected = digits_model.evaluate(images, labels, verbose=0)
    assert deployment.accuracy.float_pruned == pytest.approx(expected, abs=1e-6)
    assert deployment.accuracy.float_reference == deployment.accuracy.float_pruned
    assert abs(deployment.accuracy.int8 - expected) <= 0.015


def test_report_has_the_promised_keys(deployment):
    report = json.loads((deployment.folder / "report.json").read_text())
    assert report == json.loads(json.dumps(deployment.to_json()))
    assert report["verdict"] == "fits"
    assert report["budget"] == {"sram": 4096, "flash": 8192, "macs": 1_000_000}
    assert set(report["accuracy"]) == {"float_reference", "float_pruned", "int8"}
    assert report["resources"]["pruned"]["tflite_bytes"] == deployment.resources.tflite_bytes
    assert report["resources"]["reference"]["macs"] == deployment.resources.macs
    assert report["agreement"]["tflm_vs_litert_bytes_differing"] >= 0
    assert report["arena"]["used"]["total_bytes"] == deployment.arena.total_bytes
    assert report["confusion"]["classes"] == WORDS
    assert report["fit_seconds"] is None
    assert report["deployment"] == str(deployment.folder)


def test_golden_vectors_replay(deployment):
    data = (deployment.folder / "model.tflite").read_bytes()
    with np.load(deployment.folder / "golden.npz") as golden:
        again = TFLM().run(data, golden["inputs"])
        assert again.outputs.tolist() == golden["outputs"].tolist()
        assert len(golden["inputs"]) == 100


def test_arena_setting_is_enough_to_allocate(deployment):
    from tflite_micro.python.tflite_micro import runtime

    data = (deployment.folder / "model.tflite").read_bytes()
    size_bytes = deployment.arena_setting.size_bytes
    assert (
        f"kTensorArenaSize = {size_bytes} " in (deployment.folder / "model_settings.h").read_text()
    )
    runtime.Interpreter.from_bytes(data, arena_size=size_bytes)


def test_keras_file_is_the_same_model(deployment, digits_model, digit_images):
    loaded = keras.models.load_model(deployment.folder / "model.keras")
    images = digit_images[0][:20]
    answers = [keras.ops.convert_to_numpy(m(images)).tolist() for m in (loaded, digits_model)]
    assert answers[0] == answers[1]


def test_c_files_hold_the_model(deployment, tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    main = tmp_path / "main.c"
    main.write_text(
        '#include <stdio.h>\n#include "model_data.h"\n#include "golden_vectors.h"\n'
        "int main(void) { fwrite(digits_small_model_data, 1, digits_small_model_data_size, stdout);"
        " return kGoldenCount == 4 ? 0 : 1; }\n"
    )
    sources = [main, deployment.folder / "model_data.c", deployment.folder / "golden_vectors.c"]
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{deployment.folder}"]
    subprocess.run(["gcc", *flags, *sources, "-o", tmp_path / "program"], check=True)
    printed = subprocess.run([tmp_path / "program"], check=True, capture_output=True).stdout
    assert printed == (deployment.folder / "model.tflite").read_bytes()


def test_check_takes_folders_and_the_file(deployment, tmp_path):
    fits = check(deployment.folder, Budget(flash="8KiB"))
    assert fits.fits
    of_run = tmp_path / "run"
    shutil.copytree(deployment.folder, of_run / "deployment")
    assert check(of_run, Budget(flash="8KiB")) == fits
    exceeds = check(deployment.folder / "model.tflite", Budget(flash=1000))
    row = exceeds.rows[0]
    assert not exceeds.fits
    assert (row.required, row.available) == (deployment.resources.tflite_bytes, 1000)
    assert row.excess == deployment.resources.tflite_bytes - 1000


def test_check_names_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        check(tmp_path / "absent.tflite", Budget(flash=1000))


def test_arguments_of_another_type_are_refused(digits_model, tmp_path):
    with pytest.raises(InputError, match=r"expected the path of a \.tflite file, found Functional"):
        check(digits_model, Budget(flash=1000))
    with pytest.raises(InputError, match="expected a Budget, found NoneType"):
        check(tmp_path / "model.tflite", None)
    with pytest.raises(InputError, match="expected a Budget, found str"):
        deploy(digits_model, None, tmp_path / "d", budget="64KiB")


def test_exceeded_budget_still_gives_the_folder(digits_model, digit_images, tmp_path):
    small = deploy(digits_model, digit_images[0][:20], tmp_path / "d", budget=Budget(flash=1000))
    assert not small.verdict.fits
    assert json.loads((tmp_path / "d" / "report.json").read_text())["verdict"] == "exceeds"
    # 20 real inputs and noise for the rest.
    assert small.agreement.inputs == 100
    assert small.accuracy.int8 is None
    assert "exceeds" in repr(small)


def test_deploying_is_silent(digits_model, digit_images, tmp_path, capfd):
    deploy(digits_model, digit_images[0][:20], tmp_path / "d")
    assert capfd.readouterr() == ("", "")


def test_public_names_are_functions():
    import mcuprune

    assert mcuprune.deploy is deploy
    assert mcuprune.check is check


def test_board_gives_the_budget(digits_model, digit_images, tmp_path):
    made = deploy(digits_model, digit_images[0][:20], tmp_path / "d", board="nucleo-l4r5zi")
    assert made.verdict.fits
    assert made.budget == Budget.for_board("nucleo-l4r5zi")


def test_bad_input_writes_nothing(digits_model, digit_images, tmp_path):
    images, labels = digit_images
    with pytest.raises(UnknownNameError):
        deploy(digits_model, images[:20], tmp_path / "d", board="nucleo-l4r5z")
    with pytest.raises(InputError, match="labels are"):
        deploy(digits_model, images[:20], tmp_path / "d", test=(images[:20], labels[:10]))
    assert not (tmp_path / "d").exists()


def test_foreign_folder_is_refused_before_the_work(digits_model, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="holds other files"):
        deploy(digits_model, None, tmp_path)


def test_engines_agree_with_what_was_verified(deployment):
    data = (deployment.folder / "model.tflite").read_bytes()
    golden = deployment.verification.golden_inputs
    litert = LiteRT().run(data, golden).outputs
    (answers,) = deployment.verification.golden_outputs
    assert np.count_nonzero(litert != answers) == (deployment.agreement.bytes_differing)


def test_two_inputs_and_two_outputs(tmp_path):
    image, side = keras.Input((8, 8, 1)), keras.Input((6,))
    seen = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    both = keras.layers.Concatenate()([seen, keras.layers.Dense(8)(side)])
    outputs = [keras.layers.Dense(3)(both), keras.layers.Dense(1)(both)]
    model = keras.Model([image, side], outputs, name="two")
    random = np.random.default_rng(0)
    data = [random.normal(size=(30, *tensor.shape[1:])) for tensor in model.inputs]
    made = deploy(model, data, tmp_path / "two")
    assert made.verification.litert_vs_keras >= 0.9
    assert made.agreement.bytes_total == 100 * (3 + 1)
    assert made.agreement.largest_difference <= 1
    with np.load(tmp_path / "two" / "golden.npz") as golden:
        inputs = [golden["inputs_0"], golden["inputs_1"]]
        again = TFLM().run((tmp_path / "two" / "model.tflite").read_bytes(), inputs)
        assert again.all_outputs[0].tolist() == golden["outputs_0"].tolist()
        assert again.all_outputs[1].tolist() == golden["outputs_1"].tolist()
    header = (tmp_path / "two" / "golden_vectors.h").read_text()
    assert "kGoldenInputSize_0 = 64 " in header
    assert "extern const int8_t two_golden_outputs_1[];" in header
    with pytest.raises(InputError, match="2 outputs; accuracy"):
        deploy(model, data, tmp_path / "again", test=(data, np.zeros(30, int)))


def test_a_notebook_shows_the_verdict_and_the_report(deployment):
    shown = deployment._repr_html_()
    assert f"{deployment.resources.macs:,}" in shown
    assert shown.endswith(f"<div>Report: {deployment.folder / 'report.html'}</div>")
