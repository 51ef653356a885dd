/* DEPTHWISE_CONV_2D for the DSP extension: channel by channel, from a padded copy of its plane. */

#ifndef MCUPRUNE_DEPTHWISE_CONV_2D_DSP_H_
#define MCUPRUNE_DEPTHWISE_CONV_2D_DSP_H_

#include <stdint.h>

#include "mcuprune_arena.h"
#include "mcuprune_clamp.h"
#include "mcuprune_dsp.h"

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
    int32_t padding_top;
    int32_t padding_left;
    int32_t depth_multiplier;
    int32_t output_channels;
    int32_t band;     /* rows of the output from one copy */
    int32_t pitch;    /* elements of a row of the copy, even */
    int32_t padding;  /* the input's zero point */
    int32_t rounding; /* twice the output's zero point, plus 1 */
    int32_t activation_min;
    int32_t activation_max;
    const int8_t *weights; /* [output channel][filter y][filter x] */
    const int32_t *bias;   /* doubled, the input's offset included */
    const int32_t *factors;
    const uint8_t *shifts; /* less 1 */
} mcuprune_depthwise_conv_2d_dsp_t;

/* What turns the sums of one channel into outputs. */
typedef struct {
    int32_t bias;
    int32_t factor;
    uint32_t shift;
    int32_t rounding;
    int32_t step; /* from output to output */
} mcuprune_depthwise_scale_t;

static inline void mcuprune_depthwise_fill(int16_t *target, int32_t count, int32_t value)
{
    for (int32_t place = 0; place < count; ++place) {
        target[place] = (int16_t)value;
    }
}

/* What lies in a copy: rows and columns of the input, and where they go. */
typedef struct {
    int32_t row_step; /* bytes from row to row of the input */
    int32_t step;     /* bytes from pixel to pixel */
    int32_t rows;
    int32_t columns;
    int32_t pitch; /* elements from row to row of the copy */
} mcuprune_depthwise_part_t;

/* One channel of a part of the input. */
MCUPRUNE_OUTLINED void mcuprune_depthwise_gather(const mcuprune_depthwise_part_t *part,
                                                 const int8_t *input, mcuprune_arena_int16_t *plane)
{
    const int32_t step = part->step;
    for (int32_t row = 0; row < part->rows; ++row) {
        const int8_t *source = input;
        mcuprune_arena_int16_t *target = plane;
        int32_t left = part->columns;
        for (; left >= 4; left -= 4) {
            target[0] = *source;
            source = &source[step];
            target[1] = *source;
            source = &source[step];
            target[2] = *source;
            source = &source[step];
            target[3] = *source;
            source = &source[step];
            target = &target[4];
        }
        for (; left > 0; --left) {
            *target = *source;
            source = &source[step];
            ++target;
        }
        input = &input[part->row_step];
        plane = &plane[part->pitch];
    }
}

/* Two weights, doubled, as a pair. */
static inline uint32_t mcuprune_depthwise_pair(int32_t one, int32_t other)
{
    return ((uint32_t)(2 * one) & 0xFFFFU) | ((uint32_t)(2 * other) << 16);
}

/* Three rows of three taps: weights 0 and 1, and 1 and 2 of each. */
typedef struct {
    uint32_t top01;
    uint32_t top12;
    uint32_t middle01;
    uint32_t middle12;
    uint32_t bottom01;
    uint32_t bottom12;
} mcuprune_depthwise_3x3_t;

static inline mcuprune_depthwise_3x3_t mcuprune_depthwise_3x3(const int8_t *weights)
{
    mcuprune_depthwise_3x3_t taps;
    taps.top01 = mcuprune_depthwise_pair(weights[0], weights[1]);
    taps.top12 = mcuprune_depthwise_pair(weights[1], weights[2]);
    taps.middle01 = mcuprune_depthwise_pair(weights[3], weights[4]);
    taps.middle12 = mcuprune_depthwise_pair(weights[4], weights[5]);
    taps.bottom01 = mcuprune_depthwise_pair(weights[6], weights[7]);
    taps.bottom12 = mcuprune_depthwise_pair(weights[7], weights[8]);
    return taps;
}

/* Sums of the upper two rows of taps for pairs of neighbours, stride 1: what both need is loaded
   once. Working in two passes, the values fit the registers. */
