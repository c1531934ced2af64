/*
 * What is counted when: after each step exactly these counters of /proc/net
 * have moved, and what was dropped has its reason.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "kernel/errno.h"
#include "kernel/string.h"
#include "net/drop.h"
#include "net/snmp.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_LINGER2	8
#define SO_LINGER_	13
#define SO_KEEPALIVE_	9
#define TCP_KEEPIDLE	4
#define M		1448u	/* what we send with timestamps */

static u64 snmp_was[NR_SNMP_COUNTERS], drops_were[NR_DROP_REASONS];
static char bytes[100000];

/* Nobody but these tests wants to know of every segment. */
static bool dull(u32 which)
{
	return which == SNMP_Tcp_InSegs || which == SNMP_Tcp_OutSegs ||
	       which == SNMP_TcpExt_TCPHPHits ||
	       which == SNMP_TcpExt_TCPHPAcks ||
	       which == SNMP_TcpExt_TCPPureAcks ||
	       which == SNMP_TcpExt_TCPOrigDataSent;
}

static void mark(void)
{
	memcpy(snmp_was, snmp_counts, sizeof(snmp_was));
	memcpy(drops_were, drop_counts, sizeof(drops_were));
}

/* Since the last look: the counters, and in capitals the reasons. */
static void check_moved(const char *want, bool all, int line)
{
	struct snmp_walk w = { 0 };
	char got[512] = "";
	size_t n = 0;

	while (snmp_next(&w)) {
		u64 by = snmp_counts[w.which] - snmp_was[w.which];

		if (by && (all || !dull(w.which)))
			n += (size_t)sprintf(got + n, "%s %llu ", w.name,
					     (unsigned long long)by);
	}
	for (u32 i = 0; i < NR_DROP_REASONS; i++) {
		u64 by = drop_counts[i] - drops_were[i];

		if (by)
			n += (size_t)sprintf(got + n, "%s %llu ",
					     drop_name((enum drop_reason)i),
					     (unsigned long long)by);
	}
	if (n)
		got[n - 1] = '\0';
	if (strcmp(got, want))
		fail_msg("line %d: moved: %s", line, got);
	mark();
}

#define moved(want)	check_moved(want, false, __LINE__)
#define moved_all(want)	check_moved(want, true, __LINE__)

static void test_listener(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	mark();
	in(.flags = RST, .seq = 1);
	moved("TCP_INVALID_RST 1");
	in(.flags = ACK, .seq = 1, .ack = 1);
	moved("OutRsts 1 TCP_NO_SOCKET 1");
	in(.flags = FIN, .seq = 1);
	moved("TCP_FLAGS 1");
	th_flush();
	th_close(l);
	th_flush();
}

static void test_overflow(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	assert_int_equal(l->ops->listen(l, 0), 0);
	in(.flags = SYN, .wnd = 1000, .mss = 1000, .sport = 1);
	th_flush();
	mark();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000, .sport = 1);
	moved("PassiveOpens 1");
	in(.flags = SYN, .wnd = 1000, .mss = 1000, .sport = 2);
	moved("ListenOverflows 1 ListenDrops 1 TCP_LISTEN_OVERFLOW 1");
	th_close(l);
	moved("OutRsts 1");
	th_flush();
}

static void test_request(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 1000, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	mark();
	in(.flags = SYN, .wnd = 1000, .mss = 1000);
	moved("TCP_REQ_DUP 1");
	in(.flags = ACK, .seq = 1, .ack = 5, .wnd = 1000);
	moved("OutRsts 1 TCP_TOO_NEW_ACK 1");
	in(.flags = SYN | ACK, .seq = 1, .ack = 1, .wnd = 1000);
	moved("TCP_INVALID_SYN 1");
	in(.flags = FIN, .seq = 1, .wnd = 1000);
	moved("TCP_NO_ACK 1");
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 1000, .len = 1);
	moved("TCP_OUT_OF_WINDOW 1");
	in(.flags = RST, .seq = 1);
	moved("EmbryonicRsts 1 TCP_RESET 1");
	in(.flags = SYN, .wnd = 1000, .mss = 1000);
	mark();
	th_sleep_ms(1500);
	moved("RetransSegs 1");
	th_sleep_ms(100000);
	moved("AttemptFails 1 RetransSegs 4");
	th_close(l);
	th_flush();
}

