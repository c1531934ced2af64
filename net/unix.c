/*
 * AF_UNIX: the family, its socks, peers and waits, and the small operations
 * of its sockets; net/unix_name.c, net/unix_connect.c, net/unix_stream.c and
 * net/unix_dgram.c have the large ones. Task context throughout.
 */
#include "net/unix.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/poll.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/tcp/tcp.h"
#include "net/unix_internal.h"

#define MAX_DGRAM_QLEN	10	/* Linux's net.unix.max_dgram_qlen */

#define FIONREAD	0x541b
#define TIOCOUTQ	0x5411

struct spinlock unix_lock = SPINLOCK_INIT;

/* ---- socks ---- */

static void unix_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	(void)sk;
	kfree_skb(skb);
}

static void unix_destruct(struct sock *sk)
{
	unix_addr_put(unix_sk(sk)->addr);
}

static struct ucred unix_peercred(struct sock *sk)
{
	struct ucred creds;

	spin_lock(&unix_lock);
	creds = unix_sk(sk)->peercred;
	spin_unlock(&unix_lock);
	return creds;
}

static struct proto unix_prot = {
	.name = "UNIX",
	.backlog_rcv = unix_backlog_rcv,
	.destruct = unix_destruct,
	.peercred = unix_peercred,
};

/* Any context in which the sock has a file, or unix_lock. */
static void unix_write_space(struct sock *sk)
{
	if (unix_writable(unix_sk(sk)) && sk->sk_wq &&
	    wq_has_sleeper(sk->sk_wq))
		wake_up_poll(sk->sk_wq, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
}

struct unix_sock *unix_new_sock(u16 type)
{
	struct sock *sk = sk_alloc(&unix_prot, AF_UNIX, type, 0);
	struct unix_sock *u;

	if (!sk)
		return NULL;
	u = unix_sk(sk);
	sk->sk_write_space = unix_write_space;
	INIT_LIST_HEAD(&u->peers);
	INIT_LIST_HEAD(&u->peer_link);
	INIT_LIST_HEAD(&u->embryos);
	INIT_LIST_HEAD(&u->embryo_link);
	u->max_qlen = MAX_DGRAM_QLEN;
	u->peercred = UCRED_NONE;
	init_waitqueue_head(&u->peer_wait);
	mutex_init(&u->iolock);
	return u;
}

/* ---- peers ---- */

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *peer;

	spin_lock(&unix_lock);
	peer = u->peer;
	if (peer)
		sock_hold(&peer->sk);
	spin_unlock(&unix_lock);
	return peer;
}

void unix_set_peer(struct unix_sock *u, struct unix_sock *peer)
{
	sock_hold(&peer->sk);
	WRITE_ONCE(u->peer, peer);
	list_add_tail(&u->peer_link, &peer->peers);
}

struct unix_sock *unix_clear_peer(struct unix_sock *u)
{
	struct unix_sock *peer = u->peer;

	if (peer)
		list_del_init(&u->peer_link);
	WRITE_ONCE(u->peer, NULL);
	u->wait_peer = false;
	return peer;
}

/*
 * Senders that sleep are in peer_wait; those that poll watch their own queue
 * and have said so by wait_peer.
 */
void unix_wake_peers(struct unix_sock *u)
{
	struct unix_sock *other;

	if (wq_has_sleeper(&u->peer_wait))
		wake_up_all(&u->peer_wait);
	list_for_each_entry(other, &u->peers, peer_link) {
		if (!other->wait_peer)
			continue;
		other->wait_peer = false;
		other->sk.sk_write_space(&other->sk);
	}
}

int unix_wait(struct wait_queue_head *wq, u64 *timeo, bool exclusive,
	      bool (*ready)(const struct unix_sock *u,
			    const struct unix_sock *other),
	      const struct unix_sock *u, const struct unix_sock *other)
{
	u64 now = *timeo == KTIME_MAX ? 0 : ktime_get_ns();
	u64 deadline = *timeo > KTIME_MAX - now ? KTIME_MAX : now + *timeo;
	struct wait_queue_entry wait;
	bool over = false;
	int err = 0;

	init_wait(&wait);
	for (;;) {
		if (exclusive)
			prepare_to_wait_exclusive(wq, &wait,
						  TASK_INTERRUPTIBLE);
		else
			prepare_to_wait(wq, &wait, TASK_INTERRUPTIBLE);
		/* What it looks at is published before the wakeup. */
		if (ready(u, other))
			break;
		if (over)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = deadline == KTIME_MAX ? -ERESTARTSYS : -EINTR;
		if (err)
			break;
		over = !schedule_hrtimeout_range(deadline, 0);
	}
	finish_wait(wq, &wait);
	if (deadline != KTIME_MAX) {
		now = ktime_get_ns();
		*timeo = now < deadline ? deadline - now : 0;
	}
	return err;
}

/* ---- operations ---- */

static int unix_release(struct socket *sock)
{
	struct unix_sock *u = unix_sk(sock->sk);

	unix_release_sock(u);
	sock->sk = NULL;
	return 0;
}

static int unix_getname(struct socket *sock, struct sockaddr_storage *addr,
			bool peer)
{
	struct unix_sock *u = unix_sk(sock->sk), *other = NULL;
	u32 len;

	if (peer) {
		other = unix_peer_get(u);
		if (!other)
			return -ENOTCONN;
	}
	len = unix_copy_addr(other ? other : u, addr);
	if (other)
		sock_put(&other->sk);
	if (!len) {
		addr->ss_family = AF_UNIX;
		len = UNIX_NAME_OFF;
	}
	return (int)len;
}

