"""Networks that normalise by statistics of the input itself, or scale by constants."""

from __future__ import annotations

from keras import layers
from small_networks import network


def _same(width, kernel=3, **options):
    return layers.Conv2D(width, kernel, padding="same", **options)


@network(8, 8, 4)
def layer_normalization(x):
    return _same(4)(layers.LayerNormalization()(_same(6)(x)))


@network(8, 8, 4)
def layer_normalization_without_scale(x):
    return _same(4)(layers.LayerNormalization(scale=False)(_same(6)(x)))


@network(8, 8, 4)
def layer_normalization_without_center(x):
    return _same(4)(layers.LayerNormalization(center=False)(_same(6)(x)))


@network(8, 8, 4)
def layer_normalization_plain(x):
    return _same(4)(layers.LayerNormalization(center=False, scale=False)(_same(6)(x)))


@network(8, 8, 4)
def layer_normalization_over_all(x):
    return _same(4)(layers.LayerNormalization(axis=(1, 2, 3))(_same(6)(x)))


@network(8)
def layer_normalization_of_vectors(x):
    return layers.Dense(3)(layers.LayerNormalization()(layers.Dense(6)(x)))


@network(8, 8, 4)
def rms_normalization(x):
    return _same(4)(layers.RMSNormalization()(_same(6)(x)))


@network(8, 8, 4)
def group_normalization(x):
    return _same(4)(layers.GroupNormalization(groups=2)(_same(6)(x)))


@network(8, 8, 4)
def group_normalization_of_one_group(x):
    return _same(4)(layers.GroupNormalization(groups=1)(_same(6)(x)))


@network(8, 8, 4)
def group_normalization_per_channel(x):
    return _same(4)(layers.GroupNormalization(groups=-1)(_same(6)(x)))


@network(8, 8, 4)
def unit_normalization(x):
    return layers.UnitNormalization()(layers.GlobalAveragePooling2D()(_same(6)(x)))


@network(8, 8, 4)
def batch_normalization_with_its_axis_named(x):
    x = layers.BatchNormalization(axis=3)(layers.MaxPooling2D(2)(x))
    return layers.ReLU()(layers.BatchNormalization(axis=3)(_same(6)(x)))


@network(8, 8, 4)
def batch_normalization_over_rows(x):
    return layers.BatchNormalization(axis=1)(layers.MaxPooling2D(2)(x))


@network(8, 8, 4)
def batch_normalization_without_scale_or_center(x):
    x = layers.BatchNormalization(scale=False)(layers.MaxPooling2D(2)(x))
    x = layers.BatchNormalization(center=False)(layers.MaxPooling2D(2)(x))
    return layers.BatchNormalization(center=False, scale=False)(x)


@network(8, 8, 3)
def rescaling_per_channel(x):
    return _same(4)(layers.Rescaling([0.5, 1.0, 2.0], offset=[-0.1, 0.2, 0.0])(x))


@network(8, 8, 3)
def rescaling_per_channel_alone(x):
    return layers.MaxPooling2D(2)(layers.Rescaling([0.5, 1.0, 2.0])(layers.MaxPooling2D(2)(x)))


@network(8, 8, 3)
def normalization_not_adapted(x):
    return _same(4)(layers.Normalization()(x))


@network(8, 8, 3)
def normalization_of_one_number(x):
    return _same(4)(layers.Normalization(mean=0.5, variance=0.04)(x))


@network(8, 8, 3)
def normalization_of_one_number_for_all(x):
    return _same(4)(layers.Normalization(axis=None, mean=0.5, variance=0.04)(x))


@network(8)
def normalization_of_vectors(x):
    return layers.Dense(3)(layers.Normalization(mean=[0.5] * 8, variance=[0.04] * 8)(x))


@network(8, 8, 3)
def normalization_inverted(x):
    return layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0], invert=True)(x)
