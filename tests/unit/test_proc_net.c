/*
 * The files of /proc/net in Linux's formats: columns and names that readers
 * go by, and that each counter stands under its own.
 * sources: tcp net/proc.c net/proc_snmp.c
 */
#include "tests/unit/unit.h"

#include "kernel/string.h"
#include "net/dev.h"
#include "net/lwip/lwip_udp.h"
#include "net/lwip/resolv.h"
#include "net/proc.h"
#include "net/snmp.h"
#include "net/tcp/tcp_proc.h"
#include "tests/unit/tcp_harness.h"

static char text[16384];
static struct sock udp_socks[40];
static u32 nr_udp;

bool resolv_show(struct seq_file *m, u64 *cursor)
{
	return false;
}

bool hosts_show(struct seq_file *m, u64 *cursor)
{
	return false;
}

void lwip_udp_for_each(void (*fn)(struct sock *sk, void *arg), void *arg)
{
	for (u32 i = 0; i < nr_udp; i++)
		fn(&udp_socks[i], arg);
}

void dev_for_each(void (*fn)(struct net_device *dev, void *arg), void *arg)
{
	struct net_device lo = { .name = "lo", .rx_packets = 3 };

	fn(&lo, arg);
}

static const char *show(const char *name)
{
	struct seq_file m = { .buf = text, .size = sizeof(text) };
	const struct seq_entry *e = net_proc_entries;
	u64 cursor = 0;

	while (e->name && strcmp(e->name, name))
		e++;
	assert_non_null(e->name);
	while (e->show(&m, &cursor))
		;
	assert_false(m.overflow);
	text[m.len] = '\0';
	return text;
}

/* The number under @name of the group's two lines. */
static long long under(const char *group, const char *name)
{
	static char copy[sizeof(text)];
	char *names, *values, *n, *v;

	strlcpy(copy, text, sizeof(copy));
	names = strstr(copy, group);
	assert_non_null(names);
	names = strchr(names, ' ');
	values = strstr(names, group);
	values = strchr(values, ' ');
	names[strcspn(names, "\n")] = '\0';
	values[strcspn(values, "\n")] = '\0';
	for (n = strtok_r(names, " ", &names), v = strtok_r(values, " ",
							     &values);
	     n; n = strtok_r(NULL, " ", &names),
		v = strtok_r(NULL, " ", &values)) {
		assert_non_null(v);
		if (!strcmp(n, name))
			return atoll(v);
	}
	assert_null(v);
	fail_msg("%s has no %s", group, name);
	return -1;
}

static void number_all(void)
{
	for (u32 i = 0; i < NR_SNMP_COUNTERS; i++)
		snmp_counts[i] = 1000 + i;
	for (u32 i = 0; i < ICMP_SLOTS; i++) {
		icmp_in[i] = 2000 + i;
		icmp_out[i] = 3000 + i;
	}
}

static void test_snmp(void **state)
{
	number_all();
	show("snmp");
	assert_ptr_equal(strstr(text, "Ip: Forwarding DefaultTTL InReceives"),
			 text);
	assert_int_equal(under("\nTcp:", "OutRsts"), 1000 + SNMP_Tcp_OutRsts);
	assert_int_equal(under("\nUdp:", "NoPorts"), 1000 + SNMP_Udp_NoPorts);
	assert_int_equal(under("\nIcmp:", "InEchos"), 2008);
	assert_int_equal(under("\nIcmp:", "OutDestUnreachs"), 3003);
	assert_int_equal(under("\nIcmp:", "OutAddrMaskReps"), 3018);
	assert_int_equal(under("\nIcmp:", "InErrors"),
			 1000 + SNMP_Icmp_InErrors);
	assert_int_equal(under("\nIcmp:", "InMsgs"), 19 * 2000 + 18 * 19 / 2);
	assert_int_equal(under("\nTcp:", "CurrEstab"), 0);
	assert_non_null(strstr(text, "\nTcp: 1 200 120000 -1 "));
	assert_int_equal(under("Ip:", "Forwarding"), 2);
	assert_int_equal(under("Ip:", "DefaultTTL"), 64);
	assert_int_equal(under("Ip:", "ReasmOKs"), 1000 + SNMP_Ip_ReasmOKs);
	assert_int_equal(under("Ip:", "FragCreates"),
			 1000 + SNMP_Ip_FragCreates);
}

/* The value behind @name in a file with a line for each. */
static long long line_of(const char *name)
{
	char want[40];
	const char *at;

	snprintf(want, sizeof(want), "%-32s\t", name);
	at = strstr(text, want);
	assert_non_null(at);
	assert_true(at == text || at[-1] == '\n');
	return atoll(at + strlen(want));
}

