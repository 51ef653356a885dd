/* Fixed-point arithmetic: the roundings of TensorFlow Lite's reference kernels. */

#ifndef MCUPRUNE_FIXED_POINT_H_
#define MCUPRUNE_FIXED_POINT_H_

#include <stdint.h>

/* a * b / 2^31, halves rounded up, saturated. */
static inline int32_t mcuprune_doubling_high_product(int32_t a, int32_t b)
{
    int32_t product = INT32_MAX;
    if ((a != INT32_MIN) || (b != INT32_MIN)) {
        product = (int32_t)((((int64_t)a * (int64_t)b) + ((int64_t)1 << 30)) >> 31);
    }
    return product;
}

/* value / 2^bits, halves rounded away from zero; bits from 0 to 31. */
static inline int32_t mcuprune_rounding_shift(int32_t value, int32_t bits)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << bits) - 1U);
    const int32_t threshold = (mask >> 1) + ((value < 0) ? 1 : 0);
    return (value >> bits) + (((value & mask) > threshold) ? 1 : 0);
}

/* value * factor / 2^31 * 2^shift. */
static inline int32_t mcuprune_scaled(int32_t value, int32_t factor, int32_t shift)
{
    const int32_t left = (shift > 0) ? shift : 0;
    const int32_t right = (shift > 0) ? 0 : -shift;
    const int32_t moved = (int32_t)((uint32_t)value << left);
    return mcuprune_rounding_shift(mcuprune_doubling_high_product(moved, factor), right);
}

static inline int32_t mcuprune_clamped(int32_t value, int32_t least, int32_t most)
{
    const int32_t raised = (value < least) ? least : value;
    return (raised > most) ? most : raised;
}

#endif
