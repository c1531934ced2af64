/*
 * Small records: allocation, and TIME-WAIT (RFC 9293 section 3.6.1 and
 * 3.10.7.4). A record in FIN-WAIT-2 waits for the peer's FIN in place of a
 * whole connection block.
 *
 * LOCKING: tw_lock guards the changing members of all TIME-WAIT records.
 */
#include "net/tcp/tcp_mini.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "net/snmp.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"

/*
 * TIME-WAIT records at most, beyond which connections just end: a 64th of
 * memory, within these limits (tcp_max_tw_buckets of Linux).
 */
#define TW_LEAST	256u
#define TW_MOST		262144u
/* How old a timestamp must be before an active open goes over it, ms. */
#define TW_REUSE_MS	1000u

static struct kmem_cache *mini_cache;
static struct spinlock tw_lock;
static struct atomic tw_count;
static u32 tw_max __ro_after_init;

__cold int tcp_mini_init(void)
{
	mini_cache = kmem_cache_create("tcp_mini", sizeof(struct tcp_mini), 0, 0);
	tw_max = (u32)clamp(nr_total_pages() * PAGE_SIZE / 64 /
			    sizeof(struct tcp_mini),
			    (u64)TW_LEAST, (u64)TW_MOST);
	return mini_cache ? 0 : -ENOMEM;
}

struct tcp_mini *tcp_mini_alloc(enum tcp_mini_kind kind)
{
	struct tcp_mini *m = kmem_cache_alloc(mini_cache);

	if (!m)
		return NULL;
	/* What its makers do not all fill. */
	INIT_HLIST_NODE(&m->node);
	m->ts_recent = 0;
	m->mss = 0;
	m->snd_wscale = 0;
	m->rcv_wscale = 0;
	m->retrans = 0;
	m->acked = 0;
	m->answered = 0;
	m->kind = (u8)kind;
	atomic_set(&m->refs, 1);
	return m;
}

void tcp_mini_put(struct tcp_mini *m)
{
	if (!atomic_dec_and_test(&m->refs))
		return;
	if (m->kind == TCP_MINI_REQUEST)
		sock_put(m->listener);
	kmem_cache_free(mini_cache, m);
}

/*
 * Ends a TIME-WAIT record: out of the table, the timer's reference and the
 * port given back. Once only, whoever comes first.
 */
static __cold void tw_kill(struct tcp_mini *m)
{
	if (!tcp_mini_unhash(m))
		return;
	/* A timer that is running already finds it unhashed, and puts. */
	if (del_timer(&m->timer))
		tcp_mini_put(m);
	tcp_port_drop(m->tuple.lport, m->reuse);
	atomic_dec(&tw_count);
	tcp_mini_put(m);
}

static void tw_timer(struct timer *timer)
{
	struct tcp_mini *m = container_of(timer, struct tcp_mini, timer);

	tw_kill(m);
	tcp_mini_put(m);
}

/* Takes over from @sk what the record answers with. */
static void tw_fill(struct tcp_mini *m, const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	tcp_sock_tuple(sk, &m->tuple);
	m->snd_nxt = tp->snd_nxt;
	m->rcv_nxt = tp->rcv_nxt;
	m->rcv_wnd = tp->rcv_wnd;
	m->ts_recent = tp->ts_recent;
	m->ts_recent_at = tp->ts_recent_at;
	m->ts_off = tp->ts_off;
	m->opts = tp->opts;
	m->rcv_wscale = tp->rcv_wscale & 0xf;
	m->reuse = sock_flag(sk, SOCK_REUSEADDR);
	timer_setup(&m->timer, tw_timer);
}

