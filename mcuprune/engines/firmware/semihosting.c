/* Files by Arm semihosting. Numbers of the calls: Arm, Semihosting for AArch32 and AArch64 (2.0), chapters 6 and 7. */
#include "host_files.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT = 0x18 };
enum { ADP_STOPPED_APPLICATION_EXIT = 0x20026 };

static uint32_t semihosting_call(uint32_t operation, uint32_t parameter) {
  register uint32_t r0 __asm__("r0") = operation;
  register uint32_t r1 __asm__("r1") = parameter;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

int32_t file_open(const char *name, uint32_t name_length, uint32_t mode) {
  const uint32_t block[3] = {(uint32_t)name, mode, name_length};
  return (int32_t)semihosting_call(SYS_OPEN, (uint32_t)block);
}

uint32_t file_read(int32_t handle, void *bytes, uint32_t count) {
  const uint32_t block[3] = {(uint32_t)handle, (uint32_t)bytes, count};
  return semihosting_call(SYS_READ, (uint32_t)block);
}

uint32_t file_write(int32_t handle, const void *bytes, uint32_t count) {
  const uint32_t block[3] = {(uint32_t)handle, (uint32_t)bytes, count};
  return semihosting_call(SYS_WRITE, (uint32_t)block);
}

/* The simulator has each byte at once. */
void file_flush(int32_t handle) { (void)handle; }

void program_exit(void) {
  for (;;) {
    (void)semihosting_call(SYS_EXIT, ADP_STOPPED_APPLICATION_EXIT);
  }
}
