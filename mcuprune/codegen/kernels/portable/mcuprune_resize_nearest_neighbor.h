/* RESIZE_NEAREST_NEIGHBOR: int8, channels last. */

#ifndef MCUPRUNE_RESIZE_NEAREST_NEIGHBOR_H_
#define MCUPRUNE_RESIZE_NEAREST_NEIGHBOR_H_

#include <stdint.h>
#include <string.h>

typedef struct {
    int32_t input_width;
    int32_t output_height;
    int32_t output_width;
    int32_t channels;
    const uint16_t *rows; /* source of each */
    const uint16_t *columns;
} mcuprune_resize_nearest_neighbor_t;

static inline void mcuprune_resize_nearest_neighbor(const mcuprune_resize_nearest_neighbor_t *layer,
                                                    const int8_t *input, int8_t *output)
{
    for (int32_t y = 0; y < layer->output_height; ++y) {
        const int8_t *const row =
            &input[(int32_t)layer->rows[y] * layer->input_width * layer->channels];
        for (int32_t x = 0; x < layer->output_width; ++x) {
            (void)memcpy(output, &row[(int32_t)layer->columns[x] * layer->channels],
                         (size_t)layer->channels);
            output = &output[layer->channels];
        }
    }
}

#endif
