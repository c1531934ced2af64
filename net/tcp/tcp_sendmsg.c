/*
 * send(2) and its kin: user bytes into the write queue, then out as far as
 * they may go. Task context with lock_sock; small writes fill up the last
 * unsent buffer, large ones make buffers as large as the device can cut.
 */
#include "net/tcp/tcp_user.h"

#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_pages.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"
#include "net/tcp/tcp_urg.h"

/* One call's state. */
struct send_job {
	struct tcp_sock *tp;
	struct msghdr *msg;
	u64 now;
	u64 timeo;
	u32 flags;		/* MSG_ */
	size_t copied;
	struct tcp_zc_note *note;	/* MSG_ZEROCOPY: once pages are kept */
};

static bool may_send(const struct sock *sk)
{
	return sk->sk_state == TCP_ESTABLISHED ||
	       sk->sk_state == TCP_CLOSE_WAIT ||
	       (sk->sk_state == TCP_SYN_RECV &&
		tcp_sk(sk)->flags & TCP_F_FO_CHILD);
}

static bool connected_or_failed(struct sock *sk)
{
	return (sk->sk_state != TCP_SYN_SENT &&
		sk->sk_state != TCP_SYN_RECV) || sk->sk_err;
}

static bool memory_free(const struct sock *sk)
{
	return sk->sk_wmem_queued < sk->sk_sndbuf &&
	       tcp_notsent_low(tcp_sk(sk), 1) &&
	       !sk_under_pressure(sk->sk_wmem_queued);
}

static bool memory_or_failed(struct sock *sk)
{
	return memory_free(sk) || sk->sk_err ||
	       sk->sk_shutdown & SEND_SHUTDOWN;
}

/* 0, or why nothing can be sent any more. An error is told once. */
static int send_refused(struct sock *sk)
{
	int err = 0;

	if (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN) {
		err = sock_error(sk);
		err = err ? err : -EPIPE;
	}
	return err;
}

/*
 * MSG_FASTOPEN, or TCP_FASTOPEN_CONNECT before: the first data starts the
 * connection. Bytes that went with the SYN, 0: only it went, or -errno.
 */
static ssize_t fast_open(struct send_job *job)
{
	struct sock *sk = &job->tp->sk;
	ssize_t n = 0;

	if (!(job->tp->flags & TCP_F_FO_DEFER)) {
		if (!(READ_ONCE(tcp_fastopen) & TCP_FASTOPEN_CLIENT))
			return -EOPNOTSUPP;
		if (!job->msg->msg_name)
			return -EINVAL;
		n = tcp_start_connect(sk, job->msg->msg_name,
				      job->msg->msg_namelen, true, job->now);
		if (n)
			return n;
		sk->sk_socket->state = SS_CONNECTING;
	}
	n = tcp_fastopen_send(sk, job->msg, job->now);
	return n || job->timeo ? n : -EINPROGRESS;
}

static ssize_t wait_connected(struct send_job *job)
{
	struct sock *sk = &job->tp->sk;
	ssize_t n;
	int err;

	if (likely(may_send(sk)))
		return 0;
	if (job->tp->flags & TCP_F_FO_DEFER ||
	    (job->flags & MSG_FASTOPEN && sk->sk_state == TCP_CLOSE)) {
		n = fast_open(job);
		if (n)
			return n;
	}
	if (sk->sk_state != TCP_SYN_SENT && sk->sk_state != TCP_SYN_RECV) {
		err = sock_error(sk);
		return err ? err : -EPIPE;
	}
	err = sk_wait_event(sk, &job->timeo, connected_or_failed);
	job->now = ktime_get_ns();
	if (err)
		return err;
	err = sock_error(sk);
	return err ? err : may_send(sk) ? 0 : -EPIPE;
}

/* The flags of this call decide whether the tail may go short. */
static void push(struct send_job *job)
{
	u8 nonagle = job->tp->nonagle;

	if (job->flags & MSG_MORE)
		nonagle = (u8)((nonagle & ~TCP_NAGLE_PUSH) | TCP_NAGLE_CORK);
	tcp_write_xmit(job->tp, nonagle, job->now);
}

static int wait_memory(struct send_job *job)
{
	struct tcp_sock *tp = job->tp;
	int err;

	WRITE_ONCE(tp->nospace, 1);
	push(job);
	err = sk_wait_event(&tp->sk, &job->timeo, memory_or_failed);
	job->now = ktime_get_ns();
	return err ? err : send_refused(&tp->sk);
}

