"""Mel-frequency cepstral coefficients with numpy alone: 49 frames of 10 coefficients.

The sizes are those of MLPerf Tiny's keyword spotting front end (40 ms windows every 20 ms, 40 mel
bands, 10 coefficients of one second of sound), here at 8 kHz. The mel scale is HTK's:
``2595 log10(1 + f / 700)``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 8000
CLIP_SAMPLES = 8000
WINDOW_SAMPLES = 320
STRIDE_SAMPLES = 160
FFT_SAMPLES = 512
MEL_BANDS = 40
COEFFICIENTS = 10
FRAMES = 1 + (CLIP_SAMPLES - WINDOW_SAMPLES) // STRIDE_SAMPLES
LOWEST_HZ = 20.0
HIGHEST_HZ = SAMPLE_RATE_HZ / 2
# Keeps the logarithm finite in digital silence; about -120 dB of full scale.
POWER_FLOOR = 1e-6

Doubles = npt.NDArray[np.float64]


def mfcc(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Compute the coefficients of one clip.

    Args:
        clip: PCM samples at 8 kHz, int16 ``(n,)``; cut or padded with silence to one second.

    Returns:
        float32 ``(49, 10)``.
    """
    samples = np.zeros(CLIP_SAMPLES)
    kept = clip[:CLIP_SAMPLES]
    samples[: len(kept)] = kept / 32768.0
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::STRIDE_SAMPLES]
    spectrum = np.fft.rfft(frames * np.hanning(WINDOW_SAMPLES), FFT_SAMPLES)
    bands = (np.abs(spectrum) ** 2) @ mel_filters().T
    return np.asarray(np.log(bands + POWER_FLOOR) @ dct_matrix().T, np.float32)


def mel_filters() -> Doubles:
    """Return triangular filters of unit height, ``(40, 257)`` over the bins of the spectrum."""
    edges_mel = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), MEL_BANDS + 2)
    edges = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def dct_matrix() -> Doubles:
    """Return the first rows of the orthonormal DCT-II, ``(10, 40)``."""
    row = np.arange(COEFFICIENTS)[:, None]
    band = np.arange(MEL_BANDS)[None, :]
    matrix = np.sqrt(2.0 / MEL_BANDS) * np.cos(np.pi * row * (2 * band + 1) / (2 * MEL_BANDS))
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix)


def _mel(frequency_hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + frequency_hz / 700.0))
