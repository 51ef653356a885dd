from __future__ import annotations

import keras
import numpy as np
import pytest

from mcuprune.deployment.convert import convert_int8
from mcuprune.deployment.verify import keras_accuracy, verify
from mcuprune.errors import InputError


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.zeros(9, int),
            r"shape \(9,\), the inputs need class numbers of shape \(10,\)",
        ),
        (np.zeros((10, 10), int), "argmax on one-hot"),
        (np.zeros(10), "labels are float64"),
        (np.full(10, 10), "run from 10 to 10, model 'digits_small' tells 10 classes"),
        (np.full(10, -1), "run from -1 to -1"),
    ],
)
def test_unfit_labels(labels, message, digits_model, digits_tflite, digit_images):
    with pytest.raises(InputError, match=message):
        verify(digits_model, digits_tflite, digit_images[0][:10], labels)


def test_unfit_inputs(digits_model, digits_tflite):
    with pytest.raises(InputError, match=r"\(10, 8, 8\), the model takes \(n, 8, 8, 1\)"):
        verify(digits_model, digits_tflite, np.zeros((10, 8, 8)))


def test_accuracy_counts_right_answers(digits_model, digit_images):
    images = digit_images[0][:10]
    right = keras.ops.convert_to_numpy(digits_model(images)).argmax(1)
    labels = np.where(np.arange(10) < 7, right, (right + 1) % 10)
    assert keras_accuracy(digits_model, images, labels) == 0.7


def test_single_output_has_no_largest():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    inputs = np.random.RandomState(0).normal(size=(30, 4)).astype(np.float32)
    said = verify(model, convert_int8(model, inputs), inputs, np.zeros(30, int))
    assert said.litert_vs_keras is None
    assert said.int8_accuracy is None
    assert said.tflm_vs_litert.largest_difference <= 3


def test_few_inputs_are_filled_up_to_a_hundred(digits_model, digits_tflite, digit_images):
    said = verify(digits_model, digits_tflite, digit_images[0][:3])
    assert said.inputs == 3
    assert said.tflm_vs_litert.inputs == 100
    (golden,) = said.golden_inputs
    assert golden.shape == (100, 8, 8, 1)
    assert len(np.unique(golden[3:])) == 256