static bool tw_start(const struct sock *sk, enum tcp_mini_kind kind, u64 end)
{
	struct tcp_mini *m;

	if ((u32)atomic_read(&tw_count) >= tw_max)
		return false;
	m = tcp_mini_alloc(kind);
	if (!m)
		return false;
	tw_fill(m, sk);
	if (tcp_port_hold(m->tuple.lport, &m->tuple.local, m->reuse)) {
		tcp_mini_put(m);
		return false;
	}
	atomic_inc(&tw_count);
	/* Our reference is the timer's from here on. */
	if (!tcp_mini_add(m)) {
		tcp_port_drop(m->tuple.lport, m->reuse);
		atomic_dec(&tw_count);
		tcp_mini_put(m);
		return false;
	}
	mod_timer(&m->timer, end);
	return true;
}

void tcp_time_wait(struct sock *sk, enum tcp_mini_kind kind, u64 timeout,
		   u64 now)
{
	/* The record is in its table before the sock leaves the other. */
	if (tw_start(sk, kind, now + timeout))
		SNMP_INC(TcpExt_TW);
	else
		SNMP_INC(TcpExt_TCPTimeWaitOverflow);
	tcp_done(sk);
}

bool tcp_mini_may_answer(struct tcp_mini *m, const struct tcp_segment *seg,
			 u64 now)
{
	static const u8 skipped[] = {
		[TCP_MINI_REQUEST] = SNMP_TcpExt_TCPACKSkippedSynRecv,
		[TCP_MINI_FIN_WAIT2] = SNMP_TcpExt_TCPACKSkippedFinWait2,
		[TCP_MINI_TIME_WAIT] = SNMP_TcpExt_TCPACKSkippedTimeWait,
	};
	u8 period = (u8)(tcp_ms(now) / 512) | 0x80;	/* never 0 */

	if (seg->seq != seg->end_seq && !(seg->flags & TCP_SYN))
		return true;
	if (m->answered == period) {
		this_cpu_add(snmp_counts[skipped[m->kind]], 1);
		return false;
	}
	m->answered = period;
	return true;
}

void tcp_mini_ack(struct tcp_mini *m, const struct tcp_segment *seg, u32 wnd,
		  u64 now)
{
	/* The SYN-ACK's window was exact: less would take some of it back. */
	u32 scaled = (wnd + (1u << m->rcv_wscale) - 1) >> m->rcv_wscale;
	struct tcp_reply ack = {
		.tuple = &m->tuple,
		.hdr.seq = m->snd_nxt,
		.hdr.ack = m->rcv_nxt,
		.hdr.tsval = tcp_ms(now) + m->ts_off,
		.hdr.tsecr = m->ts_recent,
		.hdr.wnd = (u16)min(scaled, 65535u),
		.hdr.flags = TCP_ACK,
		.hdr.opts = m->opts & TCP_OPT_TS,
	};

	if (!(seg->flags & TCP_RST) && tcp_mini_may_answer(m, seg, now))
		tcp_send_reply(&ack, NULL);
}

static bool tw_paws_reject(const struct tcp_mini *m,
			   const struct tcp_segment *seg)
{
	return m->opts & TCP_OPT_TS && seg->opts & TCP_OPT_TS &&
	       seq_before(seg->tsval, m->ts_recent);
}

static enum tcp_tw_verdict tw_drop(struct sk_buff *skb)
{
	kfree_skb_reason(skb, DROP_TCP_TIME_WAIT);
	return TCP_TW_DONE;
}

