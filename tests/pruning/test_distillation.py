"""Targets that a trained network has a share in, worked out by hand."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from mcuprune import soft_targets
from mcuprune.errors import InputError

# Logits of two inputs: with a temperature of 2 the odds of their classes are 2 : 1 : 1, 1 : 4 : 1.
LOGITS = np.float32([[2 * math.log(2), 0.0, 0.0], [0.0, 4 * math.log(2), 0.0]])
LABELS = np.array([0, 2])
SOFT = np.array([[1 / 2, 1 / 4, 1 / 4], [1 / 6, 4 / 6, 1 / 6]])


def answering(activation=None):
    """A network that answers its input, through an activation."""
    inputs = keras.Input((3,))
    layer = keras.layers.Dense(3, use_bias=False, activation=activation)
    model = keras.Model(inputs, layer(inputs), name="teacher")
    layer.set_weights([np.eye(3, dtype=np.float32)])
    return model


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_targets_are_shares_of_label_and_teacher(activation):
    found = soft_targets(answering(activation), LOGITS, LABELS, share=0.6, temperature=2.0)
    expected = 0.4 * np.eye(3)[LABELS] + 0.6 * SOFT
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_without_a_share_the_labels_are_left():
    found = soft_targets(answering(), LOGITS, LABELS, share=0.0)
    np.testing.assert_array_equal(found, np.eye(3)[LABELS])


def test_certain_answers_stay_finite():
    found = soft_targets(answering("softmax"), 1000 * LOGITS, LABELS, share=1.0, temperature=1.0)
    np.testing.assert_allclose(found, np.eye(3)[[0, 1]], atol=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"share": 1.5}, "share is 1.5"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"labels": np.array([0, 3])}, "2 class numbers from 0 to 2"),
        ({"labels": np.eye(3)[[0, 1]]}, "2 class numbers from 0 to 2"),
        ({"inputs": LOGITS * np.nan}, "answers NaN"),
    ],
)
def test_what_does_not_fit_is_refused(given, said):
    whole = {"inputs": LOGITS, "labels": LABELS, **given}
    with pytest.raises(InputError, match=said):
        soft_targets(answering(), **whole)


def test_a_teacher_that_does_not_classify_is_refused():
    inputs = keras.Input((3,))
    one = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    with pytest.raises(InputError, match="at least two classes"):
        soft_targets(one, LOGITS, LABELS)
