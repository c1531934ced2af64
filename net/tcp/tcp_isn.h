/*
 * Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 section
 * 5.4), both keyed hashes of the addresses.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

struct tcp_start {
	u32 isn;
	u32 ts_off;
};

/* Draws the keys. Boot. */
void tcp_isn_init(void);
/*
 * What a connection of @tuple begins with. The offset is the same for each
 * connection of the four, as RFC 6191 wants, and another for other ports.
 */
struct tcp_start tcp_new_start(const struct tcp_tuple *tuple, u64 now);
