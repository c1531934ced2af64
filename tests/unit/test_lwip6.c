/*
 * IPv6 control through the port: neighbour discovery, duplicate detection,
 * addresses from router advertisements, ping, fragments.
 * sources: lwip tests/unit/lwip_fixture.c net/skbuff.c net/drop.c net/snmp.c
 * net/ip/checksum.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

#define ECHO_REQUEST	128
#define ECHO_REPLY	129
#define ROUTER_SOLICIT	133
#define NEIGH_SOLICIT	135
#define NEIGH_ADVERT	136

static struct frame_buf f;

/* 2001:db8::/64 with our interface identifier */
static const u8 global[16] = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0x50, 0x54, 0,
			       0xff, 0xfe, 0x12, 0x34, 0x56 };

static struct ip_addr addr6(const u8 *bytes)
{
	struct ip_addr ip;

	memcpy(&ip, bytes, sizeof(ip));
	return ip;
}

/* The last ICMPv6 message of @type that was sent, from the IPv6 header on. */
static const u8 *sent6(u8 type)
{
	for (unsigned int i = wire_count(); i-- > 0;) {
		const u8 *d = wire_sent(i)->data;

		if (get_be16(d + 12) == ETH_P_IPV6 && d[ETH_HLEN + 6] == 58 &&
		    d[ETH_HLEN + 40] == type)
			return d + ETH_HLEN;
	}
	return NULL;
}

static void rx_icmp6(const u8 *src, const u8 *dst, const void *msg, u32 len)
{
	put_ip6(&f, 58, src, dst, msg, len);
	fix_icmp6(&f);
	assert_true(wire_rx(&f));
}

/* The peer's link-layer address in a solicited advertisement. */
static void advertise(const u8 *mac)
{
	u8 na[32] = { NEIGH_ADVERT, 0, 0, 0, 0x60 };

	memcpy(na + 8, peer_ip6, 16);
	na[24] = 2;
	na[25] = 1;
	memcpy(na + 26, mac, 6);
	rx_icmp6(peer_ip6, my_ip6, na, sizeof(na));
}

static void solicit(void)
{
	u8 ns[32] = { NEIGH_SOLICIT };

	memcpy(ns + 8, my_ip6, 16);
	ns[24] = 1;
	ns[25] = 1;
	memcpy(ns + 26, peer_mac, 6);
	rx_icmp6(peer_ip6, my_ip6, ns, sizeof(ns));
}

static void test_solicitation_is_answered(void **state)
{
	const u8 *na;

	solicit();
	na = sent6(NEIGH_ADVERT);
	assert_non_null(na);
	assert_memory_equal(na + 8, my_ip6, 16);
	assert_memory_equal(na + 24, peer_ip6, 16);
	assert_memory_equal(na + 48, my_ip6, 16);
	assert_memory_equal(na + 66, my_mac, 6);
	assert_int_equal(inet_sum(na + 40, 32, pseudo6(na, 58, 32)), 0);
}

static void test_ping(void **state)
{
	u8 echo[72] = { ECHO_REQUEST, 0, 0, 0, 0, 7, 0, 1 };
	const u8 *reply;

	for (int i = 8; i < 72; i++)
		echo[i] = (u8)i;
	solicit();
	rx_icmp6(peer_ip6, my_ip6, echo, sizeof(echo));
	reply = sent6(ECHO_REPLY);
	assert_non_null(reply);
	assert_memory_equal(reply + 24, peer_ip6, 16);
	assert_memory_equal(reply + 44, echo + 4, 68);
	assert_int_equal(inet_sum(reply + 40, 72, pseudo6(reply, 58, 72)), 0);
	wire_clear();
	f.data[ETH_HLEN + 60] ^= 1;
	wire_rx(&f);
	assert_null(sent6(ECHO_REPLY));
	assert_int_equal(drops(DROP_ICMP_CSUM), 1);
	rx_icmp6(peer_ip6, all_nodes, echo, sizeof(echo));
	assert_null(sent6(ECHO_REPLY));
}

static u64 icmp6_in(u8 type)
{
	return icmp_in[icmp_slot(false, type)];
}

static u64 icmp6_out(u8 type)
{
	return icmp_out[icmp_slot(false, type)];
}

