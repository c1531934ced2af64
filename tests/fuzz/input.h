/* An input of the fuzzer, read as a program. */
#pragma once

#include "kernel/types.h"

/* What is left of the input; reading past its end gives zeroes. */
struct input {
	const u8 *p, *end;
};

static inline u32 byte(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

static inline u32 word(struct input *in)
{
	u32 low = byte(in);

	return low | byte(in) << 8;
}
