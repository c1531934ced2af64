/*
 * Spurious timeouts without the help of timestamps (RFC 5682), one script per
 * rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "tests/unit/tcp_harness.h"

#define M	1000u

static u32 mss;
static u64 spurious;

static void send_n(struct th_conn *c, u32 n)
{
	static char data[64 * 1460];

	assert_int_equal(th_send(c->s, data, n * mss, 0), n * mss);
}

static u32 at(u32 n)
{
	return 1 + n * mss;
}

/* Four segments out, the first of them again after a timeout. */
static struct th_conn timed_out(bool sack, u32 more)
{
	struct th_conn c = th_established(!sack);

	spurious = snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs];
	mss = sack ? 1448 : M;
	th_tp(c.s)->cwnd = 4;
	send_n(&c, 4 + more);
	assert_int_equal(th_flush(), 4);
	while (th_tp(c.s)->ca_state != TCP_CA_LOSS) {
		th_flush();
		th_sleep_ms(50);
	}
	assert_int_equal(th_flush(), 1);
	return c;
}

static void ack(u32 n)
{
	in(.flags = ACK, .seq = 1, .ack = at(n), .wnd = 65535);
}

/* A peer with timestamps that echoes the newest, so they tell nothing. */
static void sack(u32 n, u32 start, u32 end)
{
	in(.flags = ACK, .seq = 1, .ack = at(n), .wnd = 512,
	   .tsval = 3000, .tsecr = th_last.tsval,
	   .nr_sacks = end > start, .sacks = { { at(start), at(end) } });
}

static void test_rfc5682_2_1_a_spurious_timeout(void **state)
{
	static const u32 fresh[6];
	struct th_conn c = timed_out(false, 6);

	ack(1);
	/* Step 2b: new data instead of old. */
	out(.flags = ACK, .seq = at(4), .ack = 1, .len = M);
	out(.flags = ACK, .seq = at(5), .ack = 1, .len = M);
	quiet();
	/* Step 3b: what was sent only once has arrived. */
	ack(2);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs],
			 spurious + 1);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_in_range(th_tp(c.s)->cwnd, 4, 5);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	assert_int_equal(th_tp(c.s)->lost_out, 0);
	/* The slow start goes on with a fresh HyStart++. */
	assert_memory_equal(th_tp(c.s)->ca_priv, fresh, sizeof(fresh));
	quiet();
	ack(3);
	out(.flags = ACK, .seq = at(6), .ack = 1, .len = M);
	th_conn_done(&c);
}

/* All that was out is there: nothing is left to be found out. */
static void test_rfc5682_2_1_2a_all_is_acknowledged(void **state)
{
	struct th_conn c = timed_out(false, 6);

	ack(4);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs], spurious);
	th_conn_done(&c);
}

static void test_rfc5682_2_1_a_true_timeout(void **state)
{
	struct th_conn c = timed_out(false, 6);

	ack(1);
	out(.flags = ACK, .seq = at(4), .ack = 1, .len = M);
	out(.flags = ACK, .seq = at(5), .ack = 1, .len = M);
	/* Step 3a: the new data came, the second segment had not. */
	ack(1);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = M);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_LOSS);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs], spurious);
	th_conn_done(&c);
}

static void test_rfc5682_2_1_2a_without_new_data(void **state)
{
	struct th_conn c = timed_out(false, 0);

	ack(1);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = M);
	out(.flags = ACK, .seq = at(2), .ack = 1, .len = M);
	quiet();
	th_conn_done(&c);
}

static void test_rfc5682_2_1_2a_a_duplicate_comes_first(void **state)
{
	struct th_conn c = timed_out(false, 6);

	ack(0);
	quiet();
	ack(1);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = M);
	th_conn_done(&c);
}

/* The ACK covers the repetition and more: that may have waited for it. */
static void test_rfc5682_2_1_an_ack_of_both_shows_nothing(void **state)
{
	struct th_conn c = timed_out(false, 6);

	ack(2);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs], spurious);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_LOSS);
	out(.flags = ACK, .seq = at(4), .ack = 1, .len = M);
	th_conn_done(&c);
}

static void test_rfc5682_3_1_sack_of_what_was_sent_once(void **state)
{
	struct th_conn c = timed_out(true, 0);

	sack(0, 1, 2);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs],
			 spurious + 1);
	assert_int_equal(th_tp(c.s)->ca_state, TCP_CA_OPEN);
	assert_int_equal(th_tp(c.s)->cwnd, 4);
	th_conn_done(&c);
}

static void test_rfc5682_3_1_new_data_then_sack(void **state)
{
	struct th_conn c = timed_out(true, 6);

	sack(1, 0, 0);
	/* The tail probe was one of the new ones already. */
	out(.flags = ACK, .seq = at(5), .ack = 1, .len = mss);
	out(.flags = ACK, .seq = at(6), .ack = 1, .len = mss);
	quiet();
	/* Step 3a: only the new data has arrived. */
	sack(1, 5, 6);
	out(.flags = ACK, .seq = at(1), .ack = 1, .len = mss);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPSpuriousRTOs], spurious);
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc5682_2_1_a_spurious_timeout),
		T(test_rfc5682_2_1_2a_all_is_acknowledged),
		T(test_rfc5682_2_1_a_true_timeout),
		T(test_rfc5682_2_1_2a_without_new_data),
		T(test_rfc5682_2_1_2a_a_duplicate_comes_first),
		T(test_rfc5682_2_1_an_ack_of_both_shows_nothing),
		T(test_rfc5682_3_1_sack_of_what_was_sent_once),
		T(test_rfc5682_3_1_new_data_then_sack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
