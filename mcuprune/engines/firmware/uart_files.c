/* Files for Renode, whose semihosting writes characters only: inputs lie in a memory beside the
   board's, what is written leaves by a UART, in lines of hexadecimal digits. The layout of the
   memory is that of mcuprune/engines/renode_files.py. */
#include "host_files.h"
#include "uart.h"

enum { HEADER_BYTES = 256 };

static uint32_t read_bytes;

int32_t file_open(const char *name, uint32_t name_length, uint32_t mode) {
  (void)name;
  (void)name_length;
  uart_start();
  return (int32_t)mode;
}

uint32_t file_read(int32_t handle, void *bytes, uint32_t count) {
  const uint32_t input_bytes = *(const uint32_t *)INPUTS_ADDRESS;
  const uint8_t *from = (const uint8_t *)INPUTS_ADDRESS + HEADER_BYTES + read_bytes;
  volatile uint8_t *to = bytes;
  uint32_t done = 0;
  (void)handle;
  while (done < count && read_bytes < input_bytes) {
    to[done] = from[done];
    done++;
    read_bytes++;
  }
  return count - done;
}

uint32_t file_write(int32_t handle, const void *bytes, uint32_t count) {
  static const char digits[] = "0123456789abcdef";
  const uint8_t *from = bytes;
  (void)handle;
  for (uint32_t i = 0; i < count; i++) {
    uart_send(digits[from[i] >> 4]);
    uart_send(digits[from[i] & 15]);
  }
  return 0;
}

void file_flush(int32_t handle) {
  (void)handle;
  uart_send('\n');
}

void program_exit(void) {
  uart_send('e');
  uart_send('n');
  uart_send('d');
  uart_send('\n');
  for (;;) {
    __asm__ volatile("wfi");
  }
}
