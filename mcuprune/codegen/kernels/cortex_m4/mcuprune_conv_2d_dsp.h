/* CONV_2D, or one group of its channels, for the DSP extension: two pixels and two output channels
   at once. */

#ifndef MCUPRUNE_CONV_2D_DSP_H_
#define MCUPRUNE_CONV_2D_DSP_H_

#include <stdint.h>

#include "mcuprune_arena.h"
#include "mcuprune_clamp.h"
#include "mcuprune_dsp.h"
#include "mcuprune_pixel_pairs.h"

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
    int32_t output_channels; /* of the group */
    int32_t group_channels;  /* that it reads of an input pixel */
    int32_t first_input;     /* the first of them */
    int32_t output_step;     /* channels of an output pixel */
    int32_t first_output;
    int32_t has_dense_rows; /* 1 if a row of the window lies in one piece */
    int32_t row_steps;      /* words of a row of the window */
    int32_t padding;   /* the input's zero point in each byte */
    int32_t rounding;  /* twice the output's zero point, plus 1 */
    int32_t activation_min;
    int32_t activation_max;
    const uint32_t *weights; /* [pair that depends on the input][filter y][word][even, odd] */
    const int32_t *bias;     /* [pair of channels][first, mixed], the input's offset included */
    const int32_t *factors;
    const uint8_t *shifts; /* less 1, see MCUPRUNE_CONSTANT_PAIR */
} mcuprune_conv_2d_dsp_t;

/* Four elements of a pixel, as a pair of even and a pair of odd ones. */
static inline void mcuprune_conv_2d_dsp_spread(mcuprune_arena_uint32_t *target, uint32_t word)
{
    target[0] = mcuprune_sxtb16(word);
    target[1] = mcuprune_sxtb16_odd(word);
}

static inline mcuprune_arena_uint32_t *mcuprune_conv_2d_dsp_copy(mcuprune_arena_uint32_t *target,
                                                                 const int8_t *source,
                                                                 int32_t words)
{
    for (int32_t word = 0; word < words; ++word) {
        mcuprune_conv_2d_dsp_spread(target, mcuprune_load_word(source));
        source = &source[4];
        target = &target[4];
    }
    return target;
}

static inline mcuprune_arena_uint32_t *mcuprune_conv_2d_dsp_fill(mcuprune_arena_uint32_t *target,
                                                                 uint32_t word, int32_t words)
{
    for (int32_t place = 0; place < words; ++place) {
        mcuprune_conv_2d_dsp_spread(target, word);
        target = &target[4];
    }
    return target;
}

/* A row of a window that reaches beyond the input, or whose taps lie apart. */
static inline mcuprune_arena_uint32_t *mcuprune_conv_2d_dsp_row(const mcuprune_conv_2d_dsp_t *layer,
                                                                const int8_t *row, int32_t left,
                                                                mcuprune_arena_uint32_t *target)
{
    const int32_t depth = layer->group_channels;
    const int32_t step = layer->input_channels;
    uint32_t word = 0U;
    uint32_t bits = 0U;
    for (int32_t tap = 0; tap < layer->filter_width; ++tap) {
        const int32_t x = left + (tap * layer->dilation_width);
        const int32_t is_inside = ((x >= 0) && (x < layer->input_width)) ? 1 : 0;
        if ((depth % 4) == 0) {
            target = (is_inside != 0)
                         ? mcuprune_conv_2d_dsp_copy(target, &row[x * step], depth / 4)
                         : mcuprune_conv_2d_dsp_fill(target, (uint32_t)layer->padding, depth / 4);
        } else {
            for (int32_t channel = 0; channel < depth; ++channel) {
                const uint32_t value = (is_inside != 0) ? (uint8_t)row[(x * step) + channel]
                                                        : ((uint32_t)layer->padding & 0xFFU);
                word |= value << bits;
                bits += 8U;
                if (bits == 32U) {
                    mcuprune_conv_2d_dsp_spread(target, word);
                    target = &target[4];
                    word = 0U;
                    bits = 0U;
                }
            }
        }
    }
    if (bits != 0U) {
        mcuprune_conv_2d_dsp_spread(target, word);
        target = &target[4];
    }
    return target;
}

