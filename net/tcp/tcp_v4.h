/* Between IP and the connections: what a segment's packet tells. */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Addresses and ports of a segment that tcp_v4_rcv() has looked up. */
void tcp_skb_tuple(const struct sk_buff *skb, struct tcp_tuple *tuple);

/*
 * Handles @skb for @sk now, or puts it on the backlog if a task owns @sk.
 * Takes @skb; borrows @sk. Softirq.
 */
void tcp_sock_rcv(struct sock *sk, struct sk_buff *skb);

/* One segment with the sk lock held or owned: struct proto.backlog_rcv. */
void tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb);
