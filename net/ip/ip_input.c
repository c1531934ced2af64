/*
 * Packets from the device (RFC 791, RFC 1122 section 3.2). TCP for us, whole
 * and without options, goes up; all else that is well formed goes to lwIP in
 * the frame it came in. Softirq, no locks.
 */
#include "net/ip/ip_internal.h"

#include "kernel/trace.h"
#include "net/lwip/lwip_port.h"
#include "net/snmp.h"
#include "net/tcp/tcp.h"

#define IP6_HLEN 40

struct ip6hdr {
	be32 vtf;		/* version, class, flow label */
	be16 payload_len;
	u8 nexthdr;
	u8 hop_limit;
	be32 saddr[4];
	be32 daddr[4];
} __packed;

_Static_assert(sizeof(struct ip6hdr) == IP6_HLEN, "IPv6 header");

static void bad_header(struct sk_buff *skb, bool v4, enum drop_reason why)
{
	SNMP_INC46(v4, Ip, Ip6, InHdrErrors);
	kfree_skb_reason(skb, why);
}

static void bad_address(struct sk_buff *skb, bool v4, enum drop_reason why)
{
	SNMP_INC46(v4, Ip, Ip6, InAddrErrors);
	kfree_skb_reason(skb, why);
}

/* Back to what the device gave us: the link header is still in front. */
static void to_lwip(struct sk_buff *skb)
{
	skb_push(skb, ETH_HLEN);
	lwip_input(skb);
}

/* The frame was sent to a group address, whatever the IP header says. */
static bool link_group(const struct sk_buff *skb)
{
	return skb->data[-ETH_HLEN] & 1;
}

/* Header with options or of a wrong size: 0 if lwIP may have a look at it. */
static bool odd_header_ok(struct sk_buff *skb, const struct iphdr *iph)
{
	u32 hlen = (iph->ver_ihl & 15u) * 4;

	if (iph->ver_ihl >> 4 != 4 || hlen < sizeof(*iph))
		return false;
	return skb->len >= hlen && be16_to_cpu(iph->tot_len) >= hlen;
}

/*
 * The checks of RFC 1122 section 3.2.1.1 and 3.2.1.2 for whatever the fast
 * path did not like. False: dropped. The checksum of a header with options is
 * left to lwIP.
 */
static bool ip_header_ok(struct sk_buff *skb)
{
	const struct iphdr *iph;
	u32 len;

	if (!pskb_may_pull(skb, sizeof(*iph))) {
		bad_header(skb, true, DROP_IP_HDR);
		return false;
	}
	iph = (const struct iphdr *)skb->data;
	len = be16_to_cpu(iph->tot_len);
	if ((iph->ver_ihl != 0x45 && !odd_header_ok(skb, iph)) ||
	    len < sizeof(*iph) || len > skb->len) {
		bad_header(skb, true, DROP_IP_HDR);
		return false;
	}
	if (iph->ver_ihl == 0x45 && ip4_header_sum(iph) != 0xffff) {
		bad_header(skb, true, DROP_IP_CSUM);
		return false;
	}
	/* Ethernet pads short frames. */
	if (skb->len > len)
		skb_trim(skb, len);
	return true;
}

/* False: dropped. *@group: not for us alone, so never for TCP. */
static bool ip_addresses_ok(struct sk_buff *skb, bool *group)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	if (!(skb->dev->features & NETIF_F_LOOPBACK) &&
	    !ip4_source_ok(iph->saddr)) {
		bad_address(skb, true, DROP_IP_BAD_SOURCE);
		return false;
	}
	*group = false;
	switch (ip4_classify(skb->dev, iph->daddr)) {
	case IP_DEST_LOCAL:
		*group = link_group(skb);
		return true;
	case IP_DEST_GROUP:
	case IP_DEST_UNCONFIGURED:
		*group = true;
		return true;
	case IP_DEST_OTHER:
		break;
	}
	bad_address(skb, true, DROP_IP_OTHER_ADDR);
	return false;
}

/* The header is there. ECT(1), ECT(0) or CE: those without are the others. */
static inline void count_ecn(const struct sk_buff *skb)
{
	u32 ecn = skb->data[1] & 3u;

	if (unlikely(ecn))
		this_cpu_add(snmp_counts[SNMP_IpExt_InNoECTPkts + ecn], 1);
}

