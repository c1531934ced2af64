/*
 * Details of ECN, pacing, timestamps, defence and Fast Open: what the other
 * scripts did not notice when one line was taken out. Over IPv6, too.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/drop.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_pace.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP_	6
#define TCP_FASTOPEN_	23
#define M		1000u

static char bytes[40 * M];
extern bool memory_tight;

/* ---- ECN ---- */

static struct th_conn with_ecn(u32 cwnd)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN | ECE | CWR, .wnd = 65535, .mss = M);
	out(.flags = SYN | ACK | ECE, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	th_tp(c.s)->cwnd = cwnd;
	assert_int_equal(th_send(c.s, bytes, 20 * M, 0), 20 * M);
	th_flush();
	return c;
}

static void ece(u32 ack)
{
	in(.flags = ACK | ECE, .seq = 1, .ack = 1 + ack * M, .wnd = 65535);
}

/* An old ACK tells of an old mark; and losses have cut already. */
static void test_rfc3168_6_1_2_echoes_that_do_not_count(void **state)
{
	struct th_conn c = with_ecn(20);
	u32 ssthresh;

	in(.flags = ACK, .seq = 1, .ack = 1 + 5 * M, .wnd = 65535);
	th_flush();
	ece(4);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	for (u32 i = 0; i < 3; i++)
		in(.flags = ACK, .seq = 1, .ack = 1 + 5 * M, .wnd = 65535);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_RECOVERY);
	ssthresh = th_tp(c.s)->ssthresh;
	th_tp(c.s)->ext->ecn_until = th_tp(c.s)->snd_una - 1;
	ece(5);
	assert_int_equal(th_tp(c.s)->ssthresh, ssthresh);
	th_conn_done(&c);
}

/* A window of one is not made two by an echo. */
static void test_rfc3168_6_1_2_never_raises(void **state)
{
	struct th_conn c = with_ecn(1);

	th_tp(c.s)->ext->ecn_until = th_tp(c.s)->snd_una - 1;
	ece(0);
	assert_int_equal(th_tp(c.s)->ssthresh, 2);
	assert_int_equal(th_tp(c.s)->cwnd, 1);
	th_conn_done(&c);
}

/* The device that cuts a large packet must keep CWR to the first segment. */
static void test_rfc3168_6_1_2_cwr_on_a_large_packet(void **state)
{
	struct th_conn c;

	th_dev_features = NETIF_F_TSO;
	c = with_ecn(10);
	ece(10);
	assert_true(tcp_rtx_head(th_tp(c.s))->gso_type & SKB_GSO_ECN);
	th_conn_done(&c);
}

static void test_rfc3168_5_the_bits_of_ipv6(void **state)
{
	struct sk_buff *skb = alloc_skb(100);
	u8 *p = skb_put(skb, 60);

	memset(p, 0, 60);
	p[0] = 0x60;
	skb->network_header = (u16)skb_headroom(skb);
	tcp_seg(skb)->flags = TCP_SYN | TCP_ECN_ASK;
	assert_true(tcp_ecn_accepts(skb));
	p[1] = 0x03;	/* of the flow label */
	assert_true(tcp_ecn_accepts(skb));
	p[1] = 0x20;
	assert_false(tcp_ecn_accepts(skb));
	kfree_skb(skb);
}

/* ---- pacing ---- */

static void test_pacing_adds_up(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);

	tcp_pace_set(tp, 1000000);
	tcp_pace_sent(tp, 2000, host_now);
	tcp_pace_sent(tp, 2000, host_now);
	assert_int_equal(tp->ext->pace_next, host_now + 4 * MS);
	/* A tick's worth may go ahead. */
	assert_true(tcp_pace_wait(tp, host_now + 3 * MS - 1));
	assert_false(tcp_pace_wait(tp, host_now + 3 * MS));
	th_conn_done(&c);
}

/* ---- RFC 7323 ---- */

static struct socket *connecting(void)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	out(.flags = SYN);
	return s;
}

/* No scale from the peer is none for us. */
static void test_rfc7323_2_2_both_or_none(void **state)
{
	struct socket *s = connecting();

	in(.flags = SYN | ACK, .ack = 1, .wnd = 65535, .mss = M, .tsval = 70,
	   .sport = TH_PEER_PORT, .dport = s->sk->sk_num);
	assert_int_equal(th_tp(s)->rcv_wscale, 0);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_in_range(th_last.wnd, 20000, 65535);
	/* Section 5.5: PAWS begins to count its days now. */
	assert_int_equal(th_tp(s)->ts_recent, 70);
	assert_int_equal(th_tp(s)->ts_recent_at, tcp_ms(host_now));
	in(.flags = RST, .seq = 1, .sport = TH_PEER_PORT,
	   .dport = s->sk->sk_num);
	th_close(s);
}

