/*
 * SOCK_DGRAM and SOCK_SEQPACKET of AF_UNIX: messages with bounds, to a name
 * or to the peer. A receiver that does not answer its sender takes only so
 * many; further senders wait for it. Task context.
 */
#include "net/unix_internal.h"

#include "kernel/errno.h"
#include "net/tcp/tcp.h"

/* ---- out ---- */

static bool peer_ready(const struct unix_sock *u,
		       const struct unix_sock *other)
{
	(void)u;
	return !unix_queue_full(other) ||
	       READ_ONCE(other->sk.sk_shutdown) & RCV_SHUTDOWN ||
	       READ_ONCE(other->sk.sk_flags) & 1u << SOCK_DEAD;
}

/* The peer is gone. *@peer, if any, is a reference to be given back. */
static int peer_died(struct unix_sock *u, struct unix_sock *other,
		     struct unix_sock **peer)
	__must_hold(unix_lock)
{
	if (u->peer == other) {
		*peer = unix_clear_peer(u);
		u->sk.sk_state = TCP_CLOSE;
	}
	return -ECONNREFUSED;
}

/* Hands @skb over, or says why not; -EAGAIN: no room. unix_lock. */
static int dgram_queue(struct unix_sock *u, struct unix_sock *other,
		       struct sk_buff *skb, struct scm_cookie *scm,
		       struct unix_sock **peer)
	__must_hold(unix_lock)
{
	if (other->peer && other->peer != u)
		return -EPERM;
	if (sock_flag(&other->sk, SOCK_DEAD))
		return peer_died(u, other, peer);
	if (other->sk.sk_shutdown & RCV_SHUTDOWN)
		return -EPIPE;
	if (other != u && other->peer != u && unix_queue_full(other)) {
		u->wait_peer |= u->peer == other;
		return -EAGAIN;
	}
	unix_queue(u, other, skb, scm);
	return 0;
}

/* The same, waiting for room. Takes @skb only if it succeeds. */
static int dgram_deliver(struct unix_sock *u, struct unix_sock *other,
			 struct sk_buff *skb, struct scm_cookie *scm,
			 u64 timeo)
{
	struct unix_sock *peer = NULL;
	int err;

	for (;;) {
		spin_lock(&unix_lock);
		err = dgram_queue(u, other, skb, scm, &peer);
		spin_unlock(&unix_lock);
		if (peer)
			sock_put(&peer->sk);
		if (err != -EAGAIN || !timeo)
			return err;
		err = unix_wait(&other->peer_wait, &timeo, true, peer_ready,
				u, other);
		if (err)
			return err;
	}
}

/* To whom: the name's owner, or the peer; with a reference, or *@err. */
static struct unix_sock *dgram_target(struct unix_sock *u,
				      const struct msghdr *msg, int *err)
{
	struct unix_sock *other;

	if (msg->msg_namelen)
		return unix_find(msg->msg_name, msg->msg_namelen,
				 u->sk.sk_type, err);
	other = unix_peer_get(u);
	if (!other)
		*err = -ENOTCONN;
	return other;
}

/* Errors that need no packet, in Linux's order. */
static int dgram_check(struct unix_sock *u, const struct msghdr *msg)
{
	int err = 0;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (msg->msg_namelen)
		err = unix_check_addr(msg->msg_name, msg->msg_namelen);
	else if (!READ_ONCE(u->peer))
		err = -ENOTCONN;
	if (!err && sock_flag(&u->sk, SOCK_PASSCRED))
		err = unix_autobind(u);
	if (!err && msg->msg_iter.count + 32 > (size_t)u->sk.sk_sndbuf)
		err = -EMSGSIZE;
	return err;
}

static ssize_t dgram_send(struct unix_sock *u, struct msghdr *msg,
			  struct scm_cookie *scm, u64 timeo)
{
	u32 len = (u32)msg->msg_iter.count;
	struct unix_sock *other;
	struct sk_buff *skb;
	int err = dgram_check(u, msg);

	if (!err)
		err = unix_wait_room(u, &timeo);
	if (!err)
		err = unix_read_msg(u, msg, len, &skb);
	if (err)
		return err;
	other = dgram_target(u, msg, &err);
	if (other) {
		err = dgram_deliver(u, other, skb, scm, timeo);
		sock_put(&other->sk);
	}
	if (err)
		unix_free_skb(skb);
	return err ? err : (ssize_t)len;
}

ssize_t unix_dgram_sendmsg(struct socket *sock, struct msghdr *msg,
			   bool nonblock)
{
	struct scm_cookie scm;
	ssize_t ret = scm_send(msg, &scm);

	if (ret)
		return ret;
	if (scm.fp)
		unix_collect_if_many();
	ret = dgram_send(unix_sk(sock->sk), msg, &scm,
			 sock_sndtimeo(sock->sk, nonblock));
	scm_destroy(&scm);
	return ret;
}

