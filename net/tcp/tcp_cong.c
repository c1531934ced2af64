/*
 * Congestion control: slow start, congestion avoidance (RFC 5681) and NewReno
 * on top of them. Finding losses is the business of tcp_recovery.c.
 */
#include "net/tcp/tcp_cong.h"

#include "kernel/mm/page.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"

/* What a segment of Ethernet size takes in the end. */
#define BUFFER_TYPICAL	2048u

u32 tcp_slow_start(struct tcp_sock *tp, u32 acked)
{
	u32 cwnd = min(tp->cwnd + acked, tp->ssthresh);

	acked -= cwnd - tp->cwnd;
	tp->cwnd = min(cwnd, TCP_CWND_MAX);
	return acked;
}

void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked)
{
	/* Saved up at a larger w, it is worth one segment only. */
	if (tp->cwnd_cnt >= w) {
		tp->cwnd_cnt = 0;
		tp->cwnd = min(tp->cwnd + 1, TCP_CWND_MAX);
	}
	tp->cwnd_cnt += acked;
	if (tp->cwnd_cnt < w)
		return;
	tp->cwnd = min(tp->cwnd + tp->cwnd_cnt / w, TCP_CWND_MAX);
	tp->cwnd_cnt %= w;
}

/* RFC 5681 equation 4. */
static u32 newreno_ssthresh(struct tcp_sock *tp, u32 flight)
{
	return max(min(tp->cwnd, flight) / 2, 2u);
}

static void newreno_cong_avoid(struct tcp_sock *tp, u32 acked, u32 rtt_us,
			       u64 now)
{
	(void)rtt_us;
	(void)now;
	if (tp->cwnd < tp->ssthresh)
		acked = tcp_slow_start(tp, acked);
	if (acked)
		tcp_cong_avoid_ai(tp, tp->cwnd, acked);
}

const struct tcp_congestion_ops tcp_newreno = {
	.name = "reno",
	.ssthresh = newreno_ssthresh,
	.cong_avoid = newreno_cong_avoid,
};

static const struct tcp_congestion_ops *const algorithms[] = {
	&tcp_cubic,
	&tcp_newreno,
};

__cold const struct tcp_congestion_ops *tcp_cong_find(const char *name, u32 len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(algorithms); i++) {
		const char *have = algorithms[i]->name;

		if (strlen(have) == len && !memcmp(have, name, len))
			return algorithms[i];
	}
	return NULL;
}

/* The send buffer holds two windows, or cwnd could not be used. */
static void grow_sndbuf(struct tcp_sock *tp)
{
	u32 each = tp->mss_cache + TCP_HEADROOM + (u32)sizeof(struct sk_buff);
	u64 want = 2ull * tp->cwnd * max(each, BUFFER_TYPICAL);

	if ((u64)tp->sk.sk_sndbuf >= want || memory_pressed ||
	    sock_flag(&tp->sk, SOCK_SNDBUF_LOCK))
		return;
	want = min(want, (u64)READ_ONCE(tcp_wmem[2]));
	tp->sk.sk_sndbuf = max(tp->sk.sk_sndbuf, (s32)want);
}

void tcp_cong_init(struct tcp_sock *tp)
{
	tp->cwnd = TCP_INIT_CWND;
	tp->ssthresh = TCP_INFINITE_SSTHRESH;
	tp->cwnd_cnt = 0;
	tp->ca_state = TCP_CA_OPEN;
	tp->flags &= ~TCP_F_LOSS;
	tp->reo_steps = 0;
	if (!tp->ca)
		tp->ca = algorithms[0];
	if (tp->ca->init)
		tp->ca->init(tp);
	if (tp->sk.sk_state == TCP_ESTABLISHED)
		grow_sndbuf(tp);
}

__cold void tcp_cong_set(struct tcp_sock *tp,
			 const struct tcp_congestion_ops *ca)
{
	if (tp->ca == ca)
		return;
	tp->ca = ca;
	memset(tp->ca_priv, 0, sizeof(tp->ca_priv));
	if (ca->init)
		ca->init(tp);
}

/*
 * RFC 7661 by the older means of RFC 2861: what was not used for the time of a
 * timeout is no longer known to get through, and goes by halves.
 */
static noinline void window_unused(struct tcp_sock *tp, u32 used, u64 now)
{
	struct tcp_ext *e = tcp_ext_get(tp);
	u32 ms = tcp_ms(now) | 1;

	if (!e)
		return;
	if (!e->used_since) {
		e->used_since = ms;
		e->used_most = 0;
	}
	e->used_most = max(e->used_most, used);
	if (ms - e->used_since <= tp->rto / 1000)
		return;
	used = max(e->used_most, TCP_INIT_CWND);
	e->used_since = 0;
	if (used >= tp->cwnd || tp->nospace)
		return;
	tp->ssthresh = max(tp->ssthresh, tp->cwnd / 4 * 3);
	tp->cwnd = (tp->cwnd + used) / 2;
	tp->cwnd_cnt = 0;
	if (tp->ca->idle)
		tp->ca->idle(tp);
}

/* A window that is not filled is not raised, and kept only for a while. */
__inline_hot void tcp_cong_acked(struct tcp_sock *tp, u32 acked, u32 rtt_us,
				 u64 now)
{
	u32 used = tp->packets_out + acked;

	if (tp->cwnd < tp->ssthresh ? tp->cwnd >= 2 * used : tp->cwnd > used) {
		if (tp->cwnd > TCP_INIT_CWND)
			window_unused(tp, used, now);
		return;
	}
	if (tp->ext)
		tp->ext->used_since = 0;
	tp->ca->cong_avoid(tp, acked, rtt_us, now);
	grow_sndbuf(tp);
}

void tcp_cong_idle_restart(struct tcp_sock *tp, u64 idle_us)
{
	u32 cwnd = tp->cwnd;

	if (tp->ca->idle)
		tp->ca->idle(tp);
	if (cwnd <= TCP_INIT_CWND)
		return;
	/* What was reached is found again faster than it was the first time. */
	tp->ssthresh = max(tp->ssthresh, cwnd / 4 * 3);
	while (idle_us > tp->rto && cwnd > TCP_INIT_CWND) {
		idle_us -= tp->rto;
		cwnd /= 2;
	}
	tp->cwnd = max(cwnd, TCP_INIT_CWND);
	tp->cwnd_cnt = 0;
}