static inline void tcp_up(struct sk_buff *skb)
{
	u16 at = (u16)skb_headroom(skb);

	SNMP_INC(Ip_InDelivers);
	skb->network_header = at;
	skb->transport_header = (u16)(at + sizeof(struct iphdr));
	skb_pull(skb, sizeof(struct iphdr));
	tcp_v4_rcv(skb);
}

static noinline void ip_rcv_slow(struct sk_buff *skb)
{
	const struct iphdr *iph;
	bool group;

	if (!ip_header_ok(skb) || !ip_addresses_ok(skb, &group))
		return;
	count_ecn(skb);
	iph = (const struct iphdr *)skb->data;
	if (iph->protocol != IPPROTO_TCP || iph->ver_ihl != 0x45 ||
	    iph->frag_off & cpu_to_be16(IP_MF | IP_OFFSET))
		to_lwip(skb);
	else if (group)
		bad_address(skb, true, DROP_IP_OTHER_ADDR);
	else
		tcp_up(skb);
}

/*
 * A whole TCP packet without options or padding, with a right checksum, from
 * a unicast address to our first, in a frame for us alone. Whatever is not
 * that is looked at again, in order, by ip_rcv_slow().
 */
static inline bool ip_is_common(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	return skb_headlen(skb) >= sizeof(*iph) && iph->ver_ihl == 0x45 &&
	       iph->protocol == IPPROTO_TCP &&
	       be16_to_cpu(iph->tot_len) == skb->len &&
	       !(iph->frag_off & cpu_to_be16(IP_MF | IP_OFFSET)) &&
	       ip_first_addr.gen == READ_ONCE(ip_route_gen) &&
	       iph->daddr == ip_first_addr.addr && iph->daddr &&
	       iph->saddr != iph->daddr && !ip4_not_unicast(iph->saddr) &&
	       !ip4_is_loopback(iph->saddr) && !link_group(skb) &&
	       ip4_header_sum(iph) == 0xffff;
}

static u8 traced_protocol(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	return skb_headlen(skb) < sizeof(*iph) ? 0 : iph->protocol;
}

noinline void ip_rcv(struct sk_buff *skb)
{
	SNMP_INC(Ip_InReceives);
	SNMP_ADD(IpExt_InOctets, skb->len);
	trace(TRACE_IP_RCV, skb->len, traced_protocol(skb));
	if (likely(ip_is_common(skb))) {
		count_ecn(skb);
		tcp_up(skb);
	} else {
		ip_rcv_slow(skb);
	}
}

/*
 * IPv6 without extension headers and for an address that we know to be ours
 * is TCP's; lwIP knows the rest (RFC 8200).
 */
noinline void ip6_rcv(struct sk_buff *skb)
{
	const struct ip6hdr *ip6;
	struct ip_addr saddr, daddr;
	u32 len;

	SNMP_INC(Ip6_InReceives);
	if (unlikely(!pskb_may_pull(skb, IP6_HLEN))) {
		bad_header(skb, false, DROP_IP_HDR);
		return;
	}
	ip6 = (const struct ip6hdr *)skb->data;
	len = IP6_HLEN + be16_to_cpu(ip6->payload_len);
	if (unlikely(be32_to_cpu(ip6->vtf) >> 28 != 6 || len > skb->len)) {
		bad_header(skb, false, DROP_IP_HDR);
		return;
	}
	trace(TRACE_IP_RCV, skb->len, ip6->nexthdr);
	__builtin_memcpy(daddr.a, ip6->daddr, sizeof(daddr.a));
	if (ip6->nexthdr != IPPROTO_TCP || link_group(skb) ||
	    !ip_addr_is_local(&daddr) || ip_addr_is_v4(&daddr)) {
		to_lwip(skb);
		return;
	}
	__builtin_memcpy(saddr.a, ip6->saddr, sizeof(saddr.a));
	if (unlikely(!ip6_source_ok(&saddr)) &&
	    !(skb->dev->features & NETIF_F_LOOPBACK)) {
		bad_address(skb, false, DROP_IP_BAD_SOURCE);
		return;
	}
	SNMP_INC(Ip6_InDelivers);
	skb_trim(skb, len);
	skb->network_header = (u16)skb_headroom(skb);
	skb_pull(skb, IP6_HLEN);
	skb->transport_header = (u16)skb_headroom(skb);
	tcp_v6_rcv(skb);
}
