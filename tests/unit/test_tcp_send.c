/*
 * The sending side: windows, Nagle, retransmission, recovery, probes; RFC
 * 9293 section 3.8, 6298, 5681, 6582, 6675, 3042, one script per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_NODELAY	1
#define TCP_CORK	3
#define SOL_SOCKET_	1
#define SO_SNDBUF_	7

static u8 bytes[100000];

static void send_n(struct th_conn *c, size_t n)
{
	assert_int_equal(th_send(c->s, bytes, n, 0), n);
}

/* The peer acknowledges up to @ack. */
static void ack(u32 a)
{
	in(.flags = ACK, .seq = 1, .ack = a, .wnd = 65535);
}

static void test_data_goes_out_with_push(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 100);
	out(.flags = PSH | ACK, .seq = 1, .ack = 1, .len = 100);
	assert_true(th_last.flags & PSH);
	quiet();
	ack(101);
	quiet();
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	assert_int_equal(c.s->sk->sk_wmem_queued, 0);
	th_conn_done(&c);
}

static void test_rfc9293_3_7_1_segments_are_cut_at_mss(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_NODELAY, 1);
	send_n(&c, 2500);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	out(.flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	out(.flags = ACK, .seq = 2001, .ack = 1, .len = 500);
	th_conn_done(&c);
}

static void test_rfc9293_3_7_4_nagle_holds_a_second_short_one(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	send_n(&c, 10);
	send_n(&c, 20);
	quiet();
	ack(11);
	/* Both writes in one segment. */
	out(.flags = ACK, .seq = 11, .ack = 1, .len = 30);
	th_conn_done(&c);
}

static void test_nodelay_and_cork(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_NODELAY, 1);
	send_n(&c, 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	send_n(&c, 10);
	out(.flags = ACK, .seq = 11, .ack = 1, .len = 10);
	ack(21);
	th_setopt(c.s, SOL_TCP, TCP_CORK, 1);
	send_n(&c, 10);
	send_n(&c, 1000);
	out(.flags = ACK, .seq = 21, .ack = 1, .len = 1000);
	quiet();
	th_setopt(c.s, SOL_TCP, TCP_CORK, 0);
	out(.flags = ACK, .seq = 1021, .ack = 1, .len = 10);
	assert_int_equal(th_send(c.s, bytes, 5, MSG_MORE), 5);
	quiet();
	send_n(&c, 5);
	out(.flags = ACK, .seq = 1031, .ack = 1, .len = 10);
	th_conn_done(&c);
}

static void test_corked_data_goes_after_a_while(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, bytes, 5, MSG_MORE), 5);
	quiet();
	th_sleep_ms(1100);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 5);
	th_conn_done(&c);
}

static void test_rfc5681_3_1_initial_window(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 30000 - 14000);
	for (u32 i = 0; i < 10; i++)
		out(.flags = ACK, .seq = 1 + i * 1000, .ack = 1, .len = 1000);
	quiet();
	/* Slow start: two for each one acknowledged. */
	ack(1001);
	out(.flags = ACK, .seq = 10001, .ack = 1, .len = 1000);
	out(.flags = ACK, .seq = 11001, .ack = 1, .len = 1000);
	quiet();
	th_conn_done(&c);
}

static void test_rfc9293_3_8_4_peer_window_is_kept(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 2500);
	send_n(&c, 5000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	out(.flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	/* 500 bytes of window are not worth a segment (3.8.6.2.1). */
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 2001, .wnd = 3000);
	out(.flags = ACK, .seq = 2001, .ack = 1, .len = 1000);
	out(.flags = ACK, .seq = 3001, .ack = 1, .len = 1000);
	out(.flags = ACK, .seq = 4001, .ack = 1, .len = 1000);
	th_conn_done(&c);
}

static void test_rfc9293_3_8_fin_stays_in_the_window(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	send_n(&c, 1000);
	c.s->ops->shutdown(c.s, SHUT_WR);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 0);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 1);
	out(.flags = FIN | ACK, .seq = 1001, .ack = 1);
	th_conn_done(&c);
}

/* The probe of a window that takes all but the FIN. */
static void test_rfc9293_3_8_probe_leaves_the_fin(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	send_n(&c, 500);
	c.s->ops->shutdown(c.s, SHUT_WR);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 500);
	quiet();
	th_sleep_ms(1100);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 500);
	th_conn_done(&c);
}

