/*
 * Explicit congestion notification (RFC 3168), one script per rule.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_sysctl.h"
#include "tests/unit/tcp_harness.h"

#define NOT_ECT	0
#define ECT0	2
#define CE	3
#define M	1000u
#define SOL_SOCKET_	1
#define SOL_IP_	0
#define IP_TOS_	1

static void ack(u32 a, u8 more)
{
	in(.flags = ACK | more, .seq = 1, .ack = a, .wnd = 65535);
}

static struct th_conn with_ecn(void)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN | ECE | CWR, .wnd = 65535, .mss = M);
	out(.flags = SYN | ACK | ECE, .ack = 1);
	assert_int_equal(th_last.ecn, NOT_ECT);
	ack(1, 0);
	quiet();
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	return c;
}

static void send_n(struct th_conn *c, u32 n)
{
	static char data[64 * M];

	assert_int_equal(th_send(c->s, data, n * M, 0), n * M);
}

static void done(struct th_conn *c)
{
	tcp_ecn = 2;
	th_conn_close(c);
	th_flush();
}

static void test_rfc3168_6_1_1_passive_open(void **state)
{
	struct th_conn c = with_ecn();

	assert_true(th_tp(c.s)->opts & TCP_OPT_ECN);
	done(&c);
}

/* Asked by flags that are not both, by a marked SYN, or switched off. */
static void test_rfc3168_6_1_1_what_is_no_question(void **state)
{
	struct socket *l = th_listen(TH_PORT);

	in(.flags = SYN | ECE, .wnd = 65535, .mss = M, .sport = 1);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = SYN | CWR, .wnd = 65535, .mss = M, .sport = 2);
	out(.flags = SYN | ACK, .ack = 1);
	in(.flags = SYN | ECE | CWR, .wnd = 65535, .sport = 3, .ecn = ECT0);
	out(.flags = SYN | ACK, .ack = 1);
	tcp_ecn = 0;
	in(.flags = SYN | ECE | CWR, .wnd = 65535, .mss = M, .sport = 4);
	out(.flags = SYN | ACK, .ack = 1);
	tcp_ecn = 2;
	th_close(l);
	th_flush();
}

static void connect_asking(struct socket *s)
{
	tcp_ecn = 1;
	th_connect(s, TH_PEER_PORT, true);
	out(.flags = SYN | ECE | CWR);
	assert_int_equal(th_last.ecn, NOT_ECT);
}

static void answer(struct socket *s, u8 more)
{
	in(.flags = SYN | ACK | more, .ack = 1, .wnd = 65535, .mss = M,
	   .sport = TH_PEER_PORT, .dport = s->sk->sk_num);
}

static void test_rfc3168_6_1_1_active_open(void **state)
{
	struct th_conn c = { .s = th_socket() };

	connect_asking(c.s);
	answer(c.s, ECE);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_int_equal(th_last.ecn, NOT_ECT);
	assert_true(th_tp(c.s)->opts & TCP_OPT_ECN);
	send_n(&c, 1);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	assert_int_equal(th_last.ecn, ECT0);
	done(&c);
}

/* No answer, or one that reflects our flags: no ECN. */
static void test_rfc3168_6_1_1_answers_that_say_no(void **state)
{
	struct th_conn c = { .s = th_socket() }, d = { .s = th_socket() };

	connect_asking(c.s);
	answer(c.s, ECE | CWR);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_false(th_tp(c.s)->opts & TCP_OPT_ECN);
	connect_asking(d.s);
	answer(d.s, 0);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_false(th_tp(d.s)->opts & TCP_OPT_ECN);
	done(&c);
	done(&d);
}

static void test_rfc3168_6_1_1_1_a_lost_syn_asks_no_more(void **state)
{
	struct th_conn c = { .s = th_socket() };

	connect_asking(c.s);
	th_sleep_ms(1100);
	out(.flags = SYN);
	answer(c.s, ECE);
	out(.flags = ACK, .seq = 1, .ack = 1);
	assert_false(th_tp(c.s)->opts & TCP_OPT_ECN);
	done(&c);
}

