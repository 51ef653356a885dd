/* Instructions of the Armv7E-M DSP extension as functions; plain C where there is none.

   A pair is a word of two int16 lanes, the first in the lower half. */

#ifndef MCUPRUNE_DSP_H_
#define MCUPRUNE_DSP_H_

#include <stdint.h>
#include <string.h>

#include "mcuprune_arena.h"

/* Functions that compilers shall not merge into their callers, where registers run out. */
#if defined(__GNUC__)
#define MCUPRUNE_OUTLINED static __attribute__((noinline, unused))
#else
#define MCUPRUNE_OUTLINED static inline
#endif

/* Two words that follow each other in memory. */
typedef struct {
    uint32_t low;
    uint32_t high;
} mcuprune_words_t;

#if defined(__GNUC__)

/* A word at any address, over elements of any type. */
typedef struct __attribute__((packed, may_alias)) {
    uint32_t word;
} mcuprune_any_word_t;

/* Four bytes from any address. */
static inline uint32_t mcuprune_load_word(const void *source)
{
    return ((const mcuprune_any_word_t *)source)->word;
}

/* Four bytes to any address. */
static inline void mcuprune_store_word(void *target, uint32_t word)
{
    ((mcuprune_any_word_t *)target)->word = word;
}

#else

static inline uint32_t mcuprune_load_word(const void *source)
{
    uint32_t word;
    (void)memcpy(&word, source, sizeof(word));
    return word;
}

static inline void mcuprune_store_word(void *target, uint32_t word)
{
    (void)memcpy(target, &word, sizeof(word));
}

#endif

/* Whether the instructions are there; without optimisation, compilers keep a register too many for
   the longer blocks of them. MCUPRUNE_PLAIN_C turns all of them off. */
#if defined(__ARM_FEATURE_DSP) && (__ARM_FEATURE_DSP == 1) && defined(__OPTIMIZE__) && \
    !defined(MCUPRUNE_PLAIN_C)
#define MCUPRUNE_HAS_DSP 1
#else
#define MCUPRUNE_HAS_DSP 0
#endif

#if MCUPRUNE_HAS_DSP

/* Two words from an address aligned to 4, which moves on by a word or by two. */
static inline mcuprune_words_t mcuprune_load_words_step1(const mcuprune_arena_int16_t **source)
{
    mcuprune_words_t words;
    __asm volatile("ldrd %0, %1, [%2], #4"
                   : "=&r"(words.low), "=&r"(words.high), "+r"(*source)
                   :
                   : "memory");
    return words;
}

static inline mcuprune_words_t mcuprune_load_words_step2(const mcuprune_arena_int16_t **source)
{
    mcuprune_words_t words;
    __asm volatile("ldrd %0, %1, [%2], #8"
                   : "=&r"(words.low), "=&r"(words.high), "+r"(*source)
                   :
                   : "memory");
    return words;
}

/* Products of both lanes, added to a sum; wraps. */
static inline int32_t mcuprune_smlad(uint32_t one, uint32_t other, int32_t sum)
{
    int32_t result;
    __asm("smlad %0, %1, %2, %3" : "=r"(result) : "r"(one), "r"(other), "r"(sum));
    return result;
}

