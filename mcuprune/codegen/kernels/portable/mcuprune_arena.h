/* Numbers in the arena, where those of several types lie in one place one after the other. */

#ifndef MCUPRUNE_ARENA_H_
#define MCUPRUNE_ARENA_H_

#include <stdint.h>

/* Accesses by these types are not moved past accesses by others. */
#if defined(__GNUC__)
#define MCUPRUNE_MAY_ALIAS __attribute__((may_alias))
#else
#define MCUPRUNE_MAY_ALIAS
#endif

typedef int16_t MCUPRUNE_MAY_ALIAS mcuprune_arena_int16_t;
typedef int32_t MCUPRUNE_MAY_ALIAS mcuprune_arena_int32_t;
typedef uint32_t MCUPRUNE_MAY_ALIAS mcuprune_arena_uint32_t;
typedef float MCUPRUNE_MAY_ALIAS mcuprune_arena_float_t;

#endif
