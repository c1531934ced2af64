/*
 * Keyed hash (SipHash-2-4, Aumasson and Bernstein 2012) for tables and
 * sequence numbers that a peer must not be able to predict.
 */
#pragma once

#include "kernel/types.h"

struct siphash_key {
	u64 k[2];
};

u64 siphash(const void *data, size_t len, const struct siphash_key *key);
/* The same over the twelve bytes of @ab and @c, faster. */
u64 siphash_3u32(u64 ab, u32 c, const struct siphash_key *key);
