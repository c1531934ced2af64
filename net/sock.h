/*
 * struct sock: the network side of a socket, what the protocols work on.
 * The file side (struct socket) hangs on sk_socket while somebody has it
 * open; a sock may live on without it (TIME-WAIT, orphans).
 *
 * LOCKING: a sock is owned either by a task (lock_sock(), may sleep, softirq
 * work meanwhile queues in the backlog) or by softirq code (bh_lock_sock(),
 * spins). Both exclude each other:
 *	softirq:  bh_lock_sock(sk);
 *		  if (sock_owned_by_user(sk)) sk_add_backlog(sk, skb);
 *		  else handle it;
 *		  bh_unlock_sock(sk);
 * Both are bits of one word, sk_lock, so that a task takes and gives an
 * undisturbed sock with one instruction each. Only who set SOCK_LOCK_SPIN
 * changes other bits.
 * Order: sk lock before wait-queue locks before anything of epoll.
 */
#pragma once

#include "kernel/atomic.h"
#include "kernel/compiler.h"
#include "kernel/context.h"
#include "kernel/list.h"
#include "kernel/mm/page.h"
#include "kernel/types.h"
#include "kernel/wait.h"
#include "kernel/x86/processor.h"
#include "net/ip/ip.h"
#include "net/ip_addr.h"
#include "net/skbuff.h"

struct kmem_cache;
struct socket;
struct sock;
struct sock_errqueue;		/* net/sock_errqueue.h */
struct ucred;			/* net/scm.h */

#define RCV_SHUTDOWN	1u
#define SEND_SHUTDOWN	2u
#define SHUTDOWN_MASK	3u

/* sk_flags bits: the on/off socket options and states. */
enum sock_flag {
	SOCK_DEAD,		/* no struct socket any more */
	SOCK_DONE,
	SOCK_KEEPOPEN,		/* SO_KEEPALIVE */
	SOCK_LINGER,		/* SO_LINGER with a time */
	SOCK_REUSEADDR,
	SOCK_REUSEPORT,
	SOCK_BROADCAST,
	SOCK_V6ONLY,
	SOCK_RCVBUF_LOCK,	/* set by the user: no auto-tuning */
	SOCK_SNDBUF_LOCK,
	SOCK_NOSPACE,		/* a writer waits for sk_write_space */
	SOCK_DBG,		/* SO_DEBUG: kept, means nothing */
	SOCK_LOCALROUTE,	/* SO_DONTROUTE: kept, means nothing */
	SOCK_URGINLINE,		/* SO_OOBINLINE */
	SOCK_NO_CHECK,		/* SO_NO_CHECK */
	SOCK_PASSCRED,		/* SO_PASSCRED: AF_UNIX only */
	SOCK_RECVERR,		/* IP_RECVERR */
	SOCK_RECVERR6,		/* IPV6_RECVERR */
	SOCK_ZEROCOPY,		/* SO_ZEROCOPY */
};

/* Linux's net.core.{r,w}mem_max, and the least that it allows. */
#define SOCK_BUF_MAX	212992
#define SOCK_MIN_SNDBUF	4608
#define SOCK_MIN_RCVBUF	2304

/* sk_rcvtimeo, sk_sndtimeo: over before it begins (a negative time set). */
#define SOCK_TIMEO_PAST	UINT32_MAX

/* sk_lock bits; 0 is free. */
#define SOCK_LOCK_SPIN	1u	/* bh_lock_sock(), and the slow paths */
#define SOCK_LOCK_OWNED	2u	/* a task has it */
#define SOCK_LOCK_WORK	4u	/* backlog or release_cb wait for release */
#define SOCK_LOCK_WANTED 8u	/* another task sleeps until release */

/* What a protocol is, once for all its socks. */
struct proto {
	const char *name;		/* "TCP", "UDP" */
	struct kmem_cache *slab;	/* its sock type, SLAB_ZERO */
	/* Handles one packet; sk lock held or owned. Takes @skb. */
	void (*backlog_rcv)(struct sock *sk, struct sk_buff *skb);
	/*
	 * Work put off with sock_defer_work() while a task owned the sock:
	 * release_sock() calls it with the sock spin-locked and still owned.
	 */
	void (*release_cb)(struct sock *sk);
	/* SO_KEEPALIVE was switched. sk lock; may be NULL. */
	void (*keepalive)(struct sock *sk, bool on);
	/* SO_BINDTODEVICE, sk_bound_dev_if is set. sk lock; may be NULL. */
	void (*bound_dev)(struct sock *sk);
	/* SO_MAX_PACING_RATE, bytes/s. 0, -errno. sk lock; may be NULL. */
	int (*max_pacing)(struct sock *sk, u64 *rate, bool set);
	/* SO_PEERCRED; NULL: there is no process at the other end. */
	struct ucred (*peercred)(struct sock *sk);
	/* Last reference gone: frees what the protocol holds. */
	void (*destruct)(struct sock *sk);
};

