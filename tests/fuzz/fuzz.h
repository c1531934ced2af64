/*
 * A host on a wire for the fuzzer: the whole of net/ below the system calls,
 * one device, a peer at 10.0.0.9 that is what the input says.
 */
#pragma once

#include "kernel/types.h"
#include "net/socket.h"

#define FUZZ_CONNS	4
#define FUZZ_PORT	7	/* somebody listens; UDP, too */
#define FUZZ_PEER_PORT	40000	/* of the peer's connection 0 */

/* What the peer knows of its connection @i with us. */
struct fuzz_conn {
	u32 our_seq;		/* behind the last byte we have sent */
	u32 our_ack;		/* what we have acknowledged */
	u16 our_port;
	u32 ts_recent;		/* our last timestamp */
};

extern struct fuzz_conn fuzz_conns[FUZZ_CONNS];

/* Once. */
void fuzz_init(void);
/* One frame comes in. */
void fuzz_rx(const u8 *frame, u32 len);
/* Headers for @len bytes of @proto from the peer at @to; their length. */
u32 fuzz_headers(u8 *to, u8 proto, u32 len);
/* Softirqs that wait run. */
void fuzz_softirqs(void);
void fuzz_advance(u64 ns);
/* A new socket, or NULL. */
struct socket *fuzz_socket(u16 type);
