/*
 * Loss recovery. Each sent buffer carries tags (SACKED, LOST, RETRANS) and
 * the sock keeps their sums in segments; in flight is what was sent, less
 * what arrived or is lost, plus what was sent again. Without SACK, duplicate
 * ACKs stand for segments that arrived, as RFC 6582 does it.
 */
#include "net/tcp/tcp_recovery.h"

#include "kernel/errno.h"
#include "kernel/trace.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_mtu.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_pages.h"
#include "net/tcp/tcp_rack.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_undo.h"

#define DUPTHRESH	3u	/* RFC 5681 section 3.2, RFC 6675 */
/* Beyond twice what may be queued, and this, nothing is cut any more. */
#define QUEUE_EXTRA	(128 << 10)

struct sk_buff *tcp_rtx_head(const struct tcp_sock *tp)
{
	struct sk_buff *skb;

	if (list_empty(&tp->write_queue))
		return NULL;
	skb = list_first_entry(&tp->write_queue, struct sk_buff, tx_link);
	return skb == tp->send_head ? NULL : skb;
}

struct sk_buff *tcp_rtx_next(const struct tcp_sock *tp, struct sk_buff *skb)
{
	struct list_head *next = skb->tx_link.next;

	if (next == &tp->write_queue)
		return NULL;
	skb = list_entry(next, struct sk_buff, tx_link);
	return skb == tp->send_head ? NULL : skb;
}

/*
 * @skb or the first behind it that is not SACKED. Runs of those that are may
 * be long: the first one learns where its run ends.
 */
static struct sk_buff *skip_sacked(const struct tcp_sock *tp,
				   struct sk_buff *skb)
{
	struct tcp_tx *first = NULL;

	while (skb && tcp_tx(skb)->tags & TCP_TAG_SACKED) {
		struct tcp_tx *tx = tcp_tx(skb);

		first = first ? first : tx;
		first->run_end = tx->run_end;
		skb = tcp_rtx_next(tp, tx->run_end);
	}
	return skb;
}

struct sk_buff *tcp_rtx_first_open(const struct tcp_sock *tp)
{
	return skip_sacked(tp, tcp_rtx_head(tp));
}

struct sk_buff *tcp_rtx_next_open(const struct tcp_sock *tp,
				  struct sk_buff *skb)
{
	return skip_sacked(tp, tcp_rtx_next(tp, skb));
}

/* Counts @tx's segments in, or with @sign -1 out of, the sums. */
static void count_tags(struct tcp_sock *tp, const struct tcp_tx *tx, s32 sign)
{
	u32 n = (u32)(sign * (s32)tx->segs);

	tp->packets_out += n;
	if (tx->tags & TCP_TAG_SACKED)
		tp->sacked_out += n;
	if (tx->tags & TCP_TAG_LOST)
		tp->lost_out += n;
	if (tx->tags & TCP_TAG_RETRANS)
		tp->retrans_out += n;
}

/* Without SACK sacked_out is only counted: it must fit what is out. */
static void reno_fit(struct tcp_sock *tp)
{
	if (!tcp_sack_on(tp) && tp->sacked_out + tp->lost_out > tp->packets_out)
		tp->sacked_out = tp->packets_out -
				 min(tp->packets_out, tp->lost_out);
}

static u16 count_segs(const struct tcp_sock *tp, const struct tcp_tx *tx)
{
	return (u16)max(DIV_ROUND_UP(tcp_tx_len(tx), tp->mss_cache), 1u);
}

/* @tx has another length now, or the MSS has changed. */
static void recount(struct tcp_sock *tp, struct tcp_tx *tx)
{
	count_tags(tp, tx, -1);
	tx->segs = count_segs(tp, tx);
	count_tags(tp, tx, 1);
	reno_fit(tp);
}

int tcp_fragment_sent(struct tcp_sock *tp, struct sk_buff *skb, u32 len)
{
	struct tcp_tx *tx = tcp_tx(skb);
	struct tcp_tx old = *tx;

	/*
	 * Each part takes more than its bytes: a peer that reports small ones
	 * must not have us fill memory with them (CVE-2019-11478).
	 */
	if (tp->sk.sk_wmem_queued / 2 > tp->sk.sk_sndbuf + QUEUE_EXTRA &&
	    skb != tcp_rtx_head(tp)) {
		SNMP_INC(TcpExt_TCPWqueueTooBig);
		return -ENOMEM;
	}
	if (tcp_fragment(tp, skb, len))
		return -ENOMEM;
	count_tags(tp, &old, -1);
	tx->segs = count_segs(tp, tx);
	count_tags(tp, tx, 1);
	skb = list_next_entry(skb, tx_link);
	tx = tcp_tx(skb);
	if (old.tags & TCP_TAG_SACKED &&
	    seq_before(tcp_tx(old.run_end)->seq, tx->seq))
		tx->run_end = skb;
	tx->segs = count_segs(tp, tx);
	count_tags(tp, tx, 1);
	reno_fit(tp);
	return 0;
}

