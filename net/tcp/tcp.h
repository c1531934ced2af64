/*
 * TCP as the rest of the kernel sees it (RFC 9293). The protocol itself is in
 * the files beside; tcp_internal.h is theirs alone.
 */
#pragma once

#include "net/skbuff.h"
#include "net/sock.h"

/* As Linux numbers them, for TCP_INFO and /proc/net/tcp. */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
	NR_TCP_STATES,
};

extern const char *const tcp_state_names[NR_TCP_STATES];

/*
 * A segment for us: skb->data at the TCP header, network_header set, length
 * trimmed to the IP length. Takes @skb. Softirq.
 */
void tcp_v4_rcv(struct sk_buff *skb);
void tcp_v6_rcv(struct sk_buff *skb);

/* An ICMP error about a segment of ours. Softirq. */
void tcp_icmp_error(const struct icmp_error *e);

/* Connections that nobody has open and whose end is not acknowledged. Any. */
u32 tcp_orphans(void);

/* Registers with the inet table, sizes the hash tables. Boot. */
void tcp_init(void);
