/* CONV_2D: int8, channels last, per-channel scales, groups. */

#ifndef MCUPRUNE_CONV_2D_H_
#define MCUPRUNE_CONV_2D_H_

#include <stdint.h>

#include "mcuprune_dot.h"
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
    int32_t group_channels; /* input channels that one output channel sees */
    int32_t group_outputs;  /* output channels that see the same input channels */
    int32_t output_channels;
    int32_t input_offset;
    int32_t output_offset;
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *weights; /* [output channel][filter y][filter x][channel of the group] */
    const int32_t *bias;
    const int32_t *factors;
    const int8_t *shifts;
} mcuprune_conv_2d_t;

/* The part of a window that lies within the input. */
typedef struct {
    mcuprune_taps_t rows;
    int32_t input_start;   /* of the first tap of the first row */
    int32_t weights_start; /* of the same */
    int32_t runs;          /* pieces of a row that are read without a gap */
    int32_t run;           /* elements of a piece */
    int32_t run_step;      /* from piece to piece of the input */
} mcuprune_conv_2d_part_t;

static inline mcuprune_conv_2d_part_t mcuprune_conv_2d_part(const mcuprune_conv_2d_t *layer,
                                                            int32_t y, int32_t x)
{
    const int32_t top = (y * layer->stride_height) - layer->padding_top;
    const int32_t left = (x * layer->stride_width) - layer->padding_left;
    const mcuprune_taps_t columns =
        mcuprune_taps(left, layer->dilation_width, layer->filter_width, layer->input_width);
    const int32_t source_x = left + (columns.first * layer->dilation_width);
    mcuprune_conv_2d_part_t part;
    part.rows =
        mcuprune_taps(top, layer->dilation_height, layer->filter_height, layer->input_height);
    part.input_start = ((top * layer->input_width) + source_x) * layer->input_channels;
    part.weights_start = columns.first * layer->group_channels;
    part.runs = columns.end - columns.first;
    part.run = layer->group_channels;
    part.run_step = layer->dilation_width * layer->input_channels;
    if ((part.runs > 0) && (part.run_step == part.run)) {
        part.run *= part.runs;
        part.runs = 1;
    }
    return part;
}

static inline int32_t mcuprune_conv_2d_sum(const mcuprune_conv_2d_t *layer,
                                           const mcuprune_conv_2d_part_t *part, const int8_t *input,
                                           const int8_t *weights)
{
    const int32_t pitch = layer->dilation_height * layer->input_width * layer->input_channels;
    const int32_t row_of_weights = layer->filter_width * layer->group_channels;
    int32_t sum = 0;
    for (int32_t row = part->rows.first; row < part->rows.end; ++row) {
        const int8_t *source = &input[part->input_start + (row * pitch)];
        const int8_t *weight = &weights[part->weights_start + (row * row_of_weights)];
        for (int32_t run = 0; run < part->runs; ++run) {
            sum += mcuprune_dot(source, layer->input_offset, weight, part->run);
            source = &source[part->run_step];
            weight = &weight[part->run];
        }
    }
    return sum;
}

static inline void mcuprune_conv_2d(const mcuprune_conv_2d_t *layer, const int8_t *input,
                                    int8_t *output)
{
    const int32_t taps = layer->filter_height * layer->filter_width * layer->group_channels;
    for (int32_t y = 0; y < layer->output_height; ++y) {
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const mcuprune_conv_2d_part_t part = mcuprune_conv_2d_part(layer, y, x);
            const int8_t *group = input;
            int32_t left_in_group = layer->group_outputs;
            for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
                if (left_in_group == 0) {
                    group = &group[layer->group_channels];
                    left_in_group = layer->group_outputs;
                }
                --left_in_group;
                const int32_t sum =
                    layer->bias[channel] +
                    mcuprune_conv_2d_sum(layer, &part, group, &layer->weights[channel * taps]);
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