/* The connection's other half is still open: only a FIN is expected. */
static enum tcp_tw_verdict fin_wait2_rcv(struct tcp_mini *m,
					 struct sk_buff *skb, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	bool outside = seq_before(seg->end_seq, m->rcv_nxt) ||
		       seq_after(seg->seq, m->rcv_nxt + m->rcv_wnd);
	u32 data_end = seg->end_seq - !!(seg->flags & TCP_FIN);

	if (seg->flags & TCP_RST) {
		if (seg->seq == m->rcv_nxt)
			tw_kill(m);
		return tw_drop(skb);
	}
	if (outside || tw_paws_reject(m, seg)) {
		tcp_mini_ack(m, seg, m->rcv_wnd, now);
		return tw_drop(skb);
	}
	if (seg->flags & TCP_SYN || seq_after(data_end, m->rcv_nxt)) {
		/* Data for a program that has closed. */
		tcp_send_reset(&m->tuple, skb);
		tw_kill(m);
		return tw_drop(skb);
	}
	if (seg->flags & TCP_FIN && seg->end_seq == m->rcv_nxt + 1) {
		trace(TRACE_TCP_SET_STATE, m,
		      TCP_FIN_WAIT2 << 16 | TCP_TIME_WAIT);
		spin_lock_bh(&tw_lock);
		m->kind = TCP_MINI_TIME_WAIT;
		m->rcv_nxt = seg->end_seq;
		if (seg->opts & TCP_OPT_TS) {
			m->ts_recent = seg->tsval;
			m->ts_recent_at = tcp_ms(now);
		}
		if (del_timer(&m->timer))
			mod_timer(&m->timer, now + TCP_TIMEWAIT_NS);
		spin_unlock_bh(&tw_lock);
		tcp_mini_ack(m, seg, m->rcv_wnd, now);
	}
	return tw_drop(skb);
}

/*
 * RFC 9293 section 3.10.7.4 (TIME-WAIT) and RFC 6191: a SYN above what was
 * received, or with a newer timestamp, begins a new connection.
 */
static bool tw_may_begin(const struct tcp_mini *m,
			 const struct tcp_segment *seg)
{
	if ((seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN ||
	    tw_paws_reject(m, seg))
		return false;
	if (seq_after(seg->seq, m->rcv_nxt))
		return true;
	return m->opts & TCP_OPT_TS && seg->opts & TCP_OPT_TS &&
	       seq_after(seg->tsval, m->ts_recent);
}

enum tcp_tw_verdict tcp_timewait_rcv(struct tcp_mini *m, struct sk_buff *skb,
				     u32 *iss, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (m->kind == TCP_MINI_FIN_WAIT2)
		return fin_wait2_rcv(m, skb, now);
	if (tw_may_begin(m, seg)) {
		SNMP_INC(TcpExt_TWRecycled);
		/* Above all that the old connection may have sent. */
		*iss = m->snd_nxt + 65535 + 2;
		tw_kill(m);
		return TCP_TW_NEW;
	}
	/* RFC 1337: a RST does not end TIME-WAIT before its time. */
	if (seg->flags & TCP_RST)
		return tw_drop(skb);
	spin_lock_bh(&tw_lock);
	if (seg->flags & TCP_FIN && seg->end_seq == m->rcv_nxt &&
	    del_timer(&m->timer))
		mod_timer(&m->timer, now + TCP_TIMEWAIT_NS);
	spin_unlock_bh(&tw_lock);
	if (seg->seq != seg->end_seq || seg->seq != m->rcv_nxt)
		tcp_mini_ack(m, seg, m->rcv_wnd, now);
	return tw_drop(skb);
}

__cold int tcp_timewait_clear(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_tuple tuple;
	struct tcp_mini *m;
	int err = -EADDRNOTAVAIL;

	tcp_sock_tuple(sk, &tuple);
	tcp_tuple_hash(&tuple);
	sk->sk_hash = tuple.hash;
	local_bh_disable();
	m = tcp_mini_lookup(&tuple);
	local_bh_enable();
	if (!m)
		return 0;
	if (m->kind == TCP_MINI_TIME_WAIT && m->opts & TCP_OPT_TS &&
	    tcp_ms(now) - m->ts_recent_at > TW_REUSE_MS) {
		tp->write_seq = m->snd_nxt + 65535 + 2;
		tp->ts_recent = m->ts_recent;
		tp->ts_recent_at = m->ts_recent_at;
		tw_kill(m);
		err = 0;
	}
	tcp_mini_put(m);
	return err;
}
