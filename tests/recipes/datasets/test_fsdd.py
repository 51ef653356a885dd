"""Spoken digits: split, both file forms, and every way the data can be wrong."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from mcuprune.errors import InputError
from mcuprune.recipes.datasets.fsdd import load_fsdd

SHARED = Path(__file__).parents[4] / "shared" / "data" / "fsdd" / "fsdd.npz"


def write_wav(path: Path, samples: np.ndarray, rate: int = 8000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


def recordings() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        f"{digit}_ann_{take}": generator.integers(-9000, 9000, 2000 + 100 * take).astype(np.int16)
        for digit in range(10)
        for take in range(9)
    }


@pytest.fixture
def folder(tmp_path):
    for name, samples in recordings().items():
        write_wav(tmp_path / f"{name}.wav", samples)
    return tmp_path


def save_npz(path: Path) -> Path:
    clips = recordings()
    offsets = np.cumsum([0, *(len(samples) for samples in clips.values())])
    np.savez(path, pcm=np.concatenate(list(clips.values())), offsets=offsets, name=list(clips))
    return path


def test_split_by_take(folder):
    spoken = load_fsdd(folder)
    # Ten digits: takes 0-4 test, 5-6 validation, 7-8 training.
    assert spoken.x_test.shape == (50, 49, 10, 1)
    assert spoken.x_val.shape == (20, 49, 10, 1)
    assert spoken.x_train.shape == (20, 49, 10, 1)
    assert np.bincount(spoken.y_test).tolist() == [5] * 10


def test_normalised_by_the_training_clips(folder):
    train = load_fsdd(folder).x_train
    np.testing.assert_allclose(train.mean(axis=(0, 1, 3)), 0.0, atol=1e-4)
    np.testing.assert_allclose(train.std(axis=(0, 1, 3)), 1.0, atol=1e-3)


def test_archive_and_folder_hold_the_same(folder, tmp_path):
    archive = load_fsdd(save_npz(tmp_path / "clips.npz"))
    wavs = load_fsdd(folder)
    np.testing.assert_array_equal(np.sort(archive.y_train), np.sort(wavs.y_train))
    np.testing.assert_allclose(
        np.sort(archive.x_test, axis=None), np.sort(wavs.x_test, axis=None), rtol=1e-5, atol=1e-5
    )


@pytest.mark.skipif(not SHARED.exists(), reason="needs shared/data/fsdd/fsdd.npz")
def test_the_full_data_set_has_the_official_test_set():
    spoken = load_fsdd(SHARED)
    # 6 speakers x 10 digits x (5, 2, 43) takes.
    sizes = [len(part) for part in (spoken.y_test, spoken.y_val, spoken.y_train)]
    assert sizes == [300, 120, 2580]


def test_no_path_says_where_to_get_the_data():
    with pytest.raises(InputError, match=r"git clone https://github.com/Jakobovski.*--data"):
        load_fsdd(None)


def test_missing_path_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere does not exist.*--data"):
        load_fsdd(tmp_path / "nowhere")


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.wav files"):
        load_fsdd(tmp_path)


def test_too_few_takes(folder):
    for path in folder.glob("*_[78].wav"):
        path.unlink()
    with pytest.raises(InputError, match=r"0 to train \(take 7 and up\)"):
        load_fsdd(folder)


def test_wrong_rate_says_how_to_convert(folder):
    write_wav(folder / "3_ann_0.wav", np.ones(100), rate=16000)
    with pytest.raises(InputError, match=r"16000 Hz.*expected 8000 Hz.*ffmpeg"):
        load_fsdd(folder)


def test_broken_wav(folder):
    (folder / "3_ann_0.wav").write_bytes(b"not a wave file")
    with pytest.raises(InputError, match=r"3_ann_0\.wav is no readable wav file"):
        load_fsdd(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        # 44 bytes of header, then two bytes for each of 100 samples.
        (lambda wav: wav[:-51], r"ends after 149 of 200 bytes of sound"),
        (lambda wav: wav[:16] + b"\xff\xff\xff" + wav[19:], r"reach beyond its end"),
    ],
)
def test_wav_that_was_cut_short(folder, content, reason):
    path = folder / "3_ann_0.wav"
    write_wav(path, np.ones(100))
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(InputError, match=r"3_ann_0\.wav.*" + reason):
        load_fsdd(folder)


def test_file_name_without_digit(folder):
    write_wav(folder / "three_ann_0.wav", np.ones(100))
    with pytest.raises(InputError, match="does not read digit_speaker_take"):
        load_fsdd(folder)


def test_empty_recording(folder):
    write_wav(folder / "3_ann_0.wav", np.ones(0))
    with pytest.raises(InputError, match="the recording is empty"):
        load_fsdd(folder)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut short"])
def test_file_that_is_no_archive(tmp_path, content):
    path = tmp_path / "clips.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"clips\.npz is no readable \.npz file"):
        load_fsdd(path)


def test_archive_without_a_key(tmp_path):
    path = tmp_path / "clips.npz"
    np.savez(path, pcm=np.zeros(3, np.int16), offsets=np.array([0, 3]))
    with pytest.raises(InputError, match="lacks name; it holds pcm, offsets"):
        load_fsdd(path)


def test_archive_with_wrong_offsets(tmp_path):
    path = tmp_path / "clips.npz"
    np.savez(path, pcm=np.zeros(3, np.int16), offsets=np.array([0, 9]), name=["0_ann_0"])
    with pytest.raises(InputError, match="1 names need 2 offsets up to 3"):
        load_fsdd(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("pcm", np.zeros(3, np.float32), r"pcm has the shape \(3,\) and the dtype float32"),
        ("pcm", np.zeros((3, 1), np.int16), r"shape \(3, 1\).*expected a row of int16"),
        ("offsets", np.array([0.0, 3.0]), r"dtype float64, expected a row of whole numbers"),
        ("name", np.array(7), r"name has the shape \(\)"),
    ],
)
def test_archive_with_arrays_of_another_kind(tmp_path, key, value, message):
    path = tmp_path / "clips.npz"
    arrays = {"pcm": np.zeros(3, np.int16), "offsets": np.array([0, 3]), "name": ["0_ann_0"]}
    np.savez(path, **{**arrays, key: value})
    with pytest.raises(InputError, match=message):
        load_fsdd(path)
