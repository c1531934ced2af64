/*
 * The general receive path: RFC 9293 section 3.10.7.4, one function per step,
 * for the synchronised states; SYN-SENT is tcp_synsent.c, LISTEN is
 * tcp_listen.c. Softirq or task (backlog), with the sk lock.
 */
#include "net/tcp/tcp_input.h"

#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_urg.h"

/* A timestamp older than this says nothing (RFC 7323 section 5.5), ms. */
#define PAWS_IDLE_MS	(24u * 86400u * 1000u)

#define STATE(s)	(1u << TCP_##s)

static bool in_state(const struct sock *sk, u32 states)
{
	return 1u << sk->sk_state & states;
}

static u32 window_end(const struct tcp_sock *tp)
{
	return tp->rcv_wup + tp->rcv_wnd;
}

/* RFC 7323 section 5.3 R1. A segment without timestamp passes, as on Linux. */
static bool paws_reject(const struct tcp_sock *tp,
			const struct tcp_segment *seg, u64 now)
{
	return tp->opts & TCP_OPT_TS && seg->opts & TCP_OPT_TS &&
	       seq_before(seg->tsval, tp->ts_recent) &&
	       tcp_ms(now) - tp->ts_recent_at < PAWS_IDLE_MS;
}

/* The peer has not heard our last ACK: say again where we are. */
static void answer_stray(struct tcp_sock *tp, const struct tcp_segment *seg,
			 u64 now)
{
	if (!tcp_may_answer(tp, seg, now)) {
		SNMP_INC(TcpExt_TCPACKSkippedSeq);
		return;
	}
	if (seg->seq != seg->end_seq && seq_before(seg->seq, tp->rcv_nxt)) {
		SNMP_INC(TcpExt_DelayedACKLost);
		tcp_ofo_dsack(tp, seg->seq,
			      seq_min(seg->end_seq, tp->rcv_nxt));
	}
	tcp_send_ack(tp, now);
}

/*
 * First: is the sequence number acceptable? A segment just at the right edge
 * of the window is let through for its ACK, even when the window is closed.
 */
static enum tcp_step check_seq(struct tcp_sock *tp, struct sk_buff *skb,
			       u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);

	if (paws_reject(tp, seg, now) && !(seg->flags & TCP_RST)) {
		SNMP_INC(TcpExt_PAWSEstab);
		answer_stray(tp, seg, now);
		kfree_skb_reason(skb, DROP_TCP_PAWS);
		return TCP_DONE;
	}
	if (seq_before(seg->end_seq, tp->rcv_wup) ||
	    seq_after(seg->seq, seq_max(window_end(tp), tp->rcv_nxt))) {
		bool old = seq_before(seg->end_seq, tp->rcv_wup);

		if (!(seg->flags & TCP_RST))
			answer_stray(tp, seg, now);
		kfree_skb_reason(skb, old ? DROP_TCP_OLD_DATA
					  : DROP_TCP_OUT_OF_WINDOW);
		return TCP_DONE;
	}
	/* RFC 7323 section 4.3 (3). */
	if (seg->opts & TCP_OPT_TS && !seq_after(seg->seq, tp->rcv_wup) &&
	    !seq_before(seg->tsval, tp->ts_recent)) {
		tp->ts_recent = seg->tsval;
		tp->ts_recent_at = tcp_ms(now);
	}
	return TCP_CONTINUE;
}

void tcp_reset(struct sock *sk)
{
	int err = ECONNRESET;

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (sk->sk_state == TCP_SYN_SENT)
		err = ECONNREFUSED;
	else if (sk->sk_state == TCP_CLOSE_WAIT)
		err = EPIPE;
	if (in_state(sk, STATE(ESTABLISHED) | STATE(CLOSE_WAIT)))
		SNMP_INC(Tcp_EstabResets);
	else if (in_state(sk, STATE(SYN_SENT) | STATE(SYN_RECV)))
		SNMP_INC(Tcp_AttemptFails);
	tcp_fail(sk, err);
}