static void test_counters_of_rfc4293(void **state)
{
	u8 echo[16] = { ECHO_REQUEST }, bad[40] = { 0 };

	memset(snmp_counts, 0, sizeof(snmp_counts));
	memset(icmp_in, 0, sizeof(icmp_in));
	memset(icmp_out, 0, sizeof(icmp_out));
	solicit();
	rx_icmp6(peer_ip6, my_ip6, echo, sizeof(echo));
	assert_int_equal(icmp6_in(NEIGH_SOLICIT), 1);
	assert_int_equal(icmp6_in(ECHO_REQUEST), 1);
	assert_int_equal(icmp6_out(NEIGH_ADVERT), 1);
	assert_int_equal(icmp6_out(ECHO_REPLY), 1);
	assert_int_equal(snmp_counts[SNMP_Ip6_InDelivers], 2);
	assert_int_equal(snmp_counts[SNMP_Ip6_OutRequests], 2);
	f.data[ETH_HLEN + 44] ^= 1;
	wire_rx(&f);
	assert_int_equal(snmp_counts[SNMP_Icmp6_InCsumErrors], 1);
	assert_int_equal(snmp_counts[SNMP_Icmp6_InErrors], 1);
	assert_int_equal(snmp_counts[SNMP_Ip6_InDelivers], 2);
	/* A datagram for nobody: the answer is an error, type 1. */
	put_ip6(&f, 17, peer_ip6, my_ip6, bad, 8);
	f.data[ETH_HLEN + 40 + 3] = 9;
	f.data[ETH_HLEN + 40 + 5] = 8;
	wire_rx(&f);
	assert_int_equal(snmp_counts[SNMP_Udp6_InErrors] +
			 snmp_counts[SNMP_Udp6_NoPorts], 1);
	assert_int_equal(snmp_counts[SNMP_Udp_NoPorts], 0);
	assert_int_equal(snmp_counts[SNMP_Ip_InDelivers], 0);
}

static struct sk_buff *packet(void)
{
	struct sk_buff *skb = alloc_skb(IP_MAX_HEADER + 60);

	assert_non_null(skb);
	skb_reserve(skb, IP_MAX_HEADER - 40);
	memset(skb_put(skb, 60), 0x60, 60);
	memcpy(skb->data + 24, peer_ip6, 16);
	return skb;
}

static void test_neighbour_is_found_and_followed(void **state)
{
	struct ip_addr peer = addr6(peer_ip6);
	u8 ll[ETH_HLEN];
	u32 gen;

	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), -EAGAIN);
	lwip_output(&wire_dev, packet(), &peer);
	assert_non_null(sent6(NEIGH_SOLICIT));
	wire_clear();
	gen = ip_route_gen;
	advertise(peer_mac);
	assert_int_not_equal(ip_route_gen, gen);
	assert_int_equal(wire_count(), 1);	/* the packet that waited */
	assert_memory_equal(wire_sent(0)->data, peer_mac, 6);
	assert_int_equal(get_be16(wire_sent(0)->data + 12), ETH_P_IPV6);
	assert_int_equal(wire_sent(0)->len, ETH_HLEN + 60);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	assert_memory_equal(ll, peer_mac, 6);
	assert_int_equal(get_be16(ll + 12), ETH_P_IPV6);
	gen = ip_route_gen;
	advertise(other_mac);
	assert_int_not_equal(ip_route_gen, gen);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	assert_memory_equal(ll, other_mac, 6);
}

/* Each packet of many waits for an answer: few are kept (RFC 4861, 7.2.2). */
static void test_few_packets_wait_for_a_neighbour(void **state)
{
	struct ip_addr peer = addr6(peer_ip6);

	for (u32 i = 0; i < 100; i++)
		lwip_output(&wire_dev, packet(), &peer);
	assert_in_range(drops(DROP_NEIGH_UNRESOLVED), 96, 99);
	host_advance(20 * NSEC_PER_SEC);
	assert_int_equal(drops(DROP_NEIGH_UNRESOLVED), 100);
}

