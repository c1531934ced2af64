/*
 * The receive buffer grows to twice what the program takes in a round trip,
 * so that the window never is what holds a sender back; it stays as it is if
 * the program set it or memory is scarce. Called for full segments, sk lock.
 */
#include "net/tcp/tcp_ext.h"

#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"

/* As good as no measurement: a path that needs less gets too much. */
#define RTT_UNKNOWN_US	100000u
#define RTT_MOST_MS	60000u

struct tcp_ext *tcp_ext_get(struct tcp_sock *tp)
{
	if (!tp->ext)
		tp->ext = kzalloc(sizeof(*tp->ext));
	return tp->ext;
}

void tcp_ext_reset(struct tcp_sock *tp)
{
	const size_t options = offsetof(struct tcp_ext, fo_listener);

	if (tp->ext)
		memset((u8 *)tp->ext + options, 0,
		       sizeof(*tp->ext) - options);
}

/*
 * With timestamps: how long ago was sent what the peer echoes; each once.
 * Without: how long a whole window took, which is never too short.
 */
static void measure(struct tcp_sock *tp, struct tcp_ext *e,
		    const struct tcp_segment *seg, u64 now)
{
	u32 now_us = (u32)(now / NSEC_PER_USEC), us;

	if (tp->opts & seg->opts & TCP_OPT_TS) {
		us = tcp_ms(now) + tp->ts_off - seg->tsecr;
		if (seg->tsecr == e->rtt_mark || us > RTT_MOST_MS)
			return;
		e->rtt_mark = seg->tsecr;
		us = max(us, 1u) * 1000;
		e->rtt_us += e->rtt_us ? us / 8 - e->rtt_us / 8 : us;
		return;
	}
	if (e->rtt_at && seq_before(tp->rcv_nxt, e->rtt_mark))
		return;
	us = now_us - e->rtt_at;
	if (e->rtt_at && (!e->rtt_us || us < e->rtt_us))
		e->rtt_us = us;
	e->rtt_mark = tp->rcv_nxt + tp->rcv_wnd;
	e->rtt_at = now_us | 1;
}

/* @taken bytes in the last round trip, more than ever before. */
static void grow(struct tcp_sock *tp, struct tcp_ext *e, u32 taken)
{
	u32 least = 16u * tp->advmss;
	u64 want = 2ull * taken + least;

	/* A sender in slow start is twice as fast in the next. */
	want += want * (taken - e->space) / max(e->space, least);
	e->space = taken;
	/* The window is half the buffer. */
	want = min(2 * want, (u64)READ_ONCE(tcp_rmem[2]));
	if (want > (u64)tp->sk.sk_rcvbuf)
		WRITE_ONCE(tp->sk.sk_rcvbuf, (s32)want);
}

void tcp_rcvbuf_tune(struct tcp_sock *tp, const struct tcp_segment *seg,
		     u64 now)
{
	u32 now_us = (u32)(now / NSEC_PER_USEC), taken;
	struct tcp_ext *e = tp->ext;

	if (sock_flag(&tp->sk, SOCK_RCVBUF_LOCK) || memory_pressed ||
	    !READ_ONCE(tcp_moderate_rcvbuf))
		return;
	if (!e) {
		e = tcp_ext_get(tp);
		if (!e)
			return;
	}
	measure(tp, e, seg, now);
	if (now_us - e->space_at < (e->rtt_us ? e->rtt_us : RTT_UNKNOWN_US))
		return;
	taken = tp->copied_seq - e->space_seq;
	if (e->space_at && taken > e->space)
		grow(tp, e, taken);
	e->space_seq = tp->copied_seq;
	e->space_at = now_us | 1;
}