void tcp_tag_lost(struct tcp_sock *tp, struct tcp_tx *tx)
{
	if (tx->tags & (TCP_TAG_LOST | TCP_TAG_SACKED))
		return;
	tx->tags |= TCP_TAG_LOST;
	tp->lost_out += tx->segs;
	reno_fit(tp);
}

static void tag_sacked(struct tcp_sock *tp, struct sk_buff *skb,
		       struct tcp_ack_news *news, u64 now)
{
	struct tcp_tx *tx = tcp_tx(skb);

	tcp_rack_delivered(tp, skb, news, now);
	count_tags(tp, tx, -1);
	tx->tags = TCP_TAG_SACKED;
	tx->run_end = skb;
	count_tags(tp, tx, 1);
	news->sacked += tx->segs;
}

/*
 * Cuts @skb so that the block's edge falls between two buffers. Only at
 * segment boundaries: a peer that reports half segments gets no say.
 */
static bool cut_for_block(struct tcp_sock *tp, struct sk_buff *skb,
			  const struct tcp_sack_block *b)
{
	struct tcp_tx *tx = tcp_tx(skb);
	u32 mss = tp->mss_cache, at;

	if (tx->segs < 2 || tx->flags & TCP_SYN)
		return false;
	if (seq_before(tx->seq, b->start))
		at = DIV_ROUND_UP(b->start - tx->seq, mss) * mss;
	else
		at = (b->end - tx->seq) / mss * mss;
	return at && at < tcp_tx_len(tx) && !tcp_fragment_sent(tp, skb, at);
}

static void sack_block(struct tcp_sock *tp, const struct tcp_sack_block *b,
		       struct tcp_ack_news *news, u64 now)
{
	struct sk_buff *skb;

	for (skb = tcp_rtx_first_open(tp); skb;
	     skb = tcp_rtx_next_open(tp, skb)) {
		struct tcp_tx *tx = tcp_tx(skb);

		if (!seq_before(tx->seq, b->end))
			break;
		if (!seq_after(tx->end_seq, b->start))
			continue;
		if ((seq_before(tx->seq, b->start) ||
		     seq_after(tx->end_seq, b->end)) &&
		    !cut_for_block(tp, skb, b))
			continue;
		if (!seq_before(tx->seq, b->start) &&
		    !seq_after(tx->end_seq, b->end))
			tag_sacked(tp, skb, news, now);
	}
}

/* RFC 2883: @b came twice. */
static void dsack_in(struct tcp_sock *tp, const struct tcp_sack_block *b,
		     struct tcp_ack_news *news)
{
	SNMP_INC(TcpExt_TCPDSACKRecv);
	if (!news->dsack)
		tcp_rack_dsack(tp);
	news->dsack += min(DIV_ROUND_UP(b->end - b->start, tp->mss_cache),
			   TCP_CWND_MAX);
}

/* RFC 2883 section 4: the first block @a tells of what came twice. */
static bool is_dsack(const struct sk_buff *skb, const struct tcp_sack_block *a)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_sack_block b;

	if (!seq_after(a->end, seg->ack))
		return true;
	if (seg->nr_sacks < 2)
		return false;
	b = tcp_sack_in(skb->data, seg, 1);
	return !seq_before(a->start, b.start) && !seq_after(a->end, b.end);
}

void tcp_sack_in_blocks(struct tcp_sock *tp, const struct sk_buff *skb,
			struct tcp_ack_news *news, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (!tcp_sack_on(tp))
		return;
	/* What RACK knows is of another day if nothing was amiss just now. */
	if (!tp->sacked_out && !tp->lost_out)
		tp->flags &= ~TCP_F_RACK;
	for (unsigned int i = 0; i < seg->nr_sacks; i++) {
		struct tcp_sack_block b = tcp_sack_in(skb->data, seg, i);

		if (!seq_before(b.start, b.end) ||
		    seq_after(b.end, tp->snd_nxt)) {
			SNMP_INC(TcpExt_TCPSACKDiscard);
		} else if (!i && is_dsack(skb, &b)) {
			dsack_in(tp, &b, news);
		} else if (seq_after(b.end, tp->snd_una)) {
			sack_block(tp, &b, news, now);
		}
	}
}