static void test_rfc9293_3_10_7_4_old_segment_moves_both_edges(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 2000);
	th_flush();
	in(.flags = ACK, .seq = 1, .len = 10, .ack = 1, .wnd = 4000);
	in(.flags = ACK, .seq = 11, .len = 10, .ack = 1, .wnd = 4000);
	/* Sent again: an old number, a new acknowledgement. */
	in(.flags = ACK, .seq = 1, .len = 10, .ack = 2001, .wnd = 2000);
	assert_int_equal(th_tp(c.s)->snd_una - th_tp(c.s)->iss, 2001);
	assert_int_equal(th_tp(c.s)->snd_wnd, 2000);
	th_flush();
	th_conn_done(&c);
}

static void test_rfc6298_5_rto_and_backoff(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 100);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	th_sleep_ms(998);
	quiet();
	th_sleep_ms(4);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	th_sleep_ms(1990);
	quiet();
	th_sleep_ms(20);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	assert_int_equal(th_tp(c.s)->cwnd, 1);
	/* New data acknowledged: no backoff any more. */
	ack(101);
	send_n(&c, 100);
	out(.flags = ACK, .seq = 101, .ack = 1, .len = 100);
	th_sleep_ms(1010);
	out(.flags = ACK, .seq = 101, .ack = 1, .len = 100);
	th_conn_done(&c);
}

static void test_rfc6298_2_rtt_sets_rto(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 100);
	th_flush();
	th_sleep_ms(100);
	ack(101);
	assert_int_equal(th_tp(c.s)->srtt, 8 * 100000);
	assert_int_equal(th_tp(c.s)->rttvar, 2 * 100000);
	assert_int_equal(th_tp(c.s)->rto, 300000);
	send_n(&c, 100);
	th_flush();
	th_sleep_ms(20);
	ack(201);
	assert_int_equal(th_tp(c.s)->srtt, 8 * 90000);
	assert_int_equal(th_tp(c.s)->rttvar, 4 * (50000 * 3 + 80000) / 4);
	th_conn_done(&c);
}

static void test_rfc6298_3_karn(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 100);
	th_flush();
	th_sleep_ms(1001);
	assert_int_equal(th_flush(), 1);
	ack(101);
	assert_int_equal(th_tp(c.s)->srtt, 0);
	th_conn_done(&c);
}

static void test_r2_gives_up_with_etimedout(void **state)
{
	struct th_conn c = th_established(true);
	char b;

	send_n(&c, 100);
	th_flush();
	for (u32 i = 0; i < 1500 && !(th_poll(c.s) & EPOLLERR); i++) {
		th_sleep_ms(1000);
		th_flush();
	}
	assert_int_equal(th_recv(c.s, &b, 1, 0), -ETIMEDOUT);
	assert_int_equal(th_recv(c.s, &b, 1, 0), 0);
	assert_int_equal(th_send(c.s, &b, 1, 0), -EPIPE);
	th_conn_done(&c);
}

static void test_rfc5681_3_2_fast_retransmit(void **state)
{
	struct th_conn c = th_established(true);

	tcp_cong_set(th_tp(c.s), &tcp_newreno);
	send_n(&c, 8000);
	assert_int_equal(th_flush(), 8);
	ack(1001);
	quiet();
	ack(1001);
	ack(1001);
	quiet();
	ack(1001);
	out(.flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	quiet();
	assert_int_equal(th_tp(c.s)->ssthresh, 3);
	/* RFC 6582: a partial ACK, the next hole at once. */
	ack(3001);
	out(.flags = ACK, .seq = 3001, .ack = 1, .len = 1000);
	ack(8001);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(th_tp(c.s)->cwnd, 3);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	quiet();
	th_conn_done(&c);
}

static void test_rfc3042_limited_transmit(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 14000);
	assert_int_equal(th_flush(), 10);
	ack(1);
	out(.flags = ACK, .seq = 10001, .ack = 1, .len = 1000);
	ack(1);
	out(.flags = ACK, .seq = 11001, .ack = 1, .len = 1000);
	quiet();
	th_conn_done(&c);
}

/* A connection with SACK and without timestamps' noise: peer MSS 1460. */
static void sack(u32 a, u32 start, u32 end)
{
	in(.flags = ACK, .seq = 1, .ack = a, .wnd = 512, .tsval = 2000,
	   .nr_sacks = 1, .sacks = { { start, end } });
}

/* One duplicate, then all is acknowledged: nothing is left of it. */
static void test_rfc5681_duplicates_are_forgotten(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 2000);
	assert_int_equal(th_flush(), 2);
	ack(1);
	assert_int_equal(th_tp(c.s)->sacked_out, 1);
	ack(1001);
	ack(2001);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	assert_int_equal(th_tp(c.s)->sacked_out, 0);
	th_conn_done(&c);
}

