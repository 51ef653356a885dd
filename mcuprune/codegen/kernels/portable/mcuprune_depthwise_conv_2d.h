/* DEPTHWISE_CONV_2D: int8, channels last, per-channel scales, depth multiplier. */

#ifndef MCUPRUNE_DEPTHWISE_CONV_2D_H_
#define MCUPRUNE_DEPTHWISE_CONV_2D_H_

#include <stdint.h>

#include "mcuprune_fixed_point.h"
#include "mcuprune_window.h"

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

/* Sum of one output channel over the taps that lie within the input. start: where its input channel
   lies at the first tap, which may be outside; weights: of its first tap. */
static inline int32_t mcuprune_depthwise_conv_2d_sum(const mcuprune_depthwise_conv_2d_t *layer,
                                                     const mcuprune_taps_t *rows,
                                                     const mcuprune_taps_t *columns,
                                                     const int8_t *input, int32_t start,
                                                     const int8_t *weights)
{
    const int32_t offset = layer->input_offset;
    const int32_t step = layer->dilation_width * layer->input_channels;
    const int32_t pitch = layer->dilation_height * layer->input_width * layer->input_channels;
    int32_t sum = 0;
    for (int32_t row = rows->first; row < rows->end; ++row) {
        int32_t place = start + (row * pitch) + (columns->first * step);
        const int8_t *weight =
            &weights[((row * layer->filter_width) + columns->first) * layer->output_channels];
        for (int32_t column = columns->first; column < columns->end; ++column) {
            sum += ((int32_t)input[place] + offset) * *weight;
            place += step;
            weight = &weight[layer->output_channels];
        }
    }
    return sum;
}

/* All channels of one output pixel. */
static inline void mcuprune_depthwise_conv_2d_pixel(const mcuprune_depthwise_conv_2d_t *layer,
                                                    const int8_t *input, int32_t top, int32_t left,
                                                    int8_t *output)
{
    const mcuprune_taps_t rows =
        mcuprune_taps(top, layer->dilation_height, layer->filter_height, layer->input_height);
    const mcuprune_taps_t columns =
        mcuprune_taps(left, layer->dilation_width, layer->filter_width, layer->input_width);
    int32_t start = ((top * layer->input_width) + left) * layer->input_channels;
    int32_t left_of_source = layer->depth_multiplier;
    for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
        if (left_of_source == 0) {
            ++start;
            left_of_source = layer->depth_multiplier;
        }
        --left_of_source;
        const int32_t sum =
            layer->bias[channel] + mcuprune_depthwise_conv_2d_sum(layer, &rows, &columns, input,
                                                                  start, &layer->weights[channel]);
        const int32_t value =
            mcuprune_scaled(sum, layer->factors[channel], layer->shifts[channel]) +
            layer->output_offset;
        output[channel] =
            (int8_t)mcuprune_clamped(value, layer->activation_min, layer->activation_max);
    }
}

static inline void mcuprune_depthwise_conv_2d(const mcuprune_depthwise_conv_2d_t *layer,
                                              const int8_t *input, int8_t *output)
{
    for (int32_t y = 0; y < layer->output_height; ++y) {
        const int32_t top = (y * layer->stride_height) - layer->padding_top;
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const int32_t left = (x * layer->stride_width) - layer->padding_left;
            mcuprune_depthwise_conv_2d_pixel(layer, input, top, left, output);
            output = &output[layer->output_channels];
        }
    }
}

#endif
