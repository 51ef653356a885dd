/* ADD, SUB, MUL and PRELU: int8, with broadcasting; the output may lie over an input of its shape.
 */

#ifndef MCUPRUNE_ARITHMETIC_H_
#define MCUPRUNE_ARITHMETIC_H_

#include <stdint.h>

#include "mcuprune_fixed_point.h"

typedef struct {
    int32_t sizes[4];        /* nested loops, outermost first */
    int32_t input1_steps[4]; /* distance of elements per loop, 0 where one is repeated */
    int32_t input2_steps[4];
    int32_t input1_offset;
    int32_t input2_offset;
    int32_t output_offset;
    int32_t input1_factor;
    int32_t input1_shift;
    int32_t input2_factor;
    int32_t input2_shift;
    int32_t output_factor;
    int32_t output_shift;
    int32_t activation_min;
    int32_t activation_max;
} mcuprune_arithmetic_t;

typedef mcuprune_arithmetic_t mcuprune_add_t;
typedef mcuprune_arithmetic_t mcuprune_sub_t;
typedef mcuprune_arithmetic_t mcuprune_mul_t;
typedef mcuprune_arithmetic_t mcuprune_prelu_t;

/* The result on the output's scale. */
typedef int32_t (*mcuprune_arithmetic_function_t)(const mcuprune_arithmetic_t *layer, int32_t one,
                                                  int32_t other);

static inline int32_t mcuprune_arithmetic_fraction1(const mcuprune_arithmetic_t *layer,
                                                    int32_t value)
{
    return mcuprune_scaled((value + layer->input1_offset) * ((int32_t)1 << 20),
                           layer->input1_factor, layer->input1_shift);
}

static inline int32_t mcuprune_arithmetic_fraction2(const mcuprune_arithmetic_t *layer,
                                                    int32_t value)
{
    return mcuprune_scaled((value + layer->input2_offset) * ((int32_t)1 << 20),
                           layer->input2_factor, layer->input2_shift);
}

static inline int32_t mcuprune_add_values(const mcuprune_arithmetic_t *layer, int32_t one,
                                          int32_t other)
{
    const int32_t sum =
        mcuprune_arithmetic_fraction1(layer, one) + mcuprune_arithmetic_fraction2(layer, other);
    return mcuprune_scaled(sum, layer->output_factor, layer->output_shift);
}

static inline int32_t mcuprune_sub_values(const mcuprune_arithmetic_t *layer, int32_t one,
                                          int32_t other)
{
    const int32_t difference =
        mcuprune_arithmetic_fraction1(layer, one) - mcuprune_arithmetic_fraction2(layer, other);
    return mcuprune_scaled(difference, layer->output_factor, layer->output_shift);
}

static inline int32_t mcuprune_mul_values(const mcuprune_arithmetic_t *layer, int32_t one,
                                          int32_t other)
{
    const int32_t product = (one + layer->input1_offset) * (other + layer->input2_offset);
    return mcuprune_scaled(product, layer->output_factor, layer->output_shift);
}

static inline int32_t mcuprune_prelu_values(const mcuprune_arithmetic_t *layer, int32_t one,
                                            int32_t other)
{
    const int32_t value = one + layer->input1_offset;
    int32_t result = 0;
    if (value >= 0) {
        result = mcuprune_scaled(value, layer->input1_factor, layer->input1_shift);
    } else {
        result = mcuprune_scaled(value * (other + layer->input2_offset), layer->output_factor,
                                 layer->output_shift);
    }
    return result;
}

static inline void mcuprune_arithmetic(const mcuprune_arithmetic_t *layer,
                                       mcuprune_arithmetic_function_t function,
                                       const int8_t *input1, const int8_t *input2, int8_t *output)
{
    for (int32_t a = 0; a < layer->sizes[0]; ++a) {
        for (int32_t b = 0; b < layer->sizes[1]; ++b) {
            for (int32_t c = 0; c < layer->sizes[2]; ++c) {
                const int8_t *one =
                    &input1[(a * layer->input1_steps[0]) + (b * layer->input1_steps[1]) +
                            (c * layer->input1_steps[2])];
                const int8_t *other =
                    &input2[(a * layer->input2_steps[0]) + (b * layer->input2_steps[1]) +
                            (c * layer->input2_steps[2])];
                for (int32_t d = 0; d < layer->sizes[3]; ++d) {
                    const int32_t value = function(layer, one[d * layer->input1_steps[3]],
                                                   other[d * layer->input2_steps[3]]) +
                                          layer->output_offset;
                    *output = (int8_t)mcuprune_clamped(value, layer->activation_min,
                                                       layer->activation_max);
                    ++output;
                }
            }
        }
    }
}

static inline void mcuprune_add(const mcuprune_arithmetic_t *layer, const int8_t *input1,
                                const int8_t *input2, int8_t *output)
{
    mcuprune_arithmetic(layer, mcuprune_add_values, input1, input2, output);
}

static inline void mcuprune_sub(const mcuprune_arithmetic_t *layer, const int8_t *input1,
                                const int8_t *input2, int8_t *output)
{
    mcuprune_arithmetic(layer, mcuprune_sub_values, input1, input2, output);
}

static inline void mcuprune_mul(const mcuprune_arithmetic_t *layer, const int8_t *input1,
                                const int8_t *input2, int8_t *output)
{
    mcuprune_arithmetic(layer, mcuprune_mul_values, input1, input2, output);
}

static inline void mcuprune_prelu(const mcuprune_arithmetic_t *layer, const int8_t *input1,
                                  const int8_t *input2, int8_t *output)
{
    mcuprune_arithmetic(layer, mcuprune_prelu_values, input1, input2, output);
}

#endif