static void test_rfc6675_sack_recovery(void **state)
{
	struct th_conn c = th_established(false);
	u32 m = 1448;

	send_n(&c, 8 * m);
	assert_int_equal(th_flush(), 8);
	/* The first and the fourth are lost. */
	sack(1, 1 + m, 1 + 2 * m);
	sack(1, 1 + m, 1 + 3 * m);
	quiet();
	sack(1, 1 + 4 * m, 1 + 5 * m);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = m);
	sack(1, 1 + 4 * m, 1 + 7 * m);
	out(.flags = ACK, .seq = 1 + 3 * m, .ack = 1, .len = m);
	in(.flags = ACK, .seq = 1, .ack = 1 + 8 * m, .wnd = 512,
	   .tsval = 2001);
	quiet();
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	assert_int_equal(th_tp(c.s)->sacked_out, 0);
	assert_int_equal(th_tp(c.s)->lost_out, 0);
	assert_int_equal(th_tp(c.s)->retrans_out, 0);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	th_conn_done(&c);
}

static void test_rfc2018_nonsense_blocks_are_ignored(void **state)
{
	struct th_conn c = th_established(false);
	u64 before = snmp_counts[SNMP_TcpExt_TCPSACKDiscard];

	send_n(&c, 3000);
	th_flush();
	sack(1, 2000, 1500);
	sack(1, 1000, 5000);
	sack(1, 0x80000000, 0x80000010);
	assert_int_equal(th_tp(c.s)->sacked_out, 0);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSACKDiscard], before + 3);
	th_conn_done(&c);
}

static void test_sack_splits_a_large_buffer(void **state)
{
	struct th_conn c;
	u32 m = 1448;

	th_dev_features = 2;	/* NETIF_F_TSO */
	c = th_established(false);
	send_n(&c, 10 * m);
	/* As few packets as half windows need. */
	assert_int_equal(th_flush(), 2);
	sack(1, 1 + m, 1 + 4 * m);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = m);
	assert_int_equal(th_tp(c.s)->sacked_out, 3);
	assert_int_equal(th_tp(c.s)->lost_out, 1);
	in(.flags = ACK, .seq = 1, .ack = 1 + 4 * m, .wnd = 512,
	   .tsval = 2001);
	assert_int_equal(th_tp(c.s)->packets_out, 6);
	th_conn_done(&c);
}

/* CVE-2019-11478: a peer that takes small segments and reports odd ones. */
static void test_sack_of_tiny_segments_is_bounded(void **state)
{
	u64 before = snmp_counts[SNMP_TcpExt_TCPWqueueTooBig];
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	th_dev_features = 2;	/* NETIF_F_TSO */
	in(.flags = SYN, .wnd = 65535, .mss = 48, .sack_ok = true,
	   .wscale = 8);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	th_setopt(c.s, 1, 7, 200000);	/* SO_SNDBUF */
	th_tp(c.s)->cwnd = 60000;
	for (int i = 0; i < 30; i++)
		th_send(c.s, bytes, 12000, 0);
	th_flush();
	for (u32 at = 1 + 48; at < th_tp(c.s)->snd_nxt - th_tp(c.s)->iss;
	     at += 96) {
		sack(1, at, at + 48);
		th_flush();
	}
	assert_true(snmp_counts[SNMP_TcpExt_TCPWqueueTooBig] > before);
	assert_true(th_tp(c.s)->sk.sk_wmem_queued <
		    2 * th_tp(c.s)->sk.sk_sndbuf + (2 << 20));
	th_conn_done(&c);
}

static void test_rfc9293_3_8_6_1_zero_window_probe(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	send_n(&c, 50);
	quiet();
	th_sleep_ms(1010);
	out(.flags = ACK, .seq = 0, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	th_sleep_ms(1980);
	quiet();
	th_sleep_ms(40);
	out(.flags = ACK, .seq = 0, .ack = 1);
	/* As long as the peer answers, it is alive: for ever. */
	for (u32 i = 0; i < 40; i++) {
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
		th_sleep_ms(120000);
	}
	assert_true(th_flush() >= 30);
	assert_false(th_poll(c.s) & EPOLLERR);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 50);
	th_conn_done(&c);
}

