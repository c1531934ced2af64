/*
 * The lwIP port from frame to frame: ARP, neighbours, ICMP, fragments.
 * sources: lwip tests/unit/lwip_fixture.c net/skbuff.c net/drop.c net/snmp.c
 * net/ip/checksum.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

static struct frame_buf f;
static u8 payload[70000];

static struct ip_addr ip(u32 addr)
{
	return ip_addr_v4(cpu_to_be32(addr));
}

/* --- ARP --- */

static void test_arp_request_is_answered(void **state)
{
	const u8 *a;

	put_arp(&f, ARP_REQ, peer_mac, PEER, all_mac, ME);
	wire_rx(&f);
	assert_int_equal(wire_count(), 1);
	a = wire_sent(0)->data;
	assert_memory_equal(a, peer_mac, 6);
	assert_memory_equal(a + 6, my_mac, 6);
	assert_int_equal(get_be16(a + ETH_HLEN + 6), ARP_REP);
	assert_int_equal(get_be32(a + ETH_HLEN + 14), ME);
}

static void test_arp_for_others_is_not(void **state)
{
	put_arp(&f, ARP_REQ, peer_mac, PEER, all_mac, GATEWAY);
	wire_rx(&f);
	assert_int_equal(wire_count(), 0);
}

static void test_short_or_strange_frames_are_counted(void **state)
{
	put_arp(&f, ARP_REQ, peer_mac, PEER, all_mac, ME);
	f.len -= 1;
	wire_rx(&f);
	assert_int_equal(drops(DROP_ARP_HDR), 1);
	f.len += 1;
	f.data[ETH_HLEN + 4] = 7;	/* hardware address length */
	wire_rx(&f);
	assert_int_equal(drops(DROP_ARP_HDR), 2);
	put_eth(&f, my_mac, peer_mac, 0x1234);
	f.len = 60;
	wire_rx(&f);
	assert_int_equal(drops(DROP_ETH_PROTO), 1);
	f.len = ETH_HLEN;
	wire_rx(&f);
	assert_int_equal(drops(DROP_DEV_RUNT), 1);
	assert_int_equal(wire_count(), 0);
}

/* --- neighbours --- */

static void test_resolve_asks_once_a_second(void **state)
{
	struct ip_addr peer = ip(PEER);
	u8 ll[ETH_HLEN];

	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), -EAGAIN);
	assert_int_equal(wire_count(), 1);
	assert_memory_equal(wire_sent(0)->data, all_mac, 6);
	assert_int_equal(get_be32(wire_sent(0)->data + ETH_HLEN + 24), PEER);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), -EAGAIN);
	assert_int_equal(wire_count(), 1);
}

static void test_answer_resolves_and_bumps_routes(void **state)
{
	struct ip_addr peer = ip(PEER);
	u32 gen = ip_route_gen;
	u8 ll[ETH_HLEN];

	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), -EAGAIN);
	peer_says_arp(ARP_REP, peer_mac, PEER);
	assert_int_not_equal(ip_route_gen, gen);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	assert_memory_equal(ll, peer_mac, 6);
	assert_memory_equal(ll + 6, my_mac, 6);
	assert_int_equal(get_be16(ll + 12), ETH_P_IP);
	gen = ip_route_gen;
	peer_says_arp(ARP_REP, peer_mac, PEER);
	assert_int_equal(ip_route_gen, gen);
}

static void test_changed_mac_takes_effect(void **state)
{
	struct ip_addr peer = ip(PEER);
	u8 ll[ETH_HLEN];
	u32 gen;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	gen = ip_route_gen;
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	/* Gratuitous: it speaks of itself, to all. */
	put_arp(&f, ARP_REQ, other_mac, PEER, all_mac, PEER);
	wire_rx(&f);
	assert_int_not_equal(ip_route_gen, gen);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	assert_memory_equal(ll, other_mac, 6);
}

/* A busy network must not cost every connection a look-up. */
static void test_strangers_do_not_bump_routes(void **state)
{
	struct ip_addr peer = ip(PEER);
	u8 ll[ETH_HLEN];
	u32 gen;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	host_advance(3 * NSEC_PER_SEC);
	gen = ip_route_gen;
	for (u32 i = 20; i < 40; i++)
		peer_says_arp(ARP_REQ, other_mac, IP4(10, 0, 0, i));
	assert_int_equal(ip_route_gen, gen);
	/* So many that the peer falls out of the table. */
	for (u32 i = 40; i < 100; i++)
		peer_says_arp(ARP_REQ, other_mac, IP4(10, 0, 0, i));
	assert_int_equal(ip_route_gen, gen + 1);
}

