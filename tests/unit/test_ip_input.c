/*
 * IP input: every malformed header under its own reason, TCP up, the rest to
 * lwIP in the frame it came in.
 * sources: net/ip/ip_input.c net/ip/route.c net/ip/checksum.c net/skbuff.c
 * net/drop.c net/snmp.c tests/unit/fake_addrs.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/random.h"
#include "net/ip/ip.h"
#include "net/loopback.h"
#include "net/lwip/lwip_port.h"
#include "net/snmp.h"
#include "net/tcp/tcp.h"
#include "tests/host/host.h"
#include "tests/unit/fake_addrs.h"

#define THEIRS	0x0a000063u

struct net_device loopback_dev = { .features = NETIF_F_LOOPBACK };

static struct sk_buff *to_tcp, *to_tcp6, *to_lwip;

void tcp_v4_rcv(struct sk_buff *skb)
{
	to_tcp = skb;
}

void tcp_v6_rcv(struct sk_buff *skb)
{
	to_tcp6 = skb;
}

void lwip_input(struct sk_buff *skb)
{
	to_lwip = skb;
}

int lwip_resolve(struct net_device *dev, const struct ip_addr *next_hop,
		 u8 ll_hdr[ETH_HLEN])
{
	return -EAGAIN;
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
	memset(snmp_counts, 0, sizeof(snmp_counts));
	to_tcp = to_tcp6 = to_lwip = NULL;
	fake_configured = fake_gateway = true;
	ip_route_gen++;
	return 0;
}

static void free_all(void)
{
	kfree_skb(to_tcp);
	kfree_skb(to_tcp6);
	kfree_skb(to_lwip);
	to_tcp = to_tcp6 = to_lwip = NULL;
}

static int teardown(void **state)
{
	free_all();
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	u8 rest[64];		/* options, then the TCP header */
} __packed;

static struct frame good_frame(void)
{
	struct frame f = {
		.eth = { .h_dest = { 2 }, .h_proto = cpu_to_be16(ETH_P_IP) },
		.ip = { .ver_ihl = 0x45, .tot_len = cpu_to_be16(60),
			.ttl = 9, .protocol = IPPROTO_TCP,
			.saddr = cpu_to_be32(THEIRS),
			.daddr = cpu_to_be32(OURS) },
	};

	for (u32 i = 0; i < sizeof(f.rest); i++)
		f.rest[i] = (u8)i;
	return f;
}

/* @len bytes from the IP header on, with a right checksum if asked for. */
static struct sk_buff *make(struct frame *f, u32 len, bool sum)
{
	struct sk_buff *skb = alloc_skb(sizeof(*f));
	u32 hlen = min((f->ip.ver_ihl & 15u) * 4, (u32)sizeof(*f) - ETH_HLEN);

	if (sum) {
		f->ip.check = 0;
		f->ip.check = csum_fold(csum_partial(&f->ip, hlen, 0));
	}
	memcpy(skb_put(skb, ETH_HLEN + len), f, ETH_HLEN + len);
	skb->dev = &fake_eth;
	skb->protocol = cpu_to_be16(ETH_P_IP);
	skb_pull(skb, ETH_HLEN);
	return skb;
}

static void receive(struct frame *f, u32 len)
{
	ip_rcv(make(f, len, true));
}

static void assert_dropped(enum drop_reason why)
{
	assert_null(to_tcp);
	assert_null(to_lwip);
	for (u32 i = 0; i < NR_DROP_REASONS; i++)
		assert_int_equal(drop_counts[i], i == why);
	memset(drop_counts, 0, sizeof(drop_counts));
}

static void test_tcp_goes_up(void **state)
{
	struct frame f = good_frame();

	receive(&f, 60);
	assert_non_null(to_tcp);
	assert_int_equal(to_tcp->len, 40);
	assert_memory_equal(to_tcp->data, f.rest, 40);
	assert_memory_equal(skb_network_header(to_tcp), &f.ip, 20);
	assert_ptr_equal(skb_transport_header(to_tcp), to_tcp->data);
	assert_int_equal(snmp_counts[SNMP_Ip_InReceives], 1);
	assert_int_equal(snmp_counts[SNMP_Ip_InDelivers], 1);
	assert_int_equal(snmp_counts[SNMP_IpExt_InOctets], 60);
}

/* RFC 3168 section 5: the last two bits, under their names. */
static void test_ecn_marks_are_counted(void **state)
{
	static const u32 names[] = {
		SNMP_IpExt_InNoECTPkts, SNMP_IpExt_InECT1Pkts,
		SNMP_IpExt_InECT0Pkts, SNMP_IpExt_InCEPkts,
	};

	for (u8 tos = 0; tos < 8; tos++) {
		struct frame f = good_frame();

		f.ip.tos = tos;
		/* Every other one by the slow road. */
		f.ip.protocol = tos & 4 ? IPPROTO_UDP : IPPROTO_TCP;
		receive(&f, 60);
		assert_int_equal(snmp_counts[names[tos & 3]],
				 tos & 3 ? 1 + tos / 4 : 0);
		kfree_skb(to_tcp);
		kfree_skb(to_lwip);
		to_tcp = to_lwip = NULL;
	}
}

