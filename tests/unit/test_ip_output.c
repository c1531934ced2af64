/*
 * IP output: routes, headers, unresolved neighbours, and what is done in
 * software for a device that cannot sum or cut.
 * sources: net/ip/ip_output.c net/ip/ip_gso.c net/ip/route.c
 * net/ip/checksum.c net/skbuff.c net/drop.c net/snmp.c tests/unit/fake_addrs.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/random.h"
#include "net/ip/ip.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"
#include "net/snmp.h"
#include "tests/host/host.h"
#include "tests/unit/fake_addrs.h"

#define NEAR	0x0a000063u
#define FAR	0x08080808u
#define LOCAL	0x7f000001u

struct net_device loopback_dev = {
	.features = NETIF_F_LOOPBACK | NETIF_F_HW_CSUM | NETIF_F_TSO |
		    NETIF_F_TSO6,
	.mtu = LOOPBACK_MTU,
};

static struct sk_buff_head sent, to_lwip;
static struct ip_addr asked, lwip_hop;
static bool resolved;
static u32 batches;		/* the deepest that packets left in */

int dev_queue_xmit(struct net_device *dev, struct sk_buff *skb)
{
	skb->dev = dev;
	skb_queue_tail(&sent, skb);
	batches = max(batches, xmit_depth);
	return 0;
}

void lwip_output(struct net_device *dev, struct sk_buff *skb,
		 const struct ip_addr *next_hop)
{
	lwip_hop = *next_hop;
	skb_queue_tail(&to_lwip, skb);
}

int lwip_resolve(struct net_device *dev, const struct ip_addr *next_hop,
		 u8 ll_hdr[ETH_HLEN])
{
	asked = *next_hop;
	memset(ll_hdr, dev == &fake_eth ? 0xe : 0, 12);
	put_be16(ip_addr_is_v4(next_hop) ? ETH_P_IP : ETH_P_IPV6,
		 ll_hdr + 12);
	return resolved || dev == &loopback_dev ? 0 : -EAGAIN;
}

static int group_setup(void **state)
{
	host_reset();
	skb_init();
	return 0;
}

static int setup(void **state)
{
	host_reset();
	memset(drop_counts, 0, sizeof(drop_counts));
	skb_queue_head_init(&sent);
	skb_queue_head_init(&to_lwip);
	fake_eth.mtu = 1500;
	fake_eth.features = NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	fake_eth.headroom = 12;
	resolved = fake_configured = fake_gateway = true;
	batches = 0;
	ip_route_gen++;
	return 0;
}

