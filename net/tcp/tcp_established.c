/*
 * The receive path of an established connection: the fast path for what was
 * expected, and the bookkeeping of received data. Everything else goes to
 * tcp_rcv_state_process(). Softirq or task (backlog), with the sk lock.
 */
#include "net/tcp/tcp_input.h"

#include "kernel/string.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_user.h"

/* Payload up to this size is copied into the buffer before it. */
#define COALESCE_MAX	256u
/* Segments up to this size are questions rather than bulk. */
#define QUICK_MIN	536u

/*
 * A small segment goes into the tail room of the one before, so that a peer
 * who sends single bytes does not hold a whole buffer with each.
 */
static bool coalesce(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	u32 len = skb->len;

	if (!tail || len > COALESCE_MAX || tail->data_len || skb->data_len ||
	    skb_shared(tail) || skb_tailroom(tail) < len)
		return false;
	memcpy(skb_put(tail, len), skb->data, len);
	tcp_seg(tail)->end_seq = tcp_seg(skb)->end_seq;
	kfree_skb(skb);
	return true;
}

noinline void tcp_queue_rcv(struct sock *sk, struct sk_buff *skb)
{
	/* Poll reads it without the lock. */
	WRITE_ONCE(tcp_sk(sk)->rcv_nxt, tcp_seg(skb)->end_seq);
	tcp_sk(sk)->n.bytes_received += skb->len;
	if (coalesce(sk, skb))
		return;
	skb_set_owner_r(skb, sk);
	skb_queue_tail(&sk->sk_receive_queue, skb);
}

__inline_hot void tcp_data_ready(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sock_flag(sk, SOCK_DEAD))
		return;
	if (tp->rcv_nxt - tp->copied_seq >= sk->sk_rcvlowat ||
	    sock_flag(sk, SOCK_DONE) ||
	    tcp_receive_space(tp) < (u32)sk->sk_rcvbuf / 4)
		sk->sk_data_ready(sk);
}

void tcp_event_data_recv(struct tcp_sock *tp, const struct tcp_segment *seg,
			 u32 len, u64 now)
{
	tp->rcv_at = tcp_ms(now);
	if (len >= tp->rcv_mss) {
		tp->rcv_mss = (u16)min(len, (u32)tp->advmss);
		tcp_rcvbuf_tune(tp, seg, now);
	}
	tp->ack_state |= TCP_ACK_SCHED;
	/* Slow start of the peer wants ACKs; a question wants an answer. */
	if (tp->quick && len > QUICK_MIN)
		tp->ack_state |= TCP_ACK_NOW;
}

__inline_hot void tcp_ack_snd_check(struct tcp_sock *tp, u64 now)
{
	if (!(tp->ack_state & (TCP_ACK_SCHED | TCP_ACK_NOW)))
		return;
	/* Every second full segment at the latest (RFC 5681 section 4.2). */
	if (tp->ack_state & TCP_ACK_NOW || tcp_ofo_waiting(tp) ||
	    tp->rcv_nxt - tp->rcv_wup > tp->rcv_mss) {
		tcp_send_ack(tp, now);
		return;
	}
	if (!tp->ack_at)
		tcp_arm(&tp->sk, &tp->ack_at, now + TCP_DELACK_NS);
}

/* Tells writers once a third of the buffer is free. */
static void check_space(struct tcp_sock *tp)
{
	struct sock *sk = &tp->sk;

	/* Pairs with poll: it sets nospace, then looks at the queue. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!READ_ONCE(tp->nospace) || !tcp_writeable(tp))
		return;
	WRITE_ONCE(tp->nospace, 0);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	/* The flag proper, which poll may not write without the lock. */
	sock_set_flag(sk, SOCK_NOSPACE);
	sk->sk_write_space(sk);
}

noinline void tcp_data_snd_now(struct tcp_sock *tp, u64 now)
{
	tcp_push_pending(tp, now);
	if (READ_ONCE(tp->nospace))
		check_space(tp);
}

/*
 * Entry conditions of the fast path, each of which the slow path looks after:
 *  - flags are ACK, with or without PSH: no SYN, RST, FIN, URG, no missing ACK
 *  - seq is rcv_nxt: nothing to trim, nothing early
 *  - nothing waits out of order, so nothing becomes deliverable
 *  - the payload fits the advertised window and the receive buffer
 *  - a timestamp, if agreed on, is there and not older than the last (PAWS)
 *  - the receiver is open (no RCV_SHUTDOWN)
 * The ACK number is checked by tcp_ack() on both paths.
 */
static bool fast_path(const struct tcp_sock *tp, const struct sk_buff *skb)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	const struct sock *sk = &tp->sk;

	if ((seg->flags & ~(TCP_PSH | TCP_ECE | TCP_CWR)) != TCP_ACK ||
	    seg->seq != tp->rcv_nxt || tp->ofo ||
	    sk->sk_shutdown & RCV_SHUTDOWN)
		return false;
	if (seq_after(seg->end_seq, tp->rcv_wup + tp->rcv_wnd) ||
	    sk->sk_rmem_alloc + (s32)skb->truesize > sk->sk_rcvbuf ||
	    sk_under_pressure(sk->sk_rmem_alloc))
		return false;
	if (tp->opts & TCP_OPT_TS)
		return seg->opts & TCP_OPT_TS &&
		       !seq_before(seg->tsval, tp->ts_recent);
	return true;
}

noinline void tcp_rcv_established(struct sock *sk, struct sk_buff *skb, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_segment *seg = tcp_seg(skb);
	u32 len = seg->end_seq - seg->seq;

	if (unlikely(!fast_path(tp, skb))) {
		tcp_rcv_state_process(sk, skb, now);
		return;
	}
	/* RFC 7323 section 4.3: seq is at or below the last ACK we sent. */
	if (tp->opts & TCP_OPT_TS && !seq_after(seg->seq, tp->rcv_wup)) {
		tp->ts_recent = seg->tsval;
		tp->ts_recent_at = tcp_ms(now);
	}
	if (tcp_ack(tp, skb, now) == TCP_DONE)
		return;
	if (unlikely(tp->opts & TCP_OPT_ECN))
		tcp_ecn_rcv(tp, skb, len);
	if (!len) {
		SNMP_INC(TcpExt_TCPHPAcks);
		kfree_skb(skb);
		tp->rcv_at = tcp_ms(now);
		tcp_data_snd_check(tp, now);
		return;
	}
	SNMP_INC(TcpExt_TCPHPHits);
	tp->n.data_segs_in++;
	skb_pull(skb, seg->hdr_len);
	tcp_event_data_recv(tp, seg, len, now);
	tcp_queue_rcv(sk, skb);
	tcp_data_snd_check(tp, now);
	tcp_ack_snd_check(tp, now);
	tcp_data_ready(sk);
}
