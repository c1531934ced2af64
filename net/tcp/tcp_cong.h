/*
 * Congestion control (RFC 5681): what the algorithms provide, and what the
 * rest of TCP asks them. Window sizes are in segments.
 */
#pragma once

#include "net/tcp/tcp_sock.h"

#define TCP_INIT_CWND	10u	/* RFC 6928 */
#define TCP_INFINITE_SSTHRESH 0x7fffffffu
#define TCP_CWND_MAX	65535u	/* times the largest MSS still fits 32 bits */

/* All called with the sk lock held. */
struct tcp_congestion_ops {
	const char *name;
	/* A fresh connection; ca_priv is zero. May be NULL. */
	void (*init)(struct tcp_sock *tp);
	/* ssthresh after a loss found now, with @flight segments under way. */
	u32 (*ssthresh)(struct tcp_sock *tp, u32 flight);
	/*
	 * @acked segments were newly acknowledged outside recovery; @rtt_us
	 * measured with them, 0: nothing.
	 */
	void (*cong_avoid)(struct tcp_sock *tp, u32 acked, u32 rtt_us,
			   u64 now);
	/* Nothing was sent for a while. May be NULL. */
	void (*idle)(struct tcp_sock *tp);
};

extern const struct tcp_congestion_ops tcp_newreno;
extern const struct tcp_congestion_ops tcp_cubic;

/* The one called @name, or NULL. */
const struct tcp_congestion_ops *tcp_cong_find(const char *name, u32 len);

/* Another algorithm from now on. */
void tcp_cong_set(struct tcp_sock *tp, const struct tcp_congestion_ops *ca);

/* A connection starts (or starts over). */
void tcp_cong_init(struct tcp_sock *tp);

/* Segments in flight (RFC 6675 "pipe", counted by segment). */
static inline u32 tcp_in_flight(const struct tcp_sock *tp)
{
	return tp->packets_out - tp->sacked_out - tp->lost_out +
	       tp->retrans_out;
}

/* @acked segments newly acknowledged, in no recovery: cwnd may grow. */
void tcp_cong_acked(struct tcp_sock *tp, u32 acked, u32 rtt_us, u64 now);

/*
 * Idle for @idle_us, longer than an RTO: begin again slowly (RFC 5681 section
 * 4.1), the slower the longer it was (RFC 7661 section 4.4.2, as Linux).
 */
void tcp_cong_idle_restart(struct tcp_sock *tp, u64 idle_us);

/* Slow start: returns the part of @acked that is left at ssthresh. */
u32 tcp_slow_start(struct tcp_sock *tp, u32 acked);
/* One segment more per @w segments acknowledged. */
void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked);
