/*
 * Step five of RFC 9293 section 3.10.7.4: what an acknowledgement does to the
 * sending side. Called by the receive path with the sk lock.
 */
#include "net/tcp/tcp_input.h"

#include "kernel/random.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_rack.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_undo.h"

/*
 * RFC 5961 section 7: challenge ACKs per second, for the whole host. Another
 * number each second, about this: one that is known tells strangers, who count
 * their own, whether others had any (CVE-2016-5696).
 */
#define CHALLENGE_LIMIT	1000u
/* Answers of one connection to what may be an answer itself. */
#define ANSWER_EACH_MS	500u

static struct {
	struct spinlock lock;
	u64 second;		/* l  the one that is counted */
	u32 left;		/* l */
} challenge;

static bool challenge_allowed(u64 now)
{
	u64 second = now / NSEC_PER_SEC;
	bool allowed;

	spin_lock_bh(&challenge.lock);
	if (challenge.second != second) {
		challenge.second = second;
		challenge.left = CHALLENGE_LIMIT / 2 +
				 get_random_below(CHALLENGE_LIMIT);
	}
	allowed = challenge.left;
	challenge.left -= allowed;
	spin_unlock_bh(&challenge.lock);
	return allowed;
}

bool tcp_may_answer(struct tcp_sock *tp, const struct tcp_segment *seg,
		    u64 now)
{
	struct tcp_ext *e;
	u32 ms = tcp_ms(now) | 1;

	/* Data or a FIN is no answer, so two of these do not make a loop. */
	if (seg->seq != seg->end_seq && !(seg->flags & TCP_SYN))
		return true;
	e = tcp_ext_get(tp);
	if (!e)
		return true;
	if (e->answered_at && ms - e->answered_at < ANSWER_EACH_MS)
		return false;
	e->answered_at = ms;
	return true;
}

void tcp_send_challenge_ack(struct tcp_sock *tp,
			    const struct tcp_segment *seg, u64 now)
{
	if (!tcp_may_answer(tp, seg, now)) {
		SNMP_INC(TcpExt_TCPACKSkippedChallenge);
		return;
	}
	if (!challenge_allowed(now))
		return;
	SNMP_INC(TcpExt_TCPChallengeACK);
	tcp_send_ack(tp, now);
}

/* RFC 9293 section 3.10.7.4: SND.WND, SND.WL1, SND.WL2. True if it changed. */
static __inline_hot bool update_window(struct tcp_sock *tp,
				       const struct tcp_segment *seg)
{
	u32 wnd = (u32)seg->wnd << tp->snd_wscale;

	/*
	 * A segment sent again has an old number, but what it acknowledges
	 * moves the window's left edge: the right one must come with it.
	 */
	if (!seq_after(seg->ack, tp->snd_una) &&
	    (seq_before(seg->seq, tp->snd_wl1) ||
	     (seg->seq == tp->snd_wl1 && seq_before(seg->ack, tp->snd_wl2))))
		return false;
	tp->snd_wl1 = seg->seq;
	tp->snd_wl2 = seg->ack;
	if (tp->snd_wnd == wnd)
		return false;
	tp->snd_wnd = wnd;
	if (wnd > tp->max_window) {
		tp->max_window = wnd;
		tcp_sync_mss(tp);
	}
	return true;
}

/* The counts of a segment that leaves the queue. */
static void uncount(struct tcp_sock *tp, const struct tcp_tx *tx)
{
	tp->packets_out -= tx->segs;
	if (tx->tags & TCP_TAG_SACKED)
		tp->sacked_out -= tx->segs;
	if (tx->tags & TCP_TAG_LOST)
		tp->lost_out -= tx->segs;
	if (tx->tags & TCP_TAG_RETRANS)
		tp->retrans_out -= tx->segs;
}

/*
 * Frees what @ack covers. *@rtt_us: time since the last covered segment was
 * sent, if it was sent only once (Karn), else 0.
 */
static void clean_rtx_queue(struct tcp_sock *tp, u32 ack, u64 now,
			    struct tcp_ack_news *news, u32 *rtt_us)
{
	struct sk_buff *skb;

