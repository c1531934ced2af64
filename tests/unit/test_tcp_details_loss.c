/*
 * Details of loss recovery and of what the receiver tells of losses: what the
 * other scripts did not notice when one line was taken out.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/dev.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_recovery.h"
#include "tests/unit/tcp_harness.h"

#define M	1448u
#define SO_SNDBUF_	7

static char bytes[64 * M];

static u32 at(u32 n)
{
	return 1 + n * M;
}

static void done(struct th_conn *c)
{
	th_tp(c->s)->snd_wnd = 0;
	th_conn_close(c);
	th_flush();
}

/* The peer ends it, so that the test may begin another one. */
static void reset(struct th_conn *c)
{
	in(.flags = RST, .seq = 1, .tsval = 3000);
	th_conn_close(c);
	th_flush();
}

static u64 count(enum snmp_counter which)
{
	return snmp_counts[which];
}

/* @n segments are out, at a round trip of @rtt_ms; @more wait. */
static struct th_conn flying(u32 n, u32 more, u32 rtt_ms)
{
	struct th_conn c = th_established(false);
	struct tcp_sock *tp = th_tp(c.s);

	th_setopt(c.s, 1, SO_SNDBUF_, 200000);
	tp->cwnd = n;
	tp->srtt = 8 * 1000 * rtt_ms;
	tp->rttvar = 1000;
	tp->rto = max(200000u, 2000 * rtt_ms);
	assert_int_equal(th_send(c.s, bytes, (n + more) * M, 0),
			 (n + more) * M);
	th_flush();
	assert_int_equal(tp->packets_out, n);
	return c;
}

/* An ACK up to segment @a, with a block of [start, end) in bytes. */
static void sack(u32 a, u32 start, u32 end, u32 wnd)
{
	in(.flags = ACK, .seq = 1, .ack = at(a), .wnd = wnd, .tsval = 3000,
	   .tsecr = th_last.tsval, .nr_sacks = end > start,
	   .sacks = { { start, end } });
}

/* ---- SACK as the sender hears it ---- */

static void test_rfc2018_5_an_old_ack_has_news(void **state)
{
	struct th_conn c = flying(10, 0, 100);

	sack(2, 0, 0, 512);
	sack(1, at(5), at(6), 512);
	assert_int_equal(th_tp(c.s)->sacked_out, 1);
	done(&c);
}

static void test_rfc2018_3_three_blocks_are_heard(void **state)
{
	struct th_conn c = flying(10, 0, 100);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512, .tsval = 3000,
	   .tsecr = th_last.tsval, .nr_sacks = 3,
	   .sacks = { { at(8), at(9) }, { at(5), at(7) }, { at(2), at(3) } });
	assert_int_equal(th_tp(c.s)->sacked_out, 4);
	done(&c);
}

/* Of a large buffer only whole segments count, from both ends. */
static void test_rfc2018_blocks_within_a_large_buffer(void **state)
{
	struct th_conn c;

	th_dev_features = NETIF_F_TSO;
	c = flying(10, 0, 100);
	sack(0, at(2) + 100, at(5), 512);
	assert_int_equal(th_tp(c.s)->sacked_out, 2);
	reset(&c);
	c = flying(10, 0, 100);
	sack(0, at(6), at(8) + 100, 512);
	assert_int_equal(th_tp(c.s)->sacked_out, 2);
	done(&c);
}

/* What a block told of is not news when an ACK cuts through it. */
static void test_rfc6937_3_delivered_once(void **state)
{
	struct th_conn c;

	th_dev_features = NETIF_F_TSO;
	c = flying(10, 0, 100);
	sack(0, at(5), at(10), 512);
	assert_int_equal(th_tp(c.s)->prr_delivered, 5);
	th_flush();
	sack(7, 0, 0, 512);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_RECOVERY);
	assert_int_equal(th_tp(c.s)->prr_delivered, 10);
	done(&c);
}

/* RFC 1191 section 6.5: what has arrived is not sent again, large or not. */
static void test_rfc1191_what_arrived_is_not_lost(void **state)
{
	struct th_conn c = flying(6, 0, 100);
	struct tcp_sock *tp = th_tp(c.s);
	struct sk_buff *skb;

	sack(0, at(2), at(4), 512);
	th_icmp(TH_PORT, TH_PEER_PORT, tp->snd_una, EMSGSIZE, 1000);
	for (skb = tcp_rtx_head(tp); skb; skb = tcp_rtx_next(tp, skb))
		assert_int_not_equal(tcp_tx(skb)->tags &
				     (TCP_TAG_SACKED | TCP_TAG_LOST),
				     TCP_TAG_SACKED | TCP_TAG_LOST);
	assert_int_equal(tp->sacked_out, 2);
	done(&c);
}

/* ---- recovery ---- */

/* The peer took window back: what was lost beyond the edge waits. */
static void test_rfc9293_3_8_6_lost_beyond_the_edge(void **state)
{
	struct th_conn c = flying(10, 0, 100);

	sack(0, at(5), at(9), 3 * M / 128);
	assert_int_equal(th_tp(c.s)->lost_out, 5);
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = M);
	quiet();
	reset(&c);
	/* Even then the first may go: it is the probe. */
	c = flying(10, 0, 100);
	sack(0, at(5), at(9), 0);
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	quiet();
	done(&c);
}

