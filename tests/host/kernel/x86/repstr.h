/* Word copies in plain C, so that the sanitisers see each access. */
#pragma once

#include "kernel/types.h"

struct host_word {
	u64 v;
} __attribute__((packed, may_alias));

static inline void copy_words(void *dst, const void *src, size_t words)
{
	struct host_word *d = dst;
	const struct host_word *s = src;

	while (words--)
		*d++ = *s++;
}

static inline void set_words(void *dst, u64 word, size_t words)
{
	struct host_word *d = dst;

	while (words--)
		(d++)->v = word;
}
