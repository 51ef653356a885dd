"""One door for all models: a Keras model, a file of one, or a ``.tflite`` file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from mcuprune.errors import InputError
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.ir.graph import Graph
from mcuprune.ir.hdf5_files import require_readable
from mcuprune.suggest import near_file

KERAS_ENDINGS = (".keras", ".h5", ".hdf5")
_BY_TF_KERAS = (
    "install mcuprune[tf-keras] and load it with tf_keras, "
    "mcuprune.from_tf_keras(tf_keras.models.load_model(path))"
)


def read_graph(model: Any) -> Graph:
    """Return the graph of a model as the device executes it.

    Args:
        model: A built functional or Sequential ``keras.Model``, or the path of a ``.keras``,
            ``.h5`` or ``.tflite`` file. TensorFlow is imported for Keras models only.

    Raises:
        InputError: The file is missing, unreadable or malformed.
        UnsupportedModelError: The Keras model cannot be read as a graph.
    """
    if not isinstance(model, str | Path):
        return _keras_graph(model)
    if is_keras_file(model):
        return _keras_graph(load_keras(model))
    return read_tflite(model)


def is_keras_file(path: str | Path) -> bool:
    """Return whether a path ends like a Keras model's."""
    return Path(path).suffix.lower() in KERAS_ENDINGS


def load_keras(path: str | Path, *, allow_lambda: bool = False) -> Any:
    """Load a Keras model from a ``.keras`` or ``.h5`` file, uncompiled.

    Args:
        path: The file.
        allow_lambda: Whether its Lambda layers, which hold Python code, may be loaded and run.

    Raises:
        InputError: The file is missing, Keras cannot load it, or it holds Lambda layers that were
            not allowed.
    """
    if (Path(path) / "saved_model.pb").is_file():
        raise InputError(f"{path} is a SavedModel, which Keras 3 cannot load: {_BY_TF_KERAS}")
    if not Path(path).is_file():
        found = "is a folder" if Path(path).is_dir() else "does not exist"
        near = near_file(Path(path))
        raise InputError(f"{path} {found}: check the path to the .keras or .h5 file{near}")
    if not is_keras_file(path):
        raise InputError(f"{path} is no Keras model: give a file that ends in .keras or .h5")
    require_readable(Path(path))
    import keras

    import mcuprune.ir.fake_quantization  # noqa: F401 (its layers may be in the file)

    try:
        return keras.models.load_model(path, compile=False, safe_mode=not allow_lambda)
    # Keras builds layers from whatever the file says, and they raise whatever they like.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        if "Lambda" in reason and not allow_lambda:
            raise InputError(
                f"{path} holds a Lambda layer, which is Python code that would run on this "
                "machine: deploy it with --allow-lambda if you trust who made the file, or put a "
                "layer of Keras in its place"
            ) from error
        writer = _keras_version(path)
        advice = "save the model again with model.save('model.keras')"
        if writer.startswith("2."):
            advice = f"Keras {writer} wrote it; {_BY_TF_KERAS}"
        raise InputError(
            f"Keras {keras.__version__} cannot load {path} ({reason}): {advice}"
        ) from error


def _keras_version(path: str | Path) -> str:
    """Return the version of Keras that wrote a file; empty where the file does not say."""
    try:
        return _stated_version(path)
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile):
        return ""


def _stated_version(path: str | Path) -> str:
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "metadata.json" not in archive.namelist():
                return ""
            return str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
    if h5py.is_hdf5(path):
        with h5py.File(path) as file:
            return str(file.attrs.get("keras_version", ""))
    return ""


def _keras_graph(model: Any) -> Graph:
    from mcuprune.ir.from_keras import graph_from_keras

    return graph_from_keras(model)
