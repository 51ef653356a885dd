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

/* Taps of a row of the filter, which meet the input once per stride, from the right to the left. */
static inline int32_t mcuprune_transpose_conv_row(const mcuprune_transpose_conv_t *layer,
                                                  const int8_t *row, const int8_t *weights,
                                                  int32_t left)
{
    const int32_t depth = layer->input_channels;
    int32_t x = left / layer->stride_width;
    int32_t sum = 0;
    for (int32_t tap = left % layer->stride_width; (tap < layer->filter_width) && (x >= 0);
         tap += layer->stride_width) {
        if (x < layer->input_width) {
            sum += mcuprune_dot(&row[x * depth], layer->input_offset, &weights[tap * depth], depth);
        }
        --x;
    }
    return sum;
}

static inline int32_t mcuprune_transpose_conv_sum(const mcuprune_transpose_conv_t *layer,
                                                  const int8_t *input, const int8_t *weights,
                                                  int32_t top, int32_t left)
{
    const int32_t pitch = layer->input_width * layer->input_channels;
    const int32_t filter_pitch = layer->filter_width * layer->input_channels;
    int32_t y = top / layer->stride_height;
    int32_t sum = 0;
    for (int32_t tap = top % layer->stride_height; (tap < layer->filter_height) && (y >= 0);
         tap += layer->stride_height) {
        if (y < layer->input_height) {
            sum += mcuprune_transpose_conv_row(layer, &input[y * pitch],
                                               &weights[tap * filter_pitch], left);
        }
        --y;
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
