/* Counts the instructions that QEMU executes between two addresses, each time they are passed.
 *
 * Arguments: begin=ADDRESS,end=ADDRESS,out=FILE. Writes one line per passage. Declares the few
 * functions of QEMU's plugin interface that it uses (docs/devel/tcg-plugins.rst), so that it
 * compiles without QEMU's headers, which distributions do not ship.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*translated)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void (*executed)(unsigned int cpu, void *user_data);
typedef void (*ended)(qemu_plugin_id_t id, void *user_data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed callback,
                                          int flags, void *user_data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ended callback, void *user_data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t begin_address, end_address, instructions;
static bool is_counting;
static FILE *out;

static void on_begin(unsigned int cpu, void *block_instructions) {
  (void)cpu;
  is_counting = true;
  instructions = (uint64_t)(uintptr_t)block_instructions;
}

static void on_end(unsigned int cpu, void *user_data) {
  (void)cpu;
  (void)user_data;
  if (is_counting) {
    fprintf(out, "%" PRIu64 "\n", instructions);
  }
  is_counting = false;
}

static void on_block(unsigned int cpu, void *block_instructions) {
  (void)cpu;
  instructions += (uint64_t)(uintptr_t)block_instructions;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  const uint64_t address = qemu_plugin_tb_vaddr(block);
  void *count = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
  (void)id;
  executed callback = on_block;
  if (address == begin_address) {
    callback = on_begin;
  } else if (address == end_address) {
    callback = on_end;
  }
  qemu_plugin_register_vcpu_tb_exec_cb(block, callback, QEMU_PLUGIN_CB_NO_REGS, count);
}

static void on_qemu_exit(qemu_plugin_id_t id, void *user_data) {
  (void)id;
  (void)user_data;
  fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const struct qemu_info *info,
                                                               int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "begin=", 6) == 0) {
      begin_address = strtoull(argv[i] + 6, NULL, 0);
    } else if (strncmp(argv[i], "end=", 4) == 0) {
      end_address = strtoull(argv[i] + 4, NULL, 0);
    } else if (strncmp(argv[i], "out=", 4) == 0) {
      out = fopen(argv[i] + 4, "w");
    }
  }
  if (out == NULL) {
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_qemu_exit, NULL);
  return 0;
}
