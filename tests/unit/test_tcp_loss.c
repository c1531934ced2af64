/*
 * Losses, rule by rule: the timer (RFC 6298), windows after a loss (5681),
 * NewReno (6582), PRR (6937), SACK (2018, 2883, 6675), limited transmit (3042).
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "tests/unit/tcp_harness.h"

#define M	1000u
#define MS_	1448u	/* with timestamps */

static char bytes[64 * MS_];

static u32 at(u32 n)
{
	return 1 + n * M;
}

static u32 sat(u32 n)
{
	return 1 + n * MS_;
}

static void ack(u32 n)
{
	in(.flags = ACK, .seq = 1, .ack = at(n), .wnd = 65535);
}

static void sack(u32 n, u32 start, u32 end)
{
	in(.flags = ACK, .seq = 1, .ack = sat(n), .wnd = 512, .tsval = 3000,
	   .tsecr = th_last.tsval, .nr_sacks = end > start,
	   .sacks = { { sat(start), sat(end) } });
}

static void done(struct th_conn *c)
{
	th_tp(c->s)->snd_wnd = 0;
	th_conn_close(c);
	th_flush();
}

/* NewReno without SACK, @n segments out and @more waiting. */
static struct th_conn reno(u32 n, u32 more)
{
	struct th_conn c = th_established(true);

	tcp_cong_set(th_tp(c.s), &tcp_newreno);
	th_setopt(c.s, 1, 7, 200000);	/* SO_SNDBUF */
	th_tp(c.s)->cwnd = n;
	assert_int_equal(th_send(c.s, bytes, (n + more) * M, 0),
			 (n + more) * M);
	assert_int_equal(th_flush(), n);
	return c;
}

/* The same with SACK and timestamps. */
static struct th_conn with_sack(u32 n, u32 more)
{
	struct th_conn c = th_established(false);

	tcp_cong_set(th_tp(c.s), &tcp_newreno);
	th_setopt(c.s, 1, 7, 200000);	/* SO_SNDBUF */
	th_tp(c.s)->cwnd = n;
	assert_int_equal(th_send(c.s, bytes, (n + more) * MS_, 0),
			 (n + more) * MS_);
	assert_int_equal(th_flush(), n);
	return c;
}

static void one_more(struct th_conn *c)
{
	assert_int_equal(th_send(c->s, bytes, M, 0), M);
	assert_int_equal(th_flush(), 1);
}

/* ---- RFC 6298 ---- */

static void test_rfc6298_2_1_a_second_without_a_sample(void **state)
{
	struct th_conn c = th_established(true);

	/* The handshake took no time that could be measured. */
	assert_int_equal(th_tp(c.s)->rto, 1000000);
	done(&c);
}

static void test_rfc6298_2_4_least(void **state)
{
	struct th_conn c = reno(1, 0);

	th_sleep_ms(1);
	ack(1);
	for (u32 i = 1; i < 20; i++) {
		one_more(&c);
		th_sleep_ms(1);
		ack(i + 1);
	}
	assert_int_equal(th_tp(c.s)->rto, 200000);
	done(&c);
}

static void test_rfc6298_2_5_at_most_two_minutes(void **state)
{
	struct th_conn c = reno(1, 0);
	u64 before;

	for (u32 i = 0; i < 9; i++) {
		th_sleep_ms(1000u << i);
		th_sleep_ms(100);
		th_flush();
	}
	/* Doubled each time, it would be more than eight minutes by now. */
	before = snmp_counts[SNMP_Tcp_RetransSegs];
	th_sleep_ms(121000);
	assert_true(snmp_counts[SNMP_Tcp_RetransSegs] > before);
	done(&c);
}

static void test_rfc6298_5_1_sending_starts_the_timer(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_tp(c.s)->rto_at, 0);
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	assert_int_equal(th_tp(c.s)->rto_at, host_now + 1000 * MS);
	th_flush();
	/* More data does not put it off. */
	th_sleep_ms(500);
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	th_flush();
	th_sleep_ms(502);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	done(&c);
}

