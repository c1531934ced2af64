/* The ChaCha20 block function; pure computation, any context. */
#include "kernel/chacha20.h"

#include "kernel/string.h"

static inline u32 rotl(u32 v, int n)
{
	return v << n | v >> (32 - n);
}

static inline void quarter_round(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b;
	*d = rotl(*d ^ *a, 16);
	*c += *d;
	*b = rotl(*b ^ *c, 12);
	*a += *b;
	*d = rotl(*d ^ *a, 8);
	*c += *d;
	*b = rotl(*b ^ *c, 7);
}

void chacha20_init(struct chacha20_state *s, const u8 key[CHACHA20_KEY])
{
	s->word[0] = 0x61707865;
	s->word[1] = 0x3320646e;
	s->word[2] = 0x79622d32;
	s->word[3] = 0x6b206574;
	memcpy(&s->word[4], key, CHACHA20_KEY);
	memset(&s->word[12], 0, 4 * sizeof(u32));
}

void chacha20_block(struct chacha20_state *s, u8 out[CHACHA20_BLOCK])
{
	struct chacha20_state x = *s;
	u32 *w = x.word;

	for (int i = 0; i < 10; i++) {
		for (int col = 0; col < 4; col++)
			quarter_round(&w[col], &w[4 + col], &w[8 + col],
				      &w[12 + col]);
		for (int col = 0; col < 4; col++)
			quarter_round(&w[col], &w[4 + (col + 1) % 4],
				      &w[8 + (col + 2) % 4],
				      &w[12 + (col + 3) % 4]);
	}
	for (int i = 0; i < 16; i++)
		w[i] += s->word[i];
	memcpy(out, w, CHACHA20_BLOCK);
	s->word[12]++;
}
