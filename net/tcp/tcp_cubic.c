/*
 * CUBIC (RFC 9438): after a loss the window grows along a cubic function of
 * time, flat where the loss was. The first slow start is HyStart++ (RFC 9406):
 * rising round trips end it before packets are lost. All with the sk lock.
 */
#include "net/tcp/tcp_cong.h"

#include "kernel/time.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"

/* RFC 9438 section 4.1: beta 0.7, C 0.4; alpha as 4.3 has it, 9/17. */
#define BETA_NUM	7u
#define BETA_DEN	10u
/* (ms)^3 * C / 1e9 is segments: C_NUM / C_DEN. */
#define C_NUM		4ull
#define C_DEN		10000000000ull
#define ALPHA_NUM	9u
#define ALPHA_DEN	17u
/* Beyond this the cube would not fit; by then the window is far too large. */
#define T_MAX_MS	(1 << 20)

/*
 * RFC 9406 section 4.3, us. There is no pacing, but no limit L either: a
 * receiver that merges acknowledges a whole large packet at once.
 */
#define RTT_THRESH_MIN	4000u
#define RTT_THRESH_MAX	16000u
#define RTT_DIVISOR	8u
#define RTT_SAMPLES	8u
#define CSS_GROWTH	4u
#define CSS_ROUNDS	5u
#define NO_RTT		UINT32_MAX

/* ca_priv while ssthresh is still infinite. */
struct hystart {
	u32 round_end;		/* snd_nxt when the round began */
	u32 last_min;		/* us, the round before; 0: not begun */
	u32 round_min;		/* us, this round */
	u32 css_base;		/* us; 0: not in conservative slow start */
	u16 samples;		/* of this round */
	u16 css_rounds;
} __attribute__((may_alias));

/* ca_priv afterwards. Windows in segments. */
struct cubic {
	u32 w_max;		/* before the last reduction */
	u32 epoch;		/* ms, when avoidance began; 0: not begun */
	u32 k;			/* ms from epoch to w_max */
	u32 origin;		/* w_max, or where this epoch began */
	u32 w_est;		/* what Reno would have */
	u32 est_cnt;		/* acked since it grew, times ALPHA_NUM */
} __attribute__((may_alias));

#define CA_PRIV_SIZE	sizeof(((struct tcp_sock *)NULL)->ca_priv)

_Static_assert(sizeof(struct hystart) <= CA_PRIV_SIZE, "fits the block");
_Static_assert(sizeof(struct cubic) <= CA_PRIV_SIZE, "fits the block");

static struct hystart *hystart_of(struct tcp_sock *tp)
{
	return (struct hystart *)tp->ca_priv;
}

static struct cubic *cubic_of(struct tcp_sock *tp)
{
	return (struct cubic *)tp->ca_priv;
}

/* The largest r with r^3 <= @a. */
static u32 cube_root(u64 a)
{
	u64 r = 0;

	for (int bit = 20; bit >= 0; bit--) {
		u64 next = r | 1ull << bit;

		if (next * next * next <= a)
			r = next;
	}
	return (u32)r;
}

/* ---- HyStart++ ---- */

static void hystart_round(struct tcp_sock *tp, struct hystart *h)
{
	h->last_min = h->round_min ? h->round_min : NO_RTT;
	h->round_min = NO_RTT;
	h->samples = 0;
	h->round_end = tp->snd_nxt;
}

/* Has the round trip risen? RFC 9406 section 4.2. */
static bool rtt_rose(const struct hystart *h)
{
	u32 thresh;

	if (h->samples < RTT_SAMPLES || h->round_min == NO_RTT ||
	    h->last_min == NO_RTT)
		return false;
	thresh = clamp(h->last_min / RTT_DIVISOR, RTT_THRESH_MIN,
		       RTT_THRESH_MAX);
	return h->round_min >= h->last_min + thresh;
}

/* One round trip measured, 0: none. True if slow start is over. */
static bool hystart_sample(struct tcp_sock *tp, struct hystart *h, u32 rtt_us)
{
	if (!h->last_min || seq_after(tp->snd_una, h->round_end)) {
		if (h->css_base && ++h->css_rounds >= CSS_ROUNDS)
			return true;
		hystart_round(tp, h);
	}
	if (rtt_us) {
		h->round_min = min(h->round_min, rtt_us);
		h->samples++;
	}
	if (!h->css_base && rtt_rose(h)) {
		h->css_base = h->round_min;
		h->css_rounds = 0;
	} else if (h->css_base && h->samples >= RTT_SAMPLES &&
		   h->round_min < h->css_base) {
		h->css_base = 0;	/* it was jitter */
	}
	return false;
}