/*
 * No memory in the machine. Acknowledgements free some, and say that there is
 * space; if none is due, nobody else would.
 */
static __cold int try_later(struct tcp_sock *tp)
{
	if (!tp->packets_out) {
		sock_set_flag(&tp->sk, SOCK_NOSPACE);
		tp->sk.sk_write_space(&tp->sk);
	}
	return -EAGAIN;
}

/* The last buffer, if it is unsent and takes more; else NULL. */
static struct sk_buff *open_tail(const struct tcp_sock *tp, u32 goal)
{
	struct sk_buff *skb;

	if (!tp->send_head)
		return NULL;
	skb = list_last_entry(&tp->write_queue, struct sk_buff, tx_link);
	if (skb->len >= goal || skb->frag_list || !skb_tailroom(skb) ||
	    skb_shared(skb))
		return NULL;
	return skb;
}

/* Appends up to @max bytes to @skb. Bytes, or -EFAULT and none. */
static __inline_hot ssize_t append(struct tcp_sock *tp, struct sk_buff *skb,
				   u32 max, struct iov_iter *from)
{
	u32 n = (u32)min((size_t)max, from->count);
	u32 got;
	u8 *to;

	n = min(n, skb_tailroom(skb));
	to = skb->data + skb->len;
	got = (u32)copy_from_iter(to, n, from);
	if (unlikely(got < n))
		return -EFAULT;
	skb_put(skb, got);
	tcp_tx(skb)->end_seq += got;
	tp->write_seq += got;
	return got;
}

/*
 * How large the next buffer should be: exact, if its bytes will go at once; a
 * whole segment at least, if they will wait for more to join them.
 */
static u32 buffer_size(const struct send_job *job, u32 goal)
{
	const struct tcp_sock *tp = job->tp;
	u32 n = (u32)min(job->msg->msg_iter.count, (size_t)goal);

	if (job->flags & MSG_MORE || tp->nonagle & TCP_NAGLE_CORK ||
	    (tp->packets_out && !(tp->nonagle & TCP_NAGLE_OFF)))
		n = max(n, (u32)tp->mss_cache);
	/* A segment of the loopback's size and all headers is too much. */
	return min(n, (u32)UINT16_MAX - TCP_HEADROOM);
}

/* A new buffer at the tail with its first bytes. Bytes, or -errno. */
static ssize_t append_new(struct send_job *job, u32 goal)
{
	struct iov_iter *from = &job->msg->msg_iter;
	struct tcp_sock *tp = job->tp;
	struct sk_buff *skb;
	ssize_t got;

	skb = tcp_alloc_tx(tp, buffer_size(job, goal), 0);
	if (!skb)
		return -ENOBUFS;
	got = append(tp, skb, goal, from);
	if (got < 0) {
		kfree_skb(skb);
		return got;
	}
	tcp_queue_tx(tp, skb);
	return got;
}

/*
 * May bytes stay in their pages? Not for the loopback: the receiver would sit
 * on them.
 */
static bool by_page(const struct send_job *job)
{
	const struct sock *sk = &job->tp->sk;
	const struct net_device *dev = sk->sk_route.dev;

	if (!dev || dev->features & NETIF_F_LOOPBACK)
		return false;
	return job->msg->msg_iter.kernel ? job->flags & MSG_SPLICE_PAGES :
	       job->flags & MSG_ZEROCOPY && sock_flag(sk, SOCK_ZEROCOPY);
}

/* The next bytes' page, with a reference. 0, or -errno. */
static int next_run(struct send_job *job, struct page_run *run)
{
	struct iov_iter *from = &job->msg->msg_iter;
	char *at;
	size_t n = iov_iter_next(from, &at);
	int err = 0;

	if (from->kernel) {
		*run = (struct page_run){
			at, n, from->runs[from->iov - from->runs_iov].page,
		};
		if (run->page)
			get_page(run->page);
		return 0;
	}
	if (!job->note)
		job->note = tcp_zc_begin(job->tp);
	if (!job->note)
		return -ENOBUFS;
	err = mm_pin(current->mm, (u64)at, run);
	run->len = min(run->len, n);
	return err;
}

/* Some more of the payload in its pages. Bytes, or -errno. */
static ssize_t send_run(struct send_job *job, u32 goal)
{
	struct page_run run;
	ssize_t got = next_run(job, &run);

	if (got)
		return got;
	got = tcp_queue_run(job->tp, &run, goal, job->note);
	if (run.page)
		put_page(run.page);
	if (got > 0)
		iov_iter_advance(&job->msg->msg_iter, (size_t)got);
	return got;
}