static void test_padding_is_cut(void **state)
{
	struct frame f = good_frame();

	f.ip.tot_len = cpu_to_be16(41);
	receive(&f, 60);
	assert_int_equal(to_tcp->len, 21);
}

static void test_header_in_pieces(void **state)
{
	struct frame f = good_frame();
	struct sk_buff *skb = make(&f, 60, true);
	struct sk_buff *piece = skb_copy_range(skb, 5, 55, 0);

	skb_trim(skb, 5);
	skb_add_frag(skb, piece);
	ip_rcv(skb);
	assert_non_null(to_tcp);
	assert_int_equal(to_tcp->len, 40);
	free_all();
	skb = make(&f, 60, true);
	piece = skb_copy_range(skb, 5, 55, 0);
	skb_trim(skb, 5);
	skb->end = skb->data + 5;
	skb_add_frag(skb, piece);
	host_fail_alloc(1);
	ip_rcv(skb);
	assert_dropped(DROP_IP_HDR);
}

static void test_bad_headers(void **state)
{
	struct frame f = good_frame();

	receive(&f, 0);
	assert_dropped(DROP_IP_HDR);
	receive(&f, 19);
	assert_dropped(DROP_IP_HDR);
	receive(&f, 59);			/* tot_len says 60 */
	assert_dropped(DROP_IP_HDR);
	f.ip.tot_len = cpu_to_be16(19);
	receive(&f, 60);
	assert_dropped(DROP_IP_HDR);
	f = good_frame();
	f.ip.ver_ihl = 0x55;
	receive(&f, 60);
	assert_dropped(DROP_IP_HDR);
	f.ip.ver_ihl = 0x44;
	receive(&f, 60);
	assert_dropped(DROP_IP_HDR);
	f.ip.ver_ihl = 0x40;
	receive(&f, 60);
	assert_dropped(DROP_IP_HDR);
	f.ip.ver_ihl = 0x46;
	f.ip.tot_len = cpu_to_be16(20);
	receive(&f, 60);
	assert_dropped(DROP_IP_HDR);
	f.ip.ver_ihl = 0x4f;
	f.ip.tot_len = cpu_to_be16(50);
	receive(&f, 50);
	assert_dropped(DROP_IP_HDR);
	assert_int_equal(snmp_counts[SNMP_Ip_InHdrErrors], 9);
}

/* One wrong bit anywhere in the header is found. */
static void test_checksum(void **state)
{
	struct frame f = good_frame();

	for (u32 bit = 0; bit < 160; bit++) {
		struct sk_buff *skb = make(&f, 60, true);

		if (bit < 32)		/* version and lengths: see above */
			bit = 32;
		skb->data[bit / 8] ^= (u8)(1u << bit % 8);
		ip_rcv(skb);
		assert_dropped(DROP_IP_CSUM);
	}
}

static void test_every_header_sum_is_accepted(void **state)
{
	for (u32 i = 0; i < 2000; i++) {
		struct frame f = good_frame();

		f.ip.tos = (u8)get_random_u32();
		f.ip.ttl = (u8)get_random_u32();
		f.ip.id = (u16)get_random_u32();
		f.ip.saddr = cpu_to_be32(0x0b000000 +
					 get_random_below(1 << 24));
		receive(&f, 60);
		assert_non_null(to_tcp);
		free_all();
	}
}

static void test_bad_sources(void **state)
{
	const u32 bad[] = { 0xe0000001, 0xffffffff, 0xf0000001, 0x7f000001,
			    OURS };

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct frame f = good_frame();

		f.ip.saddr = cpu_to_be32(bad[i]);
		receive(&f, 60);
		assert_dropped(DROP_IP_BAD_SOURCE);
	}
	assert_int_equal(snmp_counts[SNMP_Ip_InAddrErrors],
			 ARRAY_SIZE(bad));
}

/* The road of most packets, once known, refuses the same. */
static void test_the_fast_road_refuses_the_same(void **state)
{
	const u32 bad[] = { 0xe0000001, 0xffffffff, 0x7f000001, OURS };
	struct frame f = good_frame();

	receive(&f, 60);
	free_all();
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		f.ip.saddr = cpu_to_be32(bad[i]);
		receive(&f, 60);
		assert_dropped(DROP_IP_BAD_SOURCE);
	}
	f = good_frame();
	f.eth.h_dest[0] = 1;
	receive(&f, 60);
	assert_dropped(DROP_IP_OTHER_ADDR);
	f = good_frame();
	receive(&f, 60);
	assert_non_null(to_tcp);
}