MCUPRUNE_OUTLINED void mcuprune_depthwise_upper_step1(const mcuprune_depthwise_3x3_t *taps,
                                                      int32_t bias,
                                                      const mcuprune_arena_int16_t *top,
                                                      const mcuprune_arena_int16_t *middle,
                                                      mcuprune_arena_int32_t *sums, int32_t count)
{
    const uint32_t top01 = taps->top01;
    const uint32_t top12 = taps->top12;
    const uint32_t middle01 = taps->middle01;
    const uint32_t middle12 = taps->middle12;
    for (; count > 0; count -= 2) {
        mcuprune_words_t words = mcuprune_load_words_step1(&top);
        int32_t sum0 = mcuprune_smlad(top01, words.low, bias);
        int32_t sum1 = mcuprune_smlabt(top01, words.low, bias);
        sum0 = mcuprune_smlatb(top12, words.high, sum0);
        sum1 = mcuprune_smlad(top12, words.high, sum1);
        words = mcuprune_load_words_step1(&middle);
        sum0 = mcuprune_smlad(middle01, words.low, sum0);
        sum1 = mcuprune_smlabt(middle01, words.low, sum1);
        sum0 = mcuprune_smlatb(middle12, words.high, sum0);
        sum1 = mcuprune_smlad(middle12, words.high, sum1);
        sums[0] = sum0;
        sums[1] = sum1;
        sums = &sums[2];
    }
}

/* Adds the lowest row of taps and stores the outputs, stride 1. */
MCUPRUNE_OUTLINED void mcuprune_depthwise_lower_step1(const mcuprune_depthwise_3x3_t *taps,
                                                      const mcuprune_depthwise_scale_t *scale,
                                                      const mcuprune_arena_int16_t *bottom,
                                                      const mcuprune_arena_int32_t *sums,
                                                      int8_t *output, int32_t count)
{
    const uint32_t bottom01 = taps->bottom01;
    const uint32_t bottom12 = taps->bottom12;
    const int32_t factor = scale->factor;
    const uint32_t shift = scale->shift;
    const int32_t rounding = scale->rounding;
    const int32_t step = scale->step;
    for (; count > 0; count -= 2) {
        const mcuprune_words_t words = mcuprune_load_words_step1(&bottom);
        int32_t sum0 = mcuprune_smlad(bottom01, words.low, sums[0]);
        int32_t sum1 = mcuprune_smlabt(bottom01, words.low, sums[1]);
        sum0 = mcuprune_smlatb(bottom12, words.high, sum0);
        sum1 = mcuprune_smlad(bottom12, words.high, sum1);
        sums = &sums[2];
        *output = (int8_t)mcuprune_output(sum0, factor, shift, rounding);
        output = &output[step];
        if (count > 1) {
            *output = (int8_t)mcuprune_output(sum1, factor, shift, rounding);
            output = &output[step];
        }
    }
}

/* The same for stride 2: neighbours share a word. */
MCUPRUNE_OUTLINED void mcuprune_depthwise_upper_step2(const mcuprune_depthwise_3x3_t *taps,
                                                      int32_t bias,
                                                      const mcuprune_arena_int16_t *top,
                                                      const mcuprune_arena_int16_t *middle,
                                                      mcuprune_arena_int32_t *sums, int32_t count)
{
    const uint32_t top01 = taps->top01;
    const uint32_t top12 = taps->top12;
    const uint32_t middle01 = taps->middle01;
    const uint32_t middle12 = taps->middle12;
    for (; count > 0; count -= 2) {
        mcuprune_words_t words = mcuprune_load_words_step2(&top);
        int32_t sum0 = mcuprune_smlad(top01, words.low, bias);
        int32_t sum1 = mcuprune_smlad(top01, words.high, bias);
        sum0 = mcuprune_smlatb(top12, words.high, sum0);
        sum1 = mcuprune_smlatb(top12, mcuprune_load_word(top), sum1);
        words = mcuprune_load_words_step2(&middle);
        sum0 = mcuprune_smlad(middle01, words.low, sum0);
        sum1 = mcuprune_smlad(middle01, words.high, sum1);
        sum0 = mcuprune_smlatb(middle12, words.high, sum0);
        sum1 = mcuprune_smlatb(middle12, mcuprune_load_word(middle), sum1);
        sums[0] = sum0;
        sums[1] = sum1;
        sums = &sums[2];
    }
}

