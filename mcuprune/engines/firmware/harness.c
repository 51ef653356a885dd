/* Runs a model on every input of a file and writes answers and measures into another. */
#include "harness.h"

#include "host_files.h"

/* Outcome of one inference, followed in the file by the answer. */
struct record {
  uint32_t kind;
  int32_t status;
  uint32_t stack_bytes;
  uint32_t arena_bytes;
};

enum { RECORD_START = 0x54525453, RECORD_INFERENCE = 0x52464e49, RECORD_FAULT = 0x544c4146 };

__attribute__((used, noreturn)) void report_fault(const uint32_t *frame);

/* Left alone when painting: the frame of the function that paints. */
enum { PAINTER_BYTES = 64 };

static const char inputs_name[] = "inputs.bin";
static const char outputs_name[] = "outputs.bin";
static int32_t outputs = -1;

static void write_record(const struct record *record) {
  (void)file_write(outputs, record, sizeof *record);
  file_flush(outputs);
}

static uint32_t *stack_pointer(void) {
  uint32_t *here;
  __asm__ volatile("mov %0, sp" : "=r"(here));
  return here;
}

/* Simulators count instructions from the first of these to the second. */
__attribute__((noinline, used)) void inference_begins(void) { __asm__ volatile(""); }
__attribute__((noinline, used)) void inference_ends(void) { __asm__ volatile(""); }

__attribute__((noinline)) static uint32_t stack_used(uint32_t seed) {
  const uint32_t *below = stack_pointer() - PAINTER_BYTES / 4;
  return painted_over_down(stack_bottom, below, seed);
}

__attribute__((noinline)) static void paint_stack(uint32_t seed) {
  paint(stack_bottom, stack_pointer() - PAINTER_BYTES / 4, seed);
}

/* A stack that came so near its end likely went on below, which faults only where no memory is. */
enum { STACK_GUARD_BYTES = 128 };

__attribute__((noinline)) static void require_stack(uint32_t seed) {
  if (painted_over_down(stack_bottom, stack_bottom + STACK_GUARD_BYTES / 4, seed) != 0) {
    report_fault(0);
  }
}

static void infer(uint32_t number) {
  struct record record = {RECORD_INFERENCE, 0, 0, 0};
  paint_stack(number);
  inference_begins();
  record.status = runtime_infer();
  inference_ends();
  require_stack(number);
  record.stack_bytes = stack_used(number) + PAINTER_BYTES;
  record.arena_bytes = runtime_arena_bytes();
  write_record(&record);
  runtime_write_outputs(outputs);
  file_flush(outputs);
}

int main(void) {
  struct record record = {RECORD_START, 0, 0, 0};
  const int32_t inputs = file_open(inputs_name, sizeof inputs_name - 1, FILE_READ_BINARY);
  outputs = file_open(outputs_name, sizeof outputs_name - 1, FILE_WRITE_BINARY);
  paint_stack(0);
  record.status = runtime_start();
  require_stack(0);
  record.stack_bytes = stack_used(0) + PAINTER_BYTES;
  write_record(&record);
  for (uint32_t number = 1; record.status == 0; number++) {
    if (runtime_read_inputs(inputs, number) != 0) {
      break;
    }
    infer(number);
  }
  program_exit();
  return 0;
}

/* Called with the stack pointer at the fault; the frame there holds the address of the fault's
   instruction, unless there was no stack left for it. */
void report_fault(const uint32_t *frame) {
  const int framed = frame >= stack_bottom && frame + 8 <= stack_top;
  const struct record record = {RECORD_FAULT, framed ? (int32_t)frame[6] : 0, (uint32_t)frame, 0};
  write_record(&record);
  program_exit();
  for (;;) {
  }
}