static void test_other_destinations(void **state)
{
	const u32 other[] = { 0x0a000003, 0x7f000001, 0, 0x0a000102 };
	const u32 group[] = { 0xffffffff, 0x0a0000ff, 0xe00000fb };

	for (u32 i = 0; i < ARRAY_SIZE(other); i++) {
		struct frame f = good_frame();

		f.ip.daddr = cpu_to_be32(other[i]);
		receive(&f, 60);
		assert_dropped(DROP_IP_OTHER_ADDR);
		f.ip.protocol = IPPROTO_UDP;
		receive(&f, 60);
		assert_dropped(DROP_IP_OTHER_ADDR);
	}
	for (u32 i = 0; i < ARRAY_SIZE(group); i++) {
		struct frame f = good_frame();

		f.ip.daddr = cpu_to_be32(group[i]);
		receive(&f, 60);
		assert_dropped(DROP_IP_OTHER_ADDR);
		f.ip.protocol = IPPROTO_UDP;
		receive(&f, 60);
		assert_non_null(to_lwip);
		free_all();
	}
}

/* RFC 1122 section 4.2.3.10: no TCP with everybody, by MAC either. */
static void test_link_broadcast_is_not_for_tcp(void **state)
{
	struct frame f = good_frame();

	memset(f.eth.h_dest, 0xff, ETH_ALEN);
	receive(&f, 60);
	assert_dropped(DROP_IP_OTHER_ADDR);
	f.ip.protocol = IPPROTO_ICMP;
	receive(&f, 60);
	assert_non_null(to_lwip);
}

/* A DHCP offer may be sent to the address that we do not have yet. */
static void test_without_address_all_but_tcp_goes_to_lwip(void **state)
{
	struct frame f = good_frame();

	fake_configured = false;
	ip_route_gen++;
	f.ip.protocol = IPPROTO_UDP;
	receive(&f, 60);
	assert_non_null(to_lwip);
	free_all();
	f.ip.protocol = IPPROTO_TCP;
	receive(&f, 60);
	assert_dropped(DROP_IP_OTHER_ADDR);
	fake_configured = fake_gateway = true;
	ip_route_gen++;
	receive(&f, 60);
	assert_non_null(to_tcp);
}

static void assert_lwip_got(const struct frame *f, u32 len)
{
	assert_null(to_tcp);
	assert_non_null(to_lwip);
	assert_int_equal(to_lwip->len, ETH_HLEN + len);
	assert_memory_equal(to_lwip->data, f, ETH_HLEN + len);
	free_all();
}

static void test_odd_packets_go_to_lwip(void **state)
{
	struct frame f = good_frame();

	f.ip.protocol = IPPROTO_ICMP;
	receive(&f, 60);
	assert_lwip_got(&f, 60);
	f = good_frame();
	f.ip.frag_off = cpu_to_be16(IP_MF);
	receive(&f, 60);
	assert_lwip_got(&f, 60);
	f.ip.frag_off = cpu_to_be16(7);
	receive(&f, 60);
	assert_lwip_got(&f, 60);
	f = good_frame();
	f.ip.ver_ihl = 0x47;
	receive(&f, 60);
	assert_lwip_got(&f, 60);
	f = good_frame();
	f.ip.frag_off = cpu_to_be16(IP_DF);
	receive(&f, 60);
	assert_non_null(to_tcp);
}

static void test_loopback_source_is_fine_on_lo(void **state)
{
	struct frame f = good_frame();
	struct sk_buff *skb;

	f.ip.saddr = cpu_to_be32(0x7f000001);
	f.ip.daddr = cpu_to_be32(0x7f000001);
	memset(f.eth.h_dest, 0, ETH_ALEN);
	skb = make(&f, 60, true);
	skb->dev = &loopback_dev;
	ip_rcv(skb);
	assert_non_null(to_tcp);
	free_all();
	f.ip.saddr = f.ip.daddr = cpu_to_be32(OURS);
	skb = make(&f, 60, true);
	skb->dev = &loopback_dev;
	ip_rcv(skb);
	assert_non_null(to_tcp);
	free_all();
	f.ip.daddr = cpu_to_be32(THEIRS);
	skb = make(&f, 60, true);
	skb->dev = &loopback_dev;
	ip_rcv(skb);
	assert_dropped(DROP_IP_OTHER_ADDR);
}

/* ---- IPv6 ---- */

static struct sk_buff *make6(u32 len, u32 payload, u8 next, bool local)
{
	struct sk_buff *skb = alloc_skb(200);
	u8 *p = skb_put(skb, ETH_HLEN + len);

