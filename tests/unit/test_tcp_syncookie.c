/*
 * SYN cookies (RFC 4987 section 3.6), the limits on half-open and orphaned
 * connections, and segments without ACK (RFC 9293 section 3.10.7.1).
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/snmp.h"
#include "tests/unit/tcp_harness.h"

#define QUEUE	1024u	/* requests that a listener keeps */
#define CLIENT	60000

/* A SYN from each of @n ports, answered or not. */
static void flood(u32 n)
{
	for (u32 i = 0; i < n; i++) {
		in(.flags = SYN, .wnd = 65535, .mss = 1460,
		   .sport = (u16)(1000 + i));
		th_flush();
	}
}

static struct socket *accepted(struct socket *l)
{
	int err;
	struct socket *s = th_accept(l, &err);

	assert_non_null(s);
	return s;
}

static u64 count(enum snmp_counter which)
{
	return snmp_counts[which];
}

static void test_rfc4987_a_flood_keeps_no_more_than_the_queue(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 sent = count(SNMP_TcpExt_SyncookiesSent);
	unsigned long full;

	th_leaf_pages(64);
	flood(QUEUE);
	full = host_allocs_outstanding();
	assert_int_equal(count(SNMP_TcpExt_SyncookiesSent), sent);
	flood(QUEUE + 500);
	assert_int_equal(count(SNMP_TcpExt_SyncookiesSent), sent + 500);
	assert_int_equal(host_allocs_outstanding(), full);
	th_close(l);
}

static void test_rfc4987_a_client_is_served_during_the_flood(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	u64 recv = count(SNMP_TcpExt_SyncookiesRecv);

	th_leaf_pages(64);
	flood(QUEUE);
	in(.flags = SYN, .wnd = 65535, .mss = 1300, .sport = CLIENT);
	out(.flags = SYN | ACK, .ack = 1, .mss = 1460);
	assert_int_equal(th_last.wscale, 0);
	assert_false(th_last.sack_ok);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535, .sport = CLIENT);
	quiet();
	assert_int_equal(count(SNMP_TcpExt_SyncookiesRecv), recv + 1);
	s = accepted(l);
	/* The MSS came back, rounded down. */
	assert_int_equal(th_tp(s)->mss_cache, 1220);
	in(.flags = ACK | PSH, .seq = 1, .ack = 1, .wnd = 65535, .len = 5,
	   .sport = CLIENT);
	th_sleep_ms(41);
	out(.flags = ACK, .seq = 1, .ack = 6);
	th_close(s);
	th_flush();
	th_close(l);
}

static void test_rfc7323_options_come_back_in_the_timestamp(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	u32 stamp;

	th_leaf_pages(64);
	flood(QUEUE);
	for (u32 i = 0; i < 4; i++) {
		bool sack = i & 1, scale = i & 2;
		u16 port = (u16)(CLIENT + i);

		th_sleep_ms(37);
		in(.flags = SYN, .wnd = 65535, .mss = 1460, .tsval = 500,
		   .sack_ok = sack, .wscale = scale ? 8 : 0, .sport = port);
		out(.flags = SYN | ACK, .ack = 1, .mss = 1460);
		assert_int_equal(th_last.sack_ok, sack);
		assert_int_equal(th_last.wscale, scale ? 8 : 0);
		assert_int_equal(th_last.tsecr, 500);
		stamp = th_last.tsval;
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .tsval = 501,
		   .tsecr = stamp, .sport = port);
		s = accepted(l);
		assert_int_equal(th_tp(s)->opts,
				 TCP_OPT_TS | (sack ? TCP_OPT_SACK_OK : 0) |
				 (scale ? TCP_OPT_WSCALE : 0));
		assert_int_equal(th_tp(s)->snd_wscale, scale ? 7 : 0);
		assert_int_equal(th_tp(s)->snd_wnd, scale ? 12800 : 100);
		th_send(s, "x", 1, 0);
		out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1);
		/* The clock of the timestamps only goes on. */
		assert_true(th_last.tsval - stamp < 64);
		/* Or its FIN would come between. */
		in(.flags = RST, .seq = 1, .sport = port);
		th_close(s);
		th_flush();
	}
	th_close(l);
}

static void test_rfc4987_a_cookie_ages(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	th_fail_next = 1;
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT);
	out(.flags = SYN | ACK, .ack = 1);
	th_sleep_ms(30000);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .sport = CLIENT);
	quiet();
	th_close(accepted(l));
	th_flush();
	th_fail_next = 1;
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT + 1);
	out(.flags = SYN | ACK, .ack = 1);
	th_sleep_ms(129000);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .sport = CLIENT + 1);
	out(.flags = RST, .seq = 1);
	th_close(l);
}

/* Even while newer ones are about: two halves of a life are all it has. */
static void test_rfc4987_an_old_cookie_beside_new_ones(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u32 old;

	th_fail_next = 1;
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT);
	out(.flags = SYN | ACK, .ack = 1);
	old = th_iss();
	th_sleep_ms(100000);
	th_fail_next = 1;
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT + 1);
	out(.flags = SYN | ACK, .ack = 1);
	th_sleep_ms(50000);
	th_flush();
	in(.flags = ACK, .seq = 1, .ack = old + 1 - th_iss(), .wnd = 10,
	   .sport = CLIENT);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, RST);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .sport = CLIENT + 1);
	th_close(accepted(l));
	th_flush();
	th_close(l);
}

