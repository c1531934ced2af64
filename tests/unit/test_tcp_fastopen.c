/*
 * TCP Fast Open (RFC 7413), both sides, one script per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "net/snmp.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define M	1000u
#define SOL_TCP	6
#define TCP_FASTOPEN	23
#define TCP_FASTOPEN_CONNECT	30

static u8 bytes[4000];
static char buf[4000];

static struct socket *server(u32 most)
{
	struct socket *l = th_listen(TH_PORT);

	tcp_fastopen = 3;
	assert_int_equal(th_setopt(l, SOL_TCP, TCP_FASTOPEN, (int)most), 0);
	return l;
}

static void done(struct socket *l)
{
	tcp_fastopen = 0;
	if (l)
		th_close(l);
	th_flush();
}

static struct socket *accepted(struct socket *l)
{
	int err;
	struct socket *s = th_accept(l, &err);

	assert_non_null(s);
	return s;
}

/* Asks for a cookie, which goes to th_last.fo. */
static void ask(u16 sport)
{
	in(.flags = SYN, .wnd = 65535, .mss = M, .fo_len = 1, .sport = sport);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = RST, .seq = 1, .sport = sport);
}

static void syn_data(u16 sport, u32 len)
{
	struct th_seg syn = {
		.flags = SYN, .wnd = 65535, .mss = M, .len = len,
		.fo_len = 9, .sport = sport,
	};

	memcpy(syn.fo, th_last.fo, 8);
	th_in(&syn);
}

static void test_rfc7413_4_1_a_cookie_is_given(void **state)
{
	struct socket *l = server(10);

	ask(1);
	assert_int_equal(th_last.fo_len, 9);
	/* The same one again, and when the SYN-ACK is repeated. */
	in(.flags = SYN, .wnd = 65535, .mss = M, .fo_len = 1);
	out(.flags = SYN | ACK, .ack = 1);
	memcpy(buf, th_last.fo, 8);
	th_sleep_ms(1100);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.fo_len, 9);
	assert_memory_equal(buf, th_last.fo, 8);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	th_close(accepted(l));
	done(l);
}

static void test_rfc7413_4_1_nobody_who_did_not_ask(void **state)
{
	struct socket *l = server(10);

	in(.flags = SYN, .wnd = 65535, .mss = M, .sport = 1);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.fo_len, 0);
	tcp_fastopen = 1;
	in(.flags = SYN, .wnd = 65535, .mss = M, .fo_len = 1, .sport = 2);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.fo_len, 0);
	tcp_fastopen = 3;
	th_setopt(l, SOL_TCP, TCP_FASTOPEN, 0);
	in(.flags = SYN, .wnd = 65535, .mss = M, .fo_len = 1, .sport = 3);
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.fo_len, 0);
	done(l);
}

static void test_rfc7413_4_2_data_in_the_syn_is_taken(void **state)
{
	struct socket *l = server(10), *s;

	ask(1);
	syn_data(0, 500);
	out(.flags = SYN | ACK, .ack = 501);
	assert_int_equal(th_last.fo_len, 0);
	/* Open for both before the handshake is over. */
	s = accepted(l);
	assert_int_equal(s->sk->sk_state, TCP_SYN_RECV);
	assert_int_equal(th_poll(s), EPOLLIN | EPOLLRDNORM | EPOLLOUT |
					     EPOLLWRNORM);
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), 500);
	assert_int_equal((u8)buf[1], th_pattern(1));
	assert_int_equal(th_send(s, bytes, 300, 0), 300);
	out(.flags = ACK, .seq = 1, .ack = 501, .len = 300);
	in(.flags = ACK, .seq = 501, .ack = 301, .wnd = 65535);
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	assert_int_equal(th_tp(s)->packets_out, 0);
	assert_int_equal(atomic_read(&th_tp(l)->listen->fo_pending), 0);
	in(.flags = ACK, .seq = 501, .ack = 301, .wnd = 65535, .len = 10);
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), 10);
	th_close(s);
	done(l);
}

