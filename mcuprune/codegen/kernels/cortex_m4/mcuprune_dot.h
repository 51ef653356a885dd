/* Sums of products of neighbours in memory, for the DSP extension. */

#ifndef MCUPRUNE_DOT_H_
#define MCUPRUNE_DOT_H_

#include <stdint.h>

#include "mcuprune_dsp.h"

/* Sum of (source + offset) * weight over `count` elements. */
static inline int32_t mcuprune_dot(const int8_t *source, int32_t offset, const int8_t *weights,
                                   int32_t count)
{
    const uint32_t offsets = ((uint32_t)offset & 0xFFFFU) | ((uint32_t)offset << 16);
    int32_t sum = 0;
    int32_t place = 0;
    for (; (place + 4) <= count; place += 4) {
        const uint32_t values = mcuprune_load_word(&source[place]);
        const uint32_t taps = mcuprune_load_word(&weights[place]);
        sum = mcuprune_smlad(mcuprune_sxtab16(offsets, values), mcuprune_sxtb16(taps), sum);
        sum = mcuprune_smlad(mcuprune_sxtab16_odd(offsets, values), mcuprune_sxtb16_odd(taps), sum);
    }
    for (; place < count; ++place) {
        sum += ((int32_t)source[place] + offset) * weights[place];
    }
    return sum;
}

#endif