static void test_rfc6298_5_2_nothing_out_no_timer(void **state)
{
	struct th_conn c = reno(3, 0);

	ack(3);
	assert_int_equal(th_tp(c.s)->rto_at, 0);
	th_sleep_ms(5000);
	quiet();
	done(&c);
}

static void test_rfc6298_5_3_new_data_acked_restarts_it(void **state)
{
	struct th_conn c = reno(3, 0);

	th_sleep_ms(900);
	ack(1);
	assert_int_equal(th_tp(c.s)->rto_at,
			 host_now + (u64)th_tp(c.s)->rto * 1000);
	done(&c);
}

static void test_rfc6298_5_3_a_duplicate_does_not(void **state)
{
	struct th_conn c = reno(3, 0);
	u64 when = th_tp(c.s)->rto_at;

	th_sleep_ms(500);
	ack(0);
	assert_int_equal(th_tp(c.s)->rto_at, when);
	done(&c);
}

static void test_rfc6298_5_4_the_earliest_goes_alone(void **state)
{
	struct th_conn c = reno(5, 3);

	th_sleep_ms(1002);
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	quiet();
	done(&c);
}

static void test_rfc6298_5_7_three_seconds_after_a_lost_syn(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	th_flush();
	th_port = th_last.sport;
	th_sleep_ms(1002);
	assert_int_equal(th_flush(), 1);
	th_port = tcp_sk(s->sk)->sk.sk_num;
	in(.flags = SYN | ACK, .ack = 1, .wnd = 65535, .mss = 1000);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	assert_int_equal(th_tp(s)->rto, 3000000);
	/* RFC 5681 section 3.1: and one segment to begin with. */
	assert_int_equal(th_tp(s)->cwnd, 1);
	th_close(s);
	th_flush();
	in(.flags = RST, .seq = 1);
}

/* ---- RFC 5681 ---- */

static void test_rfc5681_3_1_slow_start_by_segments(void **state)
{
	struct th_conn c = reno(4, 20);

	ack(1);
	assert_int_equal(th_tp(c.s)->cwnd, 5);
	ack(4);
	assert_int_equal(th_tp(c.s)->cwnd, 8);
	th_flush();
	done(&c);
}

static void test_rfc5681_3_1_avoidance_by_one_a_window(void **state)
{
	struct th_conn c = reno(4, 20);

	th_tp(c.s)->ssthresh = 4;
	for (u32 i = 1; i < 4; i++) {
		ack(i);
		assert_int_equal(th_tp(c.s)->cwnd, 4);
	}
	ack(4);
	assert_int_equal(th_tp(c.s)->cwnd, 5);
	th_flush();
	done(&c);
}

static void test_rfc5681_3_1_a_timeout_halves_the_flight(void **state)
{
	struct th_conn c = reno(12, 4);

	th_sleep_ms(1002);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_tp(c.s)->ssthresh, 6);
	assert_int_equal(th_tp(c.s)->cwnd, 1);
	/* Once for a flight, however often it times out. */
	th_sleep_ms(2002);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_tp(c.s)->ssthresh, 6);
	done(&c);
}

static void test_rfc5681_3_1_ssthresh_is_two_at_least(void **state)
{
	struct th_conn c = reno(1, 0);

	th_sleep_ms(1002);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_tp(c.s)->ssthresh, 2);
	done(&c);
}

static void test_rfc5681_2_data_makes_no_duplicate(void **state)
{
	struct th_conn c = reno(6, 0);

	for (u32 i = 0; i < 5; i++)
		in(.flags = ACK, .seq = 1 + i, .ack = 1, .wnd = 65535,
		   .len = 1);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(th_tp(c.s)->retrans_out, 0);
	th_flush();
	done(&c);
}

static void test_rfc5681_2_a_window_update_is_no_duplicate(void **state)
{
	struct th_conn c = reno(6, 0);

	for (u32 i = 0; i < 5; i++)
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 60000 + i);
	quiet();
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	done(&c);
}

