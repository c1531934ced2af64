/*
 * Urgent data: the mark in the stream, the byte at it, the pointer to it. The
 * newest mark counts; a byte that nobody fetched before is lost.
 */
#include "net/tcp/tcp_urg.h"

#include "kernel/errno.h"
#include "net/socket.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_seq.h"

s32 tcp_urg_ahead(const struct tcp_sock *tp, u32 seq)
{
	return (s32)(tp->ext->urg_seq - seq);
}

/* Is there a mark at @seq that is not known and not passed? */
static bool is_news(const struct tcp_sock *tp, u32 seq)
{
	if (seq_before(seq, tp->copied_seq) || seq_before(seq, tp->rcv_nxt))
		return false;
	return !(tp->flags & TCP_F_URG) || seq_after(seq, tp->ext->urg_seq);
}

void tcp_urg_rcv(struct tcp_sock *tp, const struct sk_buff *skb)
{
	const struct tcp_segment *seg = tcp_seg(skb);
	u32 seq = seg->seq + seg->urg - !!seg->urg;
	struct tcp_ext *e;
	u32 off;

	if (is_news(tp, seq)) {
		e = tcp_ext_get(tp);
		if (!e)
			return;
		e->urg_seq = seq;
		e->urg_state = TCP_URG_NOTYET;
		tp->flags |= TCP_F_URG;
		sk_send_sigurg(&tp->sk);
	}
	e = tp->ext;
	if (!(tp->flags & TCP_F_URG) || e->urg_state != TCP_URG_NOTYET)
		return;
	off = e->urg_seq - seg->seq;
	if (off >= tcp_seg_len(seg))
		return;
	skb_copy_bits(skb, seg->hdr_len + off, &e->urg_byte, 1);
	WRITE_ONCE(e->urg_state, TCP_URG_VALID);
	if (!sock_flag(&tp->sk, SOCK_DEAD))
		tp->sk.sk_data_ready(&tp->sk);
}

ssize_t tcp_urg_read(struct tcp_sock *tp, struct msghdr *msg, u32 flags)
{
	const struct sock *sk = &tp->sk;
	struct tcp_ext *e = tp->ext;

	if (sock_flag(sk, SOCK_URGINLINE) || !(tp->flags & TCP_F_URG) ||
	    e->urg_state == TCP_URG_READ)
		return -EINVAL;
	if (sk->sk_state == TCP_CLOSE && !sock_flag(sk, SOCK_DONE))
		return -ENOTCONN;
	if (e->urg_state == TCP_URG_NOTYET)
		return sk->sk_shutdown & RCV_SHUTDOWN ? 0 : -EAGAIN;
	msg->msg_flags |= MSG_OOB;
	if (!msg->msg_iter.count)
		msg->msg_flags |= MSG_TRUNC;
	else if (!(flags & MSG_TRUNC) &&
		 copy_to_iter(&e->urg_byte, 1, &msg->msg_iter) != 1)
		return -EFAULT;
	if (!(flags & MSG_PEEK))
		WRITE_ONCE(e->urg_state, TCP_URG_READ);
	return msg->msg_flags & MSG_TRUNC ? 0 : 1;
}

void tcp_urg_passed(struct tcp_sock *tp)
{
	if (tcp_urg_ahead(tp, tp->copied_seq) < 0)
		tp->flags &= ~TCP_F_URG;
}

int tcp_urg_send(struct tcp_sock *tp)
{
	struct tcp_ext *e = tcp_ext_get(tp);
	struct sk_buff *skb = tp->send_head;

	if (!e)
		return -ENOMEM;
	e->snd_up = tp->write_seq;
	/* All that waits announces it, the last has it. */
	while (skb) {
		tcp_tx(skb)->flags |= TCP_URG;
		skb = skb->tx_link.next == &tp->write_queue
			? NULL : list_next_entry(skb, tx_link);
	}
	return 0;
}

u16 tcp_urg_pointer(const struct tcp_sock *tp, u32 seq)
{
	u32 ahead = tp->ext->snd_up - seq;

	return (s32)ahead <= 0 ? 0 : (u16)min(ahead, 0xffffu);
}
