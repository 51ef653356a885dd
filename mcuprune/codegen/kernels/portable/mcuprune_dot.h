/* Sums of products of neighbours in memory. */

#ifndef MCUPRUNE_DOT_H_
#define MCUPRUNE_DOT_H_

#include <stdint.h>

/* Sum of (source + offset) * weight over `count` elements. */
static inline int32_t mcuprune_dot(const int8_t *source, int32_t offset, const int8_t *weights,
                                   int32_t count)
{
    int32_t sum = 0;
    for (int32_t place = 0; place < count; ++place) {
        sum += ((int32_t)source[place] + offset) * weights[place];
    }
    return sum;
}

#endif