/* In slow start to ssthresh, never over it. */
static void test_rfc6937_3_the_bound_is_ssthresh(void **state)
{
	struct th_conn c = flying(20, 0, 100);

	sack(0, at(4), at(20), 512);
	assert_int_equal(th_tp(c.s)->ssthresh, 14);
	assert_int_equal(th_tp(c.s)->cwnd, 14);
	done(&c);
}

/* Losses that the reordering timer finds go out one by one, too. */
static void test_rfc6937_3_losses_that_a_timer_finds(void **state)
{
	struct th_conn c = flying(20, 0, 100);

	th_tp(c.s)->flags |= TCP_F_REORDER;
	th_sleep_ms(100);
	sack(0, at(10), at(14), 512);
	quiet();
	th_sleep_ms(30);
	assert_int_equal(th_tp(c.s)->lost_out, 10);
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	quiet();
	done(&c);
}

/* A timeout while recovering is no question of being spurious. */
static void test_rfc5682_2_1_not_in_recovery(void **state)
{
	struct th_conn c = flying(10, 0, 100);
	struct tcp_sock *tp = th_tp(c.s);

	sack(0, at(5), at(9), 512);
	assert_int_equal(tp->ca_state, TCP_CA_RECOVERY);
	for (u32 i = 0; i < 100 && tp->ca_state != TCP_CA_LOSS; i++)
		th_sleep_ms(20);
	assert_int_equal(tp->ca_state, TCP_CA_LOSS);
	assert_false(tp->flags & TCP_F_FRTO);
	done(&c);
}

/* NewReno: @n segments of 1000 bytes out, @more waiting. */
static struct th_conn reno(u32 n, u32 more)
{
	struct th_conn c = th_established(true);

	tcp_cong_set(th_tp(c.s), &tcp_newreno);
	th_setopt(c.s, 1, SO_SNDBUF_, 200000);
	th_tp(c.s)->cwnd = n;
	assert_int_equal(th_send(c.s, bytes, (n + more) * 1000, 0),
			 (n + more) * 1000);
	assert_int_equal(th_flush(), n);
	return c;
}

static void reno_ack(u32 n)
{
	in(.flags = ACK, .seq = 1, .ack = 1 + 1000 * n, .wnd = 65535);
}

/* Of three segments acknowledged two had been counted as arrived. */
static void test_rfc6582_3_2_a_partial_ack_deflates(void **state)
{
	struct th_conn c = reno(10, 0);

	for (u32 i = 0; i < 5; i++)
		reno_ack(0);
	assert_int_equal(th_tp(c.s)->sacked_out, 5);
	reno_ack(3);
	assert_int_equal(th_tp(c.s)->sacked_out, 3);
	done(&c);
}

/* Duplicates of what was out before a timeout start nothing (step 1). */
static void test_rfc6582_3_2_duplicates_after_a_timeout(void **state)
{
	struct th_conn c = reno(4, 4);
	u64 entered = count(SNMP_TcpExt_TCPRenoRecovery);

	while (th_tp(c.s)->ca_state != TCP_CA_LOSS)
		th_sleep_ms(50);
	reno_ack(4);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	for (u32 i = 0; i < 5; i++)
		reno_ack(4);
	assert_int_equal(count(SNMP_TcpExt_TCPRenoRecovery), entered);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	done(&c);
}

/* ---- RACK-TLP ---- */

/* What was learnt before an hour's silence is not compared with. */
static void test_rfc8985_6_2_after_a_long_silence(void **state)
{
	struct th_conn c = flying(4, 0, 100);

	th_sleep_ms(100);
	sack(0, at(1), at(4), 512);
	th_flush();
	th_sleep_ms(100);
	sack(4, 0, 0, 512);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	th_sleep_ms(2400000);
	th_flush();
	th_tp(c.s)->srtt = 800000;
	th_tp(c.s)->rto = 400000;
	th_tp(c.s)->flags &= ~TCP_F_REORDER;
	assert_int_equal(th_send(c.s, bytes, 2 * M, 0), 2 * M);
	assert_int_equal(th_flush(), 2);
	th_sleep_ms(100);
	sack(4, at(5), at(6), 512);
	quiet();
	th_sleep_ms(60);
	out(.flags = ACK, .seq = at(4), .ack = 1, .len = M);
	done(&c);
}

/* Step 4: however often reordering was more, one round trip is the most. */
static void test_rfc8985_6_2_the_window_is_a_round_trip(void **state)
{
	struct th_conn c = flying(4, 0, 100);

	th_tp(c.s)->flags |= TCP_F_REORDER;
	th_tp(c.s)->reo_steps = 15;
	th_sleep_ms(100);
	sack(0, at(1), at(2), 512);
	assert_int_equal(th_tp(c.s)->rto_at, host_now + 100 * MS);
	reset(&c);
	/* And a tick of the timer the least. */
	c = flying(4, 0, 1);
	th_sleep_ms(1);
	sack(0, at(1), at(2), 512);
	assert_int_equal(th_tp(c.s)->rto_at, host_now + 1 * MS);
	done(&c);
}

