"""The front end against scipy, and against tones whose place is known."""

from __future__ import annotations

import numpy as np
import scipy.fft

from mcuprune.recipes.datasets.mfcc import dct_matrix, mel_filters, mfcc


def test_dct_is_scipys_orthonormal_one():
    bands = np.random.default_rng(0).normal(size=(5, 40))
    expected = scipy.fft.dct(bands, type=2, norm="ortho", axis=1)[:, :10]
    np.testing.assert_allclose(bands @ dct_matrix().T, expected, atol=1e-12)


def test_filters_cover_the_bands_in_order():
    filters = mel_filters()
    assert filters.shape == (40, 257)
    assert filters.min() >= 0.0
    assert filters.max() <= 1.0
    # 512 points at 8 kHz: bin 64 is 1,000 Hz = 1,000 mel; 20 Hz is 31.7 mel, 4,000 Hz 2,146.1,
    # so 1,000 mel lies at (1000 - 31.7) / (2114.4 / 41) = 18.8 spacings: band 19, index 18.
    assert filters[:, 64].argmax() == 18


def test_short_and_long_clips_become_one_second():
    generator = np.random.default_rng(1)
    clip = generator.integers(-3000, 3000, 9000).astype(np.int16)
    assert mfcc(clip[:1200]).shape == (49, 10)
    np.testing.assert_array_equal(mfcc(clip), mfcc(clip[:8000]))
    padded = np.concatenate([clip[:1200], np.zeros(6800, np.int16)])
    np.testing.assert_array_equal(mfcc(clip[:1200]), mfcc(padded))


def test_silence_has_only_the_first_coefficient():
    features = mfcc(np.zeros(8000, np.int16))
    # All 40 bands hold log(1e-6); the orthonormal DCT's first row is sqrt(1/40).
    np.testing.assert_allclose(features[:, 0], np.log(1e-6) * np.sqrt(40), rtol=1e-5)
    np.testing.assert_allclose(features[:, 1:], 0.0, atol=1e-4)