static void test_shared_buffer_is_copied_for_retransmission(void **state)
{
	struct th_conn c = th_established(true);
	struct sk_buff *skb;

	send_n(&c, 100);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	skb = list_first_entry(&th_tp(c.s)->write_queue, struct sk_buff,
			       tx_link);
	/* The device has not sent it yet. */
	skb_get(skb);
	th_sleep_ms(1001);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	kfree_skb(skb);
	th_sleep_ms(2001);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	th_conn_done(&c);
}

static void test_small_writes_share_a_buffer(void **state)
{
	struct th_conn c = th_established(true);
	unsigned long before;

	send_n(&c, 10);
	th_flush();
	send_n(&c, 10);
	before = host_allocs_outstanding();
	for (u32 i = 0; i < 10; i++)
		send_n(&c, 10);
	assert_int_equal(host_allocs_outstanding(), before);
	th_conn_done(&c);
}

static void test_send_buffer_fills_and_wakes(void **state)
{
	struct th_conn c = th_established(true);
	ssize_t n, total = 0;
	int v = 10000;

	sock_setsockopt(c.s->sk, SO_SNDBUF_, &v, sizeof(v));
	while ((n = th_send(c.s, bytes, 5000, 0)) > 0)
		total += n;
	assert_int_equal(n, -EAGAIN);
	assert_true(total >= 10000 && total < 30000);
	assert_false(th_poll(c.s) & EPOLLOUT);
	assert_int_equal(th_tp(c.s)->nospace, 1);
	for (u32 a = 1001; a < (u32)total; a += 1000)
		ack(a);
	assert_int_equal(th_tp(c.s)->nospace, 0);
	assert_true(th_poll(c.s) & EPOLLOUT);
	th_conn_done(&c);
}

static void test_no_memory_to_send(void **state)
{
	struct th_conn c = th_established(true);

	host_fail_alloc(1);
	assert_int_equal(th_send(c.s, bytes, 10, 0), -EAGAIN);
	/* Nothing is under way that could wake the writer later. */
	assert_true(th_poll(c.s) & EPOLLOUT);
	send_n(&c, 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	th_conn_done(&c);
}

static void test_bad_user_memory(void **state)
{
	struct th_conn c = th_established(true);
	struct msghdr msg = { 0 };

	host_bad_user(bytes + 10, 100);
	iov_iter_ubuf(&msg.msg_iter, bytes, 50);
	assert_int_equal(c.s->ops->sendmsg(c.s, &msg, true), -EFAULT);
	iov_iter_ubuf(&msg.msg_iter, bytes, 10);
	assert_int_equal(c.s->ops->sendmsg(c.s, &msg, true), 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	iov_iter_ubuf(&msg.msg_iter, bytes + 10, 50);
	assert_int_equal(c.s->ops->sendmsg(c.s, &msg, true), -EFAULT);
	th_conn_done(&c);
}

static void test_rfc9293_3_10_7_4_ack_of_unsent_data(void **state)
{
	struct th_conn c = th_established(true);

	ack(100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	send_n(&c, 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	th_conn_done(&c);
}

static void test_rfc5681_4_1_idle_restart(void **state)
{
	struct th_conn c = th_established(true);

	for (u32 i = 0; i < 6; i++) {
		send_n(&c, 10000);
		while (th_tp(c.s)->packets_out || th_tp(c.s)->send_head) {
			th_flush();
			ack(th_tp(c.s)->snd_nxt - th_tp(c.s)->iss);
		}
	}
	assert_true(th_tp(c.s)->cwnd > 10);
	th_sleep_ms(5000);
	send_n(&c, 100);
	assert_int_equal(th_tp(c.s)->cwnd, 10);
	th_flush();
	th_conn_done(&c);
}

/* @n times: @segs of 1,448 bytes, and an ACK of each. */
static void rounds(struct th_conn *c, u32 *at, u32 n, u32 segs)
{
	while (n--) {
		send_n(c, segs * 1448);
		th_flush();
		for (u32 i = 0; i < segs; i++) {
			*at += 1448;
			in(.flags = ACK, .seq = 1, .ack = 1 + *at,
			   .wnd = 2000, .tsval = 2000, .tsecr = 0);
		}
		th_sleep_ms(100);
	}
}

/* What is not used for a while is forgotten, by halves. */
static void test_rfc7661_window_validation(void **state)
{
	struct th_conn c = th_established(false);
	u32 at = 0, cwnd;

	for (u32 n = 10; n < 40; n = th_tp(c.s)->cwnd)
		rounds(&c, &at, 1, n);
	cwnd = th_tp(c.s)->cwnd;
	/* A third of it is used: no more is gained, and what is over goes. */
	rounds(&c, &at, 40, cwnd / 3);
	assert_in_range(th_tp(c.s)->cwnd, cwnd / 3, cwnd / 3 * 2);
	assert_true(th_tp(c.s)->ssthresh >= cwnd / 4 * 3);
	/* But not below what one may begin with. */
	rounds(&c, &at, 60, 2);
	assert_in_range(th_tp(c.s)->cwnd, 10, 11);
	th_conn_done(&c);
}

static void test_pmtu_reduction(void **state)
{
	struct th_conn c = th_established(false);

	send_n(&c, 1448);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1448);
	th_icmp(TH_PORT, TH_PEER_PORT, th_tp(c.s)->iss + 1, EMSGSIZE, 1000);
	/* In one buffer, which IP cuts by the new size. */
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = 1448);
	assert_int_equal(th_tp(c.s)->packets_out, 2);
	assert_int_equal(th_tp(c.s)->cwnd, 10);
	th_conn_done(&c);
}

/* A connection of a peer that offers @wnd bytes and takes @mss at a time. */
static struct th_conn of_small_window(u32 wnd, u16 mss)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN, .wnd = wnd, .mss = mss);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = wnd);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	return c;
}

