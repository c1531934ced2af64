/* Round-trip time and the retransmission timeout (RFC 6298). */
#pragma once

#include "net/tcp/tcp_sock.h"

#define TCP_RTO_INIT	1000000u	/* us, RFC 6298 rule 2.1 */
#define TCP_RTO_AFTER_SYN 3000000u	/* rule 5.7: it was lost */
#define TCP_RTO_MIN	200000u		/* below rule 2.4's 1 s, as Linux */
#define TCP_RTO_MAX	120000000u

/* Takes in one measurement of @rtt_us, at least 1. sk lock. */
void tcp_rtt_sample(struct tcp_sock *tp, u32 rtt_us);

/* The timeout now, ns, with backoff. */
u64 tcp_rto_ns(const struct tcp_sock *tp);
