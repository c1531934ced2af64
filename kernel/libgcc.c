/* Functions that the compiler calls where the CPU has no instruction. */
#include "kernel/types.h"

int __popcountdi2(s64 v);

/* Counts in pairs, nibbles, bytes, then sums the bytes by multiplying. */
int __popcountdi2(s64 v)
{
	u64 x = (u64)v;

	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (int)(x * 0x0101010101010101ull >> 56);
}
