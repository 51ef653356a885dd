"""Each reason to doubt a deployment: found where it is, and not where it is not."""

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

import mcuprune
from mcuprune.cost.verdict import Verdict, VerdictRow
from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.doubts import (
    accuracy_doubts,
    collapsed,
    deployment_doubts,
    edge_doubts,
    engine_doubts,
    range_doubts,
    saturation_doubts,
)
from mcuprune.deployment.value_ranges import InputRange, Saturation, saturations
from mcuprune.deployment.verify import Verification
from mcuprune.engines.base import ArenaUse
from mcuprune.engines.compare import Agreement
from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import parse_tflite
from mcuprune.report.doubts import doubt_lines
from mcuprune.report.summary import print_summary

AGREE = Agreement(100, 1000, 0, 0, 1.0)
SOUND = Verification(
    inputs=400,
    litert_vs_keras=0.99,
    keras_accuracy=0.97,
    int8_accuracy=0.96,
    tflm_vs_litert=AGREE,
    arena=ArenaUse(0, 0, 0),
    golden_inputs=(),
    golden_outputs=(),
    engines=(),
    commonest_share=0.1,
    input_ranges=(InputRange("x", 0.0, 1.0, 0.0, 0.9, 0.0),),
    saturations=(Saturation("y", 0.001),),
    answers_classes=True,
)


def changed(**values):
    return dataclasses.replace(SOUND, **values)


def names(doubts):
    return [doubt.name for doubt in doubts]


def test_a_sound_model_has_none():
    assert deployment_doubts(SOUND, None, 0.98) == ()


# Guessing among 400 inputs: 10% and two standard errors of sqrt(0.1 * 0.9 / 400) = 1.5%.
@pytest.mark.parametrize(("accuracy", "doubts"), [(0.05, 1), (0.13, 1), (0.131, 0)])
def test_no_better_than_guessing(accuracy, doubts):
    found = list(accuracy_doubts(changed(int8_accuracy=accuracy, keras_accuracy=accuracy)))
    assert names(found) == ["accuracy-collapsed"] * doubts
    assert all("always answering their commonest class 10.0%" in d.message for d in found)


def test_a_test_set_of_one_class_says_nothing_about_a_model_that_is_always_right():
    assert not list(accuracy_doubts(changed(int8_accuracy=1.0, commonest_share=1.0)))


# Of 0.97 half of what is above 0.1 is 0.535.
@pytest.mark.parametrize(("accuracy", "doubts"), [(0.53, 1), (0.54, 0)])
def test_int8_far_below_float(accuracy, doubts):
    found = list(accuracy_doubts(changed(int8_accuracy=accuracy)))
    assert len(found) == doubts
    assert all("the same model in float 97.0%" in doubt.message for doubt in found)


def test_pruned_far_below_the_reference():
    found = changed(int8_accuracy=0.5, keras_accuracy=0.5)
    (doubt,) = accuracy_doubts(found, 0.97)
    assert "50.0% of the test inputs right, the unpruned one 97.0%" in doubt.message
    assert list(collapsed("a", None, "b", 0.9, 0.1)) == []


@pytest.mark.parametrize(
    ("clipped", "most", "words"),
    [(0.02, 1.2, "2.0% of their numbers are clipped"), (0.0, 0.2, "they use 20.0% of the range")],
)
def test_inputs_beside_the_calibrated_range(clipped, most, words):
    (doubt,) = range_doubts((InputRange("x", 0.0, 1.0, 0.0, most, clipped),))
    assert doubt.name == "input-range"
    assert words in doubt.message


def test_inputs_that_lie_outside_altogether_use_nothing():
    assert InputRange("x", 0.0, 1.0, 5.0, 9.0, 1.0).used_share == 0.0


@pytest.mark.parametrize(("share", "doubts"), [(0.01, 0), (0.02, 1)])
def test_saturated_outputs(share, doubts):
    assert len(list(saturation_doubts((Saturation("y", share),)))) == doubts


@pytest.mark.parametrize(
    ("required", "unit", "doubts"),
    [
        (1000, "B", 1),
        (986, "B", 1),
        (985, "B", 0),
        (1001, "B", 0),
        (1000, "us", 1),
        (999, "us", 0),
        (1000, "MACs", 0),
    ],
)
def test_a_budget_that_only_rounding_meets(required, unit, doubts):
    found = list(edge_doubts(Verdict((VerdictRow("sram", required, 1000, unit),))))
    assert names(found) == ["budget-at-the-edge"] * doubts


@pytest.mark.parametrize(
    ("agreement", "doubts"),
    [
        (Agreement(100, 1000, 300, 3, 0.99), 0),
        (Agreement(100, 1000, 1, 4, 1.0), 1),
        (Agreement(100, 1000, 300, 1, 0.98), 1),
    ],
)
def test_engines_that_disagree(agreement, doubts):
    found = list(engine_doubts(changed(tflm_vs_litert=agreement)))
    assert names(found) == ["engines-disagree"] * doubts


def test_int8_that_chooses_other_classes_than_float():
    assert names(engine_doubts(changed(litert_vs_keras=0.8))) == ["int8-differs"]
    reconstructs = changed(litert_vs_keras=0.2, answers_classes=False)
    assert not list(engine_doubts(reconstructs))


@pytest.fixture(scope="module")
def regressor():
    """y = 10 x, one number in and out."""
    import keras

    inputs = keras.Input((1,))
    dense = keras.layers.Dense(1)
    model = keras.Model(inputs, dense(inputs), name="tenfold")
    dense.set_weights([np.float32([[10.0]]), np.float32([0.0])])
    return model


def test_saturation_is_counted_on_the_answers(regressor):
    tflite = convert_int8(regressor, np.linspace(0, 1, 100)[:, None])
    # 50 of 200 at the upper end, of which one is what set the range; the lower end is 0.0.
    stored = np.repeat(np.int8([-128, 0, 3, 127]), 50)[:, None]
    (found,) = saturations(tflite, parse_tflite(tflite, "tenfold"), [stored])
    assert found.share == pytest.approx(49 / 200)


def test_weights_of_a_training_that_diverged_are_refused():
    import keras

    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="answers")(inputs))
    model.get_layer("answers").set_weights([np.float32([[1.0, np.nan]]), np.zeros(2, np.float32)])
    with pytest.raises(InputError, match="1 of 2 numbers of answers/kernel are NaN"):
        convert_int8(model, np.linspace(0, 1, 100)[:, None])


def test_a_deployment_says_it_everywhere(digits_model, digit_images, tmp_path):
    images, labels = digit_images
    wrong_scale = (images[1197:] * 16, labels[1197:])
    deployment = mcuprune.deploy(
        digits_model, calibration=images[:100], out=tmp_path / "out", test=wrong_scale
    )
    assert "input-range" in names(deployment.doubts)
    report = deployment.to_json()
    shown = io.StringIO()
    print_summary({**report, "limit": "", "recipe": "digits"}, Console(file=shown, width=1000))
    lines = [line for line in doubt_lines(report) if "input-range" in line]
    assert lines[0] in shown.getvalue()
    assert "the inputs that it was verified with lie in 0 to 16" in lines[0]
    for page in ("report.html", "report.md", "report.json"):
        text = (tmp_path / "out" / page).read_text().replace("\\", "")
        assert "input-range" in text
        assert "numbers are clipped" in text
