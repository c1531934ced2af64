/*
 * The receiving side: order, windows, ACKs, checks of every field; RFC 9293
 * section 3.10.7.4, 5961, 7323, 2018, 2883, 5681, one script per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/drop.h"
#include "net/snmp.h"
#include "tests/unit/tcp_harness.h"

#define SO_RCVLOWAT_	18
#define SO_RCVBUF_	8
#define FIONREAD	0x541b

static u8 buf[200000];

/* The peer sends @len bytes at @seq. */
static void data(u32 seq, u32 len)
{
	in(.flags = ACK | PSH, .seq = seq, .ack = 1, .wnd = 65535, .len = len);
}

/* Reads all there is and checks that it is the stream from @seq on. */
static void read_all(struct th_conn *c, u32 seq, u32 want)
{
	u32 got = 0;
	ssize_t n;

	while ((n = th_recv(c->s, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i],
					 th_pattern(seq + got + (u32)i));
		got += (u32)n;
	}
	assert_int_equal(got, want);
}

static void test_rfc5681_4_2_ack_is_delayed_40_ms(void **state)
{
	struct th_conn c = th_established(true);

	data(1, 100);
	quiet();
	th_sleep_ms(39);
	quiet();
	th_sleep_ms(2);
	out(.flags = ACK, .seq = 1, .ack = 101);
	read_all(&c, 1, 100);
	th_conn_done(&c);
}

static void test_ack_rides_on_the_answer(void **state)
{
	struct th_conn c = th_established(true);

	for (u32 i = 0; i < 50; i++) {
		data(1 + 64 * i, 64);
		quiet();
		assert_int_equal(th_recv(c.s, buf, 100, 0), 64);
		quiet();
		assert_int_equal(th_send(c.s, buf, 64, 0), 64);
		out(.flags = ACK, .seq = 1 + 64 * i, .ack = 65 + 64 * i,
		    .len = 64);
		in(.flags = ACK, .seq = 65 + 64 * i, .ack = 65 + 64 * i,
		   .wnd = 65535);
		quiet();
	}
	th_sleep_ms(1000);
	quiet();
	th_conn_done(&c);
}

static void test_rfc5681_4_2_every_second_segment(void **state)
{
	struct th_conn c = th_established(true);

	th_tp(c.s)->quick = 0;
	data(1, 1000);
	quiet();
	data(1001, 1000);
	out(.flags = ACK, .seq = 1, .ack = 2001);
	data(2001, 1000);
	quiet();
	data(3001, 1000);
	out(.flags = ACK, .seq = 1, .ack = 4001);
	th_conn_done(&c);
}

static void test_slow_start_of_the_peer_gets_quick_acks(void **state)
{
	struct th_conn c = th_established(true);

	data(1, 1000);
	out(.flags = ACK, .seq = 1, .ack = 1001);
	data(1001, 1000);
	out(.flags = ACK, .seq = 1, .ack = 2001);
	th_conn_done(&c);
}

static void test_rfc9293_out_of_order_is_kept_and_acked(void **state)
{
	struct th_conn c = th_established(true);

	data(201, 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_false(th_poll(c.s) & EPOLLIN);
	data(101, 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	data(1, 100);
	out(.flags = ACK, .seq = 1, .ack = 301);
	read_all(&c, 1, 300);
	assert_null(th_tp(c.s)->ofo);
	th_conn_done(&c);
}

static void test_overlaps_are_trimmed(void **state)
{
	struct th_conn c = th_established(true);

	data(301, 100);
	data(251, 100);		/* tail overlaps */
	data(351, 100);		/* head overlaps */
	data(201, 400);		/* covers all of it */
	data(101, 20);
	th_flush();
	data(1, 150);		/* overlaps what waits */
	data(51, 200);		/* old head */
	read_all(&c, 1, 600);
	th_flush();
	assert_null(th_tp(c.s)->ofo);
	th_conn_done(&c);
}

static void test_rfc2018_sack_blocks_newest_first(void **state)
{
	struct th_conn c = th_established(false);

	data(201, 100);
	out(.flags = ACK, .seq = 1, .ack = 1, .nr_sacks = 1,
	    .sacks = { { 201, 301 } });
	data(401, 100);
	out(.flags = ACK, .seq = 1, .ack = 1, .nr_sacks = 2,
	    .sacks = { { 401, 501 }, { 201, 301 } });
	data(301, 100);
	out(.flags = ACK, .seq = 1, .ack = 1, .nr_sacks = 1,
	    .sacks = { { 201, 501 } });
	data(601, 10);
	data(701, 10);
	data(801, 10);
	th_flush();
	/* With timestamps three blocks fit. */
	assert_int_equal(th_last.nr_sacks, 3);
	assert_int_equal(th_last.sacks[0].start, 801);
	data(1, 200);
	out(.flags = ACK, .seq = 1, .ack = 501);
	assert_int_equal(th_last.nr_sacks, 3);
	th_conn_done(&c);
}

static void test_rfc2883_duplicate_is_reported(void **state)
{
	struct th_conn c = th_established(false);

	data(1, 100);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 101);
	data(1, 100);
	out(.flags = ACK, .seq = 1, .ack = 101, .nr_sacks = 1,
	    .sacks = { { 1, 101 } });
	/* Once only. */
	data(101, 100);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 201);
	assert_int_equal(th_last.nr_sacks, 0);
	assert_null(th_tp(c.s)->ofo);
	th_conn_done(&c);
}