static unsigned int count_asks(u32 addr)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < wire_count(); i++) {
		const u8 *a = wire_sent(i)->data;

		n += get_be16(a + 12) == ETH_P_ARP &&
		     get_be16(a + ETH_HLEN + 6) == ARP_REQ &&
		     get_be32(a + ETH_HLEN + 24) == addr;
	}
	return n;
}

static void test_used_neighbour_is_kept_alive(void **state)
{
	struct ip_addr peer = ip(PEER);
	u8 ll[ETH_HLEN];
	u32 gen;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	gen = ip_route_gen;
	for (int round = 0; round < 5; round++) {
		host_advance(283 * NSEC_PER_SEC);
		assert_in_range(count_asks(PEER), 1, 4);
		peer_says_arp(ARP_REP, peer_mac, PEER);
		assert_int_equal(ip_route_gen, gen);
	}
}

static void test_silent_neighbour_expires(void **state)
{
	struct ip_addr peer = ip(PEER);
	u8 ll[ETH_HLEN];
	u32 gen;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	gen = ip_route_gen;
	host_advance(265 * NSEC_PER_SEC);
	assert_int_equal(count_asks(PEER), 0);
	assert_int_equal(ip_route_gen, gen);
	host_advance(45 * NSEC_PER_SEC);
	assert_in_range(count_asks(PEER), 2, 8);
	assert_int_not_equal(ip_route_gen, gen);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), -EAGAIN);
}

static void test_nothing_pending_needs_no_timer(void **state)
{
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	host_advance(400 * NSEC_PER_SEC);
	assert_false(host_advance_to_next());
}

static void test_ageing_needs_few_timers(void **state)
{
	unsigned int fired = 0;
	u64 end;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	host_advance(20 * NSEC_PER_SEC);
	end = host_now + 100 * NSEC_PER_SEC;
	while (host_now < end && host_advance_to_next())
		fired++;
	assert_in_range(fired, 9, 12);
}

/* --- packets that wait for a neighbour --- */

static struct sk_buff *tcp_packet(u8 mark, u32 headroom, u32 len)
{
	struct sk_buff *skb = alloc_skb(headroom + len);
	u8 *b;

	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	b = skb_put(skb, len);
	memset(b, mark, len);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)(skb_headroom(skb) + 20);
	skb->csum_offset = 16;
	return skb;
}

static void test_waiting_packets_leave_in_order(void **state)
{
	struct ip_addr peer = ip(PEER);
	struct wire_frame *w;

	for (u8 i = 1; i <= 3; i++)
		lwip_output(&wire_dev, tcp_packet(i, IP_MAX_HEADER - 20, 60),
			    &peer);
	assert_int_equal(wire_count(), 1);	/* the ARP request */
	wire_clear();
	put_arp(&f, ARP_REP, peer_mac, PEER, my_mac, ME);
	wire_rx(&f);
	assert_int_equal(wire_count(), 3);
	for (u8 i = 1; i <= 3; i++) {
		w = wire_sent(i - 1u);
		assert_memory_equal(w->data, peer_mac, 6);
		assert_int_equal(get_be16(w->data + 12), ETH_P_IP);
		assert_int_equal(w->len, 74);
		assert_int_equal(w->data[ETH_HLEN + 30], i);
		assert_int_equal(w->ip_summed, CHECKSUM_PARTIAL);
		assert_int_equal(w->csum_start, ETH_HLEN + 20);
		assert_int_equal(w->csum_offset, 16);
	}
}

static void test_waiting_shared_packet_is_copied(void **state)
{
	struct sk_buff *kept = tcp_packet(7, IP_MAX_HEADER, 60);
	struct ip_addr peer = ip(PEER);

	memset(kept->cb, 0x55, sizeof(kept->cb));
	skb_get(kept);
	lwip_output(&wire_dev, kept, &peer);
	assert_false(skb_shared(kept));
	put_arp(&f, ARP_REP, peer_mac, PEER, my_mac, ME);
	wire_rx(&f);
	assert_int_equal(wire_count(), 2);
	assert_int_equal(wire_sent(1)->len, 74);
	assert_int_equal(wire_sent(1)->ip_summed, CHECKSUM_PARTIAL);
	assert_int_equal(wire_sent(1)->csum_start, ETH_HLEN + 20);
	for (u32 i = 0; i < sizeof(kept->cb); i++)
		assert_int_equal(kept->cb[i], 0x55);
	assert_int_equal(kept->len, 60);
	kfree_skb(kept);
}

