/* MAX_POOL_2D for the DSP extension: int8, channels last, four channels at once. */

#ifndef MCUPRUNE_MAX_POOL_2D_DSP_H_
#define MCUPRUNE_MAX_POOL_2D_DSP_H_

#include <stdint.h>

#include "mcuprune_clamp.h"
#include "mcuprune_dsp.h"
#include "mcuprune_pool_2d.h"

typedef mcuprune_pool_2d_t mcuprune_max_pool_2d_dsp_t;

/* The largest values of four channels in a window that has at least one pixel. */
static inline uint32_t mcuprune_max_pool_2d_dsp_values(const mcuprune_pool_2d_t *layer,
                                                       const int8_t *input,
                                                       const mcuprune_pool_2d_window_t *window)
{
    const int32_t channels = layer->input_channels;
    const int32_t width = window->right - window->left;
    const int8_t *row = &input[((window->top * layer->input_width) + window->left) * channels];
    uint32_t largest = mcuprune_load_word(row);
    for (int32_t y = window->top; y < window->bottom; ++y) {
        const int8_t *pixel = row;
        for (int32_t x = 0; x < width; ++x) {
            largest = mcuprune_larger_bytes(largest, mcuprune_load_word(pixel));
            pixel = &pixel[channels];
        }
        row = &row[layer->input_width * channels];
    }
    return largest;
}

static inline void mcuprune_max_pool_2d_dsp(const mcuprune_max_pool_2d_dsp_t *layer,
                                            const int8_t *input, int8_t *output)
{
    const int32_t channels = layer->input_channels;
    const int32_t count = layer->output_height * layer->output_width * channels;
    int8_t *target = output;
    for (int32_t y = 0; y < layer->output_height; ++y) {
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const mcuprune_pool_2d_window_t window = mcuprune_pool_2d_window(layer, y, x);
            int32_t channel = 0;
            for (; (channel + 4) <= channels; channel += 4) {
                mcuprune_store_word(&target[channel], mcuprune_max_pool_2d_dsp_values(
                                                          layer, &input[channel], &window));
            }
            for (; channel < channels; ++channel) {
                target[channel] =
                    (int8_t)mcuprune_max_pool_2d_value(layer, &input[channel], &window);
            }
            target = &target[channels];
        }
    }
    mcuprune_clamp(output, count, layer->activation_min, layer->activation_max);
}

#endif
