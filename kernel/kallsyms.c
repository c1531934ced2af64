/*
 * The function table that tools/kallsyms makes from the linked kernel, packed
 * as unpack.h says. For each function in address order: the distance from the
 * one before, as its number of bits and those below the highest; then the
 * name, letter by letter in the context of the two before it, of its word, and
 * of the one at this place in the name before, as long as both are the same.
 */
#include "kernel/kallsyms.h"

#include "kernel/kallsyms_internal.h"
#include "kernel/string.h"
#include "kernel/unpack.h"

#define UNDERSCORE	1	/* of letters[] */
#define LONGEST		63
#define END		31	/* no function is so far from the one before */

static const char letters[] = "\0_abcdefghijklmnopqrstuvwxyz0123456789"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct name {
	u8 code[LONGEST + 1];	/* indices of letters[], to the first 0 */
};

/* The distance to the next function; false behind the last one. */
static bool next_addr(struct unpacker *u, u64 *addr)
{
	u32 context = 1u << 29;
	u32 bits = unpack(u, 5, &context, 1);

	if (bits == END)
		return false;
	if (bits)
		*addr += 1ull << (bits - 1);
	if (bits > 1) {
		context = (bits - 1) << 20 | 1u << 30;
		*addr += unpack(u, bits - 1, &context, 1);
	}
	return true;
}

/* Reads a name over the one before it. */
static void next_name(struct unpacker *u, struct name *name)
{
	u32 one = 0, two = 0, word = 0;
	bool same = true;

	for (u32 i = 0; i <= LONGEST; i++) {
		u32 above = same ? name->code[i] + 1u : 0;
		const u32 contexts[] = {
			one << 6 | two | 1u << 16,
			above << 6 | one | 1u << 20,
			word | 1u << 25,
		};
		u32 code = unpack(u, 6, contexts, ARRAY_SIZE(contexts));

		same = same && name->code[i] == code;
		name->code[i] = (u8)code;
		if (!code)
			break;
		two = one;
		one = code;
		word = code == UNDERSCORE ? 0 : (word * 67 + code) % (1u << 24);
	}
}

static void copy_name(char *to, size_t size, const struct name *name)
{
	size_t i;

	for (i = 0; i + 1 < size && name->code[i]; i++)
		to[i] = letters[name->code[i]];
	to[i] = '\0';
}

bool kallsyms_lookup(u64 addr, char *name, size_t size, u64 *offset)
{
	struct name last = { { 0 } };
	u64 at = (u64)__text_start;
	struct unpacker u;
	bool found = false;

	if (addr < at || addr >= (u64)__init_text_end || !size ||
	    !&kallsyms_table || !unpack_start(&u, kallsyms_table))
		return false;
	while (next_addr(&u, &at) && at <= addr) {
		next_name(&u, &last);
		*offset = addr - at;
		found = true;
	}
	unpack_end(&u);
	copy_name(name, size, &last);
	return found;
}
