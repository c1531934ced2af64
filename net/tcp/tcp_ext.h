/*
 * What few connections need: a block of its own, so that the others stay
 * small. It comes when something is first noted in it and goes with the sock.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

/* Locks: s the sk lock. */
struct tcp_ext {
	/* Options: they outlive a connection. */
	u32 fo_most;		/* s  TCP_FASTOPEN of a listener */
	u64 pace_max;		/* s  SO_MAX_PACING_RATE, bytes/s, 0: none */
	u32 window_clamp;	/* s  TCP_WINDOW_CLAMP */
	bool fo_connect;	/* s  TCP_FASTOPEN_CONNECT */
	u8 defer_accept;	/* s  TCP_DEFER_ACCEPT, in tries of a SYN-ACK */

	struct sock *fo_listener; /* s  TCP_F_FO_CHILD: held */
	/* Receive buffer tuning: what the program takes in a round trip. */
	u32 rtt_us;		/* s  round trip as the receiver sees it */
	u32 rtt_mark;		/* s  tsecr seen last, or rcv_nxt to wait for */
	u32 rtt_at;		/* s  us, when the wait for it began */
	u32 space;		/* s  most bytes taken in one */
	u32 space_seq;		/* s  copied_seq when this one began */
	u32 space_at;		/* s  us, and when that was */
	/* Pacing, bytes a second and ktime ns. */
	u64 pace_ca;		/* s  the congestion control's, 0: none */
	u64 pace_rate;		/* s  the lower of both; TCP_F_PACED */
	u64 pace_next;		/* s  when the next may go */
	u64 pace_at;		/* s  deadline, 0: nothing waits */
	/* Urgent data. */
	u32 urg_seq;		/* s  of the byte; TCP_F_URG */
	u32 snd_up;		/* s  behind the last urgent byte we send */
	u8 urg_state;		/* s, read freely by poll */
	u8 urg_byte;		/* s */
	/* The path's MTU, see tcp_mtu.c; TCP_F_MTU_LOW. */
	u32 mss_at;		/* s  ms, when something was learnt last */
	u32 probe_end;		/* s  end_seq of the probe; TCP_F_MTU_PROBE */
	u16 mss_before;		/* s  mss_clamp when it fell first */
	u16 mss_high;		/* s  least that does not get through */
	u16 mss_probe;		/* s  what the probe is for */
	/* Window validation (RFC 7661). */
	u32 used_since;		/* s  ms, when cwnd was full last; 0: now */
	u32 used_most;		/* s  of it since then */
	u32 answered_at;	/* s  ms, see tcp_may_answer(); 0: never */
	/* ECN. */
	u32 ecn_until;		/* s  snd_nxt at the last cut */
	bool ecn_seen;		/* s  the peer's data has been ECT */
};

/* Forgets the connection but not the options. sk lock. */
void tcp_ext_reset(struct tcp_sock *tp);
/* @tp's block, or NULL: no memory. sk lock; any context. */
struct tcp_ext *tcp_ext_get(struct tcp_sock *tp);

/*
 * A full segment has come and is not in the queue yet: lets the receive
 * buffer grow with what the program takes. sk lock.
 */
void tcp_rcvbuf_tune(struct tcp_sock *tp, const struct tcp_segment *seg,
		     u64 now);
