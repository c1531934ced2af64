/* What the files of net/ip/ share. */
#pragma once

#include "net/ip/ip.h"

/* First byte of an IPv4 address. */
static inline u8 ip4_first(be32 addr)
{
	return (u8)addr;	/* the lowest byte of the register */
}

static inline bool ip4_is_loopback(be32 addr)
{
	return ip4_first(addr) == 127;
}

/* Class D and E: never a source, never a TCP peer (RFC 1122 3.2.1.3). */
static inline bool ip4_not_unicast(be32 addr)
{
	return ip4_first(addr) >= 224;
}

/*
 * The first interface's address, for the common packet; 0: none yet. Good
 * while gen is ip_route_gen. Read without a lock.
 */
struct ip_first_addr {
	u32 gen;
	be32 addr;
};

extern struct ip_first_addr ip_first_addr;

/* How a received destination address concerns us. */
enum ip_dest {
	IP_DEST_OTHER,		/* somebody else's */
	IP_DEST_LOCAL,		/* ours, unicast */
	IP_DEST_GROUP,		/* multicast or broadcast, ours among others */
	IP_DEST_UNCONFIGURED,	/* @dev has no address yet: DHCP's business */
};

enum ip_dest ip4_classify(const struct net_device *dev, be32 daddr);
/* Can the wire really have brought us a packet from @saddr? */
bool ip4_source_ok(be32 saddr);
bool ip6_source_ok(const struct ip_addr *saddr);

/*
 * Like ip_route_output(), and says which neighbour the packet goes to if
 * rt->ll_len is 0.
 */
int ip_route_lookup(struct ip_addr *saddr, const struct ip_addr *daddr,
		    struct ip_route *rt, struct ip_addr *next_hop);

/*
 * Does in software what @dev cannot do for @skb (data at the IP header, all
 * headers contiguous): cuts a GSO packet, finishes a checksum. Takes @skb and
 * gives each result to @send. Softirq or task.
 */
struct ip_sender {
	void (*send)(struct ip_sender *to, struct sk_buff *skb);
	struct net_device *dev;
	const struct ip_route *rt;
	const struct ip_addr *next_hop;
};

void ip_gso_send(struct sk_buff *skb, struct ip_sender *to);

static inline bool ip_dev_cuts(const struct net_device *dev,
			       const struct sk_buff *skb)
{
	return dev->features & (skb->gso_type & SKB_GSO_TCPV4 ? NETIF_F_TSO :
								NETIF_F_TSO6);
}

/* True if @dev can send @skb as it is. */
static inline bool ip_dev_can(const struct net_device *dev,
			      const struct sk_buff *skb)
{
	if (skb->gso_size && unlikely(!ip_dev_cuts(dev, skb)))
		return false;
	return likely(dev->features & NETIF_F_HW_CSUM) ||
	       skb->ip_summed != CHECKSUM_PARTIAL;
}

/*
 * Ones' complement sums in half the bits: adding the swapped halves leaves
 * their sum, with the carry of the lower one, in the upper half.
 */
static inline u32 ip_fold64(u64 sum)
{
	return (u32)((sum + (sum >> 32 | sum << 32)) >> 32);
}

static inline u32 ip_fold32(u32 sum)
{
	return (sum + (sum >> 16 | sum << 16)) >> 16;
}

/* The sum of a 20-byte header, checksum field included: 0xffff if right. */
static inline u32 ip4_header_sum(const struct iphdr *iph)
{
	u64 a, b;
	u32 c;

	__builtin_memcpy(&a, iph, 8);
	__builtin_memcpy(&b, (const u8 *)iph + 8, 8);
	__builtin_memcpy(&c, (const u8 *)iph + 16, 4);
	a += b;
	a += a < b;
	a += c;
	a += a < c;
	return ip_fold32(ip_fold64(a));
}
