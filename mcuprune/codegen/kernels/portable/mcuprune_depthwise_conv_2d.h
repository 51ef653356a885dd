/* DEPTHWISE_CONV_2D: int8, channels last, per-channel scales, depth multiplier. */

#ifndef MCUPRUNE_DEPTHWISE_CONV_2D_H_
#define MCUPRUNE_DEPTHWISE_CONV_2D_H_

#include <stdint.h>

#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t output_height;
    int32_t output_width;
    int32_t filter_height;
    int32_t filter_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t padding_top;
    int32_t padding_left;
    int32_t depth_multiplier; /* output channels per input channel */
    int32_t output_channels;
    int32_t input_offset;
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *weights; /* [filter y][filter x][output channel] */
    const int32_t *bias;
    const int32_t *factors;
    const int8_t *shifts;
} mcuprune_depthwise_conv_2d_t;

/* Sum of one output channel over the window whose first tap lies at (top, left). */
static inline int32_t mcuprune_depthwise_conv_2d_sum(const mcuprune_depthwise_conv_2d_t *layer,
                                                     const int8_t *input, int32_t channel,
                                                     int32_t top, int32_t left)
{
    const int8_t *weights = &layer->weights[channel];
    const int32_t source = channel / layer->depth_multiplier;
    int32_t sum = 0;
    for (int32_t filter_y = 0; filter_y < layer->filter_height; ++filter_y) {
        const int32_t y = top + (filter_y * layer->dilation_height);
        for (int32_t filter_x = 0; filter_x < layer->filter_width; ++filter_x) {
            const int32_t x = left + (filter_x * layer->dilation_width);
            if ((y >= 0) && (y < layer->input_height) && (x >= 0) && (x < layer->input_width)) {
                const int32_t place = (((y * layer->input_width) + x) * layer->input_channels);
                sum += ((int32_t)input[place + source] + layer->input_offset) * *weights;
            }
            weights = &weights[layer->output_channels];
        }
    }
    return sum;
}

static inline void mcuprune_depthwise_conv_2d(const mcuprune_depthwise_conv_2d_t *layer,
                                              const int8_t *input, int8_t *output)
{
    for (int32_t y = 0; y < layer->output_height; ++y) {
        const int32_t top = (y * layer->stride_height) - layer->padding_top;
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const int32_t left = (x * layer->stride_width) - layer->padding_left;
            for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
                const int32_t sum = layer->bias[channel] + mcuprune_depthwise_conv_2d_sum(
                                                               layer, input, channel, top, left);
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
