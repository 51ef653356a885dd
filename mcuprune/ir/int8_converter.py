"""TensorFlow's converter, called for one traced function: full int8, quiet, and never fatal.

A whole model is converted this way for deployment, a single layer to see what it costs.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mcuprune.errors import ConversionError
from mcuprune.interrupt import interrupt_deferred
from mcuprune.ir.float_stretches import without_float_stretches
from mcuprune.native_output import caught_output

# Quantizing a function that holds one of these ends the process (TensorFlow 2.21, batch 1).
_CONTROL_FLOW = frozenset({"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"})


def convert_traced(
    traced: Any,
    samples: Callable[[], Iterable[list[Any]]] | None,
    *,
    debug: bool = False,
) -> bytes:
    """Convert a function to int8.

    Args:
        traced: A ``ConcreteFunction`` of float32 or integer tensors of fixed shape.
        samples: Makes the calibration data anew: a list with one array for each input, several
            times. None for a function that rounds its activations itself.
        debug: Leave the converter's messages on the terminal.

    Returns:
        Contents of the ``.tflite`` file. Real inputs and outputs are int8; integers stay what
        they are. Operators without an int8 form compute in float32.

    Raises:
        ConversionError: The function holds a loop or a branch, or the converter refuses it. The
            message is the reason alone.
    """
    _refuse_control_flow(traced)
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    with contextlib.nullcontext() if debug else _quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if samples is not None:
            converter.representative_dataset = samples
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        try:
            with interrupt_deferred():
                converted: bytes = converter.convert()
        except (RuntimeError, ValueError, ConverterError) as error:
            problem = error
        else:
            return without_float_stretches(converted)
    raise ConversionError(_reason(problem))


def _refuse_control_flow(traced: Any) -> None:
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
    found = [node.name for node in nodes if node.op in _CONTROL_FLOW]
    if found:
        raise ConversionError(
            f"{found[0]!r} is a loop or a branch, which the converter cannot bring to int8"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    absl = logging.getLogger("absl")
    level = absl.level
    absl.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), caught_output():
            warnings.simplefilter("ignore")
            yield
    finally:
        absl.setLevel(level)


def _reason(error: Exception) -> str:
    """Pick MLIR's own message out of a text that starts with places in source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    messages = [line.split(" error: ", 1)[1] for line in lines if " error: " in line]
    return next(iter([*messages, *lines]), repr(error))
