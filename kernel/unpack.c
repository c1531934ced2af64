/*
 * The reading half of tools/pack.c, see unpack.h. It runs when something broke
 * and takes some ten milliseconds for a table: who is called must not need it.
 */
#include "kernel/unpack.h"

static struct unpack_slot slots[UNPACK_SLOTS];
static bool busy;

bool unpack_start(struct unpacker *u, const u8 *in)
{
	if (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
		return false;
	unpack_forget(slots);
	u->range = UINT32_MAX;
	u->code = 0;
	for (u32 i = 0; i < 4; i++)
		u->code = u->code << 8 | *in++;
	u->in = in;
	return true;
}

void unpack_end(struct unpacker *u)
{
	u->in = NULL;
	__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}

u32 unpack(struct unpacker *u, u32 bits, const u32 *contexts, u32 nr)
{
	struct unpack_bit b = unpack_contexts(contexts, nr);
	u32 node = 1;

	for (u32 i = 0; i < bits; i++) {
		u32 bound = (u->range >> 12) * unpack_prob(slots, &b, node);
		u32 bit = u->code < bound;

		if (bit) {
			u->range = bound;
		} else {
			u->code -= bound;
			u->range -= bound;
		}
		while (u->range < UNPACK_TOP) {
			u->code = u->code << 8 | *u->in++;
			u->range <<= 8;
		}
		unpack_learn(slots, &b, node, bit);
		node = node * 2 + bit;
	}
	return node - (1u << bits);
}
