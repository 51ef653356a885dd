/* MEAN, SUM, REDUCE_MAX and REDUCE_MIN: int8, any axes. */

#ifndef MCUPRUNE_REDUCE_H_
#define MCUPRUNE_REDUCE_H_

#include <stdint.h>

#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t kept_sizes[4]; /* nested loops, outermost first */
    int32_t kept_steps[4];
    int32_t reduced_sizes[4];
    int32_t reduced_steps[4];
    int32_t sum_offset; /* -zero point of the input, per element */
    int32_t output_offset;
    int32_t factor;
    int32_t shift;
} mcuprune_reduce_t;

typedef mcuprune_reduce_t mcuprune_reduce_sum_t;
typedef mcuprune_reduce_t mcuprune_reduce_max_t;
typedef mcuprune_reduce_t mcuprune_reduce_min_t;

/* What becomes of the elements so far and one more. */
typedef int32_t (*mcuprune_reduce_function_t)(int32_t so_far, int32_t value);

static inline int32_t mcuprune_reduce_plus(int32_t so_far, int32_t value)
{
    return so_far + value;
}

static inline int32_t mcuprune_reduce_larger(int32_t so_far, int32_t value)
{
    return (value > so_far) ? value : so_far;
}

static inline int32_t mcuprune_reduce_smaller(int32_t so_far, int32_t value)
{
    return (value < so_far) ? value : so_far;
}

static inline int32_t mcuprune_reduce_one(const mcuprune_reduce_t *layer, const int8_t *input,
                                          mcuprune_reduce_function_t function, int32_t start)
{
    const int32_t *const sizes = layer->reduced_sizes;
    const int32_t *const steps = layer->reduced_steps;
    int32_t result = start;
    for (int32_t a = 0; a < sizes[0]; ++a) {
        for (int32_t b = 0; b < sizes[1]; ++b) {
            for (int32_t c = 0; c < sizes[2]; ++c) {
                const int8_t *const row = &input[(a * steps[0]) + (b * steps[1]) + (c * steps[2])];
                for (int32_t d = 0; d < sizes[3]; ++d) {
                    result = function(result, row[d * steps[3]]);
                }
            }
        }
    }
    return result;
}

/* Input of the next result; places count the kept loops. */
static inline const int8_t *mcuprune_reduce_source(const mcuprune_reduce_t *layer,
                                                   const int8_t *input, int32_t result)
{
    int32_t rest = result;
    int32_t offset = 0;
    for (int32_t loop = 3; loop >= 0; --loop) {
        offset += (rest % layer->kept_sizes[loop]) * layer->kept_steps[loop];
        rest /= layer->kept_sizes[loop];
    }
    return &input[offset];
}

static inline int32_t mcuprune_reduce_count(const mcuprune_reduce_t *layer)
{
    return layer->kept_sizes[0] * layer->kept_sizes[1] * layer->kept_sizes[2] *
           layer->kept_sizes[3];
}

static inline void mcuprune_reduce_sum(const mcuprune_reduce_t *layer, const int8_t *input,
                                       int8_t *output)
{
    const int32_t count = mcuprune_reduce_count(layer);
    for (int32_t place = 0; place < count; ++place) {
        const int8_t *const source = mcuprune_reduce_source(layer, input, place);
        const int32_t sum =
            mcuprune_reduce_one(layer, source, mcuprune_reduce_plus, layer->sum_offset);
        const int32_t value =
            mcuprune_scaled(sum, layer->factor, layer->shift) + layer->output_offset;
        output[place] = (int8_t)mcuprune_clamped(value, INT8_MIN, INT8_MAX);
    }
}

static inline void mcuprune_reduce_max(const mcuprune_reduce_t *layer, const int8_t *input,
                                       int8_t *output)
{
    const int32_t count = mcuprune_reduce_count(layer);
    for (int32_t place = 0; place < count; ++place) {
        const int8_t *const source = mcuprune_reduce_source(layer, input, place);
        output[place] =
            (int8_t)mcuprune_reduce_one(layer, source, mcuprune_reduce_larger, INT8_MIN);
    }
}

static inline void mcuprune_reduce_min(const mcuprune_reduce_t *layer, const int8_t *input,
                                       int8_t *output)
{
    const int32_t count = mcuprune_reduce_count(layer);
    for (int32_t place = 0; place < count; ++place) {
        const int8_t *const source = mcuprune_reduce_source(layer, input, place);
        output[place] =
            (int8_t)mcuprune_reduce_one(layer, source, mcuprune_reduce_smaller, INT8_MAX);
    }
}

#endif
