/*
 * Buffers that size themselves: the receive buffer by what the program takes
 * in a round trip, the send buffer by the congestion window; what locks them,
 * and what scarce memory does to the window.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define SOL_SOCKET_	1
#define SO_SNDBUF_	7
#define SO_RCVBUF_	8
#define M		1400u

extern bool memory_pressed;

static u8 bytes[4 << 20];
static u32 next;	/* the peer's sequence number */

/* The peer sends @n segments at once, @tsecr as it saw it 100 ms ago. */
static void burst(u32 n, bool ts, u32 tsecr)
{
	for (u32 i = 0; i < n; i++) {
		in(.flags = ACK, .seq = next, .ack = 1, .wnd = 512, .len = M,
		   .tsval = ts ? 2000 : 0, .tsecr = tsecr);
		next += M;
	}
}

/* @rounds round trips of 100 ms; the peer fills the window each time. */
static void stream(struct th_conn *c, bool ts, bool reads, u32 rounds)
{
	struct tcp_sock *tp = th_tp(c->s);
	u32 tsecr = th_last.tsval;

	next = tp->rcv_nxt - tp->irs;
	while (rounds--) {
		u32 room = tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt;

		th_sleep_ms(100);
		burst(room / M, ts, tsecr);
		if (reads)
			th_recv(c->s, bytes, sizeof(bytes), 0);
		th_flush();
		tsecr = th_last.tsval;
	}
}

/* A program that took twice as much will take twice that. */
static void test_rcvbuf_is_ahead_of_a_slow_start(void **state)
{
	struct th_conn c = th_established(true);
	struct tcp_sock *tp = th_tp(c.s);
	struct tcp_ext *e = tcp_ext_get(tp);
	struct tcp_segment seg = { .seq = 0 };

	tp->advmss = 1460;
	e->space = 100000;
	e->space_seq = tp->copied_seq - 200000;
	e->space_at = 1;
	e->rtt_us = 1000;
	tcp_rcvbuf_tune(tp, &seg, host_now + 100 * MS);
	/* 2 * 200,000 and 16 segments; as much again; half is the window. */
	assert_int_equal(tp->sk.sk_rcvbuf,
			 2 * 2 * (2 * 200000 + 16 * 1460));
	th_conn_done(&c);
}

static void test_rcvbuf_grows_with_what_is_read(void **state)
{
	struct th_conn c = th_established(false);
	s32 before = c.s->sk->sk_rcvbuf;

	stream(&c, true, true, 3);
	assert_in_range(th_tp(c.s)->ext->rtt_us, 90000, 110000);
	assert_true(c.s->sk->sk_rcvbuf > 2 * before);
	assert_true(th_tp(c.s)->rcv_wnd > 2 * 65535);
	stream(&c, true, true, 12);
	assert_int_equal(c.s->sk->sk_rcvbuf, tcp_rmem[2]);
	th_conn_done(&c);
}

static void test_rcvbuf_stays_if_nobody_reads(void **state)
{
	struct th_conn c = th_established(false);
	s32 before = c.s->sk->sk_rcvbuf;

	stream(&c, true, false, 6);
	assert_int_equal(c.s->sk->sk_rcvbuf, before);
	th_conn_done(&c);
}

static void test_rcvbuf_grows_without_timestamps(void **state)
{
	struct th_conn c;
	s32 before;

	c.listener = th_listen(TH_PORT);
	in(.flags = SYN, .wnd = 65535, .mss = 1460, .wscale = 8);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 512);
	c.s = th_accept(c.listener, &(int){ 0 });
	before = c.s->sk->sk_rcvbuf;
	stream(&c, false, true, 8);
	assert_in_range(th_tp(c.s)->ext->rtt_us, 90000, 210000);
	assert_true(c.s->sk->sk_rcvbuf > 2 * before);
	th_conn_done(&c);
}

static void test_rcvbuf_that_was_set_stays(void **state)
{
	struct th_conn c = th_established(false);

	th_setopt(c.s, SOL_SOCKET_, SO_RCVBUF_, 50000);
	stream(&c, true, true, 6);
	assert_int_equal(c.s->sk->sk_rcvbuf, 100000);
	assert_null(th_tp(c.s)->ext);
	th_conn_done(&c);
}

