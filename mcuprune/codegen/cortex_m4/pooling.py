"""MAX_POOL_2D for the DSP extension."""

from __future__ import annotations

import dataclasses

from mcuprune.codegen.kernel_call import KernelCall
from mcuprune.codegen.model_file import Node
from mcuprune.codegen.operators import pooling as portable

# Fewer channels do not fill a word.
_LEAST_CHANNELS = 4


def max_pool_2d(node: Node) -> tuple[KernelCall, ...]:
    """MAX_POOL_2D; of fewer than four channels the portable kernel."""
    (call,) = portable.max_pool_2d(node)
    if node.input_shape()[3] < _LEAST_CHANNELS:
        return (call,)
    return (dataclasses.replace(call, kernel="max_pool_2d_dsp", header=""),)
