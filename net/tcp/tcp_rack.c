/*
 * RACK-TLP (RFC 8985), with three changes: srtt stands for the minimal round
 * trip, the reordering window shrinks step by step, and a single segment under
 * way is not probed, because the timeout comes as early. The state is kept
 * only while something is amiss, so that undisturbed connections pay nothing.
 * sk lock.
 */
#include "net/tcp/tcp_rack.h"

#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"

#define DUPTHRESH	3u
#define PTO_MIN_US	10000u
#define REO_WND_MIN_US	1000u	/* one tick of the timer wheel */
#define REO_STEP	4u	/* reo_steps, for one quarter of a round trip */
#define REO_STEPS_MAX	15u

static u32 sent_us(const struct sk_buff *skb)
{
	return (u32)(skb->tstamp / NSEC_PER_USEC);
}

/* Was @skb sent after the latest one that was delivered? */
static bool sent_after_rack(const struct tcp_sock *tp,
			    const struct sk_buff *skb)
{
	s32 later = (s32)(sent_us(skb) - tp->rack_us);

	if (later)
		return later > 0;
	/* In one burst retransmissions go first, but that proves little. */
	return tcp_tx(skb)->retrans ||
	       seq_after(tcp_tx(skb)->end_seq, tp->rack_end);
}

void tcp_rack_delivered(struct tcp_sock *tp, const struct sk_buff *skb,
			struct tcp_ack_news *news, u64 now)
{
	const struct tcp_tx *tx = tcp_tx(skb);
	u32 age = (u32)(now / NSEC_PER_USEC) - sent_us(skb);

	if (!news->rack) {
		news->rack = true;
		news->fack = tp->rack_end;
	}
	if (tx->retrans)
		news->again = true;
	else if (!seq_after(tx->end_seq, tp->recover))
		news->orig = true;
	if (!(tp->flags & TCP_F_RACK)) {
		tp->flags |= TCP_F_RACK;
		news->fack = tp->snd_una;
	} else {
		/* Section 6.2 step 3: later ones were there before it. */
		if (!tx->retrans && seq_before(tx->end_seq, news->fack))
			tp->flags |= TCP_F_REORDER;
		if (!sent_after_rack(tp, skb))
			return;
	}
	/* Step 2: so early, it is the first transmission that arrived. */
	if (tx->retrans && age < tp->srtt / 16)
		return;
	tp->rack_us = sent_us(skb);
	tp->rack_end = tx->end_seq;
	news->rack_newer = true;
}

void tcp_rack_dsack(struct tcp_sock *tp)
{
	tp->reo_steps = min(tp->reo_steps + REO_STEP, REO_STEPS_MAX) & 15;
}

void tcp_rack_recovered(struct tcp_sock *tp)
{
	tp->reo_steps -= tp->reo_steps > 0;
}

/* How long reordering may take (section 6.2 step 4), us. */
static u32 reordering_window(const struct tcp_sock *tp)
{
	if (!(tp->flags & TCP_F_REORDER) &&
	    (tp->ca_state != TCP_CA_OPEN || tp->sacked_out >= DUPTHRESH))
		return 0;
	return max(min(tp->srtt / 32 * (1u + DIV_ROUND_UP(tp->reo_steps,
							  REO_STEP)),
		       tp->srtt / 8), REO_WND_MIN_US);
}

static void take_for_lost(struct tcp_sock *tp, struct tcp_tx *tx)
{
	if (tx->tags & TCP_TAG_RETRANS) {
		SNMP_INC(TcpExt_TCPLostRetransmit);
		tx->tags &= (u8)~TCP_TAG_RETRANS;
		tp->retrans_out -= tx->segs;
	}
	tcp_tag_lost(tp, tx);
}

/* Waits until @when for what may be late, not lost. */
static void wait_for_reordered(struct tcp_sock *tp, u64 when, u64 now)
{
	tcp_rearm_rto(&tp->sk, now);
	if (tp->rto_at > when) {
		tp->flags |= TCP_F_REO;
		tcp_arm(&tp->sk, &tp->rto_at, when);
	}
}

/*
 * Section 6.2 step 5: lost is what was sent longer ago than the latest one
 * delivered took (@rtt), and the window @leave. Returns how long the last one
 * that is not due must still be waited for, us.
 */
