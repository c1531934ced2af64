/* The only randomness of a world: SplitMix64. */
#include "tests/sim/sim.h"

u64 rnd(struct rng *r)
{
	u64 z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

u64 below(struct rng *r, u64 n)
{
	return n ? rnd(r) % n : 0;
}

bool chance(struct rng *r, u32 per_mille)
{
	return below(r, 1000) < per_mille;
}

u64 log_size(struct rng *r, u64 most)
{
	u64 bits = 1, upto;

	while (most >> bits)
		bits++;
	upto = 1ull << (1 + below(r, bits));
	return 1 + below(r, min(upto, most));
}