static void test_rfc7413_4_2_a_syn_without_data(void **state)
{
	struct socket *l = server(10), *s;

	ask(1);
	syn_data(0, 0);
	out(.flags = SYN | ACK, .ack = 1);
	s = accepted(l);
	assert_int_equal(th_recv(s, buf, 10, 0), -EAGAIN);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535);
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	th_close(s);
	done(l);
}

static void test_rfc7413_4_2_a_bad_cookie(void **state)
{
	struct socket *l = server(10);
	int err;

	ask(1);
	th_last.fo[3] ^= 1;
	syn_data(0, 500);
	/* Its data does not count, and it gets the right one. */
	out(.flags = SYN | ACK, .ack = 1);
	assert_int_equal(th_last.fo_len, 9);
	assert_null(th_accept(l, &err));
	in(.flags = SYN, .wnd = 65535, .mss = M, .len = 5, .fo_len = 5,
	   .sport = 9);
	out(.flags = SYN | ACK, .ack = 1);
	done(l);
}

static void test_rfc7413_5_1_pending_ones_are_limited(void **state)
{
	struct socket *l = server(2), *s;
	u8 cookie[8];

	ask(1);
	memcpy(cookie, th_last.fo, 8);
	for (u16 i = 10; i < 12; i++) {
		memcpy(th_last.fo, cookie, 8);
		syn_data(i, 100);
		out(.flags = SYN | ACK, .ack = 101);
	}
	memcpy(th_last.fo, cookie, 8);
	syn_data(12, 100);
	out(.flags = SYN | ACK, .ack = 1);
	/* One is gone: there is room again. */
	in(.flags = RST, .seq = 101, .sport = 10);
	memcpy(th_last.fo, cookie, 8);
	syn_data(13, 100);
	out(.flags = SYN | ACK, .ack = 101);
	s = accepted(l);
	th_close(s);
	done(l);
}

static void test_rfc7413_4_2_the_syn_ack_is_repeated(void **state)
{
	struct socket *l = server(10), *s;

	ask(1);
	syn_data(0, 100);
	out(.flags = SYN | ACK, .ack = 101);
	s = accepted(l);
	for (int i = 0; i < 5; i++) {
		th_sleep_ms(1000u << i);
		th_sleep_ms(10);
		out(.flags = SYN | ACK, .ack = 101);
	}
	quiet();
	th_sleep_ms(64000);
	quiet();
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), 100);
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), -ETIMEDOUT);
	assert_int_equal(atomic_read(&th_tp(l)->listen->fo_pending), 0);
	th_close(s);
	done(l);
}

static void test_rfc7413_4_2_a_reset_before_the_ack(void **state)
{
	struct socket *l = server(10), *s;

	ask(1);
	syn_data(0, 100);
	out(.flags = SYN | ACK, .ack = 101);
	in(.flags = RST, .seq = 101);
	s = accepted(l);
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), 100);
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), -ECONNRESET);
	assert_int_equal(atomic_read(&th_tp(l)->listen->fo_pending), 0);
	th_close(s);
	done(l);
}

static void test_rfc7413_4_2_closed_before_the_ack(void **state)
{
	struct socket *l = server(10), *s;

	ask(1);
	syn_data(0, 100);
	out(.flags = SYN | ACK, .ack = 101);
	s = accepted(l);
	assert_int_equal(th_recv(s, buf, sizeof(buf), 0), 100);
	assert_int_equal(th_send(s, bytes, 50, 0), 50);
	out(.flags = ACK, .seq = 1, .ack = 101, .len = 50);
	th_close(s);
	out(.flags = FIN | ACK, .seq = 51, .ack = 101);
	in(.flags = ACK | FIN, .seq = 101, .ack = 52, .wnd = 65535);
	out(.flags = ACK, .seq = 52, .ack = 102);
	assert_int_equal(atomic_read(&th_tp(l)->listen->fo_pending), 0);
	done(l);
}

