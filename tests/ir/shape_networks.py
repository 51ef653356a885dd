"""Networks that cut, join, turn and stretch tensors."""

from __future__ import annotations

from keras import layers, ops
from small_networks import network


def _same(width, kernel=3, **options):
    return layers.Conv2D(width, kernel, padding="same", **options)


@network(8, 6, 4)
def permuted(x):
    return layers.Conv2D(3, 3)(layers.Permute((2, 1, 3))(_same(4)(x)))


@network(8, 6, 4)
def permuted_channels_first_and_back(x):
    x = layers.Permute((3, 1, 2))(_same(4)(x))
    return layers.Permute((2, 3, 1))(x)


@network(8, 8, 4)
def cropped_all_around(x):
    return layers.Cropping2D(1)(_same(4)(x))


@network(8, 8, 8)
def split_in_equal_parts(x):
    left, right = ops.split(_same(8)(x), 2, axis=-1)
    return layers.Concatenate()([left, _same(4)(right)])


@network(8, 8, 8)
def split_at_positions(x):
    first, second, third = ops.split(_same(8)(x), [2, 5], axis=-1)
    return layers.Concatenate()([third, _same(4)(first), second])


@network(8, 8, 8)
def split_into_four_and_summed(x):
    parts = ops.split(_same(8)(x), 4, axis=-1)
    outputs = [parts[0]]
    for part in parts[1:]:
        outputs.append(_same(2)(layers.Add()([part, outputs[-1]])))
    return layers.Concatenate()(outputs)


@network(8, 8, 8)
def sliced_channels(x):
    x = _same(8)(x)
    return layers.Concatenate()([x[..., :3], _same(2)(x[:, :, :, 3:])])


@network(8, 8, 4)
def sliced_pixels(x):
    return _same(4)(x)[:, ::2, 1:-1, :]


@network(8, 8, 4)
def one_row_taken(x):
    return layers.Conv1D(3, 3)(_same(4)(x)[:, 2])


@network(8, 8, 8)
def channels_shuffled(x):
    x = _same(8, groups=2)(x)
    x = layers.Permute((1, 2, 4, 3))(layers.Reshape((8, 8, 2, 4))(x))
    return _same(8, groups=2)(layers.Reshape((8, 8, 8))(x))


@network(8, 8, 4)
def resized_to_nearest(x):
    return layers.Resizing(12, 6, interpolation="nearest")(_same(4)(x))


@network(8, 8, 4)
def resized_bilinear(x):
    return layers.Resizing(12, 6)(_same(4)(x))


@network(8, 8, 4)
def upsampled_by_three_and_nearest(x):
    return _same(2)(layers.UpSampling2D(3)(_same(4)(x)))


@network(8, 8, 4)
def u_net(x):
    skips = []
    for width in (4, 6):
        x = layers.ReLU()(layers.BatchNormalization()(_same(width)(x)))
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = _same(8, activation="relu")(x)
    for width, skip in ((6, skips[1]), (4, skips[0])):
        x = layers.Conv2DTranspose(width, 2, strides=2, padding="same")(x)
        x = _same(width, activation="relu")(layers.Concatenate()([x, skip]))
    return layers.Conv2D(1, 1, activation="sigmoid")(x)


@network(8, 8, 4)
def u_net_upsampled(x):
    skip = _same(4, activation="relu")(x)
    x = _same(6, activation="relu")(layers.MaxPooling2D(2)(skip))
    x = layers.Concatenate()([layers.UpSampling2D(2)(x), skip])
    return layers.Conv2D(2, 1, activation="softmax")(_same(4)(x))


@network(8, 8, 4)
def transposed_with_other_paddings(x):
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)(x)
    return layers.Conv2DTranspose(3, (2, 3), strides=(1, 2))(x)


@network(16, 4)
def transposed_over_time(x):
    return layers.Conv1DTranspose(3, 4, strides=2, padding="same", activation="relu")(x)


@network(8, 8, 4)
def pooled_and_flattened(x):
    x = layers.GlobalMaxPooling2D(keepdims=True)(_same(6)(x))
    x = layers.Conv2D(3, 1, activation="relu")(x)
    return layers.Flatten()(x)


@network(8, 8, 4)
def expanded_and_squeezed(x):
    x = ops.expand_dims(layers.GlobalAveragePooling2D()(_same(6)(x)), 1)
    return ops.squeeze(layers.Conv1D(3, 1)(x), 1)


@network(8, 8, 4)
def reshaped_by_operations(x):
    return layers.Dense(3)(ops.reshape(layers.MaxPooling2D(2)(_same(6)(x)), (-1, 96)))


@network(8, 6, 4)
def transposed_by_operations(x):
    return ops.transpose(_same(3)(x), (0, 2, 1, 3))


@network(8, 8, 4)
def padded_by_operations(x):
    return layers.Conv2D(3, 3)(ops.pad(_same(4)(x), [[0, 0], [1, 1], [1, 1], [0, 0]]))


@network(8, 8, 4)
def stacked_features(x):
    x = layers.GlobalAveragePooling2D()(x)
    return ops.stack([layers.Dense(3)(x), layers.Dense(3)(x)], axis=1)


@network(4)
def repeated_vector(x):
    return layers.RepeatVector(5)(layers.Dense(4)(x))


@network(8, 8, 4)
def pooled_with_adaptive_sizes(x):
    return layers.AveragePooling2D((2, 4), strides=(2, 1))(_same(4)(x))


@network(8, 8, 8)
def depth_to_space(x):
    return _same(3)(ops.nn.depth_to_space(_same(8)(x), 2))


@network(8, 8, 8)
def sliced_from_zero_and_from_the_end(x):
    x = _same(8)(x)
    return _same(2)(x[:, 0:4, -3:])


@network(8, 8, 4)
def first_and_last_frames(x):
    x = _same(4)(x)
    return layers.Concatenate()([x[:, 0], x[:, -1]])


@network(8, 8, 4)
def permuted_over_ones(x):
    x = layers.GlobalAveragePooling2D(keepdims=True)(_same(4)(x))
    return layers.Permute((3, 1, 2))(x)


@network(1, 8, 8, 3)
def first_axis_squeezed(x):
    return _same(3)(ops.squeeze(x, 1))


@network(8, 8, 4)
def negative_axes_joined(x):
    return ops.concatenate([_same(3)(x), _same(3)(x)], axis=3)
