/*
 * Segments that came too early, kept until the gap before them is filled, and
 * the SACK blocks that tell the sender of them (RFC 2018, 2883). sk lock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Exists only while something is out of order or a D-SACK is to be told. */
struct tcp_ofo {
	struct sk_buff_head queue;	/* s  by seq, no overlaps */
	u32 nr_sacks;			/* s */
	struct tcp_sack_block sacks[TCP_MAX_SACKS];	/* s  newest first */
	struct tcp_sack_block dsack;	/* s  start == end: none */
};

/* Takes @skb, whose seq is above rcv_nxt. */
void tcp_ofo_queue(struct tcp_sock *tp, struct sk_buff *skb);
/* rcv_nxt has moved: returns what is in order now, or NULL. */
struct sk_buff *tcp_ofo_next(struct tcp_sock *tp);
/* A duplicate [start, end) came: the next ACK says so. */
void tcp_ofo_dsack(struct tcp_sock *tp, u32 start, u32 end);
/* Fills out->sacks with what fits beside @len bytes of payload. */
void tcp_ofo_sacks(struct tcp_sock *tp, struct tcp_hdr_out *out, u32 len);
/* True if segments wait there. */
static inline bool tcp_ofo_waiting(const struct tcp_sock *tp)
{
	return tp->ofo && tp->ofo->queue.qlen;
}
/* Frees all of it. */
void tcp_ofo_purge(struct tcp_sock *tp);