/* As on Linux it always succeeds; a connection's other end feels it too. */
static int unix_shutdown(struct socket *sock, int how)
{
	struct unix_sock *u = unix_sk(sock->sk);
	struct sock *sk = sock->sk;
	u8 mode = (u8)(how + 1), theirs = 0;

	if (mode & RCV_SHUTDOWN)
		theirs |= SEND_SHUTDOWN;
	if (mode & SEND_SHUTDOWN)
		theirs |= RCV_SHUTDOWN;
	spin_lock(&unix_lock);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | mode);
	if (u->peer && unix_connected_type(u)) {
		struct sock *peer = &u->peer->sk;

		WRITE_ONCE(peer->sk_shutdown, peer->sk_shutdown | theirs);
		peer->sk_state_change(peer);
	}
	sk->sk_state_change(sk);
	unix_wake_peers(u);
	spin_unlock(&unix_lock);
	return 0;
}

/* What holds for every type, but for writing. */
static u32 poll_common(const struct unix_sock *u)
{
	u8 shutdown = READ_ONCE(u->sk.sk_shutdown);
	u8 state = READ_ONCE(u->sk.sk_state);
	u32 mask = 0;

	if (READ_ONCE(u->sk.sk_err))
		mask |= EPOLLERR;
	if (shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(u->sk.sk_receive_queue.qlen) ||
	    (state == TCP_LISTEN && READ_ONCE(u->qlen)))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (unix_connected_type(u) && state == TCP_CLOSE)
		mask |= EPOLLHUP;
	return mask;
}

static u32 unix_poll(struct socket *sock)
{
	const struct unix_sock *u = unix_sk(sock->sk);
	u32 mask = poll_common(u);

	if (READ_ONCE(u->sk.sk_state) != TCP_LISTEN && unix_writable(u))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

/* A peer that does not answer us limits how much may wait for it. */
static bool peer_has_room(struct unix_sock *u)
{
	bool room = true;

	spin_lock(&unix_lock);
	if (u->peer && u->peer->peer != u && unix_queue_full(u->peer)) {
		u->wait_peer = true;
		room = false;
	}
	spin_unlock(&unix_lock);
	return room;
}

static u32 unix_dgram_poll(struct socket *sock)
{
	struct unix_sock *u = unix_sk(sock->sk);
	u32 mask = poll_common(u);

	if (READ_ONCE(u->sk.sk_state) != TCP_LISTEN && unix_writable(u) &&
	    (!READ_ONCE(u->peer) || peer_has_room(u)))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

/* Bytes that are there: of all, or of the first datagram. unix_lock. */
static int bytes_queued(const struct unix_sock *u)
{
	const struct sk_buff *skb;
	u32 n = 0;

	list_for_each_entry(skb, &u->sk.sk_receive_queue.list, list) {
		n += skb->len;
		if (!unix_connected_type(u))
			break;
	}
	return (int)n;
}

static int unix_ioctl(struct socket *sock, unsigned int cmd, int *val)
{
	const struct unix_sock *u = unix_sk(sock->sk);

	switch (cmd) {
	case FIONREAD:
		if (READ_ONCE(u->sk.sk_state) == TCP_LISTEN)
			return -EINVAL;
		spin_lock(&unix_lock);
		*val = bytes_queued(u);
		spin_unlock(&unix_lock);
		return 0;
	case TIOCOUTQ:
		*val = (int)atomic_read(&u->wmem);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* ---- the family ---- */

static const struct proto_ops unix_stream_ops = {
	.family = AF_UNIX,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.socketpair = unix_socketpair,
	.listen = unix_listen,
	.accept = unix_accept,
	.getname = unix_getname,
	.poll = unix_poll,
	.sendmsg = unix_stream_sendmsg,
	.recvmsg = unix_stream_recvmsg,
	.shutdown = unix_shutdown,
	.ioctl = unix_ioctl,
};

static const struct proto_ops unix_dgram_ops = {
	.family = AF_UNIX,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_dgram_connect,
	.socketpair = unix_socketpair,
	.listen = unix_listen,
	.accept = unix_accept,
	.getname = unix_getname,
	.poll = unix_dgram_poll,
	.sendmsg = unix_dgram_sendmsg,
	.recvmsg = unix_dgram_recvmsg,
	.shutdown = unix_shutdown,
	.ioctl = unix_ioctl,
};

static const struct proto_ops unix_seqpacket_ops = {
	.family = AF_UNIX,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.socketpair = unix_socketpair,
	.listen = unix_listen,
	.accept = unix_accept,
	.getname = unix_getname,
	.poll = unix_dgram_poll,
	.sendmsg = unix_seqpacket_sendmsg,
	.recvmsg = unix_seqpacket_recvmsg,
	.shutdown = unix_shutdown,
	.ioctl = unix_ioctl,
};

static int unix_create(struct socket *sock, u16 type, int protocol)
{
	struct unix_sock *u;

	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)	/* as on Linux and BSD */
		type = SOCK_DGRAM;
	switch (type) {
	case SOCK_STREAM:
		sock->ops = &unix_stream_ops;
		break;
	case SOCK_DGRAM:
		sock->ops = &unix_dgram_ops;
		break;
	case SOCK_SEQPACKET:
		sock->ops = &unix_seqpacket_ops;
		break;
	default:
		return -ESOCKTNOSUPPORT;
	}
	sock->type = type;
	u = unix_new_sock(type);
	if (!u)
		return -ENOMEM;
	sock_graft(&u->sk, sock);
	return 0;
}

static const struct net_proto_family unix_family = {
	.family = AF_UNIX,
	.create = unix_create,
};

void unix_init(void)
{
	unix_prot.slab = kmem_cache_create("UNIX", sizeof(struct unix_sock), 0,
					   SLAB_ZERO);
	if (!unix_prot.slab || sock_register(&unix_family))
		panic("no memory for AF_UNIX: give the machine more");
}
