/*
 * Sequence numbers: 32-bit counters that wrap (RFC 9293 section 3.4). They
 * are compared here and nowhere else.
 */
#pragma once

#include "kernel/types.h"

/* a < b, for numbers less than 2^31 apart. */
static inline bool seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* a > b */
static inline bool seq_after(u32 a, u32 b)
{
	return (s32)(b - a) < 0;
}

/* low <= x <= high */
static inline bool seq_between(u32 x, u32 low, u32 high)
{
	return high - low >= x - low;
}

static inline u32 seq_max(u32 a, u32 b)
{
	return seq_before(a, b) ? b : a;
}

static inline u32 seq_min(u32 a, u32 b)
{
	return seq_before(a, b) ? a : b;
}
