/*
 * CUBIC (RFC 9438) and HyStart++ (RFC 9406): a window is driven round trip by
 * round trip, and compared with what the formulas say.
 * sources: tcp
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "tests/unit/tcp_harness.h"

#define SOL_TCP		6
#define TCP_CONGESTION	13

static struct tcp_sock block;
static u64 now;

static struct tcp_sock *fresh(void)
{
	memset(&block, 0, sizeof(block));
	now = 1000 * MS;
	block.mss_cache = 1000;
	block.ca = &tcp_cubic;
	block.sk.sk_state = TCP_SYN_SENT;
	tcp_cong_init(&block);
	return &block;
}

/* One round trip: a window's worth of ACKs, two segments each. */
static void round_trip(struct tcp_sock *tp, u32 rtt_us)
{
	u32 n = tp->cwnd;

	tp->srtt = rtt_us * 8;
	tp->snd_nxt += n * 1000;
	for (u32 i = 0; i < n; i += 2) {
		tp->packets_out = tp->cwnd - 2;	/* and sends anew */
		tp->snd_una += 2000;
		now += 2ull * rtt_us * 1000 / n;
		tcp_cong_acked(tp, 2, rtt_us, now);
	}
	tp->snd_una = tp->snd_nxt;
}

static void lose(struct tcp_sock *tp)
{
	tp->packets_out = tp->cwnd;
	tp->ssthresh = tp->ca->ssthresh(tp, tp->packets_out);
	tp->cwnd = tp->ssthresh;
}

static struct tcp_sock *after_loss_at(u32 cwnd)
{
	struct tcp_sock *tp = fresh();

	tp->cwnd = cwnd;
	lose(tp);
	return tp;
}

static void test_rfc9438_4_6_beta_is_0_7(void **state)
{
	struct tcp_sock *tp = after_loss_at(100);

	assert_int_equal(tp->ssthresh, 70);
	tp = after_loss_at(2);
	assert_int_equal(tp->ssthresh, 2);
	/* What was in flight counts, not what might have been. */
	tp = fresh();
	tp->cwnd = 100;
	tp->packets_out = 50;
	assert_int_equal(tp->ca->ssthresh(tp, tp->packets_out), 35);
}

/* K = cbrt(W_max * 0.3 / 0.4): after that time the old maximum is back. */
static void test_rfc9438_4_2_plateau_after_k(void **state)
{
	struct tcp_sock *tp = after_loss_at(1000);
	u64 start = now, k = 9086;

	while (now - start < k * MS / 2)
		round_trip(tp, 100000);
	/* Half the time: an eighth of the way is left, C * (K/2)^3 = 37. */
	assert_in_range(tp->cwnd, 940, 975);
	while (now - start < k * MS)
		round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 985, 1010);
	while (now - start < k * MS * 3 / 2)
		round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 1020, 1060);
}

/* Time counts, not round trips. */
static void test_rfc9438_5_rtt_fairness(void **state)
{
	u32 at[2];

	for (u32 i = 0; i < 2; i++) {
		struct tcp_sock *tp = after_loss_at(5000);
		u64 start = now;

		while (now - start < 10000 * MS)
			round_trip(tp, i ? 200000 : 50000);
		at[i] = tp->cwnd;
	}
	assert_in_range(at[0], at[1] - 150, at[1] + 150);
}

/* Short paths: no slower than Reno, which here adds a segment each RTT. */
static void test_rfc9438_4_3_reno_friendly(void **state)
{
	struct tcp_sock *tp = after_loss_at(20);
	u64 start = now;
	u32 was = tp->cwnd;

	assert_int_equal(was, 14);
	while (now - start < 20 * MS)
		round_trip(tp, 1000);
	/* Alpha is 9/17 up to the old window, then 1. */
	assert_in_range(tp->cwnd, was + 8, was + 16);
}

static void test_rfc9438_4_7_fast_convergence(void **state)
{
	struct tcp_sock *tp = after_loss_at(1000);
	u64 start;

	/* A second loss below the first: aim at 0.85 of it only. */
	tp->cwnd = 800;
	lose(tp);
	assert_int_equal(tp->cwnd, 560);
	start = now;
	while (now - start < 6694 * MS)
		round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 665, 695);
}

