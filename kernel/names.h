/*
 * Names by number, for what is seldom asked: runs of strings, one behind the
 * other, since a table of pointers would be as large again. What is marked
 * __packed_names stands packed in the kernel's file (tools/pack.c) and is
 * unpacked when one of all those names is asked for first, which takes some
 * ten milliseconds: nothing that boots or serves may need it.
 */
#pragma once

#include "kernel/types.h"

#define __packed_names	__attribute__((section(".packed_names")))

/*
 * The @n-th string, from 0, of the @size bytes at @names; "?" behind the last
 * one, "" while a backtrace keeps them from being unpacked. Any context.
 */
const char *nth_name(const char *names, size_t size, u64 n);

#define NTH_NAME(names, n)	nth_name(names, sizeof(names), n)

/* Before other reading of what is marked. Any context. */
void unpack_names(void);

/*
 * What tools/pack.c and unpack_names() know of the byte that comes: the two
 * before it, and the word that they end. @word begins as 0.
 */
static inline void name_contexts(const u8 *before, u32 word, u32 *contexts)
{
	contexts[0] = before[-1] | 1u << 27;
	contexts[1] = (u32)before[-1] << 8 | before[-2] | 1u << 28;
	contexts[2] = word >> 3 | 1u << 29;
}

static inline u32 name_word(u32 word, u8 byte)
{
	bool ends = !byte || byte == '_' || byte == ' ';

	return ends ? 0 : (word + byte) * 0x9e3779b1u;
}
