/*
 * Options and limits, rule by rule: window scale and timestamps (RFC 7323),
 * TIME-WAIT (6191), segment size (9293 section 3.7.1), silly windows, probes,
 * keepalive (1122), the user timeout (5482), half-open connections.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "net/tcp/tcp_isn.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_KEEPIDLE	4
#define TCP_KEEPINTVL	5
#define TCP_USER_TIMEOUT 18
#define SO_KEEPALIVE_	9

static char bytes[100000];

static void send_n(struct th_conn *c, size_t n)
{
	assert_int_equal(th_send(c->s, bytes, n, 0), n);
}

/* Opened by the peer with these words of its SYN; what it gets is flushed. */
static struct th_conn open_by(const struct th_seg *syn)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	th_in(syn);
	assert_int_equal(th_flush(), 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = syn->wnd,
	   .tsval = syn->tsval, .tsecr = th_last.tsval);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	return c;
}

#define opened(...) open_by(&(struct th_seg){ .flags = SYN, __VA_ARGS__ })

/* A socket that connects, to a peer that answers with @answer. */
static struct socket *connected(const struct th_seg *answer)
{
	struct socket *s = th_socket();

	assert_int_equal(th_connect(s, TH_PEER_PORT, true), -EINPROGRESS);
	assert_int_equal(th_flush(), 1);
	th_port = s->sk->sk_num;
	th_in(answer);
	assert_int_equal(s->sk->sk_state, TCP_ESTABLISHED);
	th_flush();
	return s;
}

static void finish(struct socket *s)
{
	th_close(s);
	th_flush();
	in(.flags = RST, .seq = 1);
}

/* ---- RFC 7323 ---- */

static void test_rfc7323_2_2_a_syns_window_is_as_it_says(void **state)
{
	struct socket *s = connected(&(struct th_seg){
		.flags = SYN | ACK, .ack = 1, .wnd = 1000, .mss = 1000,
		.wscale = 8 });

	assert_int_equal(th_tp(s)->snd_wnd, 1000);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
	assert_int_equal(th_tp(s)->snd_wnd, 1000 << 7);
	finish(s);
}

static void test_rfc7323_2_3_no_more_than_14(void **state)
{
	struct th_conn c = opened(.wnd = 100, .mss = 1000, .wscale = 16);

	assert_int_equal(th_tp(c.s)->snd_wscale, 14);
	th_conn_done(&c);
}

static void test_rfc7323_2_2_without_the_option_none(void **state)
{
	struct th_conn c = opened(.wnd = 100, .mss = 1000);

	assert_int_equal(th_tp(c.s)->snd_wscale, 0);
	assert_int_equal(th_tp(c.s)->rcv_wscale, 0);
	th_conn_done(&c);
}

static void test_rfc7323_3_2_on_every_segment(void **state)
{
	struct th_conn c = th_established(false);

	send_n(&c, 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	assert_true(th_last.tsval);
	assert_int_equal(th_last.tsecr, 1001);
	in(.flags = ACK, .seq = 1, .ack = 11, .wnd = 100, .len = 10,
	   .tsval = 1010);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 11, .ack = 11);
	assert_int_equal(th_last.tsecr, 1010);
	c.s->ops->shutdown(c.s, SHUT_WR);
	out(.flags = FIN | ACK, .seq = 11, .ack = 11);
	assert_int_equal(th_last.tsecr, 1010);
	th_conn_done(&c);
}

/* The delayed ACK echoes the first of those that it answers. */
static void test_rfc7323_4_3_a_delayed_ack(void **state)
{
	struct th_conn c = th_established(false);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 2000);
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 2005);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 21);
	assert_int_equal(th_last.tsecr, 2000);
	th_conn_done(&c);
}

/* The one that fills the hole is the one to echo. */
static void test_rfc7323_4_3_a_filled_hole(void **state)
{
	struct th_conn c = th_established(false);

	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 2000);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_last.tsecr, 1001);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 2005);
	out(.flags = ACK, .seq = 1, .ack = 21);
	assert_int_equal(th_last.tsecr, 2005);
	th_conn_done(&c);
}

static void test_rfc7323_5_3_outside_the_window_it_is_not_kept(void **state)
{
	struct th_conn c = th_established(false);

	in(.flags = ACK, .seq = 9000000, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 5000);
	th_flush();
	assert_int_equal(th_tp(c.s)->ts_recent, 1001);
	th_conn_done(&c);
}

