"""Generated C as the runtime of a firmware."""

from __future__ import annotations

from collections.abc import Sequence

from mcuprune.codegen.generate import generate
from mcuprune.engines.firmware_build import RuntimeParts
from mcuprune.ir.from_tflite import parse_tflite

# Cores with the DSP extension, which the kernels for the Cortex-M4 need.
DSP_CORES = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "cortex-m85")
_DSP_TARGET, _PORTABLE = "cortex-m4", "portable"
_NAME = "model"


def generated_c(model: bytes, core: str) -> RuntimeParts:
    """Return the C that is generated for a model, with what ties it to the harness.

    Args:
        model: Contents of a ``.tflite`` file.
        core: The core that will run it.

    Raises:
        InputError: No sound TFLite model.
        UnsupportedModelError: Operators without a kernel; names them.
    """
    sources = generate(model, name=_NAME, target=target_of_core(core))
    graph = parse_tflite(model, "the model")
    glue = glue_source(_ports("input", graph.inputs), _ports("output", graph.outputs))
    return RuntimeParts("c", f"generated C ({sources.target})", {**sources.files, "glue.c": glue})


def target_of_core(core: str) -> str:
    """Return the kernels that suit a core.

    >>> target_of_core("cortex-m33"), target_of_core("cortex-m0plus")
    ('cortex-m4', 'portable')
    """
    return _DSP_TARGET if core in DSP_CORES else _PORTABLE


def _ports(what: str, tensors: Sequence[int]) -> list[str]:
    """Return the names that the generated C gives inputs or outputs."""
    return [what if len(tensors) == 1 else f"{what}{place}" for place in range(len(tensors))]


def glue_source(inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """Return the C that ties a generated model to the harness.

    Args:
        inputs: What the model calls its inputs: ``input``, or ``input0`` and so on.
        outputs: What it calls its outputs.
    """
    macro = _NAME.upper()
    buffers = "".join(
        f"static int8_t {port}[{macro}_{port.upper()}_BYTES] __attribute__((aligned(4)));\n"
        for port in outputs
    )
    reads = "".join(
        f"  missing += file_read(file, {_NAME}_{port}(), {macro}_{port.upper()}_BYTES);\n"
        for port in inputs
    )
    writes = "".join(f"  (void)file_write(file, {port}, sizeof {port});\n" for port in outputs)
    places = [f"{_NAME}_{port}()" for port in inputs]
    arguments = ", ".join([*places, *(f"(void *){port}" for port in outputs)])
    return f"""\
#include "harness.h"
#include "host_files.h"
#include "{_NAME}.h"

static uint32_t seed;
{buffers}
int32_t runtime_start(void) {{ return 0; }}

/* A model must not depend on what its arena holds, so it finds another pattern each time. */
int32_t runtime_read_inputs(int32_t file, uint32_t number) {{
  uint32_t missing = 0;
  seed = number;
  paint(arena_start, arena_end, seed);
{reads}  return (int32_t)missing;
}}

int32_t runtime_infer(void) {{ return {_NAME}_invoke({arguments}); }}

void runtime_write_outputs(int32_t file) {{
{writes}}}

uint32_t runtime_arena_bytes(void) {{ return painted_over_up(arena_start, arena_end, seed); }}
"""