static int teardown(void **state)
{
	skb_queue_purge(&sent);
	skb_queue_purge(&to_lwip);
	assert_int_equal(xmit_depth, 0);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static struct ip_addr v4(u32 addr)
{
	return ip_addr_v4(cpu_to_be32(addr));
}

static u32 host_order(const struct ip_addr *ip)
{
	assert_true(ip_addr_is_v4(ip));
	return be32_to_cpu(ip->a[3]);
}

/* ---- routes ---- */

static int route(u32 from, u32 to, struct ip_addr *saddr, struct ip_route *rt)
{
	struct ip_addr daddr = v4(to);

	*saddr = v4(from);
	memset(rt, 0xee, sizeof(*rt));
	return ip_route_output(saddr, &daddr, rt);
}

static void test_on_link_and_gateway(void **state)
{
	struct ip_addr saddr;
	struct ip_route rt;

	assert_int_equal(route(0, NEAR, &saddr, &rt), 0);
	assert_ptr_equal(rt.dev, &fake_eth);
	assert_int_equal(host_order(&saddr), OURS);
	assert_int_equal(host_order(&asked), NEAR);
	assert_int_equal(rt.ll_len, ETH_HLEN);
	assert_int_equal(rt.mtu, 1500);
	assert_int_equal(rt.gen, ip_route_gen);
	assert_int_equal(route(OURS, FAR, &saddr, &rt), 0);
	assert_int_equal(host_order(&asked), 0x0a000001);
	resolved = false;
	ip_route_gen++;
	assert_int_equal(route(OURS, FAR, &saddr, &rt), 0);
	assert_int_equal(rt.ll_len, 0);
}

/* ip= has named several: each network is reached from the address in it. */
static void test_several_addresses(void **state)
{
	struct ip_addr saddr, local = v4(ALIAS);
	struct ip_route rt;

	assert_false(ip_addr_is_local(&local));
	fake_alias = true;
	ip_route_gen++;
	assert_true(ip_addr_is_local(&local));
	assert_int_equal(route(0, 0xac100101, &saddr, &rt), 0);
	assert_int_equal(host_order(&saddr), ALIAS);
	assert_int_equal(host_order(&asked), 0xac100101);
	assert_int_equal(route(0, NEAR, &saddr, &rt), 0);
	assert_int_equal(host_order(&saddr), OURS);
	/* A server answers from the address that it was asked by. */
	ip_route_gen++;
	assert_int_equal(route(ALIAS, FAR, &saddr, &rt), 0);
	assert_int_equal(host_order(&saddr), ALIAS);
	assert_int_equal(host_order(&asked), 0x0a000001);
	fake_alias = false;
	ip_route_gen++;
}

/* The second connection to a place asks nobody, until something changes. */
static void test_routes_are_remembered(void **state)
{
	struct ip_addr saddr;
	struct ip_route rt, again;

	assert_int_equal(route(0, NEAR, &saddr, &rt), 0);
	memset(&asked, 0, sizeof(asked));
	assert_int_equal(route(0, NEAR, &saddr, &again), 0);
	assert_int_equal(asked.a[3], 0);
	assert_int_equal(host_order(&saddr), OURS);
	assert_memory_equal(&rt, &again, offsetof(struct ip_route, ll_hdr) +
						 ETH_HLEN);
	assert_int_equal(route(OURS, NEAR, &saddr, &again), 0);
	assert_int_equal(asked.a[3], 0);
	assert_int_equal(route(LOCAL, NEAR, &saddr, &again),
			 -EADDRNOTAVAIL);
	/* The same slot, another place. */
	assert_int_equal(route(0, FAR + (NEAR & 0xffff), &saddr, &again), 0);
	assert_int_not_equal(asked.a[3], 0);
	ip_route_gen++;
	memset(&asked, 0, sizeof(asked));
	assert_int_equal(route(0, NEAR, &saddr, &again), 0);
	assert_int_equal(host_order(&asked), NEAR);
}

static void test_to_ourselves(void **state)
{
	struct ip_addr saddr, six = { { 0, 0, 0, cpu_to_be32(1) } };
	struct ip_route rt;

	assert_int_equal(route(0, 0x7f000005, &saddr, &rt), 0);
	assert_ptr_equal(rt.dev, &loopback_dev);
	assert_int_equal(host_order(&saddr), LOCAL);
	assert_int_equal(route(0, OURS, &saddr, &rt), 0);
	assert_ptr_equal(rt.dev, &loopback_dev);
	assert_int_equal(host_order(&saddr), OURS);
	assert_int_equal(route(NEAR, LOCAL, &saddr, &rt), -EADDRNOTAVAIL);
	memset(&saddr, 0, sizeof(saddr));
	assert_int_equal(ip_route_output(&saddr, &six, &rt), 0);
	assert_ptr_equal(rt.dev, &loopback_dev);
	assert_true(ip_addr_eq(&saddr, &six));
	/* Our own address is not sent to the wire either. */
	memset(&saddr, 0, sizeof(saddr));
	assert_int_equal(ip_route_output(&saddr, &ours6, &rt), 0);
	assert_ptr_equal(rt.dev, &loopback_dev);
}

static void test_ipv6_routes(void **state)
{
	struct ip_addr near = { { ours6.a[0], 0, 0, 0x63000000 } };
	struct ip_addr far = { { 0x00000a2a, 0, 0, 0x01000000 } };
	struct ip_addr saddr = { { 0 } };
	struct ip_route rt;

	assert_int_equal(ip_route_output(&saddr, &near, &rt), 0);
	assert_ptr_equal(rt.dev, &fake_eth);
	assert_true(ip_addr_eq(&saddr, &ours6));
	assert_true(ip_addr_eq(&asked, &near));
	/* What a router's advertisement says, if it is less. */
	assert_int_equal(rt.mtu, 1400);
	assert_int_equal(rt.ll_len, ETH_HLEN);
	assert_int_equal(ip_route_output(&saddr, &far, &rt), 0);
	assert_int_equal(asked.a[0], 0x80fe);
	saddr = v4(OURS);
	assert_int_equal(ip_route_output(&saddr, &far, &rt), -EADDRNOTAVAIL);
	saddr = near;
	assert_int_equal(ip_route_output(&saddr, &far, &rt), -EADDRNOTAVAIL);
	fake_configured = false;
	ip_route_gen++;
	assert_int_equal(ip_route_output(&saddr, &far, &rt), -ENETUNREACH);
	assert_false(ip_addr_is_local(&ours6));
}

static void test_no_route(void **state)
{
	struct ip_addr saddr;
	struct ip_route rt;

	assert_int_equal(route(0, 0x0a0000ff, &saddr, &rt), -ENETUNREACH);
	assert_int_equal(route(0, 0xffffffff, &saddr, &rt), -ENETUNREACH);
	assert_int_equal(route(0, 0xe0000001, &saddr, &rt), -ENETUNREACH);
	assert_int_equal(route(0x0a000003, NEAR, &saddr, &rt),
			 -EADDRNOTAVAIL);
	assert_int_equal(route(LOCAL, NEAR, &saddr, &rt), -EADDRNOTAVAIL);
	fake_gateway = false;
	ip_route_gen++;
	assert_int_equal(route(0, FAR, &saddr, &rt), -ENETUNREACH);
	fake_configured = false;
	ip_route_gen++;
	assert_int_equal(route(0, NEAR, &saddr, &rt), -ENETUNREACH);
	assert_int_equal(route(0, LOCAL, &saddr, &rt), 0);
}

static void test_addresses(void **state)
{
	struct ip_addr a = v4(OURS), b = v4(NEAR), m = v4(0xe0000001);
	struct ip_addr six = { { cpu_to_be32(0xff020000), 0, 0, 0 } };

	assert_true(ip_addr_is_local(&a));
	assert_false(ip_addr_is_local(&b));
	assert_false(ip_addr_is_multicast(&a));
	assert_true(ip_addr_is_multicast(&m));
	assert_true(ip_addr_is_multicast(&six));
	assert_false(ip_addr_is_local(&six));
}

/* ---- packets ---- */

/* A TCP header, the sum of the pseudo header in it, and @n bytes behind. */
static struct sk_buff *segment(const struct ip_addr *s,
			       const struct ip_addr *d, u32 n)
{
	struct sk_buff *skb = alloc_skb(IP_MAX_HEADER + 32 + min(n, 100u));
	u32 first = min(n, 100u);
	u8 *tcp;
	u16 sum;

	skb_reserve(skb, IP_MAX_HEADER);
	tcp = skb_put(skb, 32 + first);
	for (u32 i = 0; i < 32 + first; i++)
		tcp[i] = (u8)get_random_u32();
	put_be32(0xfffffff0, tcp + 4);
	tcp[12] = 0x80;
	tcp[13] = 0x80 | 0x10 | 0x08 | 0x01;	/* CWR ACK PSH FIN */
	while (skb->len < 32 + n) {
		u32 left = 32 + n - skb->len;
		struct sk_buff *piece = alloc_skb(1000);
		u32 len = min(left, 777u);
		u8 *p = skb_put(piece, len);

		for (u32 i = 0; i < len; i++)
			p[i] = (u8)get_random_u32();
		skb_add_frag(skb, piece);
	}
	skb->transport_header = (u16)skb_headroom(skb);
	skb->csum_start = skb->transport_header;
	skb->csum_offset = 16;
	skb->ip_summed = CHECKSUM_PARTIAL;
	sum = (u16)~csum_fold(csum_pseudo(s, d, IPPROTO_TCP, skb->len));
	memcpy(tcp + 16, &sum, 2);
	return skb;
}

struct wire {
	u8 bytes[70000];
	u32 len;
};

static struct wire *flatten(const struct sk_buff *skb)
{
	static struct wire w;

	w.len = skb->len;
	skb_copy_bits(skb, 0, w.bytes, skb->len);
	return &w;
}

static u16 sum_of(const u8 *p, u32 len, u32 start)
{
	return csum_fold(csum_partial(p, len, start));
}

/* @ip: at the IP header. The TCP checksum must be complete and right. */
static void assert_summed(const u8 *ip, u32 len, const struct ip_addr *s,
			  const struct ip_addr *d)
{
	u32 hlen = ip[0] == 0x45 ? 20 : 40;

	assert_int_equal(sum_of(ip + hlen, len - hlen,
				csum_pseudo(s, d, IPPROTO_TCP, len - hlen)),
			 0);
}

static int transmit(struct sk_buff *skb, const struct ip_addr *s,
		    const struct ip_addr *d, struct ip_route *rt)
{
	struct ip_out out = { .saddr = s, .daddr = d,
			      .protocol = IPPROTO_TCP, .tos = 0xb8 };

	return ip_queue_xmit(skb, rt, out);
}

static void test_headers(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	struct ip_route rt = { .dev = NULL };
	const struct wire *w;

	assert_int_equal(transmit(segment(&s, &d, 64), &s, &d, &rt), 0);
	assert_int_equal(sent.qlen, 1);
	w = flatten(skb_peek(&sent));
	assert_int_equal(w->len, 14 + 20 + 32 + 64);
	assert_int_equal(w->bytes[0], 0xe);
	assert_int_equal(get_be16(w->bytes + 12), ETH_P_IP);
	assert_int_equal(w->bytes[14], 0x45);
	assert_int_equal(w->bytes[15], 0xb8);
	assert_int_equal(get_be16(w->bytes + 16), 116);
	assert_int_equal(get_be32(w->bytes + 18), 0x4000);
	assert_int_equal(w->bytes[22], 64);
	assert_int_equal(w->bytes[23], 6);
	assert_int_equal(get_be32(w->bytes + 26), OURS);
	assert_int_equal(get_be32(w->bytes + 30), NEAR);
	assert_int_equal(sum_of(w->bytes + 14, 20, 0), 0);
	/* The device sums: the header says where. */
	assert_int_equal(skb_peek(&sent)->ip_summed, CHECKSUM_PARTIAL);
	assert_ptr_equal(skb_network_header(skb_peek(&sent)),
			 skb_peek(&sent)->data + 14);
}

/* The route is looked up once, then used until the generation moves. */
static void test_route_is_kept(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	struct ip_route rt = { .dev = NULL };

	transmit(segment(&s, &d, 1), &s, &d, &rt);
	memset(&asked, 0, sizeof(asked));
	transmit(segment(&s, &d, 1), &s, &d, &rt);
	assert_int_equal(asked.a[3], 0);
	ip_route_gen++;
	transmit(segment(&s, &d, 1), &s, &d, &rt);
	assert_int_equal(host_order(&asked), NEAR);
	assert_int_equal(sent.qlen, 3);
}

static void test_unresolved_goes_to_lwip(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(FAR);
	struct ip_route rt = { .dev = NULL };

	resolved = false;
	assert_int_equal(transmit(segment(&s, &d, 9), &s, &d, &rt), 0);
	assert_int_equal(sent.qlen, 0);
	assert_int_equal(to_lwip.qlen, 1);
	assert_int_equal(skb_peek(&to_lwip)->len, 61);
	assert_ptr_equal(skb_peek(&to_lwip)->dev, &fake_eth);
	assert_int_equal(host_order(&lwip_hop), 0x0a000001);
	/* Known now, though nobody moved the generation. */
	resolved = true;
	transmit(segment(&s, &d, 9), &s, &d, &rt);
	assert_int_equal(sent.qlen, 1);
}

static void test_refusals(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR), far = v4(FAR);
	struct ip_route rt = { .dev = NULL };

	assert_int_equal(transmit(segment(&s, &d, 1449), &s, &d, &rt),
			 -EMSGSIZE);
	assert_int_equal(drop_counts[DROP_IP_TOO_BIG], 1);
	assert_int_equal(transmit(segment(&s, &d, 1448), &s, &d, &rt), 0);
	fake_gateway = false;
	ip_route_gen++;
	assert_int_equal(transmit(segment(&s, &far, 1), &s, &far, &rt),
			 -ENETUNREACH);
	assert_int_equal(drop_counts[DROP_IP_NO_ROUTE], 1);
}