/* The listener goes while a child waits. */
static void test_rfc7413_4_2_the_listener_closes(void **state)
{
	struct socket *l = server(10);

	ask(1);
	syn_data(0, 100);
	out(.flags = SYN | ACK, .ack = 101);
	th_close(l);
	out(.flags = RST | ACK, .seq = 1, .ack = 101);
	done(NULL);
}

static void test_rfc7413_no_memory(void **state)
{
	struct socket *l = server(10);
	u8 cookie[8];

	ask(1);
	memcpy(cookie, th_last.fo, 8);
	for (unsigned long n = 2; n < 8; n++) {
		struct socket *s;
		int err;

		memcpy(th_last.fo, cookie, 8);
		th_fail_next = n;
		syn_data((u16)(100 + n), 100);
		th_flush();
		s = th_accept(l, &err);
		if (s)
			th_close(s);
		th_flush();
	}
	done(l);
}

/* ---- client ---- */

static ssize_t send_to(struct socket *s, size_t n, u32 flags)
{
	struct sockaddr_storage addr = { .ss_family = 2 };
	struct msghdr msg = {
		.msg_name = &addr, .msg_namelen = 16,
		.msg_flags = flags | MSG_FASTOPEN,
	};

	put_be16(TH_PEER_PORT, addr.data);
	memcpy(addr.data + 2, (u8[]){ 10, 0, 0, 2 }, 4);
	iov_iter_kbuf(&msg.msg_iter, bytes, n);
	return s->ops->sendmsg(s, &msg, true);
}

/* A first connection that brings the cookie 1234567. */
static void learn(void)
{
	struct socket *s = th_socket();

	/* Which a test before may have learnt. */
	tcp_fastopen = 1;
	if (send_to(s, 100, 0) == 100) {
		th_flush();
		th_close(s);
		return;
	}
	out(.flags = SYN);
	assert_int_equal(th_last.fo_len, 1);
	in(.flags = SYN | ACK, .ack = 1, .wnd = 65535, .mss = M, .fo_len = 9,
	   .fo = "1234567", .sport = TH_PEER_PORT, .dport = s->sk->sk_num);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(send_to(s, 100, 0), 100);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 100);
	th_close(s);
	th_flush();
}

static void answer(struct socket *s, u32 ack)
{
	in(.flags = SYN | ACK, .ack = ack, .wnd = 65535, .mss = M,
	   .sport = TH_PEER_PORT, .dport = s->sk->sk_num);
}

static void test_rfc7413_4_2_1_the_client_sends_data(void **state)
{
	struct socket *s = th_socket();

	learn();
	assert_int_equal(send_to(s, 400, 0), 400);
	out(.flags = SYN, .len = 400);
	assert_int_equal(th_last.fo_len, 9);
	assert_string_equal((char *)th_last.fo, "1234567");
	answer(s, 401);
	out(.flags = ACK, .seq = 401, .ack = 1);
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	assert_int_equal(s->sk->sk_wmem_queued, 0);
	assert_int_equal(th_send(s, bytes, 10, 0), 10);
	out(.flags = ACK, .seq = 401, .ack = 1, .len = 10);
	th_close(s);
	done(NULL);
}

/* No more than a segment; the call says how much it was. */
static void test_rfc7413_4_2_1_as_much_as_a_segment(void **state)
{
	struct socket *s = th_socket();

	learn();
	assert_int_equal(send_to(s, 4000, 0), M - 40);
	out(.flags = SYN, .len = M - 40);
	th_close(s);
	done(NULL);
}

static void test_rfc7413_4_2_2_only_the_syn_is_acked(void **state)
{
	struct socket *s = th_socket();

	learn();
	assert_int_equal(send_to(s, 400, 0), 400);
	out(.flags = SYN, .len = 400);
	answer(s, 1);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 400);
	in(.flags = ACK, .seq = 1, .ack = 401, .wnd = 65535,
	   .sport = TH_PEER_PORT, .dport = s->sk->sk_num);
	assert_int_equal(s->sk->sk_wmem_queued, 0);
	th_close(s);
	done(NULL);
}

