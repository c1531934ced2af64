/*
 * RFC 9293 section 3.10.7.4, step by step, each in every state that has it:
 * what a segment may do to a connection, and what it is answered.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "net/drop.h"
#include "tests/unit/tcp_harness.h"

/* A connection that has come to one of the states, nothing waiting. */
struct at {
	struct th_conn c;
	u32 snd_nxt, rcv_nxt;	/* relative */
	u8 state;
};

static const u8 all[] = {
	TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT,
	TCP_CLOSING, TCP_LAST_ACK,
};

static void shut(struct at *a)
{
	a->c.s->ops->shutdown(a->c.s, SHUT_WR);
	out(.flags = FIN | ACK, .seq = 1, .ack = a->rcv_nxt);
	a->snd_nxt = 2;
}

static void peer_fin(struct at *a, u32 ack)
{
	in(.flags = FIN | ACK, .seq = 1, .ack = ack, .wnd = 65535);
	a->rcv_nxt = 2;
}

static struct at reach(u8 state)
{
	struct at a = { .snd_nxt = 1, .rcv_nxt = 1, .state = state };

	th_flush();
	th_port++;
	a.c = th_established(true);
	if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK) {
		peer_fin(&a, 1);
		th_sleep_ms(50);
		th_flush();
	}
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		shut(&a);
	if (state == TCP_CLOSING) {
		peer_fin(&a, 1);
		out(.flags = ACK, .seq = 2, .ack = 2);
	}
	if (state == TCP_FIN_WAIT2)
		in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 65535);
	quiet();
	assert_int_equal(a.c.s->sk->sk_state, state);
	return a;
}

static void done(struct at *a)
{
	th_conn_close(&a->c);
	th_flush();
}

/* The segment changed nothing, and was answered with where we are. */
static void answered(struct at *a)
{
	out(.flags = ACK, .seq = a->snd_nxt, .ack = a->rcv_nxt);
	quiet();
	assert_int_equal(a->c.s->sk->sk_state, a->state);
	done(a);
}

static void ignored(struct at *a)
{
	quiet();
	assert_int_equal(a->c.s->sk->sk_state, a->state);
	done(a);
}

/* The body once in each of the states. */
#define EACH_STATE(a)							\
	for (struct at a = { .state = 0 }; next_state(&a);)

static bool next_state(struct at *a)
{
	static u32 i;

	if (i == ARRAY_SIZE(all)) {
		i = 0;
		return false;
	}
	*a = reach(all[i++]);
	return true;
}

static void test_rfc9293_3_10_7_4_first_beyond_the_window(void **state)
{
	EACH_STATE(a) {
		in(.flags = ACK, .seq = a.rcv_nxt + 0x1000000,
		   .ack = a.snd_nxt, .wnd = 9);
		answered(&a);
	}
}

static void test_rfc9293_3_10_7_4_first_before_the_window(void **state)
{
	EACH_STATE(a) {
		in(.flags = ACK, .seq = a.rcv_nxt - 1000, .ack = a.snd_nxt,
		   .wnd = 9, .len = 10);
		answered(&a);
	}
}

static void test_rfc9293_3_10_7_4_first_no_answer_to_a_reset(void **state)
{
	EACH_STATE(a) {
		in(.flags = RST, .seq = a.rcv_nxt + 0x1000000);
		ignored(&a);
	}
}

/* Data beyond an edge that is just closed: for its ACK it is looked at. */
static void test_rfc9293_3_10_7_4_first_the_ack_at_a_closed_edge(void **state)
{
	struct at a = reach(TCP_ESTABLISHED);
	u32 edge;

	assert_int_equal(th_send(a.c.s, "abc", 3, 0), 3);
	th_flush();
	edge = 1 + th_tp(a.c.s)->rcv_wnd;
	in(.flags = ACK, .seq = edge, .ack = 4, .wnd = 100, .len = 1);
	assert_int_equal(th_tp(a.c.s)->packets_out, 0);
	th_flush();
	done(&a);
}

static void test_rfc9293_3_10_7_4_second_reset(void **state)
{
	EACH_STATE(a) {
		in(.flags = RST, .seq = a.rcv_nxt);
		quiet();
		assert_int_equal(a.c.s->sk->sk_state, TCP_CLOSE);
		done(&a);
	}
}

static void test_rfc9293_3_10_7_4_second_reset_with_an_ack(void **state)
{
	EACH_STATE(a) {
		in(.flags = RST | ACK, .seq = a.rcv_nxt, .ack = a.snd_nxt);
		quiet();
		assert_int_equal(a.c.s->sk->sk_state, TCP_CLOSE);
		done(&a);
	}
}

/* Table of 3.10.7.4, errors by state: what the user is told. */
static void test_rfc9293_3_10_7_4_second_what_the_user_hears(void **state)
{
	static const struct {
		u8 state;
		int err;
	} told[] = {
		{ TCP_ESTABLISHED, -ECONNRESET },
		{ TCP_FIN_WAIT1, -ECONNRESET },
		{ TCP_FIN_WAIT2, -ECONNRESET },
		{ TCP_CLOSE_WAIT, 0 },	/* end of file came first */
	};
	char b;

	for (u32 i = 0; i < ARRAY_SIZE(told); i++) {
		struct at a = reach(told[i].state);

		in(.flags = RST, .seq = a.rcv_nxt);
		assert_int_equal(th_recv(a.c.s, &b, 1, 0), told[i].err);
		done(&a);
	}
}