static void test_rfc9438_growth_is_bounded(void **state)
{
	struct tcp_sock *tp = after_loss_at(100);

	round_trip(tp, 100000);
	/* Avoidance has rested for an hour: half a window at most. */
	now += 3600ull * NSEC_PER_SEC;
	round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 70, 120);
	for (u32 i = 0; i < 100; i++)
		round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 1000, TCP_CWND_MAX);
}

static void test_rfc9406_slow_start_doubles(void **state)
{
	struct tcp_sock *tp = fresh();

	for (u32 want = 20; want <= 5120; want *= 2) {
		round_trip(tp, 50000);
		assert_int_equal(tp->cwnd, want);
	}
	assert_int_equal(tp->ssthresh, TCP_INFINITE_SSTHRESH);
}

static void test_rfc9406_rising_rtt_ends_slow_start(void **state)
{
	struct tcp_sock *tp = fresh();
	u32 at;

	for (u32 i = 0; i < 5; i++)
		round_trip(tp, 50000);
	at = tp->cwnd;
	assert_int_equal(at, 320);
	/* 50/8 = 6.25 ms more are the sign; 5 rounds of caution, then out. */
	for (u32 i = 0; i < 7; i++)
		round_trip(tp, 57000);
	assert_int_not_equal(tp->ssthresh, TCP_INFINITE_SSTHRESH);
	assert_in_range(tp->ssthresh, at + at / 4, at * 5);
	at = tp->cwnd;
	round_trip(tp, 57000);
	assert_in_range(tp->cwnd, at, at + at / 4);
}

static void test_rfc9406_a_small_rise_is_none(void **state)
{
	struct tcp_sock *tp = fresh();

	for (u32 i = 0; i < 5; i++)
		round_trip(tp, 50000);
	round_trip(tp, 56000);
	round_trip(tp, 56000);
	assert_int_equal(tp->cwnd, 1280);
}

static void test_rfc9406_jitter_resumes_slow_start(void **state)
{
	struct tcp_sock *tp = fresh();
	u32 at;

	for (u32 i = 0; i < 4; i++)
		round_trip(tp, 50000);
	round_trip(tp, 60000);
	round_trip(tp, 50000);
	at = tp->cwnd;
	for (u32 i = 0; i < 6; i++)
		round_trip(tp, 50000);
	assert_in_range(tp->cwnd, at * 32, TCP_CWND_MAX);
	assert_int_equal(tp->ssthresh, TCP_INFINITE_SSTHRESH);
}

static void test_rfc7661_an_idle_window_decays(void **state)
{
	struct tcp_sock *tp = fresh();

	tp->rto = 200000;
	tp->cwnd = 160;
	tp->ssthresh = 50;
	tcp_cong_idle_restart(tp, 300000);
	assert_int_equal(tp->cwnd, 80);
	assert_int_equal(tp->ssthresh, 120);
	tcp_cong_idle_restart(tp, 5000000);
	assert_int_equal(tp->cwnd, TCP_INIT_CWND);
	assert_int_equal(tp->ssthresh, 120);
	tp->cwnd = 4;
	tcp_cong_idle_restart(tp, 5000000);
	assert_int_equal(tp->cwnd, 4);
}

static void test_rfc7661_an_unused_window_is_not_raised(void **state)
{
	struct tcp_sock *tp = fresh();

	for (u32 i = 0; i < 100; i++) {
		tp->packets_out = 2;
		tcp_cong_acked(tp, 1, 1000, now);
	}
	assert_int_equal(tp->cwnd, TCP_INIT_CWND);
}

/* Words of ca_priv, as tcp_cubic.c has them. */
#define W_MAX		0
#define EPOCH		1
#define CSS_BASE	3

/* 0.85 of where it was: 680 of 800. */
static void test_rfc9438_4_7_the_new_maximum(void **state)
{
	struct tcp_sock *tp = after_loss_at(1000);

	assert_int_equal(tp->ca_priv[W_MAX], 1000);
	tp->cwnd = 800;
	lose(tp);
	assert_int_equal(tp->ca_priv[W_MAX], 680);
	/* Above the last one there is room: none is left. */
	tp->cwnd = 700;
	lose(tp);
	assert_int_equal(tp->ca_priv[W_MAX], 700);
}

