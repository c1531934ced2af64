/*
 * What a stray segment gets for an answer from the small records, and how
 * often: two of them that dislike each other must not make a loop, and a flood
 * of strays is not doubled (RFC 5961 section 5 and 10, RFC 9293 section
 * 3.10.7.4).
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "net/snmp.h"
#include "tests/unit/tcp_harness.h"

#define STRAYS	100u

/* @seg every 10 ms, for a second; how many segments come out. */
static unsigned int answers(const struct th_seg *seg)
{
	unsigned int n = 0;

	for (u32 i = 0; i < STRAYS; i++) {
		th_in(seg);
		n += th_flush();
		th_sleep_ms(10);
	}
	return n + th_flush();
}

#define answers_to(...)	answers(&(struct th_seg){ __VA_ARGS__ })

/* One each half second, and those that counted as skipped the others. */
static void limited(unsigned int n, u64 skipped)
{
	assert_in_range(n, 2, 3);
	assert_int_equal(n + skipped, STRAYS);
}

static u64 count(u32 which)
{
	u64 n = snmp_counts[which];

	snmp_counts[which] = 0;
	return n;
}

/* Closed by us, our FIN acknowledged: a record in FIN-WAIT-2. */
static struct socket *fin_wait2(bool plain)
{
	struct th_conn c = th_established(plain);

	th_close(c.s);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 100);
	th_flush();
	count(SNMP_TcpExt_TCPACKSkippedFinWait2);
	count(SNMP_TcpExt_TCPACKSkippedTimeWait);
	return c.listener;
}

static struct socket *time_wait(bool plain)
{
	struct socket *l = fin_wait2(plain);

	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 100,
	   .tsval = plain ? 0 : 5000);
	out(.flags = ACK, .seq = 2, .ack = 2);
	return l;
}

static void test_rfc5961_10_fin_wait_2_strays(void **state)
{
	struct socket *l = fin_wait2(true);
	unsigned int n = answers_to(.flags = ACK, .seq = 900000, .ack = 2);

	limited(n, count(SNMP_TcpExt_TCPACKSkippedFinWait2));
	th_close(l);
}

static void test_rfc5961_10_time_wait_strays(void **state)
{
	struct socket *l = time_wait(true);
	unsigned int n = answers_to(.flags = ACK, .seq = 900000, .ack = 2);

	limited(n, count(SNMP_TcpExt_TCPACKSkippedTimeWait));
	/* A FIN that comes again is answered each time: it is no answer. */
	n = answers_to(.flags = FIN | ACK, .seq = 1, .ack = 2);
	assert_int_equal(n, STRAYS);
	th_close(l);
}

/* RFC 9293 section 3.10.7.4, TIME-WAIT: an old SYN is answered, too. */
static void test_rfc5961_10_time_wait_syns(void **state)
{
	struct socket *l = time_wait(false);
	unsigned int n = answers_to(.flags = SYN, .seq = 1, .wnd = 100,
				    .tsval = 10);

	limited(n, count(SNMP_TcpExt_TCPACKSkippedTimeWait));
	th_close(l);
}

static struct socket *request(void)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 65535, .mss = 1460, .tsval = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	count(SNMP_TcpExt_TCPACKSkippedSynRecv);
	return l;
}

/* Beside the one that its timer sends. */
static void test_rfc5961_10_syns_again(void **state)
{
	struct socket *l = request();
	u64 by_timer = snmp_counts[SNMP_Tcp_RetransSegs];
	unsigned int n = answers_to(.flags = SYN, .wnd = 65535, .mss = 1460,
				    .tsval = 1000);

	by_timer = snmp_counts[SNMP_Tcp_RetransSegs] - by_timer;
	limited(n - (unsigned int)by_timer,
		count(SNMP_TcpExt_TCPACKSkippedSynRecv));
	th_close(l);
	th_flush();
}

/* First: not acceptable, so an ACK, but none for a RST. */
static void test_rfc9293_3_10_7_4_first_in_syn_received(void **state)
{
	struct socket *l = request();

	in(.flags = RST, .seq = 900000);
	quiet();
	in(.flags = ACK, .seq = 900000, .ack = 1, .tsval = 1000);
	out(.flags = ACK, .seq = 1, .ack = 1);
	in(.flags = ACK, .seq = 900000, .ack = 1, .tsval = 1000);
	quiet();
	assert_int_equal(count(SNMP_TcpExt_TCPACKSkippedSynRecv), 1);
	th_sleep_ms(520);
	/* PAWS (RFC 7323 section 5.3 R1) comes to the same. */
	in(.flags = ACK, .seq = 1, .ack = 1, .tsval = 900);
	out(.flags = ACK, .seq = 1, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .tsval = 1001);
	assert_int_equal(th_poll(l), 0x41);
	th_close(l);
	th_flush();
}

#define T(name) cmocka_unit_test_setup_teardown(name, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_rfc5961_10_fin_wait_2_strays),
		T(test_rfc5961_10_time_wait_strays),
		T(test_rfc5961_10_time_wait_syns),
		T(test_rfc5961_10_syns_again),
		T(test_rfc9293_3_10_7_4_first_in_syn_received),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
