/*
 * recv(2) and its kin: bytes from the receive queue to the user, and the
 * window update that this may be worth. Task context with lock_sock.
 */
#include "net/tcp/tcp_user.h"

#include "kernel/errno.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "net/inet.h"
#include "net/sock_errqueue.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_seq.h"
#include "net/tcp/tcp_urg.h"

/* One call's state. */
struct recv_job {
	struct tcp_sock *tp;
	struct msghdr *msg;
	u64 timeo;
	u32 flags;		/* MSG_ */
	u32 seq;		/* next byte to give; copied_seq unless PEEK */
	size_t target;		/* enough to return with */
	size_t copied;
};

/*
 * After the user took data: an ACK with a larger window, if the window had
 * become small or grew by much (RFC 9293 section 3.8.6.2.2), or if more than
 * a segment waits for its ACK.
 */
static void cleanup_rbuf(struct tcp_sock *tp)
{
	u32 left = tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt;
	u32 space;

	if (tp->sk.sk_state == TCP_CLOSE ||
	    tp->sk.sk_shutdown & RCV_SHUTDOWN)
		return;
	if (tp->ack_state & TCP_ACK_SCHED &&
	    tp->rcv_nxt - tp->rcv_wup > tp->rcv_mss) {
		tcp_send_ack(tp, ktime_get_ns());
		return;
	}
	if ((s32)left < 0)
		left = 0;
	/* Most of the window is still there: nobody waits for more. */
	if (2 * left > (u32)tp->sk.sk_rcvbuf / 2)
		return;
	space = min(tcp_receive_space(tp), 65535u << tp->rcv_wscale);
	if (space >= 2 * left && space >= left + tp->rcv_mss)
		tcp_send_ack(tp, ktime_get_ns());
}

static bool can_read(struct sock *sk)
{
	return !skb_queue_empty(&sk->sk_receive_queue) || sk->sk_err ||
	       sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN;
}

/* The buffer with byte @seq of the stream, or NULL. */
static struct sk_buff *find_data(struct sock *sk, u32 seq)
{
	struct sk_buff *skb;

	list_for_each_entry(skb, &sk->sk_receive_queue.list, list) {
		if (seq_before(seq, tcp_seg(skb)->seq + skb->len))
			return skb;
	}
	return NULL;
}

static void consumed(struct sock *sk, struct sk_buff *skb)
{
	skb_unlink(&sk->sk_receive_queue, skb);
	kfree_skb(skb);
}

/*
 * Copies from @skb on. Bytes, or -EFAULT: as on Linux what cannot be copied
 * whole is not read.
 */
static ssize_t take(struct recv_job *job, struct sk_buff *skb)
{
	struct sock *sk = &job->tp->sk;
	u32 off = job->seq - tcp_seg(skb)->seq;
	u32 n = (u32)min((size_t)(skb->len - off), job->msg->msg_iter.count);
	u32 got = n;

	if (unlikely(job->tp->flags & TCP_F_URG)) {
		s32 ahead = tcp_urg_ahead(job->tp, job->seq);

		if (ahead > 0)
			n = min(n, (u32)ahead);
		got = n;
	}
	/* MSG_TRUNC: throw away instead of copying (tcp(7)). */
	if (job->flags & MSG_TRUNC)
		iov_iter_advance(&job->msg->msg_iter, n);
	else
		got = skb_copy_to_iter(skb, off, n, &job->msg->msg_iter);
	if (unlikely(got < n))
		return -EFAULT;
	job->seq += got;
	job->copied += got;
	if (job->flags & MSG_PEEK)
		return got;
	WRITE_ONCE(job->tp->copied_seq, job->seq);
	if (unlikely(job->tp->flags & TCP_F_URG))
		tcp_urg_passed(job->tp);
	if (off + got == skb->len)
		consumed(sk, skb);
	return got;
}

/* Nothing is queued: 1: wait, 0: that is all, else -errno. */
static int nothing_there(const struct recv_job *job)
{
	struct sock *sk = &job->tp->sk;

	if (job->copied)
		return !(sk->sk_err || sk->sk_state == TCP_CLOSE ||
			 sk->sk_shutdown & RCV_SHUTDOWN || !job->timeo ||
			 job->flags & MSG_PEEK);
	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	return job->timeo ? 1 : -EAGAIN;
}

/* The reader is at the mark: true if this call ends here. */
static bool at_mark(struct recv_job *job, struct sk_buff *skb)
{
	struct sock *sk = &job->tp->sk;

	if (tcp_urg_ahead(job->tp, job->seq) || sock_flag(sk, SOCK_URGINLINE))
		return job->copied && !tcp_urg_ahead(job->tp, job->seq);
	if (job->copied)
		return true;
	/* The byte is no part of the stream. */
	job->seq++;
	if (job->flags & MSG_PEEK)
		return false;
	WRITE_ONCE(job->tp->copied_seq, job->seq);
	if (job->seq - tcp_seg(skb)->seq == skb->len)
		consumed(sk, skb);
	tcp_urg_passed(job->tp);
	return false;
}

static ssize_t recv_locked(struct recv_job *job)
{
	struct sock *sk = &job->tp->sk;
	ssize_t n = 0;

	for (;;) {
		struct sk_buff *skb = find_data(sk, job->seq);

		if (skb && unlikely(job->tp->flags & TCP_F_URG)) {
			if (at_mark(job, skb))
				break;
			skb = find_data(sk, job->seq);
		}
		if (skb) {
			n = take(job, skb);
			if (n < 0 || !job->msg->msg_iter.count)
				break;
			continue;
		}
		if (job->copied >= job->target)
			break;
		n = nothing_there(job);
		if (n <= 0)
			break;
		cleanup_rbuf(job->tp);
		n = sk_wait_event(sk, &job->timeo, can_read);
		if (n && n != -EAGAIN)
			break;
	}
	return job->copied ? (ssize_t)job->copied : n;
}

ssize_t tcp_recvmsg(struct socket *sock, struct msghdr *msg, bool nonblock)
{
	struct sock *sk = sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);
	struct recv_job job = {
		.tp = tp,
		.msg = msg,
		.flags = msg->msg_flags,
	};
	ssize_t n;

	msg->msg_flags = 0;
	if (unlikely(job.flags & MSG_ERRQUEUE))
		return sock_recv_errqueue(sk, msg);
	lock_sock(sk);
	job.timeo = sock_rcvtimeo(sk, nonblock);
	job.seq = tp->copied_seq;
	job.target = job.flags & MSG_WAITALL ? msg->msg_iter.count
		: min((size_t)sk->sk_rcvlowat, msg->msg_iter.count);
	/* Asked for nothing, it waits for something all the same (Linux). */
	job.target = max(job.target, (size_t)1);
	n = -ENOTCONN;
	if (unlikely(job.flags & MSG_OOB))
		n = sk->sk_state == TCP_LISTEN ? n :
			    tcp_urg_read(tp, msg, job.flags);
	else if (sk->sk_state != TCP_LISTEN)
		n = recv_locked(&job);
	if (job.copied && !(job.flags & MSG_PEEK))
		cleanup_rbuf(tp);
	trace(TRACE_TCP_RECVMSG, sk, n);
	release_sock(sk);
	msg->msg_namelen = 0;
	return n;
}
