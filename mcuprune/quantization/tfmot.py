"""Training with the numbers of int8 and clustering of weights by tensorflow-model-optimization.

An engine beside :func:`mcuprune.quantize_aware`, for those who want that library's own. It knows
models of tf_keras (Keras 2) only, so the small network is rebuilt there. Needs the extra
``tf-keras``.
"""

from __future__ import annotations

from typing import Any

from mcuprune.errors import MissingToolError, UnsupportedModelError
from mcuprune.keras2.rebuild import from_tf_keras
from mcuprune.quantization.tf_keras_copy import to_tf_keras

EXTRA = "tf-keras"


def quantize_aware_tfmot(model: Any) -> Any:
    """Return a tf_keras copy of a model that trains with the numbers of int8, as tfmot does it.

    Compile it with an optimizer of ``tf_keras``, fit it for a few epochs, then write its file with
    :func:`mcuprune.deployment.tf_keras_file.convert_tf_keras`.

    Args:
        model: A built functional or Sequential ``keras.Model``, trained and if it is to be pruned;
            it is not changed.

    Returns:
        What ``tfmot.quantization.keras.quantize_model`` makes of it, uncompiled. Batch norm stays
        in training and is folded at conversion; ranges are moving averages of minimum and maximum.

    Raises:
        MissingToolError: tensorflow-model-optimization is not installed.
        UnsupportedModelError: Keras 2 or tfmot does not know a layer.
    """
    tfmot, copy = _tfmot(), to_tf_keras(model)
    try:
        return tfmot.quantization.keras.quantize_model(copy)
    except (RuntimeError, ValueError) as error:
        raise UnsupportedModelError(
            f"tensorflow-model-optimization cannot quantize model {model.name!r} "
            f"({' '.join(str(error).split())[:300]}): use mcuprune.quantize_aware, or quantize it "
            "after training"
        ) from error


def cluster_tfmot(model: Any, clusters: int) -> Any:
    """Return a tf_keras copy of a model whose weights train as few distinct values per layer.

    Clusters make a file that compresses well, for downloads over the air; on the device, where
    weights lie open in flash, the model is as large as before.

    Args:
        model: A built functional or Sequential ``keras.Model``; it is not changed.
        clusters: Distinct values per kernel, 2 or more.

    Returns:
        What ``tfmot.clustering.keras.cluster_weights`` makes of it, uncompiled. When it is trained,
        :func:`stripped_of_clusters` brings it back.

    Raises:
        MissingToolError: tensorflow-model-optimization is not installed.
        UnsupportedModelError: Keras 2 or tfmot does not know a layer, or takes no such number.
    """
    tfmot, copy = _tfmot(), to_tf_keras(model)
    start = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
    try:
        return tfmot.clustering.keras.cluster_weights(copy, clusters, start)
    except (RuntimeError, ValueError) as error:
        raise UnsupportedModelError(
            f"tensorflow-model-optimization cannot cluster model {model.name!r} into {clusters} "
            f"({' '.join(str(error).split())[:300]})"
        ) from error


def stripped_of_clusters(model: Any) -> Any:
    """Return the plain Keras 3 model with the clustered weights, to be deployed like any.

    Args:
        model: What :func:`cluster_tfmot` returned, trained.

    Raises:
        MissingToolError: tensorflow-model-optimization is not installed.
    """
    return from_tf_keras(_tfmot().clustering.keras.strip_clustering(model))


def _tfmot() -> Any:
    try:
        import tensorflow_model_optimization
    except ImportError as error:
        raise MissingToolError(
            "tensorflow-model-optimization is not installed: pip install "
            f"'mcuprune[{EXTRA}]' brings it and tf_keras"
        ) from error
    return tensorflow_model_optimization
