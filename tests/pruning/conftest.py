from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from mcuprune.recipes.models import digits_cnn

Arrays = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def digits() -> Arrays:
    data = load_digits()
    return (data.images[:1024, ..., None] / 16).astype("float32"), data.target[:1024]


@pytest.fixture
def compiled() -> Callable[..., Any]:
    def make(optimizer: Any = None, **options: Any) -> Any:
        keras.utils.set_random_seed(0)
        model = digits_cnn(**options)
        model.compile(
            optimizer or keras.optimizers.Adam(3e-3),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        return model

    return make
