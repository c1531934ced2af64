/*
 * Urgent data as Linux treats it (RFC 9293 section 3.8.5, RFC 6093), one
 * script per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "tests/unit/tcp_harness.h"

#define SOL_SOCKET_	1
#define SO_OOBINLINE_	10
#define SIOCATMARK	0x8905
#define M		1000u

static char buf[4000];
static u8 bytes[4000];

static int at_mark(struct th_conn *c)
{
	int v = -1;

	assert_int_equal(c->s->ops->ioctl(c->s, SIOCATMARK, &v), 0);
	return v;
}

/* @len bytes at @seq, the urgent one @up - 1 behind @seq. */
static void urgent(u32 seq, u32 len, u16 up)
{
	in(.flags = ACK | URG, .seq = seq, .ack = 1, .wnd = 65535, .len = len,
	   .urg = up);
	th_flush();
}

static void plain(u32 seq, u32 len)
{
	in(.flags = ACK, .seq = seq, .ack = 1, .wnd = 65535, .len = len);
	th_flush();
}

static ssize_t oob(struct th_conn *c, u32 more)
{
	return th_recv(c->s, buf, 1, MSG_OOB | more);
}

static ssize_t read_all(struct th_conn *c)
{
	return th_recv(c->s, buf, sizeof(buf), 0);
}

static void test_rfc6093_2_the_byte_is_out_of_band(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(oob(&c, 0), -EINVAL);
	plain(1, 10);
	urgent(11, 10, 5);
	assert_true(th_poll(c.s) & EPOLLPRI);
	assert_int_equal(th_sigurg, 1);
	urgent(11, 10, 5);
	assert_int_equal(th_sigurg, 1);
	assert_int_equal(oob(&c, MSG_PEEK), 1);
	assert_int_equal(oob(&c, 0), 1);
	assert_int_equal((u8)buf[0], th_pattern(15));
	assert_int_equal(oob(&c, 0), -EINVAL);
	assert_false(th_poll(c.s) & EPOLLPRI);
	/* Reading stops at the mark, and goes on behind it. */
	assert_int_equal(at_mark(&c), 0);
	assert_int_equal(read_all(&c), 14);
	assert_int_equal(at_mark(&c), 1);
	assert_int_equal(read_all(&c), 5);
	assert_int_equal((u8)buf[0], th_pattern(16));
	assert_int_equal(at_mark(&c), 0);
	th_conn_done(&c);
}

static void test_rfc6093_2_the_byte_alone_is_not_readable(void **state)
{
	struct th_conn c = th_established(true);

	urgent(1, 1, 1);
	assert_int_equal(th_poll(c.s) & (EPOLLIN | EPOLLPRI), EPOLLPRI);
	assert_int_equal(at_mark(&c), 1);
	assert_int_equal(oob(&c, 0), 1);
	assert_int_equal(read_all(&c), -EAGAIN);
	plain(2, 3);
	assert_int_equal(read_all(&c), 3);
	th_conn_done(&c);
}

static void test_so_oobinline_keeps_it_in_the_stream(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_SOCKET_, SO_OOBINLINE_, 1);
	urgent(1, 10, 5);
	assert_int_equal(oob(&c, 0), -EINVAL);
	assert_int_equal(read_all(&c), 4);
	assert_int_equal(at_mark(&c), 1);
	assert_int_equal(read_all(&c), 6);
	assert_int_equal((u8)buf[0], th_pattern(5));
	assert_int_equal(at_mark(&c), 0);
	th_conn_done(&c);
}

/* The pointer comes before the byte. */
static void test_rfc9293_3_8_5_announced_before_it_comes(void **state)
{
	struct th_conn c = th_established(true);

	urgent(1, 10, 15);
	assert_int_equal(oob(&c, 0), -EAGAIN);
	assert_int_equal(read_all(&c), 10);
	urgent(11, 10, 5);
	assert_int_equal(oob(&c, 0), 1);
	assert_int_equal((u8)buf[0], th_pattern(15));
	assert_int_equal(read_all(&c), 4);
	assert_int_equal(read_all(&c), 5);
	/* An old pointer, behind the reader, says nothing. */
	urgent(21, 5, 0);
	assert_int_equal(read_all(&c), 4);
	th_conn_done(&c);
}