/*
 * Locks: c const once hashed, s the sk lock, h hash bucket, a atomic,
 * k SOCK_LOCK_SPIN.
 */
struct __capability("sock") sock {
	/* Lookup: together in the first cache line. */
	struct hlist_node sk_node;	/* h */
	struct ip_addr sk_daddr;	/* c  peer */
	struct ip_addr sk_rcv_saddr;	/* c  our address */
	u16 sk_dport;			/* c  host order, peer */
	u16 sk_num;			/* c  host order, ours */
	u32 sk_hash;			/* c */

	u32 sk_lock;			/* a  SOCK_LOCK_ bits, see above */
	u8 sk_state;			/* s  enum tcp_state, for all kinds */
	u8 sk_shutdown;			/* s  RCV_ and SEND_SHUTDOWN */
	bool sk_v4;			/* c  both addresses are IPv4 (TCP) */
	struct atomic sk_refs;		/* a */
	u8 sk_protocol;			/* c  IPPROTO_ */
	u8 sk_type;			/* c */
	u16 sk_family;			/* c */
	u32 sk_flags;			/* s  1 << enum sock_flag */
	s32 sk_err;			/* s  pending error, positive */
	struct sock_errqueue *sk_errq;	/* s  NULL: nobody asked for one */

	struct sk_buff_head sk_receive_queue;	/* s */
	struct sk_buff *sk_backlog;	/* k  the newest; a ring by next */
	u32 sk_backlog_len;			/* k  truesize */
	s32 sk_rmem_alloc;		/* s  truesize of what is queued in */
	s32 sk_rcvbuf;			/* s */
	s32 sk_wmem_queued;		/* s  truesize of what is queued out */
	s32 sk_sndbuf;			/* s */
	u32 sk_rcvlowat;		/* s */
	u32 sk_lingertime;		/* s  ms */
	u32 sk_rcvtimeo;		/* s  ms, 0: none, SOCK_TIMEO_PAST */
	u32 sk_sndtimeo;		/* s  the same */

	const struct proto *sk_prot;	/* c */
	const struct proto *sk_prot_creator; /* c */
	struct socket *sk_socket;	/* s  NULL: orphan */
	/* The socket's queue; stays NULL for socks never accepted. */
	struct wait_queue_head *sk_wq;	/* s */

	/* The four callbacks. Any context, sk lock held or owned. */
	void (*sk_state_change)(struct sock *sk);	/* c */
	void (*sk_data_ready)(struct sock *sk);	/* c */
	void (*sk_write_space)(struct sock *sk);	/* c */
	void (*sk_error_report)(struct sock *sk);	/* c */

	struct ip_route sk_route;	/* s */
	u8 sk_tos;			/* s */
	u8 sk_ttl;			/* s  0: default */
	s32 sk_bound_dev_if;		/* s  0: any */
	u32 sk_priority;		/* s  kept for getsockopt only */
	u32 sk_mark;			/* s  kept for getsockopt only */
};

/* Part of the 1 KiB that an idle connection may cost in all. */
_Static_assert(sizeof(struct sock) <= 272, "sock grew");

static inline bool sock_flag(const struct sock *sk, enum sock_flag flag)
{
	return sk->sk_flags & 1u << flag;
}

static inline void sock_set_flag(struct sock *sk, enum sock_flag flag)
{
	sk->sk_flags |= 1u << flag;
}

static inline void sock_reset_flag(struct sock *sk, enum sock_flag flag)
{
	sk->sk_flags &= ~(1u << flag);
}

/*
 * The inode number that stat(2) and /proc/net show of @sk, which need not
 * keep one: its address behind a secret factor. Any context.
 */
u32 sock_i_ino(const struct sock *sk);

/* A zeroed sock of @prot's slab with one reference and defaults, or NULL. */
struct sock *sk_alloc(const struct proto *prot, u16 family, u16 type,
		      u8 protocol) __must_check;
/* Sets callbacks, queues and options to what a fresh sock has. */
void sock_init_data(struct socket *sock, struct sock *sk);

/* Ties @sk to @sock: from here on wakeups reach its queue. sk lock. */
void sock_graft(struct sock *sk, struct socket *sock);
/* Unties it: SOCK_DEAD, and nobody is woken any more. sk lock. */
void sock_orphan(struct sock *sk);

static inline void sock_hold(struct sock *sk)
{
	atomic_inc(&sk->sk_refs);
}

/* Nobody has a reference: calls sk_prot->destruct and frees. Any context. */
void sock_free(struct sock *sk);

/* The last reference frees. Any context. */
static inline void sock_put(struct sock *sk)
{
	if (atomic_dec_and_test(&sk->sk_refs))
		sock_free(sk);
}

static inline bool sock_owned_by_user(const struct sock *sk)
{
	return READ_ONCE(sk->sk_lock) & SOCK_LOCK_OWNED;
}

/* The halves of lock_sock() and release_sock() that find it disturbed. */
void lock_sock_slow(struct sock *sk);
void release_sock_slow(struct sock *sk);

