/* Windows that slide over an input: which of their taps lie within it. */

#ifndef MCUPRUNE_WINDOW_H_
#define MCUPRUNE_WINDOW_H_

#include <stdint.h>

#include "mcuprune_fixed_point.h"

/* Taps from the first one on, the end excluded. */
typedef struct {
    int32_t first;
    int32_t end;
} mcuprune_taps_t;

/* start: where the window's first tap lies, in a row or column of `extent` places. */
static inline mcuprune_taps_t mcuprune_taps(int32_t start, int32_t dilation, int32_t count,
                                            int32_t extent)
{
    mcuprune_taps_t taps;
    taps.first = (start < 0) ? (((dilation - 1) - start) / dilation) : 0;
    taps.end = mcuprune_clamped(((extent - start) + (dilation - 1)) / dilation, 0, count);
    return taps;
}

#endif