static void test_moderate_rcvbuf_off(void **state)
{
	struct th_conn c = th_established(false);
	s32 before = c.s->sk->sk_rcvbuf;

	tcp_moderate_rcvbuf = 0;
	stream(&c, true, true, 6);
	tcp_moderate_rcvbuf = 1;
	assert_int_equal(c.s->sk->sk_rcvbuf, before);
	th_conn_done(&c);
}

static void test_rcvbuf_without_memory_for_it(void **state)
{
	struct th_conn c = th_established(false);

	next = 1;
	th_sleep_ms(100);
	/* The packet is the first to need some. */
	th_fail_next = 2;
	burst(1, true, th_last.tsval);
	assert_int_equal(th_tp(c.s)->rcv_nxt - th_tp(c.s)->irs, 1 + M);
	th_conn_done(&c);
}

/* Pressure: no growth, and the window closes as it is used, never back. */
static void test_scarce_memory_closes_the_window(void **state)
{
	struct th_conn c = th_established(false);
	struct tcp_sock *tp = th_tp(c.s);
	s32 before = c.s->sk->sk_rcvbuf;
	u32 edge = tp->rcv_wup + tp->rcv_wnd;

	memory_pressed = true;
	next = 1;
	th_sleep_ms(100);
	burst(20, true, 0);
	th_recv(c.s, bytes, sizeof(bytes), 0);
	th_flush();
	assert_true((s32)(tp->rcv_wup + tp->rcv_wnd - edge) >= 0);
	/* Each ACK may round up to what the scale can say. */
	assert_true(tp->rcv_wup + tp->rcv_wnd - edge < 20 * 128);
	stream(&c, true, true, 4);
	assert_true(tp->rcv_wnd <= 5 * M);
	assert_true(tp->rcv_wnd >= 2 * M);
	assert_int_equal(c.s->sk->sk_rcvbuf, before);
	memory_pressed = false;
	stream(&c, true, true, 2);
	assert_true(tp->rcv_wnd > 60000);
	th_conn_done(&c);
}

static void send_and_ack(struct th_conn *c, u32 rounds)
{
	struct tcp_sock *tp = th_tp(c->s);

	while (rounds--) {
		th_send(c->s, bytes, 60000, 0);
		th_flush();
		th_sleep_ms(10);
		in(.flags = ACK, .seq = 1, .ack = tp->snd_nxt - tp->iss,
		   .wnd = 30000, .tsval = 2000, .tsecr = th_last.tsval);
		th_flush();
	}
}

static void test_sndbuf_grows_with_the_window(void **state)
{
	struct th_conn c = th_established(false);
	s32 before = c.s->sk->sk_sndbuf;

	tcp_wmem[2] = 300000;
	send_and_ack(&c, 12);
	assert_true(c.s->sk->sk_sndbuf > 2 * before);
	send_and_ack(&c, 60);
	assert_int_equal(c.s->sk->sk_sndbuf, 300000);
	tcp_wmem[2] = 4 << 20;
	th_conn_done(&c);
}

static void test_sndbuf_that_was_set_stays(void **state)
{
	struct th_conn c = th_established(false);

	th_setopt(c.s, SOL_SOCKET_, SO_SNDBUF_, 50000);
	send_and_ack(&c, 12);
	assert_int_equal(c.s->sk->sk_sndbuf, 100000);
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rcvbuf_is_ahead_of_a_slow_start),
		T(test_rcvbuf_grows_with_what_is_read),
		T(test_rcvbuf_stays_if_nobody_reads),
		T(test_rcvbuf_grows_without_timestamps),
		T(test_rcvbuf_that_was_set_stays),
		T(test_moderate_rcvbuf_off),
		T(test_rcvbuf_without_memory_for_it),
		T(test_scarce_memory_closes_the_window),
		T(test_sndbuf_grows_with_the_window),
		T(test_sndbuf_that_was_set_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