ssize_t unix_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
			       bool nonblock)
{
	int err = sock_error(sock->sk);

	if (err)
		return err;
	if (READ_ONCE(sock->sk->sk_state) != TCP_ESTABLISHED)
		return -ENOTCONN;
	msg->msg_namelen = 0;
	return unix_dgram_sendmsg(sock, msg, nonblock);
}

/* ---- in ---- */

static bool something_to_tell(const struct unix_sock *u,
			      const struct unix_sock *other)
{
	(void)other;
	return READ_ONCE(u->sk.sk_receive_queue.qlen) ||
	       READ_ONCE(u->sk.sk_err) ||
	       READ_ONCE(u->sk.sk_shutdown) & RCV_SHUTDOWN;
}

/* The first message, still in the queue, or NULL. */
static struct sk_buff *first_message(struct unix_sock *u)
{
	struct sk_buff *skb;

	spin_lock(&unix_lock);
	skb = skb_peek(&u->sk.sk_receive_queue);
	spin_unlock(&unix_lock);
	return skb;
}

/*
 * Waits for a message and returns with iolock and the message, or without
 * both and *@err: 0 at the end.
 */
static struct sk_buff *wait_message(struct unix_sock *u, u64 timeo, int *err)
	__no_lock_check
{
	struct sock *sk = &u->sk;

	for (;;) {
		struct sk_buff *skb;

		mutex_lock(&u->iolock);
		*err = sock_error(sk);
		skb = *err ? NULL : first_message(u);
		if (skb)
			return skb;
		mutex_unlock(&u->iolock);
		if (*err)
			return NULL;
		/* A shutdown ends a wait; only of packets it is the end. */
		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN &&
		    (timeo || unix_connected_type(u)))
			return NULL;
		*err = timeo ? unix_wait(&sk->sk_socket->wq, &timeo, true,
					 something_to_tell, u, NULL) :
			       -EAGAIN;
		if (*err)
			return NULL;
	}
}

/* @skb was read: it goes, and there is room for another. */
static void drop_message(struct unix_sock *u, struct sk_buff *skb)
{
	spin_lock(&unix_lock);
	skb_unlink(&u->sk.sk_receive_queue, skb);
	WRITE_ONCE(u->qlen, u->qlen - 1);
	unix_wake_peers(u);
	spin_unlock(&unix_lock);
	unix_free_skb(skb);
}

/* Copies @skb to @msg. Its length, or -EFAULT. iolock is held. */
static ssize_t copy_message(struct sk_buff *skb, struct msghdr *msg,
			    struct scm_cookie *scm, u32 flags)
{
	u32 n = (u32)min((size_t)skb->len, msg->msg_iter.count);
	struct unix_cb *cb = unix_cb(skb);

	if (msg->msg_name)
		msg->msg_namelen = unix_copy_addr(unix_sk(skb->sk),
						  msg->msg_name);
	if (n < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	if (skb_copy_to_iter(skb, 0, n, &msg->msg_iter) != n)
		return -EFAULT;
	scm->creds = cb->creds;
	scm->have_creds = cb->have_creds;
	unix_take_files(skb, scm, flags & MSG_PEEK);
	return flags & MSG_TRUNC ? skb->len : n;
}

ssize_t unix_dgram_recvmsg(struct socket *sock, struct msghdr *msg,
			   bool nonblock)
	__no_lock_check
{
	struct unix_sock *u = unix_sk(sock->sk);
	u32 flags = msg->msg_flags;
	struct scm_cookie scm;
	struct sk_buff *skb;
	ssize_t ret;
	int err;

	msg->msg_flags = 0;
	msg->msg_namelen = 0;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	skb = wait_message(u, sock_rcvtimeo(sock->sk, nonblock), &err);
	if (!skb)
		return err;
	scm_init(&scm);
	ret = copy_message(skb, msg, &scm, flags);
	if (!(flags & MSG_PEEK))
		drop_message(u, skb);
	mutex_unlock(&u->iolock);
	if (ret < 0)
		scm_destroy(&scm);
	else
		scm_recv(msg, &scm, sock_flag(sock->sk, SOCK_PASSCRED),
			 flags);
	return ret;
}

ssize_t unix_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
			       bool nonblock)
{
	if (READ_ONCE(sock->sk->sk_state) != TCP_ESTABLISHED) {
		msg->msg_flags = 0;
		return -ENOTCONN;
	}
	return unix_dgram_recvmsg(sock, msg, nonblock);
}