static void test_rfc9293_3_10_7_4_outside_the_window(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = drop_counts[DROP_TCP_OUT_OF_WINDOW];

	data(70000, 10);
	out(.flags = ACK, .seq = 1, .ack = 1);
	data(0x80000000, 10);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_true(drop_counts[DROP_TCP_OUT_OF_WINDOW] > before);
	/* A keepalive, one below: answered. */
	in(.flags = ACK, .seq = 0, .ack = 1, .wnd = 65535);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

static void test_rfc9293_3_10_7_4_beyond_the_window_is_cut(void **state)
{
	struct th_conn c;
	struct socket *l = th_listen(TH_PORT);
	int err;

	assert_int_equal(th_setopt(l, 1, SO_RCVBUF_, 2000), 0);
	in(.flags = SYN, .wnd = 65535, .mss = 1460);
	out(.flags = SYN | ACK, .ack = 1, .wnd = 2000);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.listener = l;
	c.s = th_accept(l, &err);
	data(1, 2500);
	th_flush();
	read_all(&c, 1, 2000);
	th_conn_done(&c);
}

static void test_rfc9293_3_8_6_window_closes_and_reopens(void **state)
{
	struct th_conn c = th_established(true);
	u32 seq = 1;

	while (th_last.wnd || seq < 1000) {
		u32 n = seq > 1 ? min(th_last.wnd, 1000u) : 1000;

		data(seq, n);
		seq += n;
		if (th_flush() == 0)
			th_sleep_ms(50);
		th_flush();
		assert_true(seq < 200000);
	}
	/* All that was offered was taken. */
	assert_true(th_tp(c.s)->rcv_nxt - th_tp(c.s)->irs >= 40000);
	/* A probe is answered, its byte not taken. */
	data(th_tp(c.s)->rcv_nxt - th_tp(c.s)->irs, 1);
	th_flush();
	assert_int_equal(th_last.wnd, 0);
	/* Silly-window avoidance: a small read opens nothing. */
	assert_int_equal(th_recv(c.s, buf, 100, 0), 100);
	quiet();
	assert_true(th_recv(c.s, buf, sizeof(buf), 0) > 10000);
	assert_int_equal(th_flush(), 1);
	assert_true(th_last.wnd > 10000);
	th_conn_done(&c);
}

static void test_rfc5961_3_2_rst(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = RST, .seq = 2);
	out(.flags = ACK, .seq = 1, .ack = 1);
	in(.flags = RST, .seq = 0x50000000);
	quiet();
	assert_int_equal(th_poll(c.s), EPOLLOUT | EPOLLWRNORM);
	data(1, 5);
	in(.flags = RST, .seq = 6);
	quiet();
	assert_int_equal(th_poll(c.s), EPOLLIN | EPOLLRDNORM | EPOLLOUT |
			 EPOLLWRNORM | EPOLLERR | EPOLLHUP | EPOLLRDHUP);
	/* What had arrived is read first, then the error, once. */
	assert_int_equal(th_recv(c.s, buf, 10, 0), 5);
	assert_int_equal(th_recv(c.s, buf, 10, 0), -ECONNRESET);
	assert_int_equal(th_recv(c.s, buf, 10, 0), 0);
	assert_int_equal(th_send(c.s, buf, 10, 0), -EPIPE);
	th_conn_done(&c);
}