static void test_rfc3168_6_1_3_a_mark_is_echoed_until_cwr(void **state)
{
	struct th_conn c = with_ecn();
	char buf[64];

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535, .len = 10,
	   .ecn = CE);
	/* At once. */
	out(.flags = ACK | ECE, .seq = 1, .ack = 11);
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 65535, .len = 10,
	   .ecn = ECT0);
	th_sleep_ms(50);
	out(.flags = ACK | ECE, .seq = 1, .ack = 21);
	/* Data says it, too. */
	th_recv(c.s, buf, sizeof(buf), 0);
	send_n(&c, 1);
	out(.flags = ACK | ECE, .seq = 1, .ack = 21, .len = M);
	in(.flags = ACK | CWR, .seq = 21, .ack = 1 + M, .wnd = 65535,
	   .len = 10, .ecn = ECT0);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1 + M, .ack = 31);
	/* A mark together with CWR is a new one. */
	in(.flags = ACK | CWR, .seq = 31, .ack = 1 + M, .wnd = 65535,
	   .len = 10, .ecn = CE);
	out(.flags = ACK | ECE, .seq = 1 + M, .ack = 41);
	assert_true(th_tp(c.s)->ext->ecn_seen);
	done(&c);
}

/* A mark on data that comes out of order counts as well. */
static void test_rfc3168_6_1_3_a_mark_on_early_data(void **state)
{
	struct th_conn c = with_ecn();

	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 65535, .len = 10,
	   .ecn = CE);
	out(.flags = ACK | ECE, .seq = 1, .ack = 1);
	done(&c);
}

static void test_rfc3168_6_1_2_the_echo_cuts_once_a_round_trip(void **state)
{
	struct th_conn c = with_ecn();
	u32 cwnd = th_tp(c.s)->cwnd;

	send_n(&c, cwnd + 5);
	assert_int_equal(th_flush(), cwnd);
	ack(1 + M, ECE);
	assert_in_range(th_tp(c.s)->cwnd, 2, cwnd * 7 / 10 + 1);
	assert_int_equal(th_tp(c.s)->cwnd, th_tp(c.s)->ssthresh);
	quiet();
	cwnd = th_tp(c.s)->cwnd;
	for (u32 i = 2; i <= 6; i++)
		ack(1 + i * M, ECE);
	assert_in_range(th_tp(c.s)->cwnd, cwnd, cwnd + 1);
	/* The first new data says that we have cut; only that. */
	out(.flags = ACK | CWR, .seq = 1 + 10 * M, .ack = 1, .len = M);
	assert_int_equal(th_last.ecn, ECT0);
	out(.flags = ACK, .seq = 1 + 11 * M, .ack = 1, .len = M);
	th_flush();
	/* What was sent after the cut is acknowledged: this is news. */
	cwnd = th_tp(c.s)->cwnd;
	ack(1 + 12 * M, ECE);
	assert_true(th_tp(c.s)->cwnd < cwnd);
	done(&c);
}

static void test_rfc3168_6_1_2_newreno_halves(void **state)
{
	struct th_conn c = with_ecn();

	th_tp(c.s)->ca = &tcp_newreno;
	send_n(&c, 10);
	th_flush();
	ack(1 + M, ECE);
	assert_int_equal(th_tp(c.s)->cwnd, 4);
	done(&c);
}

static void test_rfc3168_6_1_2_a_loss_cuts_and_says_so(void **state)
{
	struct th_conn c = with_ecn();
	u32 cwnd;

	send_n(&c, 10);
	th_flush();
	for (int i = 0; i < 3; i++)
		ack(1, 0);
	/* Section 6.1.5: what is sent again is not ECT. */
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	assert_int_equal(th_last.ecn, NOT_ECT);
	th_flush();
	cwnd = th_tp(c.s)->ssthresh;
	ack(1, ECE);
	assert_int_equal(th_tp(c.s)->ssthresh, cwnd);
	ack(1 + 10 * M, 0);
	th_flush();
	send_n(&c, 1);
	out(.flags = ACK | CWR, .seq = 1 + 10 * M, .ack = 1, .len = M);
	done(&c);
}

