/*
 * Black holes for large segments (RFC 4821), and the options TCP_DEFER_ACCEPT
 * and TCP_WINDOW_CLAMP (tcp(7)).
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "net/snmp.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define M	1460u
#define SOL_TCP	6
#define TCP_DEFER_ACCEPT	9
#define TCP_WINDOW_CLAMP	10

static u8 bytes[30000];

static struct th_conn large(void)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN, .wnd = 65535, .mss = M);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	return c;
}

static void done(struct th_conn *c)
{
	tcp_mtu_probing = 1;
	th_conn_close(c);
	th_flush();
}

/* The next timeout; how long the segment is that goes again. */
static u32 timeout(void)
{
	for (u32 ms = 0; !th_flush(); ms += 100) {
		assert_true(ms < 200000);
		th_sleep_ms(100);
	}
	return th_last.len;
}

static void test_rfc4821_7_7_large_segments_vanish(void **state)
{
	static const u32 want[] = { M, M, M, 1024, 512, 512 };
	struct th_conn c = large();
	u64 before = snmp_counts[SNMP_TcpExt_TCPMTUPFail];

	th_send(c.s, bytes, 3 * M, 0);
	assert_int_equal(th_flush(), 3);
	for (u32 i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(timeout(), want[i]);
	assert_int_equal(snmp_counts[SNMP_TcpExt_TCPMTUPFail], before + 2);
	/* These get through: all the rest goes in such. */
	in(.flags = ACK, .seq = 1, .ack = 513, .wnd = 65535);
	assert_true(th_flush() > 0);
	assert_in_range(th_last.len, 1, 512);
	in(.flags = ACK, .seq = 1, .ack = 1 + 3 * M, .wnd = 65535);
	th_flush();
	done(&c);
}

static void test_rfc4821_7_7_small_segments_are_not_blamed(void **state)
{
	struct th_conn c = large();

	th_send(c.s, bytes, 100, 0);
	th_flush();
	for (int i = 0; i < 5; i++)
		assert_int_equal(timeout(), 100);
	assert_int_equal(th_tp(c.s)->mss_cache, M);
	done(&c);
}

static void test_mtu_probing_off(void **state)
{
	struct th_conn c = large();

	tcp_mtu_probing = 0;
	th_send(c.s, bytes, M, 0);
	th_flush();
	for (int i = 0; i < 5; i++)
		assert_int_equal(timeout(), M);
	done(&c);
}

static void test_defer_accept_waits_for_data(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	u32 len = 4;
	int err, v;

	/* What Linux makes of the longest. */
	assert_int_equal(th_setopt(l, SOL_TCP, TCP_DEFER_ACCEPT, INT32_MAX),
			 0);
	assert_int_equal(l->ops->getsockopt(l, SOL_TCP, TCP_DEFER_ACCEPT, &v,
					    &len), 0);
	assert_int_equal(v, 29887);
	assert_int_equal(th_setopt(l, SOL_TCP, TCP_DEFER_ACCEPT, 5), 0);
	assert_int_equal(l->ops->getsockopt(l, SOL_TCP, TCP_DEFER_ACCEPT, &v,
					    &len), 0);
	assert_int_equal(v, 7);
	in(.flags = SYN, .wnd = 65535, .mss = M);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	quiet();
	assert_null(th_accept(l, &err));
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535, .len = 10);
	s = th_accept(l, &err);
	assert_non_null(s);
	assert_int_equal(th_recv(s, bytes, 100, 0), 10);
	th_close(s);
	th_close(l);
	th_flush();
}

/* The time is over: the answer goes again, and its ACK is enough. */
static void test_defer_accept_does_not_wait_forever(void **state)
{
	struct socket *l = th_listen(TH_PORT), *s;
	int err;

	th_setopt(l, SOL_TCP, TCP_DEFER_ACCEPT, 3);
	in(.flags = SYN, .wnd = 65535, .mss = M);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	th_sleep_ms(1500);
	quiet();
	th_sleep_ms(2000);
	out(.flags = SYN | ACK, .ack = 1);
	assert_null(th_accept(l, &err));
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	s = th_accept(l, &err);
	assert_non_null(s);
	th_close(s);
	th_close(l);
	th_flush();
}

static void test_window_clamp_limits_the_window(void **state)
{
	struct th_conn c = th_established(false);

	assert_int_equal(th_setopt(c.s, SOL_TCP, TCP_WINDOW_CLAMP, 0),
			 -EINVAL);
	assert_int_equal(th_setopt(c.s, SOL_TCP, TCP_WINDOW_CLAMP, 5000), 0);
	for (u32 i = 0; i < 50; i++) {
		in(.flags = ACK, .seq = 1 + i * 1400, .ack = 1, .wnd = 512,
		   .len = 1400, .tsval = 2000, .tsecr = 0);
		th_recv(c.s, bytes, sizeof(bytes), 0);
	}
	th_flush();
	assert_in_range(th_tp(c.s)->rcv_wnd, 1400, 5000 + 128);
	done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc4821_7_7_large_segments_vanish),
		T(test_rfc4821_7_7_small_segments_are_not_blamed),
		T(test_mtu_probing_off),
		T(test_defer_accept_waits_for_data),
		T(test_defer_accept_does_not_wait_forever),
		T(test_window_clamp_limits_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
