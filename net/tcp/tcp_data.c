/*
 * Steps seven and eight of RFC 9293 section 3.10.7.4: payload into the
 * receive queue or the out-of-order queue, and the FIN behind it. sk lock.
 */
#include "net/tcp/tcp_input.h"

#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_timer.h"

#define QUICK_AFTER_GAP	64u	/* ACKs of full segments, at once */

void tcp_trim_head(struct sk_buff *skb, u32 seq)
{
	struct tcp_segment *seg = tcp_seg(skb);

	skb_consume(skb, seq - seg->seq);
	seg->seq = seq;
}

void tcp_trim_tail(struct sk_buff *skb, u32 seq)
{
	struct tcp_segment *seg = tcp_seg(skb);

	if (seg->flags & TCP_FIN) {
		seg->flags &= (u8)~TCP_FIN;
		seg->end_seq--;
	}
	if (seq_after(seg->end_seq, seq)) {
		skb_trim(skb, skb->len - (seg->end_seq - seq));
		seg->end_seq = seq;
	}
}

/* Eighth: everything up to the peer's FIN has arrived. */
static void take_fin(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->ack_state |= TCP_ACK_SCHED;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	tcp_ofo_purge(tp);
	if (sk->sk_state == TCP_ESTABLISHED) {
		tcp_set_state(sk, TCP_CLOSE_WAIT);
		tp->ack_state |= TCP_ACK_PINGPONG;
	} else if (sk->sk_state == TCP_FIN_WAIT1) {
		tcp_send_ack(tp, now);
		tcp_set_state(sk, TCP_CLOSING);
	} else {
		tcp_send_ack(tp, now);
		tcp_time_wait(sk, TCP_MINI_TIME_WAIT, TCP_TIMEWAIT_NS, now);
	}
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
}

/* Takes @skb, which starts at rcv_nxt. True if a FIN was at its end. */
static bool take_in_order(struct sock *sk, struct sk_buff *skb)
{
	bool fin = tcp_seg(skb)->flags & TCP_FIN;

	if (skb->len) {
		tcp_queue_rcv(sk, skb);
	} else {
		WRITE_ONCE(tcp_sk(sk)->rcv_nxt, tcp_seg(skb)->end_seq);
		kfree_skb(skb);
	}
	return fin;
}

/* In order: deliver it and whatever had waited for it. */
static void queue_in_order(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool fin = false;

	while (skb && !fin) {
		if (seq_before(tcp_seg(skb)->seq, tp->rcv_nxt))
			tcp_trim_head(skb, tp->rcv_nxt);
		fin = take_in_order(sk, skb);
		if (!fin)
			skb = tcp_ofo_next(tp);
	}
	if (fin)
		take_fin(sk, now);
	else
		tcp_data_ready(sk);
}

/*
 * Segments are lost, overtaken or come twice: a sender whose window is small
 * for that must not wait for every second ACK.
 */
static void ack_at_once(struct tcp_sock *tp)
{
	tp->ack_state |= TCP_ACK_SCHED | TCP_ACK_NOW;
	tp->quick = QUICK_AFTER_GAP;
}

static void drop_and_ack(struct tcp_sock *tp, struct sk_buff *skb,
			 enum drop_reason why)
{
	ack_at_once(tp);
	kfree_skb_reason(skb, why);
}

/* RFC 9293 section 3.10.7.4: what lies outside the window is cut off. */
static enum tcp_step fit_window(struct tcp_sock *tp, struct sk_buff *skb)
{
	struct tcp_segment *seg = tcp_seg(skb);
	u32 edge = seq_max(tp->rcv_wup + tp->rcv_wnd, tp->rcv_nxt);

	if (!seq_after(seg->end_seq, tp->rcv_nxt)) {
		SNMP_INC(TcpExt_DelayedACKLost);
		tcp_ofo_dsack(tp, seg->seq, seg->end_seq);
		drop_and_ack(tp, skb, DROP_TCP_OLD_DATA);
		return TCP_DONE;
	}
	if (!seq_before(seg->seq, edge) && skb->len) {
		SNMP_INC(TcpExt_TCPZeroWindowDrop);
		drop_and_ack(tp, skb, DROP_TCP_OUT_OF_WINDOW);
		return TCP_DONE;
	}
	if (seq_before(seg->seq, tp->rcv_nxt)) {
		tcp_ofo_dsack(tp, seg->seq, tp->rcv_nxt);
		tcp_trim_head(skb, tp->rcv_nxt);
	}
	if (skb->len && seq_after(seg->end_seq, edge))
		tcp_trim_tail(skb, edge);
	return TCP_CONTINUE;
}

void tcp_data_queue(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_segment *seg = tcp_seg(skb);
	struct tcp_sock *tp = tcp_sk(sk);

	skb_pull(skb, seg->hdr_len);
	if (seg->seq == seg->end_seq) {
		kfree_skb(skb);
		return;
	}
	if (fit_window(tp, skb) == TCP_DONE)
		return;
	if (seg->seq != tp->rcv_nxt) {
		ack_at_once(tp);
		tcp_ofo_queue(tp, skb);
		return;
	}
	/*
	 * What was offered is taken, even in buffers that are half empty; twice
	 * the limit is where a peer is up to no good.
	 */
	if (skb->len && (sk->sk_rmem_alloc / 2 > sk->sk_rcvbuf ||
			 sk_under_pressure(sk->sk_rmem_alloc))) {
		SNMP_INC(TcpExt_TCPRcvQDrop);
		drop_and_ack(tp, skb, DROP_TCP_RCV_FULL);
		return;
	}
	/* A gap is filled: the sender wants to know (RFC 5681 section 4.2). */
	if (tcp_ofo_waiting(tp))
		tp->ack_state |= TCP_ACK_NOW;
	tp->ack_state |= TCP_ACK_SCHED;
	queue_in_order(sk, skb, now);
}