/* The road of a known route refuses the same; each is counted. */
static void test_refusals_on_the_fast_road(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR), far = v4(FAR);
	struct ip_route rt = { .dev = NULL };
	u64 fails = snmp_counts[SNMP_Ip_FragFails];
	u64 lost = snmp_counts[SNMP_Ip_OutNoRoutes];

	assert_int_equal(transmit(segment(&s, &d, 9), &s, &d, &rt), 0);
	assert_int_equal(transmit(segment(&s, &d, 1449), &s, &d, &rt),
			 -EMSGSIZE);
	assert_int_equal(snmp_counts[SNMP_Ip_FragFails], fails + 1);
	fake_gateway = false;
	ip_route_gen++;
	assert_int_equal(transmit(segment(&s, &far, 1), &s, &far, &rt),
			 -ENETUNREACH);
	assert_int_equal(snmp_counts[SNMP_Ip_OutNoRoutes], lost + 1);
	assert_int_equal(sent.qlen, 1);
}

/* IP_TTL, IPV6_UNICAST_HOPS, IPV6_TCLASS; twice, as the route is known then. */
static void test_what_the_program_wants_in_headers(void **state)
{
	struct ip_addr near = { { ours6.a[0], 0, 0, 0x63000000 } };
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	struct ip_route rt = { .dev = NULL }, rt6 = { .dev = NULL };
	struct ip_out out = { .saddr = &s, .daddr = &d, .ttl = 7,
			      .protocol = IPPROTO_TCP };
	struct ip_out out6 = { .saddr = &ours6, .daddr = &near, .ttl = 9,
			       .protocol = IPPROTO_TCP, .tos = 0xb8 };
	const struct wire *w;
	struct sk_buff *skb;

	for (u32 i = 0; i < 2; i++) {
		ip_queue_xmit(segment(&s, &d, 9), &rt, out);
		skb = skb_dequeue(&sent);
		assert_int_equal(flatten(skb)->bytes[14 + 8], 7);
		kfree_skb(skb);
		ip_queue_xmit(segment(&ours6, &near, 9), &rt6, out6);
		skb = skb_dequeue(&sent);
		w = flatten(skb);
		assert_int_equal(get_be16(w->bytes + 12), ETH_P_IPV6);
		assert_int_equal(get_be32(w->bytes + 14), 0x6b800000);
		assert_int_equal(w->bytes[14 + 7], 9);
		assert_int_equal(w->len, 14 + 40 + 32 + 9);
		kfree_skb(skb);
	}
}

