"""Instructions are told apart by the encodings of the architecture's manual."""

from __future__ import annotations

import pytest

from mcuprune.engines.core_cycles import core_cycles
from mcuprune.engines.thumb import Instruction, count_instructions, decode

# Encodings as GNU as writes them, halfword by halfword, little-endian.
KINDS = [
    ("0130", "adds r0, #1", Instruction("alu")),
    ("4843", "muls r0, r1", Instruction("multiply")),
    ("0868", "ldr r0, [r1]", Instruction("load")),
    ("0148", "ldr r0, [pc, #4]", Instruction("load")),
    ("0860", "str r0, [r1]", Instruction("store")),
    ("885c", "ldrb r0, [r1, r2]", Instruction("load")),
    ("8854", "strb r0, [r1, r2]", Instruction("store")),
    ("0198", "ldr r0, [sp, #4]", Instruction("load")),
    ("10b5", "push {r4, lr}", Instruction("store_multiple", 2)),
    ("10bc", "pop {r4}", Instruction("load_multiple", 1)),
    ("10bd", "pop {r4, pc}", Instruction("load_multiple", 2, branches=True)),
    ("0ec8", "ldm r0!, {r1, r2, r3}", Instruction("load_multiple", 3)),
    ("0ec0", "stm r0!, {r1, r2, r3}", Instruction("store_multiple", 3)),
    ("7047", "bx lr", Instruction("branch", branches=True)),
    ("fcd1", "bne", Instruction("branch", branches=True)),
    ("fee7", "b .", Instruction("branch", branches=True)),
    ("00b1", "cbz r0", Instruction("branch", branches=True)),
    ("08bf", "it eq", Instruction("alu")),
    ("40b2", "sxtb r0, r0", Instruction("alu")),
    ("fff7feff", "bl", Instruction("branch", branches=True)),
    ("00f00080", "beq.w", Instruction("branch", branches=True)),
    ("bff34f8f", "dsb", Instruction("alu")),
    ("51f8040b", "ldr r0, [r1], #4", Instruction("load")),
    ("41f8040b", "str r0, [r1], #4", Instruction("store")),
    ("d1e90023", "ldrd r2, r3, [r1]", Instruction("load_multiple", 2)),
    ("c1e90023", "strd r2, r3, [r1]", Instruction("store_multiple", 2)),
    ("bde8f087", "pop.w {r4-r10, pc}", Instruction("load_multiple", 8, branches=True)),
    ("2de9f047", "push.w {r4-r10, lr}", Instruction("store_multiple", 8)),
    ("dfe800f0", "tbb [pc, r0]", Instruction("table_branch", branches=True)),
    ("20fb0132", "smlad r2, r0, r1, r3", Instruction("multiply")),
    ("80fb0123", "smull r2, r3, r0, r1", Instruction("multiply_long")),
    ("90fbf1f0", "sdiv r0, r0, r1", Instruction("divide")),
    ("2ffa80f0", "sxtb16 r0, r0", Instruction("alu")),
    ("00f10100", "add.w r0, r0, #1", Instruction("alu")),
    ("30ee200a", "vadd.f32 s0, s0, s1", Instruction("float")),
]


@pytest.mark.parametrize(("code", "text", "expected"), KINDS, ids=[text for _, text, _ in KINDS])
def test_kinds(code, text, expected):
    del text
    assert decode(bytes.fromhex(code)) == [expected]


def test_lengths_are_mixed_freely():
    assert count_instructions(bytes.fromhex("".join(code for code, _, _ in KINDS))) == len(KINDS)


def test_cycles_of_the_cortex_m4_by_its_manual():
    model = core_cycles("cortex-m4")
    assert model.block(bytes.fromhex("0130")) == 1
    assert model.block(bytes.fromhex("0868 0868 0868")) == 2 + 1 + 1  # loads in a row
    assert model.block(bytes.fromhex("0868 0130 0868")) == 2 + 1 + 2
    assert model.block(bytes.fromhex("2de9f047")) == 1 + 8
    assert model.block(bytes.fromhex("20fb0132")) == 1


def test_cycles_of_the_cortex_m0plus_by_its_manual():
    assert core_cycles("cortex-m0plus").block(bytes.fromhex("0868 0868 0860")) == 2 + 2 + 2


def test_cores_without_a_published_table():
    assert core_cycles("cortex-m7") is None