/* ---- defence ---- */

/* Two answers to strays in half a second are one too many. */
static void test_rfc9293_3_10_7_4_two_answers_a_second(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_sleep_ms(450);
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100);
	quiet();
	th_sleep_ms(60);
	in(.flags = ACK, .seq = 900000, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

/* A SYN again, but with an older stamp: from another time. */
static void test_rfc7323_5_paws_of_a_syn(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 100, .mss = M, .tsval = 500);
	out(.flags = SYN | ACK, .ack = 1);
	th_sleep_ms(600);
	in(.flags = SYN, .wnd = 100, .mss = M, .tsval = 499);
	quiet();
	in(.flags = SYN, .wnd = 100, .mss = M, .tsval = 500);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = RST, .seq = 1);
	th_close(l);
	th_flush();
}

/* The MSS of Ethernet comes back from a cookie as it was. */
static void test_rfc4987_usual_sizes_come_back(void **state)
{
	static const u16 sizes[] = { 536, 1220, 1440, 1460 };
	struct socket *l = th_listen(TH_PORT), *s;
	int err;

	th_leaf_pages(64);
	for (u32 i = 0; i < 1024; i++) {
		in(.flags = SYN, .wnd = 65535, .mss = M,
		   .sport = (u16)(1000 + i));
		th_flush();
	}
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u16 port = (u16)(50000 + i);

		in(.flags = SYN, .wnd = 65535, .mss = sizes[i], .sport = port);
		out(.flags = SYN | ACK, .ack = 1);
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535,
		   .sport = port);
		s = th_accept(l, &err);
		assert_non_null(s);
		assert_int_equal(th_tp(s)->mss_clamp, sizes[i]);
		in(.flags = RST, .seq = 1, .sport = port);
		th_close(s);
	}
	th_close(l);
	th_flush();
}

/* Only its own FIN, come again, makes TIME-WAIT begin anew. */
static void test_rfc9293_3_10_7_4_another_fin_in_time_wait(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK | FIN, .seq = 1, .ack = 1, .wnd = 100);
	th_flush();
	th_close(c.s);
	c.s = NULL;
	th_flush();
	in(.flags = RST, .seq = 2);
	th_close(c.listener);
	c = th_established(false);
	th_close(c.s);
	c.s = NULL;
	out(.flags = ACK | FIN, .seq = 1, .ack = 1);
	in(.flags = ACK | FIN, .seq = 1, .ack = 2, .wnd = 100, .tsval = 1002);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_sleep_ms(50000);
	in(.flags = ACK | FIN, .seq = 700, .ack = 2, .wnd = 100,
	   .tsval = 1002);
	th_flush();
	th_sleep_ms(11000);
	/* It is over: a stranger now. */
	in(.flags = ACK, .seq = 2, .ack = 2, .wnd = 100, .tsval = 1002);
	out(.flags = RST, .seq = 2);
	th_conn_done(&c);
}

/* Memory is nearly out: who has some queued gets no more. */
static void test_scarce_memory_takes_no_more(void **state)
{
	struct th_conn c = th_established(true);
	u64 full = drop_counts[DROP_TCP_RCV_FULL];
	u64 ofo = drop_counts[DROP_TCP_OFO_FULL];

	memory_tight = true;
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 700);
	assert_int_equal(drop_counts[DROP_TCP_RCV_FULL], full);
	in(.flags = ACK, .seq = 701, .ack = 1, .wnd = 100, .len = 700);
	assert_int_equal(drop_counts[DROP_TCP_RCV_FULL], full + 1);
	in(.flags = ACK, .seq = 3001, .ack = 1, .wnd = 100, .len = 700);
	assert_int_equal(drop_counts[DROP_TCP_OFO_FULL], ofo + 1);
	memory_tight = false;
	in(.flags = ACK, .seq = 701, .ack = 1, .wnd = 100, .len = 700);
	assert_int_equal(th_tp(c.s)->rcv_nxt - th_tp(c.s)->irs, 1401);
	th_conn_done(&c);
}

/* ---- Fast Open ---- */