/* 9/17 a round trip up to the old window, one from there on. */
static void test_rfc9438_4_3_alpha(void **state)
{
	struct tcp_sock *tp = after_loss_at(20);

	for (u32 i = 0; i < 12; i++)
		round_trip(tp, 1000);
	assert_in_range(tp->cwnd, 18, 22);
	for (u32 i = 0; i < 28; i++)
		round_trip(tp, 1000);
	assert_in_range(tp->cwnd, 43, 52);
}

/* The aim is where the curve will be a round trip from now. */
static void test_rfc9438_4_2_the_aim_is_ahead(void **state)
{
	struct tcp_sock *tp = after_loss_at(1000);

	tp->srtt = 8000000;
	now += 1000 * MS;
	tp->packets_out = tp->cwnd;
	tcp_cong_acked(tp, 1, 1000000, now);
	/* 1000 + 0.4 * (1 - 9.086)^3 = 788: a segment per seven. */
	for (u32 i = 0; i < 6; i++)
		tcp_cong_acked(tp, 1, 1000000, now);
	assert_int_equal(tp->cwnd, 701);
}

/* Without a maximum that was, growth begins at once: 100 + 0.4 * 10^3. */
static void test_rfc9438_4_2_convex_from_the_start(void **state)
{
	struct tcp_sock *tp = fresh();
	u64 start = now;

	tp->cwnd = 100;
	tp->ssthresh = 100;
	while (now - start < 10000 * MS)
		round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 480, 530);
}

/* Each loss begins an epoch of its own; so does an idle time. */
static void test_rfc9438_4_8_epochs(void **state)
{
	struct tcp_sock *tp = after_loss_at(1000);
	u64 start = now;

	while (now - start < 9086 * MS)
		round_trip(tp, 100000);
	lose(tp);
	start = now;
	while (now - start < 4500 * MS)
		round_trip(tp, 100000);
	assert_in_range(tp->cwnd, 930, 985);
	assert_int_not_equal(tp->ca_priv[EPOCH], 0);
	tp->ca->idle(tp);
	assert_int_equal(tp->ca_priv[EPOCH], 0);
}

/* Of a short path a rise is 4 ms, of a long one 16 ms. */
static void test_rfc9406_4_3_thresholds(void **state)
{
	struct tcp_sock *tp = fresh();

	for (u32 i = 0; i < 5; i++)
		round_trip(tp, 10000);
	round_trip(tp, 13000);
	assert_int_equal(tp->ca_priv[CSS_BASE], 0);
	round_trip(tp, 17100);
	assert_int_not_equal(tp->ca_priv[CSS_BASE], 0);
	tp = fresh();
	for (u32 i = 0; i < 5; i++)
		round_trip(tp, 400000);
	round_trip(tp, 420000);
	assert_int_not_equal(tp->ca_priv[CSS_BASE], 0);
}

/* Fewer than eight round trips measured say nothing. */
static void test_rfc9406_4_3_eight_samples(void **state)
{
	struct tcp_sock *tp = fresh();

	for (u32 rtt = 50000; rtt < 200000; rtt += 20000) {
		tp->cwnd = 14;
		round_trip(tp, rtt);
		assert_int_equal(tp->ca_priv[CSS_BASE], 0);
	}
	tp->cwnd = 18;
	round_trip(tp, 250000);
	tp->cwnd = 18;
	round_trip(tp, 300000);
	assert_int_not_equal(tp->ca_priv[CSS_BASE], 0);
}

/* Five rounds of a quarter of the growth, then avoidance. */
static void test_rfc9406_4_2_conservative_slow_start(void **state)
{
	struct tcp_sock *tp = fresh();
	u32 was, rounds = 0;

	for (u32 i = 0; i < 5; i++)
		round_trip(tp, 50000);
	round_trip(tp, 60000);
	assert_int_not_equal(tp->ca_priv[CSS_BASE], 0);
	was = tp->cwnd;
	round_trip(tp, 60000);
	assert_in_range(tp->cwnd, was * 5 / 4 - 2, was * 5 / 4 + 2);
	for (rounds = 1; tp->ssthresh == TCP_INFINITE_SSTHRESH; rounds++) {
		assert_in_range(rounds, 1, 6);
		tp->cwnd &= ~1u;	/* two segments are acknowledged each */
		round_trip(tp, 60000);
	}
	assert_int_equal(rounds, 5);
}

