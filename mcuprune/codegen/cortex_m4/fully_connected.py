"""FULLY_CONNECTED for the DSP extension."""

from __future__ import annotations

import numpy as np

from mcuprune.codegen.cortex_m4 import sums
from mcuprune.codegen.kernel_call import KernelCall, Numbers
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators import fully_connected as portable
from mcuprune.codegen.operators.convolution import bias_of
from mcuprune.codegen.requantization import activation_limits, multiplier_arrays

_WORD = 4


def fully_connected(node: Node) -> tuple[KernelCall, ...]:
    """FULLY_CONNECTED; with unusual sums the portable kernel."""
    (call,) = portable.fully_connected(node)
    weights, zero_point = node.constant(1), node.output_quantization().zero_point
    bias = bias_of(node, 2, len(weights))
    folded = sums.folded_bias(weights, bias, -node.input_quantization().zero_point)
    multipliers = portable.multipliers_of(node)
    paired = sums.Channels(_whole_words(weights), folded, multipliers).evened()
    if (
        node.input().is_constant
        or not sums.have_quick_shifts(multipliers)
        or not sums.can_pair(paired)
    ):
        return (call,)
    factors, _ = multiplier_arrays(multipliers)
    quick = KernelCall(
        "fully_connected_dsp",
        call.inputs,
        call.outputs,
        {
            "rows": call.parameters["rows"],
            "depth": call.parameters["depth"],
            "output_channels": len(weights),
            **sums.rounding_of(zero_point),
            **activation_limits(node).to_parameters(),
            "multiplier_step": call.parameters["multiplier_step"],
            "weights": sums.paired_weights(paired.weights),
            "bias": sums.paired_bias(paired.bias),
            "factors": factors,
            "shifts": sums.shifts_less_one(multipliers),
        },
        reads_past_bytes=-weights.shape[1] % _WORD,
    )
    return (quick,)


def _whole_words(weights: Numbers) -> Numbers:
    """Return weights ``(out, in)`` with zeros up to a multiple of four elements."""
    missing = -weights.shape[1] % _WORD
    return np.pad(weights, ((0, 0), (0, missing)))
