/*
 * Numbers packed into few bytes by tools/pack.c: an adaptive range coder. A
 * number is coded bit by bit, each with a probability that both sides learn
 * from what went before in the same contexts. The tables for backtraces are
 * packed so: a third of the kernel's read-only data without it.
 */
#pragma once

#include "kernel/types.h"

#define UNPACK_SLOTS	32768
#define UNPACK_CONTEXTS	3
#define UNPACK_TOP	(1u << 24)

struct unpacker {
	const u8 *in;
	u32 range, code;
};

/* What was learned of one bit: how likely it is 1, and how often it came. */
struct unpack_slot {
	u16 prob : 12;		/* of 4096 */
	u16 seen : 4;
};

/* Which slots hold the next bit: of each context and the bits before it. */
struct unpack_bit {
	u32 base[UNPACK_CONTEXTS];
	u32 nr;
};

static inline struct unpack_bit unpack_contexts(const u32 *contexts, u32 nr)
{
	struct unpack_bit b = { .nr = nr };

	for (u32 i = 0; i < nr; i++)
		b.base[i] = ((contexts[i] * 4 + i) * 0x9e3779b1u) >> 15;
	return b;
}

static inline struct unpack_slot *unpack_slot(struct unpack_slot *slots,
					      const struct unpack_bit *b,
					      u32 i, u32 node)
{
	return &slots[(b->base[i] + node * 0x3d4d) % UNPACK_SLOTS];
}

/* The probability of a 1 by all contexts; who is surer weighs more. */
static inline u32 unpack_prob(struct unpack_slot *slots,
			      const struct unpack_bit *b, u32 node)
{
	u32 sum = 0, weights = 0;

	for (u32 i = 0; i < b->nr; i++) {
		u32 p = unpack_slot(slots, b, i, node)->prob;
		u32 sure = (p > 2048 ? p - 2048 : 2048 - p) + 64;
		u32 weight = sure * sure >> 12;

		sum += p * weight;
		weights += weight;
	}
	return sum / weights;
}

static inline void unpack_learn(struct unpack_slot *slots,
				const struct unpack_bit *b, u32 node, u32 bit)
{
	for (u32 i = 0; i < b->nr; i++) {
		struct unpack_slot *s = unpack_slot(slots, b, i, node);
		u32 step = s->seen + 3;

		if (bit)
			s->prob += (4080u - s->prob) * 2 / step;
		else
			s->prob -= (s->prob - 16u) * 2 / step;
		if (s->seen < 15)
			s->seen++;
	}
}

static inline void unpack_forget(struct unpack_slot *slots)
{
	for (u32 i = 0; i < UNPACK_SLOTS; i++)
		slots[i] = (struct unpack_slot){ .prob = 2048 };
}

/*
 * Begins with the packed bytes @in. There is one memory for what is learned:
 * false if somebody unpacks already. unpack_end() gives it back. Any context.
 */
bool unpack_start(struct unpacker *u, const u8 *in);
void unpack_end(struct unpacker *u);

/* The next number, of @bits bits, in the @nr contexts it was packed in. */
u32 unpack(struct unpacker *u, u32 bits, const u32 *contexts, u32 nr);