static void test_tcp_congestion_starts_afresh(void **state)
{
	static const u32 zero[6];
	struct tcp_sock *tp = after_loss_at(100);

	round_trip(tp, 100000);
	tcp_cong_set(tp, &tcp_newreno);
	assert_memory_equal(tp->ca_priv, zero, sizeof(zero));
}

/* The window was not full for longer than a timeout: half the rest goes. */
static void test_rfc7661_4_4_an_unused_window_shrinks(void **state)
{
	for (u32 what = 0; what < 3; what++) {
		struct tcp_sock *tp = fresh();
		struct tcp_ext ext = { .used_since = 0 };

		tp->ext = &ext;
		tp->rto = 200000;
		tp->cwnd = 100;
		tp->ssthresh = 50;
		tp->packets_out = 10;
		tcp_cong_acked(tp, 1, 1000, now);
		now += 150 * MS;
		/* It was full, or what is behind is the send buffer's fault. */
		if (what == 1) {
			tp->packets_out = 100;
			tcp_cong_acked(tp, 1, 1000, now);
			tp->cwnd = 100;
			tp->packets_out = 10;
			tcp_cong_acked(tp, 1, 1000, now);
		}
		tp->nospace = what == 2;
		now += 100 * MS;
		tcp_cong_acked(tp, 1, 1000, now);
		assert_int_equal(tp->cwnd, what ? 100 : (100 + 11) / 2);
		assert_int_equal(tp->ssthresh, what ? 50 : 75);
	}
}

static int set_congestion(struct socket *s, const char *name)
{
	return s->ops->setsockopt(s, SOL_TCP, TCP_CONGESTION, name,
				  (u32)strlen(name));
}

static void test_tcp_congestion_chooses(void **state)
{
	struct th_conn c = th_established(false);
	char name[16];
	u32 len = sizeof(name);

	assert_int_equal(c.s->ops->getsockopt(c.s, SOL_TCP, TCP_CONGESTION,
					      name, &len), 0);
	assert_string_equal(name, "cubic");
	assert_int_equal(set_congestion(c.s, "reno"), 0);
	assert_ptr_equal(th_tp(c.s)->ca, &tcp_newreno);
	assert_int_equal(set_congestion(c.s, "vegas"), -ENOENT);
	assert_int_equal(set_congestion(c.s, "cubic"), 0);
	th_conn_close(&c);
	th_flush();
}

#define T(f) cmocka_unit_test_setup_teardown(f, th_setup, th_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rfc9438_4_6_beta_is_0_7),
		T(test_rfc9438_4_2_plateau_after_k),
		T(test_rfc9438_5_rtt_fairness),
		T(test_rfc9438_4_3_reno_friendly),
		T(test_rfc9438_4_7_fast_convergence),
		T(test_rfc9438_growth_is_bounded),
		T(test_rfc9406_slow_start_doubles),
		T(test_rfc9406_rising_rtt_ends_slow_start),
		T(test_rfc9406_a_small_rise_is_none),
		T(test_rfc9406_jitter_resumes_slow_start),
		T(test_rfc7661_an_idle_window_decays),
		T(test_rfc7661_an_unused_window_is_not_raised),
		T(test_rfc9438_4_7_the_new_maximum),
		T(test_rfc9438_4_3_alpha),
		T(test_rfc9438_4_2_the_aim_is_ahead),
		T(test_rfc9438_4_2_convex_from_the_start),
		T(test_rfc9438_4_8_epochs),
		T(test_rfc9406_4_3_thresholds),
		T(test_rfc9406_4_3_eight_samples),
		T(test_rfc9406_4_2_conservative_slow_start),
		T(test_tcp_congestion_starts_afresh),
		T(test_rfc7661_4_4_an_unused_window_shrinks),
		T(test_tcp_congestion_chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