static void test_known_neighbour_gets_it_at_once(void **state)
{
	struct ip_addr peer = ip(PEER);

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	lwip_output(&wire_dev, tcp_packet(1, IP_MAX_HEADER, 60), &peer);
	assert_int_equal(wire_count(), 1);
	assert_memory_equal(wire_sent(0)->data, peer_mac, 6);
	assert_int_equal(drops(DROP_NEIGH_UNRESOLVED), 0);
}

static void test_queue_per_neighbour_is_bounded(void **state)
{
	struct ip_addr peer = ip(PEER);

	for (u8 i = 0; i < 100; i++)
		lwip_output(&wire_dev, tcp_packet(i, IP_MAX_HEADER, 60),
			    &peer);
	assert_int_equal(drops(DROP_NEIGH_UNRESOLVED), 100 - 4);
	host_advance(20 * NSEC_PER_SEC);
	assert_int_equal(drops(DROP_NEIGH_UNRESOLVED), 100);
	assert_in_range(count_asks(PEER), 3, 8);
}

/* --- ICMP --- */

static void ping(u32 from, u32 to, u32 len)
{
	u8 icmp[1600];

	for (u32 i = 0; i < len; i++)
		payload[i] = (u8)i;
	put_ip4(&f, IPPROTO_ICMP, from, to, 0, icmp,
		make_icmp(icmp, 8, 0, 0x00070001, payload, len));
}

static void test_ping_is_answered_without_a_copy(void **state)
{
	unsigned long made;
	const u8 *ip4;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	ping(PEER, ME, 56);
	made = host_allocs_made();
	wire_rx(&f);
	assert_int_equal(host_allocs_made() - made, 1);	/* the frame itself */
	assert_int_equal(wire_count(), 1);
	ip4 = wire_sent(0)->data + ETH_HLEN;
	assert_memory_equal(wire_sent(0)->data, peer_mac, 6);
	assert_int_equal(inet_sum(ip4, 20, 0), 0);
	assert_int_equal(get_be32(ip4 + 12), ME);
	assert_int_equal(get_be32(ip4 + 16), PEER);
	assert_int_equal(ip4[20], 0);
	assert_int_equal(inet_sum(ip4 + 20, 64, 0), 0);
	assert_memory_equal(ip4 + 28, payload, 56);
	assert_int_equal(wire_sent(0)->ip_summed, CHECKSUM_NONE);
}

/* By us or by lwIP: what RFC 4293 counts is the same. */
static void test_icmp_is_counted_by_type(void **state)
{
	memset(snmp_counts, 0, sizeof(snmp_counts));
	memset(icmp_in, 0, sizeof(icmp_in));
	memset(icmp_out, 0, sizeof(icmp_out));
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	ping(PEER, ME, 56);
	wire_rx(&f);
	f.data[ETH_HLEN] = 0x45;
	assert_int_equal(icmp_in[icmp_slot(true, 8)], 1);
	assert_int_equal(icmp_out[icmp_slot(true, 0)], 1);
	assert_int_equal(snmp_counts[SNMP_Ip_InDelivers], 1);
	assert_int_equal(snmp_counts[SNMP_Ip_OutRequests], 1);
	/* Timestamps are not answered. */
	f.data[ETH_HLEN + 20] = 13;
	f.data[ETH_HLEN + 22] ^= 5;
	wire_rx(&f);
	assert_int_equal(icmp_in[icmp_slot(true, 13)], 1);
	assert_int_equal(snmp_counts[SNMP_Icmp_InErrors], 1);
	/* Types that have no slot share one. */
	assert_int_equal(icmp_slot(true, 40), icmp_slot(false, 100));
	assert_int_equal(icmp_slot(false, 200), icmp_slot(false, 5));
	assert_int_not_equal(icmp_slot(false, 143), icmp_slot(false, 200));
	assert_int_not_equal(icmp_slot(true, 18), icmp_slot(false, 0));
}