/* The window of one output pixel, spread over every second pair of words. */
static inline void mcuprune_conv_2d_dsp_window(const mcuprune_conv_2d_dsp_t *layer,
                                               const int8_t *input, int32_t y, int32_t x,
                                               mcuprune_arena_uint32_t *target)
{
    const int32_t top = (y * layer->stride_height) - layer->padding_top;
    const int32_t left = (x * layer->stride_width) - layer->padding_left;
    const int32_t is_dense = ((left >= 0) && (layer->has_dense_rows != 0) &&
                              ((left + layer->filter_width) <= layer->input_width))
                                 ? 1
                                 : 0;
    const int32_t pitch = layer->input_width * layer->input_channels;
    for (int32_t filter_y = 0; filter_y < layer->filter_height; ++filter_y) {
        const int32_t source_y = top + (filter_y * layer->dilation_height);
        if ((source_y < 0) || (source_y >= layer->input_height)) {
            target = mcuprune_conv_2d_dsp_fill(target, (uint32_t)layer->padding, layer->row_steps);
        } else if (is_dense != 0) {
            const int8_t *const row = &input[(source_y * pitch) + (left * layer->input_channels)];
            target = mcuprune_conv_2d_dsp_copy(target, row, layer->row_steps);
        } else {
            target = mcuprune_conv_2d_dsp_row(layer, &input[source_y * pitch], left, target);
        }
    }
}

/* All channels of two pixels. */
static inline void mcuprune_conv_2d_dsp_outputs(const mcuprune_conv_2d_dsp_t *layer,
                                                const mcuprune_arena_uint32_t *pixels,
                                                uint32_t steps, int8_t *output0, int8_t *output1)
{
    const int32_t even = layer->output_channels & ~1;
    mcuprune_pixel_pairs_t state = {
        pixels,  steps,          layer->factors, layer->shifts,   output0,
        output1, layer->weights, layer->bias,    layer->rounding, &layer->shifts[even]};
    mcuprune_pairs_of_channels(&state);
    if (even < layer->output_channels) {
        mcuprune_next_channels(&state, 1);
    }
}

/* scratch: 16 bytes per word of a window, aligned to 4. */
static inline void mcuprune_conv_2d_dsp(const mcuprune_conv_2d_dsp_t *layer, const int8_t *input,
                                        int8_t *output, void *scratch)
{
    mcuprune_arena_uint32_t *const pixels = (mcuprune_arena_uint32_t *)scratch;
    const int32_t step = layer->output_step;
    const int32_t count = layer->output_height * layer->output_width;
    const uint32_t steps = (uint32_t)(layer->filter_height * layer->row_steps);
    const int8_t *const source = &input[layer->first_input];
    int8_t *target = &output[layer->first_output];
    int32_t y = 0;
    int32_t x = 0;
    for (int32_t pixel = 0; pixel < count; pixel += 2) {
        /* An odd last pixel is computed twice, in the same place. */
        int8_t *const next = ((pixel + 1) < count) ? &target[step] : target;
        mcuprune_conv_2d_dsp_window(layer, source, y, x, pixels);
        if (next != target) {
            ++x;
            if (x == layer->output_width) {
                x = 0;
                ++y;
            }
        }
        mcuprune_conv_2d_dsp_window(layer, source, y, x, &pixels[2]);
        ++x;
        if (x == layer->output_width) {
            x = 0;
            ++y;
        }
        mcuprune_conv_2d_dsp_outputs(layer, pixels, steps, target, next);
        target = &next[step];
    }
    mcuprune_clamp(output, count * step, layer->activation_min, layer->activation_max);
}

#endif