/* A timeout that comes first is not put off by a probe. */
static void test_rfc8985_7_2_the_timeout_comes_first(void **state)
{
	struct th_conn c = flying(1, 1, 150);
	struct tcp_sock *tp = th_tp(c.s);

	tp->cwnd = 10;
	tp->rto = 200000;
	sack(1, 0, 0, 512);
	tp->srtt = 8 * 150000;
	tp->rto = 200000;
	assert_int_equal(th_send(c.s, bytes, 2 * M, 0), 2 * M);
	th_flush();
	tp->rto_at = host_now + 200 * MS;
	tp->flags &= ~TCP_F_TLP;
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	th_flush();
	assert_false(tp->flags & TCP_F_TLP);
	done(&c);
}

/* Ten milliseconds are the least, or delayed ACKs would look like loss. */
static void test_rfc8985_7_2_the_least_wait(void **state)
{
	struct th_conn c = flying(2, 0, 1);

	assert_true(th_tp(c.s)->flags & TCP_F_TLP);
	assert_int_equal(th_tp(c.s)->rto_at, host_now + 10 * MS);
	th_sleep_ms(12);
	out(.flags = ACK | PSH, .seq = at(1), .ack = 1, .len = M);
	done(&c);
}

/* New data only if a whole segment of it fits; else the last one again. */
static void test_rfc8985_7_3_no_silly_probe(void **state)
{
	struct th_conn c = th_established(false);
	struct tcp_sock *tp = th_tp(c.s);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 28, .tsval = 3000);
	tp->srtt = 8 * 20000;
	tp->rto = 400000;
	assert_int_equal(th_send(c.s, bytes, 5 * M, 0), 5 * M);
	assert_int_equal(th_flush(), 2);
	th_sleep_ms(60);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = M);
	done(&c);
}

/* ---- SACK as the receiver tells ---- */

static struct th_conn without_timestamps(void)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN, .wnd = 65535, .mss = 1460, .sack_ok = true);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	return c;
}

static void data(u32 start, u32 end)
{
	in(.flags = ACK, .seq = start, .ack = 1, .wnd = 65535,
	   .len = end - start);
}

static void test_rfc2018_3_four_blocks_at_most(void **state)
{
	struct th_conn c = without_timestamps();

	for (u32 i = 1; i < 7; i++) {
		data(1000 * i, 1000 * i + 100);
		th_flush();
	}
	assert_int_equal(th_last.nr_sacks, 4);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(th_last.sacks[i].start, 6000 - 1000 * i);
	/* A copy takes the place of one. */
	data(2000, 2100);
	out(.flags = ACK, .seq = 1, .ack = 1, .nr_sacks = 4,
	    .sacks = { { 2000, 2100 }, { 2000, 2100 }, { 6000, 6100 },
		       { 5000, 5100 } });
	done(&c);
}

static void test_rfc2018_4_blocks_that_were_reached(void **state)
{
	struct th_conn c = without_timestamps();

	data(201, 301);
	data(401, 501);
	th_flush();
	data(1, 201);
	out(.flags = ACK, .seq = 1, .ack = 301, .nr_sacks = 1,
	    .sacks = { { 401, 501 } });
	done(&c);
}

/* What came early comes again, within what fills the gap. */
static void test_rfc2883_4_a_copy_behind_the_gap(void **state)
{
	struct th_conn c = without_timestamps();

	data(101, 201);
	data(401, 501);
	th_flush();
	data(1, 301);
	out(.flags = ACK, .seq = 1, .ack = 301, .nr_sacks = 2,
	    .sacks = { { 101, 201 }, { 401, 501 } });
	done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_rfc2018_5_an_old_ack_has_news),
		T(test_rfc2018_3_three_blocks_are_heard),
		T(test_rfc2018_blocks_within_a_large_buffer),
		T(test_rfc6937_3_delivered_once),
		T(test_rfc1191_what_arrived_is_not_lost),
		T(test_rfc9293_3_8_6_lost_beyond_the_edge),
		T(test_rfc6937_3_the_bound_is_ssthresh),
		T(test_rfc6937_3_losses_that_a_timer_finds),
		T(test_rfc5682_2_1_not_in_recovery),
		T(test_rfc6582_3_2_a_partial_ack_deflates),
		T(test_rfc6582_3_2_duplicates_after_a_timeout),
		T(test_rfc8985_6_2_after_a_long_silence),
		T(test_rfc8985_6_2_the_window_is_a_round_trip),
		T(test_rfc8985_7_2_the_timeout_comes_first),
		T(test_rfc8985_7_2_the_least_wait),
		T(test_rfc8985_7_3_no_silly_probe),
		T(test_rfc2018_3_four_blocks_at_most),
		T(test_rfc2018_4_blocks_that_were_reached),
		T(test_rfc2883_4_a_copy_behind_the_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