/* From a host behind the gateway, from one not in the table, from all. */
static void test_ping_finds_its_way(void **state)
{
	peer_says_arp(ARP_REQ, other_mac, GATEWAY);
	ping(IP4(192, 0, 2, 7), ME, 57);
	wire_rx(&f);
	assert_int_equal(wire_count(), 1);
	assert_memory_equal(wire_sent(0)->data, other_mac, 6);
	assert_int_equal(inet_sum(wire_sent(0)->data + ETH_HLEN, 20, 0), 0);
	assert_int_equal(inet_sum(wire_sent(0)->data + ETH_HLEN + 20, 65, 0),
			 0);
	wire_clear();
	ping(PEER, ME, 8);
	wire_rx(&f);
	assert_int_equal(wire_count(), 1);	/* who has PEER? */
	put_arp(&f, ARP_REP, peer_mac, PEER, my_mac, ME);
	wire_rx(&f);
	assert_int_equal(wire_count(), 2);
	assert_memory_equal(wire_sent(1)->data, peer_mac, 6);
	wire_clear();
	ping(IP4(10, 0, 0, 255), ME, 8);
	wire_rx(&f);
	assert_int_equal(wire_count(), 0);
}

/* The table slept; what is new in it is not as old as the sleep. */
static void test_new_entry_begins_young(void **state)
{
	peer_says_arp(ARP_REQ, other_mac, GATEWAY);
	host_advance(76 * NSEC_PER_SEC);
	ping(PEER, ME, 8);
	wire_rx(&f);
	host_advance(3500 * NSEC_PER_MSEC);
	wire_clear();
	put_arp(&f, ARP_REP, peer_mac, PEER, my_mac, ME);
	wire_rx(&f);
	assert_int_equal(wire_count(), 1);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 20], 0);
}

/* Every sum that the answer's can become, 0xffff and 0 among them. */
static void test_ping_sums_wrap_right(void **state)
{
	u8 icmp[16];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	for (u32 id = 0; id < 65536; id += 13) {
		put_ip4(&f, IPPROTO_ICMP, PEER, ME, 0, icmp,
			make_icmp(icmp, 8, 0, id, "abc", 3));
		wire_rx(&f);
		assert_int_equal(wire_count(), 1);
		assert_int_equal(inet_sum(wire_sent(0)->data + ETH_HLEN + 20,
					  11, 0), 0);
		wire_clear();
	}
}

/* Ethernet's padding does not come back. */
static void test_ping_in_a_padded_frame(void **state)
{
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	ping(PEER, ME, 1);
	f.len = 60;
	wire_rx(&f);
	assert_int_equal(wire_sent(0)->len, ETH_HLEN + 29);
}

/* Four bytes of no-operation behind the IP header. */
static void put_options(struct frame_buf *b)
{
	u8 *ip4 = b->data + ETH_HLEN;
	u32 len = get_be16(ip4 + 2);

	memmove(ip4 + 24, ip4 + 20, len - 20);
	memset(ip4 + 20, 1, 4);
	ip4[0] = 0x46;
	put_be16((u16)(len + 4), ip4 + 2);
	b->len += 4;
	fix_ip4(b);
}

static void test_ping_with_ip_options(void **state)
{
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	ping(PEER, ME, 56);
	put_options(&f);
	wire_rx(&f);
	assert_int_equal(wire_count(), 1);
	assert_int_equal(inet_sum(wire_sent(0)->data + ETH_HLEN, 24, 0), 0);
}

static void test_bad_sums_are_dropped(void **state)
{
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	ping(PEER, ME, 56);
	f.data[ETH_HLEN + 40] ^= 1;
	wire_rx(&f);
	assert_int_equal(drops(DROP_ICMP_CSUM), 1);
	put_options(&f);
	f.data[ETH_HLEN + 8] ^= 1;
	wire_rx(&f);
	assert_int_equal(drops(DROP_IP_CSUM), 1);
	assert_int_equal(wire_count(), 0);
}

static void test_ping_to_all_is_ignored(void **state)
{
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	ping(PEER, IP4(10, 0, 0, 255), 56);
	wire_rx(&f);
	ping(PEER, IP4(224, 0, 0, 1), 56);
	wire_rx(&f);
	assert_int_equal(wire_count(), 0);
	assert_int_equal(drops(DROP_ICMP_REFUSED), 2);
}

