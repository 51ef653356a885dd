/* ADD for the DSP extension: int8, inputs of one shape; the output may lie over an input. */

#ifndef MCUPRUNE_ADD_DSP_H_
#define MCUPRUNE_ADD_DSP_H_

#include <stdint.h>

#include "mcuprune_clamp.h"
#include "mcuprune_dsp.h"

/* The input of the larger scale is only shifted, the other one is brought to that scale. */
typedef struct {
    int32_t count;
    int32_t plain_offset;  /* 2^19 times the input's */
    int32_t scaled_offset; /* 2^left times the input's */
    uint32_t left;         /* 21, or 22 where both scales are equal */
    int32_t scaled_factor;
    uint32_t scaled_shift; /* to the right, at least 1 */
    int32_t output_factor;
    uint32_t output_shift; /* less 1 */
    int32_t rounding;      /* twice the output's zero point, plus 1 */
    int32_t activation_min;
    int32_t activation_max;
} mcuprune_add_dsp_t;

static inline void mcuprune_add_dsp(const mcuprune_add_dsp_t *layer, const int8_t *plain,
                                    const int8_t *scaled, int8_t *output)
{
    const int32_t half = (int32_t)(((uint32_t)1 << layer->scaled_shift) >> 1);
    const int32_t plain_offset = layer->plain_offset;
    const int32_t scaled_offset = layer->scaled_offset;
    const uint32_t left = layer->left;
    const int32_t scaled_factor = layer->scaled_factor;
    const uint32_t scaled_shift = layer->scaled_shift;
    const int32_t output_factor = layer->output_factor;
    const uint32_t output_shift = layer->output_shift;
    const int32_t rounding = layer->rounding;
    const int32_t count = layer->count;
    for (int32_t place = 0; place < count; ++place) {
        const int32_t moved = (int32_t)((uint32_t)(int32_t)scaled[place] << left) + scaled_offset;
        const int32_t product = mcuprune_smmulr(moved, scaled_factor);
        const int32_t other = (product + (product >> 31) + half) >> scaled_shift;
        const int32_t one = (int32_t)((uint32_t)(int32_t)plain[place] << 19) + plain_offset + other;
        output[place] = (int8_t)mcuprune_output((int32_t)((uint32_t)one << 1), output_factor,
                                                output_shift, rounding);
    }
    mcuprune_clamp(output, count, layer->activation_min, layer->activation_max);
}

#endif
