"""The reference networks have the layers and weights of their sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcuprune.errors import UnknownNameError
from mcuprune.recipes import models

MLPERF = Path(__file__).parents[3] / "shared" / "models" / "mlperf_tiny"


def layer_macs(model) -> int:
    """Multiply-accumulates from kernel shapes and output extents alone."""
    total = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D"):
            total += layer.kernel.shape.num_elements() * _pixels(layer)
        elif kind == "Dense":
            total += layer.kernel.shape.num_elements()
    return total


def _pixels(layer) -> int:
    _, height, width, _ = layer.output.shape
    return height * width


@pytest.mark.parametrize(
    ("name", "options", "macs"),
    [
        # 8*8*9*16 + 4*4*9*16*32 + 2*2*9*32*64 + 64*10
        ("digits_cnn", {}, 9216 + 73728 + 73728 + 640),
        # The four below: MLPerf Tiny's published counts, and peers' on 28x28x1 and ten digits.
        ("resnet8", {}, 12_501_632),
        ("resnet8", {"input_shape": (28, 28, 1)}, 9_345_920),
        ("dscnn", {}, 2_656_768),
        ("dscnn", {"classes": 10}, 2_656_640),
        ("mobilenet_v1_025", {}, 7_489_664),
        ("fc_autoencoder", {}, 264_192),
    ],
)
def test_multiply_accumulates(name, options, macs):
    assert layer_macs(getattr(models, name)(**options)) == macs


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("resnet8", "pretrainedResnet.h5"),
        ("mobilenet_v1_025", "vww_96.h5"),
        ("fc_autoencoder", "ad01.h5"),
    ],
)
def test_weights_have_the_shapes_of_the_mlperf_file(name, file):
    if not (MLPERF / file).exists():
        pytest.skip(f"needs {file} of MLPerf Tiny under shared/models/mlperf_tiny")
    h5py = pytest.importorskip("h5py")
    theirs: list[tuple[int, ...]] = []
    with h5py.File(MLPERF / file) as stored:
        stored["model_weights"].visititems(
            lambda _, item: theirs.append(item.shape) if hasattr(item, "shape") else None
        )
    ours = [tuple(weight.shape) for weight in getattr(models, name)().weights]
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("name", [*models.BUILDERS, "fc_autoencoder"])
def test_batch_norm_follows_small_sets(name):
    found = [
        layer.momentum
        for layer in getattr(models, name)().layers
        if type(layer).__name__ == "BatchNormalization"
    ]
    assert found
    assert set(found) == {0.9}


def test_widths_are_arguments():
    model = models.resnet8((28, 28, 1), widths=(4, 8, 16))
    assert model.get_layer("stack2_add").output.shape == (None, 14, 14, 8)


def test_unknown_model_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'resnet8'"):
        models.builder("resnet")
