"""Sources that stand in for TFLM's: a few names of its own, and an operator that negates bytes."""

from __future__ import annotations

from pathlib import Path

INTERPRETER = """
#pragma once
#include <cstddef>
#include <cstdint>
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
union Data { void* raw; int8_t* int8; };
struct Tensor { Data data; size_t bytes; };
namespace tflite {
struct Model;
const Model* GetModel(const void* data);
template <unsigned int N> struct MicroMutableOpResolver {
  TfLiteStatus AddFullyConnected() { return kTfLiteOk; }
};
class MicroInterpreter {
 public:
  template <class Resolver>
  MicroInterpreter(const Model*, const Resolver&, uint8_t* arena, size_t size)
      : tensor_{{arena}, 4}, size_(size) {}
  TfLiteStatus AllocateTensors() { return size_ < 64 ? kTfLiteError : kTfLiteOk; }
  size_t inputs_size() const { return 1; }
  size_t outputs_size() const { return 1; }
  Tensor* input(size_t) { return &tensor_; }
  Tensor* output(size_t) { return &tensor_; }
  TfLiteStatus Invoke();
  size_t arena_used_bytes() const { return 48; }
 private:
  Tensor tensor_;
  size_t size_;
};
}
"""
MICRO = "tensorflow/lite/micro"
FILES = {
    f"{MICRO}/micro_interpreter.h": INTERPRETER,
    f"{MICRO}/micro_mutable_op_resolver.h": "",
    "tensorflow/lite/schema/schema_generated.h": "",
    f"{MICRO}/micro_interpreter.cc": """
        #include "tensorflow/lite/micro/micro_interpreter.h"
        namespace tflite {
        const Model* GetModel(const void* data) { return static_cast<const Model*>(data); }
        void Register_FULLY_CONNECTED(int8_t* values, size_t count);
        TfLiteStatus MicroInterpreter::Invoke() {
          Register_FULLY_CONNECTED(tensor_.data.int8, tensor_.bytes);
          return kTfLiteOk;
        }
        }
    """,
    f"{MICRO}/kernels/fully_connected.cc": """
        #include <cstddef>
        #include <cstdint>
        namespace tflite {
        void Register_FULLY_CONNECTED(int8_t* values, size_t count) {
          for (size_t i = 0; i < count; i++) values[i] = static_cast<int8_t>(-values[i]);
        }
        }
    """,
    f"{MICRO}/kernels/svdf.cc": "#error no model here needs it\nvoid Register_SVDF();",
    f"{MICRO}/micro_interpreter_test.cc": "#error a test is no part of a firmware",
}


def write_checkout(root: Path) -> Path:
    """Write the stand-in like a checkout with what TFLM's makefile downloads."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("flatbuffers", "gemmlowp", "ruy"):
        (root / MICRO / "tools/make/downloads" / name).mkdir(parents=True)
    return root
