/* CONV_2D for the DSP extension: all output channels of two pixels. */

#ifndef MCUPRUNE_PIXEL_PAIRS_H_
#define MCUPRUNE_PIXEL_PAIRS_H_

#include <stdint.h>

#include "mcuprune_arena.h"
#include "mcuprune_dsp.h"
#include "mcuprune_pairs.h"

/* A shift with this bit belongs to a pair of channels whose outputs do not depend on the input, and
   which has no weights. */
#define MCUPRUNE_CONSTANT_PAIR 128U

/* Where the outputs of two pixels come from and go to; pointers move on. The instructions below
   count on the order of the first ten words. */
typedef struct {
    const mcuprune_arena_uint32_t
        *pixels;    /* per step: even and odd elements of pixel 0, then of pixel 1 */
    uint32_t steps; /* elements / 4 */
    const int32_t *factors;
    const uint8_t *shifts;
    int8_t *output0;
    int8_t *output1;
    const uint32_t *weights; /* per step and pair of channels two words */
    const int32_t *bias;
    int32_t rounding;
    const uint8_t *end; /* of the shifts of whole pairs of channels */
} mcuprune_pixel_pairs_t;

/* Adds the products of two pixels with the weights of a pair of channels. */
static inline void mcuprune_sum_two_pixels(mcuprune_pixel_pairs_t *state,
                                           mcuprune_pair_sums_t *pixel0,
                                           mcuprune_pair_sums_t *pixel1)
{
    for (uint32_t step = 0; step < state->steps; ++step) {
        const mcuprune_arena_uint32_t *const pixel = &state->pixels[4U * step];
        for (uint32_t half = 0; half < 2U; ++half) {
            const uint32_t weight = state->weights[half];
            const uint32_t low = mcuprune_sxtb16(weight);
            pixel0->mixed = mcuprune_smlad(weight, pixel[half], pixel0->mixed);
            pixel0->first = mcuprune_smlad(low, pixel[half], pixel0->first);
            pixel1->mixed = mcuprune_smlad(weight, pixel[2U + half], pixel1->mixed);
            pixel1->first = mcuprune_smlad(low, pixel[2U + half], pixel1->first);
        }
        state->weights = &state->weights[2];
    }
}

/* The next one or two channels of both pixels. */
static inline void mcuprune_next_channels(mcuprune_pixel_pairs_t *state, int32_t count)
{
    mcuprune_pair_sums_t sums0 = {state->bias[0], state->bias[1]};
    mcuprune_pair_sums_t sums1 = sums0;
    if ((state->shifts[0] & MCUPRUNE_CONSTANT_PAIR) == 0U) {
        mcuprune_sum_two_pixels(state, &sums0, &sums1);
    }
    const uint32_t shift = (uint32_t)state->shifts[0] & (MCUPRUNE_CONSTANT_PAIR - 1U);
    state->output0[0] = (int8_t)mcuprune_output(mcuprune_first_doubled(&sums0), state->factors[0],
                                                shift, state->rounding);
    state->output1[0] = (int8_t)mcuprune_output(mcuprune_first_doubled(&sums1), state->factors[0],
                                                shift, state->rounding);
    if (count > 1) {
        state->output0[1] = (int8_t)mcuprune_output(
            mcuprune_second_doubled(&sums0), state->factors[1], state->shifts[1], state->rounding);
        state->output1[1] = (int8_t)mcuprune_output(
            mcuprune_second_doubled(&sums1), state->factors[1], state->shifts[1], state->rounding);
    }
    state->factors = &state->factors[count];
    state->shifts = &state->shifts[count];
    state->output0 = &state->output0[count];
    state->output1 = &state->output1[count];
    state->bias = &state->bias[2];
}

#if MCUPRUNE_HAS_DSP

/* Four elements of both pixels times two channels: 16 products. a and m are the sums of the first
   channel and the mixed ones; e and o the even and odd elements of each pixel. */
#define MCUPRUNE_STEP                 \
    "ldrd %[w0], %[w1], [%[w]], #8\n" \
    "ldmia %[p]!, {r2, r3, r4, r5}\n" \
    "smlad %[m0], %[w0], r2, %[m0]\n" \
    "smlad %[m1], %[w0], r4, %[m1]\n" \
    "sxtb16 %[w0], %[w0]\n"           \
    "smlad %[m0], %[w1], r3, %[m0]\n" \
    "smlad %[m1], %[w1], r5, %[m1]\n" \
    "sxtb16 %[w1], %[w1]\n"           \
    "smlad %[a0], %[w0], r2, %[a0]\n" \
    "smlad %[a1], %[w0], r4, %[a1]\n" \
    "smlad %[a0], %[w1], r3, %[a0]\n" \
    "smlad %[a1], %[w1], r5, %[a1]\n"

