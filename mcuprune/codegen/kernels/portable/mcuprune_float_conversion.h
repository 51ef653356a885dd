/* QUANTIZE from float and DEQUANTIZE to float: int8. */

#ifndef MCUPRUNE_FLOAT_CONVERSION_H_
#define MCUPRUNE_FLOAT_CONVERSION_H_

#include <stdint.h>

#include "mcuprune_arena.h"
#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t count;
    int32_t zero_point;
    float scale;
} mcuprune_float_conversion_t;

typedef mcuprune_float_conversion_t mcuprune_quantize_t;
typedef mcuprune_float_conversion_t mcuprune_dequantize_t;

/* The nearest whole number, halves away from zero; far numbers and NaN become +-65536. */
static inline int32_t mcuprune_quantize_rounded(float value)
{
    const float limit = 65536.0f;
    float near = (value < limit) ? value : limit;
    near = (near > -limit) ? near : -limit;
    int32_t whole = (int32_t)near;
    const float rest = near - (float)whole;
    if (rest >= 0.5f) {
        ++whole;
    }
    if (rest <= -0.5f) {
        --whole;
    }
    return whole;
}

static inline void mcuprune_quantize(const mcuprune_float_conversion_t *layer,
                                     const mcuprune_arena_float_t *input, int8_t *output)
{
    for (int32_t place = 0; place < layer->count; ++place) {
        const int32_t value =
            mcuprune_quantize_rounded(input[place] / layer->scale) + layer->zero_point;
        output[place] = (int8_t)mcuprune_clamped(value, INT8_MIN, INT8_MAX);
    }
}

static inline void mcuprune_dequantize(const mcuprune_float_conversion_t *layer,
                                       const int8_t *input, mcuprune_arena_float_t *output)
{
    for (int32_t place = 0; place < layer->count; ++place) {
        output[place] = layer->scale * (float)((int32_t)input[place] - layer->zero_point);
    }
}

#endif