/* The segment at snd_una, and only that, is lost. */
static void mark_head_lost(struct tcp_sock *tp)
{
	struct sk_buff *skb = tcp_rtx_head(tp);
	struct tcp_tx *tx = tcp_tx(skb);

	if (tx->tags & (TCP_TAG_LOST | TCP_TAG_SACKED))
		return;
	/* By length: it may have been counted when the MSS was smaller. */
	if (tcp_tx_len(tx) > tp->mss_cache && !(tx->flags & TCP_SYN) &&
	    tcp_fragment_sent(tp, skb, tp->mss_cache))
		return;
	tcp_tag_lost(tp, tx);
}

void tcp_trim_acked(struct tcp_sock *tp, struct sk_buff *skb)
{
	struct tcp_tx *tx = tcp_tx(skb);
	u32 n = tp->snd_una - tx->seq;

	if ((s32)n <= 0 || tx->flags & TCP_SYN)
		return;
	/* Pages that the device still reads stay; the peer has seen them. */
	if (skb->frag_list && skb_shared(skb))
		return;
	tx->seq += n;
	if (skb->frag_list)
		tcp_tx_consume(skb, n);
	else
		tx->data_off = (u16)(tx->data_off + n);
	recount(tp, tx);
}

int tcp_retransmit_skb(struct tcp_sock *tp, struct sk_buff *skb, bool one,
		       u64 now)
{
	struct tcp_tx *tx = tcp_tx(skb);
	u32 in_flight = tcp_in_flight(tp);
	u32 may = one || in_flight >= tp->cwnd ? 1 : tp->cwnd - in_flight;
	int err;

	/* By length: the MSS may be smaller now than when it was counted. */
	if (tcp_tx_len(tx) > may * tp->mss_cache) {
		if (tcp_fragment_sent(tp, skb, may * tp->mss_cache))
			return -ENOMEM;
	} else if (tcp_tx_len(tx) > (u32)tx->segs * tp->mss_cache) {
		recount(tp, tx);
	}
	/* Whose arrival is told then? */
	tp->flags &= ~TCP_F_MTU_PROBE;
	trace(TRACE_TCP_RETRANSMIT, tp, (u64)tx->seq << 32 | tcp_tx_len(tx));
	err = tcp_transmit_skb(tp, skb, now);
	SNMP_ADD(Tcp_RetransSegs, tx->segs);
	tp->total_retrans += tx->segs;
	tp->n.data_segs_out += tx->segs;
	tp->n.bytes_retrans += tcp_tx_len(tx);
	tx->retrans += tx->retrans < 255;
	if (!(tx->tags & TCP_TAG_RETRANS)) {
		tx->tags |= TCP_TAG_RETRANS;
		tp->retrans_out += tx->segs;
	}
	if (tp->ca_state == TCP_CA_RECOVERY)
		tp->prr_out += tx->segs;
	if (tp->flags & TCP_F_UNDO) {
		if (!tp->undo_retrans)
			tp->undo_stamp = tcp_ms(now);
		tp->undo_retrans = (u16)min(tp->undo_retrans + tx->segs,
					    UINT16_MAX);
	}
	return err;
}

void tcp_xmit_retransmit_queue(struct tcp_sock *tp, u64 now)
{
	u32 edge = tp->snd_una + tp->snd_wnd;
	u32 left = tp->lost_out;
	struct sk_buff *skb;

	for (skb = tcp_rtx_first_open(tp); skb && left;
	     skb = tcp_rtx_next_open(tp, skb)) {
		struct tcp_tx *tx = tcp_tx(skb);

		if (tcp_in_flight(tp) >= tp->cwnd)
			break;
		if (!(tx->tags & TCP_TAG_LOST))
			continue;
		left -= tx->segs;
		if (tx->tags & TCP_TAG_RETRANS)
			continue;
		/* The window may have shrunk; the first may always go. */
		if (seq_after(tx->end_seq, edge) && tx->seq != tp->snd_una)
			break;
		if (tcp_retransmit_skb(tp, skb, false, now))
			break;
		if (tp->ca_state == TCP_CA_LOSS)
			SNMP_ADD(TcpExt_TCPSlowStartRetrans, tx->segs);
		else
			SNMP_ADD(TcpExt_TCPFastRetrans, tx->segs);
		if (skb == tcp_rtx_head(tp))
			tcp_rearm_rto(&tp->sk, now);
	}
}