static void test_rfc5681_2_nothing_out_no_duplicate(void **state)
{
	struct th_conn c = reno(2, 0);

	ack(2);
	for (u32 i = 0; i < 5; i++)
		ack(2);
	quiet();
	assert_int_equal(th_tp(c.s)->dupacks, 0);
	done(&c);
}

/* ---- RFC 6582 ---- */

static void three_duplicates(void)
{
	for (u32 i = 0; i < 3; i++)
		ack(0);
}

static void test_rfc6582_3_2_2_each_hole_after_the_other(void **state)
{
	struct th_conn c = reno(8, 0);

	three_duplicates();
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	ack(2);
	out(.flags = ACK, .seq = at(2), .ack = 1, .len = M);
	ack(5);
	out(.flags = ACK, .seq = at(5), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_RECOVERY);
	ack(8);
	quiet();
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	done(&c);
}

static void test_rfc6582_3_2_1_one_cut_for_a_window(void **state)
{
	struct th_conn c = reno(8, 0);

	three_duplicates();
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_tp(c.s)->ssthresh, 4);
	ack(3);
	assert_int_equal(th_flush(), 1);
	for (u32 i = 0; i < 3; i++)
		ack(3);
	assert_int_equal(th_tp(c.s)->ssthresh, 4);
	quiet();
	done(&c);
}

/* Duplicates of what a timeout has sent again mean no new loss. */
static void test_rfc6582_4_1_not_after_a_timeout(void **state)
{
	struct th_conn c = reno(8, 0);

	th_sleep_ms(1002);
	assert_int_equal(th_flush(), 1);
	th_tp(c.s)->flags &= ~TCP_F_FRTO;
	ack(8);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	for (u32 i = 0; i < 4; i++)
		ack(8);
	quiet();
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	done(&c);
}

static void test_rfc6582_3_2_3_a_full_ack_deflates(void **state)
{
	struct th_conn c = reno(10, 0);

	three_duplicates();
	assert_int_equal(th_flush(), 1);
	for (u32 i = 0; i < 6; i++)
		ack(0);
	th_flush();
	ack(10);
	assert_int_equal(th_tp(c.s)->cwnd, 5);
	done(&c);
}

/* ---- RFC 6937 ---- */

/* ssthresh / RecoverFS of what arrives: 10 of 17 not reported before. */
static void test_rfc6937_3_proportional(void **state)
{
	struct th_conn c = with_sack(20, 20);
	u32 sent = 0;

	sack(0, 1, 4);
	out(.flags = ACK, .seq = sat(0), .ack = 1, .len = MS_);
	assert_int_equal(th_tp(c.s)->ssthresh, 10);
	for (u32 i = 5; i <= 14; i++) {
		sack(0, 1, i);
		sent += th_flush();
	}
	assert_int_equal(1 + sent, (13 * 10 + 16) / 17);
	done(&c);
}

/* Below ssthresh it grows back as slow start would (PRR-SSRB). */
static void test_rfc6937_3_slow_start_below_ssthresh(void **state)
{
	struct th_conn c = with_sack(20, 20);
	u32 sent;

	/* Most of the window is lost. */
	sack(0, 17, 20);
	sent = th_flush();
	assert_in_range(sent, 1, 4);
	sack(0, 16, 20);
	assert_int_equal(th_flush(), 2);
	done(&c);
}

static void test_rfc6937_3_the_end_is_ssthresh(void **state)
{
	struct th_conn c = with_sack(20, 20);

	sack(0, 1, 12);
	th_flush();
	sack(20, 0, 0);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(th_tp(c.s)->cwnd, 10);
	done(&c);
}

/* ---- SACK ---- */

static void test_rfc6675_5_two_above_are_not_enough(void **state)
{
	struct th_conn c = with_sack(8, 0);

	sack(0, 1, 3);
	quiet();
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	sack(0, 1, 4);
	out(.flags = ACK, .seq = sat(0), .ack = 1, .len = MS_);
	done(&c);
}

