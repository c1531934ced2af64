/*
 * Our TCP against itself over a link that loses, delays, reorders and
 * duplicates, all by a seed; virtual time. Two sockets of one stack talk
 * through it: tables know them apart by their ports.
 */
#pragma once

#include "tests/unit/tcp_harness.h"

struct th_link {
	u32 loss;		/* of 1000 packets */
	u32 dup;		/* of 1000 */
	u32 reorder;		/* of 1000: delayed by up to 3 times */
	u64 delay_ns;
	u64 jitter_ns;
	u64 ns_per_byte;	/* rate limit, 0: none */
	u32 mtu;		/* larger ones vanish without a word; 0: none */
};

/* From now on packets travel by @link, by the random numbers of @seed. */
void th_link_start(const struct th_link *link, u64 seed);
/* Lets one event happen: a delivery or a timer. False if nothing will. */
bool th_link_step(void);
/* Packets that were handed over, and those that were lost on the way. */
extern u64 th_link_sent, th_link_lost;
/* Frees what is still under way. */
void th_link_stop(void);
