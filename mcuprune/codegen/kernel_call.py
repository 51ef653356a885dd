"""What an operator becomes: the call of a C kernel with its parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[Any]
# A number, a few numbers in the structure itself, or an array of its own in flash.
Parameter: TypeAlias = int | float | tuple[int, ...] | Numbers


@dataclasses.dataclass(frozen=True)
class KernelCall:
    """A kernel with the parameters of one operator.

    The kernel ``conv_2d`` is the function ``mcuprune_conv_2d`` in ``mcuprune_conv_2d.h``, which
    takes a pointer to a ``mcuprune_conv_2d_t``, then the inputs, the outputs and, where it needs
    some, the working memory.

    Attributes:
        kernel: Name of the kernel; empty for an operator whose result is its input.
        inputs: Tensors read, by index.
        outputs: Tensors written.
        parameters: Fields of its structure, in order. Arrays become constants in flash.
        scratch_bytes: Working memory.
        header: Name of the file that holds it, where several kernels share one.
        reads_past_bytes: Bytes after its input that it may read, and ignore: it reads whole words.
    """

    kernel: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: Mapping[str, Parameter] = dataclasses.field(default_factory=dict)
    scratch_bytes: int = 0
    header: str = ""
    reads_past_bytes: int = 0

    @property
    def header_name(self) -> str:
        """Name of the header."""
        return f"mcuprune_{self.header or self.kernel}.h"

    def arrays(self) -> dict[str, Numbers]:
        """Return the parameters that are arrays."""
        return {
            name: value for name, value in self.parameters.items() if isinstance(value, np.ndarray)
        }