/* NextSeg(): the lowest hole, the next one, then new data. */
static void test_rfc6675_4_holes_first_then_new_data(void **state)
{
	struct th_conn c = with_sack(10, 4);

	sack(0, 1, 2);
	/* Limited transmit. */
	out(.flags = ACK, .seq = sat(10), .ack = 1, .len = MS_);
	sack(0, 3, 6);
	out(.flags = ACK, .seq = sat(0), .ack = 1, .len = MS_);
	sack(0, 3, 8);
	out(.flags = ACK, .seq = sat(2), .ack = 1, .len = MS_);
	sack(0, 3, 10);
	out(.flags = ACK, .seq = sat(11), .ack = 1, .len = MS_);
	done(&c);
}

/* SetPipe(): what SACK reports and what is lost is not under way. */
static void test_rfc6675_4_the_pipe(void **state)
{
	struct th_conn c = with_sack(10, 0);
	const struct tcp_sock *tp = th_tp(c.s);

	sack(0, 4, 8);
	th_flush();
	assert_int_equal(tp->packets_out, 10);
	assert_int_equal(tp->sacked_out, 4);
	assert_int_equal(tp->lost_out, 4);
	assert_true(tp->retrans_out >= 1);
	done(&c);
}

static void test_rfc2018_5_what_was_reported_is_not_sent_again(void **state)
{
	struct th_conn c = with_sack(4, 0);

	sack(0, 1, 3);
	th_sleep_ms(1500);
	assert_true(th_flush() >= 1);
	sack(1, 1, 3);
	out(.flags = ACK | PSH, .seq = sat(3), .ack = 1, .len = MS_);
	done(&c);
}

/* Section 8: the receiver has dropped it after all; a timeout tells. */
static void test_rfc2018_8_a_receiver_may_take_it_back(void **state)
{
	struct th_conn c = with_sack(4, 0);

	sack(0, 1, 3);
	/* The head is the hole no more, but what was reported is not acked. */
	sack(1, 0, 0);
	assert_int_equal(th_tp(c.s)->sacked_out, 2);
	th_flush();
	th_sleep_ms(3000);
	th_flush();
	assert_int_equal(th_tp(c.s)->sacked_out, 0);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_LOSS);
	done(&c);
}

static void test_rfc2018_2_only_if_both_have_it(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 2001, .ack = 1, .wnd = 100, .len = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_last.nr_sacks, 0);
	done(&c);
}

static void early(u32 start, u32 end)
{
	in(.flags = ACK, .seq = start, .ack = 1, .wnd = 512, .tsval = 3000,
	   .len = end - start);
}

/* Beside timestamps there is room for three. */
static void test_rfc2018_3_three_blocks_beside_timestamps(void **state)
{
	struct th_conn c = th_established(false);

	for (u32 i = 1; i < 5; i++) {
		early(1000 * i, 1000 * i + 100);
		th_flush();
	}
	assert_int_equal(th_last.nr_sacks, 3);
	assert_int_equal(th_last.sacks[0].start, 4000);
	assert_int_equal(th_last.sacks[1].start, 3000);
	assert_int_equal(th_last.sacks[2].start, 2000);
	done(&c);
}

static void test_rfc2018_4_touching_blocks_are_one(void **state)
{
	struct th_conn c = th_established(false);

	early(1000, 1100);
	early(1200, 1300);
	early(1100, 1200);
	th_flush();
	assert_int_equal(th_last.nr_sacks, 1);
	assert_int_equal(th_last.sacks[0].start, 1000);
	assert_int_equal(th_last.sacks[0].end, 1300);
	done(&c);
}

static void test_rfc2883_4_1_a_copy_below_the_ack(void **state)
{
	struct th_conn c = th_established(false);

	early(1, 101);
	th_flush();
	early(1, 101);
	out(.flags = ACK, .seq = 1, .ack = 101, .nr_sacks = 1,
	    .sacks = { { 1, 101 } });
	done(&c);
}

