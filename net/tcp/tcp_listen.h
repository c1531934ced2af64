/*
 * Passive opens: requests (SYN queue), children, and the accept queue.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* listen(2): @sk is bound. 0, -EADDRINUSE, -ENOMEM. lock_sock held. */
int tcp_listen_start(struct sock *sk, int backlog) __must_check;
/* The listener closes: children nobody accepted are reset. lock_sock held. */
void tcp_listen_stop(struct sock *sk, u64 now);

/*
 * A segment for listener @sk (RFC 9293 section 3.10.7.2), or for one of its
 * requests. Takes @skb. Softirq or task (backlog), sk lock.
 */
void tcp_listen_rcv(struct sock *sk, struct sk_buff *skb, u64 now);
/*
 * The same when @req of @sk was just found for @skb, or when there is none for
 * its @tuple. Softirq, sk lock.
 */
void tcp_request_rcv(struct sock *sk, struct tcp_mini *req,
		     struct sk_buff *skb, u64 now);
void tcp_listen_new(struct sock *sk, const struct tcp_tuple *tuple,
		    struct sk_buff *skb, u64 now);

/* The oldest finished connection with its reference, or NULL. sk lock. */
struct sock *tcp_accept_pop(struct sock *sk);

/* An ICMP error about a request: it goes, quietly. */
void tcp_request_error(struct tcp_mini *req);