static u32 mark_lost_by_time(struct tcp_sock *tp, u32 rtt, u32 leave, u64 now)
{
	struct sk_buff *skb;
	u32 wait = 0;

	for (skb = tcp_rtx_first_open(tp); skb;
	     skb = tcp_rtx_next_open(tp, skb)) {
		struct tcp_tx *tx = tcp_tx(skb);
		s32 left;

		if (sent_after_rack(tp, skb)) {
			/* What follows was sent later still, even again. */
			if (!tx->retrans)
				break;
			continue;
		}
		if ((tx->tags & (TCP_TAG_LOST | TCP_TAG_RETRANS)) ==
		    TCP_TAG_LOST)
			continue;
		left = (s32)(sent_us(skb) + rtt + leave -
			     (u32)(now / NSEC_PER_USEC));
		if (!leave || left <= 0)
			take_for_lost(tp, tx);
		else
			wait = max(wait, (u32)left);
	}
	return wait;
}

void tcp_rack_detect(struct tcp_sock *tp, const struct tcp_ack_news *news,
		     u64 now)
{
	u32 wait;

	if (!(tp->flags & TCP_F_RACK))
		return;
	if (!news) {
		mark_lost_by_time(tp, 0, 0, now);
	} else if (news->rack_newer) {
		wait = mark_lost_by_time(tp, (u32)(now / NSEC_PER_USEC) -
					 tp->rack_us, reordering_window(tp),
					 now);
		if (wait)
			wait_for_reordered(tp, now + wait * NSEC_PER_USEC, now);
	} else if (news->reo_at) {
		wait_for_reordered(tp, news->reo_at, now);
	}
}

/* ---- tail loss probe ---- */

void tcp_tlp_schedule(struct tcp_sock *tp, u64 now)
{
	u64 when = now + max(tp->srtt / 4, PTO_MIN_US) * NSEC_PER_USEC;

	if (tp->packets_out < 2 || tp->ca_state != TCP_CA_OPEN ||
	    tp->sacked_out || !tp->srtt || tp->backoff ||
	    !(tp->opts & TCP_OPT_SACK_OK) ||
	    tp->flags & (TCP_F_TLP_OUT | TCP_F_WND_PROBE | TCP_F_REO))
		return;
	if (!(tp->flags & TCP_F_TLP) && tp->rto_at <= when)
		return;
	tp->flags |= TCP_F_TLP;
	tcp_arm(&tp->sk, &tp->rto_at, when);
}

/* The last segment that was sent, by itself; or NULL. */
static struct sk_buff *last_sent(struct tcp_sock *tp)
{
	struct list_head *end = tp->send_head ? &tp->send_head->tx_link
					      : &tp->write_queue;
	struct sk_buff *skb = list_entry(end->prev, struct sk_buff, tx_link);
	u32 len = tcp_tx_len(tcp_tx(skb));

	if (len <= tp->mss_cache)
		return skb;
	if (tcp_fragment_sent(tp, skb, (len - 1) / tp->mss_cache *
					       tp->mss_cache))
		return NULL;
	return list_next_entry(skb, tx_link);
}

/* New data if the peer's window takes a segment of it, else the last again. */
void tcp_tlp_send(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = tp->send_head;
	u32 edge = tp->snd_una + tp->snd_wnd;

	SNMP_INC(TcpExt_TCPLossProbes);
	tp->flags |= TCP_F_TLP_OUT;
	tp->flags &= ~TCP_F_TLP_RETRANS;
	if (skb && !seq_after(tcp_tx(skb)->seq + tp->mss_cache, edge)) {
		tcp_write_wakeup(tp, now);
	} else {
		skb = last_sent(tp);
		if (skb) {
			tp->flags |= TCP_F_TLP_RETRANS;
			tcp_retransmit_skb(tp, skb, true, now);
		}
	}
	tp->tlp_end = tp->snd_nxt;
	tcp_rearm_rto(&tp->sk, now);
}

/* Section 7.4.2. */
void tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
	if (seq_before(tp->snd_una, tp->tlp_end))
		return;
	if (tp->flags & TCP_F_TLP_RETRANS && !news->dsack) {
		if (tp->snd_una == tp->tlp_end && !news->dup)
			return;
		if (seq_after(tp->snd_una, tp->tlp_end) &&
		    tp->ca_state == TCP_CA_OPEN) {
			SNMP_INC(TcpExt_TCPLossProbeRecovery);
			tp->ssthresh = tp->ca->ssthresh(tp, tp->cwnd);
			tp->cwnd = tp->ssthresh;
			tp->cwnd_cnt = 0;
			tcp_ecn_reduced(tp);
		}
	}
	tp->flags &= ~(TCP_F_TLP_OUT | TCP_F_TLP_RETRANS);
}
