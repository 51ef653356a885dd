"""Flash that the runtime's own code takes, by the operators a model uses.

Source: ``cost_models/kernels/runtime_code.yaml``, which says how it was measured.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcuprune.cost.runtime import Runtime, read_table

_MEASURED_POINTER_BITS = 32


def runtime_code_bytes(kinds: Iterable[str], runtime: Runtime) -> int | None:
    """Return the bytes of TFLM's code in a program whose resolver names certain operators.

    Args:
        kinds: TFLite's names of the operators.
        runtime: Whose kernels are linked.

    Returns:
        Bytes of code and read-only data as built for a Cortex-M4; None where nothing was measured:
        another runtime, a host, or an operator that is not in the table.
    """
    table = read_table("runtime_code")["runtimes"].get(runtime.name)
    if table is None or runtime.pointer_bits != _MEASURED_POINTER_BITS:
        return None
    named = set(kinds)
    if not named <= {kind for block in table["linked"] for kind in block["operators"]}:
        return None
    linked = sum(b["bytes"] for b in table["linked"] if named.intersection(b["operators"]))
    return int(table["interpreter_bytes"]) + int(linked)
