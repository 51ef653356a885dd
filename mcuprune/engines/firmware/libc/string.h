/* Declarations for toolchains without a C library; the compiler brings the functions. */
#ifndef MCUPRUNE_STRING_H_
#define MCUPRUNE_STRING_H_

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

#endif
