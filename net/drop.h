/*
 * Why packets are thrown away. Every drop has a name, is counted under it and
 * fires a tracepoint; nothing is lost silently. The names go to
 * /proc/net/drops and to the trace.
 */
#pragma once

#include "kernel/percpu.h"
#include "kernel/types.h"

#define DROP_REASONS(X)							\
	X(NO_MEMORY)		/* no buffer or state for it */		\
	X(DEV_RUNT)		/* shorter than an Ethernet header */	\
	X(DEV_BAD_LENGTH)	/* the device's length makes no sense */ \
	X(DEV_TX_FULL)		/* transmit queue is full */		\
	X(DEV_DOWN)		/* device not up */			\
	X(ETH_OTHER_HOST)	/* not our MAC address */		\
	X(ETH_PROTO)		/* a protocol nobody takes */		\
	X(IP_HDR)		/* header too short or inconsistent */	\
	X(IP_CSUM)		/* IPv4 header checksum */		\
	X(IP_OTHER_ADDR)	/* not our address */			\
	X(IP_BAD_SOURCE)	/* multicast or broadcast as source */	\
	X(IP_PROTO)		/* a protocol nobody takes */		\
	X(IP_NO_ROUTE)		/* no way out */			\
	X(IP_TOO_BIG)		/* longer than the way's MTU */		\
	X(IP_FRAG)		/* overlaps, repeats or is too long */	\
	X(IP_FRAG_FULL)		/* too many fragments wait */		\
	X(ARP_HDR)		/* ARP or ND frame makes no sense */	\
	X(ICMP_HDR)		/* header too short or inconsistent */	\
	X(ICMP_CSUM)							\
	X(ICMP_REFUSED)		/* a type or address we do not answer */ \
	X(ICMP_RATELIMIT)	/* our own error, too many of them */	\
	X(NEIGH_UNRESOLVED)	/* next hop did not answer */		\
	X(LWIP_BUSY)		/* lwIP has no buffer */		\
	X(TCP_HDR)		/* header too short or inconsistent */	\
	X(TCP_CSUM)							\
	X(TCP_FLAGS)		/* impossible flag combination */	\
	X(TCP_NO_SOCKET)						\
	X(TCP_LISTEN_OVERFLOW)	/* accept queue is full */		\
	X(TCP_SYN_OVERFLOW)	/* SYN queue is full */			\
	X(TCP_OLD_DATA)		/* wholly below rcv_nxt */		\
	X(TCP_OUT_OF_WINDOW)	/* wholly above the window */		\
	X(TCP_PAWS)		/* RFC 7323 section 5 */		\
	X(TCP_OLD_ACK)		/* below snd_una, too old */		\
	X(TCP_TOO_NEW_ACK)	/* above snd_nxt */			\
	X(TCP_NO_ACK)		/* ACK bit missing where needed */	\
	X(TCP_INVALID_SYN)	/* SYN in a synchronised state */	\
	X(TCP_INVALID_RST)	/* RST that is not exactly right */	\
	X(TCP_CLOSED)		/* data for a closed receiver */	\
	X(TCP_RCV_FULL)		/* receive buffer is full */		\
	X(TCP_OFO_FULL)		/* out-of-order queue is full */	\
	X(TCP_BACKLOG)		/* socket busy, backlog full */		\
	X(TCP_REQ_DUP)		/* repeated SYN of a known request */	\
	X(TCP_TIME_WAIT)	/* for a connection that has ended */	\
	X(TCP_RESET)		/* queued when the connection was reset */ \
	X(TCP_BAD_OPTION)	/* option length makes no sense */	\
	X(TCP_DUPLICATE)	/* already in the out-of-order queue */	\
	X(TCP_STATE)		/* nothing this state can do with it */	\
	X(UDP_HDR)							\
	X(UDP_CSUM)							\
	X(UDP_NO_SOCKET)						\
	X(UDP_RCV_FULL)

enum drop_reason {
#define X(name) DROP_##name,
	DROP_REASONS(X)
#undef X
	NR_DROP_REASONS,
};

const char *drop_name(enum drop_reason why);
extern PERCPU_SECTION u64 drop_counts[NR_DROP_REASONS];

/* Counts (and traces) one drop of @len bytes. Any context. */
void count_drop(enum drop_reason why, u32 len);
