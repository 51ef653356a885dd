"""Whether the HDF5 library can read a model's weights, tried in a process of its own.

The library is C code that a damaged file can crash (a segmentation fault in h5py 3 on a ``.h5``
file of which a few bytes differ), which would take the user's process along.

Run as a module, this is the child: the file's path as argument.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

from mcuprune.child_process import failure_of
from mcuprune.errors import InputError

LIMIT_S = 120.0
MODULE = "mcuprune.ir.hdf5_files"
_KERAS_WEIGHTS = "model.weights.h5"


def require_readable(path: Path) -> None:
    """Raise unless all groups, attributes and numbers of a Keras file can be read.

    Args:
        path: A ``.keras`` or ``.h5`` file.

    Raises:
        InputError: They cannot; or not within two minutes.
    """
    try:
        failed = failure_of(MODULE, str(path), limit_s=LIMIT_S)
    except TimeoutError:
        raise _damaged(path, f"no end after {LIMIT_S:g} s") from None
    if failed is not None:
        crashed, cause = failed
        raise _damaged(path, f"the HDF5 library crashes: {cause}" if crashed else cause)


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} cannot be read ({reason[:300]}): it may be cut short or damaged, copy it again or "
        "save the model again with model.save('model.keras')"
    )


def _read_all(path: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        if _KERAS_WEIGHTS in members:
            _read_hdf5(io.BytesIO(members[_KERAS_WEIGHTS]))
    else:
        _read_hdf5(path)


def _read_hdf5(source: Any) -> None:
    import h5py

    def read(_name: str, entry: Any) -> None:
        for key in entry.attrs:
            entry.attrs[key]
        if isinstance(entry, h5py.Dataset):
            entry[()]

    with h5py.File(source, "r") as file:
        read("", file)
        file.visititems(read)


if __name__ == "__main__":
    _read_all(Path(sys.argv[1]))
