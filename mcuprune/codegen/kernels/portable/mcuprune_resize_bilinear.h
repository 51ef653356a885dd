/* RESIZE_BILINEAR: int8, channels last, weights in 1/1024. */

#ifndef MCUPRUNE_RESIZE_BILINEAR_H_
#define MCUPRUNE_RESIZE_BILINEAR_H_

#include <stdint.h>

typedef struct {
    int32_t input_width;
    int32_t output_height;
    int32_t output_width;
    int32_t channels;
    const uint16_t *lower_rows;
    const uint16_t *upper_rows;
    const int16_t *row_weights; /* of the upper row */
    const uint16_t *lower_columns;
    const uint16_t *upper_columns;
    const int16_t *column_weights;
} mcuprune_resize_bilinear_t;

/* Weights are -512 to 1024, those below 0 where both places are the same: sums stay below 2^29. */
static inline int8_t mcuprune_resize_bilinear_value(const int8_t *lower, const int8_t *upper,
                                                    int32_t left, int32_t right, int32_t row_weight,
                                                    int32_t column_weight)
{
    const int32_t above = (lower[left] * (1024 - column_weight)) + (lower[right] * column_weight);
    const int32_t below = (upper[left] * (1024 - column_weight)) + (upper[right] * column_weight);
    const int32_t sum = (above * (1024 - row_weight)) + (below * row_weight);
    const int32_t half = (int32_t)1 << 19;
    return (int8_t)((sum + ((sum > 0) ? half : -half)) / ((int32_t)1 << 20));
}

static inline void mcuprune_resize_bilinear(const mcuprune_resize_bilinear_t *layer,
                                            const int8_t *input, int8_t *output)
{
    const int32_t pitch = layer->input_width * layer->channels;
    for (int32_t y = 0; y < layer->output_height; ++y) {
        const int8_t *const lower = &input[(int32_t)layer->lower_rows[y] * pitch];
        const int8_t *const upper = &input[(int32_t)layer->upper_rows[y] * pitch];
        for (int32_t x = 0; x < layer->output_width; ++x) {
            const int32_t left = (int32_t)layer->lower_columns[x] * layer->channels;
            const int32_t right = (int32_t)layer->upper_columns[x] * layer->channels;
            for (int32_t channel = 0; channel < layer->channels; ++channel) {
                *output =
                    mcuprune_resize_bilinear_value(lower, upper, left + channel, right + channel,
                                                   layer->row_weights[y], layer->column_weights[x]);
                ++output;
            }
        }
    }
}

#endif