static void test_rfc9293_3_8_5_the_newest_mark_counts(void **state)
{
	struct th_conn c = th_established(true);

	urgent(1, 10, 5);
	urgent(11, 10, 10);
	assert_int_equal(oob(&c, 0), 1);
	assert_int_equal((u8)buf[0], th_pattern(20));
	/* The byte before it is an ordinary one now. */
	assert_int_equal(read_all(&c), 19);
	th_conn_done(&c);
}

static void test_a_mark_that_was_passed_is_forgotten(void **state)
{
	struct th_conn c = th_established(true);

	urgent(1, 10, 5);
	assert_int_equal(read_all(&c), 4);
	assert_int_equal(th_recv(c.s, buf, 2, MSG_PEEK), 2);
	assert_int_equal((u8)buf[0], th_pattern(6));
	assert_int_equal(read_all(&c), 5);
	assert_int_equal(oob(&c, 0), -EINVAL);
	in(.flags = ACK | URG | FIN, .seq = 11, .ack = 1, .wnd = 65535,
	   .urg = 9);
	assert_int_equal(oob(&c, 0), 0);
	th_conn_done(&c);
}

static void test_no_memory_for_the_mark(void **state)
{
	struct th_conn c = th_established(true);

	th_fail_next = 1;
	urgent(1, 10, 5);
	assert_int_equal(oob(&c, 0), -EINVAL);
	assert_int_equal(read_all(&c), 10);
	th_conn_done(&c);
}

static void test_msg_oob_sends_the_pointer(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, bytes, 10, MSG_OOB), 10);
	out(.flags = URG | ACK, .seq = 1, .ack = 1, .len = 10);
	assert_int_equal(th_last.urg, 10);
	/* It stays in what is sent again, and in nothing that follows. */
	th_sleep_ms(1100);
	out(.flags = URG | ACK, .seq = 1, .ack = 1, .len = 10);
	assert_int_equal(th_last.urg, 10);
	in(.flags = ACK, .seq = 1, .ack = 11, .wnd = 65535);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	out(.flags = ACK, .seq = 11, .ack = 1, .len = 10);
	assert_int_equal(th_last.urg, 0);
	th_conn_done(&c);
}

/* All that waits before the byte announces it. */
static void test_rfc9293_3_8_5_waiting_segments_announce_it(void **state)
{
	struct th_conn c = th_established(true);

	th_tp(c.s)->cwnd = 1;
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	assert_int_equal(th_send(c.s, bytes, M + 500, MSG_OOB), M + 500);
	quiet();
	assert_int_equal(th_send(c.s, bytes, 900, 0), 900);
	in(.flags = ACK, .seq = 1, .ack = 1 + M, .wnd = 65535);
	out(.flags = URG | ACK, .seq = 1 + M, .ack = 1, .len = M);
	assert_int_equal(th_last.urg, M + 500);
	out(.flags = URG | ACK, .seq = 1 + 2 * M, .ack = 1, .len = M);
	assert_int_equal(th_last.urg, 500);
	in(.flags = ACK, .seq = 1, .ack = 1 + 3 * M, .wnd = 65535);
	out(.flags = ACK, .seq = 1 + 3 * M, .ack = 1, .len = 400);
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc6093_2_the_byte_is_out_of_band),
		T(test_rfc6093_2_the_byte_alone_is_not_readable),
		T(test_so_oobinline_keeps_it_in_the_stream),
		T(test_rfc9293_3_8_5_announced_before_it_comes),
		T(test_rfc9293_3_8_5_the_newest_mark_counts),
		T(test_a_mark_that_was_passed_is_forgotten),
		T(test_no_memory_for_the_mark),
		T(test_msg_oob_sends_the_pointer),
		T(test_rfc9293_3_8_5_waiting_segments_announce_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
