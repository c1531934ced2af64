/*
 * pack NAME < NUMBERS > TABLE.S: NAME_table in section .NAME, which
 * kernel/unpack.c reads. A line of the input is a number, of how many bits it
 * is, and its contexts, which the reader knows by then.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/unpack.h"

static struct unpack_slot slots[UNPACK_SLOTS];

static struct packer {
	u8 *out;
	size_t len, room;
	u64 low;
	u32 range;
} packer = { .range = UINT32_MAX };

static void put(struct packer *p, u8 byte)
{
	if (p->len == p->room) {
		p->room = p->room ? 2 * p->room : 4096;
		p->out = realloc(p->out, p->room);
		if (!p->out)
			abort();
	}
	p->out[p->len++] = byte;
}

/* Moves the top byte out; a carry goes into what is out already. */
static void shift(struct packer *p)
{
	if (p->low >> 32) {
		size_t at = p->len;

		while (!++p->out[--at])
			;
	}
	p->low &= UINT32_MAX;
	put(p, (u8)(p->low >> 24));
	p->low = p->low << 8 & UINT32_MAX;
	p->range <<= 8;
}

static void pack(struct packer *p, u32 value, u32 bits, const u32 *contexts,
		 u32 nr)
{
	struct unpack_bit b = unpack_contexts(contexts, nr);
	u32 node = 1;

	for (u32 i = bits; i-- > 0; ) {
		u32 bound = (p->range >> 12) * unpack_prob(slots, &b, node);
		u32 bit = value >> i & 1;

		if (bit) {
			p->range = bound;
		} else {
			p->low += bound;
			p->range -= bound;
		}
		while (p->range < UNPACK_TOP)
			shift(p);
		unpack_learn(slots, &b, node, bit);
		node = node * 2 + bit;
	}
}

static void write_table(const struct packer *p, const char *name)
{
	printf("\t.section .%s, \"a\"\n\t.globl %s_table\n%s_table:",
	       name, name, name);
	for (size_t i = 0; i < p->len; i++)
		printf("%s%u", i % 16 ? "," : "\n\t.byte ", p->out[i]);
	printf("\n\t.section .note.GNU-stack, \"\", @progbits\n");
}

int main(int argc, char **argv)
{
	struct packer *p = &packer;
	char line[128];

	if (argc != 2)
		return 2;
	unpack_forget(slots);
	while (fgets(line, sizeof(line), stdin)) {
		char *at = line, *next;
		u32 n[2 + UNPACK_CONTEXTS], nr = 0;

		for (; nr < 2 + UNPACK_CONTEXTS; nr++, at = next) {
			n[nr] = (u32)strtoul(at, &next, 10);
			if (next == at)
				break;
		}
		if (nr < 3 || n[1] > 16 || n[0] >> n[1]) {
			fprintf(stderr, "pack: cannot pack: %s", line);
			return 1;
		}
		pack(p, n[0], n[1], n + 2, nr - 2);
	}
	for (u32 i = 0; i < 4; i++)
		shift(p);
	write_table(p, argv[1]);
	return 0;
}
