/*
 * What lwIP does with fragments, in the counters of /proc/net/snmp.
 * sources: lwip tests/unit/lwip_fixture.c net/skbuff.c net/drop.c net/snmp.c
 * net/ip/checksum.c kernel/wait.c
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "tests/host/host.h"
#include "tests/unit/lwip_fixture.h"

static u8 payload[4000];

/* What counted since the last look. */
static u64 ip_counts(u32 which)
{
	u64 n = snmp_counts[which];

	snmp_counts[which] = 0;
	return n;
}

static void test_fragments_are_counted(void **state)
{
	static u8 data[3000];
	u32 len;

	peer_says_arp(ARP_REQ, peer_mac, PEER);
	memset(snmp_counts, 0, sizeof(snmp_counts));
	len = make_icmp(payload, 8, 0, 1, data, sizeof(data));
	rx_fragment(IPPROTO_ICMP, payload, len, 0, 1480);
	rx_fragment(IPPROTO_ICMP, payload, len, 1480, 1480);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmReqds), 2);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmOKs), 0);
	assert_int_equal(ip_counts(SNMP_Ip_InDelivers), 0);
	rx_fragment(IPPROTO_ICMP, payload, len, 2960, len - 2960);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmReqds), 1);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmOKs), 1);
	assert_int_equal(ip_counts(SNMP_Ip_InDelivers), 1);
	/* The answer goes in as many. */
	assert_int_equal(ip_counts(SNMP_Ip_FragOKs), 1);
	assert_int_equal(ip_counts(SNMP_Ip_FragCreates), 3);
	assert_int_equal(ip_counts(SNMP_Ip_OutRequests), 1);
	assert_int_equal(ip_counts(SNMP_IpExt_OutOctets), len + 3 * 20);
	/* TCP's are taken by another way; this one overlaps. */
	rx_fragment(IPPROTO_TCP, payload, 2000, 0, 1480);
	rx_fragment(IPPROTO_TCP, payload, 4000, 1472, 1480);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmFails), 1);
	rx_fragment(IPPROTO_TCP, payload, 2000, 1480, 520);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmOKs), 1);
	/* And of this one there is never more. */
	rx_fragment(IPPROTO_TCP, payload, 4000, 0, 1480);
	host_advance(17 * NSEC_PER_SEC);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmTimeout), 1);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmFails), 1);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmOKs), 0);
}

/* Nobody hears of it, so no error that goes out could be counted. */
static void test_a_first_fragment_that_never_comes(void **state)
{
	peer_says_arp(ARP_REQ, peer_mac, PEER);
	memset(snmp_counts, 0, sizeof(snmp_counts));
	wire_clear();
	rx_fragment(IPPROTO_TCP, payload, 4000, 1480, 1480);
	host_advance(10 * NSEC_PER_SEC);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmTimeout), 0);
	host_advance(7 * NSEC_PER_SEC);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmTimeout), 1);
	assert_int_equal(ip_counts(SNMP_Ip_ReasmFails), 1);
	assert_int_equal(wire_count_ip4(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fragments_are_counted,
						wire_setup, wire_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_first_fragment_that_never_comes,
			wire_setup, wire_teardown),
	};

	wire_init("10.0.0.2::10.0.0.1:255.255.255.0::eth0:off");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
