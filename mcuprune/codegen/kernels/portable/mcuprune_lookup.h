/* Functions of one byte: a table with the result of each. */

#ifndef MCUPRUNE_LOOKUP_H_
#define MCUPRUNE_LOOKUP_H_

#include <stdint.h>

typedef struct {
    int32_t count;
    const uint8_t *table; /* by unsigned byte */
} mcuprune_lookup_t;

static inline void mcuprune_lookup(const mcuprune_lookup_t *layer, const void *input, void *output)
{
    const uint8_t *const table = layer->table;
    const uint8_t *const source = (const uint8_t *)input;
    uint8_t *const target = (uint8_t *)output;
    for (int32_t place = 0; place < layer->count; ++place) {
        target[place] = table[source[place]];
    }
}

#endif