static void test_rfc3168_6_1_4_acks_and_probes_are_not_ect(void **state)
{
	struct th_conn c = with_ecn();

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 0, .len = 2);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 3);
	assert_int_equal(th_last.ecn, NOT_ECT);
	send_n(&c, 1);
	th_sleep_ms(1100);
	out(.flags = ACK, .seq = 0, .ack = 3);
	assert_int_equal(th_last.ecn, NOT_ECT);
	done(&c);
}

static void test_without_ecn_nothing_is_marked(void **state)
{
	struct th_conn c = th_established(true);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535, .len = 10,
	   .ecn = CE);
	th_sleep_ms(50);
	out(.flags = ACK, .seq = 1, .ack = 11);
	send_n(&c, 2);
	out(.flags = ACK, .seq = 1, .ack = 11, .len = M);
	assert_int_equal(th_last.ecn, NOT_ECT);
	th_flush();
	in(.flags = ACK | ECE, .seq = 11, .ack = 1 + M, .wnd = 65535);
	assert_int_equal(th_tp(c.s)->ssthresh, TCP_INFINITE_SSTHRESH);
	done(&c);
}

/* The two bits are not the user's. */
static void test_rfc3168_5_tos_leaves_ecn_alone(void **state)
{
	struct th_conn c = with_ecn();

	th_setopt(c.s, SOL_IP_, IP_TOS_, 0x13);
	send_n(&c, 1);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	assert_int_equal(th_last.ecn, ECT0);
	assert_int_equal(c.s->sk->sk_tos, 0x10);
	done(&c);
}

/* No memory for the state: the connection lives, and marks nothing. */
static void test_no_memory_for_it(void **state)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	in(.flags = SYN | ECE | CWR, .wnd = 65535, .mss = M);
	out(.flags = SYN | ACK | ECE, .ack = 1);
	for (th_fail_next = 2; !c.s; th_fail_next++) {
		unsigned long nth = th_fail_next;

		ack(1, 0);
		th_flush();
		c.s = th_accept(c.listener, &err);
		th_fail_next = nth;
		assert_true(nth < 9);
	}
	th_fail_next = 0;
	send_n(&c, 1);
	out(.flags = ACK, .seq = 1, .ack = 1, .len = M);
	done(&c);
}

/* The cookie's timestamp remembers it (bit 5). */
static void test_rfc4987_cookies_keep_ecn(void **state)
{
	struct th_conn c = { .listener = th_listen(TH_PORT) };
	int err;

	th_leaf_pages(64);
	for (u32 i = 0; i < 1024; i++)
		in(.flags = SYN, .wnd = 1, .mss = M, .sport = (u16)(9 + i));
	th_flush();
	in(.flags = SYN | ECE | CWR, .wnd = 65535, .mss = M, .tsval = 5);
	out(.flags = SYN | ACK | ECE, .ack = 1);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 65535, .tsval = 6,
	   .tsecr = th_last.tsval);
	c.s = th_accept(c.listener, &err);
	assert_non_null(c.s);
	assert_true(th_tp(c.s)->opts & TCP_OPT_ECN);
	done(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc3168_6_1_1_passive_open),
		T(test_rfc3168_6_1_1_what_is_no_question),
		T(test_rfc3168_6_1_1_active_open),
		T(test_rfc3168_6_1_1_answers_that_say_no),
		T(test_rfc3168_6_1_1_1_a_lost_syn_asks_no_more),
		T(test_rfc3168_6_1_3_a_mark_is_echoed_until_cwr),
		T(test_rfc3168_6_1_3_a_mark_on_early_data),
		T(test_rfc3168_6_1_2_the_echo_cuts_once_a_round_trip),
		T(test_rfc3168_6_1_2_newreno_halves),
		T(test_rfc3168_6_1_2_a_loss_cuts_and_says_so),
		T(test_rfc3168_6_1_4_acks_and_probes_are_not_ect),
		T(test_without_ecn_nothing_is_marked),
		T(test_rfc3168_5_tos_leaves_ecn_alone),
		T(test_no_memory_for_it),
		T(test_rfc4987_cookies_keep_ecn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
