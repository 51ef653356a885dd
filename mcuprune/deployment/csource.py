"""C files of a deployment: the model, its settings and golden vectors.

The data files are C and compile as C++ too. Operator registration is C++ (TFLM is), and lies in
the settings header behind ``__cplusplus``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from mcuprune.codegen.c_text import c_array
from mcuprune.engines.base import Array
from mcuprune.engines.op_resolver import resolver_method
from mcuprune.ir.graph import Graph

_VALUES_PER_LINE = 12
_ALIGNED = """\
#if defined(__cplusplus)
#define {guard}ALIGNED alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define {guard}ALIGNED _Alignas(16)
#else
#define {guard}ALIGNED __attribute__((aligned(16)))
#endif
"""


HOST_ARENA = "64-bit host, reference kernels"


@dataclasses.dataclass(frozen=True)
class ArenaSetting:
    """The tensor arena to reserve, and why.

    Attributes:
        used_bytes: What TFLM used on the 64-bit host, or is predicted to use on the board.
        smallest_bytes: Smallest arena in which it can allocate there.
        headroom_percent: Added on top of the larger of the two.
        counted_for: Where that is.
    """

    used_bytes: int
    smallest_bytes: int
    headroom_percent: int
    counted_for: str = HOST_ARENA

    @property
    def size_bytes(self) -> int:
        """Bytes to reserve, a multiple of 16.

        >>> ArenaSetting(used_bytes=3088, smallest_bytes=3520, headroom_percent=10).size_bytes
        3872
        """
        needed = max(self.used_bytes, self.smallest_bytes)
        with_headroom = -(-needed * (100 + self.headroom_percent) // 100)
        return -(-with_headroom // 16) * 16


def c_identifier(name: str) -> str:
    """Turn any name into a lower-case C identifier.

    >>> c_identifier("KWS-DS CNN"), c_identifier("2fast"), c_identifier("ä")
    ('kws_ds_cnn', 'model_2fast', 'model')
    """
    cleaned = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not cleaned:
        return "model"
    return f"model_{cleaned}" if cleaned[0].isdigit() else cleaned


def model_header(name: str) -> str:
    """Return ``model_data.h``: declares the model's bytes.

    Args:
        name: C identifier of the model.
    """
    declarations = (
        f"extern const unsigned char {name}_model_data[];\n"
        f"extern const size_t {name}_model_data_size;\n"
    )
    return _guarded(
        f"{name}_model_data_h",
        "/* The model: contents of model.tflite. */\n",
        f"#include <stddef.h>\n\n{_with_c_linkage(declarations)}",
    )


def model_source(name: str, model: bytes) -> str:
    """Return ``model_data.c``: the model's bytes, constant and 16-byte aligned.

    Args:
        name: C identifier of the model.
        model: Contents of the ``.tflite`` file.
    """
    macro = f"{name}_model_data_".upper()
    declaration = f"{macro}ALIGNED const unsigned char {name}_model_data[{len(model)}]"
    array = c_array(declaration, model, _VALUES_PER_LINE)
    return (
        '#include "model_data.h"\n\n'
        f"{_ALIGNED.format(guard=macro)}\n"
        f"{array}\n"
        f"const size_t {name}_model_data_size = {len(model)};\n"
    )


def settings_header(name: str, graph: Graph, arena: ArenaSetting) -> str:
    """Return ``model_settings.h``: size of the tensor arena and the operators to register.

    Args:
        name: C identifier of the model.
        graph: The model as read from its ``.tflite`` file.
        arena: The arena to reserve.

    Raises:
        ConversionError: An operator is no TFLite builtin.
    """
    methods = sorted({resolver_method(operator.kind) for operator in graph.operators})
    introduction = f"""\
/* Settings for TensorFlow Lite Micro.

   Arena: {arena.used_bytes} bytes are used ({arena.counted_for}),
   {arena.smallest_bytes} are needed to allocate (planning needs working memory of its own). The
   larger of the two and {arena.headroom_percent} % headroom, rounded up to 16. Print
   interpreter.arena_used_bytes() on the device and trim. */
"""
    calls = "".join(f"  failures += resolver.{method}() != 0;\n" for method in methods)
    declarations = f"""\
enum {{ kTensorArenaSize = {arena.size_bytes} }};
enum {{ kOperatorCount = {len(methods)} }};
"""
    registration = f"""
#ifdef __cplusplus
/* tflite::MicroMutableOpResolver<{len(methods)}> resolver;
   if (AddModelOperators(resolver) != 0) {{ ... }} */
template <typename Resolver>
inline int AddModelOperators(Resolver& resolver) {{
  int failures = 0;
{calls}  return failures;
}}
#endif
"""
    return _guarded(f"{name}_model_settings_h", introduction, declarations + registration)


def golden_header(name: str, inputs: Sequence[Array], outputs: Sequence[Array]) -> str:
    """Return ``golden_vectors.h``: declares inputs and the outputs TFLM gave.

    Args:
        name: C identifier of the model.
        inputs: Quantized inputs, an array of shape ``(n, ...)`` for each input.
        outputs: Outputs, an array of shape ``(n, ...)`` for each output.
    """
    introduction = (
        "/* Quantized inputs and what TensorFlow Lite Micro's reference kernels answer.\n"
        "   Input i starts at i * kGoldenInputSize, output i at i * kGoldenOutputSize. */\n"
    )
    sizes = f"enum {{ kGoldenCount = {len(inputs[0])} }};\n"
    for word, arrays in (("Input", inputs), ("Output", outputs)):
        for number, values in numbered(f"kGolden{word}Size", arrays).items():
            sizes += f"enum {{ {number} = {values[0].size} }};\n"
    declarations = "".join(
        f"extern {_c_type(values)} {name}_golden_{what}[];\n"
        for what, values in _golden_arrays(inputs, outputs).items()
    )
    body = f"#include <stdint.h>\n\n{sizes}\n{_with_c_linkage(declarations)}"
    return _guarded(f"{name}_golden_vectors_h", introduction, body)


def golden_source(name: str, inputs: Sequence[Array], outputs: Sequence[Array]) -> str:
    """Return ``golden_vectors.c``; arguments as for :func:`golden_header`."""
    return '#include "golden_vectors.h"\n\n' + "\n".join(
        c_array(
            f"{_c_type(values)} {name}_golden_{what}[{values.size}]",
            values.ravel().tolist(),
            _VALUES_PER_LINE,
        )
        for what, values in _golden_arrays(inputs, outputs).items()
    )


def numbered(name: str, arrays: Sequence[Array]) -> dict[str, Array]:
    """Name arrays: a single one plainly, several with their numbers.

    >>> import numpy as np
    >>> list(numbered("inputs", [np.zeros(1)])), list(numbered("inputs", [np.zeros(1)] * 2))
    (['inputs'], ['inputs_0', 'inputs_1'])
    """
    if len(arrays) == 1:
        return {name: arrays[0]}
    return {f"{name}_{number}": array for number, array in enumerate(arrays)}


def _golden_arrays(inputs: Sequence[Array], outputs: Sequence[Array]) -> dict[str, Array]:
    return {**numbered("inputs", inputs), **numbered("outputs", outputs)}


def _c_type(values: Array) -> str:
    return f"const {values.dtype.name}_t"


def _with_c_linkage(declarations: str) -> str:
    return (
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{declarations}\n'
        "#ifdef __cplusplus\n}\n#endif\n"
    )


def _guarded(guard: str, introduction: str, body: str) -> str:
    macro = f"{guard.upper()}_"
    return f"{introduction}\n#ifndef {macro}\n#define {macro}\n\n{body}\n#endif\n"