static void test_silent_neighbour_is_given_up(void **state)
{
	struct ip_addr peer = addr6(peer_ip6);
	u8 ll[ETH_HLEN];
	u32 gen;

	lwip_output(&wire_dev, packet(), &peer);
	advertise(peer_mac);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
	gen = ip_route_gen;
	wire_clear();
	/* Unused it would stay for good; given out, it is probed. */
	host_advance(120 * NSEC_PER_SEC);
	assert_non_null(sent6(NEIGH_SOLICIT));
	assert_int_not_equal(ip_route_gen, gen);
	assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), -EAGAIN);
	/* And what waits for one that never answers is dropped. */
	lwip_output(&wire_dev, packet(), &peer);
	host_advance(20 * NSEC_PER_SEC);
	assert_int_equal(drops(DROP_NEIGH_UNRESOLVED), 1);
}

static void advertise_router(u32 lifetime)
{
	u8 ra[48] = { 134, 0, 0, 0, 64, 0, 0, 0 };
	static const u8 prefix[8] = { 0x20, 1, 0x0d, 0xb8 };

	put_be16((u16)lifetime, ra + 6);
	ra[16] = 3;			/* prefix information */
	ra[17] = 4;
	ra[18] = 64;
	ra[19] = 0xc0;
	put_be32(lifetime, ra + 20);
	put_be32(lifetime, ra + 24);
	memcpy(ra + 32, prefix, sizeof(prefix));
	rx_icmp6(peer_ip6, all_nodes, ra, sizeof(ra));
}

static void test_address_from_a_router(void **state)
{
	u8 echo[8] = { ECHO_REQUEST };
	const u8 *ns;

	solicit();
	wire_clear();
	advertise_router(300);
	host_advance(2500 * NSEC_PER_MSEC);
	/* RFC 4862 section 5.4: asked for before it is used */
	ns = sent6(NEIGH_SOLICIT);
	assert_non_null(ns);
	assert_memory_equal(ns + 48, global, 16);
	host_advance(2 * NSEC_PER_SEC);
	solicit();
	rx_icmp6(peer_ip6, global, echo, sizeof(echo));
	assert_non_null(sent6(ECHO_REPLY));
	assert_memory_equal(sent6(ECHO_REPLY) + 8, global, 16);
	host_advance(330 * NSEC_PER_SEC);
	wire_clear();
	rx_icmp6(peer_ip6, global, echo, sizeof(echo));
	assert_null(sent6(ECHO_REPLY));
}

/* Bytes [@off, @off + @n) of @total of a packet of @next, called @id. */
static void rx_fragment6(u8 next, u32 id, const u8 *what, u32 total, u32 off,
			 u32 n)
{
	static u8 part[2000];

	part[0] = next;
	put_be16((u16)(off | (off + n < total)), part + 2);
	put_be32(id, part + 4);
	memcpy(part + 8, what + off, n);
	put_ip6(&f, 44, peer_ip6, my_ip6, part, n + 8);
	assert_true(wire_rx(&f));
}

/* What counted since the last look. */
static u64 counted(u32 which)
{
	u64 n = snmp_counts[which];

	snmp_counts[which] = 0;
	return n;
}

static void test_fragment_counters(void **state)
{
	static u8 echo[3000] = { ECHO_REQUEST };

	solicit();
	put_ip6(&f, 58, peer_ip6, my_ip6, echo, sizeof(echo));
	fix_icmp6(&f);
	memcpy(echo, f.data + ETH_HLEN + 40, 4);
	memset(snmp_counts, 0, sizeof(snmp_counts));
	wire_clear();
	rx_fragment6(58, 1, echo, 3000, 1400, 1400);
	rx_fragment6(58, 1, echo, 3000, 0, 1400);
	assert_int_equal(counted(SNMP_Ip6_ReasmReqds), 2);
	assert_int_equal(counted(SNMP_Ip6_ReasmOKs), 0);
	rx_fragment6(58, 1, echo, 3000, 2800, 200);
	assert_int_equal(counted(SNMP_Ip6_ReasmReqds), 1);
	assert_int_equal(counted(SNMP_Ip6_ReasmOKs), 1);
	assert_int_equal(counted(SNMP_Ip6_InDelivers), 1);
	/* The answer goes in as many. */
	assert_int_equal(wire_count(), 3);
	assert_int_equal(counted(SNMP_Ip6_FragOKs), 1);
	assert_int_equal(counted(SNMP_Ip6_FragCreates), 3);
	assert_int_equal(counted(SNMP_Ip6_OutRequests), 1);
	/* Pieces that overlap (RFC 5722) are refused. */
	rx_fragment6(58, 2, echo, 3000, 0, 1400);
	rx_fragment6(58, 2, echo, 3000, 1000, 1400);
	assert_int_equal(counted(SNMP_Ip6_ReasmFails), 1);
	assert_int_equal(drops(DROP_IP_FRAG), 1);
	/* With that one, two that are never whole: of one no first came. */
	rx_fragment6(58, 3, echo, 3000, 1400, 1400);
	host_advance(55 * NSEC_PER_SEC);
	assert_int_equal(counted(SNMP_Ip6_ReasmTimeout), 0);
	solicit();	/* so that we know where to send the error */
	host_advance(15 * NSEC_PER_SEC);
	assert_int_equal(counted(SNMP_Ip6_ReasmTimeout), 2);
	assert_int_equal(counted(SNMP_Ip6_ReasmFails), 2);
	assert_int_equal(counted(SNMP_Ip6_ReasmOKs), 0);
	assert_non_null(sent6(3));
	assert_int_equal(snmp_counts[SNMP_Ip_ReasmReqds] +
			 snmp_counts[SNMP_Ip_ReasmFails] +
			 snmp_counts[SNMP_Ip_FragCreates], 0);
}