/* RFC 5961 section 3.2 in every state: near is not enough. */
static void test_rfc5961_3_2_reset_within_the_window(void **state)
{
	EACH_STATE(a) {
		in(.flags = RST, .seq = a.rcv_nxt + 1);
		answered(&a);
	}
}

static void test_rfc5961_4_2_syn_in_every_state(void **state)
{
	EACH_STATE(a) {
		in(.flags = SYN, .seq = a.rcv_nxt, .wnd = 100);
		answered(&a);
	}
}

static void test_rfc5961_4_2_syn_ack_in_every_state(void **state)
{
	EACH_STATE(a) {
		in(.flags = SYN | ACK, .seq = a.rcv_nxt, .ack = a.snd_nxt,
		   .wnd = 100);
		answered(&a);
	}
}

static void test_rfc9293_3_10_7_4_fifth_no_ack_flag(void **state)
{
	EACH_STATE(a) {
		in(.flags = PSH, .seq = a.rcv_nxt, .wnd = 100, .len = 5);
		ignored(&a);
	}
}

static void test_rfc9293_3_10_7_4_fifth_ack_of_what_was_not_sent(void **state)
{
	EACH_STATE(a) {
		in(.flags = ACK, .seq = a.rcv_nxt, .ack = a.snd_nxt + 1,
		   .wnd = 100);
		answered(&a);
	}
}

static void test_rfc9293_3_10_7_4_fifth_duplicate_ack(void **state)
{
	EACH_STATE(a) {
		in(.flags = ACK, .seq = a.rcv_nxt, .wnd = 100,
		   .ack = a.state == TCP_FIN_WAIT2 ? 2 : 1);
		ignored(&a);
	}
}

static void test_rfc5961_5_2_ack_far_below_the_window(void **state)
{
	EACH_STATE(a) {
		in(.flags = ACK, .seq = a.rcv_nxt, .ack = a.snd_nxt - 200000,
		   .wnd = 100);
		answered(&a);
	}
}

static void test_rfc9293_3_10_7_4_fifth_fin_wait_1(void **state)
{
	struct at a = reach(TCP_FIN_WAIT1);

	a.state = TCP_FIN_WAIT2;
	in(.flags = ACK, .seq = 1, .ack = 2, .wnd = 100);
	ignored(&a);
}

static void test_rfc9293_3_10_7_4_fifth_closing(void **state)
{
	struct at a = reach(TCP_CLOSING);

	in(.flags = ACK, .seq = 2, .ack = 2, .wnd = 100);
	quiet();
	assert_int_equal(a.c.s->sk->sk_state, TCP_CLOSE);
	/* TIME-WAIT, which acknowledges what comes again. */
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 100);
	out(.flags = ACK, .seq = 2, .ack = 2);
	done(&a);
}

static void test_rfc9293_3_10_7_4_fifth_last_ack(void **state)
{
	struct at a = reach(TCP_LAST_ACK);

	in(.flags = ACK, .seq = 2, .ack = 2, .wnd = 100);
	quiet();
	assert_int_equal(a.c.s->sk->sk_state, TCP_CLOSE);
	/* No record is left of it. */
	in(.flags = ACK, .seq = 2, .ack = 2, .wnd = 100);
	out(.flags = RST, .seq = 2);
	done(&a);
}

static void test_rfc9293_3_10_7_4_fifth_newer_window(void **state)
{
	struct at a = reach(TCP_ESTABLISHED);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 300);
	assert_int_equal(th_tp(a.c.s)->snd_wnd, 300);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 200);
	assert_int_equal(th_tp(a.c.s)->snd_wnd, 200);
	ignored(&a);
}

/* SND.WL1: an older segment does not set the window. */
static void test_rfc9293_3_10_7_4_fifth_older_window(void **state)
{
	struct at a = reach(TCP_ESTABLISHED);

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 400, .len = 10);
	in(.flags = ACK, .seq = 11, .ack = 1, .wnd = 300, .len = 10);
	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
	assert_int_equal(th_tp(a.c.s)->snd_wnd, 300);
	th_flush();
	done(&a);
}

static void test_rfc9293_3_10_7_4_seventh_text_is_taken(void **state)
{
	static const u8 open[] = { TCP_ESTABLISHED, TCP_FIN_WAIT1,
				   TCP_FIN_WAIT2 };
	char b[20];

	for (u32 i = 0; i < ARRAY_SIZE(open); i++) {
		struct at a = reach(open[i]);

		in(.flags = ACK, .seq = 1, .ack = a.snd_nxt, .wnd = 100,
		   .len = 10);
		assert_int_equal(th_recv(a.c.s, b, sizeof(b), 0), 10);
		th_sleep_ms(50);
		a.state = a.c.s->sk->sk_state;
		out(.flags = ACK, .seq = a.snd_nxt, .ack = 11);
		done(&a);
	}
}

