from __future__ import annotations

import numpy as np
import pytest

from mcuprune.errors import InputError
from mcuprune.quantization.calibration_data import calibration_samples


def test_few_samples_are_all_used():
    data = np.arange(12, dtype=np.uint8).reshape(3, 4)
    samples = calibration_samples(data, (4,))
    assert samples.dtype == np.float32
    assert samples.tolist() == data.tolist()


def test_many_samples_are_thinned_evenly():
    data = np.arange(999, dtype=np.float64).reshape(999, 1)
    samples = calibration_samples(data, (1,))[:, 0]
    # 500 places from 0 to 998, two apart.
    assert samples.tolist() == list(range(0, 999, 2))


def test_a_dataset_is_refused_with_what_to_do():
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensors(np.zeros((4, 2)))
    with pytest.raises(InputError, match=r"of type \w*Dataset\w*: give .*np\.concatenate"):
        calibration_samples(dataset, (2,))
