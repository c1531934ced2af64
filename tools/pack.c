/*
 * pack NAME < NUMBERS > TABLE.S: NAME_table in section .NAME, which
 * kernel/unpack.c reads. A line of the input is a number, of how many bits it
 * is, and its contexts, which the reader knows by then.
 * pack NAME TEXT < ROWS > TABLE.S: the same from what tools/unwind writes and
 * the code that it is about, for kernel/x86/stacktrace.c.
 * pack names < BYTES > TABLE.S: what is marked __packed_names, for
 * kernel/names.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/names.h"
#include "kernel/unpack.h"
#include "kernel/x86/unwind.h"

#define MOST_NAMES	65536
#define MOST_TEXT	(1u << (UNWIND_FAR_BITS + UNWIND_NEAR_BITS))

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

/* The frame's code behind the instruction that ends where the walk is. */
static bool pack_code(struct packer *p, struct unwind *w, u32 code)
{
	enum unwind_effect effect = unwind_effect(w);
	u32 contexts[UNPACK_CONTEXTS], changes = code != w->code;

	if (effect == UNWIND_KEEPS ||
	    (effect == UNWIND_MOVES && changes && code != unwind_moved(w)))
		return !changes;
	if (!p)
		return true;
	unwind_bit_contexts(w, contexts);
	pack(p, changes, 1, contexts, UNPACK_CONTEXTS);
	unwind_code_contexts(w, contexts);
	if (effect == UNWIND_LEAVES && changes)
		pack(p, code, FRAME_BITS, contexts, UNPACK_CONTEXTS);
	return true;
}

static void pack_exception(struct packer *p, size_t far, u32 code)
{
	static const u32 contexts[] = { UNWIND_FAR, UNWIND_NEAR, UNWIND_CODE };

	pack(p, (u32)(far >> UNWIND_NEAR_BITS), UNWIND_FAR_BITS, contexts, 1);
	pack(p, far & ((1u << UNWIND_NEAR_BITS) - 1), UNWIND_NEAR_BITS,
	     contexts + 1, 1);
	pack(p, code, FRAME_BITS, contexts + 2, 1);
}

/* Where the code alone, read from @w on, is wrong for the first time. */
static const u8 *next_exception(struct unwind w, const u8 *text, size_t size,
				const u32 *codes)
{
	while (w.at < text + size) {
		unwind_set(&w, codes[w.at - text]);
		unwind_next(&w);
		if (w.at < text + size && !pack_code(NULL, &w,
						     codes[w.at - text]))
			return w.at;
	}
	return text + ((size_t)1 << (UNWIND_FAR_BITS + UNWIND_NEAR_BITS)) - 1;
}

/* @codes of the frames at each of the @size bytes of code. */
static void pack_unwind(struct packer *p, const u8 *text, size_t size,
			const u32 *codes)
{
	const u8 *exception = text, *before = text;
	struct unwind w;

	unwind_start(&w, text);
	pack_exception(p, 0, codes[0]);
	while (w.at < text + size) {
		u32 code = codes[w.at - text];

		if (w.at == exception) {
			before = exception;
			exception = next_exception(w, text, size, codes);
			unwind_set(&w, code);
			pack_exception(p, (size_t)(exception - before),
				       exception < text + size ?
				       codes[exception - text] : 0);
		} else {
			pack_code(p, &w, code);
			unwind_set(&w, code);
		}
		unwind_next(&w);
	}
}

/* The rows that tools/unwind wrote: from which byte on which code holds. */
static u32 *read_codes(size_t size)
{
	u32 *codes = calloc(size, sizeof(*codes)), code;
	size_t at;

	if (!codes)
		abort();
	while (scanf("%zu %u", &at, &code) == 2) {
		while (at < size)
			codes[at++] = code;
	}
	return codes;
}

/* The bytes of @name, with some more behind them that can be read. */
static u8 *read_text(const char *name, size_t *size)
{
	u8 *text = calloc(1, MOST_TEXT);
	FILE *file = fopen(name, "rb");

	if (!text || !file)
		abort();
	*size = fread(text, 1, MOST_TEXT - 64, file);
	fclose(file);
	return text;
}

static void pack_numbers(struct packer *p)
{
	char line[128];

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
			exit(1);
		}
		pack(p, n[0], n[1], n + 2, nr - 2);
	}
}

static void pack_names(struct packer *p)
{
	u8 bytes[2 + MOST_NAMES] = { 0 };
	size_t size = fread(bytes + 2, 1, MOST_NAMES, stdin);
	u32 word = 0;

	if (!feof(stdin)) {
		fprintf(stderr, "pack: more names than MOST_NAMES\n");
		exit(1);
	}
	for (const u8 *at = bytes + 2; at < bytes + 2 + size; at++) {
		u32 contexts[UNPACK_CONTEXTS];

		name_contexts(at, word, contexts);
		pack(p, *at, 8, contexts, UNPACK_CONTEXTS);
		word = name_word(word, *at);
	}
}

int main(int argc, char **argv)
{
	struct packer *p = &packer;
	size_t size;

	if (argc < 2)
		return 2;
	unpack_forget(slots);
	if (argc > 2) {
		const u8 *text = read_text(argv[2], &size);

		pack_unwind(p, text, size, read_codes(size));
	} else if (!strcmp(argv[1], "names")) {
		pack_names(p);
	} else {
		pack_numbers(p);
	}
	for (u32 i = 0; i < 4; i++)
		shift(p);
	write_table(p, argv[1]);
	return 0;
}