static void test_snmp6(void **state)
{
	number_all();
	show("snmp6");
	assert_int_equal(line_of("Ip6InReceives"),
			 1000 + SNMP_Ip6_InReceives);
	assert_int_equal(line_of("Ip6OutNoRoutes"),
			 1000 + SNMP_Ip6_OutNoRoutes);
	assert_int_equal(line_of("Icmp6InErrors"),
			 1000 + SNMP_Icmp6_InErrors);
	assert_int_equal(line_of("Icmp6InEchos"), 2000 + 19 + 5);
	assert_int_equal(line_of("Icmp6OutDestUnreachs"), 3000 + 19 + 1);
	assert_int_equal(line_of("Icmp6InRouterAdvertisements"), 2000 + 30);
	assert_int_equal(line_of("Icmp6OutMLDv2Reports"), 3000 + 39);
	assert_int_equal(line_of("Icmp6InMsgs"), 22 * 2000 + 59 * 11);
	assert_int_equal(line_of("Udp6InDatagrams"),
			 1000 + SNMP_Udp6_InDatagrams);
}

static void test_netstat(void **state)
{
	number_all();
	show("netstat");
	assert_int_equal(under("TcpExt:", "TCPLossProbes"),
			 1000 + SNMP_TcpExt_TCPLossProbes);
	assert_int_equal(under("\nIpExt:", "InOctets"),
			 1000 + SNMP_IpExt_InOctets);
	assert_int_equal(under("\nIpExt:", "InCEPkts"),
			 1000 + SNMP_IpExt_InCEPkts);
	snmp_counts[SNMP_Ip_InReceives] = 10000;
	show("netstat");
	assert_int_equal(under("\nIpExt:", "InNoECTPkts"),
			 6000 - SNMP_Ip_InHdrErrors - SNMP_IpExt_InECT1Pkts -
			 SNMP_IpExt_InECT0Pkts - SNMP_IpExt_InCEPkts);
}

static void test_tcp_lines(void **state)
{
	struct th_conn c = th_established(false);
	char want[64];

	show("tcp");
	snprintf(want, sizeof(want), ": 00000000:%04X 00000000:0000 0A ",
		 TH_PORT);
	assert_non_null(strstr(text, want));
	snprintf(want, sizeof(want), ": 0100000A:%04X 0200000A:%04X 01 ",
		 TH_PORT, TH_PEER_PORT);
	assert_non_null(strstr(text, want));
	/* Each line has 149 characters, as tools that count them want. */
	assert_int_equal(strlen(text) % 150, 0);
	show("snmp");
	assert_int_equal(under("\nTcp:", "CurrEstab"), 1);
	show("tcp6");
	assert_null(strchr(strchr(text, '\n') + 1, '\n'));
	th_send(c.s, "data", 4, 0);
	show("tcp");
	assert_non_null(strstr(text, " 00000004:00000000 01:000000"));
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 5, .wnd = 500, .tsval = 1000);
	th_close(c.s);
	th_flush();
	th_close(c.listener);
	show("sockstat");
	assert_non_null(strstr(text, "orphan 1 "));
	in(.flags = ACK, .seq = 2, .ack = 6, .wnd = 500, .tsval = 1000);
}

/* Records: a half-open connection, and one in TIME-WAIT. */
static void test_records(void **state)
{
	struct th_conn c = th_established(true);
	char want[64];

	th_close(c.s);
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 500);
	th_flush();
	show("tcp");
	snprintf(want, sizeof(want), "0200000A:%04X 06 ", TH_PEER_PORT);
	assert_non_null(strstr(text, want));
	in(.flags = SYN, .sport = 5, .wnd = 65535, .mss = 1000);
	th_flush();
	show("tcp");
	assert_non_null(strstr(text, "0200000A:0005 03 "));
	in(.flags = RST, .sport = 5, .seq = 1);
	th_close(c.listener);
	th_sleep_ms(70000);
}

static void test_udp_lines(void **state)
{
	nr_udp = ARRAY_SIZE(udp_socks);
	for (u32 i = 0; i < nr_udp; i++) {
		udp_socks[i].sk_family = i & 1 ? AF_INET6 : AF_INET;
		udp_socks[i].sk_state = TCP_CLOSE;
		udp_socks[i].sk_num = (u16)(100 + i);
	}
	udp_socks[0].sk_rcv_saddr = ip_addr_v4(0x0100007f);
	show("udp");
	assert_non_null(strstr(text, "\n    0: 0100007F:0064 00000000:0000 07 "
				     "00000000:00000000 00:00000000 "));
	assert_int_equal(strlen(text), 128 * 21);
	assert_non_null(strstr(text, "\n   19: 00000000:008A "));
	show("udp6");
	assert_non_null(strstr(text, "\n    0: 00000000000000000000000000000000"
				     ":0065 00000000000000000000000000000000"
				     ":0000 07 "));
	assert_non_null(strstr(text, "\n   19: "));
	assert_null(strstr(text, "\n   20: "));
	show("sockstat6");
	assert_non_null(strstr(text, "TCP6: inuse 0\nUDP6: inuse 20\n"));
	nr_udp = 0;
}

static void test_dev_and_drops(void **state)
{
	drop_counts[DROP_TCP_CSUM] = 7;
	show("drops");
	assert_non_null(strstr(text, "TCP_CSUM 7\n"));
	drop_counts[DROP_TCP_CSUM] = 0;
	show("dev");
	assert_non_null(strstr(text, "    lo:       0       3 "));
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_snmp),
		T(test_snmp6),
		T(test_netstat),
		T(test_tcp_lines),
		T(test_records),
		T(test_udp_lines),
		T(test_dev_and_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
