/* FULLY_CONNECTED: int8, one scale or one per channel. */

#ifndef MCUPRUNE_FULLY_CONNECTED_H_
#define MCUPRUNE_FULLY_CONNECTED_H_

#include <stdint.h>

#include "mcuprune_dot.h"
#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t output_channels;
    int32_t input_offset;
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    int32_t multiplier_step; /* 1: a factor and a shift per channel, 0: one for all */
    const int8_t *weights;   /* [output channel][depth] */
    const int32_t *bias;
    const int32_t *factors;
    const int8_t *shifts;
} mcuprune_fully_connected_t;

static inline void mcuprune_fully_connected(const mcuprune_fully_connected_t *layer,
                                            const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < layer->rows; ++row) {
        const int8_t *weights = layer->weights;
        for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
            const int32_t scale = channel * layer->multiplier_step;
            const int32_t sum = layer->bias[channel] +
                                mcuprune_dot(input, layer->input_offset, weights, layer->depth);
            const int32_t value =
                mcuprune_scaled(sum, layer->factors[scale], layer->shifts[scale]) +
                layer->output_offset;
            *output = (int8_t)mcuprune_clamped(value, layer->activation_min, layer->activation_max);
            ++output;
            weights = &weights[layer->depth];
        }
        input = &input[layer->depth];
    }
}

#endif