static void test_malformed_ip_is_dropped(void **state)
{
	ping(PEER, ME, 56);
	f.data[ETH_HLEN] = 0x44;
	fix_ip4(&f);
	wire_rx(&f);
	assert_int_equal(drops(DROP_IP_HDR), 1);
	ping(PEER, ME, 56);
	put_be16(200, f.data + ETH_HLEN + 2);
	fix_ip4(&f);
	wire_rx(&f);
	assert_int_equal(drops(DROP_IP_HDR), 2);
	ping(PEER, ME, 0);
	f.len = ETH_HLEN + 20 + 3;
	put_be16(23, f.data + ETH_HLEN + 2);
	fix_ip4(&f);
	wire_rx(&f);
	assert_int_equal(drops(DROP_ICMP_HDR), 1);
	ping(PEER, GATEWAY, 56);
	wire_rx(&f);
	assert_int_equal(drops(DROP_IP_OTHER_ADDR), 1);
	assert_int_equal(wire_count(), 0);
}

static void test_our_errors_are_limited(void **state)
{
	u8 udp[64];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	put_ip4(&f, IPPROTO_UDP, PEER, ME, 0, udp,
		make_udp(udp, PEER, 1, ME, 9999, "x", 1));
	for (int i = 0; i < 200; i++)
		wire_rx(&f);
	assert_int_equal(wire_count(), 50);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 20], 3);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 21], 3);
	assert_int_equal(drops(DROP_ICMP_RATELIMIT), 150);
	assert_int_equal(drops(DROP_UDP_NO_SOCKET), 200);
	host_advance(10 * NSEC_PER_MSEC);
	wire_clear();
	for (int i = 0; i < 20; i++)
		wire_rx(&f);
	assert_int_equal(wire_count(), 10);
}

static void test_icmp_errors_reach_tcp(void **state)
{
	u8 quoted[28] = { 0x45 }, icmp[64];

	quoted[9] = IPPROTO_TCP;
	put_be32(ME, quoted + 12);
	put_be32(PEER, quoted + 16);
	put_be16(7777, quoted + 20);
	put_be16(1234, quoted + 22);
	put_be32(42, quoted + 24);
	put_ip4(&f, IPPROTO_ICMP, GATEWAY, ME, 0, icmp,
		make_icmp(icmp, 3, 4, 1400, quoted, sizeof(quoted)));
	wire_rx(&f);
	assert_int_equal(icmp_seen.count, 1);
	assert_int_equal(icmp_seen.error, EMSGSIZE);
	assert_int_equal(icmp_seen.mtu, 1400);
	assert_int_equal(icmp_seen.saddr.a[3], cpu_to_be32(ME));
	assert_int_equal(icmp_seen.daddr.a[3], cpu_to_be32(PEER));
	assert_memory_equal(icmp_seen.quoted, quoted + 20, 8);
	f.data[ETH_HLEN + 20 + 8 + 20] ^= 1;
	wire_rx(&f);
	assert_int_equal(icmp_seen.count, 1);
	assert_int_equal(drops(DROP_ICMP_CSUM), 1);
}

/* --- fragments, and TCP's way back --- */

static void fill_payload(u32 len)
{
	for (u32 i = 0; i < len; i++)
		payload[i] = (u8)(i * 7 + i / 256);
}

static void check_tcp(u32 len)
{
	assert_int_equal(tcp_seen.count, 1);
	assert_int_equal(tcp_seen.len, len);
	assert_memory_equal(tcp_seen.data, payload, len);
	assert_int_equal(tcp_seen.transport - tcp_seen.network, 20);
	assert_int_equal(tcp_seen.ip_summed, CHECKSUM_NONE);
	assert_int_equal(get_be16(tcp_seen.ip + 2), 20 + len);
	assert_int_equal(get_be32(tcp_seen.ip + 12), PEER);
}

static void test_fragmented_tcp_comes_back_whole(void **state)
{
	fill_payload(4000);
	rx_fragment(IPPROTO_TCP, payload, 4000, 0, 1480);
	rx_fragment(IPPROTO_TCP, payload, 4000, 1480, 1480);
	assert_int_equal(tcp_seen.count, 0);
	rx_fragment(IPPROTO_TCP, payload, 4000, 2960, 1040);
	check_tcp(4000);
}

