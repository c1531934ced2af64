/*
 * RACK-TLP (RFC 8985), the undo of mistaken cuts (RFC 3522, 3708), one script
 * per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_recovery.h"
#include "tests/unit/tcp_harness.h"

#define M	1448u

static u32 stamp;	/* our timestamp of the segment seen last */

static void ack(u32 a, u32 tsecr)
{
	in(.flags = ACK, .seq = 1, .ack = a, .wnd = 512, .tsval = 3000,
	   .tsecr = tsecr);
}

static void sack(u32 a, u32 start, u32 end)
{
	in(.flags = ACK, .seq = 1, .ack = a, .wnd = 512, .tsval = 3000,
	   .tsecr = stamp, .nr_sacks = 1, .sacks = { { start, end } });
}

static void send_n(struct th_conn *c, u32 n)
{
	static char data[64 * M];

	assert_int_equal(th_send(c->s, data, n, 0), n);
}

/* A connection with a round trip of 100 ms, measured, and @n segments out. */
static struct th_conn flying(u32 n)
{
	struct th_conn c = th_established(false);

	send_n(&c, M);
	out(.flags = ACK | PSH, .seq = 1, .ack = 1, .len = M);
	th_sleep_ms(100);
	ack(1 + M, th_last.tsval);
	quiet();
	/* As if the handshake, too, had taken its time. */
	th_tp(c.s)->srtt = 8 * 100000;
	th_tp(c.s)->rttvar = 4 * 50000;
	th_tp(c.s)->rto = 300000;
	send_n(&c, n * M);
	assert_int_equal(th_flush(), n);
	stamp = th_last.tsval;
	return c;
}

/* Sequence number of the @n-th segment of those that fly, from 0. */
static u32 at(u32 n)
{
	return 1 + M + n * M;
}

static void done(struct th_conn *c)
{
	th_tp(c->s)->snd_wnd = 0;
	th_conn_close(c);
	th_flush();
}

static void test_rfc8985_7_2_a_lost_tail_is_probed(void **state)
{
	struct th_conn c = flying(4);
	u32 ssthresh = th_tp(c.s)->ssthresh;

	/* The last two are lost; the RTO would be 300 ms. */
	th_sleep_ms(100);
	ack(at(2), stamp);
	th_sleep_ms(190);
	quiet();
	th_sleep_ms(15);
	out(.flags = ACK | PSH, .seq = at(3), .ack = 1, .len = M);
	/* Its SACK shows the hole before it; the RTO is not waited for. */
	th_sleep_ms(100);
	sack(at(2), at(3), at(4));
	th_sleep_ms(40);
	out(.flags = ACK, .seq = at(2), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_RECOVERY);
	assert_true(th_tp(c.s)->ssthresh < ssthresh);
	th_sleep_ms(100);
	ack(at(4), th_last.tsval);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	done(&c);
}

/*
 * Step 2: an answer that is too early for what was sent again is one to what
 * was sent first, and says nothing about what was sent in between.
 */
static void test_rfc8985_6_2_2_too_early_for_the_repetition(void **state)
{
	struct th_conn c = flying(4);

	th_sleep_ms(205);
	out(.flags = ACK | PSH, .seq = at(3), .ack = 1, .len = M);
	stamp = th_last.tsval;
	th_sleep_ms(2);
	sack(at(0), at(3), at(4));
	quiet();
	th_sleep_ms(20);
	quiet();
	assert_int_equal(th_tp(c.s)->lost_out, 0);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	ack(at(4), stamp);
	assert_int_equal(th_tp(c.s)->packets_out, 0);
	done(&c);
}