/* The copy is the first block, what holds it the second. */
static void test_rfc2883_4_2_a_copy_of_what_is_early(void **state)
{
	struct th_conn c = th_established(false);

	early(1000, 1300);
	th_flush();
	early(1100, 1200);
	out(.flags = ACK, .seq = 1, .ack = 1, .nr_sacks = 2,
	    .sacks = { { 1100, 1200 }, { 1000, 1300 } });
	done(&c);
}

static void test_rfc2883_4_each_copy_is_told_once(void **state)
{
	struct th_conn c = th_established(false);

	early(1, 101);
	th_flush();
	early(1, 101);
	th_flush();
	early(2000, 2100);
	out(.flags = ACK, .seq = 1, .ack = 101, .nr_sacks = 1,
	    .sacks = { { 2000, 2100 } });
	done(&c);
}

/* ---- RFC 3042 ---- */

static void test_rfc3042_2_not_beyond_the_peers_window(void **state)
{
	struct th_conn c = reno(4, 4);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 4 * M);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 4 * M);
	quiet();
	done(&c);
}

static void test_rfc3042_2_two_at_most(void **state)
{
	struct th_conn c = reno(4, 8);

	ack(0);
	out(.flags = ACK, .seq = at(4), .ack = 1, .len = M);
	ack(0);
	out(.flags = ACK, .seq = at(5), .ack = 1, .len = M);
	/* cwnd itself has not grown. */
	assert_int_equal(th_tp(c.s)->cwnd, 4);
	done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc6298_2_1_a_second_without_a_sample),
		T(test_rfc6298_2_4_least),
		T(test_rfc6298_2_5_at_most_two_minutes),
		T(test_rfc6298_5_1_sending_starts_the_timer),
		T(test_rfc6298_5_2_nothing_out_no_timer),
		T(test_rfc6298_5_3_new_data_acked_restarts_it),
		T(test_rfc6298_5_3_a_duplicate_does_not),
		T(test_rfc6298_5_4_the_earliest_goes_alone),
		T(test_rfc6298_5_7_three_seconds_after_a_lost_syn),
		T(test_rfc5681_3_1_slow_start_by_segments),
		T(test_rfc5681_3_1_avoidance_by_one_a_window),
		T(test_rfc5681_3_1_a_timeout_halves_the_flight),
		T(test_rfc5681_3_1_ssthresh_is_two_at_least),
		T(test_rfc5681_2_data_makes_no_duplicate),
		T(test_rfc5681_2_a_window_update_is_no_duplicate),
		T(test_rfc5681_2_nothing_out_no_duplicate),
		T(test_rfc6582_3_2_2_each_hole_after_the_other),
		T(test_rfc6582_3_2_1_one_cut_for_a_window),
		T(test_rfc6582_4_1_not_after_a_timeout),
		T(test_rfc6582_3_2_3_a_full_ack_deflates),
		T(test_rfc6937_3_proportional),
		T(test_rfc6937_3_slow_start_below_ssthresh),
		T(test_rfc6937_3_the_end_is_ssthresh),
		T(test_rfc6675_5_two_above_are_not_enough),
		T(test_rfc6675_4_holes_first_then_new_data),
		T(test_rfc6675_4_the_pipe),
		T(test_rfc2018_5_what_was_reported_is_not_sent_again),
		T(test_rfc2018_8_a_receiver_may_take_it_back),
		T(test_rfc2018_2_only_if_both_have_it),
		T(test_rfc2018_3_three_blocks_beside_timestamps),
		T(test_rfc2018_4_touching_blocks_are_one),
		T(test_rfc2883_4_1_a_copy_below_the_ack),
		T(test_rfc2883_4_2_a_copy_of_what_is_early),
		T(test_rfc2883_4_each_copy_is_told_once),
		T(test_rfc3042_2_not_beyond_the_peers_window),
		T(test_rfc3042_2_two_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
