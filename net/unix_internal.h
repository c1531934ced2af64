/*
 * What the files of AF_UNIX share.
 *
 * LOCKING: one spinlock, unix_lock, guards all links between socks (peers,
 * names, embryos), their receive queues, states and wakeups: it is held for a
 * few instructions, never across a user copy, an allocation or a sleep, and
 * only in task context. u->iolock, taken before it, keeps readers of one
 * stream apart while they copy. Wait-queue locks are inside unix_lock. A file
 * or a packet is never freed under it (both call back into AF_UNIX).
 */
#pragma once

#include "kernel/atomic.h"
#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/mutex.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"
#include "kernel/wait.h"
#include "net/scm.h"
#include "net/skbuff.h"
#include "net/sock.h"
#include "net/socket.h"

#define UNIX_PATH_MAX	108u
#define UNIX_NAME_OFF	2u	/* sun_path in struct sockaddr_un */

/* A name; bound socks and those accepted from them share it. */
struct unix_addr {
	struct atomic refs;
	u32 len;		/* bytes of @sun that count */
	u64 key;		/* path names: of the inode; else a hash */
	bool path;		/* in the file system, not abstract */
	u8 sun[UNIX_NAME_OFF + UNIX_PATH_MAX + 1]; /* struct sockaddr_un */
};

/* Locks: c const, u unix_lock, a atomic, i iolock. */
struct unix_sock {
	struct sock sk;			/* first; sk_node: u, among names */
	struct unix_addr *addr;		/* u  set once; NULL: no name */
	struct unix_sock *peer;		/* u  a reference */
	struct list_head peers;		/* u  those whose peer this is */
	struct list_head peer_link;	/* u  in peer->peers */
	struct list_head embryos;	/* u  listener: not yet accepted */
	struct list_head embryo_link;	/* u */
	u32 qlen;			/* u  embryos or datagrams queued */
	u32 max_qlen;			/* u  and how many may be */
	bool wait_peer;			/* u  wake when the peer has room */
	bool gc_candidate;		/* u  see unix_gc.c */
	u32 inflight;			/* u  references in queues */
	u32 gc_refs;			/* u */
	struct list_head inflight_link;	/* u  if inflight */
	struct ucred peercred;		/* u */
	struct atomic wmem;		/* a  truesize of what is not read */
	struct wait_queue_head peer_wait; /* senders, connectors: room here */
	struct mutex iolock;
};

/* What sk_buff.cb holds: files and sender. Guarded as the queue is. */
struct unix_cb {
	struct scm_fp_list *fp;
	struct ucred creds;
	bool have_creds;
};

extern struct spinlock unix_lock;

static inline struct unix_sock *unix_sk(const struct sock *sk)
{
	return container_of((struct sock *)sk, struct unix_sock, sk);
}

static inline struct unix_cb *unix_cb(struct sk_buff *skb)
{
	return (struct unix_cb *)(void *)skb->cb;
}

/* A stream or packets on a connection. */
static inline bool unix_connected_type(const struct unix_sock *u)
{
	return u->sk.sk_type != SOCK_DGRAM;
}

/* unix_lock or a single look. */
static inline bool unix_queue_full(const struct unix_sock *u)
{
	return READ_ONCE(u->qlen) > READ_ONCE(u->max_qlen);
}

/* Room for enough to be worth an event (Linux: a quarter is used). */
static inline bool unix_writable(const struct unix_sock *u)
{
	return (u32)atomic_read(&u->wmem) * 4u <=
	       (u32)READ_ONCE(u->sk.sk_sndbuf);
}

/* ---- unix.c ---- */

/* A sock of @type with one reference; NULL: no memory. */
struct unix_sock *unix_new_sock(u16 type) __must_check;
/* The peer with a reference, or NULL. */
struct unix_sock *unix_peer_get(struct unix_sock *u);
/* Makes @peer (a reference is taken) the peer of @u. unix_lock. */
void unix_set_peer(struct unix_sock *u, struct unix_sock *peer)
	__must_hold(unix_lock);
/* The old peer, whose reference is now the caller's, or NULL. unix_lock. */
struct unix_sock *unix_clear_peer(struct unix_sock *u) __must_hold(unix_lock);
/* Wakes who waits to send to @u or to connect to it. unix_lock. */
void unix_wake_peers(struct unix_sock *u) __must_hold(unix_lock);
/*
 * Sleeps on @wq until ready(u, other). *@timeo as in sk_wait_event(), whose
 * results it has too. No locks; @ready takes none that sleeps. Task.
 */
