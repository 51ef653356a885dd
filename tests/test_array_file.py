"""Arrays from files that may be damaged."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from mcuprune.array_file import UnreadableArraysError, read_arrays

ONE = np.arange(6, dtype=np.int16).reshape(2, 3)


def npy(array: np.ndarray, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in members.items():
            # With the time of the day, each worker of pytest-xdist would see another test.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(member, content)
    return buffer.getvalue()


def local_header(data: bytes, offset: int, value: int) -> bytes:
    """Set 16 bits of a member, in its own header and in that of the archive's end."""
    central = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    for at in (offset, central + offset + 2):
        changed[at : at + 2] = value.to_bytes(2, "little")
    return bytes(changed)


def damaged_stream(data: bytes) -> bytes:
    # The first bytes after the local header (30 bytes) and the name "x.npy".
    return data[:35] + b"\xff" * 8 + data[43:]


def test_arrays_of_an_archive_have_names(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, x=ONE, y=ONE[0])
    found = read_arrays(path)
    assert list(found) == ["x", "y"]
    np.testing.assert_array_equal(found["x"], ONE)
    np.testing.assert_array_equal(found["y"], [0, 1, 2])


def test_a_lone_array_has_none(tmp_path):
    np.save(tmp_path / "x.npy", ONE)
    np.testing.assert_array_equal(read_arrays(tmp_path / "x.npy")[""], ONE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not begin as NumPy's files do"),
        (b"no arrays", "does not begin as NumPy's files do"),
        (npy(ONE)[:-4], "read"),
        (archive(x=npy(ONE))[:60], "zip"),
        (archive(x=b"text"), "member 'x' is no array"),
        (damaged_stream(archive(x=npy(ONE))), "decompressing"),
        (local_header(archive(x=npy(ONE)), 6, 1), "encrypted"),
        (local_header(archive(x=npy(ONE)), 8, 99), "compression method"),
        (npy(ONE).replace(b"'shape': (2, 3)", b"'shape': (2, 3("), "header|EOF|statement"),
        (npy(ONE).replace(b"(2, 3), }      ", b"(2, 9999999999)"), "."),
        (npy(ONE)[:8] + b"\xff\xff" + b" " * 65535, "its header is damaged"),
        (npy(np.array([{}], object), allow_pickle=True), "Python objects, which are not loaded"),
        (archive(x=npy(np.array([{}], object), allow_pickle=True)), "Python objects, which"),
    ],
)
def test_what_is_no_array_is_an_error(tmp_path, content, reason):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(UnreadableArraysError, match=reason) as caught:
        read_arrays(path)
    assert "allow_pickle" not in str(caught.value)
