/*
 * struct sock: its life, its lock, its callbacks and its waits. Protocols
 * call in, from softirq under bh_lock_sock() and from tasks under
 * lock_sock(); net/sock.h says how the two exclude each other.
 *
 * LOCKING: tasks that wait for a sock's owner sleep on one of a few shared
 * queues (a queue in each sock would cost 24 bytes a connection);
 * SOCK_LOCK_WANTED says that a wakeup is due.
 */
#include "net/sock.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/random.h"
#include "kernel/poll.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "net/sock_errqueue.h"
#include "net/socket.h"
#include "net/tcp/tcp.h"

#define NR_LOCK_QUEUES	16
#define BACKLOG_ROUNDS	8

static struct wait_queue_head lock_queues[NR_LOCK_QUEUES];

static struct wait_queue_head *lock_queue(const struct sock *sk)
{
	return &lock_queues[(uintptr_t)sk / 64 % NR_LOCK_QUEUES];
}

__cold void sock_init(void)
{
	for (u32 i = 0; i < NR_LOCK_QUEUES; i++)
		init_waitqueue_head(&lock_queues[i]);
}

/* ---- life ---- */

__cold u32 sock_i_ino(const struct sock *sk)
{
	static u64 factor;	/* drawn by the first who asks; odd */
	u64 f = READ_ONCE(factor), none = 0;

	if (!f) {
		get_random_bytes(&f, sizeof(f));
		f |= 1;
		if (!__atomic_compare_exchange_n(&factor, &none, f, false,
						 __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
			f = none;
	}
	return (u32)((u64)(uintptr_t)sk * f >> 33);
}

void sock_init_data(struct socket *sock, struct sock *sk)
{
	skb_queue_head_init(&sk->sk_receive_queue);
	sk->sk_lock = 0;
	atomic_set(&sk->sk_refs, 1);
	sk->sk_state = TCP_CLOSE;
	sk->sk_rcvbuf = SOCK_BUF_MAX;
	sk->sk_sndbuf = SOCK_BUF_MAX;
	sk->sk_rcvlowat = 1;
	sk->sk_state_change = sock_def_wakeup;
	sk->sk_data_ready = sock_def_readable;
	sk->sk_write_space = sock_def_write_space;
	sk->sk_error_report = sock_def_error_report;
	if (sock)
		sock_graft(sk, sock);
}

struct sock *sk_alloc(const struct proto *prot, u16 family, u16 type,
		      u8 protocol)
{
	struct sock *sk = kmem_cache_alloc(prot->slab);

	if (!sk)
		return NULL;
	sk->sk_prot = prot;
	sk->sk_prot_creator = prot;
	sk->sk_family = family;
	sk->sk_type = (u8)type;
	sk->sk_protocol = protocol;
	sock_init_data(NULL, sk);
	return sk;
}

void sock_free(struct sock *sk)
{
	if (sk->sk_prot->destruct)
		sk->sk_prot->destruct(sk);
	skb_queue_purge(&sk->sk_receive_queue);
	if (unlikely(sk->sk_errq))
		sock_errqueue_free(sk);
	kmem_cache_free(sk->sk_prot_creator->slab, sk);
}

void sock_graft(struct sock *sk, struct socket *sock)
{
	sock->sk = sk;
	sk->sk_socket = sock;
	sk->sk_wq = &sock->wq;
}

void sock_orphan(struct sock *sk)
{
	sock_set_flag(sk, SOCK_DEAD);
	sk->sk_socket = NULL;
	sk->sk_wq = NULL;
}

/* ---- lock and backlog ---- */

/* Softirqs off and SOCK_LOCK_SPIN set, before and after. */
static void wait_for_owner(struct sock *sk)
	__must_hold(sk)
{
	struct wait_queue_head *wq = lock_queue(sk);
	struct wait_queue_entry wait;

	init_wait(&wait);
	while (sk->sk_lock & SOCK_LOCK_OWNED) {
		/*
		 * The owner gives the sock up under SOCK_LOCK_SPIN before it
		 * wakes, and we are on the queue before we let go of that.
		 */
		prepare_to_wait(wq, &wait, TASK_UNINTERRUPTIBLE);
		sk->sk_lock |= SOCK_LOCK_WANTED;
		bh_unlock_sock(sk);
		local_bh_enable();
		schedule();
		local_bh_disable();
		bh_lock_sock(sk);
	}
	finish_wait(wq, &wait);
}

__cold void lock_sock_slow(struct sock *sk)
	__no_lock_check
{
	local_bh_disable();
	bh_lock_sock(sk);
	wait_for_owner(sk);
	sk->sk_lock |= SOCK_LOCK_OWNED;
	bh_unlock_sock(sk);
	local_bh_enable();
}

bool sk_add_backlog(struct sock *sk, struct sk_buff *skb)
{
	/* More than a window's worth, even of buffers that are half empty. */
	u32 limit = (u32)sk->sk_rcvbuf + (u32)sk->sk_sndbuf + 65536;

	if (sk->sk_backlog_len + (u32)sk->sk_rmem_alloc > limit)
		return false;
	if (sk->sk_backlog) {
		skb->next = sk->sk_backlog->next;
		sk->sk_backlog->next = skb;
	} else {
		skb->next = skb;
	}
	sk->sk_backlog = skb;
	sk->sk_backlog_len += skb->truesize;
	sock_defer_work(sk);
	return true;
}

/* The oldest of the backlog; what comes from now on is the next batch. */
static struct sk_buff *take_backlog(struct sock *sk)
{
	struct sk_buff *last = sk->sk_backlog, *first = last->next;

	last->next = NULL;
	sk->sk_backlog = NULL;
	sk->sk_backlog_len = 0;
	return first;
}

static void receive_batch(struct sock *sk, struct sk_buff *skb)
	__must_hold(sk)
{
	while (skb) {
		struct sk_buff *next = skb->next;

		sk->sk_prot->backlog_rcv(sk, skb);
		skb = next;
	}
}

/*
 * Works off what softirqs left while a task owned the sock. What is sent
 * meanwhile is answered, which fills the backlog anew, and a flood does that
 * without an end: after a few rounds nobody may add to it until it is empty.
 * Its spinlock is let go for each round; the sock stays the task's all along.
 */
static void run_backlog(struct sock *sk)
	__no_lock_check
{
	for (u32 i = 0; sk->sk_backlog && i < BACKLOG_ROUNDS; i++) {
		struct sk_buff *batch = take_backlog(sk);

		bh_unlock_sock(sk);
		local_bh_enable();
		receive_batch(sk, batch);
		cond_resched();
		local_bh_disable();
		bh_lock_sock(sk);
	}
	if (sk->sk_backlog)
		receive_batch(sk, take_backlog(sk));
}

void release_sock_slow(struct sock *sk)
	__no_lock_check
{
	bool wanted;

	local_bh_disable();
	bh_lock_sock(sk);
	run_backlog(sk);
	if (sk->sk_lock & SOCK_LOCK_WORK && sk->sk_prot->release_cb)
		sk->sk_prot->release_cb(sk);
	wanted = sk->sk_lock & SOCK_LOCK_WANTED;
	__atomic_store_n(&sk->sk_lock, 0, __ATOMIC_RELEASE);
	local_bh_enable();
	if (wanted)
		wake_up_all(lock_queue(sk));
}

/* ---- memory ---- */

static void sock_rfree(struct sk_buff *skb)
{
	skb->sk->sk_rmem_alloc -= (s32)skb->truesize;
}

void skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_rfree;
	sk->sk_rmem_alloc += (s32)skb->truesize;
}

/* ---- callbacks ---- */

/*
 * In all of them: the change was published before the call, and the barrier
 * in wq_has_sleeper() pairs with the one of whoever queues itself and then
 * looks (prepare_to_wait, epoll's poll).
 */
void sock_def_wakeup(struct sock *sk)
{
	if (sk->sk_wq && wq_has_sleeper(sk->sk_wq))
		wake_up_all(sk->sk_wq);
}

void sock_def_readable(struct sock *sk)
{
	trace(TRACE_SK_DATA_READY, sk, 0);
	if (sk->sk_wq && wq_has_sleeper(sk->sk_wq))
		wake_up_poll(sk->sk_wq, EPOLLIN | EPOLLPRI | EPOLLRDNORM |
						EPOLLRDBAND);
}

static void wake_writers(struct sock *sk)
{
	if (sk->sk_wq && wq_has_sleeper(sk->sk_wq))
		wake_up_poll(sk->sk_wq, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
}

void sock_def_write_space(struct sock *sk)
{
	if (sk->sk_wmem_queued * 2 <= sk->sk_sndbuf)
		wake_writers(sk);
}

void sk_stream_write_space(struct sock *sk)
{
	if (!sock_flag(sk, SOCK_NOSPACE) || !sk_stream_is_writeable(sk))
		return;
	sock_reset_flag(sk, SOCK_NOSPACE);
	wake_writers(sk);
}

void sock_def_error_report(struct sock *sk)
{
	if (sk->sk_wq && wq_has_sleeper(sk->sk_wq))
		wake_up_poll(sk->sk_wq, EPOLLERR);
}

/* ---- waiting ---- */

/*
 * A waiter that remembers its wakeup: between release_sock() and going to
 * sleep it still runs, and release_sock() must find it in TASK_RUNNING.
 */
struct sock_waiter {
	struct wait_queue_entry entry;
	bool woken;
};

static int sock_waiter_woken(struct wait_queue_entry *wqe, unsigned int mode,
			     int flags, void *key)
{
	struct sock_waiter *w = container_of(wqe, struct sock_waiter, entry);

	if (READ_ONCE(w->woken))
		return 0;
	WRITE_ONCE(w->woken, true);
	default_wake_function(wqe, mode, flags, key);
	return 1;
}

/* One sleep with the sock released; true if the deadline came first. */
static bool sleep_unlocked(struct sock *sk, struct sock_waiter *w,
			   u64 deadline)
	__must_hold(sk)
{
	int err = -EINTR;

	WRITE_ONCE(w->woken, false);
	release_sock(sk);
	/*
	 * Either the waker's store to woken is seen here, or the waker sees
	 * our state and wakes us: both sides have a full barrier in between.
	 */
	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(w->woken) && !signal_pending(current))
		err = schedule_hrtimeout_range(deadline, 0);
	set_current_state(TASK_RUNNING);
	lock_sock(sk);
	return !err;
}

/* The sleeping half of wait_event(): the waiter is on the queue. */
static int wait_until(struct sock *sk, struct sock_waiter *w, u64 deadline,
		      bool (*cond)(struct sock *sk))
	__must_hold(sk)
{
	bool over = false;

	for (;;) {
		/*
		 * Whoever makes it true does so under the sock lock, that is
		 * before this look or, with a wakeup, after release_sock().
		 */
		if (cond(sk))
			return 0;
		if (over)
			return -EAGAIN;
		if (signal_pending(current))
			return deadline == KTIME_MAX ? -ERESTARTSYS : -EINTR;
		over = sleep_unlocked(sk, w, deadline);
	}
}

static int wait_event(struct sock *sk, u64 *timeo, bool exclusive,
		      bool (*cond)(struct sock *sk))
	__must_hold(sk)
{
	struct wait_queue_head *wq = sk->sk_wq;
	struct sock_waiter w;
	u64 deadline, now;
	int err;

	if (cond(sk))
		return 0;
	if (!*timeo)
		return -EAGAIN;
	now = *timeo == KTIME_MAX ? 0 : ktime_get_ns();
	deadline = *timeo > KTIME_MAX - now ? KTIME_MAX : now + *timeo;
	init_waitqueue_func_entry(&w.entry, sock_waiter_woken);
	w.entry.private = current;
	w.woken = false;
	if (exclusive)
		add_wait_queue_exclusive(wq, &w.entry);
	else
		add_wait_queue(wq, &w.entry);
	err = wait_until(sk, &w, deadline, cond);
	remove_wait_queue(wq, &w.entry);
	if (deadline != KTIME_MAX) {
		now = ktime_get_ns();
		*timeo = now < deadline ? deadline - now : 0;
	}
	return err;
}

int sk_wait_event(struct sock *sk, u64 *timeo_ns,
		  bool (*cond)(struct sock *sk))
	__must_hold(sk)
{
	return wait_event(sk, timeo_ns, false, cond);
}

int sk_wait_event_exclusive(struct sock *sk, u64 *timeo_ns,
			    bool (*cond)(struct sock *sk))
	__must_hold(sk)
{
	return wait_event(sk, timeo_ns, true, cond);
}

static u64 wait_time(bool nonblock, u32 option_ms)
{
	if (nonblock || option_ms == SOCK_TIMEO_PAST)
		return 0;
	return option_ms ? option_ms * NSEC_PER_MSEC : KTIME_MAX;
}

u64 sock_rcvtimeo(const struct sock *sk, bool nonblock)
{
	return wait_time(nonblock, sk->sk_rcvtimeo);
}

u64 sock_sndtimeo(const struct sock *sk, bool nonblock)
{
	return wait_time(nonblock, sk->sk_sndtimeo);
}

int sock_error(struct sock *sk)
{
	if (likely(!READ_ONCE(sk->sk_err)))
		return 0;
	return -__atomic_exchange_n(&sk->sk_err, 0, __ATOMIC_SEQ_CST);
}
