/* TRANSPOSE_CONV: int8, channels last, per-channel scales. */

#ifndef MCUPRUNE_TRANSPOSE_CONV_H_
#define MCUPRUNE_TRANSPOSE_CONV_H_

#include <stdint.h>

#include "mcuprune_dot.h"
#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_height;
    int32_t output_width;
    int32_t output_channels;
    int32_t filter_height;
    int32_t filter_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t padding_top;
    int32_t padding_left;
    int32_t input_offset;
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *weights; /* [output channel][filter y][filter x][input channel] */
    const int32_t *bias;
    const int32_t *factors;
    const int8_t *shifts;
} mcuprune_transpose_conv_t;

/* Row or column of the input that a tap brings to an output, -1 if there is none. */
static inline int32_t mcuprune_transpose_conv_source(int32_t place, int32_t stride, int32_t extent)
{
    int32_t source = -1;
    if ((place >= 0) && ((place % stride) == 0) && ((place / stride) < extent)) {
        source = place / stride;
    }
    return source;
}

static inline int32_t mcuprune_transpose_conv_sum(const mcuprune_transpose_conv_t *layer,
                                                  const int8_t *input, const int8_t *weights,
                                                  int32_t top, int32_t left)
{
    const int32_t depth = layer->input_channels;
    int32_t sum = 0;
    for (int32_t filter_y = 0; filter_y < layer->filter_height; ++filter_y) {
        const int32_t y = mcuprune_transpose_conv_source(top - filter_y, layer->stride_height,
                                                         layer->input_height);
        for (int32_t filter_x = 0; filter_x < layer->filter_width; ++filter_x) {
            const int32_t x = mcuprune_transpose_conv_source(left - filter_x, layer->stride_width,
                                                             layer->input_width);
            if ((y >= 0) && (x >= 0)) {
                const int8_t *const pixel = &input[((y * layer->input_width) + x) * depth];
                sum += mcuprune_dot(pixel, layer->input_offset, weights, depth);
            }
            weights = &weights[depth];
        }
    }
    return sum;
}

static inline void mcuprune_transpose_conv(const mcuprune_transpose_conv_t *layer,
                                           const int8_t *input, int8_t *output)
{
    const int32_t taps = layer->filter_height * layer->filter_width * layer->input_channels;
    for (int32_t y = 0; y < layer->output_height; ++y) {
        for (int32_t x = 0; x < layer->output_width; ++x) {
            for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
                const int32_t sum =
                    layer->bias[channel] +
                    mcuprune_transpose_conv_sum(layer, input, &layer->weights[channel * taps],
                                                y + layer->padding_top, x + layer->padding_left);
                const int32_t value =
                    mcuprune_scaled(sum, layer->factors[channel], layer->shifts[channel]) +
                    layer->output_offset;
                *output =
                    (int8_t)mcuprune_clamped(value, layer->activation_min, layer->activation_max);
                ++output;
            }
        }
    }
}

#endif
