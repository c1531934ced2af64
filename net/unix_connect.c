/*
 * Connections of AF_UNIX: listen, connect, accept, pairs and the end of a
 * sock. A connect makes the server's end at once, an embryo in the listener's
 * list; accept only picks it up. Task context.
 */
#include "net/unix_internal.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "net/tcp/tcp.h"

/* A name is needed by who asks for credentials: to be answered. */
static int autobind_if_asked(struct unix_sock *u)
{
	if (!sock_flag(&u->sk, SOCK_PASSCRED))
		return 0;
	return unix_autobind(u);
}

int unix_listen(struct socket *sock, int backlog)
{
	struct unix_sock *u = unix_sk(sock->sk);
	struct ucred creds = scm_own_creds();
	int err = 0;

	if (!unix_connected_type(u))
		return -EOPNOTSUPP;
	spin_lock(&unix_lock);
	if (!u->addr || (u->sk.sk_state != TCP_CLOSE &&
			 u->sk.sk_state != TCP_LISTEN)) {
		err = -EINVAL;
	} else {
		WRITE_ONCE(u->max_qlen, (u32)backlog);
		WRITE_ONCE(u->sk.sk_state, TCP_LISTEN);
		u->peercred = creds;
		unix_wake_peers(u);
	}
	spin_unlock(&unix_lock);
	return err;
}

/* ---- streams: connect and accept ---- */

static bool has_room(const struct unix_sock *u, const struct unix_sock *other)
{
	(void)u;
	return !unix_queue_full(other) ||
	       READ_ONCE(other->sk.sk_shutdown) & RCV_SHUTDOWN;
}

/* Joins @u with listening @other; @embryo is the other end. unix_lock. */
static int join_listener(struct unix_sock *u, struct unix_sock *other,
			 struct unix_sock *embryo)
	__must_hold(unix_lock)
{
	if (other->sk.sk_state != TCP_LISTEN ||
	    other->sk.sk_shutdown & RCV_SHUTDOWN)
		return -ECONNREFUSED;
	if (unix_queue_full(other))
		return -EAGAIN;
	if (u->sk.sk_state == TCP_ESTABLISHED)
		return -EISCONN;
	if (u->sk.sk_state != TCP_CLOSE)
		return -EINVAL;
	atomic_inc(&other->addr->refs);
	embryo->addr = other->addr;
	embryo->peercred = scm_own_creds();
	embryo->sk.sk_state = TCP_ESTABLISHED;
	unix_set_peer(embryo, u);
	u->peercred = other->peercred;
	u->sk.sk_state = TCP_ESTABLISHED;
	u->sk.sk_socket->state = SS_CONNECTED;
	unix_set_peer(u, embryo);
	list_add_tail(&embryo->embryo_link, &other->embryos);
	WRITE_ONCE(other->qlen, other->qlen + 1);
	other->sk.sk_data_ready(&other->sk);
	return 0;
}

/* One attempt, and a wait for room; 1: try again. */
static int try_connect(struct unix_sock *u, struct unix_sock *other,
		       struct unix_sock *embryo, u64 *timeo)
{
	int err;

	spin_lock(&unix_lock);
	err = join_listener(u, other, embryo);
	spin_unlock(&unix_lock);
	if (err != -EAGAIN || !*timeo)
		return err;
	err = unix_wait(&other->peer_wait, timeo, true, has_room, u, other);
	return err ? err : 1;
}

int unix_stream_connect(struct socket *sock, struct sockaddr_storage *addr,
			u32 len, bool nonblock)
{
	struct unix_sock *u = unix_sk(sock->sk), *other, *embryo;
	u64 timeo = sock_sndtimeo(sock->sk, nonblock);
	int err = unix_check_addr(addr, len);

	if (!err)
		err = autobind_if_asked(u);
	if (err)
		return err;
	embryo = unix_new_sock(sock->type);
	if (!embryo)
		return -ENOMEM;
	do {
		other = unix_find(addr, len, sock->type, &err);
		if (!other)
			break;
		err = try_connect(u, other, embryo, &timeo);
		sock_put(&other->sk);
	} while (err > 0);
	if (err)
		sock_put(&embryo->sk);
	return err;
}

static bool may_accept(const struct unix_sock *u,
		       const struct unix_sock *other)
{
	(void)other;
	return READ_ONCE(u->qlen) ||
	       READ_ONCE(u->sk.sk_shutdown) & RCV_SHUTDOWN;
}

/* The next connection for @newsock. unix_lock. */
static int take_embryo(struct unix_sock *u, struct socket *newsock)
	__must_hold(unix_lock)
{
	struct unix_sock *embryo;

	if (u->sk.sk_state != TCP_LISTEN)
		return -EINVAL;
	if (list_empty(&u->embryos))
		return -EAGAIN;
	embryo = list_first_entry(&u->embryos, struct unix_sock, embryo_link);
	list_del_init(&embryo->embryo_link);
	WRITE_ONCE(u->qlen, u->qlen - 1);
	sock_graft(&embryo->sk, newsock);
	newsock->state = SS_CONNECTED;
	unix_wake_peers(u);
	return 0;
}

int unix_accept(struct socket *sock, struct socket *newsock, bool nonblock)
{
	struct unix_sock *u = unix_sk(sock->sk);
	u64 timeo = sock_rcvtimeo(sock->sk, nonblock);
	int err;

	if (!unix_connected_type(u))
		return -EOPNOTSUPP;
	for (;;) {
		spin_lock(&unix_lock);
		err = take_embryo(u, newsock);
		spin_unlock(&unix_lock);
		if (err != -EAGAIN || !timeo)
			return err;
		/* Nothing will come: said to who would wait only. */
		if (READ_ONCE(u->sk.sk_shutdown) & RCV_SHUTDOWN)
			return -EINVAL;
		err = unix_wait(&sock->wq, &timeo, true, may_accept, u, NULL);
		if (err)
			return err;
	}
}