/* What the window shrinks to now that a loss was found. */
static u32 new_ssthresh(struct tcp_sock *tp, u64 now)
{
	if (unlikely(tp->flags & TCP_F_MTU_PROBE) && tcp_mtu_lost(tp, now))
		return tp->cwnd;
	return tp->ca->ssthresh(tp, tp->packets_out);
}

static void enter_recovery(struct tcp_sock *tp, u64 now)
{
	tcp_undo_note(tp);
	tp->ssthresh = new_ssthresh(tp, now);
	tp->recover = tp->snd_nxt;
	tp->prr_delivered = 0;
	tp->prr_out = 0;
	tp->prr_flight = max(tp->packets_out - tp->sacked_out, 1u);
	tp->cwnd_cnt = 0;
	tp->ca_state = TCP_CA_RECOVERY;
	if (tcp_sack_on(tp))
		SNMP_INC(TcpExt_TCPSackRecovery);
	else
		SNMP_INC(TcpExt_TCPRenoRecovery);
}

/*
 * RFC 6937: proportional rate reduction; below ssthresh the slow-start
 * reduction bound.
 */
static void prr_update(struct tcp_sock *tp, u32 delivered)
{
	u32 pipe = tcp_in_flight(tp);
	u32 target, sndcnt;

	tp->prr_delivered += delivered;
	if (pipe > tp->ssthresh) {
		target = (u32)DIV_ROUND_UP((u64)tp->prr_delivered *
					   tp->ssthresh, tp->prr_flight);
		sndcnt = target > tp->prr_out ? target - tp->prr_out : 0;
	} else {
		sndcnt = tp->prr_delivered > tp->prr_out
			 ? tp->prr_delivered - tp->prr_out : 0;
		sndcnt = max(sndcnt, delivered) + 1;
		sndcnt = min(tp->ssthresh - pipe, sndcnt);
	}
	/* The first retransmission goes at once. */
	if (!tp->prr_out)
		sndcnt = max(sndcnt, 1u);
	tp->cwnd = max(pipe + sndcnt, 1u);
}

static void leave_recovery(struct tcp_sock *tp)
{
	if (tp->ca_state == TCP_CA_RECOVERY) {
		tp->cwnd = max(tp->ssthresh, 2u);
		tcp_rack_recovered(tp);
	}
	tp->ca_state = TCP_CA_OPEN;
	tp->dupacks = 0;
	if (!tcp_sack_on(tp))
		tp->sacked_out = 0;
}

/* Without SACK each duplicate ACK says that one more segment arrived. */
static void reno_dupack(struct tcp_sock *tp)
{
	u32 most = tp->packets_out ? tp->packets_out - 1 : 0;

	tp->dupacks += tp->dupacks < 255;
	if (!tcp_sack_on(tp) && tp->sacked_out + tp->lost_out < most)
		tp->sacked_out++;
}

/*
 * Of @acked segments some had been counted by duplicate ACKs already. Outside
 * recovery none is counted any more: what they told of has come.
 */
static void reno_advance(struct tcp_sock *tp, u32 acked)
{
	if (tcp_sack_on(tp) || !tp->sacked_out)
		return;
	if (tp->ca_state == TCP_CA_OPEN)
		tp->sacked_out = 0;
	else if (acked > 1)
		tp->sacked_out -= min(tp->sacked_out, acked - 1);
	reno_fit(tp);
}

/* RFC 5681 section 3.2, RFC 6582 section 3.2 step 1, RFC 6675 section 5. */
static bool loss_found(const struct tcp_sock *tp)
{
	if (tcp_sack_on(tp))
		return tp->lost_out || (tp->sacked_out >= DUPTHRESH &&
					!(tp->flags & TCP_F_REORDER));
	return tp->dupacks >= DUPTHRESH &&
	       seq_after(tp->snd_una, tp->recover);
}

