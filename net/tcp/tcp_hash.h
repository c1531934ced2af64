/*
 * Who a segment is for: connections, small records and listeners by address
 * and port. Connections and records each have a table that grows by one
 * bucket at a time (linear hashing), so no packet ever pays for a resize and
 * a lookup costs the same with one connection or a million.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Draws the keys; the tables start with one page each. 0, -ENOMEM. Boot. */
int tcp_hash_init(void) __must_check;

/* Keyed, so that a peer cannot choose its bucket. Fills tuple->hash. */
void tcp_tuple_hash(struct tcp_tuple *tuple);
/* The tuple of @sk, with the hash that sk_hash holds. */
void tcp_sock_tuple(const struct sock *sk, struct tcp_tuple *tuple);

/*
 * The connection of @tuple with a reference, or NULL. Softirq, or softirqs
 * off; so for all that follow.
 */
struct sock *tcp_lookup(const struct tcp_tuple *tuple);
/*
 * The same for IPv4; @ports: local in the upper half, remote in the lower.
 * *@hash: what the tuple has.
 */
struct sock *tcp_lookup_v4(be32 remote, be32 local, u32 ports, u32 *hash);
/*
 * Adds @sk (its addresses, ports and sk_hash set), which gains a reference;
 * -EADDRNOTAVAIL if another connection has the same four.
 */
int tcp_hash_add(struct sock *sk) __must_check;
/* Takes @sk out if it is in, and gives the table's reference back. */
void tcp_unhash(struct sock *sk);

/* The same for small records. */
struct tcp_mini *tcp_mini_lookup(const struct tcp_tuple *tuple);
/* False if one for the same tuple is there. */
bool tcp_mini_add(struct tcp_mini *mini) __must_check;
/* True if it was in; the table's reference is then the caller's. */
bool tcp_mini_unhash(struct tcp_mini *mini);

/* Listeners: @sk has sk_num and sk_rcv_saddr. Task context. */
void tcp_listener_add(struct sock *sk);
void tcp_listener_del(struct sock *sk);
/*
 * The listener that fits @tuple best, come in by device @ifindex, with a
 * reference: SO_BINDTODEVICE before any, exact address before any, own family
 * before both; among equals of SO_REUSEPORT by flow hash. Softirq.
 */
struct sock *tcp_listener_lookup(const struct tcp_tuple *tuple, s32 ifindex);

/*
 * Calls @fn for each connection, record and listener; for /proc/net/tcp and
 * tests. Not atomic as a whole. A stripe's lock is held: @fn must not sleep.
 */
void tcp_for_each(void (*fn_sock)(struct sock *sk, void *arg),
		  void (*fn_mini)(struct tcp_mini *mini, void *arg),
		  void *arg);

/*
 * The same piece by piece: one bucket a call, or all listeners when *@place
 * is 0. *@place moves on; false after the last. What moves between buckets
 * meanwhile may be seen twice or not at all.
 */
bool tcp_walk(u64 *place, void (*fn_sock)(struct sock *sk, void *arg),
	      void (*fn_mini)(struct tcp_mini *mini, void *arg), void *arg);
