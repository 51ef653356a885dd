/* FULLY_CONNECTED for the DSP extension: four output channels at once. */

#ifndef MCUPRUNE_FULLY_CONNECTED_DSP_H_
#define MCUPRUNE_FULLY_CONNECTED_DSP_H_

#include <stdint.h>

#include "mcuprune_clamp.h"
#include "mcuprune_dsp.h"
#include "mcuprune_pairs.h"

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t output_channels;
    int32_t rounding; /* twice the output's zero point, plus 1 */
    int32_t activation_min;
    int32_t activation_max;
    int32_t multiplier_step; /* 1: a factor and a shift per channel, 0: one for all */
    const uint32_t *weights; /* [pair of channels][word of the row][even, odd] */
    const int32_t *bias;     /* [pair of channels][first, mixed], the input's offset included */
    const int32_t *factors;
    const uint8_t *shifts; /* less 1 */
} mcuprune_fully_connected_dsp_t;

/* Up to two outputs from the sums of a pair. */
static inline int8_t *mcuprune_fully_connected_dsp_store(
    const mcuprune_fully_connected_dsp_t *layer, const mcuprune_pair_sums_t *sums, int32_t channel,
    int8_t *output)
{
    const int32_t scale = channel * layer->multiplier_step;
    output[0] = (int8_t)mcuprune_output(mcuprune_first_doubled(sums), layer->factors[scale],
                                        layer->shifts[scale], layer->rounding);
    if ((channel + 1) < layer->output_channels) {
        const int32_t next = scale + layer->multiplier_step;
        output[1] = (int8_t)mcuprune_output(mcuprune_second_doubled(sums), layer->factors[next],
                                            layer->shifts[next], layer->rounding);
    }
    return &output[2];
}

static inline void mcuprune_fully_connected_dsp_row(const mcuprune_fully_connected_dsp_t *layer,
                                                    const int8_t *input, int8_t *output)
{
    const uint32_t steps = ((uint32_t)layer->depth + 3U) / 4U;
    const uint32_t *weights = layer->weights;
    const int32_t *bias = layer->bias;
    for (int32_t channel = 0; channel < layer->output_channels; channel += 4) {
        const int32_t is_last = ((channel + 2) >= layer->output_channels) ? 1 : 0;
        mcuprune_pair_sums_t sums0 = {bias[0], bias[1]};
        mcuprune_pair_sums_t sums1 = sums0;
        const uint32_t *next = weights;
        if (is_last == 0) {
            sums1.first = bias[2];
            sums1.mixed = bias[3];
            next = &weights[2U * steps];
        }
        mcuprune_sum_two_pairs(input, weights, next, steps, &sums0, &sums1);
        output = mcuprune_fully_connected_dsp_store(layer, &sums0, channel, output);
        if (is_last == 0) {
            output = mcuprune_fully_connected_dsp_store(layer, &sums1, channel + 2, output);
        }
        weights = &next[2U * steps];
        bias = &bias[4];
    }
}

static inline void mcuprune_fully_connected_dsp(const mcuprune_fully_connected_dsp_t *layer,
                                                const int8_t *input, int8_t *output)
{
    const int32_t channels = layer->output_channels;
    for (int32_t row = 0; row < layer->rows; ++row) {
        mcuprune_fully_connected_dsp_row(layer, &input[row * layer->depth],
                                         &output[row * channels]);
    }
    mcuprune_clamp(output, layer->rows * channels, layer->activation_min, layer->activation_max);
}

#endif
