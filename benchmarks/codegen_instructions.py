"""Instructions per inference of generated C on a Cortex-M4, against TFLM with CMSIS-NN.

Every model is generated, compiled with -O2, run on a simulated board and compared byte by byte
with real TFLM on random inputs. TFLM's numbers stand in a table of measurements (QEMU
mps2-an386, exact).
With --tflm, a checkout of tflite-micro, its firmware is built as well and its flash is counted.

    python benchmarks/codegen_instructions.py --shared ../shared \\
        --json benchmarks/results/codegen_instructions.json
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
from pathlib import Path

from mcuprune.engines.simulate import SimulationReport, simulate

BOARD = "nucleo-l4r5zi"
MODELS = (
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/vww_96_int8",
    "mlperf_tiny/ad01_int8",
    "tflm/person_detect",
    "mlperf_tiny/str_ww_ref_model",
    "tflm/micro_speech_quantized",
)
COMPILERS = ("arm-none-eabi-gcc", "ziglang")


@dataclasses.dataclass(frozen=True)
class Row:
    """One model with one compiler; all but TFLM's columns are simulated.

    Attributes:
        model: The file.
        compiler: Which built it.
        inputs: How many random inputs were given.
        inputs_bit_exact: On how many all bytes were those of TFLM.
        instructions: Per inference.
        tflm_instructions: The same of TFLM with CMSIS-NN.
        arena_bytes: What the C reserves.
        tflm_arena_bytes: What TFLM uses on the same core.
        stack_bytes: The deepest stack during an inference.
        flash_bytes: Of the whole program, with the harness.
        tflm_flash_bytes: The same of TFLM's; None where it was not built.
    """

    model: str
    compiler: str
    inputs: int
    inputs_bit_exact: int | None
    instructions: int | None
    tflm_instructions: int
    arena_bytes: int | None
    tflm_arena_bytes: int
    stack_bytes: int | None
    flash_bytes: int | None
    tflm_flash_bytes: int | None

    @property
    def ratio(self) -> float:
        """Instructions as a share of TFLM's."""
        return (self.instructions or 0) / self.tflm_instructions


def main() -> None:
    """Count, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--tflm", type=Path, help="checkout of tflite-micro, to count its flash")
    parser.add_argument("--inputs", type=int, default=4)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    reference = _reference(arguments.shared / "tables/tflm_reference.csv")
    rows = []
    print(f"{'model':36}{'compiler':19}{'instructions':>13}{'of TFLM':>9}{'arena':>8}{'TFLM':>8}")
    for name in MODELS:
        path = arguments.shared / "models" / f"{name}.tflite"
        flash = _tflm_flash(path, arguments.tflm)
        for compiler in COMPILERS:
            report = simulate(path, BOARD, inputs=arguments.inputs, compiler=compiler)
            rows.append(_row(name, compiler, report, reference[f"{name}.tflite"], flash))
            _print(rows[-1])
    if arguments.json:
        rounded = [{**dataclasses.asdict(row), "ratio": round(row.ratio, 4)} for row in rows]
        arguments.json.write_text(json.dumps(rounded, indent=1) + "\n")


def _reference(table: Path) -> dict[str, dict[str, str]]:
    with table.open() as lines:
        return {row["model"]: row for row in csv.DictReader(lines)}


def _tflm_flash(path: Path, tflm: Path | None) -> int | None:
    if tflm is None:
        return None
    report = simulate(path, BOARD, inputs=1, runtime="tflm", tflm=tflm)
    return None if report.firmware is None else report.firmware.flash_bytes


def _row(
    name: str,
    compiler: str,
    report: SimulationReport,
    reference: dict[str, str],
    tflm_flash_bytes: int | None,
) -> Row:
    found = report.to_json()
    return Row(
        model=name,
        compiler=compiler,
        inputs=found["inputs"],
        inputs_bit_exact=found["inputs_bit_exact"],
        instructions=found["instructions_per_inference"],
        tflm_instructions=int(reference["m4_instructions"]),
        arena_bytes=found["arena_reserved_bytes"],
        tflm_arena_bytes=int(reference["m4_arena_bytes"]),
        stack_bytes=found["stack_bytes"],
        flash_bytes=found["flash_bytes"],
        tflm_flash_bytes=tflm_flash_bytes,
    )


def _print(row: Row) -> None:
    exact = "" if row.inputs_bit_exact == row.inputs else "  NOT BIT-EXACT"
    print(
        f"{row.model:36}{row.compiler:19}{row.instructions or 0:13,}{row.ratio:9.3f}"
        f"{row.arena_bytes or 0:8,}{row.tflm_arena_bytes:8,}{exact}"
    )


if __name__ == "__main__":
    main()
