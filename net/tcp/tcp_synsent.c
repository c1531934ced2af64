/*
 * SYN-SENT: what an active open makes of the answer (RFC 9293 section
 * 3.10.7.3), simultaneous open included. sk lock.
 */
#include "net/tcp/tcp_input.h"

#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_recovery.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_timer.h"

#define QUICK_ACKS	16	/* while the peer is in slow start */
#define MSS_DEFAULT	536u	/* RFC 9293 section 3.7.1 */

void tcp_init_transfer(struct tcp_sock *tp, u64 now)
{
	bool syn_lost = tp->retransmits;

	tcp_sync_mss(tp);
	tcp_cong_init(tp);
	if (tp->opts & TCP_OPT_ECN)
		tcp_ecn_init(tp);
	/* RFC 6298 section 5.7, RFC 5681 section 3.1. */
	if (syn_lost)
		tp->cwnd = 1;
	if (syn_lost && !tp->srtt)
		tp->rto = TCP_RTO_AFTER_SYN;
	tp->retransmits = 0;
	tp->backoff = 0;
	tp->quick = QUICK_ACKS;
	tp->rcv_mss = (u16)min((u32)tp->mss_cache, MSS_DEFAULT);
	tp->rcv_at = tcp_ms(now);
	tp->sent_at = tcp_ms(now);
	tcp_keepalive_start(&tp->sk, now);
}

/* What the peer's SYN says; options count only if both offer them. */
static void take_syn(struct tcp_sock *tp, const struct tcp_segment *seg,
		     u64 now)
{
	tp->irs = seg->seq;
	WRITE_ONCE(tp->rcv_nxt, seg->seq + 1);
	WRITE_ONCE(tp->copied_seq, seg->seq + 1);
	tp->rcv_wup = seg->seq + 1;
	if ((seg->flags & (TCP_ECN_ASK | TCP_ACK)) != (TCP_ECE | TCP_ACK))
		tp->opts &= (u8)~TCP_OPT_ECN;
	tp->opts &= seg->opts | TCP_OPT_ECN;
	tp->mss_clamp = seg->opts & TCP_OPT_MSS ? seg->mss : MSS_DEFAULT;
	if (tp->opts & TCP_OPT_WSCALE) {
		tp->snd_wscale = seg->wscale;
	} else {
		tp->snd_wscale = 0;
		tp->rcv_wscale = 0;
	}
	if (tp->opts & TCP_OPT_TS) {
		tp->ts_recent = seg->tsval;
		tp->ts_recent_at = tcp_ms(now);
	}
	tp->snd_wnd = seg->wnd;
	tp->max_window = seg->wnd;
	tp->snd_wl1 = seg->seq;
	tp->snd_wl2 = seg->ack;
}

/* First: an ACK must be of our SYN. */
static enum tcp_step check_ack(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_tuple tuple;

	if (!(seg->flags & TCP_ACK) ||
	    (seq_after(seg->ack, tp->iss) &&
	     !seq_after(seg->ack, tp->snd_nxt)))
		return TCP_CONTINUE;
	tcp_sock_tuple(sk, &tuple);
	tcp_send_reset(&tuple, skb);
	kfree_skb_reason(skb, seq_after(seg->ack, tp->snd_nxt)
			 ? DROP_TCP_TOO_NEW_ACK : DROP_TCP_OLD_ACK);
	return TCP_DONE;
}

/* Second: a RST counts only with an ACK of our SYN. */
static enum tcp_step check_rst(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (!(seg->flags & TCP_RST))
		return TCP_CONTINUE;
	if (!(seg->flags & TCP_ACK)) {
		kfree_skb_reason(skb, DROP_TCP_INVALID_RST);
		return TCP_DONE;
	}
	kfree_skb(skb);
	tcp_reset(sk);
	return TCP_DONE;
}

/* Our SYN is acknowledged: it leaves the queue, and gives a round trip. */
static void syn_acked(struct tcp_sock *tp, u32 ack, u64 now)
{
	struct sk_buff *skb = tcp_rtx_head(tp);

	/* Data in it that the peer did not take goes again. */
	if (ack != tp->snd_nxt)
		tcp_fastopen_fall_back(tp);

	if (!tp->retransmits)
		tcp_rtt_sample(tp, (u32)max((now - min(now, skb->tstamp)) /
					    NSEC_PER_USEC, 1ull));
	list_del(&skb->tx_link);
	tcp_free_tx(tp, skb);
	tp->snd_una = tp->snd_nxt;
	tp->packets_out = 0;
	tp->lost_out = 0;
	tp->retrans_out = 0;
	tp->rto_at = 0;
}

static void finish_connect(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->flags & TCP_F_FO_ASK)
		tcp_fastopen_answer(tp, skb);
	syn_acked(tp, seg->ack, now);
	tcp_set_state(sk, TCP_ESTABLISHED);
	tcp_init_transfer(tp, now);
	tp->recover = tp->iss;
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
	tp->ack_state |= TCP_ACK_SCHED | TCP_ACK_NOW;
	/* Sixth and on: data that came with the SYN. */
	seg->flags &= (u8)~TCP_SYN;
	seg->seq++;
	tcp_data_queue(sk, skb, now);
	if (sk->sk_state == TCP_CLOSE)
		return;
	tcp_data_snd_check(tp, now);
	tcp_ack_snd_check(tp, now);
}

/* The SYN crossed ours: it goes out once more, now with an ACK. */
static void simultaneous_open(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *syn = tcp_rtx_head(tp);

	kfree_skb(skb);
	tcp_set_state(sk, TCP_SYN_RECV);
	tcp_transmit_skb(tp, syn, now);
}

void tcp_rcv_synsent(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_segment *seg = tcp_seg(skb);

	if (check_ack(sk, skb) == TCP_DONE || check_rst(sk, skb) == TCP_DONE)
		return;
	if (!(seg->flags & TCP_SYN)) {
		kfree_skb_reason(skb, DROP_TCP_FLAGS);
		return;
	}
	take_syn(tcp_sk(sk), seg, now);
	if (seg->flags & TCP_ACK)
		finish_connect(sk, skb, now);
	else
		simultaneous_open(sk, skb, now);
}
