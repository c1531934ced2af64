/*
 * Details of the program's side (RFC 9293 section 3.10.1 to 3.10.6 as
 * sockets have it): what the other scripts did not notice when one line was
 * taken out.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/inet.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_user.h"
#include "tests/unit/tcp_harness.h"

#define M	1000u

static char bytes[20 * M];
extern bool memory_tight;

static ssize_t recv_waiting(struct socket *s, size_t n, u32 flags)
{
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kbuf(&msg.msg_iter, bytes, n);
	return s->ops->recvmsg(s, &msg, false);
}

/* ---- reading ---- */

/* What was read is told once the window can be twice as large. */
static void test_rfc9293_3_8_6_2_2_reading_opens_the_window(void **state)
{
	static const struct {
		u32 left;
		bool told;
	} cases[] = { { 4000, false }, { 3100, true }, { 2900, true } };

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct th_conn c = th_established(true);
		struct tcp_sock *tp = th_tp(c.s);
		s32 held;

		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
		th_sleep_ms(60);
		th_flush();
		tp->rcv_mss = M;
		c.s->sk->sk_rcvbuf = 20000;
		tp->rcv_wnd = cases[i].left;
		/* As if others held so much that 6,500 are left. */
		held = 7000;
		c.s->sk->sk_rmem_alloc += held;
		assert_int_equal(th_recv(c.s, bytes, 10, 0), 10);
		assert_int_equal(th_flush(), cases[i].told);
		c.s->sk->sk_rmem_alloc -= held;
		in(.flags = RST, .seq = 11);
		th_conn_done(&c);
	}
}

static void test_waitall_ends_with_the_stream(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK | FIN, .seq = 1, .ack = 1, .wnd = 100, .len = 3);
	assert_int_equal(tcp_inq(th_tp(c.s)), 3);
	assert_int_equal(recv_waiting(c.s, 10, MSG_WAITALL), 3);
	assert_int_equal(recv_waiting(c.s, 10, MSG_WAITALL), 0);
	th_conn_done(&c);
}

static void test_a_read_of_nothing_waits_for_something(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_recv(c.s, bytes, 0, 0), -EAGAIN);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 3);
	assert_int_equal(th_recv(c.s, bytes, 0, 0), 0);
	th_conn_done(&c);
}

/* ---- sending ---- */

static unsigned int told;

static void tell(struct sock *sk)
{
	told++;
}

static void test_scarce_memory_sends_no_more(void **state)
{
	struct th_conn c = th_established(true);

	memory_tight = true;
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	assert_int_equal(th_send(c.s, bytes, M, 0), -EAGAIN);
	memory_tight = false;
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	th_conn_done(&c);
}

/* Nothing is out that could come back: who waits is told at once. */
static void test_no_memory_and_nothing_out(void **state)
{
	struct th_conn c = th_established(true);

	c.s->sk->sk_write_space = tell;
	told = 0;
	host_fail_alloc(1);
	assert_int_equal(th_send(c.s, bytes, 10, 0), -EAGAIN);
	assert_int_equal(told, 1);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	host_fail_alloc(1);
	assert_int_equal(th_send(c.s, bytes, 2 * M, 0), -EAGAIN);
	assert_int_equal(told, 1);
	host_fail_alloc(0);
	th_conn_done(&c);
}

static void test_msg_more_pushes_nothing(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, bytes, M, MSG_MORE), M);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	assert_false(th_last.flags & PSH);
	assert_int_equal(th_send(c.s, bytes, M, 0), M);
	out(.flags = ACK, .seq = 1 + M, .ack = 1, .len = M);
	assert_true(th_last.flags & PSH);
	th_conn_done(&c);
}

/* What the cork held goes when it is pulled, whatever Nagle would say. */
static void test_uncorking_pushes(void **state)
{
	struct th_conn c = th_established(true);

	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	th_setopt(c.s, 6, 3, 1);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	quiet();
	th_setopt(c.s, 6, 3, 0);
	out(.flags = ACK, .seq = 11, .ack = 1, .len = 10);
	th_conn_done(&c);
}

/* Why it ended is told once, then only that it has. */
static void test_sending_after_a_reset(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = RST, .seq = 1);
	assert_int_equal(th_send(c.s, bytes, 10, 0), -ECONNRESET);
	assert_int_equal(th_send(c.s, bytes, 10, 0), -EPIPE);
	th_conn_done(&c);
}

/* IP_RECVERR: an error that is not the end is told in place of sending. */
static void test_sending_with_an_error_pending(void **state)
{
	struct th_conn c = th_established(true);

	WRITE_ONCE(c.s->sk->sk_err, EHOSTUNREACH);
	assert_int_equal(th_send(c.s, bytes, 10, 0), -EHOSTUNREACH);
	assert_int_equal(th_send(c.s, bytes, 10, 0), 10);
	th_conn_done(&c);
}

/* ---- connecting ---- */

static int connect_to(struct socket *s, u32 addr)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_storage to;

	in4.sin_port = cpu_to_be16(TH_PEER_PORT);
	in4.sin_addr = addr;
	memset(&to, 0, sizeof(to));
	memcpy(&to, &in4, sizeof(in4));
	return s->ops->connect(s, &to, 16, true);
}

/* Nobody in particular is ourselves. */
static void test_connect_to_any_is_to_ourselves(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(connect_to(s, 0), -EINPROGRESS);
	assert_int_equal(s->sk->sk_daddr.a[3], cpu_to_be32(0x7f000001));
	th_close(s);
	th_flush();
}

/* No port is left: the address that was chosen is given up again. */
static void test_a_failed_connect_leaves_nothing(void **state)
{
	struct socket *a = th_socket(), *b = th_socket();

	ip_local_port_range[0] = 40000;
	ip_local_port_range[1] = 40000;
	assert_int_equal(th_connect(a, TH_PEER_PORT, true), -EINPROGRESS);
	assert_int_equal(th_connect(b, TH_PEER_PORT, true), -EADDRNOTAVAIL);
	assert_true(ip_addr_any(&b->sk->sk_rcv_saddr));
	assert_true(ip_addr_any(&b->sk->sk_daddr));
	assert_int_equal(b->sk->sk_num, 0);
	ip_local_port_range[0] = 32768;
	ip_local_port_range[1] = 60999;
	th_close(a);
	th_close(b);
	th_flush();
}

static void test_connect_again_after_a_refusal(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	out(.flags = SYN);
	in(.flags = RST | ACK, .ack = 1, .dport = s->sk->sk_num);
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -ECONNREFUSED);
	assert_int_equal(s->sk->sk_num, 0);
	assert_true(ip_addr_any(&s->sk->sk_daddr));
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	out(.flags = SYN);
	th_close(s);
	th_flush();
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_rfc9293_3_8_6_2_2_reading_opens_the_window),
		T(test_waitall_ends_with_the_stream),
		T(test_a_read_of_nothing_waits_for_something),
		T(test_scarce_memory_sends_no_more),
		T(test_no_memory_and_nothing_out),
		T(test_msg_more_pushes_nothing),
		T(test_uncorking_pushes),
		T(test_sending_after_a_reset),
		T(test_sending_with_an_error_pending),
		T(test_connect_to_any_is_to_ourselves),
		T(test_a_failed_connect_leaves_nothing),
		T(test_connect_again_after_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
