/*
 * Sending: what may go now, and how a segment gets its header. All with the
 * sk lock held; softirq or task.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* The largest packet handed to a device that cuts it (TSO). */
#define TCP_TSO_MAX	15928u
/* Room in front of each payload. */
#define TCP_HEADROOM	(IP_MAX_HEADER + TCP_MAX_HDR)

/* Recomputes mss_cache from route and peer (RFC 9293 section 3.7.1). */
void tcp_sync_mss(struct tcp_sock *tp);
/* How many payload bytes a new buffer should take. */
u32 tcp_size_goal(const struct tcp_sock *tp);
/* Payload per segment that our MTU allows, for the MSS option. */
u16 tcp_advmss(const struct sock *sk);

/* Empty segment for the write queue, seq at write_seq; NULL: no memory. */
struct sk_buff *tcp_alloc_tx(struct tcp_sock *tp, u32 size, u8 flags)
	__must_check;
/* Puts @skb behind the queue (takes it); counts its memory. */
void tcp_queue_tx(struct tcp_sock *tp, struct sk_buff *skb);
/* The same for a SYN; what it takes counts as sent. write_seq is its seq. */
void tcp_queue_syn(struct tcp_sock *tp, struct sk_buff *syn);
/* Frees one that is in no list any more and stops counting it. */
void tcp_free_tx(struct tcp_sock *tp, struct sk_buff *skb);
/* Frees the whole queue. */
void tcp_purge_tx(struct tcp_sock *tp);

/*
 * Gives queued @skb a header and sends it; the queue keeps it. 0, -ENOBUFS
 * and other errors of the way down: it then counts as sent and lost.
 */
int tcp_transmit_skb(struct tcp_sock *tp, struct sk_buff *skb, u64 now);
/* Cuts queued @skb after @len bytes of payload. 0, -ENOMEM. */
int tcp_fragment(struct tcp_sock *tp, struct sk_buff *skb, u32 len)
	__must_check;

/*
 * Sends what window, congestion window, Nagle and silly-window avoidance let
 * go. @nonagle: TCP_NAGLE_ bits for this once, mostly tp->nonagle.
 */
void tcp_write_xmit(struct tcp_sock *tp, u8 nonagle, u64 now);
/* The same from receive: if something waits. */
void tcp_push_pending(struct tcp_sock *tp, u64 now);

/* One byte or as much as the window takes, past all rules (probe timer). */
int tcp_write_wakeup(struct tcp_sock *tp, u64 now);

/* An ACK by itself, now. Sets the delayed-ACK timer if memory is out. */
void tcp_send_ack(struct tcp_sock *tp, u64 now);
/* An ACK with an old sequence number, that the peer must answer. */
void tcp_send_probe(struct tcp_sock *tp, u64 now);
/* Queues a FIN behind all data and sends what may go. */
void tcp_send_fin(struct tcp_sock *tp, u64 now);
/* A RST for a connection that we abort. */
void tcp_send_active_reset(struct tcp_sock *tp, u64 now);

/* The window to advertise in the next segment, as sent. */
u16 tcp_select_window(struct tcp_sock *tp);
/* Bytes that the window could be now. */
u32 tcp_receive_space(const struct tcp_sock *tp);

/* A segment that belongs to no sock. */
struct tcp_reply {
	const struct tcp_tuple *tuple;
	struct tcp_hdr_out hdr;	/* but for the ports */
	u8 tos;
};

/*
 * Sends it by @rt, or by a route that it looks up (NULL); if memory or the way
 * out is missing it is lost. Fills the rest of @reply->hdr. Softirq.
 */
void tcp_send_reply(struct tcp_reply *reply, struct ip_route *rt);
/* The RST that answers @skb (RFC 9293 section 3.10.7.1); borrows @skb. */
void tcp_send_reset(const struct tcp_tuple *tuple, const struct sk_buff *skb);