static void test_rfc5961_4_2_syn_is_challenged(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = snmp_counts[SNMP_TcpExt_TCPChallengeACK];

	in(.flags = SYN, .seq = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_sleep_ms(500);
	in(.flags = SYN | ACK, .seq = 1, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPChallengeACK],
			 before + 2);
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	th_conn_done(&c);
}

static void test_rfc5961_5_2_old_ack(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = drop_counts[DROP_TCP_OLD_ACK];

	in(.flags = ACK, .seq = 1, .ack = 1u - 100000u, .wnd = 100, .len = 5);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(drop_counts[DROP_TCP_OLD_ACK], before + 1);
	assert_false(th_poll(c.s) & EPOLLIN);
	th_conn_done(&c);
}

/* Acknowledges what was never sent, @n times; how many are challenged. */
static unsigned int provoke(unsigned int n)
{
	unsigned int answers = 0;

	while (n--) {
		in(.flags = ACK, .seq = 1, .ack = 100000, .wnd = 100, .len = 1);
		answers += th_flush();
	}
	return answers;
}

/* About a thousand in a second for the whole host; how many, none can know. */
static void test_rfc5961_7_challenge_acks_are_limited(void **state)
{
	struct th_conn c = th_established(true);
	unsigned int n[3];

	for (int i = 0; i < 3; i++) {
		th_sleep_ms(1000);
		n[i] = provoke(2000);
		assert_in_range(n[i], 500, 1499);
	}
	assert_false(n[0] == n[1] && n[1] == n[2]);
	th_conn_done(&c);
}

/*
 * RFC 9293 section 3.10.7.4, first: each is answered. But if the other side
 * answers the answer, that never ends: what has no data, twice a second.
 */
static void test_acks_do_not_make_a_loop(void **state)
{
	struct th_conn c = th_established(true);
	u64 skipped = snmp_counts[SNMP_TcpExt_TCPACKSkippedSeq];
	u64 challenge = snmp_counts[SNMP_TcpExt_TCPACKSkippedChallenge];

	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100);
	in(.flags = RST, .seq = 100, .wnd = 100);
	quiet();
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPACKSkippedSeq],
			 skipped + 1);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPACKSkippedChallenge],
			 challenge + 1);
	/* Data and a FIN that came again are; and after a while, these. */
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100, .len = 1);
	out(.flags = ACK, .seq = 1, .ack = 1);
	in(.flags = ACK | FIN, .seq = 900000, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_sleep_ms(500);
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

static void test_segment_without_ack_is_dropped(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = drop_counts[DROP_TCP_NO_ACK];

	in(.flags = FIN, .seq = 1, .wnd = 100, .len = 5);
	quiet();
	assert_int_equal(drop_counts[DROP_TCP_NO_ACK], before + 1);
	assert_false(th_poll(c.s) & EPOLLIN);
	th_conn_done(&c);
}

static void test_rfc7323_5_paws(void **state)
{
	struct th_conn c = th_established(false);
	u64 before = drop_counts[DROP_TCP_PAWS];

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 5000);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 11);
	assert_int_equal(th_last.tsecr, 5000);
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 4999);
	out(.flags = ACK, .seq = 1, .ack = 11);
	assert_int_equal(drop_counts[DROP_TCP_PAWS], before + 1);
	/* An RST is not subject to it. */
	in(.flags = RST, .seq = 11, .tsval = 4000);
	assert_true(th_poll(c.s) & EPOLLERR);
	th_conn_done(&c);
}

static void test_rfc7323_4_3_ts_recent_not_from_the_future(void **state)
{
	struct th_conn c = th_established(false);

	/* Out of order: its timestamp must not be echoed. */
	in(.flags = ACK, .seq = 101, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 9000);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_last.tsecr, 1001);
	th_conn_done(&c);
}

