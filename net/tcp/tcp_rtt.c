/*
 * Smoothed round-trip time, its variation, and the timeout made of them
 * (RFC 6298 section 2). Measurements of retransmitted segments never come
 * here (Karn, section 3), those by timestamps may.
 */
#include "net/tcp/tcp_rtt.h"

#include "kernel/time.h"

/* One tick of the timer wheel: the clock granularity G. */
#define CLOCK_GRANULARITY 1000u

void tcp_rtt_sample(struct tcp_sock *tp, u32 rtt_us)
{
	u32 rtt = min(rtt_us, TCP_RTO_MAX / 8);
	u32 srtt, diff;

	if (!tp->srtt) {
		tp->min_rtt = rtt;
		tp->srtt = rtt * 8;		/* rule 2.2 */
		tp->rttvar = rtt * 2;
	} else {
		srtt = tp->srtt / 8;		/* rule 2.3 */
		diff = srtt > rtt ? srtt - rtt : rtt - srtt;
		tp->rttvar += diff - tp->rttvar / 4;
		tp->srtt += rtt - srtt;
		if (unlikely(rtt < tp->min_rtt))
			tp->min_rtt = rtt;
	}
	/* rttvar is kept times 4, which is the K of the rule. */
	tp->rto = tp->srtt / 8 + max(tp->rttvar, CLOCK_GRANULARITY);
	tp->rto = clamp(tp->rto, TCP_RTO_MIN, TCP_RTO_MAX);
}

u64 tcp_rto_ns(const struct tcp_sock *tp)
{
	u64 us = (u64)tp->rto << min(tp->backoff, (u8)16);

	return min(us, (u64)TCP_RTO_MAX) * NSEC_PER_USEC;
}