/*
 * Half of a small window at a time, so that one is under way while the other
 * is acknowledged; not of a tiny one, and never more than the peer's MSS.
 */
static void test_rfc9293_3_7_1_not_above_a_small_window(void **state)
{
	static const struct {
		u32 wnd;
		u16 mss, want;
	} cases[] = {
		{ 1200, 1460, 600 }, { 1201, 1460, 600 }, { 3000, 1460, 1460 },
		{ 2919, 1460, 1459 }, { 1200, 500, 500 }, { 538, 1460, 269 },
		{ 536, 1460, 536 }, { 400, 1460, 400 }, { 400, 300, 300 },
	};
	static char text[4000];

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct th_conn c = of_small_window(cases[i].wnd, cases[i].mss);
		u32 want = cases[i].want, whole = cases[i].wnd / want;

		assert_int_equal(th_tp(c.s)->mss_cache, want);
		assert_int_equal(th_send(c.s, text, sizeof(text), 0),
				 sizeof(text));
		for (u32 n = 0; n < whole; n++) {
			out(.flags = ACK, .seq = 1 + n * want,
			    .ack = 1, .len = want);
		}
		quiet();
		/* A window that grows takes whole ones. */
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
		assert_int_equal(th_tp(c.s)->mss_cache, cases[i].mss);
		th_flush();
		in(.flags = RST, .seq = 1);
		th_conn_close(&c);
		th_flush();
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_data_goes_out_with_push),
		T(test_rfc9293_3_7_1_segments_are_cut_at_mss),
		T(test_rfc9293_3_7_4_nagle_holds_a_second_short_one),
		T(test_nodelay_and_cork),
		T(test_corked_data_goes_after_a_while),
		T(test_rfc5681_3_1_initial_window),
		T(test_rfc9293_3_8_4_peer_window_is_kept),
		T(test_rfc9293_3_8_fin_stays_in_the_window),
		T(test_rfc9293_3_8_probe_leaves_the_fin),
		T(test_rfc9293_3_10_7_4_old_segment_moves_both_edges),
		T(test_rfc6298_5_rto_and_backoff),
		T(test_rfc6298_2_rtt_sets_rto),
		T(test_rfc6298_3_karn),
		T(test_r2_gives_up_with_etimedout),
		T(test_rfc5681_3_2_fast_retransmit),
		T(test_rfc3042_limited_transmit),
		T(test_rfc5681_duplicates_are_forgotten),
		T(test_rfc6675_sack_recovery),
		T(test_rfc2018_nonsense_blocks_are_ignored),
		T(test_sack_splits_a_large_buffer),
		T(test_sack_of_tiny_segments_is_bounded),
		T(test_rfc9293_3_8_6_1_zero_window_probe),
		T(test_shared_buffer_is_copied_for_retransmission),
		T(test_small_writes_share_a_buffer),
		T(test_send_buffer_fills_and_wakes),
		T(test_no_memory_to_send),
		T(test_bad_user_memory),
		T(test_rfc9293_3_10_7_4_ack_of_unsent_data),
		T(test_rfc5681_4_1_idle_restart),
		T(test_rfc7661_window_validation),
		T(test_pmtu_reduction),
		T(test_rfc9293_3_7_1_not_above_a_small_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
