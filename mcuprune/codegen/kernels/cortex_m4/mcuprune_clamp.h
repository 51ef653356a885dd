/* Limits of a fused activation that are narrower than int8. */

#ifndef MCUPRUNE_CLAMP_H_
#define MCUPRUNE_CLAMP_H_

#include <stdint.h>

static inline void mcuprune_clamp(int8_t *values, int32_t count, int32_t least, int32_t most)
{
    if ((least > INT8_MIN) || (most < INT8_MAX)) {
        for (int32_t place = 0; place < count; ++place) {
            const int32_t raised = (values[place] < least) ? least : values[place];
            values[place] = (int8_t)((raised > most) ? most : raised);
        }
    }
}

#endif