/* Second: RST, only with exactly the right number (RFC 5961 section 3.2). */
static enum tcp_step check_rst(struct sock *sk, struct sk_buff *skb, u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(seg->flags & TCP_RST))
		return TCP_CONTINUE;
	if (seg->seq == tp->rcv_nxt) {
		kfree_skb(skb);
		tcp_reset(sk);
		return TCP_DONE;
	}
	tcp_send_challenge_ack(tp, seg, now);
	kfree_skb_reason(skb, DROP_TCP_INVALID_RST);
	return TCP_DONE;
}

/*
 * Fourth: SYN (RFC 5961 section 4.2): never believed, always challenged. The
 * one exception is the SYN-ACK that crosses ours in a simultaneous open.
 */
static enum tcp_step check_syn(struct tcp_sock *tp, struct sk_buff *skb,
			       u64 now)
{
	struct tcp_segment *seg = tcp_seg(skb);

	if (!(seg->flags & TCP_SYN))
		return TCP_CONTINUE;
	if (tp->sk.sk_state == TCP_SYN_RECV && seg->flags & TCP_ACK &&
	    seg->seq == tp->irs && seg->ack == tp->snd_nxt) {
		seg->flags &= (u8)~TCP_SYN;
		seg->seq++;
		/* A SYN's window is not scaled (RFC 7323 section 2.2). */
		seg->wnd >>= tp->snd_wscale;
		return TCP_CONTINUE;
	}
	SNMP_INC(TcpExt_TCPSYNChallenge);
	tcp_send_challenge_ack(tp, seg, now);
	kfree_skb_reason(skb, DROP_TCP_INVALID_SYN);
	return TCP_DONE;
}

/* An ACK of what was never sent, in SYN-RECEIVED. */
static noinline void refuse_ack(const struct sock *sk, struct sk_buff *skb)
{
	struct tcp_tuple tuple;

	tcp_sock_tuple(sk, &tuple);
	tcp_send_reset(&tuple, skb);
	kfree_skb_reason(skb, DROP_TCP_TOO_NEW_ACK);
}

/* Fifth, in SYN-RECEIVED: the ACK of our SYN opens the connection. */
static enum tcp_step ack_syn_recv(struct sock *sk, struct sk_buff *skb,
				  u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state != TCP_SYN_RECV)
		return TCP_CONTINUE;
	if (!seq_after(seg->ack, tp->iss) || seq_after(seg->ack, tp->snd_nxt)) {
		refuse_ack(sk, skb);
		return TCP_DONE;
	}
	tp->snd_wnd = (u32)seg->wnd << tp->snd_wscale;
	tp->max_window = tp->snd_wnd;
	tcp_set_state(sk, TCP_ESTABLISHED);
	if (tp->flags & TCP_F_FO_CHILD)
		tcp_fastopen_done(tp);
	else
		tcp_init_transfer(tp, now);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
	return TCP_CONTINUE;
}

/* Our FIN is acknowledged and nobody has the connection open any more. */
static void orphan_fin_wait2(struct sock *sk, const struct tcp_segment *seg,
			     u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 timeout = tp->linger2 > 0 ? (u64)tp->linger2 * NSEC_PER_SEC
				      : TCP_TIMEWAIT_NS;

	if (tp->linger2 < 0) {
		tcp_done(sk);
		return;
	}
	/* What the segment brings besides still needs the whole block. */
	if (timeout > TCP_TIMEWAIT_NS || seg->flags & TCP_FIN ||
	    seg->seq != seg->end_seq)
		tcp_arm(sk, &tp->keep_at, now + timeout);
	else
		tcp_time_wait(sk, TCP_MINI_FIN_WAIT2, timeout, now);
}

/* Fifth, in the closing states: is our FIN acknowledged now? */
static void ack_closing(struct sock *sk, const struct tcp_segment *seg,
			u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->snd_una != tp->write_seq || tp->flags & TCP_F_FIN_WANTED)
		return;
	if (sk->sk_state == TCP_FIN_WAIT1) {
		tcp_set_state(sk, TCP_FIN_WAIT2);
		if (!sock_flag(sk, SOCK_DEAD))
			sk->sk_state_change(sk);
		else
			orphan_fin_wait2(sk, seg, now);
	} else if (sk->sk_state == TCP_CLOSING) {
		tcp_time_wait(sk, TCP_MINI_TIME_WAIT, TCP_TIMEWAIT_NS, now);
	} else if (sk->sk_state == TCP_LAST_ACK) {
		tcp_done(sk);
	}
}