	while ((skb = tcp_rtx_head(tp))) {
		struct tcp_tx *tx = tcp_tx(skb);

		if (seq_after(tx->end_seq, ack))
			break;
		if (unlikely(tp->sacked_out | tp->lost_out) &&
		    !(tx->tags & TCP_TAG_SACKED))
			tcp_rack_delivered(tp, skb, news, now);
		uncount(tp, tx);
		if (!(tx->tags & TCP_TAG_SACKED))
			news->acked += tx->segs;
		*rtt_us = tx->retrans ? 0 : (u32)max(
			(now - min(now, skb->tstamp)) / NSEC_PER_USEC, 1ull);
		list_del(&skb->tx_link);
		tcp_free_tx(tp, skb);
	}
	/* A large buffer is acknowledged segment by segment. */
	if (skb && seq_before(tcp_tx(skb)->seq, ack)) {
		struct tcp_tx *tx = tcp_tx(skb);
		u16 segs = tx->segs;

		tcp_trim_acked(tp, skb);
		if (!(tx->tags & TCP_TAG_SACKED) && segs > tx->segs)
			news->acked += (u32)segs - tx->segs;
	}
}

/* RFC 7323 section 4: the echo tells when the segment went out. */
static u32 rtt_by_timestamp(const struct tcp_sock *tp,
			    const struct tcp_segment *seg, u64 now)
{
	u32 ms;

	if (!(seg->opts & TCP_OPT_TS) || !seg->tsecr)
		return 0;
	ms = tcp_ms(now) + tp->ts_off - seg->tsecr;
	/* Ours is never that old; a peer may echo anything. */
	return ms < 600000 ? max(ms * 1000, 1u) : 0;
}

/* Nothing was out: the ACK can only open or close the window. */
static void ack_probe(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = tp->send_head;

	if (!skb || !(tp->flags & TCP_F_WND_PROBE))
		return;
	if (seq_after(tcp_tx(skb)->end_seq, tp->snd_una + tp->snd_wnd)) {
		tcp_arm(&tp->sk, &tp->rto_at, now + tcp_rto_ns(tp));
		return;
	}
	tp->backoff = 0;
	tp->flags &= ~TCP_F_WND_PROBE;
	tp->rto_at = 0;
}

/* Sequence numbers that this ACK may carry (RFC 5961 section 5.2). */
static enum tcp_step check_ack(struct tcp_sock *tp, struct sk_buff *skb,
			       u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (seq_after(seg->ack, tp->snd_nxt)) {
		tcp_send_challenge_ack(tp, seg, now);
		kfree_skb_reason(skb, DROP_TCP_TOO_NEW_ACK);
		return TCP_DONE;
	}
	if (seq_before(seg->ack, tp->snd_una - tp->max_window)) {
		tcp_send_challenge_ack(tp, seg, now);
		kfree_skb_reason(skb, DROP_TCP_OLD_ACK);
		return TCP_DONE;
	}
	return TCP_CONTINUE;
}

static void ack_advanced(struct tcp_sock *tp, const struct tcp_segment *seg,
			 struct tcp_ack_news *news, u64 now)
{
	u32 rtt_us = 0;

	tp->n.bytes_acked += seg->ack - tp->snd_una;
	tp->snd_una = seg->ack;
	news->advanced = true;
	clean_rtx_queue(tp, seg->ack, now, news, &rtt_us);
	if (!rtt_us)
		rtt_us = rtt_by_timestamp(tp, seg, now);
	if (rtt_us)
		tcp_rtt_sample(tp, rtt_us);
	news->rtt_us = rtt_us;
	tp->backoff = 0;
	tp->retransmits = 0;
	if (unlikely(tp->flags & TCP_F_MTU_PROBE))
		tcp_mtu_acked(tp, now);
	if (tp->packets_out || tp->flags & TCP_F_FIN_WANTED)
		tcp_rearm_rto(&tp->sk, now);
	else
		tp->rto_at = 0;
}