/* Lower lane times lower lane, added to a sum. */
static inline int32_t mcuprune_smlabb(uint32_t one, uint32_t other, int32_t sum)
{
    int32_t result;
    __asm("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(one), "r"(other), "r"(sum));
    return result;
}

/* Lower lane times upper lane, added to a sum. */
static inline int32_t mcuprune_smlabt(uint32_t one, uint32_t other, int32_t sum)
{
    int32_t result;
    __asm("smlabt %0, %1, %2, %3" : "=r"(result) : "r"(one), "r"(other), "r"(sum));
    return result;
}

/* Upper lane times lower lane, added to a sum. */
static inline int32_t mcuprune_smlatb(uint32_t one, uint32_t other, int32_t sum)
{
    int32_t result;
    __asm("smlatb %0, %1, %2, %3" : "=r"(result) : "r"(one), "r"(other), "r"(sum));
    return result;
}

/* Bytes 0 and 2 of a word as a pair. */
static inline uint32_t mcuprune_sxtb16(uint32_t word)
{
    uint32_t result;
    __asm("sxtb16 %0, %1" : "=r"(result) : "r"(word));
    return result;
}

/* Bytes 1 and 3 of a word as a pair. */
static inline uint32_t mcuprune_sxtb16_odd(uint32_t word)
{
    uint32_t result;
    __asm("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
    return result;
}

/* Bytes 0 and 2 of a word, or 1 and 3, added to a pair. */
static inline uint32_t mcuprune_sxtab16(uint32_t pair, uint32_t word)
{
    uint32_t result;
    __asm("sxtab16 %0, %1, %2" : "=r"(result) : "r"(pair), "r"(word));
    return result;
}

static inline uint32_t mcuprune_sxtab16_odd(uint32_t pair, uint32_t word)
{
    uint32_t result;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(pair), "r"(word));
    return result;
}

/* The larger of each of four int8. */
static inline uint32_t mcuprune_larger_bytes(uint32_t one, uint32_t other)
{
    uint32_t result;
    __asm("ssub8 %0, %1, %2\n"
          "sel %0, %1, %2"
          : "=&r"(result)
          : "r"(one), "r"(other)
          : "cc");
    return result;
}

/* one * other / 2^32, halves rounded up. */
static inline int32_t mcuprune_smmulr(int32_t one, int32_t other)
{
    int32_t result;
    __asm("smmulr %0, %1, %2" : "=r"(result) : "r"(one), "r"(other));
    return result;
}

/* Half of a number, rounded down, saturated to int8. */
static inline int32_t mcuprune_half_saturated(int32_t value)
{
    int32_t result;
    __asm("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(value));
    return result;
}

#else

static inline mcuprune_words_t mcuprune_load_words_step1(const mcuprune_arena_int16_t **source)
{
    const mcuprune_words_t words = {mcuprune_load_word(*source), mcuprune_load_word(&(*source)[2])};
    *source = &(*source)[2];
    return words;
}

static inline mcuprune_words_t mcuprune_load_words_step2(const mcuprune_arena_int16_t **source)
{
    const mcuprune_words_t words = {mcuprune_load_word(*source), mcuprune_load_word(&(*source)[2])};
    *source = &(*source)[4];
    return words;
}

static inline int32_t mcuprune_low_lane(uint32_t pair)
{
    return (int32_t)(int16_t)(uint16_t)(pair & 0xFFFFU);
}

static inline int32_t mcuprune_high_lane(uint32_t pair)
{
    return (int32_t)(int16_t)(uint16_t)(pair >> 16);
}

static inline int32_t mcuprune_wrapped_sum(int32_t one, int32_t other)
{
    return (int32_t)((uint32_t)one + (uint32_t)other);
}

static inline int32_t mcuprune_smlabb(uint32_t one, uint32_t other, int32_t sum)
{
    return mcuprune_wrapped_sum(mcuprune_low_lane(one) * mcuprune_low_lane(other), sum);
}

static inline int32_t mcuprune_smlabt(uint32_t one, uint32_t other, int32_t sum)
{
    return mcuprune_wrapped_sum(mcuprune_low_lane(one) * mcuprune_high_lane(other), sum);
}

static inline int32_t mcuprune_smlatb(uint32_t one, uint32_t other, int32_t sum)
{
    return mcuprune_wrapped_sum(mcuprune_high_lane(one) * mcuprune_low_lane(other), sum);
}

static inline int32_t mcuprune_smlad(uint32_t one, uint32_t other, int32_t sum)
{
    const int32_t product = mcuprune_high_lane(one) * mcuprune_high_lane(other);
    return mcuprune_wrapped_sum(product, mcuprune_smlabb(one, other, sum));
}

static inline uint32_t mcuprune_sxtb16(uint32_t word)
{
    const uint32_t low = (uint32_t)(int32_t)(int8_t)(uint8_t)(word & 0xFFU);
    const uint32_t high = (uint32_t)(int32_t)(int8_t)(uint8_t)((word >> 16) & 0xFFU);
    return (low & 0xFFFFU) | (high << 16);
}

static inline uint32_t mcuprune_sxtb16_odd(uint32_t word)
{
    return mcuprune_sxtb16((word >> 8) | (word << 24));
}

static inline uint32_t mcuprune_sxtab16(uint32_t pair, uint32_t word)
{
    const uint32_t added = mcuprune_sxtb16(word);
    return ((pair + added) & 0xFFFFU) | (((pair >> 16) + (added >> 16)) << 16);
}

static inline uint32_t mcuprune_sxtab16_odd(uint32_t pair, uint32_t word)
{
    return mcuprune_sxtab16(pair, (word >> 8) | (word << 24));
}

static inline uint32_t mcuprune_larger_bytes(uint32_t one, uint32_t other)
{
    uint32_t result = 0U;
    for (uint32_t bits = 0U; bits < 32U; bits += 8U) {
        const int8_t first = (int8_t)(uint8_t)((one >> bits) & 0xFFU);
        const int8_t second = (int8_t)(uint8_t)((other >> bits) & 0xFFU);
        result |= (uint32_t)(uint8_t)((first > second) ? first : second) << bits;
    }
    return result;
}

static inline int32_t mcuprune_smmulr(int32_t one, int32_t other)
{
    return (int32_t)((((int64_t)one * (int64_t)other) + ((int64_t)1 << 31)) >> 32);
}

static inline int32_t mcuprune_half_saturated(int32_t value)
{
    const int32_t half = value >> 1;
    const int32_t raised = (half < INT8_MIN) ? INT8_MIN : half;
    return (raised > INT8_MAX) ? INT8_MAX : raised;
}

#endif

/* How sums become outputs: factor and shift of a channel, twice the zero point plus 1.

   doubled: twice the sum; shift: places to the right less one. The result is what
   MultiplyByQuantizedMultiplier gives, plus the zero point, saturated: halves are rounded away from
   zero by the sign that is added, and the last place is dropped with rounding. */
static inline int32_t mcuprune_output(int32_t doubled, int32_t factor, uint32_t shift,
                                      int32_t rounding)
{
    const int32_t product = mcuprune_smmulr(doubled, factor);
    const int32_t signed_product = product + (product >> 31);
    return mcuprune_half_saturated((signed_product >> shift) + rounding);
}

#endif