/* Fifth: the ACK field. */
static enum tcp_step check_ack(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(tcp_seg(skb)->flags & TCP_ACK)) {
		kfree_skb_reason(skb, DROP_TCP_NO_ACK);
		return TCP_DONE;
	}
	if (ack_syn_recv(sk, skb, now) == TCP_DONE ||
	    tcp_ack(tp, skb, now) == TCP_DONE)
		return TCP_DONE;
	ack_closing(sk, tcp_seg(skb), now);
	if (sk->sk_state == TCP_CLOSE) {
		kfree_skb(skb);
		return TCP_DONE;
	}
	return TCP_CONTINUE;
}

/*
 * Seventh, before it: data for a receiver that has closed is answered with a
 * reset, so that the sender learns (RFC 9293 section 3.6.1, RFC 2525 2.17).
 */
static enum tcp_step check_closed(struct sock *sk, struct sk_buff *skb,
				  u64 now)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 data_end = seg->end_seq - !!(seg->flags & TCP_FIN);

	if (!(sk->sk_shutdown & RCV_SHUTDOWN) ||
	    !in_state(sk, STATE(FIN_WAIT1) | STATE(FIN_WAIT2)) ||
	    seg->seq == seg->end_seq || !seq_after(data_end, tp->rcv_nxt))
		return TCP_CONTINUE;
	SNMP_INC(TcpExt_TCPAbortOnData);
	tcp_send_active_reset(tp, now);
	kfree_skb_reason(skb, DROP_TCP_CLOSED);
	tcp_reset(sk);
	return TCP_DONE;
}

/* Seventh and eighth: payload and FIN, where the state still takes them. */
static void take_text(struct sock *sk, struct sk_buff *skb, u64 now)
{
	if (in_state(sk, STATE(ESTABLISHED) | STATE(FIN_WAIT1) |
			 STATE(FIN_WAIT2))) {
		tcp_data_queue(sk, skb, now);
		return;
	}
	if (tcp_seg(skb)->seq == tcp_seg(skb)->end_seq) {
		kfree_skb(skb);
		return;
	}
	/*
	 * The peer's FIN came before, so this is nothing new: it has not seen
	 * our ACK of it (RFC 9293 section 3.10.7.4, first check).
	 */
	tcp_sk(sk)->ack_state |= TCP_ACK_SCHED | TCP_ACK_NOW;
	kfree_skb_reason(skb, DROP_TCP_OLD_DATA);
}

void tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 len = tcp_seg_len(tcp_seg(skb));

	if (sk->sk_state == TCP_CLOSE) {
		kfree_skb_reason(skb, DROP_TCP_STATE);
		return;
	}
	if (len)
		tp->n.data_segs_in++;
	else
		SNMP_INC(TcpExt_TCPPureAcks);
	if (sk->sk_state == TCP_SYN_SENT) {
		tcp_rcv_synsent(sk, skb, now);
		return;
	}
	if (check_seq(tp, skb, now) == TCP_DONE ||
	    check_rst(sk, skb, now) == TCP_DONE ||
	    check_syn(tp, skb, now) == TCP_DONE)
		return;
	tp->rcv_at = tcp_ms(now);
	if (check_ack(sk, skb, now) == TCP_DONE ||
	    check_closed(sk, skb, now) == TCP_DONE)
		return;
	if (tcp_seg(skb)->flags & TCP_URG)
		tcp_urg_rcv(tp, skb);
	if (tp->opts & TCP_OPT_ECN)
		tcp_ecn_rcv(tp, skb, len);
	if (len)
		tcp_event_data_recv(tp, tcp_seg(skb), len, now);
	take_text(sk, skb, now);
	if (sk->sk_state == TCP_CLOSE)
		return;
	tcp_data_snd_check(tp, now);
	tcp_ack_snd_check(tp, now);
}
