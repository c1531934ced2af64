/*
 * Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 section
 * 5.4), both keyed hashes of the addresses.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Draws the keys. Boot. */
void tcp_isn_init(void);
u32 tcp_new_isn(const struct tcp_tuple *tuple, u64 now);
u32 tcp_new_ts_off(const struct tcp_tuple *tuple);
