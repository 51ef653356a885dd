/* DEPTHWISE_CONV_2D for the DSP extension: channel by channel, from a padded copy of its plane. */

#ifndef MCUPRUNE_DEPTHWISE_CONV_2D_DSP_H_
#define MCUPRUNE_DEPTHWISE_CONV_2D_DSP_H_

#include <stdint.h>

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
} mcuprune_depthwise_scale_t;

static inline void mcuprune_depthwise_fill(int16_t *target, int32_t count, int32_t value)
{
    for (int32_t place = 0; place < count; ++place) {
        target[place] = (int16_t)value;
    }
}

/* One channel of a row of pixels. */
static inline void mcuprune_depthwise_gather(int16_t *target, const int8_t *source, int32_t step,
                                             int32_t count)
{
    int32_t left = count;
    while (left >= 4) {
        target[0] = source[0];
        target[1] = source[step];
        source = &source[2 * step];
        target[2] = source[0];
        target[3] = source[step];
        source = &source[2 * step];
        target = &target[4];
        left -= 4;
    }
    while (left > 0) {
        *target = *source;
        source = &source[step];
        ++target;
        --left;
    }
}

/* Copies rows of one channel, from input row `top` on, with padding. */
static inline void mcuprune_depthwise_copy(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                           const int8_t *input, int32_t top, int32_t rows,
                                           int16_t *plane)
{
    const int32_t step = layer->input_channels;
    const int32_t before = layer->padding_left;
    const int32_t room = layer->pitch - before;
    const int32_t count = (layer->input_width < room) ? layer->input_width : room;
    for (int32_t row = 0; row < rows; ++row) {
        const int32_t y = top + row;
        if ((y < 0) || (y >= layer->input_height)) {
            mcuprune_depthwise_fill(plane, layer->pitch, layer->padding);
        } else {
            mcuprune_depthwise_fill(plane, before, layer->padding);
            mcuprune_depthwise_gather(&plane[before], &input[y * layer->input_width * step], step,
                                      count);
            mcuprune_depthwise_fill(&plane[before + count], room - count, layer->padding);
        }
        plane = &plane[layer->pitch];
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

/* A row of outputs of one channel, 3x3, stride 1: two neighbours share what they load. */
static inline void mcuprune_depthwise_row_3x3(const mcuprune_depthwise_3x3_t *taps,
                                              const mcuprune_depthwise_scale_t *scale,
                                              const int16_t *plane, int32_t pitch, int8_t *output,
                                              int32_t step, int32_t count)
{
    const int16_t *middle = &plane[pitch];
    const int16_t *bottom = &middle[pitch];
    for (int32_t left = count; left > 0; left -= 2) {
        uint32_t low = mcuprune_load_word(plane);
        uint32_t high = mcuprune_load_word(&plane[2]);
        int32_t sum0 = mcuprune_smlad(taps->top01, low, scale->bias);
        int32_t sum1 = mcuprune_smlabt(taps->top01, low, scale->bias);
        sum0 = mcuprune_smlatb(taps->top12, high, sum0);
        sum1 = mcuprune_smlad(taps->top12, high, sum1);
        low = mcuprune_load_word(middle);
        high = mcuprune_load_word(&middle[2]);
        sum0 = mcuprune_smlad(taps->middle01, low, sum0);
        sum1 = mcuprune_smlabt(taps->middle01, low, sum1);
        sum0 = mcuprune_smlatb(taps->middle12, high, sum0);
        sum1 = mcuprune_smlad(taps->middle12, high, sum1);
        low = mcuprune_load_word(bottom);
        high = mcuprune_load_word(&bottom[2]);
        sum0 = mcuprune_smlad(taps->bottom01, low, sum0);
        sum1 = mcuprune_smlabt(taps->bottom01, low, sum1);
        sum0 = mcuprune_smlatb(taps->bottom12, high, sum0);
        sum1 = mcuprune_smlad(taps->bottom12, high, sum1);
        *output = (int8_t)mcuprune_output(sum0, scale->factor, scale->shift, scale->rounding);
        output = &output[step];
        if (left > 1) {
            *output = (int8_t)mcuprune_output(sum1, scale->factor, scale->shift, scale->rounding);
            output = &output[step];
        }
        plane = &plane[2];
        middle = &middle[2];
        bottom = &bottom[2];
    }
}

/* The same for any stride. */
static inline void mcuprune_depthwise_row_3x3_strided(const mcuprune_depthwise_3x3_t *taps,
                                                      const mcuprune_depthwise_scale_t *scale,
                                                      const int16_t *plane, int32_t pitch,
                                                      int32_t stride, int8_t *output, int32_t step,
                                                      int32_t count)
{
    const int16_t *middle = &plane[pitch];
    const int16_t *bottom = &middle[pitch];
    for (int32_t left = count; left > 0; --left) {
        int32_t sum = scale->bias;
        sum = mcuprune_smlad(taps->top01, mcuprune_load_word(plane), sum);
        sum = mcuprune_smlatb(taps->top12, mcuprune_load_word(&plane[2]), sum);
        sum = mcuprune_smlad(taps->middle01, mcuprune_load_word(middle), sum);
        sum = mcuprune_smlatb(taps->middle12, mcuprune_load_word(&middle[2]), sum);
        sum = mcuprune_smlad(taps->bottom01, mcuprune_load_word(bottom), sum);
        sum = mcuprune_smlatb(taps->bottom12, mcuprune_load_word(&bottom[2]), sum);
        *output = (int8_t)mcuprune_output(sum, scale->factor, scale->shift, scale->rounding);
        output = &output[step];
        plane = &plane[stride];
        middle = &middle[stride];
        bottom = &bottom[stride];
    }
}

/* A row of outputs of one channel for any window; taps: pairs, each row of the window filled up. */
static inline void mcuprune_depthwise_row(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                          const uint32_t *taps,
                                          const mcuprune_depthwise_scale_t *scale,
                                          const int16_t *plane, int8_t *output)
{
    const int32_t pairs = (layer->filter_width + 1) / 2;
    for (int32_t x = 0; x < layer->output_width; ++x) {
        const int16_t *row = &plane[x * layer->stride_width];
        const uint32_t *tap = taps;
        int32_t sum = scale->bias;
        for (int32_t filter_y = 0; filter_y < layer->filter_height; ++filter_y) {
            for (int32_t pair = 0; pair < pairs; ++pair) {
                sum = mcuprune_smlad(*tap, mcuprune_load_word(&row[2 * pair]), sum);
                ++tap;
            }
            row = &row[layer->pitch];
        }
        *output = (int8_t)mcuprune_output(sum, scale->factor, scale->shift, scale->rounding);
        output = &output[layer->output_channels];
    }
}

static inline void mcuprune_depthwise_taps(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                           const int8_t *weights, uint32_t *taps)
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

/* Rows `first` to `first + rows - 1` of one output channel. */
static inline void mcuprune_depthwise_channel(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                              int32_t channel, const int16_t *plane,
                                              uint32_t *taps, int8_t *output, int32_t rows)
{
    const int32_t window = layer->filter_height * layer->filter_width;
    const int8_t *const weights = &layer->weights[channel * window];
    const int32_t pitch = layer->output_width * layer->output_channels;
    const mcuprune_depthwise_scale_t scale = {layer->bias[channel], layer->factors[channel],
                                              layer->shifts[channel], layer->rounding};
    const int32_t advance = layer->stride_height * layer->pitch;
    if ((layer->filter_height == 3) && (layer->filter_width == 3)) {
        const mcuprune_depthwise_3x3_t square = mcuprune_depthwise_3x3(weights);
        for (int32_t row = 0; row < rows; ++row) {
            if (layer->stride_width == 1) {
                mcuprune_depthwise_row_3x3(&square, &scale, plane, layer->pitch, output,
                                           layer->output_channels, layer->output_width);
            } else {
                mcuprune_depthwise_row_3x3_strided(&square, &scale, plane, layer->pitch,
                                                   layer->stride_width, output,
                                                   layer->output_channels, layer->output_width);
            }
            plane = &plane[advance];
            output = &output[pitch];
        }
    } else {
        mcuprune_depthwise_taps(layer, weights, taps);
        for (int32_t row = 0; row < rows; ++row) {
            mcuprune_depthwise_row(layer, taps, &scale, plane, output);
            plane = &plane[advance];
            output = &output[pitch];
        }
    }
}

/* scratch: the copy of a plane, then a pair per two taps, aligned to 4. */
static inline void mcuprune_depthwise_conv_2d_dsp(const mcuprune_depthwise_conv_2d_dsp_t *layer,
                                                  const int8_t *input, int8_t *output,
                                                  void *scratch)
{
    const int32_t rows_of_copy =
        ((layer->band - 1) * layer->stride_height) + layer->filter_height;
    int16_t *const plane = (int16_t *)scratch;
    uint32_t *const taps = &((uint32_t *)scratch)[(rows_of_copy * layer->pitch) / 2];
    const int32_t pitch = layer->output_width * layer->output_channels;
    for (int32_t first = 0; first < layer->output_height; first += layer->band) {
        const int32_t left = layer->output_height - first;
        const int32_t rows = (left < layer->band) ? left : layer->band;
        const int32_t top = (first * layer->stride_height) - layer->padding_top;
        for (int32_t channel = 0; channel < layer->output_channels; ++channel) {
            if ((channel % layer->depth_multiplier) == 0) {
                mcuprune_depthwise_copy(layer, &input[channel / layer->depth_multiplier], top,
                                        ((rows - 1) * layer->stride_height) + layer->filter_height,
                                        plane);
            }
            mcuprune_depthwise_channel(layer, channel, plane, taps,
                                       &output[(first * pitch) + channel], rows);
        }
    }
    mcuprune_clamp(output, layer->output_height * pitch, layer->activation_min,
                   layer->activation_max);
}

#endif
