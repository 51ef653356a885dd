/* Files on the computer that simulates, and the end of the program: by semihosting or by a UART. */
#ifndef MCUPRUNE_HOST_FILES_H_
#define MCUPRUNE_HOST_FILES_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FILE_READ_BINARY = 1, FILE_WRITE_BINARY = 5 };

/* Returns a handle, negative if the file cannot be opened. */
int32_t file_open(const char *name, uint32_t name_length, uint32_t mode);

/* Returns how many bytes were not transferred: 0 if all were. */
uint32_t file_read(int32_t handle, void *bytes, uint32_t count);
uint32_t file_write(int32_t handle, const void *bytes, uint32_t count);

/* Hands on what was written, as a line of its own where that can be. */
void file_flush(int32_t handle);

/* Does not return. */
void program_exit(void);

#ifdef __cplusplus
}
#endif

#endif