static void test_rfc7413_4_1_3_a_lost_syn_goes_plain(void **state)
{
	struct socket *s = th_socket();

	learn();
	assert_int_equal(send_to(s, 400, 0), 400);
	out(.flags = SYN, .len = 400);
	th_sleep_ms(1100);
	out(.flags = SYN);
	assert_int_equal(th_last.fo_len, 0);
	answer(s, 1);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 400);
	th_close(s);
	done(NULL);
}

static void test_fastopen_switched_off(void **state)
{
	struct socket *s = th_socket();

	assert_int_equal(send_to(s, 400, 0), -EOPNOTSUPP);
	quiet();
	assert_int_equal(th_setopt(s, SOL_TCP, TCP_FASTOPEN_CONNECT, 2),
			 -EINVAL);
	assert_int_equal(th_setopt(s, SOL_TCP, TCP_FASTOPEN, -1), -EINVAL);
	th_close(s);
}

static void test_fastopen_connect_waits_for_data(void **state)
{
	struct socket *s = th_socket();

	learn();
	assert_int_equal(th_setopt(s, SOL_TCP, TCP_FASTOPEN_CONNECT, 1), 0);
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), 0);
	quiet();
	assert_true(th_poll(s) & EPOLLOUT);
	assert_int_equal(th_send(s, bytes, 400, 0), 400);
	out(.flags = SYN, .len = 400);
	answer(s, 401);
	out(.flags = ACK, .seq = 401, .ack = 1);
	th_close(s);
	/* Closed before any data: nobody hears of it. */
	s = th_socket();
	th_setopt(s, SOL_TCP, TCP_FASTOPEN_CONNECT, 1);
	assert_int_equal(th_connect(s, TH_PEER_PORT, true), 0);
	th_flush();
	th_close(s);
	quiet();
	done(NULL);
}

static void test_fastopen_cookies_of_wrong_length(void **state)
{
	struct socket *s = th_socket();

	tcp_fastopen = 1;
	/* Another port of ours: the cookie is kept by address. */
	learn();
	assert_int_equal(send_to(s, 10, 0), 10);
	out(.flags = SYN, .len = 10);
	in(.flags = SYN | ACK, .ack = 11, .wnd = 65535, .mss = M, .fo_len = 4,
	   .fo = "xx", .sport = TH_PEER_PORT, .dport = s->sk->sk_num);
	out(.flags = ACK, .seq = 11, .ack = 1);
	assert_true(tcp_fastopen_known(s->sk));
	th_close(s);
	done(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc7413_4_1_a_cookie_is_given),
		T(test_rfc7413_4_1_nobody_who_did_not_ask),
		T(test_rfc7413_4_2_data_in_the_syn_is_taken),
		T(test_rfc7413_4_2_a_syn_without_data),
		T(test_rfc7413_4_2_a_bad_cookie),
		T(test_rfc7413_5_1_pending_ones_are_limited),
		T(test_rfc7413_4_2_the_syn_ack_is_repeated),
		T(test_rfc7413_4_2_a_reset_before_the_ack),
		T(test_rfc7413_4_2_closed_before_the_ack),
		T(test_rfc7413_4_2_the_listener_closes),
		T(test_rfc7413_no_memory),
		T(test_rfc7413_4_2_1_the_client_sends_data),
		T(test_rfc7413_4_2_1_as_much_as_a_segment),
		T(test_rfc7413_4_2_2_only_the_syn_is_acked),
		T(test_rfc7413_4_1_3_a_lost_syn_goes_plain),
		T(test_fastopen_switched_off),
		T(test_fastopen_connect_waits_for_data),
		T(test_fastopen_cookies_of_wrong_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
