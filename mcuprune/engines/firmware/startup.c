/* Vector table and reset of any Cortex-M. */
#include <stdint.h>

#include "harness.h"

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[];
extern void (*init_array_start[])(void), (*init_array_end[])(void);
int main(void);

__attribute__((used, noreturn)) void start_program(void);

/* Ones in bits 20 to 23 of CPACR give access to the floating-point unit and to Helium. */
static void enable_coprocessors(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  volatile uint32_t *const cpacr = (volatile uint32_t *)0xe000ed88u;
  *cpacr |= 0x00f00000u;
  __asm__ volatile("dsb\n isb" ::: "memory");
#endif
}

void start_program(void) {
  const uint32_t *from = data_load;
  enable_coprocessors();
  for (uint32_t *to = data_start; to < data_end; to++) {
    *(volatile uint32_t *)to = *from++;
  }
  for (uint32_t *to = bss_start; to < bss_end; to++) {
    *(volatile uint32_t *)to = 0;
  }
  for (void (**initialize)(void) = init_array_start; initialize < init_array_end; initialize++) {
    (*initialize)();
  }
  (void)main();
  for (;;) {
  }
}

/* Reports on a fresh stack: the fault may be that there was none left. */
__attribute__((naked, used)) static void on_fault(void) {
  __asm__ volatile(
      "mov r0, sp\n"
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
      "ldr r1, =report_fault\n"
      "bx r1\n"
      ".ltorg\n");
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) const handler vectors[16] = {
    (handler)stack_top, start_program, on_fault, on_fault, on_fault, on_fault, on_fault, on_fault,
    on_fault,           on_fault,      on_fault, on_fault, on_fault, on_fault, on_fault, on_fault,
};
