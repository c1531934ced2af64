/*
 * IP below TCP (RFC 791, 1122): what comes in for TCP goes up, everything
 * else and every odd case (fragments, options, other protocols) goes to lwIP.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"
#include "net/dev.h"
#include "net/ip_addr.h"
#include "net/skbuff.h"

#define IPPROTO_IP	0
#define IPPROTO_ICMP	1
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_IPV6	41
#define IPPROTO_ICMPV6	58

struct iphdr {
	u8 ver_ihl;
	u8 tos;
	be16 tot_len;
	be16 id;
	be16 frag_off;
	u8 ttl;
	u8 protocol;
	u16 check;
	be32 saddr;
	be32 daddr;
} __packed;

_Static_assert(sizeof(struct iphdr) == 20, "IPv4 header");

/* An ICMP error about a packet of ours. */
struct icmp_error {
	struct ip_addr saddr, daddr;	/* of our packet */
	struct ip_addr offender;	/* who says so */
	u8 protocol;			/* of our packet */
	u8 type, code;			/* as they stand in the message */
	u8 error;			/* errno */
	bool fatal;			/* RFC 1122: no use trying again */
	u32 mtu;			/* of the next hop, if "too big" */
	u32 len;			/* of what is quoted: 8 at least */
	const u8 *quoted;		/* our packet's transport header */
};

#define IP_DF	0x4000
#define IP_MF	0x2000
#define IP_OFFSET 0x1fff

/* Room that every outgoing transport header leaves in front of itself. */
#define IP_MAX_HEADER	(16 + 14 + 40)	/* driver, Ethernet, IPv6 */

/*
 * The way to one destination, kept by each connection: device, link header
 * and MTU. Fresh while gen equals ip_route_gen; then ll_hdr is valid.
 */
struct ip_route {
	struct net_device *dev;
	u32 gen;
	u16 mtu;
	u8 ll_len;		/* 0: next hop not resolved yet */
	u8 ll_hdr[ETH_HLEN];
};

/* Grows when addresses, gateways or neighbours change. */
extern u32 ip_route_gen;

/*
 * Finds device, source address and link header for @daddr. @saddr: in, any or
 * the bound address; out, what to use. 0; -ENETUNREACH, -EHOSTUNREACH (no
 * route), -EADDRNOTAVAIL (bound to what is not ours). An unresolved next hop
 * is no error: ll_len is 0. Softirq or task.
 */
int ip_route_output(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt) __must_check;

/* What an outgoing packet says in its IP header besides the addresses. */
struct ip_out {
	const struct ip_addr *saddr, *daddr;
	u8 protocol;
	u8 tos;
	u8 ttl;			/* 0: the default, 64 */
};

/*
 * Puts IP and link headers before the transport header at skb->data and
 * sends. Takes @skb over. Refreshes @rt when it is stale; a packet whose next
 * hop is unresolved waits with lwIP. 0, or -errno after counting the drop.
 * Softirq or task.
 */
int ip_queue_xmit(struct sk_buff *skb, struct ip_route *rt,
		  struct ip_out out);

/* The packet's way up from the device: data at the IP header. Softirq. */
void ip_rcv(struct sk_buff *skb);
void ip6_rcv(struct sk_buff *skb);

/* True for our unicast addresses (127/8 and ::1 included). */
bool ip_addr_is_local(const struct ip_addr *ip);
bool ip_addr_is_multicast(const struct ip_addr *ip);

/*
 * Folded ones' complement sums (RFC 1071). csum_partial() adds @len bytes to
 * a running sum; csum_fold() gives the checksum, inverted, network order.
 */
u32 csum_partial(const void *data, u32 len, u32 sum);
u16 csum_fold(u32 sum);
/* Sum of the TCP/UDP pseudo header for @len bytes of transport data. */
u32 csum_pseudo(const struct ip_addr *saddr, const struct ip_addr *daddr,
		u8 protocol, u32 len);
/* Sum over bytes [off, off+len) of all pieces. */
u32 skb_checksum(const struct sk_buff *skb, u32 off, u32 len, u32 sum);
