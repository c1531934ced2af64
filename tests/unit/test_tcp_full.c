/*
 * How many there may be of what a peer can make us keep: TIME-WAIT records,
 * orphans, half-open connections; in a machine of 4 MiB.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "net/snmp.h"
#include "tests/unit/tcp_harness.h"

#define TW_MOST		512u	/* 4 MiB / 64 / 128 bytes */
#define ORPHANS_LEAST	64u
#define REQUESTS_MAX	1024u	/* of one listener */
#define REQUESTS_ALL	16384u

static struct socket *listener;
static char bytes[100];

u64 nr_total_pages(void)
{
	return 1024;
}

/* The peer's port @p is connected and accepted. */
static struct socket *established(u16 p)
{
	struct socket *s;
	int err;

	in(.flags = SYN, .wnd = 1000, .mss = 1000, .sport = p);
	assert_int_equal(th_flush(), 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000, .sport = p);
	s = th_accept(listener, &err);
	assert_non_null(s);
	return s;
}

static void test_time_wait_records_are_limited(void **state)
{
	u64 full = snmp_counts[SNMP_TcpExt_TCPTimeWaitOverflow];

	listener = th_listen(TH_PORT);
	for (u16 p = 1; p <= TW_MOST + 20; p++) {
		th_close(established(p));
		th_flush();
		in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 1000,
		   .sport = p);
		th_flush();
	}
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPTimeWaitOverflow] - full,
			 20);
	/* The last ones just ended, the first ones are still known. */
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .sport = TW_MOST + 1);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, RST);
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .sport = 1);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, ACK);
	/* After their time there is room again. */
	th_sleep_ms(61000);
	th_close(established(1));
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 1000, .sport = 1);
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .sport = 1);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, ACK);
	th_close(listener);
	th_leaf_pages(8);
}

/* Closed with data that the peer never acknowledges. */
static void test_orphans_are_limited(void **state)
{
	u64 aborts = snmp_counts[SNMP_TcpExt_TCPAbortOnMemory];

	listener = th_listen(TH_PORT);
	for (u16 p = 1; p <= ORPHANS_LEAST + 5; p++) {
		struct socket *s = established(p);

		assert_int_equal(th_send(s, bytes, sizeof(bytes), 0),
				 sizeof(bytes));
		th_flush();
		th_close(s);
		th_flush();
		if (p > ORPHANS_LEAST)
			assert_int_equal(th_last.flags & RST, RST);
		else
			assert_int_equal(th_last.flags & (RST | FIN), FIN);
	}
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPAbortOnMemory] - aborts,
			 5);
	for (u16 p = 1; p <= ORPHANS_LEAST; p++)
		in(.flags = RST, .seq = 1, .sport = p);
	/* There is room again. */
	th_close(established(9));
	th_flush();
	assert_int_equal(th_last.flags & (RST | FIN), FIN);
	in(.flags = RST, .seq = 1, .sport = 9);
	th_close(listener);
	th_flush();
}

/* Of one listener, and of all: then there are cookies. */
static void test_half_open_ones_are_limited(void **state)
{
	struct socket *l[REQUESTS_ALL / REQUESTS_MAX + 1];
	u64 cookies = snmp_counts[SNMP_TcpExt_SyncookiesSent];

	for (u16 i = 0; i < ARRAY_SIZE(l); i++) {
		l[i] = th_listen((u16)(1000 + i));
		for (u16 p = 1; p <= REQUESTS_MAX; p++) {
			in(.flags = SYN, .wnd = 1000, .mss = 1000, .sport = p,
			   .dport = (u16)(1000 + i));
			assert_int_equal(th_flush(), 1);
		}
	}
	assert_int_equal(snmp_counts[SNMP_TcpExt_SyncookiesSent] - cookies,
			 REQUESTS_MAX);
	in(.flags = SYN, .wnd = 1000, .mss = 1000, .sport = 5000,
	   .dport = 1000);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(snmp_counts[SNMP_TcpExt_SyncookiesSent] - cookies,
			 REQUESTS_MAX + 1);
	for (u16 i = 0; i < ARRAY_SIZE(l); i++)
		th_close(l[i]);
	th_flush();
	th_leaf_pages(64);
}

#define T(name) cmocka_unit_test_setup_teardown(name, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_time_wait_records_are_limited),
		T(test_orphans_are_limited),
		T(test_half_open_ones_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
