/* Sums of products for two output channels at once.

   Weights of channels a and b share lanes of 16 bits: 256 * b + a. Their product with an
   activation, summed up, is 256 * B + A modulo 2^32; the sign-extended lower bytes give A alone. So
   one SXTB16 unpacks four weights. B keeps 24 bits, which the generator checks to be enough. */

#ifndef MCUPRUNE_PAIRS_H_
#define MCUPRUNE_PAIRS_H_

#include <stdint.h>

#include "mcuprune_dsp.h"

/* Sums of channel a, and of both channels mixed. */
typedef struct {
    int32_t first;
    int32_t mixed;
} mcuprune_pair_sums_t;

/* Twice the sum of channel a. */
static inline int32_t mcuprune_first_doubled(const mcuprune_pair_sums_t *sums)
{
    return (int32_t)((uint32_t)sums->first << 1);
}

/* Twice the sum of channel b. */
static inline int32_t mcuprune_second_doubled(const mcuprune_pair_sums_t *sums)
{
    return (int32_t)((uint32_t)sums->mixed - (uint32_t)sums->first) >> 7;
}

/* Adds the products of one row of elements with the weights of two pairs of channels.

   steps: elements / 4, the last filled up; weights: per step two words for each pair. */
static inline void mcuprune_sum_two_pairs(const int8_t *elements, const uint32_t *weights0,
                                          const uint32_t *weights1, uint32_t steps,
                                          mcuprune_pair_sums_t *pair0, mcuprune_pair_sums_t *pair1)
{
    int32_t first0 = pair0->first;
    int32_t mixed0 = pair0->mixed;
    int32_t first1 = pair1->first;
    int32_t mixed1 = pair1->mixed;
#if MCUPRUNE_HAS_DSP
    uint32_t even;
    uint32_t odd;
    uint32_t weight0;
    uint32_t weight1;
#define MCUPRUNE_STEP                   \
    "ldr %[o], [%[x]], #4\n"            \
    "ldrd %[w0], %[w1], [%[a]], #8\n"   \
    "sxtb16 %[e], %[o]\n"               \
    "sxtb16 %[o], %[o], ror #8\n"       \
    "smlad %[m0], %[w0], %[e], %[m0]\n" \
    "sxtb16 %[w0], %[w0]\n"             \
    "smlad %[m0], %[w1], %[o], %[m0]\n" \
    "sxtb16 %[w1], %[w1]\n"             \
    "smlad %[f0], %[w0], %[e], %[f0]\n" \
    "smlad %[f0], %[w1], %[o], %[f0]\n" \
    "ldrd %[w0], %[w1], [%[b]], #8\n"   \
    "smlad %[m1], %[w0], %[e], %[m1]\n" \
    "sxtb16 %[w0], %[w0]\n"             \
    "smlad %[m1], %[w1], %[o], %[m1]\n" \
    "sxtb16 %[w1], %[w1]\n"             \
    "smlad %[f1], %[w0], %[e], %[f1]\n" \
    "smlad %[f1], %[w1], %[o], %[f1]\n"
    __asm volatile(
        "lsrs %[n], %[n], #1\n"
        "bcc 1f\n" MCUPRUNE_STEP
        "1:\n"
        "beq 3f\n"
        "2:\n" MCUPRUNE_STEP MCUPRUNE_STEP
        "subs %[n], %[n], #1\n"
        "bne 2b\n"
        "3:\n"
        : [x] "+r"(elements), [a] "+r"(weights0), [b] "+r"(weights1), [n] "+r"(steps),
          [f0] "+r"(first0), [m0] "+r"(mixed0), [f1] "+r"(first1), [m1] "+r"(mixed1),
          [e] "=&r"(even), [o] "=&r"(odd), [w0] "=&r"(weight0), [w1] "=&r"(weight1)
        :
        : "cc", "memory");
#undef MCUPRUNE_STEP
#else
    for (uint32_t step = 0; step < steps; ++step) {
        const uint32_t word = mcuprune_load_word(&elements[4U * step]);
        const uint32_t pairs[2] = {mcuprune_sxtb16(word), mcuprune_sxtb16_odd(word)};
        for (uint32_t half = 0; half < 2U; ++half) {
            const uint32_t weight0 = weights0[(2U * step) + half];
            const uint32_t weight1 = weights1[(2U * step) + half];
            mixed0 = mcuprune_smlad(weight0, pairs[half], mixed0);
            first0 = mcuprune_smlad(mcuprune_sxtb16(weight0), pairs[half], first0);
            mixed1 = mcuprune_smlad(weight1, pairs[half], mixed1);
            first1 = mcuprune_smlad(mcuprune_sxtb16(weight1), pairs[half], first1);
        }
    }
#endif
    pair0->first = first0;
    pair0->mixed = mixed0;
    pair1->first = first1;
    pair1->mixed = mixed1;
}

#endif
