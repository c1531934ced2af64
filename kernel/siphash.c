/*
 * SipHash-2-4: two rounds for each 64-bit word, four at the end, over a
 * 256-bit state that starts from the key and four constants.
 */
#include "kernel/siphash.h"

#include "kernel/string.h"

struct sip_state {
	u64 v0, v1, v2, v3;
};

static inline u64 rotl(u64 v, int n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline struct sip_state sip_start(const struct siphash_key *key)
{
	return (struct sip_state){
		.v0 = key->k[0] ^ 0x736f6d6570736575ull,
		.v1 = key->k[1] ^ 0x646f72616e646f6dull,
		.v2 = key->k[0] ^ 0x6c7967656e657261ull,
		.v3 = key->k[1] ^ 0x7465646279746573ull,
	};
}

static inline void sip_word(struct sip_state *s, u64 word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

/* @tail: the last 0 to 7 bytes, with the length in the top byte. */
static inline u64 sip_end(struct sip_state *s, u64 tail)
{
	sip_word(s, tail);
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

u64 siphash(const void *data, size_t len, const struct siphash_key *key)
{
	struct sip_state s = sip_start(key);
	const u8 *p = data;
	u64 word, tail = 0;

	for (size_t n = len / 8; n; n--, p += 8) {
		memcpy(&word, p, sizeof(word));
		sip_word(&s, word);
	}
	memcpy(&tail, p, len % 8);
	return sip_end(&s, tail | (u64)len << 56);
}

u64 siphash_3u32(u64 ab, u32 c, const struct siphash_key *key)
{
	struct sip_state s = sip_start(key);

	sip_word(&s, ab);
	return sip_end(&s, 12ull << 56 | c);
}
