#include "harness.h"

/* Differs from word to word and from seed to seed, so that data seldom equals it by chance. */
static uint32_t pattern(const uint32_t *word, uint32_t seed) {
  return ((uint32_t)word * 2654435761u) ^ (seed * 2246822519u) ^ 0xdeadbeefu;
}

void paint(uint32_t *start, const uint32_t *end, uint32_t seed) {
  for (uint32_t *word = start; word < end; word++) {
    *(volatile uint32_t *)word = pattern(word, seed);
  }
}

uint32_t painted_over_down(const uint32_t *start, const uint32_t *end, uint32_t seed) {
  const uint32_t *word = start;
  while (word < end && *(const volatile uint32_t *)word == pattern(word, seed)) {
    word++;
  }
  return (uint32_t)((const uint8_t *)end - (const uint8_t *)word);
}

uint32_t painted_over_up(const uint32_t *start, const uint32_t *end, uint32_t seed) {
  const uint32_t *word = end;
  while (word > start && *(const volatile uint32_t *)(word - 1) == pattern(word - 1, seed)) {
    word--;
  }
  return (uint32_t)((const uint8_t *)word - (const uint8_t *)start);
}
