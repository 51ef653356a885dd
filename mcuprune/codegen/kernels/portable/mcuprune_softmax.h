/* SOFTMAX: int8, over the last axis. */

#ifndef MCUPRUNE_SOFTMAX_H_
#define MCUPRUNE_SOFTMAX_H_

#include <stdint.h>

#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t exponential_count;
    const int32_t *exponentials; /* exp(-difference to the largest input), 31 fraction bits */
} mcuprune_softmax_t;

/* 2 / (1 + value) with 29 fraction bits, value from 0 to 1 with 31: Newton's iteration. */
static inline int32_t mcuprune_softmax_reciprocal(int32_t value)
{
    const int32_t half = (int32_t)(((int64_t)value + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + mcuprune_doubling_high_product(half, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t rest = ((int32_t)1 << 29) - mcuprune_doubling_high_product(half, x);
        x += mcuprune_doubling_high_product(x, rest) * 4;
    }
    return x;
}

static inline int32_t mcuprune_softmax_leading_zeros(uint32_t value)
{
    int32_t count = 0;
    while ((value & 0x80000000U) == 0U) {
        value <<= 1;
        ++count;
    }
    return count;
}

static inline void mcuprune_softmax_row(const mcuprune_softmax_t *layer, const int8_t *input,
                                        int8_t *output)
{
    int32_t largest = INT8_MIN;
    int32_t sum = 0; /* 19 fraction bits */
    for (int32_t place = 0; place < layer->depth; ++place) {
        largest = (input[place] > largest) ? input[place] : largest;
    }
    for (int32_t place = 0; place < layer->depth; ++place) {
        const int32_t difference = largest - input[place];
        if (difference < layer->exponential_count) {
            sum += mcuprune_rounding_shift(layer->exponentials[difference], 12);
        }
    }
    /* The sum is at least 1: 2^19. Brought to 1 + fraction, it is inverted. */
    const int32_t headroom = mcuprune_softmax_leading_zeros((uint32_t)sum);
    const int32_t fraction = (int32_t)(((uint32_t)sum << headroom) - 0x80000000U);
    const int32_t reciprocal = mcuprune_softmax_reciprocal(fraction);
    const int32_t scale = (reciprocal > (INT32_MAX / 2)) ? INT32_MAX : (reciprocal * 2);
    const int32_t bits = (12 - headroom) + 31 - 8;
    for (int32_t place = 0; place < layer->depth; ++place) {
        const int32_t difference = largest - input[place];
        int32_t value = INT8_MIN;
        if (difference < layer->exponential_count) {
            const int32_t share =
                mcuprune_doubling_high_product(scale, layer->exponentials[difference]);
            value = mcuprune_rounding_shift(share, bits) + INT8_MIN;
        }
        output[place] = (int8_t)mcuprune_clamped(value, INT8_MIN, INT8_MAX);
    }
}

static inline void mcuprune_softmax(const mcuprune_softmax_t *layer, const int8_t *input,
                                    int8_t *output)
{
    for (int32_t row = 0; row < layer->rows; ++row) {
        mcuprune_softmax_row(layer, &input[row * layer->depth], &output[row * layer->depth]);
    }
}

#endif