/* The first slow start of a connection. */
static void hystart_avoid(struct tcp_sock *tp, u32 acked, u32 rtt_us)
{
	struct hystart *h = hystart_of(tp);

	if (hystart_sample(tp, h, rtt_us)) {
		tp->ssthresh = max(tp->cwnd, 2u);
		tp->cwnd_cnt = 0;
		*cubic_of(tp) = (struct cubic){ .w_max = 0 };
	} else if (h->css_base) {
		tcp_cong_avoid_ai(tp, CSS_GROWTH, acked);
	} else {
		tcp_slow_start(tp, acked);
	}
}

/* ---- congestion avoidance ---- */

static void begin_epoch(struct tcp_sock *tp, struct cubic *c, u64 now)
{
	c->epoch = max(tcp_ms(now), 1u);
	c->w_est = tp->cwnd;
	c->est_cnt = 0;
	tp->cwnd_cnt = 0;
	if (c->w_max > tp->cwnd) {
		c->k = cube_root((c->w_max - tp->cwnd) * (C_DEN / C_NUM));
		c->origin = c->w_max;
	} else {
		c->k = 0;
		c->origin = tp->cwnd;
	}
}

/* Section 4.2, @t_ms after the epoch's begin. */
static u32 w_cubic(const struct cubic *c, u32 t_ms)
{
	s64 t = clamp((s64)t_ms - c->k, (s64)-T_MAX_MS, (s64)T_MAX_MS);
	s64 w = c->origin + t * t * t / (s64)(C_DEN / C_NUM);

	return (u32)clamp(w, (s64)1, (s64)TCP_CWND_MAX);
}

/* Section 4.3: as fast as Reno would be; from the old maximum on, just so. */
static void update_w_est(struct tcp_sock *tp, struct cubic *c, u32 acked)
{
	bool below = c->w_est < c->w_max;
	u32 each = below ? tp->cwnd * ALPHA_DEN / ALPHA_NUM : tp->cwnd;

	c->est_cnt += acked;
	if (c->est_cnt >= each) {
		c->w_est += c->est_cnt / max(each, 1u);
		c->est_cnt %= max(each, 1u);
	}
}

/* Segments to be acknowledged for cwnd to grow by one. */
static u32 growth_interval(const struct tcp_sock *tp, u32 target)
{
	u32 cwnd = tp->cwnd;

	if (target <= cwnd)
		return 100 * cwnd;
	/* Section 4.4: no more than half a window in a round trip. */
	return max(cwnd / (target - cwnd), 2u);
}

static void cubic_grow(struct tcp_sock *tp, u32 acked, u64 now)
{
	struct cubic *c = cubic_of(tp);
	u32 t, every;

	if (!c->epoch)
		begin_epoch(tp, c, now);
	t = tcp_ms(now) - c->epoch;
	if ((s32)t < 0)
		t = 0;
	update_w_est(tp, c, acked);
	if (w_cubic(c, t) < c->w_est)
		every = growth_interval(tp, c->w_est);
	else
		every = growth_interval(tp, w_cubic(c, t + tp->srtt / 8000));
	tcp_cong_avoid_ai(tp, every, acked);
}

static void cubic_cong_avoid(struct tcp_sock *tp, u32 acked, u32 rtt_us,
			     u64 now)
{
	if (tp->ssthresh == TCP_INFINITE_SSTHRESH) {
		hystart_avoid(tp, acked, rtt_us);
		return;
	}
	if (tp->cwnd < tp->ssthresh)
		acked = tcp_slow_start(tp, acked);
	if (acked)
		cubic_grow(tp, acked, now);
}

/* Sections 4.6 and 4.7. */
static u32 cubic_ssthresh(struct tcp_sock *tp, u32 flight)
{
	struct cubic *c = cubic_of(tp);

	flight = min(tp->cwnd, flight);
	if (tp->ssthresh == TCP_INFINITE_SSTHRESH)
		*c = (struct cubic){ .w_max = 0 };
	/* Fast convergence: there is less room than last time, leave some. */
	if (flight < c->w_max)
		c->w_max = flight * (BETA_DEN + BETA_NUM) / (2 * BETA_DEN);
	else
		c->w_max = flight;
	c->epoch = 0;
	return max(flight * BETA_NUM / BETA_DEN, 2u);
}

static void cubic_init(struct tcp_sock *tp)
{
	*cubic_of(tp) = (struct cubic){ .w_max = 0 };
}

/* Section 5.8: time without sending is no time to grow in. */
static void cubic_idle(struct tcp_sock *tp)
{
	if (tp->ssthresh != TCP_INFINITE_SSTHRESH)
		cubic_of(tp)->epoch = 0;
}

const struct tcp_congestion_ops tcp_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.cong_avoid = cubic_cong_avoid,
	.idle = cubic_idle,
};
