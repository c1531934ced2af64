/*
 * Deadlines of a connection: retransmission or zero-window probe, delayed
 * ACK, keepalive or the end of FIN-WAIT-2. One wheel timer serves all three:
 * moving a deadline later only stores it, and the timer, when it fires,
 * re-arms itself for the next.
 */
#pragma once

#include "kernel/time.h"
#include "net/tcp/tcp_sock.h"

#define TCP_DELACK_NS	(40 * NSEC_PER_MSEC)
#define TCP_TIMEWAIT_NS	(60 * NSEC_PER_SEC)
#define TCP_SYN_RETRIES	6	/* tries after the first, 127 s in all */
#define TCP_SYNACK_RETRIES 5
#define TCP_RETRIES	15	/* RFC 9293 section 3.8.3, R2 */
#define TCP_ORPHAN_RETRIES 8	/* nobody has it open any more */
#define TCP_KEEPALIVE_IDLE 7200u	/* s, RFC 9293 section 3.8.4 */
#define TCP_KEEPALIVE_INTVL 75u
#define TCP_KEEPALIVE_CNT 9u

/* The clock in ms, as members named _at hold it. */
static inline u32 tcp_ms(u64 now)
{
	return (u32)(now / NSEC_PER_MSEC);
}

/* A new connection block. */
void tcp_timer_setup(struct sock *sk);

/*
 * Sets @deadline (a member of @sk's) to @when ns and sees to it that the
 * timer fires by then. sk lock.
 */
void tcp_arm(struct sock *sk, u64 *deadline, u64 when);

/* No deadline any more; the timer gives its reference back. sk lock. */
void tcp_timer_stop(struct sock *sk);

/* Timer work that found the sock owned; from release_sock(). */
void tcp_timer_deferred(struct sock *sk);

/* (Re)starts the retransmission timer (RFC 6298 rules 5.1, 5.3). */
void tcp_rearm_rto(struct sock *sk, u64 now);
/* (Re)starts keepalive if SO_KEEPALIVE is on, else stops it. */
void tcp_keepalive_start(struct sock *sk, u64 now);