	memset(p, 0, ETH_HLEN + len);
	if (len >= 40) {
		p[14] = 0x60;
		put_be16((u16)payload, p + 18);
		p[20] = next;
		p[14 + 39] = local ? 1 : 2;
	}
	skb->dev = &loopback_dev;
	skb_pull(skb, ETH_HLEN);
	return skb;
}

static void test_ipv6(void **state)
{
	struct sk_buff *skb;

	ip6_rcv(make6(39, 0, 0, true));
	assert_dropped(DROP_IP_HDR);
	ip6_rcv(make6(60, 21, IPPROTO_TCP, true));
	assert_dropped(DROP_IP_HDR);
	skb = make6(60, 20, IPPROTO_TCP, true);
	skb->data[0] = 0x40;
	ip6_rcv(skb);
	assert_dropped(DROP_IP_HDR);
	ip6_rcv(make6(60, 20, IPPROTO_UDP, true));
	assert_int_equal(to_lwip->len, 74);
	free_all();
	ip6_rcv(make6(60, 20, IPPROTO_TCP, false));
	assert_non_null(to_lwip);
	free_all();
	ip6_rcv(make6(64, 20, IPPROTO_TCP, true));
	assert_non_null(to_tcp6);
	assert_int_equal(to_tcp6->len, 20);
	assert_int_equal(skb_network_header(to_tcp6)[6], IPPROTO_TCP);
}

/* TCP with everybody, or to a mapped address: no. lwIP drops them. */
static void test_ipv6_not_for_us_alone(void **state)
{
	static const struct ip_addr mapped = {
		{ 0, 0, IP_MAPPED_WORD, 0x0200000a },
	};
	struct sk_buff *skb = make6(60, 20, IPPROTO_TCP, true);

	skb->data[-ETH_HLEN] = 0x33;
	ip6_rcv(skb);
	assert_null(to_tcp6);
	assert_non_null(to_lwip);
	free_all();
	skb = make6(60, 20, IPPROTO_TCP, true);
	memcpy(skb->data + 24, &mapped, 16);
	ip6_rcv(skb);
	assert_null(to_tcp6);
	assert_non_null(to_lwip);
}

/* From the wire: our address, and sources that nobody can have. */
static void test_ipv6_sources(void **state)
{
	static const struct ip_addr bad[] = {
		{ { 0 } },
		{ { 0, 0, 0, 0x01000000 } },
		{ { 0, 0, IP_MAPPED_WORD, 0x0100000a } },
		{ { 0x02ff, 0, 0, 0x01000000 } },
		{ { 0xb80d0120, 0, 0, 0x02000000 } },
	};
	struct ip_addr good = { { 0xb80d0120, 0, 0, 0x03000000 } };
	struct sk_buff *skb;

	for (u32 i = 0; i <= ARRAY_SIZE(bad); i++) {
		skb = make6(60, 20, IPPROTO_TCP, false);
		skb->dev = &fake_eth;
		memcpy(skb->data + 8, i < ARRAY_SIZE(bad) ? &bad[i] : &good,
		       16);
		memcpy(skb->data + 24, &ours6, 16);
		ip6_rcv(skb);
		if (i < ARRAY_SIZE(bad))
			assert_dropped(DROP_IP_BAD_SOURCE);
	}
	assert_non_null(to_tcp6);
}

/* Any bytes at all: nothing crashes, nothing leaks, all is accounted for. */
static void test_random_frames(void **state)
{
	for (u32 i = 0; i < 30000; i++) {
		struct frame f = good_frame();
		u32 len = get_random_below(sizeof(f) - ETH_HLEN + 1);
		u32 flips = get_random_below(6);
		struct sk_buff *skb;

		while (flips--)
			((u8 *)&f)[get_random_below(sizeof(f))] =
				(u8)get_random_u32();
		skb = make(&f, len, get_random_below(4));
		if (get_random_below(8))
			ip_rcv(skb);
		else
			ip6_rcv(skb);
		assert_true(!to_tcp || to_tcp->len <= 64);
		free_all();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_tcp_goes_up),
		T(test_ecn_marks_are_counted),
		T(test_padding_is_cut),
		T(test_header_in_pieces),
		T(test_bad_headers),
		T(test_checksum),
		T(test_every_header_sum_is_accepted),
		T(test_bad_sources),
		T(test_the_fast_road_refuses_the_same),
		T(test_other_destinations),
		T(test_link_broadcast_is_not_for_tcp),
		T(test_without_address_all_but_tcp_goes_to_lwip),
		T(test_odd_packets_go_to_lwip),
		T(test_loopback_source_is_fine_on_lo),
		T(test_ipv6),
		T(test_ipv6_not_for_us_alone),
		T(test_ipv6_sources),
		T(test_random_frames),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
