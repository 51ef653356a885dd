"""Ahead-of-time C: a ``.tflite`` file becomes C99 without interpreter, heap or flatbuffer."""

from __future__ import annotations

from mcuprune.codegen.generate import Sources, generate

__all__ = ["Sources", "generate"]