/* ---- datagrams: connect is a choice of peer ---- */

/*
 * @u's peer was @old. What it sent and is not read yet is gone; it hears of
 * it if @u was its peer as well. Packets to be freed go to @dead. unix_lock.
 */
static void dgram_disconnected(struct unix_sock *u, struct unix_sock *old,
			       struct list_head *dead)
	__must_hold(unix_lock)
{
	list_splice_init(&u->sk.sk_receive_queue.list, dead);
	u->sk.sk_receive_queue.qlen = 0;
	WRITE_ONCE(u->qlen, 0);
	unix_wake_peers(u);
	if (!sock_flag(&old->sk, SOCK_DEAD) && old->peer == u) {
		WRITE_ONCE(old->sk.sk_err, ECONNRESET);
		old->sk.sk_error_report(&old->sk);
	}
	old->sk.sk_state = TCP_CLOSE;
}

/* Makes @other (NULL: nobody) the peer of @u. */
static int dgram_set_peer(struct unix_sock *u, struct unix_sock *other)
{
	struct unix_sock *old = NULL;
	struct sk_buff *skb, *next;
	LIST_HEAD(dead);
	int err = 0;

	spin_lock(&unix_lock);
	if (other && other->peer && other->peer != u) {
		err = -EPERM;
	} else {
		old = unix_clear_peer(u);
		u->sk.sk_state = other ? TCP_ESTABLISHED : TCP_CLOSE;
		if (other) {
			other->sk.sk_state = TCP_ESTABLISHED;
			unix_set_peer(u, other);
		}
		if (old && old != other)
			dgram_disconnected(u, old, &dead);
		u->sk.sk_write_space(&u->sk);
	}
	spin_unlock(&unix_lock);
	list_for_each_entry_safe(skb, next, &dead, list)
		unix_free_skb(skb);
	if (old)
		sock_put(&old->sk);
	return err;
}

int unix_dgram_connect(struct socket *sock, struct sockaddr_storage *addr,
		       u32 len, bool nonblock)
{
	struct unix_sock *u = unix_sk(sock->sk), *other;
	int err;

	(void)nonblock;
	if (len < sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family == AF_UNSPEC)
		return dgram_set_peer(u, NULL);
	err = unix_check_addr(addr, len);
	if (!err)
		err = autobind_if_asked(u);
	if (err)
		return err;
	other = unix_find(addr, len, sock->type, &err);
	if (!other)
		return err;
	err = dgram_set_peer(u, other);
	sock_put(&other->sk);
	return err;
}

int unix_socketpair(struct socket *a, struct socket *b)
{
	struct unix_sock *ua = unix_sk(a->sk), *ub = unix_sk(b->sk);

	spin_lock(&unix_lock);
	unix_set_peer(ua, ub);
	unix_set_peer(ub, ua);
	ua->peercred = ub->peercred = scm_own_creds();
	ua->sk.sk_state = TCP_ESTABLISHED;
	ub->sk.sk_state = TCP_ESTABLISHED;
	a->state = SS_CONNECTED;
	b->state = SS_CONNECTED;
	spin_unlock(&unix_lock);
	return 0;
}

/* ---- the end ---- */

/* What the other end learns: no more in either direction. unix_lock. */
static void tell_peer(struct unix_sock *peer, bool unread)
{
	struct sock *sk = &peer->sk;

	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (unread)
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	sk->sk_state_change(sk);
}

/*
 * Takes @u off everything; what is to be freed without the lock goes to
 * @dead and @embryos. Returns the peer, whose reference is the caller's.
 */
static struct unix_sock *detach(struct unix_sock *u, bool embryo,
				struct list_head *dead,
				struct list_head *embryos)
{
	struct sock *sk = &u->sk;
	struct unix_sock *peer;

	spin_lock(&unix_lock);
	unix_unhash(u);
	sock_orphan(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	unix_wake_peers(u);
	peer = unix_clear_peer(u);
	if (peer && unix_connected_type(u))
		tell_peer(peer, embryo ||
				!skb_queue_empty(&sk->sk_receive_queue));
	list_splice_init(&sk->sk_receive_queue.list, dead);
	sk->sk_receive_queue.qlen = 0;
	list_splice_init(&u->embryos, embryos);
	spin_unlock(&unix_lock);
	return peer;
}

/* An embryo has none itself. */
static void release_embryo(struct unix_sock *u)
{
	struct sk_buff *skb, *next;
	struct unix_sock *peer;
	LIST_HEAD(embryos);
	LIST_HEAD(dead);

	peer = detach(u, true, &dead, &embryos);
	list_for_each_entry_safe(skb, next, &dead, list)
		unix_free_skb(skb);
	if (peer)
		sock_put(&peer->sk);
	sock_put(&u->sk);
}

void unix_release_sock(struct unix_sock *u)
{
	struct unix_sock *peer, *embryo, *more;
	struct sk_buff *skb, *next;
	LIST_HEAD(embryos);
	LIST_HEAD(dead);

	peer = detach(u, false, &dead, &embryos);
	list_for_each_entry_safe(skb, next, &dead, list)
		unix_free_skb(skb);
	list_for_each_entry_safe(embryo, more, &embryos, embryo_link)
		release_embryo(embryo);
	if (peer)
		sock_put(&peer->sk);
	sock_put(&u->sk);
	unix_collect();
}