static void test_peek_trunc_waitall_lowat(void **state)
{
	struct th_conn c = th_established(true);
	int n;

	data(1, 10);
	assert_int_equal(th_recv(c.s, buf, 4, MSG_PEEK), 4);
	assert_int_equal(th_recv(c.s, buf, 100, MSG_PEEK), 10);
	assert_int_equal(c.s->ops->ioctl(c.s, FIONREAD, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(th_recv(c.s, buf, 4, MSG_TRUNC), 4);
	assert_int_equal(th_recv(c.s, buf, 100, MSG_WAITALL), 6);
	assert_int_equal(buf[0], th_pattern(5));
	assert_int_equal(th_recv(c.s, buf, 100, 0), -EAGAIN);
	assert_int_equal(th_recv(c.s, buf, 100, MSG_OOB), -EINVAL);
	th_setopt(c.s, 1, SO_RCVLOWAT_, 20);
	data(11, 10);
	assert_false(th_poll(c.s) & EPOLLIN);
	data(21, 10);
	assert_true(th_poll(c.s) & EPOLLIN);
	read_all(&c, 11, 20);
	th_flush();
	th_conn_done(&c);
}

static void test_single_bytes_share_a_buffer(void **state)
{
	struct th_conn c = th_established(true);
	unsigned long before;

	data(1, 1);
	before = host_allocs_outstanding();
	for (u32 i = 0; i < 100; i++)
		data(2 + i, 1);
	assert_true(host_allocs_outstanding() < before + 20);
	th_flush();
	read_all(&c, 1, 101);
	th_conn_done(&c);
}

static void test_out_of_order_hoarding_is_bounded(void **state)
{
	struct th_conn c = th_established(false);
	u64 before = drop_counts[DROP_TCP_OFO_FULL];

	for (u32 i = 0; i < 2000; i++)
		data(3 + 2 * i, 1);
	th_flush();
	assert_true(drop_counts[DROP_TCP_OFO_FULL] > before);
	assert_true(c.s->sk->sk_rmem_alloc <= c.s->sk->sk_rcvbuf);
	data(1, 2000);
	th_flush();
	assert_true(th_tp(c.s)->rcv_nxt - th_tp(c.s)->irs >= 2001);
	th_conn_done(&c);
}

static void test_no_memory_for_the_out_of_order_queue(void **state)
{
	struct th_conn c = th_established(true);
	u64 before = drop_counts[DROP_NO_MEMORY];

	th_fail_next = 1;
	data(101, 100);
	assert_int_equal(drop_counts[DROP_NO_MEMORY], before + 1);
	out(.flags = ACK, .seq = 1, .ack = 1);
	/* An ACK that cannot be sent is sent later. */
	th_fail_next = 2;
	data(101, 100);
	quiet();
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

static void test_bad_user_memory(void **state)
{
	struct th_conn c = th_established(true);
	struct msghdr msg = { 0 };

	data(1, 100);
	host_bad_user(buf + 30, 1000);
	iov_iter_ubuf(&msg.msg_iter, buf, 100);
	assert_int_equal(c.s->ops->recvmsg(c.s, &msg, true), -EFAULT);
	iov_iter_ubuf(&msg.msg_iter, buf, 30);
	assert_int_equal(c.s->ops->recvmsg(c.s, &msg, true), 30);
	iov_iter_ubuf(&msg.msg_iter, buf + 30, 100);
	assert_int_equal(c.s->ops->recvmsg(c.s, &msg, true), -EFAULT);
	host_good_user();
	/* Nothing is lost. */
	read_all(&c, 31, 70);
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc5681_4_2_ack_is_delayed_40_ms),
		T(test_ack_rides_on_the_answer),
		T(test_rfc5681_4_2_every_second_segment),
		T(test_slow_start_of_the_peer_gets_quick_acks),
		T(test_rfc9293_out_of_order_is_kept_and_acked),
		T(test_overlaps_are_trimmed),
		T(test_rfc2018_sack_blocks_newest_first),
		T(test_rfc2883_duplicate_is_reported),
		T(test_rfc9293_3_10_7_4_outside_the_window),
		T(test_rfc9293_3_10_7_4_beyond_the_window_is_cut),
		T(test_rfc9293_3_8_6_window_closes_and_reopens),
		T(test_rfc5961_3_2_rst),
		T(test_rfc5961_4_2_syn_is_challenged),
		T(test_rfc5961_5_2_old_ack),
		T(test_rfc5961_7_challenge_acks_are_limited),
		T(test_acks_do_not_make_a_loop),
		T(test_segment_without_ack_is_dropped),
		T(test_rfc7323_5_paws),
		T(test_rfc7323_4_3_ts_recent_not_from_the_future),
		T(test_peek_trunc_waitall_lowat),
		T(test_single_bytes_share_a_buffer),
		T(test_out_of_order_hoarding_is_bounded),
		T(test_no_memory_for_the_out_of_order_queue),
		T(test_bad_user_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
