/*
 * Explicit congestion notification (RFC 3168) of connections that have
 * TCP_OPT_ECN. All with the sk lock held.
 */
#pragma once

#include "net/tcp/tcp_header.h"
#include "net/tcp/tcp_sock.h"

/* Flags that ask for it, in a SYN; the answer has ECE alone. */
#define TCP_ECN_ASK	(TCP_ECE | TCP_CWR)

/* May an active open ask for it? Does a passive one say yes to this SYN? */
bool tcp_ecn_asks(void);
bool tcp_ecn_accepts(const struct sk_buff *syn);

/* The connection begins; without memory for it, it does without. */
void tcp_ecn_init(struct tcp_sock *tp);

/* A segment that was taken: marks, what the peer says, the answer to it. */
void tcp_ecn_rcv(struct tcp_sock *tp, const struct sk_buff *skb, bool data);
/* One is about to go: its flags; returns the two bits for the IP header. */
u8 tcp_ecn_send(struct tcp_sock *tp, struct sk_buff *skb,
		struct tcp_hdr_out *out);
/* The window was cut, for whatever reason: the peer is told. */
void tcp_ecn_reduced(struct tcp_sock *tp);
