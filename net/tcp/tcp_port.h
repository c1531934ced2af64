/*
 * Local ports: who holds which, when two may share one, and the choice of
 * ephemeral ports (RFC 6056). Task context or softirq; one lock of its own,
 * inside the sk lock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Draws the keys. Boot. */
void tcp_port_init(void);

/*
 * Binds @sk (sk_rcv_saddr set) to @port, 0: any free one; sets sk_num. 0;
 * -EADDRINUSE (bind(2) rules of SO_REUSEADDR and SO_REUSEPORT), -ENOMEM.
 */
int tcp_port_bind(struct sock *sk, u16 port) __must_check;

/* True if @sk, bound already, may listen beside its neighbours. */
bool tcp_port_may_listen(struct sock *sk);

/*
 * Gives @sk, whose addresses and remote port are set, an ephemeral port and
 * adds it to the connection table. 0; -EADDRNOTAVAIL (none free), -ENOMEM.
 */
int tcp_port_connect(struct sock *sk, u64 now) __must_check;

/* Counts one more user of @port, which has one: a child of a listener. */
int tcp_port_share(struct sock *child) __must_check;

/* The port of @sk is free again, or one user fewer. */
void tcp_port_release(struct sock *sk);

/* A TIME-WAIT record holds the port on; @reuse: SO_REUSEADDR was set. */
int tcp_port_hold(u16 port, const struct ip_addr *addr, bool reuse)
	__must_check;
void tcp_port_drop(u16 port, bool reuse);
