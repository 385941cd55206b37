// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts instructions along the calls
 *
 * It is given the addresses of functions, symbols=PATH (lines "symbol ADDRESS
 * TYPE NAME"), and writes to out=PATH for each window (see counts.c) the tree
 * of calls: window, number of the node, number of the one it was called from,
 * instructions in itself, name. Node 0 is the root.
 *
 * Calls and returns are seen as they are executed. Who jumps to another function
 * counts as calling it; so does an interrupt. When another task gets the
 * processor, its returns find no call that they belong to: until its next system
 * call it counts to where the one before was.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define NODES		(1U << 20)
#define BLOCKS		(1U << 20)
#define FUNCTIONS	(1U << 18)
#define DEPTH		512
/* a return leaves at most as many calls behind that did not return */
#define NEAR		64

enum last { OTHER, CALL, RETURN, SYSTEM_CALL };

struct block {
	uint64_t after;
	uint32_t function, instructions;
	enum last last;
};

static struct node {
	uint32_t parent, function;
	uint64_t count;
} nodes[NODES];

static struct {
	uint64_t address;
	uint32_t node;
} stack[DEPTH];

static struct function {
	uint64_t address;
	char name[72];
} functions[FUNCTIONS];

static unsigned int n_functions = 1, depth, node, window;
static const struct block *previous;
static FILE *out;

static void begin(unsigned int cpu, void *data)
{
	unsigned int i;

	window++;
	for (i = 0; i < NODES; i++)
		nodes[i].count = 0;
}

static void end(unsigned int cpu, void *data)
{
	unsigned int i;

	for (i = 0; i < NODES; i++)
		if (nodes[i].function)
			fprintf(out, "%u %u %u %lu %s\n", window, i,
				nodes[i].parent, nodes[i].count,
				functions[nodes[i].function].name);
	fflush(out);
}

/* Node 0 is the root; the others lie where their hash says, or behind. */
static uint32_t child(uint32_t parent, uint32_t function)
{
	uint64_t hash = ((uint64_t)parent << 32 | function) *
			0x9e3779b97f4a7c15ULL >> 44;
	uint32_t tries, i;

	for (tries = 0; tries < NODES; tries++) {
		i = (hash + tries) % NODES;
		if (!i)
			continue;
		if (!nodes[i].function) {
			nodes[i].parent = parent;
			nodes[i].function = function;
		}
		if (nodes[i].parent == parent && nodes[i].function == function)
			return i;
	}
	fprintf(stderr, "tree: the table is full\n");
	exit(1);
}

static void push(uint64_t address)
{
	if (depth == DEPTH) {
		depth /= 2;
		memmove(stack, stack + depth, depth * sizeof(*stack));
	}
	stack[depth].address = address;
	stack[depth++].node = node;
}

static int pop(uint64_t address)
{
	unsigned int i;

	for (i = depth; i && depth - i < NEAR; i--) {
		if (stack[i - 1].address == address) {
			depth = i - 1;
			node = stack[depth].node;
			return 1;
		}
	}
	return 0;
}

struct entry {
	uint64_t address;
	struct block block;
};

static void executed(unsigned int cpu, void *data)
{
	const struct entry *entry = data;
	const struct block *block = &entry->block;
	enum last last = previous ? previous->last : OTHER;

	if (last == SYSTEM_CALL) {
		depth = 0;
		node = child(0, block->function);
	} else if (last == CALL) {
		push(previous->after);
		node = child(node, block->function);
	} else if (last == RETURN && pop(entry->address)) {
		;
	} else if (block->function != nodes[node].function) {
		if (nodes[nodes[node].parent].function == block->function)
			node = nodes[node].parent;
		else
			node = child(node, block->function);
	}
	nodes[node].count += block->instructions;
	previous = block;
}

static uint32_t function_at(uint64_t address)
{
	unsigned int low = 0, high = n_functions, middle;

	while (high - low > 1) {
		middle = (low + high) / 2;
		if (functions[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low ? low : 1;
}

static enum last last_of(const uint8_t *code, size_t len)
{
	size_t i = 0;

	while (i + 1 < len && (code[i] == 0xf2 || code[i] == 0xf3 ||
			       code[i] == 0x2e || code[i] == 0x3e ||
			       (code[i] & 0xf0) == 0x40))
		i++;
	if (code[i] == 0xe8)
		return CALL;
	if (code[i] == 0xff && i + 1 < len && (code[i + 1] >> 3 & 7) == 2)
		return CALL;
	if (code[i] == 0xc3 || code[i] == 0xc2)
		return RETURN;
	if (code[i] == 0x0f && i + 1 < len && code[i + 1] == 0x05)
		return SYSTEM_CALL;
	return OTHER;
}

static struct entry *find_entry(const struct entry *wanted)
{
	static struct entry entries[BLOCKS];
	uint64_t hash = (wanted->address ^
			 (uint64_t)wanted->block.instructions << 48) *
			0x9e3779b97f4a7c15ULL >> 44;
	struct entry *entry;
	unsigned int tries;

	for (tries = 0; tries < BLOCKS; tries++) {
		entry = &entries[(hash + tries) % BLOCKS];
		if (!entry->block.instructions)
			*entry = *wanted;
		if (!memcmp(entry, wanted, sizeof(*entry)))
			return entry;
	}
	fprintf(stderr, "tree: the table is full\n");
	exit(1);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	struct qemu_plugin_insn *insn = NULL;
	struct entry wanted;

	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		plugin_at_mark(insn, begin, end);
	}
	memset(&wanted, 0, sizeof(wanted));
	wanted.address = qemu_plugin_tb_vaddr(tb);
	wanted.block.function = function_at(wanted.address);
	wanted.block.instructions = n;
	wanted.block.after = qemu_plugin_insn_vaddr(insn) +
			     qemu_plugin_insn_size(insn);
	wanted.block.last = last_of(qemu_plugin_insn_data(insn),
				    qemu_plugin_insn_size(insn));
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, CB_NO_REGS,
					     find_entry(&wanted));
}

static int by_address(const void *a, const void *b)
{
	const struct function *one = a, *other = b;

	return one->address < other->address ? -1 : one->address > other->address;
}

static int read_symbols(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512], name[64], module[64];
	struct function *function;
	int n;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && n_functions < FUNCTIONS) {
		function = &functions[n_functions];
		n = sscanf(line, "symbol %lx %*c %63s %63s", &function->address,
			   name, module);
		if (n < 2)
			continue;
		snprintf(function->name, sizeof(function->name), "%.50s%s%.20s",
			 name, n > 2 ? " " : "", n > 2 ? module : "");
		n_functions++;
	}
	fclose(file);
	return 1;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv)
{
	int i, known = 0;

	/* what is below all others belongs to programs */
	strcpy(functions[n_functions++].name, "(programs)");
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "symbols=", 8))
			known += read_symbols(argv[i] + 8);
	}
	if (!out || !known) {
		fprintf(stderr, "tree: needs out=PATH and symbols=PATH\n");
		return -1;
	}
	qsort(functions + 1, n_functions - 1, sizeof(*functions), by_address);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