MCUPRUNE_OUTLINED void mcuprune_depthwise_lower_step2(const mcuprune_depthwise_3x3_t *taps,
                                                      const mcuprune_depthwise_scale_t *scale,
                                                      const mcuprune_arena_int16_t *bottom,
                                                      const mcuprune_arena_int32_t *sums,
                                                      int8_t *output, int32_t count)
{
    const uint32_t bottom01 = taps->bottom01;
    const uint32_t bottom12 = taps->bottom12;
    const int32_t factor = scale->factor;
    const uint32_t shift = scale->shift;
    const int32_t rounding = scale->rounding;
    const int32_t step = scale->step;
    for (; count > 0; count -= 2) {
        const mcuprune_words_t words = mcuprune_load_words_step2(&bottom);
        int32_t sum0 = mcuprune_smlad(bottom01, words.low, sums[0]);
        int32_t sum1 = mcuprune_smlad(bottom01, words.high, sums[1]);
        sum0 = mcuprune_smlatb(bottom12, words.high, sum0);
        sum1 = mcuprune_smlatb(bottom12, mcuprune_load_word(bottom), sum1);
        sums = &sums[2];
        *output = (int8_t)mcuprune_output(sum0, factor, shift, rounding);
        output = &output[step];
        if (count > 1) {
            *output = (int8_t)mcuprune_output(sum1, factor, shift, rounding);
            output = &output[step];
        }
    }
}

/* A row of outputs of one channel for any window, two at a time; taps: pairs, each row of the
   window filled up. */
MCUPRUNE_OUTLINED void mcuprune_depthwise_row(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                              const mcuprune_arena_uint32_t *taps,
                                              const mcuprune_depthwise_scale_t *scale,
                                              const mcuprune_arena_int16_t *plane, int8_t *output)
{
    const int32_t pairs = (layer->filter_width + 1) / 2;
    for (int32_t left = layer->output_width; left > 0; left -= 2) {
        /* An odd last output is computed twice, and stored once. */
        const int32_t next = (left > 1) ? layer->stride_width : 0;
        const mcuprune_arena_int16_t *row = plane;
        const mcuprune_arena_uint32_t *tap = taps;
        int32_t sum0 = scale->bias;
        int32_t sum1 = scale->bias;
        for (int32_t filter_y = 0; filter_y < layer->filter_height; ++filter_y) {
            const mcuprune_arena_int16_t *one = row;
            const mcuprune_arena_int16_t *other = &row[next];
            for (int32_t pair = 0; pair < pairs; ++pair) {
                const uint32_t weights = *tap;
                sum0 = mcuprune_smlad(weights, mcuprune_load_word(one), sum0);
                sum1 = mcuprune_smlad(weights, mcuprune_load_word(other), sum1);
                one = &one[2];
                other = &other[2];
                ++tap;
            }
            row = &row[layer->pitch];
        }
        *output = (int8_t)mcuprune_output(sum0, scale->factor, scale->shift, scale->rounding);
        output = &output[scale->step];
        if (left > 1) {
            *output = (int8_t)mcuprune_output(sum1, scale->factor, scale->shift, scale->rounding);
            output = &output[scale->step];
        }
        plane = &plane[2 * next];
    }
}

static inline void mcuprune_depthwise_taps(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                           const int8_t *weights, mcuprune_arena_uint32_t *taps)
{
    for (int32_t filter_y = 0; filter_y < layer->filter_height; ++filter_y) {
        for (int32_t filter_x = 0; filter_x < layer->filter_width; filter_x += 2) {
            const int32_t has_next = ((filter_x + 1) < layer->filter_width) ? 1 : 0;
            const int32_t next = (has_next != 0) ? weights[filter_x + 1] : 0;
            *taps = mcuprune_depthwise_pair(weights[filter_x], next);
            ++taps;
        }
        weights = &weights[layer->filter_width];
    }
}

/* Rows of outputs of one channel, 3x3, stride 1 or 2; sums: one row. */
static inline void mcuprune_depthwise_rows_3x3(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                               const int8_t *weights,
                                               const mcuprune_depthwise_scale_t *scale,
                                               const mcuprune_arena_int16_t *plane,
                                               mcuprune_arena_int32_t *sums, int8_t *output,
                                               int32_t rows)
{
    const mcuprune_depthwise_3x3_t taps = mcuprune_depthwise_3x3(weights);
    const int32_t pitch = layer->pitch;
    const int32_t count = layer->output_width;
    for (int32_t row = 0; row < rows; ++row) {
        const mcuprune_arena_int16_t *const middle = &plane[pitch];
        const mcuprune_arena_int16_t *const bottom = &middle[pitch];
        if (layer->stride_width == 1) {
            mcuprune_depthwise_upper_step1(&taps, scale->bias, plane, middle, sums, count);
            mcuprune_depthwise_lower_step1(&taps, scale, bottom, sums, output, count);
        } else {
            mcuprune_depthwise_upper_step2(&taps, scale->bias, plane, middle, sums, count);
            mcuprune_depthwise_lower_step2(&taps, scale, bottom, sums, output, count);
        }
        plane = &plane[layer->stride_height * pitch];
        output = &output[count * scale->step];
    }
}