static void test_rfc7413_4_1_1_cookies_by_address(void **state)
{
	struct ip_addr a = { { 0, 0, IP_MAPPED_WORD, 0x0100000a } };
	struct ip_addr b = { { 0, 0, IP_MAPPED_WORD, 0x0200000a } };
	u8 one[TCP_FASTOPEN_COOKIE], two[TCP_FASTOPEN_COOKIE];

	tcp_fastopen_cookie(&a, &a, one);
	tcp_fastopen_cookie(&a, &b, two);
	assert_memory_not_equal(one, two, sizeof(one));
	tcp_fastopen_cookie(&b, &a, one);
	assert_memory_not_equal(one, two, sizeof(one));
	tcp_fastopen_cookie(&a, &b, one);
	assert_memory_equal(one, two, sizeof(one));
}

/* A longer one that begins as ours is not ours; nor is there always room. */
static void test_rfc7413_4_2_what_is_not_taken(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	struct th_seg syn = {
		.flags = SYN, .wnd = 65535, .mss = M, .len = 100, .fo_len = 1,
	};
	int err;

	tcp_fastopen = 3;
	assert_int_equal(th_setopt(l, SOL_TCP_, TCP_FASTOPEN_, 10), 0);
	assert_int_equal(l->ops->listen(l, 0), 0);
	th_in(&syn);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.fo_len, 9);
	memcpy(syn.fo, th_last.fo, 8);
	in(.flags = RST, .seq = 1);
	syn.fo_len = 17;
	syn.sport = 2;
	th_in(&syn);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = RST, .seq = 1, .sport = 2);
	syn.fo_len = 9;
	syn.sport = 3;
	th_in(&syn);
	out(.flags = SYN | ACK, .ack = 101);
	/* The accept queue is full. */
	syn.sport = 4;
	th_in(&syn);
	quiet();
	s = th_accept(l, &err);
	assert_non_null(s);
	assert_null(th_accept(l, &err));
	in(.flags = RST, .seq = 101, .sport = 3);
	th_close(s);
	tcp_fastopen = 0;
	th_close(l);
	th_flush();
}

/* Peers whose addresses share a slot do not share a cookie. */
static void test_rfc7413_4_1_3_a_cookie_is_one_peers(void **state)
{
	struct socket *s = th_socket();
	struct sk_buff *skb = alloc_skb(100);
	u32 twins = 0;

	memcpy(skb_put(skb, 20), "12345678901234567890", 20);
	tcp_seg(skb)->opts = TCP_OPT_FASTOPEN;
	tcp_seg(skb)->fo_len = 8;
	tcp_seg(skb)->fo_off = 0;
	s->sk->sk_daddr = (struct ip_addr){ { 0, 0, IP_MAPPED_WORD, 5 } };
	tcp_fastopen_answer(th_tp(s), skb);
	assert_true(tcp_fastopen_known(s->sk));
	for (u32 i = 6; i < 300; i++) {
		s->sk->sk_daddr.a[3] = i;
		twins += tcp_fastopen_known(s->sk);
	}
	/* Of the tests before there may be one. */
	assert_in_range(twins, 0, 1);
	kfree_skb(skb);
	s->sk->sk_daddr = (struct ip_addr){ { 0 } };
	th_close(s);
}

/* ---- IPv6 ---- */

/* 1500 bytes less 40 and 20; RFC 9293 section 3.7.1. */
static void test_rfc8200_8_3_the_mss_over_ipv6(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	struct ip_addr was = c.s->sk->sk_daddr;

	tp->mss_clamp = 9000;
	tcp_sync_mss(tp);
	assert_int_equal(tp->mss_cache, 1460);
	assert_int_equal(tcp_advmss(c.s->sk), 1460);
	c.s->sk->sk_daddr = (struct ip_addr){ { 0xb80d0120, 0, 0, 1 } };
	tcp_sync_mss(tp);
	assert_int_equal(tp->mss_cache, 1440);
	assert_int_equal(tcp_advmss(c.s->sk), 1440);
	c.s->sk->sk_daddr = was;
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_rfc3168_6_1_2_echoes_that_do_not_count),
		T(test_rfc3168_6_1_2_never_raises),
		T(test_rfc3168_6_1_2_cwr_on_a_large_packet),
		T(test_rfc3168_5_the_bits_of_ipv6),
		T(test_pacing_adds_up),
		T(test_rfc7323_2_2_both_or_none),
		T(test_rfc9293_3_10_7_4_two_answers_a_second),
		T(test_rfc7323_5_paws_of_a_syn),
		T(test_rfc4987_usual_sizes_come_back),
		T(test_rfc9293_3_10_7_4_another_fin_in_time_wait),
		T(test_scarce_memory_takes_no_more),
		T(test_rfc7413_4_1_1_cookies_by_address),
		T(test_rfc7413_4_2_what_is_not_taken),
		T(test_rfc7413_4_1_3_a_cookie_is_one_peers),
		T(test_rfc8200_8_3_the_mss_over_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