/* After 24 days the peer's clock may be anywhere. */
static void test_rfc7323_5_5_an_idle_connection(void **state)
{
	struct th_conn c = th_established(false);
	char b[20];

	for (u32 day = 0; day < 25; day++)
		th_sleep_ms(86400000);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10,
	   .tsval = 1);
	assert_int_equal(th_recv(c.s, b, sizeof(b), 0), 10);
	th_flush();
	th_conn_done(&c);
}

/* ---- TIME-WAIT ---- */

static void time_wait(struct th_conn *c)
{
	th_close(c->s);
	c->s = NULL;
	th_flush();
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 100, .tsval = 5000);
	out(.flags = ACK, .seq = 2, .ack = 2);
}

static void test_rfc6191_2_a_newer_timestamp(void **state)
{
	struct th_conn c = th_established(false);

	time_wait(&c);
	/* The number is lower, but it cannot be from the old connection. */
	th_sleep_ms(2000);
	in(.flags = SYN, .seq = 0xfffffff0, .wnd = 100, .mss = 1000,
	   .tsval = 7000);
	th_flush();
	assert_int_equal(th_last.flags, SYN | ACK);
	th_conn_done(&c);
}

static void test_rfc6191_2_an_older_timestamp(void **state)
{
	struct th_conn c = th_established(false);

	time_wait(&c);
	in(.flags = SYN, .seq = 0xfffffff0, .wnd = 100, .mss = 1000,
	   .tsval = 4000);
	out(.flags = ACK, .seq = 2, .ack = 2);
	th_conn_done(&c);
}

static void test_rfc9293_3_6_1_time_wait_lasts(void **state)
{
	struct th_conn c = th_established(true);

	time_wait(&c);
	th_sleep_ms(59000);
	in(.flags = ACK, .seq = 2, .ack = 1, .wnd = 100);
	quiet();
	th_sleep_ms(62000);
	in(.flags = ACK, .seq = 2, .ack = 2, .wnd = 100);
	out(.flags = RST, .seq = 2);
	th_conn_done(&c);
}

/* ---- RFC 6528 ---- */

static void test_rfc6528_3_a_clock_that_goes_up(void **state)
{
	struct socket *a, *b;
	u32 first;

	a = th_socket();
	th_setopt(a, 1, 2, 1);
	assert_int_equal(th_connect(a, TH_PEER_PORT, true), -EINPROGRESS);
	first = th_tp(a)->iss;
	th_close(a);
	th_flush();
	/* Another one of the same port, later: never the same numbers. */
	th_sleep_ms(1000);
	b = th_socket();
	assert_int_equal(th_connect(b, TH_PEER_PORT, true), -EINPROGRESS);
	assert_int_not_equal(th_tp(b)->iss, first);
	th_close(b);
	th_flush();
}

/* ---- Sizes ---- */

static void test_rfc9293_3_7_1_536_without_the_option(void **state)
{
	struct th_conn c = opened(.wnd = 65535);

	send_n(&c, 600);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 536);
	th_conn_done(&c);
}

static void test_rfc9293_3_7_1_options_take_from_it(void **state)
{
	struct th_conn c = opened(.wnd = 65535, .mss = 1000, .tsval = 5);

	send_n(&c, 2000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 988);
	th_conn_done(&c);
}

static void test_rfc9293_3_7_1_our_mtu_counts_too(void **state)
{
	struct th_conn c = opened(.wnd = 65535, .mss = 9000);

	send_n(&c, 3000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1460);
	th_conn_done(&c);
}

/* CVE-2019-11479: a peer may not make us send crumbs. */
static void test_rfc9293_3_7_1_a_floor(void **state)
{
	struct th_conn c = opened(.wnd = 65535, .mss = 1);

	send_n(&c, 1000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 48);
	th_conn_done(&c);
}

static void test_rfc9293_3_7_1_the_answer_says_ours(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	th_mtu = 1280;
	in(.flags = SYN, .wnd = 100, .mss = 9000);
	out(.flags = SYN | ACK, .ack = 1, .mss = 1240);
	in(.flags = RST, .seq = 1);
	th_close(l);
}

/* ---- Windows ---- */

/* Section 3.8.6.2.1: half of the largest window is worth sending. */
static void test_rfc9293_3_8_6_2_1_half_a_small_window(void **state)
{
	struct th_conn c = opened(.wnd = 400, .mss = 1000);

	send_n(&c, 1000);
	/* There is one, and one under way, always. */
	assert_true(th_flush() >= 1);
	assert_in_range(th_last.len, 200, 400);
	th_conn_done(&c);
}