static void test_fragments_in_any_order(void **state)
{
	fill_payload(4000);
	rx_fragment(IPPROTO_TCP, payload, 4000, 2960, 1040);
	rx_fragment(IPPROTO_TCP, payload, 4000, 0, 1480);
	rx_fragment(IPPROTO_TCP, payload, 4000, 0, 1480);	/* again */
	rx_fragment(IPPROTO_TCP, payload, 4000, 1480, 1480);
	check_tcp(4000);
	assert_int_equal(drops(DROP_IP_FRAG), 1);
}

static void test_largest_datagram(void **state)
{
	const u32 total = 65512;

	fill_payload(total);
	for (u32 off = 0; off < total; off += 1480)
		rx_fragment(IPPROTO_TCP, payload, total, off,
			    min(1480u, total - off));
	check_tcp(total);
}

static void test_overlapping_fragment_is_dropped(void **state)
{
	fill_payload(4000);
	rx_fragment(IPPROTO_TCP, payload, 4000, 0, 1480);
	rx_fragment(IPPROTO_TCP, payload, 4000, 1472, 1480);
	assert_int_equal(drops(DROP_IP_FRAG), 1);
	rx_fragment(IPPROTO_TCP, payload, 4000, 1480, 1480);
	rx_fragment(IPPROTO_TCP, payload, 4000, 2960, 1040);
	check_tcp(4000);
}

/* What lies behind the last fragment is none of the segment. */
static void test_fragment_behind_the_last(void **state)
{
	fill_payload(2400);
	rx_fragment(IPPROTO_TCP, payload, 2000, 1200, 800);
	rx_fragment(IPPROTO_TCP, payload, 4000, 2000, 400);
	rx_fragment(IPPROTO_TCP, payload, 2000, 0, 1200);
	check_tcp(2000);
}

static void test_fragment_beyond_64k_is_dropped(void **state)
{
	fill_payload(1480);
	put_ip4(&f, IPPROTO_ICMP, PEER, ME, 8189, payload, 1480);
	wire_rx(&f);
	assert_int_equal(drops(DROP_IP_FRAG), 1);
	/* Below 64 KiB, but not with its header. */
	put_ip4(&f, IPPROTO_ICMP, PEER, ME, IP_MF | 8184, payload, 56);
	wire_rx(&f);
	assert_int_equal(drops(DROP_IP_FRAG), 2);
}

static void test_incomplete_datagram_times_out(void **state)
{
	unsigned long before = host_allocs_outstanding();

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	fill_payload(4000);
	rx_fragment(IPPROTO_TCP, payload, 4000, 0, 1480);
	rx_fragment(IPPROTO_TCP, payload, 4000, 2960, 1040);
	assert_true(host_allocs_outstanding() > before);
	host_advance(17 * NSEC_PER_SEC);
	assert_int_equal(host_allocs_outstanding(), before);
	/* RFC 1122 section 3.3.2: fragment reassembly time exceeded */
	assert_int_equal(wire_count(), 1);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 20], 11);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 21], 1);
}

static void test_fragments_are_bounded(void **state)
{
	unsigned long before = host_allocs_outstanding();

	fill_payload(1480);
	for (u32 i = 0; i < 500; i++) {
		put_ip4(&f, IPPROTO_UDP, PEER, ME, IP_MF, payload, 1480);
		put_be16((u16)i, f.data + ETH_HLEN + 4);
		fix_ip4(&f);
		wire_rx(&f);
	}
	assert_in_range(host_allocs_outstanding() - before, 64, 2 * 64 + 8);
}

static void test_fragmented_ping_is_answered(void **state)
{
	u8 *icmp = payload;
	static u8 data[3000];
	u32 len;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	len = make_icmp(icmp, 8, 0, 1, data, sizeof(data));
	rx_fragment(IPPROTO_ICMP, icmp, len, 0, 1480);
	rx_fragment(IPPROTO_ICMP, icmp, len, 1480, 1480);
	rx_fragment(IPPROTO_ICMP, icmp, len, 2960, len - 2960);
	assert_int_equal(wire_count(), 3);
	assert_int_equal(wire_sent(0)->len, ETH_HLEN + 1500);
	assert_int_equal(wire_sent(0)->data[ETH_HLEN + 20], 0);
	assert_int_equal(wire_sent(2)->len, ETH_HLEN + 20 + len - 2960);
}

