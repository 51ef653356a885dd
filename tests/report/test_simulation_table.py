"""A simulation in a table and in words."""

from __future__ import annotations

from rich.console import Console

from mcuprune.report.simulation import simulation_lines, simulation_table

REPORT = {
    "board": "nucleo-l4r5zi",
    "simulator": "cortexm",
    "runtime": "c",
    "inputs": 1000,
    "inputs_bit_exact": 999,
    "bytes_differing": 3,
    "reference": "tflm",
    "reference_note": "LiteRT differs from TFLM in 7 of 12,000 bytes",
    "instructions_per_inference": 4_325_145,
    "latency_ms": 56.2345,
    "arena_bytes": 16_256,
    "arena_reserved_bytes": 16_300,
    "stack_bytes": 320,
    "sram_bytes": 16_616,
    "sram_available_bytes": 655_360,
    "flash_bytes": 34_904,
    "flash_available_bytes": 2_097_152,
    "fault": None,
    "functions": [{"name": "conv", "instructions": 3}, {"name": "add", "instructions": 1}],
    "provenance": {
        "simulator": "Unicorn 2.1.4",
        "machine": "cortex-m4",
        "built_with": "generated C",
        "latency_ms": "a manual",
    },
}


def printed(table):
    console = Console(width=100)
    with console.capture() as captured:
        console.print(table)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_every_number_has_its_unit_and_origin():
    lines = printed(simulation_table(REPORT))
    for line in (
        "inputs answered as by TFLM 999 1,000 simulated",
        "instructions per inference 4,325,145 simulated",
        "latency, estimated 56.23 ms simulated",
        "arena touched 16,256 B 16,300 B simulated",
        "SRAM: arena, variables, stack 16,616 B 655,360 B simulated",
        "flash 34,904 B 2,097,152 B simulated",
    ):
        assert line in lines


def test_what_was_found_in_words():
    assert simulation_lines(REPORT) == [
        "3 bytes of answers differ.",
        "Machine: cortex-m4. Built with generated C.",
        "Latency from a manual.",
        "Most instructions: conv 75%, add 25%.",
        "Compared with TFLM on the host: LiteRT differs from TFLM in 7 of 12,000 bytes.",
    ]


def test_a_fault_comes_first():
    without = {
        **REPORT,
        "fault": "the stack overflowed",
        "functions": [],
        "reference_note": None,
        "provenance": dict.fromkeys(REPORT["provenance"]),
    }
    assert simulation_lines(without) == ["It does not run: the stack overflowed."]