/* All whole pairs of channels. The arithmetic is that of mcuprune_next_channels; registers are too
   few for a compiler to find this. s is the state, in the innermost loop the steps that are left.
 */
MCUPRUNE_OUTLINED void mcuprune_pairs_of_channels(mcuprune_pixel_pairs_t *state)
{
    const uint32_t *weights = state->weights;
    const uint32_t *pixels;
    int32_t first0;
    int32_t mixed0;
    int32_t first1;
    int32_t mixed1;
    uint32_t weight0;
    uint32_t weight1;
    mcuprune_pixel_pairs_t *moving = state;
    if (state->shifts == state->end) {
        return;
    }
    __asm volatile(
        "1:\n"
        "ldrd %[p], %[w1], [%[s]]\n"
        "ldr %[w0], [%[s], #28]\n"
        "ldr r3, [%[s], #12]\n"
        "ldrd %[a0], %[m0], [%[w0]], #8\n"
        "ldrb r2, [r3]\n"
        "str %[w0], [%[s], #28]\n"
        "mov %[a1], %[a0]\n"
        "mov %[m1], %[m0]\n"
        "push {%[s]}\n"
        "tst r2, #128\n"
        "bne 4f\n"
        "lsrs %[s], %[w1], #1\n"
        "bcc 2f\n" MCUPRUNE_STEP
        "2:\n"
        "beq 4f\n"
        "3:\n" MCUPRUNE_STEP MCUPRUNE_STEP
        "subs %[s], %[s], #1\n"
        "bne 3b\n"
        "4:\n"
        "pop {%[s]}\n"
        "ldrd r2, r3, [%[s], #8]\n"
        "ldrd r4, r5, [%[s], #16]\n"
        "ldr %[w1], [%[s], #32]\n"
        "ldrd %[p], %[w0], [r2], #8\n"
        "sub %[m0], %[m0], %[a0]\n"
        "sub %[m1], %[m1], %[a1]\n"
        "lsl %[a0], %[a0], #1\n"
        "lsl %[a1], %[a1], #1\n"
        "asr %[m0], %[m0], #7\n"
        "asr %[m1], %[m1], #7\n"
        "smmulr %[a0], %[a0], %[p]\n"
        "smmulr %[a1], %[a1], %[p]\n"
        "smmulr %[m0], %[m0], %[w0]\n"
        "smmulr %[m1], %[m1], %[w0]\n"
        "ldrb %[p], [r3], #1\n"
        "ldrb %[w0], [r3], #1\n"
        "and %[p], %[p], #127\n"
        "add %[a0], %[a0], %[a0], asr #31\n"
        "add %[a1], %[a1], %[a1], asr #31\n"
        "add %[m0], %[m0], %[m0], asr #31\n"
        "add %[m1], %[m1], %[m1], asr #31\n"
        "asr %[a0], %[a0], %[p]\n"
        "asr %[a1], %[a1], %[p]\n"
        "asr %[m0], %[m0], %[w0]\n"
        "asr %[m1], %[m1], %[w0]\n"
        "add %[a0], %[a0], %[w1]\n"
        "add %[a1], %[a1], %[w1]\n"
        "add %[m0], %[m0], %[w1]\n"
        "add %[m1], %[m1], %[w1]\n"
        "ssat %[a0], #8, %[a0], asr #1\n"
        "ssat %[a1], #8, %[a1], asr #1\n"
        "ssat %[m0], #8, %[m0], asr #1\n"
        "ssat %[m1], #8, %[m1], asr #1\n"
        "strb %[a0], [r4], #1\n"
        "strb %[a1], [r5], #1\n"
        "strb %[m0], [r4], #1\n"
        "strb %[m1], [r5], #1\n"
        "strd r2, r3, [%[s], #8]\n"
        "strd r4, r5, [%[s], #16]\n"
        "ldr %[p], [%[s], #36]\n"
        "cmp r3, %[p]\n"
        "bne 1b\n"
        : [s] "+r"(moving), [w] "+r"(weights), [p] "=&r"(pixels), [a0] "=&r"(first0),
          [m0] "=&r"(mixed0), [a1] "=&r"(first1), [m1] "=&r"(mixed1), [w0] "=&r"(weight0),
          [w1] "=&r"(weight1)
        :
        : "r2", "r3", "r4", "r5", "cc", "memory");
    moving->weights = weights;
}

#undef MCUPRUNE_STEP

#else

static inline void mcuprune_pairs_of_channels(mcuprune_pixel_pairs_t *state)
{
    while (state->shifts != state->end) {
        mcuprune_next_channels(state, 2);
    }
}

#endif

#endif
