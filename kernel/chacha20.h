/* The ChaCha20 block function (RFC 8439 section 2.3), for random.c. */
#pragma once

#include "kernel/types.h"

#define CHACHA20_KEY	32	/* bytes */
#define CHACHA20_BLOCK	64

/*
 * State: 4 constant words, 8 key words, then counter and nonce (16 words).
 * Any context.
 */
struct chacha20_state {
	u32 word[16];
};

/* Counter and nonce are zero. */
void chacha20_init(struct chacha20_state *s, const u8 key[CHACHA20_KEY]);
/* Writes one block of key stream and steps the counter (word 12). */
void chacha20_block(struct chacha20_state *s, u8 out[CHACHA20_BLOCK]);