static void test_synchronised(void **state)
{
	struct th_conn c = th_established(false);

	mark();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512, .len = 10,
	   .tsval = 1002);
	moved_all("InSegs 1 TCPHPHits 1");
	th_sleep_ms(50);
	moved_all("OutSegs 1 DelayedACKs 1");
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 512, .tsval = 1002);
	moved_all("InSegs 1 TCPHPAcks 1");
	in(.flags = ACK | URG, .seq = 11, .ack = 1, .wnd = 512,
	   .tsval = 1002);
	moved_all("InSegs 1 TCPPureAcks 1");
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512, .len = 10,
	   .tsval = 1002);
	moved("DelayedACKLost 1 TCPDSACKOldSent 1 TCP_OLD_DATA 1");
	in(.flags = ACK, .seq = 51, .ack = 1, .wnd = 512, .len = 10,
	   .tsval = 1002);
	moved("TCPOFOQueue 1");
	in(.flags = ACK, .seq = 51, .ack = 1, .wnd = 512, .len = 10,
	   .tsval = 1002);
	moved("TCPOFOQueue 1 TCPDSACKOfoSent 1 TCP_DUPLICATE 1");
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 512, .len = 10,
	   .tsval = 10);
	moved("PAWSEstab 1 TCP_PAWS 1");
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 512, .len = 10,
	   .tsval = 1002);
	moved("TCP_OUT_OF_WINDOW 1");
	in(.flags = SYN, .seq = 11, .wnd = 512, .tsval = 1002);
	moved("TCPChallengeACK 1 TCPSYNChallenge 1 TCP_INVALID_SYN 1");
	th_sleep_ms(600);
	mark();
	in(.flags = ACK, .seq = 11, .ack = 100, .wnd = 512, .tsval = 1002);
	moved("TCPChallengeACK 1 TCP_TOO_NEW_ACK 1");
	in(.flags = FIN, .seq = 11, .wnd = 512, .tsval = 1002);
	moved("TCP_NO_ACK 1");
	in(.flags = RST, .seq = 11, .tsval = 1002);
	moved("EstabResets 1");
	th_conn_done(&c);
}

static void test_the_end(void **state)
{
	s32 now[2] = { 1, 0 };
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512, .len = 10);
	mark();
	th_close(c.s);
	moved("OutRsts 1 TCPAbortOnClose 1");
	th_close(c.listener);
	th_flush();
	c = th_established(true);
	sock_setsockopt(c.s->sk, SO_LINGER_, now, sizeof(now));
	mark();
	th_close(c.s);
	moved("OutRsts 1 TCPAbortOnData 1");
	th_close(c.listener);
	th_flush();
	c = th_established(true);
	th_setopt(c.s, SOL_TCP, TCP_LINGER2, -1);
	c.s->ops->shutdown(c.s, SHUT_WR);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 512);
	mark();
	th_close(c.s);
	moved("OutRsts 1 TCPAbortOnLinger 1");
	th_close(c.listener);
	th_flush();
	c = th_established(true);
	th_close(c.s);
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 512);
	mark();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 512);
	moved("TCP_TIME_WAIT 1");
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 512);
	moved("TCP_TIME_WAIT 1");
	in(.flags = SYN, .seq = 90000, .wnd = 512, .mss = 1000);
	moved("TWRecycled 1");
	in(.flags = RST, .seq = 90001);
	th_close(c.listener);
	th_flush();
	c = th_established(true);
	th_close(c.s);
	mark();
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 512, .len = 10);
	moved("OutRsts 1 TCPAbortOnData 1 TCP_CLOSED 1");
	th_close(c.listener);
	th_flush();
}

static void test_active(void **state)
{
	struct socket *s = th_socket();

	mark();
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	moved("ActiveOpens 1");
	th_flush();
	th_port = s->sk->sk_num;
	th_sleep_ms(1100);
	moved("RetransSegs 1 TCPSynRetrans 1");
	in(.flags = RST, .seq = 0);
	moved("TCP_INVALID_RST 1");
	in(.flags = RST | ACK, .seq = 0, .ack = 1);
	moved("AttemptFails 1");
	th_close(s);
	th_flush();
}

static void test_timers(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_KEEPIDLE, 1);
	th_setopt(c.s, 1, SO_KEEPALIVE_, 1);
	mark();
	th_sleep_ms(1100);
	moved("TCPKeepAlive 1");
	th_setopt(c.s, 1, SO_KEEPALIVE_, 0);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	mark();
	th_sleep_ms(1100);
	moved("TCPWinProbe 1");
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
	in(.flags = ACK, .seq = 1, .ack = 11, .wnd = 1000);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	mark();
	th_sleep_ms(1100);
	moved("RetransSegs 2 TCPTimeouts 2");
	th_sleep_ms(3600000);
	th_flush();
	moved("RetransSegs 13 TCPTimeouts 13 TCPAbortOnTimeout 1");
	th_conn_done(&c);
}

