/*
 * Packets from TCP to the device. On the fast path the route is fresh and the
 * neighbour known: two headers are written in front and the device gets the
 * packet. Softirq or task, no locks.
 */
#include "net/ip/ip_internal.h"

#include "kernel/errno.h"
#include "net/lwip/lwip_port.h"
#include "net/snmp.h"

#define DEFAULT_TTL 64

/* An IPv4 header in words, so that its sum costs few additions. */
struct ip4_words {
	u64 a, b;
	u32 c;
};

/*
 * For @len bytes in all. Never fragmented, so the identification may stay
 * zero (RFC 6864 section 4.1).
 */
static inline struct ip4_words ip4_words(struct ip_out out, u32 len)
{
	u64 first = 0x45u | (u32)out.tos << 8 |
		    (u32)cpu_to_be16((u16)len) << 16;
	u64 third = (out.ttl ? out.ttl : DEFAULT_TTL) |
		    (u32)out.protocol << 8;
	u64 df = (u64)cpu_to_be16(IP_DF) << 16;
	be32 saddr = out.saddr->a[3], daddr = out.daddr->a[3];
	u64 sum = first + third + df + saddr + daddr;

	third |= (~ip_fold32(ip_fold64(sum)) & 0xffff) << 16;
	return (struct ip4_words){
		.a = first | df << 32,
		.b = third | (u64)saddr << 32,
		.c = daddr,
	};
}

static inline void put_words(u8 *at, const struct ip4_words *w)
{
	__builtin_memcpy(at, &w->a, 8);
	__builtin_memcpy(at + 8, &w->b, 8);
	__builtin_memcpy(at + 16, &w->c, 4);
}

static void push_ip4(struct sk_buff *skb, struct ip_out out)
{
	struct ip4_words w = ip4_words(out, skb->len + 20);

	put_words(skb_push(skb, 20), &w);
}

static void push_ip6(struct sk_buff *skb, struct ip_out out)
{
	u32 len = skb->len;
	u8 *h = skb_push(skb, 40);

	put_be32(6u << 28 | (u32)out.tos << 20, h);
	put_be16((u16)len, h + 4);
	h[6] = out.protocol;
	h[7] = out.ttl ? out.ttl : DEFAULT_TTL;
	__builtin_memcpy(h + 8, out.saddr->a, 16);
	__builtin_memcpy(h + 24, out.daddr->a, 16);
}

static inline void push_link(struct sk_buff *skb, const struct ip_route *rt)
{
	__builtin_memcpy(skb_push(skb, ETH_HLEN), rt->ll_hdr, ETH_HLEN);
}

/* One packet that the device can send: by the route, or through lwIP. */
static void send_one(struct ip_sender *to, struct sk_buff *skb)
{
	if (to->rt->ll_len) {
		push_link(skb, to->rt);
		dev_queue_xmit(to->dev, skb);
	} else {
		skb->dev = to->dev;
		lwip_output(to->dev, skb, to->next_hop);
	}
}

/* Everything but the common case; headers up to IP are written. */
static noinline void send_slow(struct sk_buff *skb, const struct ip_route *rt,
			       const struct ip_addr *next_hop)
{
	struct ip_sender to = {
		.send = send_one,
		.dev = rt->dev,
		.rt = rt,
		.next_hop = next_hop,
	};

	if (ip_dev_can(rt->dev, skb))
		send_one(&to, skb);
	else
		ip_gso_send(skb, &to);
}

static noinline int refuse(struct sk_buff *skb, bool v4,
			   enum drop_reason why, int err)
{
	SNMP_INC46(v4, Ip, Ip6, OutDiscards);
	kfree_skb_reason(skb, why);
	return err;
}

/* The route again, for the address that the connection has. */
static noinline int renew_route(struct ip_route *rt, struct ip_out out,
				struct ip_addr *next_hop)
{
	struct ip_addr saddr = *out.saddr;

	return ip_route_lookup(&saddr, out.daddr, rt, next_hop);
}

/* Whatever the fast path does not do: stale routes, IPv6, odd devices. */
static noinline int queue_xmit_slow(struct sk_buff *skb, struct ip_route *rt,
				    struct ip_out out)
{
	struct ip_addr next_hop = *out.daddr;
	bool v4 = ip_addr_is_v4(out.daddr);
	u32 hlen = v4 ? sizeof(struct iphdr) : 40;
	int err;

	if (rt->gen != READ_ONCE(ip_route_gen)) {
		err = renew_route(rt, out, &next_hop);
		if (err) {
			SNMP_INC46(v4, Ip, Ip6, OutNoRoutes);
			return refuse(skb, v4, DROP_IP_NO_ROUTE, err);
		}
	}
	if (skb->len + hlen > rt->mtu && !skb->gso_size) {
		SNMP_INC46(v4, Ip, Ip6, FragFails);
		return refuse(skb, v4, DROP_IP_TOO_BIG, -EMSGSIZE);
	}
	SNMP_INC46(v4, Ip, Ip6, OutRequests);
	if (v4) {
		SNMP_ADD(IpExt_OutOctets, skb->len + hlen);
		push_ip4(skb, out);
	} else {
		push_ip6(skb, out);
	}
	skb->network_header = (u16)skb_headroom(skb);
	send_slow(skb, rt, &next_hop);
	return 0;
}

/*
 * The fast path wants: a fresh route (its link header says that it is IPv4),
 * a packet that fits or that the device cuts, a checksum that is done or that
 * the device does. All of it is looked at here; nobody else guarantees any.
 */
int ip_queue_xmit(struct sk_buff *skb, struct ip_route *rt,
		  struct ip_out out)
{
	struct ip4_words w;
	be16 proto;
	u32 len;
	u8 *h;

	__builtin_memcpy(&proto, rt->ll_hdr + 2 * ETH_ALEN, sizeof(proto));
	len = skb->len + sizeof(struct iphdr);
	if (unlikely(rt->gen != READ_ONCE(ip_route_gen) ||
		     proto != cpu_to_be16(ETH_P_IP) ||
		     (len > rt->mtu && !skb->gso_size) ||
		     !ip_dev_can(rt->dev, skb)))
		return queue_xmit_slow(skb, rt, out);
	SNMP_INC(Ip_OutRequests);
	SNMP_ADD(IpExt_OutOctets, len);
	w = ip4_words(out, len);
	h = skb_push(skb, ETH_HLEN + sizeof(struct iphdr));
	skb->network_header = (u16)(skb_headroom(skb) + ETH_HLEN);
	__builtin_memcpy(h, rt->ll_hdr, ETH_HLEN);
	put_words(h + ETH_HLEN, &w);
	return dev_queue_xmit(rt->dev, skb);
}
