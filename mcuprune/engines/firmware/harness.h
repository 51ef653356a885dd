/* What the harness asks of a runtime. */
#ifndef MCUPRUNE_HARNESS_H_
#define MCUPRUNE_HARNESS_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ends of the memory that the linker script set aside. */
extern uint32_t stack_bottom[], stack_top[], arena_start[], arena_end[];

/* Functions that return int32_t return 0 if all went well. In files all of a model's inputs, or
   outputs, follow each other without gaps. */
int32_t runtime_start(void);
int32_t runtime_read_inputs(int32_t file, uint32_t number); /* number: 1 for the first */
int32_t runtime_infer(void);
void runtime_write_outputs(int32_t file);
uint32_t runtime_arena_bytes(void); /* touched so far, or since the inputs were read */

/* Fills [start, end) with a pattern, and tells how many bytes of it have changed since: from the
   first changed word to the end, or from the start to the last changed word. */
void paint(uint32_t *start, const uint32_t *end, uint32_t seed);
uint32_t painted_over_down(const uint32_t *start, const uint32_t *end, uint32_t seed);
uint32_t painted_over_up(const uint32_t *start, const uint32_t *end, uint32_t seed);

#ifdef __cplusplus
}
#endif

#endif
