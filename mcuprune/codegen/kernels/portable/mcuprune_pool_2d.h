/* AVERAGE_POOL_2D and MAX_POOL_2D: int8, channels last; padding does not count. */

#ifndef MCUPRUNE_POOL_2D_H_
#define MCUPRUNE_POOL_2D_H_

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
    int32_t padding_top;
    int32_t padding_left;
    int32_t activation_min;
    int32_t activation_max;
} mcuprune_pool_2d_t;

typedef mcuprune_pool_2d_t mcuprune_average_pool_2d_t;
typedef mcuprune_pool_2d_t mcuprune_max_pool_2d_t;

/* The part of a window that lies within the input; ends are exclusive. */
typedef struct {
    int32_t top;
    int32_t bottom;
    int32_t left;
    int32_t right;
} mcuprune_pool_2d_window_t;

static inline mcuprune_pool_2d_window_t mcuprune_pool_2d_window(const mcuprune_pool_2d_t *layer,
                                                                int32_t y, int32_t x)
{
    const int32_t top = (y * layer->stride_height) - layer->padding_top;
    const int32_t left = (x * layer->stride_width) - layer->padding_left;
    mcuprune_pool_2d_window_t window;
    window.top = (top > 0) ? top : 0;
    window.left = (left > 0) ? left : 0;
    window.bottom = mcuprune_clamped(top + layer->filter_height, 0, layer->input_height);
    window.right = mcuprune_clamped(left + layer->filter_width, 0, layer->input_width);
    return window;
}

static inline int32_t mcuprune_average_pool_2d_value(const mcuprune_pool_2d_t *layer,
                                                     const int8_t *input,
                                                     const mcuprune_pool_2d_window_t *window)
{
    const int32_t count = (window->bottom - window->top) * (window->right - window->left);
    int32_t sum = 0;
    for (int32_t y = window->top; y < window->bottom; ++y) {
        for (int32_t x = window->left; x < window->right; ++x) {
            sum += input[((y * layer->input_width) + x) * layer->input_channels];
        }
    }
    return ((sum > 0) ? (sum + (count / 2)) : (sum - (count / 2))) / count;
}

static inline int32_t mcuprune_max_pool_2d_value(const mcuprune_pool_2d_t *layer,
                                                 const int8_t *input,
                                                 const mcuprune_pool_2d_window_t *window)
{
    int32_t largest = INT8_MIN;
    for (int32_t y = window->top; y < window->bottom; ++y) {
        for (int32_t x = window->left; x < window->right; ++x) {
            const int32_t value = input[((y * layer->input_width) + x) * layer->input_channels];
            largest = (value > largest) ? value : largest;
        }
    }
    return largest;
}

static inline void mcuprune_average_pool_2d(const mcuprune_pool_2d_t *layer, const int8_t *input,
                                            int8_t *output)
{
    for (int32_t y = 0; y < layer->output_height; ++y) {
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const mcuprune_pool_2d_window_t window = mcuprune_pool_2d_window(layer, y, x);
            for (int32_t channel = 0; channel < layer->input_channels; ++channel) {
                const int32_t value =
                    mcuprune_average_pool_2d_value(layer, &input[channel], &window);
                *output =
                    (int8_t)mcuprune_clamped(value, layer->activation_min, layer->activation_max);
                ++output;
            }
        }
    }
}

static inline void mcuprune_max_pool_2d(const mcuprune_pool_2d_t *layer, const int8_t *input,
                                        int8_t *output)
{
    for (int32_t y = 0; y < layer->output_height; ++y) {
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const mcuprune_pool_2d_window_t window = mcuprune_pool_2d_window(layer, y, x);
            for (int32_t channel = 0; channel < layer->input_channels; ++channel) {
                const int32_t value = mcuprune_max_pool_2d_value(layer, &input[channel], &window);
                *output =
                    (int8_t)mcuprune_clamped(value, layer->activation_min, layer->activation_max);
                ++output;
            }
        }
    }
}

#endif