/* Task context; sleeps while another task owns the sock. */
static inline void lock_sock(struct sock *sk)
	__acquires(sk) __no_lock_check
{
	u32 is_free = 0;

	might_sleep();
	if (unlikely(!__atomic_compare_exchange_n(
		    &sk->sk_lock, &is_free, SOCK_LOCK_OWNED, false,
		    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		lock_sock_slow(sk);
}

/* Works off the backlog, then release_cb, then wakes who waits for it. */
static inline void release_sock(struct sock *sk)
	__releases(sk) __no_lock_check
{
	u32 owned = SOCK_LOCK_OWNED;

	if (unlikely(!__atomic_compare_exchange_n(
		    &sk->sk_lock, &owned, 0, false, __ATOMIC_RELEASE,
		    __ATOMIC_RELAXED)))
		release_sock_slow(sk);
}

/* Softirq, or softirqs off. */
static inline void bh_lock_sock(struct sock *sk)
	__acquires(sk) __no_lock_check
{
	u32 old = READ_ONCE(sk->sk_lock) & ~SOCK_LOCK_SPIN;

	while (unlikely(!__atomic_compare_exchange_n(
		&sk->sk_lock, &old, old | SOCK_LOCK_SPIN, false,
		__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
		cpu_relax();
		old &= ~SOCK_LOCK_SPIN;
	}
}

static inline void bh_unlock_sock(struct sock *sk)
	__releases(sk) __no_lock_check
{
	__atomic_store_n(&sk->sk_lock, sk->sk_lock & ~SOCK_LOCK_SPIN,
			 __ATOMIC_RELEASE);
}

/* The owner: does release_sock() have more to do than to let go? */
static inline bool sock_has_work(const struct sock *sk)
{
	return READ_ONCE(sk->sk_lock) != SOCK_LOCK_OWNED;
}

/* Asks the owner to call release_cb when it releases. bh lock held. */
static inline void sock_defer_work(struct sock *sk)
{
	WRITE_ONCE(sk->sk_lock, sk->sk_lock | SOCK_LOCK_WORK);
}

/* False (and @skb stays the caller's) if the backlog is full. bh lock held. */
bool sk_add_backlog(struct sock *sk, struct sk_buff *skb) __must_check;

/* Counts @skb as received memory of @sk until it is freed. sk lock. */
void skb_set_owner_r(struct sk_buff *skb, struct sock *sk);

/*
 * Memory is nearly out and @queued says that this sock holds some: it gets no
 * more until that is gone. With nothing queued it may go on, so that every
 * sock makes progress.
 */
static inline bool sk_under_pressure(s32 queued)
{
	return unlikely(READ_ONCE(memory_tight)) && queued;
}

/* Streams: is there room enough to be worth a wakeup (a third is free)? */
static inline bool sk_stream_is_writeable(const struct sock *sk)
{
	s32 queued = READ_ONCE(sk->sk_wmem_queued);

	if (sk_under_pressure(queued))
		return false;
	return READ_ONCE(sk->sk_sndbuf) - queued >= queued >> 1;
}

/*
 * The default callbacks: wake the socket's queue with the poll bits that have
 * become true. sock_def_readable is the seed of every epoll event.
 */
void sock_def_wakeup(struct sock *sk);
void sock_def_readable(struct sock *sk);
void sock_def_write_space(struct sock *sk);	/* datagrams */
void sk_stream_write_space(struct sock *sk);	/* streams: if SOCK_NOSPACE */
void sock_def_error_report(struct sock *sk);

/*
 * Sleeps until @cond(sk) or the time is over, with the sock released
 * meanwhile. *@timeo_ns: ns left, updated; 0 does not wait, KTIME_MAX has no
 * end. 0 when the condition holds; -EAGAIN (time over), -EINTR or, if there
 * was no end, -ERESTARTSYS (signal). lock_sock held, the sock has a socket.
 */
int sk_wait_event(struct sock *sk, u64 *timeo_ns,
		  bool (*cond)(struct sock *sk)) __must_check;
/* The same where one event is for one waiter only: accept. */
int sk_wait_event_exclusive(struct sock *sk, u64 *timeo_ns,
			    bool (*cond)(struct sock *sk)) __must_check;
/* The wait that a call may do, in ns: 0 if nonblocking, else the option. */
u64 sock_rcvtimeo(const struct sock *sk, bool nonblock);
u64 sock_sndtimeo(const struct sock *sk, bool nonblock);

/* Takes and clears sk_err: 0 or -errno. Any context. */
int sock_error(struct sock *sk);

/*
 * SOL_SOCKET options that mean the same for every protocol, with Linux's
 * rules and errno. @val is kernel memory. Task; take the sk lock.
 */
int sock_setsockopt(struct sock *sk, int optname, const void *val, u32 len);
/* *@len: in, room at @val; out, bytes filled. */
int sock_getsockopt(struct sock *sk, int optname, void *val, u32 *len);

void sock_init(void);