static void test_sums_in_software(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	const struct wire *w;

	fake_eth.features = 0;
	for (u32 n = 0; n < 1400; n += 37) {
		struct ip_route rt = { .dev = NULL };
		struct sk_buff *skb;

		transmit(segment(&s, &d, n), &s, &d, &rt);
		skb = skb_dequeue(&sent);
		assert_int_equal(skb->ip_summed, CHECKSUM_NONE);
		w = flatten(skb);
		assert_summed(w->bytes + 14, w->len - 14, &s, &d);
		kfree_skb(skb);
	}
}

static struct sk_buff *gso_packet(const struct ip_addr *s,
				  const struct ip_addr *d, u32 n, u16 size)
{
	struct sk_buff *skb = segment(s, d, n);

	skb->gso_size = size;
	skb->gso_segs = (u16)DIV_ROUND_UP(n, size);
	skb->gso_type = ip_addr_is_v4(d) ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	return skb;
}

/* Each segment on the wire, and all of them together, against the original. */
static void check_segments(const u8 *payload, u32 n, u32 size,
			   const struct ip_addr *s, const struct ip_addr *d,
			   bool summed)
{
	u32 hlen = ip_addr_is_v4(d) ? 20 : 40;
	u32 off = 0;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sent))) {
		const struct wire *w = flatten(skb);
		const u8 *ip = w->bytes + 14, *tcp = ip + hlen;
		u32 got = w->len - 14 - hlen - 32;
		bool last = off + got == n;

		assert_int_equal(got, min(size, n - off));
		if (hlen == 20) {
			assert_int_equal(get_be16(ip + 2), w->len - 14);
			assert_int_equal(sum_of(ip, 20, 0), 0);
		} else {
			assert_int_equal(get_be16(ip + 4), w->len - 14 - 40);
		}
		assert_int_equal(get_be32(tcp + 4), 0xfffffff0u + off);
		assert_int_equal(tcp[13], 0x10 | (off ? 0 : 0x80) |
						  (last ? 0x09 : 0));
		assert_memory_equal(tcp + 32, payload + off, got);
		assert_int_equal(skb_headroom(skb), fake_eth.headroom);
		if (summed)
			assert_summed(ip, w->len - 14, s, d);
		else
			assert_int_equal(skb->ip_summed, CHECKSUM_PARTIAL);
		off += got;
		kfree_skb(skb);
	}
	assert_int_equal(off, n);
}