static void test_tcp_with_ip_options_comes_back(void **state)
{
	fill_payload(40);
	put_ip4(&f, IPPROTO_TCP, PEER, ME, 0, payload, 40);
	put_options(&f);
	wire_rx(&f);
	assert_int_equal(tcp_seen.count, 1);
	assert_int_equal(tcp_seen.transport - tcp_seen.network, 24);
	assert_memory_equal(tcp_seen.data, payload, 40);
	/* Shorter than a TCP header: not even shown. */
	put_ip4(&f, IPPROTO_TCP, PEER, ME, 0, payload, 12);
	wire_rx(&f);
	assert_int_equal(tcp_seen.count, 1);
	assert_int_equal(drops(DROP_TCP_HDR), 1);
}

/* --- memory runs out anywhere --- */

static void everything(void)
{
	struct sk_buff *skb = tcp_packet(1, IP_MAX_HEADER, 60);
	struct ip_addr peer = ip(PEER), gw = ip(GATEWAY);
	u8 ll[ETH_HLEN], udp[64];

	assert_int_equal(lwip_resolve(&wire_dev, &gw, ll), -EAGAIN);
	if (skb)
		lwip_output(&wire_dev, skb, &peer);
	put_arp(&f, ARP_REP, peer_mac, PEER, my_mac, ME);
	wire_rx(&f);
	ping(PEER, ME, 56);
	wire_rx(&f);
	fill_payload(3000);
	rx_fragment(IPPROTO_TCP, payload, 3000, 0, 1480);
	rx_fragment(IPPROTO_TCP, payload, 3000, 1480, 1480);
	rx_fragment(IPPROTO_TCP, payload, 3000, 2960, 40);
	put_ip4(&f, IPPROTO_UDP, PEER, ME, 0, udp,
		make_udp(udp, PEER, 1, ME, 9999, "x", 1));
	wire_rx(&f);
	host_advance(700 * NSEC_PER_SEC);
}

static void test_every_allocation_may_fail(void **state)
{
	unsigned long before = host_allocs_outstanding();
	unsigned long n = 0;

	do {
		host_fail_alloc(++n);
		everything();
		assert_int_equal(host_allocs_outstanding(), before);
	} while (host_alloc_failed());
	assert_true(n > 8);
}

#define T(name) cmocka_unit_test_setup_teardown(name, wire_setup, \
						wire_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_arp_request_is_answered),
		T(test_arp_for_others_is_not),
		T(test_short_or_strange_frames_are_counted),
		T(test_resolve_asks_once_a_second),
		T(test_answer_resolves_and_bumps_routes),
		T(test_changed_mac_takes_effect),
		T(test_strangers_do_not_bump_routes),
		T(test_used_neighbour_is_kept_alive),
		T(test_silent_neighbour_expires),
		T(test_nothing_pending_needs_no_timer),
		T(test_ageing_needs_few_timers),
		T(test_waiting_packets_leave_in_order),
		T(test_waiting_shared_packet_is_copied),
		T(test_known_neighbour_gets_it_at_once),
		T(test_queue_per_neighbour_is_bounded),
		T(test_ping_is_answered_without_a_copy),
		T(test_icmp_is_counted_by_type),
		T(test_ping_finds_its_way),
		T(test_new_entry_begins_young),
		T(test_ping_sums_wrap_right),
		T(test_ping_in_a_padded_frame),
		T(test_ping_with_ip_options),
		T(test_bad_sums_are_dropped),
		T(test_ping_to_all_is_ignored),
		T(test_malformed_ip_is_dropped),
		T(test_our_errors_are_limited),
		T(test_icmp_errors_reach_tcp),
		T(test_fragmented_tcp_comes_back_whole),
		T(test_fragments_in_any_order),
		T(test_largest_datagram),
		T(test_overlapping_fragment_is_dropped),
		T(test_fragment_behind_the_last),
		T(test_fragment_beyond_64k_is_dropped),
		T(test_incomplete_datagram_times_out),
		T(test_fragments_are_bounded),
		T(test_fragmented_ping_is_answered),
		T(test_tcp_with_ip_options_comes_back),
		T(test_every_allocation_may_fail),
	};

	wire_init("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