static void test_rfc9293_3_8_6_2_1_less_than_a_segment_waits(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 900);
	send_n(&c, 3000);
	quiet();
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 1000);
	quiet();
	th_conn_done(&c);
}

/* Section 3.8.6: what is beyond a window that shrank is not sent again. */
static void test_rfc9293_3_8_6_a_window_that_shrank(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 5000);
	assert_int_equal(th_flush(), 5);
	in(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 1000);
	quiet();
	th_sleep_ms(1005);
	out(.flags = ACK, .seq = 1001, .ack = 1, .len = 1000);
	in(.flags = ACK, .seq = 1, .ack = 2001, .wnd = 0);
	/* Only the first may go, to learn of a window. */
	th_sleep_ms(3000);
	while (th_flush())
		assert_int_equal(th_last.seq, 2001);
	th_conn_done(&c);
}

static void test_rfc9293_3_8_6_1_nothing_to_send_no_probe(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	th_sleep_ms(600000);
	quiet();
	th_conn_done(&c);
}

static void test_rfc9293_3_8_6_1_the_first_probe_after_an_rto(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	send_n(&c, 100);
	th_sleep_ms(995);
	quiet();
	th_sleep_ms(10);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_conn_done(&c);
}

static void test_rfc5482_a_window_that_stays_shut(void **state)
{
	struct th_conn c = th_established(true);
	char b;

	th_setopt(c.s, SOL_TCP, TCP_USER_TIMEOUT, 5000);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0);
	send_n(&c, 100);
	for (u32 i = 0; i < 10; i++)
		th_sleep_ms(1000);
	th_flush();
	assert_int_equal(th_recv(c.s, &b, 1, 0), -ETIMEDOUT);
	th_conn_done(&c);
}

static void test_rfc5482_progress_counts(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_USER_TIMEOUT, 5000);
	for (u32 i = 0; i < 10; i++) {
		send_n(&c, 10);
		th_sleep_ms(2500);
		th_flush();
		in(.flags = ACK, .seq = 1, .ack = 11 + 10 * i, .wnd = 100);
		quiet();
	}
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	th_conn_done(&c);
}

/* tcp(7): then it is the time that counts, not TCP_KEEPCNT. */
static void test_rfc5482_keepalive_by_time(void **state)
{
	struct th_conn c = th_established(true);
	u32 probes = 0;

	th_setopt(c.s, SOL_TCP, TCP_KEEPIDLE, 10);
	th_setopt(c.s, SOL_TCP, TCP_KEEPINTVL, 1);
	th_setopt(c.s, SOL_TCP, TCP_USER_TIMEOUT, 30000);
	th_setopt(c.s, 1, SO_KEEPALIVE_, 1);
	th_sleep_ms(28500);
	probes = th_flush();
	assert_in_range(probes, 17, 19);
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	th_sleep_ms(3000);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE);
	assert_int_equal(c.s->sk->sk_err, ETIMEDOUT);
	th_flush();
	th_conn_done(&c);
}

/* ---- RFC 1122 section 4.2.3.6 ---- */

static void test_rfc1122_4_2_3_6_no_keepalive_unasked(void **state)
{
	struct th_conn c = th_established(true);

	th_sleep_ms(3 * 3600000);
	quiet();
	th_conn_done(&c);
}

static void test_rfc1122_4_2_3_6_two_hours(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, 1, SO_KEEPALIVE_, 1);
	th_sleep_ms(7199000);
	quiet();
	th_sleep_ms(2000);
	out(.flags = ACK, .seq = 0, .ack = 1);
	th_conn_done(&c);
}

static void test_rfc1122_4_2_3_6_an_answer_is_enough(void **state)
{
	struct th_conn c = th_established(true);

	th_setopt(c.s, SOL_TCP, TCP_KEEPIDLE, 10);
	th_setopt(c.s, SOL_TCP, TCP_KEEPINTVL, 5);
	th_setopt(c.s, 1, SO_KEEPALIVE_, 1);
	for (u32 i = 0; i < 50; i++) {
		th_sleep_ms(10100);
		assert_int_equal(th_flush(), 1);
		in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100);
	}
	assert_int_equal(c.s->sk->sk_state, TCP_ESTABLISHED);
	th_conn_done(&c);
}

/* A probe that comes to us: one number below, answered at once. */
static void test_rfc1122_4_2_3_6_a_probe_is_answered(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 0, .ack = 1, .wnd = 100);
	out(.flags = ACK, .seq = 1, .ack = 1);
	th_conn_done(&c);
}

/* ---- Half-open, RFC 9293 section 3.5.1 ---- */

