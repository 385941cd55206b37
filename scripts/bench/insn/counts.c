// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts instructions, block by block
 *
 * What it writes to the file given as out=PATH, one block to a line: the number
 * of the window, the address, how often it was executed, how many instructions
 * it has, and how many of them lock the bus. A window is what lies between the
 * two marks that traffic.c makes; the windows are numbered from 1.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define TABLE		(1U << 20)

/* Blocks of the same address, length and number of locks are the same. */
static struct block {
	uint64_t count, address;
	uint32_t instructions, locks;
} blocks[TABLE];

static FILE *out;
static unsigned int window;

static void begin(unsigned int cpu, void *data)
{
	unsigned int i;

	window++;
	for (i = 0; i < TABLE; i++)
		blocks[i].count = 0;
}

static void end(unsigned int cpu, void *data)
{
	unsigned int i;

	for (i = 0; i < TABLE; i++)
		if (blocks[i].count)
			fprintf(out, "%u %lx %lu %u %u\n", window,
				blocks[i].address, blocks[i].count,
				blocks[i].instructions, blocks[i].locks);
	fflush(out);
}

/* The prefix, or an exchange with memory, which needs none */
static int is_lock(const uint8_t *code, size_t len)
{
	size_t i = 0;

	for (; i < len; i++) {
		switch (code[i]) {
		case 0xf0:
			return 1;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64:
		case 0x65: case 0x66: case 0x67: case 0xf2: case 0xf3:
			continue;
		}
		break;
	}
	if (i < len && (code[i] & 0xf0) == 0x40)
		i++;
	return i + 1 < len && (code[i] == 0x86 || code[i] == 0x87) &&
	       code[i + 1] < 0xc0;
}

static struct block *find_block(uint64_t address, uint32_t instructions,
				uint32_t locks)
{
	uint64_t hash = (address ^ (uint64_t)instructions << 48) *
			0x9e3779b97f4a7c15ULL >> 44;
	struct block *block;
	unsigned int tries;

	for (tries = 0; tries < TABLE; tries++) {
		block = &blocks[(hash + tries) % TABLE];
		if (!block->instructions) {
			block->address = address;
			block->instructions = instructions;
			block->locks = locks;
			return block;
		}
		if (block->address == address && block->locks == locks &&
		    block->instructions == instructions)
			return block;
	}
	fprintf(stderr, "counts: the table is full\n");
	exit(1);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint32_t instructions = qemu_plugin_tb_n_insns(tb), locks = 0, i;
	struct qemu_plugin_insn *insn;
	struct block *block;
	const void *code;
	size_t len;

	for (i = 0; i < instructions; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		code = qemu_plugin_insn_data(insn);
		len = qemu_plugin_insn_size(insn);
		locks += is_lock(code, len);
		plugin_at_mark(insn, begin, end);
	}
	block = find_block(qemu_plugin_tb_vaddr(tb), instructions, locks);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64,
						 &block->count, 1);
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	if (!out) {
		fprintf(stderr, "counts: needs out=PATH\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
