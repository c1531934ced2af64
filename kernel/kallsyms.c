/*
 * The function table that tools/kallsyms makes from the linked kernel. For
 * each function in address order: the distance from the one before (LEB128),
 * the number of name bytes, the name. A name byte from 0x80 on stands for two
 * others, see kallsyms_table.pairs, which keeps the names at half their size.
 */
#include "kernel/kallsyms.h"
#include "kernel/kallsyms_internal.h"

#define MAX_DEPTH 16	/* pairs within pairs; the tool makes fewer */

struct cursor {
	const u8 *p;
	u64 addr;
	const u8 *name;		/* name bytes of the entry read last */
	u8 name_len;
};

static void next_entry(struct cursor *c)
{
	unsigned int shift = 0;
	u64 delta = 0;
	u8 b;

	do {
		b = *c->p++;
		delta |= (u64)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80);
	c->addr += delta;
	c->name_len = *c->p++;
	c->name = c->p;
	c->p += c->name_len;
}

/* Expands one name byte depth first, with the open halves on a stack. */
static char *expand(char *out, const char *end, u8 byte)
{
	u8 todo[MAX_DEPTH];
	unsigned int n = 1;

	todo[0] = byte;
	while (n) {
		u8 b = todo[--n];

		if (b < 0x80) {
			if (out < end)
				*out++ = (char)b;
			continue;
		}
		if (n + 2 > MAX_DEPTH)
			continue;
		todo[n++] = kallsyms_table.pairs[(b - 0x80) * 2 + 1];
		todo[n++] = kallsyms_table.pairs[(b - 0x80) * 2];
	}
	return out;
}

bool kallsyms_lookup(u64 addr, char *name, size_t size, u64 *offset)
{
	struct cursor c = { .p = kallsyms_table.entries,
			    .addr = (u64)__text_start };
	struct cursor found = c;
	char *out = name;
	u32 i;

	if (addr < (u64)__text_start || addr >= (u64)__init_text_end || !size)
		return false;
	for (i = 0; i < kallsyms_table.count; i++) {
		next_entry(&c);
		if (c.addr > addr)
			break;
		found = c;
	}
	if (!found.name)
		return false;
	for (i = 0; i < found.name_len; i++)
		out = expand(out, name + size - 1, found.name[i]);
	*out = '\0';
	*offset = addr - found.addr;
	return true;
}