/* Rows of outputs of one channel; working: a row of sums, or the taps. */
static inline void mcuprune_depthwise_channel(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                              int32_t channel, const mcuprune_arena_int16_t *plane,
                                              void *working, int8_t *output, int32_t rows)
{
    const int32_t window = layer->filter_height * layer->filter_width;
    const int8_t *const weights = &layer->weights[channel * window];
    const mcuprune_depthwise_scale_t scale = {layer->bias[channel], layer->factors[channel],
                                              layer->shifts[channel], layer->rounding,
                                              layer->output_channels};
    if ((layer->filter_height == 3) && (layer->filter_width == 3) && (layer->stride_width <= 2)) {
        mcuprune_depthwise_rows_3x3(layer, weights, &scale, plane,
                                    (mcuprune_arena_int32_t *)working, output, rows);
    } else {
        mcuprune_arena_uint32_t *const taps = (mcuprune_arena_uint32_t *)working;
        mcuprune_depthwise_taps(layer, weights, taps);
        for (int32_t row = 0; row < rows; ++row) {
            mcuprune_depthwise_row(layer, taps, &scale, plane, output);
            plane = &plane[layer->stride_height * layer->pitch];
            output = &output[layer->output_width * layer->output_channels];
        }
    }
}

/* Rows of outputs of all channels from the input's row `top` on. */
static inline void mcuprune_depthwise_band(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                           const int8_t *input, int32_t top,
                                           mcuprune_arena_int16_t *plane, void *working,
                                           int8_t *output, int32_t rows)
{
    const int32_t row_step = layer->input_width * layer->input_channels;
    const int32_t height = ((rows - 1) * layer->stride_height) + layer->filter_height;
    const int32_t above = (top < 0) ? -top : 0;
    const int32_t below =
        ((top + height) > layer->input_height) ? ((top + height) - layer->input_height) : 0;
    const int32_t room = layer->pitch - layer->padding_left;
    const mcuprune_depthwise_part_t part = {row_step, layer->input_channels, height - above - below,
                                            (layer->input_width < room) ? layer->input_width : room,
                                            layer->pitch};
    const int8_t *const source = &input[(top + above) * row_step];
    mcuprune_arena_int16_t *const target = &plane[(above * layer->pitch) + layer->padding_left];
    /* The padding stays: every channel covers the same part of the copy. */
    mcuprune_depthwise_fill(plane, height * layer->pitch, layer->padding);
    for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
        if ((channel % layer->depth_multiplier) == 0) {
            mcuprune_depthwise_gather(&part, &source[channel / layer->depth_multiplier], target);
        }
        mcuprune_depthwise_channel(layer, channel, plane, working, &output[channel], rows);
    }
}

/* scratch: the copy of a plane, then a row of sums or the taps, aligned to 4. */
static inline void mcuprune_depthwise_conv_2d_dsp(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                                  const int8_t *input, int8_t *output,
                                                  void *scratch)
{
    const int32_t rows_of_copy = ((layer->band - 1) * layer->stride_height) + layer->filter_height;
    mcuprune_arena_int16_t *const plane = (mcuprune_arena_int16_t *)scratch;
    mcuprune_arena_int16_t *const working = &plane[rows_of_copy * layer->pitch];
    const int32_t pitch = layer->output_width * layer->output_channels;
    for (int32_t first = 0; first < layer->output_height; first += layer->band) {
        const int32_t left = layer->output_height - first;
        const int32_t rows = (left < layer->band) ? left : layer->band;
        mcuprune_depthwise_band(layer, input, (first * layer->stride_height) - layer->padding_top,
                                plane, working, &output[first * pitch], rows);
    }
    mcuprune_clamp(output, layer->output_height * pitch, layer->activation_min,
                   layer->activation_max);
}

#endif