/* Duplicate ACKs, timeouts, and at last an ACK; with SACK and without. */
static void test_losses(void **state)
{
	for (int plain = 0; plain < 2; plain++) {
		struct th_conn c = th_established(plain);
		u32 mss = th_tp(c.s)->mss_cache, seen = plain ? 0 : 9000;

		assert_int_equal(th_send(c.s, bytes, 8 * mss, 0), 8 * mss);
		th_flush();
		mark();
		for (u32 n = 2; n < 6; n++)
			in(.flags = ACK, .seq = 1, .ack = 1,
			   .wnd = plain ? 65535 : 512, .tsval = seen,
			   .tsecr = th_last.tsval, .nr_sacks = !plain,
			   .sacks = { { 1 + mss, 1 + n * mss } });
		moved(plain ? "RetransSegs 1 TCPFastRetrans 1 TCPRenoRecovery 1" : "RetransSegs 1 TCPFastRetrans 1 TCPSackRecovery 1");
		th_flush();
		for (int i = 0; i < 40; i++) {
			th_sleep_ms(100);
			th_flush();
		}
		moved(plain ? "RetransSegs 2 TCPTimeouts 2" : "RetransSegs 4 TCPTimeouts 4 TCPMTUPFail 1");
		in(.flags = ACK, .seq = 1, .ack = 1 + mss,
		   .wnd = plain ? 65535 : 512, .tsval = seen,
		   .tsecr = th_last.tsval);
		moved(plain ? "RetransSegs 2 TCPSlowStartRetrans 2"
			    : "RetransSegs 3 TCPSlowStartRetrans 3");
		in(.flags = RST, .seq = 1, .tsval = seen);
		th_conn_done(&c);
	}
}

/* While a task has the sock, only so much waits for it. */
static void test_backlog_is_full(void **state)
{
	struct th_conn c = th_established(false);
	u64 limit = (u64)c.s->sk->sk_rcvbuf + (u64)c.s->sk->sk_sndbuf + 65536;
	u32 n = (u32)(limit / 2048) + 2, kept = 0;

	lock_sock(c.s->sk);
	mark();
	for (u32 i = 0; i < n; i++) {
		in(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .wnd = 512,
		   .len = 1000, .tsval = 1002);
		kept += drop_counts[DROP_TCP_BACKLOG] ==
			drops_were[DROP_TCP_BACKLOG];
	}
	assert_in_range(kept, limit / 4096, n - 1);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPBacklogDrop] -
			 snmp_was[SNMP_TcpExt_TCPBacklogDrop], n - kept);
	assert_int_equal(drop_counts[DROP_TCP_BACKLOG] -
			 drops_were[DROP_TCP_BACKLOG], n - kept);
	mark();
	release_sock(c.s->sk);
	assert_int_equal(drop_counts[DROP_TCP_BACKLOG],
			 drops_were[DROP_TCP_BACKLOG]);
	th_conn_done(&c);
}

/* What was offered is taken, up to twice the limit that there is now. */
static void test_receive_buffer_is_full(void **state)
{
	struct th_conn c = th_established(false);
	u32 i = 0;

	c.s->sk->sk_rcvbuf = 4096;
	mark();
	while (c.s->sk->sk_rmem_alloc <= 2 * 4096 + 1) {
		in(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .wnd = 512,
		   .len = 1000, .tsval = 1002);
		assert_in_range(++i, 1, 20);
	}
	moved("");
	in(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .wnd = 512,
	   .len = 1000, .tsval = 1002);
	moved("TCPRcvQDrop 1 TCP_RCV_FULL 1");
	assert_int_equal(th_tp(c.s)->rcv_nxt - th_tp(c.s)->irs, 1 + 1000 * i);
	th_conn_done(&c);
}

/* A reset and what came behind it both waited for the task. */
static void test_a_segment_for_the_dead(void **state)
{
	struct th_conn c = th_established(true);

	lock_sock(c.s->sk);
	in(.flags = RST, .seq = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
	mark();
	release_sock(c.s->sk);
	moved("EstabResets 1 TCP_STATE 1");
	th_conn_done(&c);
}

#define T(name) cmocka_unit_test_setup_teardown(name, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_listener),
		T(test_overflow),
		T(test_request),
		T(test_synchronised),
		T(test_the_end),
		T(test_active),
		T(test_timers),
		T(test_losses),
		T(test_backlog_is_full),
		T(test_receive_buffer_is_full),
		T(test_a_segment_for_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
