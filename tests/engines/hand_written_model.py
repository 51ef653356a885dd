"""A model written by hand with the interface of generated C, and firmware around it."""

from __future__ import annotations

import numpy as np

from mcuprune.boards import board
from mcuprune.engines.cross_compiler import find_cross_compiler
from mcuprune.engines.firmware_build import RuntimeParts, build_firmware
from mcuprune.engines.generated_c import glue_source

INPUT_BYTES, OUTPUT_BYTES, ARENA_BYTES = 16, 4, 64
WEIGHTS = np.array([[1, 2, 3, -4], [5, -6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]])
HEADER = f"""
#include <stdint.h>
#define MODEL_INPUT_BYTES {INPUT_BYTES}
#define MODEL_OUTPUT_BYTES {OUTPUT_BYTES}
int8_t *model_input(void);
int model_invoke(const int8_t *in, int8_t *out);
"""
SOURCE = """
#include "model.h"
static int8_t arena[%d];
static const int8_t weights[16] = {%s};
int8_t *model_input(void) { return &arena[4]; }
int model_invoke(const int8_t *in, int8_t *out) {
  for (int o = 0; o < 4; o++) {
    int32_t sum = 0;
    for (int i = 0; i < 4; i++) {
      sum += weights[o * 4 + i] * in[o * 4 + i];
    }
    out[o] = (int8_t)(sum > 127 ? 127 : sum < -128 ? -128 : sum);
  }
  %s
  return 0;
}
"""
# A statement of the model: calls the model without end.
RECURSION = """
  volatile int8_t frame[64];
  frame[0] = in[0];
  if (in != out) { model_invoke(in, (int8_t *)frame); out[1] = frame[0]; }
"""


def inputs(count):
    generator = np.random.default_rng(1)
    return generator.integers(-128, 128, (count, INPUT_BYTES), np.int8)


def answers(given):
    sums = (given.reshape(-1, 4, 4).astype(int) * WEIGHTS).sum(axis=-1)
    return np.clip(sums, -128, 127)


def runtime(extra="", arena_bytes=ARENA_BYTES):
    """Return the model, with statements that it executes at its end."""
    source = SOURCE % (arena_bytes, ", ".join(map(str, WEIGHTS.ravel())), extra)
    glue = glue_source(["input"], ["output"])
    files = {"model.c": source, "model.h": HEADER, "glue.c": glue}
    return RuntimeParts("c", "written by hand", files)


def firmware(simulator, board_name, parts=None, stack_bytes=4096, compiler=None):
    """Return a firmware for a simulator's stand-in of a board."""
    target = simulator.target(board(board_name), stack_bytes)
    parts = parts or runtime()
    found = find_cross_compiler(compiler)
    return build_firmware(parts, target, OUTPUT_BYTES, found)