int unix_wait(struct wait_queue_head *wq, u64 *timeo, bool exclusive,
	      bool (*ready)(const struct unix_sock *u,
			    const struct unix_sock *other),
	      const struct unix_sock *u, const struct unix_sock *other)
	__must_check;

/* ---- unix_name.c ---- */

/* Right in length and family? 0 or -EINVAL. */
int unix_check_addr(const struct sockaddr_storage *addr, u32 len)
	__must_check;
int unix_bind(struct socket *sock, struct sockaddr_storage *addr, u32 len);
/* A name for a sock that has none: 0, -ENOMEM, -ENOSPC. */
int unix_autobind(struct unix_sock *u) __must_check;
/* Whoever has the name, with a reference; or NULL and *@err. */
struct unix_sock *unix_find(const struct sockaddr_storage *addr, u32 len,
			    u16 type, int *err);
/* Takes @u's name out of the table; it keeps it. unix_lock. */
void unix_unhash(struct unix_sock *u) __must_hold(unix_lock);
void unix_addr_put(struct unix_addr *addr);
/* The name as a struct sockaddr_un; its length, 0 if @u has none. */
u32 unix_copy_addr(const struct unix_sock *u, struct sockaddr_storage *addr);

/* ---- unix_connect.c ---- */

int unix_listen(struct socket *sock, int backlog);
int unix_accept(struct socket *sock, struct socket *newsock, bool nonblock);
int unix_stream_connect(struct socket *sock, struct sockaddr_storage *addr,
			u32 len, bool nonblock);
int unix_dgram_connect(struct socket *sock, struct sockaddr_storage *addr,
		       u32 len, bool nonblock);
int unix_socketpair(struct socket *a, struct socket *b);
/* Ends @u, whose file is gone. Takes the reference. */
void unix_release_sock(struct unix_sock *u);

/* ---- unix_msg.c ---- */

/*
 * @len bytes of @msg as a packet that counts as @u's; -ENOBUFS, -EFAULT.
 */
int unix_read_msg(struct unix_sock *u, struct msghdr *msg, u32 len,
		  struct sk_buff **out) __must_check;
/* Waits until @u may have more bytes under way. 0 or -errno. */
int unix_wait_room(struct unix_sock *u, u64 *timeo) __must_check;
/*
 * Hands @skb, with what @scm holds (the files move), to @other. unix_lock.
 */
void unix_queue(struct unix_sock *u, struct unix_sock *other,
		struct sk_buff *skb, struct scm_cookie *scm)
	__must_hold(unix_lock);
/* Credentials that a message carries because somebody asked for them. */
void unix_maybe_creds(const struct unix_sock *u,
		      const struct unix_sock *other, struct scm_cookie *scm);
/* Files of @skb into @scm: moved, or (@peek) copied. */
void unix_take_files(struct sk_buff *skb, struct scm_cookie *scm, bool peek);
/* Frees @skb, in no queue, with its files. Task, no locks. */
void unix_free_skb(struct sk_buff *skb);

ssize_t unix_stream_sendmsg(struct socket *sock, struct msghdr *msg,
			    bool nonblock);
ssize_t unix_stream_recvmsg(struct socket *sock, struct msghdr *msg,
			    bool nonblock);
ssize_t unix_dgram_sendmsg(struct socket *sock, struct msghdr *msg,
			   bool nonblock);
ssize_t unix_dgram_recvmsg(struct socket *sock, struct msghdr *msg,
			   bool nonblock);
ssize_t unix_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
			       bool nonblock);
ssize_t unix_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
			       bool nonblock);

/* ---- unix_gc.c ---- */

/* The files of @fp are now in a queue, or no longer. unix_lock. */
void unix_inflight(struct scm_fp_list *fp) __must_hold(unix_lock);
void unix_notinflight(struct scm_fp_list *fp) __must_hold(unix_lock);
/* @fp (in no queue any more) is given back by the next unix_collect(). */
void unix_dispose(struct scm_fp_list *fp) __must_hold(unix_lock);
/*
 * Gives back what was disposed of, and what only queues that nobody can read
 * still hold. Task, no locks, may sleep.
 */
void unix_collect(void);
/* The same, if so much is under way that some of it may be garbage. */
void unix_collect_if_many(void);