static void find_losses(struct tcp_sock *tp, const struct tcp_ack_news *news,
			u64 now)
{
	if (tcp_sack_on(tp)) {
		tcp_rack_detect(tp, news, now);
		/* Counting misleads where segments overtake each other. */
		if (tp->flags & TCP_F_REORDER)
			return;
	}
	/* A partial ACK: the next hole starts at snd_una (RFC 6582). */
	if (news->advanced || !tcp_sack_on(tp) || !tp->lost_out)
		mark_head_lost(tp);
}

/* Nothing is amiss after this ACK. */
static inline void open_ack(struct tcp_sock *tp,
			    const struct tcp_ack_news *news, bool was_open,
			    u64 now)
{
	u32 arrived = news->acked;

	/* Where segments overtake each other, SACK tells of most of them. */
	if (tp->flags & TCP_F_REORDER)
		arrived += news->sacked;
	if (arrived && was_open)
		tcp_cong_acked(tp, arrived, news->rtt_us, now);
	if (tp->packets_out > 1 && news->advanced)
		tcp_tlp_schedule(tp, now);
}

void tcp_recovery_ack(struct tcp_sock *tp, const struct tcp_ack_news *news,
		      u64 now)
{
	u32 delivered = news->acked + news->sacked;
	bool was_open = tp->ca_state == TCP_CA_OPEN;

	if (news->dup) {
		reno_dupack(tp);
		delivered += !tcp_sack_on(tp);
	} else if (news->advanced) {
		reno_advance(tp, news->acked);
		tp->dupacks = 0;
	}
	if (unlikely(tp->flags & (TCP_F_UNDO | TCP_F_TLP_OUT)))
		tcp_recovery_news(tp, news);
	if (unlikely(tp->flags & TCP_F_FRTO) && tcp_frto_ack(tp, news))
		return;
	if (tp->ca_state != TCP_CA_OPEN &&
	    !seq_before(tp->snd_una, tp->recover))
		leave_recovery(tp);
	if (tp->ca_state == TCP_CA_OPEN) {
		if (tp->sacked_out && tcp_sack_on(tp))
			tcp_rack_detect(tp, news, now);
		if (!tp->packets_out || !loss_found(tp)) {
			open_ack(tp, news, was_open, now);
			return;
		}
		enter_recovery(tp, now);
		if (!tp->lost_out)
			mark_head_lost(tp);
	}
	if (!tp->packets_out)
		return;
	if (tp->ca_state == TCP_CA_RECOVERY) {
		find_losses(tp, news, now);
		prr_update(tp, delivered);
	} else if (news->acked) {
		tp->ca->cong_avoid(tp, news->acked, news->rtt_us, now);
	}
	tcp_xmit_retransmit_queue(tp, now);
}

void tcp_recovery_timeout(struct tcp_sock *tp, u64 now)
{
	tcp_rack_detect(tp, NULL, now);
	if (tp->lost_out && tp->ca_state == TCP_CA_OPEN)
		enter_recovery(tp, now);
	if (tp->ca_state == TCP_CA_RECOVERY)
		prr_update(tp, 0);
	tcp_rearm_rto(&tp->sk, now);
	tcp_xmit_retransmit_queue(tp, now);
}

void tcp_enter_loss(struct tcp_sock *tp, u64 now)
{
	struct sk_buff *skb = tcp_rtx_head(tp);
	/* A receiver that dropped what it had reported (RFC 2018 sec. 8). */
	bool reneged = skb && tcp_tx(skb)->tags & TCP_TAG_SACKED;

	if (tp->ca_state == TCP_CA_OPEN)
		tp->flags |= TCP_F_FRTO;
	tcp_undo_note(tp);
	if (tp->ca_state != TCP_CA_LOSS || seq_after(tp->snd_una, tp->recover))
		tp->ssthresh = new_ssthresh(tp, now);
	tp->ca_state = TCP_CA_LOSS;
	tp->recover = tp->snd_nxt;
	tp->cwnd = 1;
	tp->cwnd_cnt = 0;
	tp->dupacks = 0;
	tp->lost_out = 0;
	tp->retrans_out = 0;
	tp->sacked_out = 0;
	for (; skb; skb = tcp_rtx_next(tp, skb)) {
		struct tcp_tx *tx = tcp_tx(skb);

		tx->tags &= reneged ? 0 : TCP_TAG_SACKED;
		if (tx->tags)
			tp->sacked_out += tx->segs;
		else
			tcp_tag_lost(tp, tx);
	}
}
