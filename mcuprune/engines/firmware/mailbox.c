/* Files in a memory that the simulator has beside the board's, for Renode: its semihosting writes
   characters only. The layout is that of mcuprune/engines/renode.py. */
#include "host_files.h"

struct mailbox {
  uint32_t input_bytes;
  volatile uint32_t output_bytes;
  volatile uint32_t has_ended;
};

enum { HEADER_BYTES = 256, HALF_BYTES = 8 * 1024 * 1024 };

static struct mailbox *const mailbox = (struct mailbox *)MAILBOX_ADDRESS;
static uint32_t read_bytes;

int32_t file_open(const char *name, uint32_t name_length, uint32_t mode) {
  (void)name;
  (void)name_length;
  mailbox->output_bytes = 0;
  return (int32_t)mode;
}

uint32_t file_read(int32_t handle, void *bytes, uint32_t count) {
  const uint8_t *from = (const uint8_t *)MAILBOX_ADDRESS + HEADER_BYTES + read_bytes;
  volatile uint8_t *to = bytes;
  uint32_t done = 0;
  (void)handle;
  while (done < count && read_bytes < mailbox->input_bytes) {
    to[done] = from[done];
    done++;
    read_bytes++;
  }
  return count - done;
}

uint32_t file_write(int32_t handle, const void *bytes, uint32_t count) {
  volatile uint8_t *to = (volatile uint8_t *)MAILBOX_ADDRESS + HALF_BYTES + mailbox->output_bytes;
  const uint8_t *from = bytes;
  (void)handle;
  for (uint32_t i = 0; i < count; i++) {
    to[i] = from[i];
  }
  mailbox->output_bytes += count;
  return 0;
}

void program_exit(void) {
  mailbox->has_ended = 1;
  for (;;) {
    __asm__ volatile("wfi");
  }
}