static void cut(const struct ip_addr *s, const struct ip_addr *d, u32 n,
		u16 size, bool summed)
{
	struct ip_route rt = { .dev = NULL };
	struct sk_buff *skb = gso_packet(s, d, n, size);
	u8 *payload = malloc(n);

	if (!ip_addr_is_v4(d)) {	/* as if lwIP knew the way */
		rt.dev = &fake_eth;
		rt.gen = ip_route_gen;
		rt.mtu = 1500;
		rt.ll_len = ETH_HLEN;
	}
	skb_copy_bits(skb, 32, payload, n);
	assert_int_equal(transmit(skb, s, d, &rt), 0);
	check_segments(payload, n, size, s, d, summed);
	assert_int_equal(batches, 1);
	batches = 0;
	free(payload);
}

static void test_cuts_in_software(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	struct ip_addr s6 = { { 0x20, 1, 2, 3 } }, d6 = { { 0x20, 9, 8, 7 } };

	for (u32 i = 0; i < 60; i++) {
		u32 n = 1 + get_random_below(20000);
		u16 size = (u16)(1 + get_random_below(1448));

		fake_eth.features = i & 1 ? NETIF_F_HW_CSUM : 0;
		cut(&s, &d, n, size, !(i & 1));
		cut(&s6, &d6, n, size, !(i & 1));
	}
	fake_eth.features = 0;
	cut(&s, &d, 2896, 1448, true);
}

