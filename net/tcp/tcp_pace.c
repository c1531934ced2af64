/*
 * Pacing by the connection's own timer: each buffer that goes puts off the
 * next by the time it takes at the rate; a tick's worth may go ahead.
 */
#include "net/tcp/tcp_pace.h"

#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_timer.h"

#define TICK_NS		NSEC_PER_MSEC

/* The lower of both that are set. */
static void choose(struct tcp_sock *tp, struct tcp_ext *e)
{
	e->pace_rate = min(e->pace_max ? e->pace_max : UINT64_MAX,
			   e->pace_ca ? e->pace_ca : UINT64_MAX);
	tp->flags |= TCP_F_PACED;
	if (e->pace_rate == UINT64_MAX)
		tp->flags &= ~TCP_F_PACED;
}

void tcp_pace_set(struct tcp_sock *tp, u64 rate)
{
	struct tcp_ext *e = tcp_ext_get(tp);

	if (!e)
		return;
	e->pace_ca = rate;
	choose(tp, e);
}

int tcp_pace_option(struct sock *sk, u64 *rate, bool set)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_ext *e = tp->ext;

	if (!set) {
		*rate = e && e->pace_max ? e->pace_max : UINT64_MAX;
		return 0;
	}
	e = tcp_ext_get(tp);
	if (!e)
		return -ENOMEM;
	e->pace_max = *rate == UINT64_MAX ? 0 : max(*rate, (u64)1);
	choose(tp, e);
	return 0;
}

bool tcp_pace_wait(struct tcp_sock *tp, u64 now)
{
	struct tcp_ext *e = tp->ext;

	if (e->pace_next <= now + TICK_NS)
		return false;
	if (!e->pace_at)
		tcp_arm(&tp->sk, &e->pace_at, e->pace_next);
	return true;
}

void tcp_pace_sent(struct tcp_sock *tp, u32 len, u64 now)
{
	struct tcp_ext *e = tp->ext;

	e->pace_next = max(e->pace_next, now) +
		       (u64)len * NSEC_PER_SEC / e->pace_rate;
}
