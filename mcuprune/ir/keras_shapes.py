"""Rules of the layers that cut, join, turn and stretch tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mcuprune.ir.draft import Shape, Value, integers
from mcuprune.ir.keras_step import Step, image_shape, rule


@rule("Flatten", "Reshape", "ExpandDims", "Squeeze")
def reshape(step: Step) -> Value:
    """RESHAPE."""
    if step.call.kind == "Flatten":
        step.require_channels_last()
    return step.reshape(step.input, step.shape)


@rule("Permute", "Transpose")
def permute(step: Step) -> Value:
    """TRANSPOSE."""
    rank = len(step.shape)
    if step.call.kind == "Permute":
        order: Sequence[int] = (0, *step.layer.dims)
    else:
        order = tuple(axis % rank for axis in step.layer.axes or reversed(range(rank)))
    return step.emit("TRANSPOSE", [step.input, integers("permutation", order)], step.shape)


@rule("ZeroPadding1D", "ZeroPadding2D")
def zero_padding(step: Step) -> Value:
    """PAD of the spatial axes."""
    step.require_channels_last()
    padding = step.layer.padding
    pairs = [padding] if step.call.kind == "ZeroPadding1D" else list(padding)
    return step.pad(step.input, pairs)


@rule("Pad")
def pad(step: Step) -> Value:
    """PAD with zeros of any axes but batch and channels."""
    pairs = [tuple(pair) for pair in step.layer.pad_width]
    if step.layer.mode != "constant" or len(step.inputs) > 1 or pairs[0] != (0, 0):
        raise step.unsupported("only padding with zeros becomes PAD")
    if pairs[-1] != (0, 0):
        raise step.unsupported("it pads the channels")
    return step.pad(step.input, pairs[1:-1])


@rule("Cropping1D", "Cropping2D")
def cropping(step: Step) -> Value:
    """STRIDED_SLICE of the spatial axes."""
    step.require_channels_last()
    given = step.layer.cropping
    pairs = [given] if step.call.kind == "Cropping1D" else given
    inner = [slice(before, -after or None) for before, after in pairs]
    return _sliced(step, [slice(None), *inner, slice(None)])


@rule("GetItem")
def get_item(step: Step) -> Value:
    """STRIDED_SLICE; what an index takes drops its axis."""
    key = step.call.arguments[1] if len(step.call.arguments) > 1 else step.call.keywords["key"]
    given = list(key) if isinstance(key, tuple | list) else [key]
    if not all(isinstance(k, slice | int) or k is Ellipsis for k in given):
        raise step.unsupported("only slices, whole numbers and ... become STRIDED_SLICE")
    rank = len(step.input.shape)
    if Ellipsis in given:
        at = given.index(Ellipsis)
        given[at : at + 1] = [slice(None)] * (rank - len(given) + 1)
    return _sliced(step, given)


def _sliced(step: Step, slices: Sequence[Any]) -> Value:
    """Add STRIDED_SLICE; its masks name the axes that start or end where the tensor does.

    The converter adds the axes at the end that are not given, with their lengths.
    """
    rest = step.input.shape[len(slices) :]
    whole = [k if isinstance(k, slice) else slice(k, k + 1) for k in slices]
    whole += [slice(None)] * len(rest)
    masks = {
        "begin_mask": _mask(k.start is None for k in whole),
        "end_mask": _mask(k.stop is None for k in whole),
        "ellipsis_mask": 0,
        "new_axis_mask": 0,
        "shrink_axis_mask": _mask(not isinstance(k, slice) for k in slices),
    }
    begin = integers("begin", [k.start or 0 for k in whole])
    end = integers("end", [*(k.stop or 0 for k in whole[: len(slices)]), *rest])
    strides = integers("strides", [k.step or 1 for k in whole])
    return step.emit("STRIDED_SLICE", [step.input, begin, end, strides], step.shape, **masks)


def _mask(axes: Iterator[bool]) -> int:
    return sum(1 << axis for axis, is_set in enumerate(axes) if is_set)


@rule("Concatenate")
def concatenate(step: Step) -> Value:
    """CONCATENATION along the layer's axis."""
    return step.emit(
        "CONCATENATION",
        list(step.inputs),
        step.shape,
        axis=step.layer.axis,
        fused_activation="NONE",
    )


@rule("Stack")
def stack(step: Step) -> Value:
    """PACK."""
    axis = step.layer.axis
    axis = axis + len(step.shape) if axis < 0 else axis
    return step.emit(
        "PACK", list(step.inputs), step.shape, values_count=len(step.inputs), axis=axis
    )


@rule("Split")
def split(step: Step) -> tuple[Value, ...]:
    """SPLIT into equal parts, SPLIT_V at given positions."""
    axis = step.layer.axis
    where = integers("axis", [axis], ())
    count = len(step.shapes)
    if isinstance(step.layer.indices_or_sections, int):
        return step.emit_all("SPLIT", [where, step.input], step.shapes, num_splits=count)
    sizes = integers("sizes", [shape[axis] for shape in step.shapes])
    return step.emit_all("SPLIT_V", [step.input, sizes, where], step.shapes, num_splits=count)


@rule("DepthToSpace")
def depth_to_space(step: Step) -> Value:
    """DEPTH_TO_SPACE."""
    block = step.layer.block_size
    return step.emit("DEPTH_TO_SPACE", [step.input], step.shape, block_size=block)


@rule("RepeatVector")
def repeat_vector(step: Step) -> Value:
    """TILE of an image of one pixel, between reshapes: the converter gives TILE four axes."""
    channels = step.input.shape[-1]
    single, repeated = (1, 1, 1, channels), (1, 1, step.layer.n, channels)
    multiples = integers("multiples", [1, 1, step.layer.n, 1])
    tiled = step.emit("TILE", [step.reshape(step.input, single), multiples], repeated)
    return step.reshape(tiled, step.shape)


@rule("UpSampling1D")
def upsampling_1d(step: Step) -> Value:
    """RESIZE_NEAREST_NEIGHBOR of an image of height 1, between reshapes."""
    wide = step.reshape(step.input, image_shape(step.input.shape))
    return step.reshape(_resized(step, wide, image_shape(step.shape), "nearest"), step.shape)


@rule("UpSampling2D")
def upsampling(step: Step) -> Value:
    """RESIZE_NEAREST_NEIGHBOR (see :mod:`mcuprune.ir.device_forms`) or RESIZE_BILINEAR."""
    step.require_channels_last()
    if step.layer.interpolation not in ("nearest", "bilinear"):
        raise step.unsupported("use interpolation='nearest' or 'bilinear'")
    return _resized(step, step.input, step.shape, step.layer.interpolation)


@rule("Resizing")
def resizing(step: Step) -> Value:
    """RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR."""
    step.require_channels_last()
    layer = step.layer
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio or layer.antialias:
        raise step.unsupported("it crops, pads or smooths: only plain resizing has an operator")
    if layer.interpolation not in ("nearest", "bilinear"):
        raise step.unsupported("use interpolation='nearest' or 'bilinear'")
    return _resized(step, step.input, step.shape, layer.interpolation)


def _resized(step: Step, source: Value, shape: Shape, interpolation: str) -> Value:
    kinds = {"bilinear": "RESIZE_BILINEAR", "nearest": "RESIZE_NEAREST_NEIGHBOR"}
    size = integers("size", shape[1:3])
    flags = {"align_corners": False, "half_pixel_centers": True}
    return step.emit(kinds[interpolation], [source, size], shape, **flags)
