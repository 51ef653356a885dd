"""ADD for the DSP extension."""

from __future__ import annotations

from mcuprune.codegen.cortex_m4 import sums
from mcuprune.codegen.fixed_point import Multiplier
from mcuprune.codegen.kernel_call import KernelCall, Parameter
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators import arithmetic as portable
from mcuprune.codegen.requantization import activation_limits

# Fraction bits of the sum: what the portable kernel gives an input with a multiplier of 1/2.
_PLAIN_BITS = portable.LEFT_SHIFT - 1
_LEFT = portable.LEFT_SHIFT + 1


def add(node: Node) -> tuple[KernelCall, ...]:
    """ADD of two activations of one shape; else the portable kernel."""
    (call,) = portable.add(node)
    one, other, output = portable.sum_multipliers(node)
    if node.input_shape(0) != node.input_shape(1) or not sums.have_quick_shifts([output]):
        return (call,)
    plain, scaled = (0, 1) if one == portable.ONE_HALF else (1, 0)
    multiplier = (one, other)[scaled]
    quick = KernelCall(
        "add_dsp",
        (node.operator.inputs[plain], node.operator.inputs[scaled]),
        node.operator.outputs,
        {
            "count": int(node.output().elements),
            "plain_offset": -node.input_quantization(plain).zero_point << _PLAIN_BITS,
            **_scaled_parameters(multiplier, -node.input_quantization(scaled).zero_point),
            "output_factor": output.factor,
            "output_shift": -output.shift - 1,
            **sums.rounding_of(node.output_quantization().zero_point),
            **activation_limits(node).to_parameters(),
        },
    )
    return (quick,)


def _scaled_parameters(multiplier: Multiplier, offset: int) -> dict[str, Parameter]:
    """Return how the input of the smaller scale is brought to the larger one.

    Between equal scales nothing is rounded; one bit more, shifted out again, says the same.
    """
    extra = int(multiplier.shift == 0)
    return {
        "scaled_offset": offset << (_LEFT + extra),
        "left": _LEFT + extra,
        "scaled_factor": multiplier.factor,
        "scaled_shift": extra - multiplier.shift,
    }