static void test_rfc8985_7_3_new_data_is_the_probe(void **state)
{
	struct th_conn c = flying(4);

	th_tp(c.s)->cwnd = 4;
	send_n(&c, 2 * M);
	quiet();
	th_sleep_ms(205);
	out(.flags = ACK, .seq = at(4), .ack = 1, .len = M);
	quiet();
	/* All there: nothing is amiss. */
	th_sleep_ms(20);
	ack(at(5), stamp);
	assert_int_equal(th_tp(c.s)->cwnd, 9);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

static void test_rfc8985_7_4_2_dsack_of_the_probe(void **state)
{
	struct th_conn c = flying(4);

	th_sleep_ms(205);
	out(.flags = ACK | PSH, .seq = at(3), .ack = 1, .len = M);
	ack(at(4), stamp);
	sack(at(4), at(3), at(4));
	assert_int_equal(th_tp(c.s)->flags & TCP_F_TLP_OUT, 0);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

static void test_rfc8985_7_4_2_a_repaired_loss_cuts(void **state)
{
	struct th_conn c = flying(4);

	th_sleep_ms(205);
	out(.flags = ACK | PSH, .seq = at(3), .ack = 1, .len = M);
	th_sleep_ms(100);
	ack(at(4), stamp);
	send_n(&c, M);
	th_flush();
	ack(at(5), stamp);
	assert_int_not_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

static void test_rfc8985_one_segment_is_not_probed(void **state)
{
	struct th_conn c = flying(1);

	th_sleep_ms(290);
	quiet();
	th_sleep_ms(20);
	out(.flags = ACK | PSH, .seq = at(0), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_LOSS);
	done(&c);
}

/* Fewer than three above it, but long enough ago. */
static void test_rfc8985_6_2_lost_by_time(void **state)
{
	struct th_conn c = flying(3);

	th_sleep_ms(100);
	sack(at(0), at(2), at(3));
	quiet();
	/* A quarter of the round trip for reordering. */
	th_sleep_ms(20);
	quiet();
	th_sleep_ms(8);
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_RECOVERY);
	done(&c);
}

static void test_rfc8985_6_2_overtaken_in_time_is_not_lost(void **state)
{
	struct th_conn c = flying(3);

	th_sleep_ms(100);
	sack(at(0), at(2), at(3));
	th_sleep_ms(15);
	ack(at(3), stamp);
	th_sleep_ms(1000);
	quiet();
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	done(&c);
}

/* Once segments have overtaken each other three above one mean little. */
static void test_rfc8985_6_2_reordering_is_remembered(void **state)
{
	struct th_conn c = flying(3);

	th_sleep_ms(100);
	sack(at(0), at(2), at(3));
	ack(at(3), stamp);
	assert_true(th_tp(c.s)->flags & TCP_F_REORDER);
	send_n(&c, 6 * M);
	assert_int_equal(th_flush(), 6);
	stamp = th_last.tsval;
	th_sleep_ms(100);
	sack(at(3), at(4), at(9));
	quiet();
	th_sleep_ms(10);
	ack(at(9), stamp);
	quiet();
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

/* The wait counts from what the latest delivered one took, not the average. */
static void test_rfc8985_6_2_the_latest_round_trip_counts(void **state)
{
	struct th_conn c = flying(3);

	th_sleep_ms(190);
	sack(at(0), at(2), at(3));
	th_sleep_ms(20);
	quiet();
	assert_int_equal(th_tp(c.s)->lost_out, 0);
	th_sleep_ms(10);
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	done(&c);
}

/* An older one that comes late as well lets nothing wait longer. */
static void test_rfc8985_6_2_5_the_wait_is_not_begun_again(void **state)
{
	struct th_conn c = flying(4);

	th_sleep_ms(100);
	sack(at(0), at(3), at(4));
	th_sleep_ms(15);
	/* The late one moves snd_una, but is no later than what had come. */
	ack(at(1), stamp);
	quiet();
	th_sleep_ms(15);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = M);
	done(&c);
}

/* Each DSACK is a quarter of a round trip; recoveries take it back. */
static void test_rfc8985_6_2_4_dsack_widens_the_window(void **state)
{
	struct th_conn c = flying(5);

	th_sleep_ms(100);
	sack(at(0), at(1), at(4));
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->reo_steps, 0);
	ack(at(5), stamp);
	sack(at(5), at(0), at(1));
	assert_int_equal(th_tp(c.s)->reo_steps, 4);
	/* The timestamp told that it was reordering, so it is waited for. */
	send_n(&c, 6 * M);
	assert_int_equal(th_flush(), 6);
	stamp = th_last.tsval;
	th_sleep_ms(100);
	sack(at(5), at(6), at(10));
	th_sleep_ms(45);
	quiet();
	th_sleep_ms(10);
	out(.flags = ACK, .seq = at(5), .ack = 1, .len = M);
	th_sleep_ms(100);
	ack(at(11), th_last.tsval);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(th_tp(c.s)->reo_steps, 3);
	done(&c);
}

/* What SACK reports lets the window grow, too, once segments overtake. */
static void test_rfc9438_4_reordered_segments_let_it_grow(void **state)
{
	struct th_conn c = flying(10);
	u32 cwnd;

	th_sleep_ms(100);
	sack(at(0), at(2), at(3));
	sack(at(0), at(1), at(3));
	cwnd = th_tp(c.s)->cwnd;
	sack(at(0), at(1), at(7));
	assert_int_equal(th_tp(c.s)->cwnd, cwnd + 4);
	done(&c);
}

/* A long run of what has arrived is passed in one step. */
static void test_a_run_of_sacked_segments_is_skipped(void **state)
{
	struct th_conn c = flying(10);
	struct sk_buff *first, *last;

	th_sleep_ms(100);
	for (u32 i = 2; i < 9; i++)
		sack(at(0), at(1), at(i));
	first = tcp_rtx_next(th_tp(c.s), tcp_rtx_head(th_tp(c.s)));
	last = tcp_rtx_next_open(th_tp(c.s), tcp_rtx_head(th_tp(c.s)));
	assert_int_equal(tcp_tx(last)->seq, tcp_tx(first)->seq + 7 * M);
	assert_int_equal(tcp_tx(tcp_tx(first)->run_end)->end_seq,
			 tcp_tx(last)->seq);
	done(&c);
}

/* Section 4.2: twice above the cumulative ACK: a block in the second one. */
static void test_rfc2883_4_2_a_block_within_the_next(void **state)
{
	u64 before = snmp_counts[SNMP_TcpExt_TCPDSACKRecv];
	struct th_conn c = flying(5);

	th_sleep_ms(100);
	in(.flags = ACK, .seq = 1, .ack = at(0), .wnd = 512, .tsval = 3000,
	   .tsecr = stamp, .nr_sacks = 2,
	   .sacks = { { at(2), at(3) }, { at(1), at(4) } });
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPDSACKRecv], before + 1);
	assert_int_equal(th_tp(c.s)->sacked_out, 3);
	th_flush();
	done(&c);
}