/* The SYN came twice, and when it came again, there was room. */
static void test_rfc4987_a_cookie_counts_beside_a_request(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	u32 cookie;

	th_fail_next = 1;
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT);
	out(.flags = SYN | ACK, .ack = 1);
	cookie = th_iss();
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_not_equal(th_iss(), cookie);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 10, .sport = CLIENT);
	out(.flags = RST, .seq = 2);
	in(.flags = ACK, .seq = 1, .ack = cookie + 1 - th_iss(), .wnd = 10,
	   .sport = CLIENT);
	quiet();
	s = accepted(l);
	/* The request is gone, or it would answer. */
	th_sleep_ms(1500);
	quiet();
	th_close(s);
	th_flush();
	th_close(l);
}

static void test_rfc4987_forged_acks_are_refused(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 failed;
	int err;

	th_leaf_pages(64);
	flood(QUEUE);
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sport = CLIENT);
	out(.flags = SYN | ACK, .ack = 1);
	failed = count(SNMP_TcpExt_SyncookiesFailed);
	/* Another port, another number of the peer's, other bits. */
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .sport = CLIENT + 1);
	out(.flags = RST, .seq = 1);
	in(.flags = ACK, .seq = 2, .ack = 1, .wnd = 10, .sport = CLIENT);
	out(.flags = RST, .seq = 1);
	for (u32 bit = 0; bit < 32; bit++) {
		u32 ack = 1 + (1u << bit);

		in(.flags = ACK, .seq = 1, .ack = ack, .wnd = 10,
		   .sport = CLIENT);
		out(.flags = RST, .seq = ack);
	}
	assert_int_equal(count(SNMP_TcpExt_SyncookiesFailed), failed + 34);
	assert_null(th_accept(l, &err));
	/* A stamp that is not of ours, with a number that is. */
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .tsval = 1,
	   .tsecr = 0x12345678, .sport = CLIENT);
	out(.flags = RST, .seq = 1);
	th_close(l);
}

static void test_rfc4987_no_cookie_is_believed_when_none_was_sent(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 failed = count(SNMP_TcpExt_SyncookiesFailed);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .sport = CLIENT);
	out(.flags = RST, .seq = 1);
	assert_int_equal(count(SNMP_TcpExt_SyncookiesFailed), failed);
	th_close(l);
}

static void test_no_memory_for_a_request_makes_a_cookie(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 sent = count(SNMP_TcpExt_SyncookiesSent);

	th_fail_next = 1;
	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(count(SNMP_TcpExt_SyncookiesSent), sent + 1);
	/* None for the child either: the peer says it again. */
	th_fail_next = 1;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 10);
	th_close(accepted(l));
	th_flush();
	th_close(l);
}

static void test_rfc9293_3_10_7_1_no_flags_to_a_closed_port(void **state)
{
	static const u8 flags[] = { 0, PSH, FIN, URG };

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		in(.flags = flags[i], .seq = 7, .wnd = 10, .len = 4);
		out(.flags = RST | ACK, .seq = 0,
		    .ack = 11 + (flags[i] == FIN));
	}
}

static void test_rfc9293_3_10_7_2_no_flags_to_a_listener(void **state)
{
	struct socket *l = th_listen(TH_PORT);
	u64 drops = drop_counts[DROP_TCP_FLAGS];

	in(.flags = 0, .seq = 7, .wnd = 10, .len = 4);
	in(.flags = FIN, .seq = 7, .wnd = 10);
	quiet();
	assert_int_equal(drop_counts[DROP_TCP_FLAGS], drops + 2);
	th_close(l);
}

static void test_rfc9293_3_10_7_4_without_ack_is_dropped(void **state)
{
	struct th_conn c = th_established(false);
	u64 drops = drop_counts[DROP_TCP_NO_ACK];

	in(.flags = PSH, .seq = 1, .wnd = 10, .len = 4, .tsval = 1002);
	quiet();
	assert_int_equal(drop_counts[DROP_TCP_NO_ACK], drops + 1);
	th_conn_close(&c);
	th_flush();
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc4987_a_flood_keeps_no_more_than_the_queue),
		T(test_rfc4987_a_client_is_served_during_the_flood),
		T(test_rfc7323_options_come_back_in_the_timestamp),
		T(test_rfc4987_a_cookie_ages),
		T(test_rfc4987_an_old_cookie_beside_new_ones),
		T(test_rfc4987_a_cookie_counts_beside_a_request),
		T(test_rfc4987_forged_acks_are_refused),
		T(test_rfc4987_no_cookie_is_believed_when_none_was_sent),
		T(test_no_memory_for_a_request_makes_a_cookie),
		T(test_rfc9293_3_10_7_1_no_flags_to_a_closed_port),
		T(test_rfc9293_3_10_7_2_no_flags_to_a_listener),
		T(test_rfc9293_3_10_7_4_without_ack_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
