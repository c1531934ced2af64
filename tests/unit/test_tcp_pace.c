/*
 * Pacing: SO_MAX_PACING_RATE, and a congestion control's rate.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "net/tcp/tcp_pace.h"
#include "tests/unit/tcp_harness.h"

#define SO_MAX_PACING_RATE	47
#define M	1000u

static u8 bytes[64 * M];

/* Segments that come out in @ms. */
static u32 in_ms(u32 ms)
{
	th_sleep_ms(ms);
	return th_flush();
}

static void test_sending_keeps_to_the_rate(void **state)
{
	struct th_conn c = th_established(true);

	/* A segment each 10 ms. */
	assert_int_equal(th_setopt(c.s, 1, SO_MAX_PACING_RATE, 100 * M), 0);
	assert_int_equal(th_send(c.s, bytes, 8 * M, 0), 8 * M);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(in_ms(5), 0);
	assert_int_equal(in_ms(8), 1);
	assert_in_range(in_ms(30), 2, 4);
	assert_in_range(in_ms(50), 2, 4);
	assert_int_equal(th_tp(c.s)->packets_out, 8);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1 + 8 * M, .wnd = 65535);
	/* Without a limit, all at once. */
	th_setopt(c.s, 1, SO_MAX_PACING_RATE, -1);
	assert_int_equal(th_send(c.s, bytes, 8 * M, 0), 8 * M);
	assert_int_equal(th_flush(), 8);
	th_conn_close(&c);
	th_flush();
}

static void test_a_congestion_control_sets_a_rate(void **state)
{
	struct th_conn c = th_established(true);

	tcp_pace_set(th_tp(c.s), 10 * M);
	th_setopt(c.s, 1, SO_MAX_PACING_RATE, 100 * M);
	th_send(c.s, bytes, 3 * M, 0);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(in_ms(80), 0);
	assert_int_equal(in_ms(25), 1);
	tcp_pace_set(th_tp(c.s), 0);
	assert_int_equal(in_ms(150), 1);
	th_conn_close(&c);
	th_flush();
}

/* Closed while something waits: it goes on in its time. */
static void test_closing_waits_for_the_rate(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, 1, SO_MAX_PACING_RATE, 100 * M);
	th_send(c.s, bytes, 3 * M, 0);
	th_conn_close(&c);
	assert_int_equal(th_flush(), 1);
	assert_in_range(in_ms(50), 2, 3);
	assert_true(th_last.flags & FIN);
	in(.flags = RST, .seq = 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sending_keeps_to_the_rate),
		T(test_a_congestion_control_sets_a_rate),
		T(test_closing_waits_for_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
