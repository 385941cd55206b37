/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of QEMU's interface for plugins as the plugins here use
 *
 * There is no package with the header. This is version 1, of QEMU 4.2 to 8.2;
 * later ones refuse it. A plugin counts in windows: traffic.c marks begin and
 * end with instructions that do nothing.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

typedef void (*plugin_exec_cb)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
	void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
	int op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
	plugin_exec_cb cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	plugin_exec_cb cb, int flags, void *data);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

int qemu_plugin_version = 1;

/* Have @begin or @end called, if the instruction is one of the marks. */
static void plugin_at_mark(struct qemu_plugin_insn *insn, plugin_exec_cb begin,
			   plugin_exec_cb end)
{
	const uint8_t *code = qemu_plugin_insn_data(insn);

	/* nopl MARK(%rax) */
	if (qemu_plugin_insn_size(insn) != 7)
		return;
	if (!memcmp(code, "\x0f\x1f\x80OVB\001", 7))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS,
						       NULL);
	else if (!memcmp(code, "\x0f\x1f\x80OVE\001", 7))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS,
						       NULL);
}

#endif /* PLUGIN_H */
