/* Moves of elements: TRANSPOSE, slices, SPLIT, CONCATENATION, PAD and their like. */

#ifndef MCUPRUNE_MOVE_H_
#define MCUPRUNE_MOVE_H_

#include <stdint.h>
#include <string.h>

typedef struct {
    int32_t sizes[6];       /* nested loops, outermost first */
    int32_t input_steps[6]; /* bytes */
    int32_t output_steps[6];
    int32_t input_start;
    int32_t output_start;
} mcuprune_move_t;

typedef struct {
    int32_t count;
    int32_t value;
} mcuprune_fill_t;

static inline void mcuprune_fill(const mcuprune_fill_t *layer, void *output)
{
    (void)memset(output, (int)layer->value, (size_t)layer->count);
}

/* The two innermost loops. */
static inline void mcuprune_move_rows(const mcuprune_move_t *layer, const int8_t *source,
                                      int8_t *target)
{
    const int32_t width = layer->sizes[5];
    for (int32_t row = 0; row < layer->sizes[4]; ++row) {
        const int8_t *const from = &source[row * layer->input_steps[4]];
        int8_t *const to = &target[row * layer->output_steps[4]];
        if ((layer->input_steps[5] == 1) && (layer->output_steps[5] == 1)) {
            (void)memcpy(to, from, (size_t)width);
        } else {
            for (int32_t place = 0; place < width; ++place) {
                to[place * layer->output_steps[5]] = from[place * layer->input_steps[5]];
            }
        }
    }
}

static inline void mcuprune_move(const mcuprune_move_t *layer, const void *input, void *output)
{
    const int32_t *const sizes = layer->sizes;
    const int32_t *const from = layer->input_steps;
    const int32_t *const to = layer->output_steps;
    const int8_t *const source = &((const int8_t *)input)[layer->input_start];
    int8_t *const target = &((int8_t *)output)[layer->output_start];
    for (int32_t a = 0; a < sizes[0]; ++a) {
        for (int32_t b = 0; b < sizes[1]; ++b) {
            for (int32_t c = 0; c < sizes[2]; ++c) {
                for (int32_t d = 0; d < sizes[3]; ++d) {
                    mcuprune_move_rows(
                        layer,
                        &source[(a * from[0]) + (b * from[1]) + (c * from[2]) + (d * from[3])],
                        &target[(a * to[0]) + (b * to[1]) + (c * to[2]) + (d * to[3])]);
                }
            }
        }
    }
}

#endif