static noinline enum tcp_step ack_general(struct tcp_sock *tp,
					  struct sk_buff *skb, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_ack_news news = { .seg = seg };
	u32 was_out = tp->packets_out;
	bool window;

	if (check_ack(tp, skb, now) == TCP_DONE)
		return TCP_DONE;
	if (tp->flags & TCP_F_REO)
		news.reo_at = tp->rto_at;
	tp->probes_out = 0;
	if (seq_before(seg->ack, tp->snd_una)) {
		if (seg->nr_sacks && was_out)
			tcp_sack_in_blocks(tp, skb, &news, now);
		return TCP_CONTINUE;
	}
	window = update_window(tp, seg);
	if (seg->ack != tp->snd_una)
		ack_advanced(tp, seg, &news, now);
	if (!was_out) {
		ack_probe(tp, now);
		if (unlikely(seg->nr_sacks)) {
			tcp_sack_in_blocks(tp, skb, &news, now);
			tcp_recovery_news(tp, &news);
		}
		return TCP_CONTINUE;
	}
	if (seg->nr_sacks)
		tcp_sack_in_blocks(tp, skb, &news, now);
	if (likely(news.acked && tcp_nothing_amiss(tp))) {
		tcp_cong_acked(tp, news.acked, news.rtt_us, now);
		return TCP_CONTINUE;
	}
	news.dup = !news.advanced && !window && seg->seq == seg->end_seq;
	tcp_recovery_ack(tp, &news, now);
	return TCP_CONTINUE;
}

/*
 * An ACK of all that is out, if that is one buffer that was sent once and
 * nothing is amiss: what dialogues consist of.
 */
static noinline enum tcp_step ack_of_all(struct tcp_sock *tp,
					 struct sk_buff *ack, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(ack);
	struct sk_buff *skb = list_first_entry(&tp->write_queue,
					       struct sk_buff, tx_link);
	const struct tcp_tx *tx = tcp_tx(skb);
	u32 segs = tx->segs, rtt_us;

	if (unlikely(tp->packets_out != segs || tx->tags || tx->retrans ||
		     tp->ca_state != TCP_CA_OPEN || tp->dupacks ||
		     tp->flags & (TCP_F_UNDO | TCP_F_TLP_OUT |
				  TCP_F_MTU_PROBE | TCP_F_FIN_WANTED)))
		return ack_general(tp, ack, now);
	tp->probes_out = 0;
	update_window(tp, seg);
	tp->n.bytes_acked += seg->ack - tp->snd_una;
	tp->snd_una = seg->ack;
	tp->packets_out = 0;
	tp->backoff = 0;
	tp->retransmits = 0;
	tp->rto_at = 0;
	rtt_us = (u32)max((now - min(now, skb->tstamp)) / NSEC_PER_USEC, 1ull);
	list_del(&skb->tx_link);
	tcp_free_tx(tp, skb);
	tcp_rtt_sample(tp, rtt_us);
	tcp_cong_acked(tp, segs, rtt_us, now);
	return TCP_CONTINUE;
}

/* All is acknowledged and the queue empty: a child's SYN is not in it. */
static inline void ack_of_syn(struct tcp_sock *tp,
			      const struct tcp_segment *seg, u64 now)
{
	u32 rtt_us = rtt_by_timestamp(tp, seg, now);

	tp->n.bytes_acked += seg->ack - tp->snd_una;
	tp->snd_una = seg->ack;
	if (rtt_us)
		tcp_rtt_sample(tp, rtt_us);
	tp->backoff = 0;
	tp->retransmits = 0;
	tp->rto_at = 0;
}

enum tcp_step tcp_ack(struct tcp_sock *tp, struct sk_buff *skb, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (unlikely(seg->ack != tp->snd_nxt || seg->nr_sacks))
		return ack_general(tp, skb, now);
	if (tp->packets_out)
		return ack_of_all(tp, skb, now);
	if (tp->send_head || tp->flags & (TCP_F_MTU_PROBE | TCP_F_FIN_WANTED))
		return ack_general(tp, skb, now);
	tp->probes_out = 0;
	update_window(tp, seg);
	if (seg->ack != tp->snd_una)
		ack_of_syn(tp, seg, now);
	return TCP_CONTINUE;
}