static void test_device_cuts_if_it_can(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	struct ip_route rt = { .dev = NULL };

	transmit(gso_packet(&s, &d, 20000, 1448), &s, &d, &rt);
	assert_int_equal(sent.qlen, 1);
	assert_int_equal(skb_peek(&sent)->gso_size, 1448);
	/* lwIP keeps one large packet as well, if the device can cut it. */
	resolved = false;
	ip_route_gen++;
	transmit(gso_packet(&s, &d, 20000, 1448), &s, &d, &rt);
	assert_int_equal(to_lwip.qlen, 1);
	fake_eth.features = NETIF_F_HW_CSUM;
	transmit(gso_packet(&s, &d, 2000, 1000), &s, &d, &rt);
	assert_int_equal(to_lwip.qlen, 3);
}

static void test_cutting_without_memory(void **state)
{
	struct ip_addr s = v4(OURS), d = v4(NEAR);
	struct ip_route rt = { .dev = NULL };
	struct sk_buff *skb = gso_packet(&s, &d, 5000, 1000);

	fake_eth.features = 0;
	host_fail_alloc(3);
	assert_int_equal(transmit(skb, &s, &d, &rt), 0);
	assert_int_equal(sent.qlen, 2);
	assert_int_equal(drop_counts[DROP_NO_MEMORY], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_on_link_and_gateway),
		T(test_several_addresses),
		T(test_routes_are_remembered),
		T(test_to_ourselves),
		T(test_ipv6_routes),
		T(test_no_route),
		T(test_addresses),
		T(test_headers),
		T(test_route_is_kept),
		T(test_unresolved_goes_to_lwip),
		T(test_refusals),
		T(test_refusals_on_the_fast_road),
		T(test_what_the_program_wants_in_headers),
		T(test_sums_in_software),
		T(test_cuts_in_software),
		T(test_device_cuts_if_it_can),
		T(test_cutting_without_memory),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
