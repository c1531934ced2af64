/*
 * Random numbers: ChaCha20 with fast key erasure, seeded from RDSEED/RDRAND,
 * virtio-rng and timing. Before it is seeded it refuses (fails closed).
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* Mixes @len bytes in; @entropy_bits says how much they are worth. Any. */
void add_entropy(const void *data, size_t len, unsigned int entropy_bits);

/* True once 256 bits of entropy are in. */
bool random_ready(void);

/*
 * Fills @buf. Any context. Panics if called before random_ready(): boot
 * orders the seeding before the first user, so that is our own bug.
 */
void get_random_bytes(void *buf, size_t len);
u32 get_random_u32(void);
u64 get_random_u64(void);
/* Uniform in [0, bound), bound > 0. */
u32 get_random_below(u32 bound);

/* Gathers what the CPU offers. Boot, early. */
void random_init(void);