/*
 * As send_some(), without a copy: a whole buffer of pieces if it can. What
 * was copied before is filled up to a segment.
 */
static noinline ssize_t send_pages(struct send_job *job, u32 goal)
{
	struct tcp_sock *tp = job->tp;
	struct sk_buff *tail = open_tail(tp, tp->mss_cache);
	ssize_t done = 0, got;

	if (tail)
		return append(tp, tail, tp->mss_cache - tail->len,
			      &job->msg->msg_iter);
	if (!memory_free(&tp->sk))
		return wait_memory(job);
	do {
		got = send_run(job, goal);
		if (got < 0)
			return done ? done : got;
		done += got;
		tail = list_last_entry(&tp->write_queue, struct sk_buff,
				       tx_link);
	} while (job->msg->msg_iter.count && tail->len < goal);
	return done;
}

/* MSG_OOB, MSG_ZEROCOPY: what a call leaves behind. 0, -ENOMEM. */
static noinline int finish(struct send_job *job)
{
	if (job->flags & MSG_ZEROCOPY &&
	    sock_flag(&job->tp->sk, SOCK_ZEROCOPY))
		tcp_zc_end(job->tp, job->note, job->copied);
	if (job->flags & MSG_OOB && job->copied &&
	    !job->msg->msg_iter.count)
		return tcp_urg_send(job->tp);
	return 0;
}

/* Moves some bytes. Bytes, or -errno when it cannot go on. */
static ssize_t send_some(struct send_job *job)
{
	struct tcp_sock *tp = job->tp;
	u32 goal = tp->mss_cache;
	struct sk_buff *skb;
	ssize_t got;
	int err;

	/* Little, and nothing that it could join: it has one buffer anyway. */
	if (tp->send_head || job->msg->msg_iter.count > goal) {
		goal = tcp_size_goal(tp);
		if (job->flags & (MSG_ZEROCOPY | MSG_SPLICE_PAGES) &&
		    by_page(job)) {
			got = send_pages(job, goal);
			goto sent;
		}
	}
	skb = open_tail(tp, goal);
	if (skb)
		return append(tp, skb, goal - skb->len, &job->msg->msg_iter);
	if (!memory_free(&tp->sk)) {
		err = wait_memory(job);
		return err;
	}
	got = append_new(job, goal);
sent:
	return got == -ENOBUFS && !job->timeo ? try_later(tp) : got;
}

static ssize_t send_locked(struct send_job *job)
{
	struct sock *sk = &job->tp->sk;
	struct iov_iter *from = &job->msg->msg_iter;
	ssize_t n = wait_connected(job);

	if (!n)
		n = send_refused(sk);
	if (n)
		return n;
	while (from->count) {
		n = send_some(job);
		if (n < 0)
			break;
		job->copied += (size_t)n;
		/* A full buffer need not wait for the rest of the call. */
		if (job->tp->send_head && from->count &&
		    job->tp->write_seq - job->tp->snd_nxt >
		    2u * job->tp->mss_cache)
			tcp_write_xmit(job->tp, TCP_NAGLE_CORK, job->now);
	}
	if (job->copied) {
		struct sk_buff *tail = job->tp->send_head
			? list_last_entry(&job->tp->write_queue,
					  struct sk_buff, tx_link) : NULL;

		if (job->flags & (MSG_OOB | MSG_ZEROCOPY) && finish(job))
			return -ENOMEM;
		if (tail && !(job->flags & MSG_MORE))
			tcp_tx(tail)->flags |= TCP_PSH;
		push(job);
		return (ssize_t)job->copied;
	}
	if (job->note)
		tcp_zc_end(job->tp, job->note, false);
	return n < 0 ? n : 0;
}

ssize_t tcp_sendmsg(struct socket *sock, struct msghdr *msg, bool nonblock)
{
	struct sock *sk = sock->sk;
	struct send_job job = {
		.tp = tcp_sk(sk),
		.msg = msg,
		.now = ktime_get_ns(),
		.flags = msg->msg_flags,
	};
	ssize_t n;

	trace(TRACE_TCP_SENDMSG, sk, msg->msg_iter.count);
	lock_sock(sk);
	job.timeo = sock_sndtimeo(sk, nonblock);
	n = send_locked(&job);
	release_sock(sk);
	return n;
}
