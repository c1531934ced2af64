/*
 * Frames of made-up senders: who is really there keeps its place.
 * sources: lwip tests/unit/lwip_fixture.c net/skbuff.c net/drop.c net/snmp.c
 * net/ip/checksum.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/time.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

static struct ip_addr ip(u32 addr)
{
	return ip_addr_v4(cpu_to_be32(addr));
}

/* As to whoever forged a SYN: looked up, then sent to. */
static void answer(u32 addr, int expected)
{
	struct sk_buff *skb = alloc_skb(IP_MAX_HEADER + 60);
	struct ip_addr to = ip(addr);
	u8 ll[ETH_HLEN];

	assert_int_equal(lwip_resolve(&wire_dev, &to, ll), expected);
	assert_non_null(skb);
	skb_reserve(skb, IP_MAX_HEADER);
	memset(skb_put(skb, 60), 0, 60);
	lwip_output(&wire_dev, skb, &to);
}

static void test_made_up_neighbours_are_bounded(void **state)
{
	struct ip_addr peer = ip(PEER);
	u8 ll[ETH_HLEN];

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	for (u32 i = 0; i < 600; i++) {
		answer(IP4(10, 0, 0, 20 + i % 200), -EAGAIN);
		assert_int_equal(lwip_resolve(&wire_dev, &peer, ll), 0);
		host_advance(20 * NSEC_PER_MSEC);
	}
	host_advance(20 * NSEC_PER_SEC);
	assert_int_equal(drops(DROP_NEIGH_UNRESOLVED), 600);
	/* They are forgotten: others can be asked for. */
	wire_clear();
	answer(IP4(10, 0, 0, 250), -EAGAIN);
	assert_int_equal(wire_count(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_made_up_neighbours_are_bounded, wire_setup,
			wire_teardown),
	};

	wire_init("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