static void test_rfc9293_3_5_1_the_peer_has_forgotten(void **state)
{
	struct th_conn c = th_established(true);

	/* It opens anew, hears where we are, and resets that. */
	in(.flags = SYN, .seq = 500000, .wnd = 100, .mss = 1000);
	out(.flags = ACK, .seq = 1, .ack = 1);
	in(.flags = RST, .seq = 1);
	assert_int_equal(c.s->sk->sk_state, TCP_CLOSE);
	in(.flags = SYN, .seq = 500000, .wnd = 100, .mss = 1000);
	assert_int_equal(th_flush(), 1);
	assert_int_equal(th_last.flags, SYN | ACK);
	th_conn_done(&c);
}

static void test_rfc9293_3_5_an_old_duplicate_syn(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN, .wnd = 100, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1);
	/* The peer knows of no such connection. */
	in(.flags = RST, .seq = 1);
	quiet();
	th_sleep_ms(5000);
	quiet();
	/* The real one. */
	in(.flags = SYN, .seq = 1000, .wnd = 100, .mss = 1000);
	out(.flags = SYN | ACK, .ack = 1001);
	in(.flags = RST, .seq = 1001);
	th_close(l);
}

static void test_rfc9293_3_5_data_for_a_forgotten_one(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 10);
	th_flush();
	/* The peer has been started again: it knows nothing of us. */
	in(.flags = RST, .seq = 1, .ack = 0);
	assert_true(th_poll(c.s) & EPOLLERR);
	quiet();
	th_conn_done(&c);
}

/* ---- Nagle, RFC 9293 section 3.7.4 ---- */

static void test_rfc9293_3_7_4_a_full_segment_goes(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 10);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = 10);
	send_n(&c, 1005);
	out(.flags = ACK, .seq = 11, .ack = 1, .len = 1000);
	quiet();
	th_conn_done(&c);
}

static void test_rfc9293_3_7_4_the_last_goes_with_the_fin(void **state)
{
	struct th_conn c = th_established(true);

	send_n(&c, 10);
	th_flush();
	send_n(&c, 10);
	quiet();
	c.s->ops->shutdown(c.s, SHUT_WR);
	out(.flags = FIN | ACK, .seq = 11, .ack = 1, .len = 10);
	th_conn_done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc7323_2_2_a_syns_window_is_as_it_says),
		T(test_rfc7323_2_3_no_more_than_14),
		T(test_rfc7323_2_2_without_the_option_none),
		T(test_rfc7323_3_2_on_every_segment),
		T(test_rfc7323_4_3_a_delayed_ack),
		T(test_rfc7323_4_3_a_filled_hole),
		T(test_rfc7323_5_3_outside_the_window_it_is_not_kept),
		T(test_rfc7323_5_5_an_idle_connection),
		T(test_rfc6191_2_a_newer_timestamp),
		T(test_rfc6191_2_an_older_timestamp),
		T(test_rfc9293_3_6_1_time_wait_lasts),
		T(test_rfc6528_3_a_clock_that_goes_up),
		T(test_rfc9293_3_7_1_536_without_the_option),
		T(test_rfc9293_3_7_1_options_take_from_it),
		T(test_rfc9293_3_7_1_our_mtu_counts_too),
		T(test_rfc9293_3_7_1_a_floor),
		T(test_rfc9293_3_7_1_the_answer_says_ours),
		T(test_rfc9293_3_8_6_2_1_half_a_small_window),
		T(test_rfc9293_3_8_6_2_1_less_than_a_segment_waits),
		T(test_rfc9293_3_8_6_a_window_that_shrank),
		T(test_rfc9293_3_8_6_1_nothing_to_send_no_probe),
		T(test_rfc9293_3_8_6_1_the_first_probe_after_an_rto),
		T(test_rfc5482_a_window_that_stays_shut),
		T(test_rfc5482_progress_counts),
		T(test_rfc5482_keepalive_by_time),
		T(test_rfc1122_4_2_3_6_no_keepalive_unasked),
		T(test_rfc1122_4_2_3_6_two_hours),
		T(test_rfc1122_4_2_3_6_an_answer_is_enough),
		T(test_rfc1122_4_2_3_6_a_probe_is_answered),
		T(test_rfc9293_3_5_1_the_peer_has_forgotten),
		T(test_rfc9293_3_5_an_old_duplicate_syn),
		T(test_rfc9293_3_5_data_for_a_forgotten_one),
		T(test_rfc9293_3_7_4_a_full_segment_goes),
		T(test_rfc9293_3_7_4_the_last_goes_with_the_fin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