/* An ACK that was overtaken reports what is old by now: nothing came twice. */
static void test_rfc2883_4_an_old_ack_is_no_dsack(void **state)
{
	u64 before = snmp_counts[SNMP_TcpExt_TCPDSACKRecv];
	struct th_conn c = flying(5);

	th_sleep_ms(100);
	ack(at(4), stamp);
	sack(at(0), at(1), at(2));
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPDSACKRecv], before);
	assert_int_equal(th_tp(c.s)->reo_steps, 0);
	th_flush();
	done(&c);
}

static void test_rfc8985_a_lost_retransmission_is_found(void **state)
{
	struct th_conn c = flying(6);
	u64 before = snmp_counts[SNMP_TcpExt_TCPLostRetransmit];

	th_sleep_ms(100);
	sack(at(0), at(1), at(5));
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	th_sleep_ms(10);
	/* New data goes out after it, and arrives before it. */
	th_tp(c.s)->cwnd = 10;
	send_n(&c, 2 * M);
	assert_int_equal(th_flush(), 2);
	th_sleep_ms(120);
	sack(at(0), at(6), at(8));
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	out(.flags = ACK | PSH, .seq = at(5), .ack = 1, .len = M);
	quiet();
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPLostRetransmit],
			 before + 1);
	assert_int_equal(th_tp(c.s)->retrans_out, 2);
	done(&c);
}

/* The ACK of the original was only late: its timestamp says so. */
static void test_rfc3522_spurious_timeout_is_undone(void **state)
{
	struct th_conn c = flying(1);
	u32 cwnd = th_tp(c.s)->cwnd;

	th_sleep_ms(305);
	out(.flags = ACK | PSH, .seq = at(0), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->cwnd, 1);
	ack(at(1), stamp);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_in_range(th_tp(c.s)->cwnd, cwnd, cwnd + 1);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

static void test_rfc3522_a_true_timeout_stays(void **state)
{
	struct th_conn c = flying(1);

	th_sleep_ms(305);
	out(.flags = ACK | PSH, .seq = at(0), .ack = 1, .len = M);
	th_sleep_ms(100);
	ack(at(1), th_last.tsval);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_not_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

/* All that was sent again had been there: DSACK tells, even afterwards. */
static void test_rfc3708_dsack_undoes_a_mistaken_cut(void **state)
{
	struct th_conn c = flying(5);
	u32 cwnd = th_tp(c.s)->cwnd;
	u64 before = snmp_counts[SNMP_TcpExt_TCPDSACKUndo];

	th_sleep_ms(100);
	sack(at(0), at(1), at(4));
	out(.flags = ACK, .seq = at(0), .ack = 1, .len = M);
	/* As a peer would that has no older timestamp to echo. */
	ack(at(5), th_last.tsval);
	assert_true(th_tp(c.s)->cwnd < cwnd);
	sack(at(5), at(0), at(1));
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPDSACKUndo], before + 1);
	assert_in_range(th_tp(c.s)->cwnd, cwnd, cwnd + 5);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	/* Again changes nothing. */
	sack(at(5), at(0), at(1));
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPDSACKUndo], before + 1);
	done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc8985_7_2_a_lost_tail_is_probed),
		T(test_rfc8985_6_2_2_too_early_for_the_repetition),
		T(test_rfc8985_7_3_new_data_is_the_probe),
		T(test_rfc8985_7_4_2_dsack_of_the_probe),
		T(test_rfc8985_7_4_2_a_repaired_loss_cuts),
		T(test_rfc8985_one_segment_is_not_probed),
		T(test_rfc8985_6_2_lost_by_time),
		T(test_rfc8985_6_2_overtaken_in_time_is_not_lost),
		T(test_rfc8985_6_2_reordering_is_remembered),
		T(test_rfc8985_6_2_the_latest_round_trip_counts),
		T(test_rfc8985_6_2_5_the_wait_is_not_begun_again),
		T(test_rfc8985_6_2_4_dsack_widens_the_window),
		T(test_rfc9438_4_reordered_segments_let_it_grow),
		T(test_a_run_of_sacked_segments_is_skipped),
		T(test_rfc2883_4_2_a_block_within_the_next),
		T(test_rfc2883_4_an_old_ack_is_no_dsack),
		T(test_rfc8985_a_lost_retransmission_is_found),
		T(test_rfc3522_spurious_timeout_is_undone),
		T(test_rfc3522_a_true_timeout_stays),
		T(test_rfc3708_dsack_undoes_a_mistaken_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