/* Behind the FIN there is nothing. */
static void test_rfc9293_3_10_7_4_seventh_text_after_a_fin(void **state)
{
	static const u8 half[] = { TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK };
	char b[20];

	for (u32 i = 0; i < ARRAY_SIZE(half); i++) {
		struct at a = reach(half[i]);

		in(.flags = ACK, .seq = 2, .ack = 1, .wnd = 100, .len = 10);
		assert_int_equal(th_recv(a.c.s, b, sizeof(b), 0), 0);
		answered(&a);
	}
}

static void test_rfc9293_3_10_7_4_eighth_fin_by_state(void **state)
{
	static const u8 next[][3] = {	/* state, ours acknowledged, next */
		{ TCP_ESTABLISHED, 0, TCP_CLOSE_WAIT },
		{ TCP_FIN_WAIT1, 0, TCP_CLOSING },
		{ TCP_FIN_WAIT1, 1, TCP_CLOSE },	/* TIME-WAIT */
		{ TCP_FIN_WAIT2, 1, TCP_CLOSE },	/* TIME-WAIT */
	};

	for (u32 i = 0; i < ARRAY_SIZE(next); i++) {
		struct at a = reach(next[i][0]);

		peer_fin(&a, 1 + next[i][1]);
		th_sleep_ms(50);
		out(.flags = ACK, .seq = a.snd_nxt, .ack = 2);
		assert_int_equal(a.c.s->sk->sk_state, next[i][2]);
		done(&a);
	}
}

/* The peer has not seen our ACK: it is sent again, nothing else happens. */
static void test_rfc9293_3_10_7_4_eighth_fin_again(void **state)
{
	static const u8 half[] = { TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK };

	for (u32 i = 0; i < ARRAY_SIZE(half); i++) {
		struct at a = reach(half[i]);

		in(.flags = FIN | ACK, .seq = 1, .ack = 1, .wnd = 100);
		answered(&a);
	}
}

/* Text and FIN in one, the text cut at the left edge. */
static void test_rfc9293_3_10_7_4_eighth_fin_with_old_text(void **state)
{
	struct at a = reach(TCP_ESTABLISHED);
	char b[20];

	in(.flags = ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 10);
	in(.flags = FIN | ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 15);
	assert_int_equal(th_recv(a.c.s, b, sizeof(b), 0), 15);
	assert_int_equal(a.c.s->sk->sk_state, TCP_CLOSE_WAIT);
	th_flush();
	done(&a);
}

/* Section 3.10.5 and 3.5.3: TIME-WAIT acknowledges, and starts again. */
static void test_rfc9293_3_10_7_4_time_wait_fin_again(void **state)
{
	struct at a = reach(TCP_FIN_WAIT2);

	peer_fin(&a, 2);
	out(.flags = ACK, .seq = 2, .ack = 2);
	in(.flags = FIN | ACK, .seq = 1, .ack = 2, .wnd = 100);
	out(.flags = ACK, .seq = 2, .ack = 2);
	in(.flags = ACK, .seq = 1000000, .ack = 2, .wnd = 100);
	out(.flags = ACK, .seq = 2, .ack = 2);
	done(&a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc9293_3_10_7_4_first_beyond_the_window),
		T(test_rfc9293_3_10_7_4_first_before_the_window),
		T(test_rfc9293_3_10_7_4_first_no_answer_to_a_reset),
		T(test_rfc9293_3_10_7_4_first_the_ack_at_a_closed_edge),
		T(test_rfc9293_3_10_7_4_second_reset),
		T(test_rfc9293_3_10_7_4_second_reset_with_an_ack),
		T(test_rfc9293_3_10_7_4_second_what_the_user_hears),
		T(test_rfc5961_3_2_reset_within_the_window),
		T(test_rfc5961_4_2_syn_in_every_state),
		T(test_rfc5961_4_2_syn_ack_in_every_state),
		T(test_rfc9293_3_10_7_4_fifth_no_ack_flag),
		T(test_rfc9293_3_10_7_4_fifth_ack_of_what_was_not_sent),
		T(test_rfc9293_3_10_7_4_fifth_duplicate_ack),
		T(test_rfc5961_5_2_ack_far_below_the_window),
		T(test_rfc9293_3_10_7_4_fifth_fin_wait_1),
		T(test_rfc9293_3_10_7_4_fifth_closing),
		T(test_rfc9293_3_10_7_4_fifth_last_ack),
		T(test_rfc9293_3_10_7_4_fifth_newer_window),
		T(test_rfc9293_3_10_7_4_fifth_older_window),
		T(test_rfc9293_3_10_7_4_seventh_text_is_taken),
		T(test_rfc9293_3_10_7_4_seventh_text_after_a_fin),
		T(test_rfc9293_3_10_7_4_eighth_fin_by_state),
		T(test_rfc9293_3_10_7_4_eighth_fin_again),
		T(test_rfc9293_3_10_7_4_eighth_fin_with_old_text),
		T(test_rfc9293_3_10_7_4_time_wait_fin_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
