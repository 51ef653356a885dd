"""Free Spoken Digit Dataset: 3,000 clips of six speakers saying the ten digits, at 8 kHz."""

from __future__ import annotations

import dataclasses
import re
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.archive import read_npz
from mcuprune.recipes.datasets.dataset import Dataset, Normalisation
from mcuprune.recipes.datasets.mfcc import COEFFICIENTS, FRAMES, SAMPLE_RATE_HZ, mfcc

# The data set's README: takes 0-4 of each digit and speaker are the official test set.
TEST_TAKES = 5
WHERE = (
    "Get it with `git clone https://github.com/Jakobovski/free-spoken-digit-dataset` and pass "
    "--data free-spoken-digit-dataset/recordings"
)
_CLIP_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[^_]+)_(?P<take>[0-9]+)")
_KEYS = ("pcm", "offsets", "name")
_KINDS = (np.int16, np.integer, np.str_)


@dataclasses.dataclass(frozen=True)
class Clip:
    """One recording.

    Attributes:
        digit: What is said, 0 to 9.
        take: Number of the take for this digit and speaker.
        samples: PCM at 8 kHz, int16 ``(n,)``.
    """

    digit: int
    take: int
    samples: npt.NDArray[np.int16]


def load_fsdd(path: Path | None = None, validation_takes: int = 2) -> Dataset:
    """Load spoken digits as MFCC images.

    Takes 0-4 of each digit and speaker are the test set (300 clips of the full data set), the
    next ``validation_takes`` the validation set, the rest is for training. Each coefficient is
    shifted and scaled by its mean and standard deviation over the training clips.

    Args:
        path: A folder of ``{digit}_{speaker}_{take}.wav`` (8 kHz, 16 bit, mono), or an ``.npz``
            with ``pcm`` (all clips in a row), ``offsets`` (n + 1 bounds) and ``name``.
        validation_takes: Takes per digit and speaker held out of training for validation.

    Returns:
        Inputs of shape ``(49, 10, 1)``, ten classes.

    Raises:
        InputError: The data is missing or malformed; says where to get it.
    """
    if path is None:
        raise InputError(
            f"the spoken digits are not part of mcuprune, and --data is empty. {WHERE}"
        )
    if not path.exists():
        raise InputError(f"{path} does not exist. {WHERE}")
    if validation_takes < 1:
        raise InputError(f"validation_takes is {validation_takes}: give at least 1")
    clips = _read_folder(path) if path.is_dir() else _read_npz(path)
    test = [clip for clip in clips if clip.take < TEST_TAKES]
    bound = TEST_TAKES + validation_takes
    validation = [clip for clip in clips if TEST_TAKES <= clip.take < bound]
    train = [clip for clip in clips if clip.take >= bound]
    if not (test and validation and train):
        raise InputError(
            f"{path} holds {len(clips)} clips: {len(train)} to train (take {bound} and up), "
            f"{len(validation)} to validate (takes {TEST_TAKES} to {bound - 1}) and {len(test)} to "
            f"test (takes 0 to {TEST_TAKES - 1}); each needs at least one. {WHERE}"
        )
    return _dataset(train, validation, test)


def _dataset(train: Sequence[Clip], validation: Sequence[Clip], test: Sequence[Clip]) -> Dataset:
    x_train, x_val, x_test = (
        np.stack([mfcc(clip.samples) for clip in part]) for part in (train, validation, test)
    )
    mean = x_train.mean(axis=(0, 1))
    deviation = x_train.std(axis=(0, 1)) + 1e-6

    def normalised(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray((features - mean) / deviation, np.float32)[..., np.newaxis]

    y_train, y_val, y_test = (
        np.array([clip.digit for clip in part], np.int64) for part in (train, validation, test)
    )
    return Dataset(
        x_train=normalised(x_train),
        y_train=y_train,
        x_val=normalised(x_val),
        y_val=y_val,
        x_test=normalised(x_test),
        y_test=y_test,
        classes=10,
        input_shape=(FRAMES, COEFFICIENTS, 1),
        normalisation=Normalisation(tuple(mean.tolist()), tuple(deviation.tolist())),
    )


def _read_folder(folder: Path) -> list[Clip]:
    files = sorted(folder.glob("*.wav"))
    if not files:
        raise InputError(f"{folder} holds no .wav files. {WHERE}")
    return [_clip(file.stem, _read_wav(file), str(file)) for file in files]


def _read_wav(path: Path) -> npt.NDArray[np.int16]:
    try:
        with wave.open(str(path), "rb") as file:
            found = (file.getframerate(), file.getsampwidth(), file.getnchannels())
            frames = file.getnframes()
            data = file.readframes(frames)
    # A chunk that reaches beyond the file is a RuntimeError without a word.
    except (wave.Error, EOFError, OSError, RuntimeError) as error:
        reason = str(error) or "its chunks reach beyond its end"
        raise InputError(f"{path} is no readable wav file ({reason}): replace it") from error
    if found != (SAMPLE_RATE_HZ, 2, 1):
        rate, width, channels = found
        raise InputError(
            f"{path} has {rate} Hz, {8 * width} bit and {channels} channel(s), expected 8000 Hz, "
            "16 bit, mono: convert it, for example with `ffmpeg -i in.wav -ar 8000 -ac 1 "
            "-sample_fmt s16 out.wav`"
        )
    if len(data) != 2 * frames:
        raise InputError(
            f"{path} ends after {len(data):,} of {2 * frames:,} bytes of sound: replace it"
        )
    return np.frombuffer(data, "<i2").astype(np.int16)


def _read_npz(path: Path) -> list[Clip]:
    arrays = read_npz(path, _KEYS, WHERE)
    for key, kind, expected in zip(_KEYS, _KINDS, ("int16", "whole numbers", "text"), strict=True):
        found = arrays[key]
        if found.ndim != 1 or not np.issubdtype(found.dtype, kind):
            raise InputError(
                f"{path}: {key} has the shape {found.shape} and the dtype {found.dtype}, expected "
                f"a row of {expected}. {WHERE}"
            )
    pcm, offsets, names = (arrays[key] for key in _KEYS)
    if len(offsets) != len(names) + 1 or offsets[-1] > len(pcm):
        raise InputError(
            f"{path}: {len(names)} names need {len(names) + 1} offsets up to {len(pcm)}, found "
            f"{len(offsets)} up to {offsets[-1] if len(offsets) else 'nothing'}. {WHERE}"
        )
    return [
        _clip(str(name), pcm[start:end], f"{path}, clip {name}")
        for name, start, end in zip(names, offsets[:-1], offsets[1:], strict=True)
    ]


def _clip(name: str, samples: npt.NDArray[np.int16], where: str) -> Clip:
    match = _CLIP_NAME.fullmatch(name)
    if not match:
        raise InputError(
            f"{where}: the name {name!r} does not read digit_speaker_take, such as '7_jackson_32'"
        )
    if not len(samples):
        raise InputError(f"{where}: the recording is empty: remove or replace it")
    return Clip(int(match["digit"]), int(match["take"]), samples)