static void test_fragments(void **state)
{
	static u8 segment[2000], part[1100];

	memset(snmp_counts, 0, sizeof(snmp_counts));
	for (u32 i = 0; i < sizeof(segment); i++)
		segment[i] = (u8)(i * 3);
	for (u32 off = 1000; off + 1 > 0; off -= 1000) {
		part[0] = IPPROTO_TCP;
		put_be16((u16)(off | (off ? 0 : 1)), part + 2);
		put_be32(99, part + 4);
		memcpy(part + 8, segment + off, 1000);
		put_ip6(&f, 44, peer_ip6, my_ip6, part, 1008);
		assert_true(wire_rx(&f));
		if (!off)
			break;
	}
	assert_int_equal(tcp_seen.count, 1);
	assert_int_equal(tcp_seen.len, 2000);
	assert_int_equal(tcp_seen.transport - tcp_seen.network, 40);
	assert_memory_equal(tcp_seen.data, segment, 2000);
	assert_int_equal(snmp_counts[SNMP_Ip6_ReasmReqds], 2);
	assert_int_equal(snmp_counts[SNMP_Ip6_ReasmOKs], 1);
	assert_int_equal(snmp_counts[SNMP_Ip6_InDelivers], 1);
}

static void test_errors_reach_tcp(void **state)
{
	u8 msg[56] = { 2, 0, 0, 0, 0, 0, 5, 0 };
	struct ip_addr me = addr6(my_ip6);

	msg[8] = 0x60;
	msg[14] = IPPROTO_TCP;
	memcpy(msg + 16, my_ip6, 16);
	memcpy(msg + 32, peer_ip6, 16);
	put_be32(0x12345678, msg + 48);
	rx_icmp6(peer_ip6, my_ip6, msg, sizeof(msg));
	assert_int_equal(icmp_seen.count, 1);
	assert_int_equal(icmp_seen.error, EMSGSIZE);
	assert_int_equal(icmp_seen.mtu, 1280);
	assert_true(ip_addr_eq(&icmp_seen.saddr, &me));
	assert_int_equal(get_be32(icmp_seen.quoted), 0x12345678);
}

static void test_ages_without_a_timer_each_second(void **state)
{
	unsigned int fired = 0;
	u64 end;

	advertise_router(1800);
	advertise(peer_mac);
	host_advance(60 * NSEC_PER_SEC);
	end = host_now + 100 * NSEC_PER_SEC;
	while (host_now < end && host_advance_to_next())
		fired++;
	assert_in_range(fired, 5, 20);
	advertise_router(1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, wire_setup, \
						wire_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_solicitation_is_answered),
		T(test_ping),
		T(test_counters_of_rfc4293),
		T(test_neighbour_is_found_and_followed),
		T(test_silent_neighbour_is_given_up),
		T(test_few_packets_wait_for_a_neighbour),
		T(test_address_from_a_router),
		T(test_fragments),
		T(test_fragment_counters),
		T(test_errors_reach_tcp),
		cmocka_unit_test(test_ages_without_a_timer_each_second),
	};

	wire_init("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
