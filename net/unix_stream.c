/*
 * SOCK_STREAM of AF_UNIX: bytes. A send becomes packets of up to a page; a
 * read takes from as many as it has room for, but stops behind one that
 * brought files, and where the sender's credentials change (unix(7)). Task
 * context; u->iolock keeps readers apart.
 */
#include "net/unix_internal.h"

#include "kernel/errno.h"
#include "net/tcp/tcp.h"

/* ---- out ---- */

/* Hands one packet over. -EPIPE if nobody will read it. Takes @skb. */
static int stream_queue(struct unix_sock *u, struct unix_sock *other,
			struct sk_buff *skb, struct scm_cookie *scm)
{
	int err = 0;

	spin_lock(&unix_lock);
	if (sock_flag(&other->sk, SOCK_DEAD) ||
	    other->sk.sk_shutdown & RCV_SHUTDOWN)
		err = -EPIPE;
	else
		unix_queue(u, other, skb, scm);
	spin_unlock(&unix_lock);
	if (err)
		unix_free_skb(skb);
	return err;
}

/* Sends until all is sent; what was, or the error if nothing. */
static ssize_t stream_send(struct unix_sock *u, struct unix_sock *other,
			   struct msghdr *msg, struct scm_cookie *scm,
			   u64 timeo)
{
	u32 most = min((u32)u->sk.sk_sndbuf / 2 - 64, (u32)SKB_MAX_LINEAR);
	ssize_t sent = 0;

	while (msg->msg_iter.count) {
		u32 n = (u32)min(msg->msg_iter.count, (size_t)most);
		struct sk_buff *skb;
		int err = unix_wait_room(u, &timeo);

		if (!err)
			err = unix_read_msg(u, msg, n, &skb);
		if (!err)
			err = stream_queue(u, other, skb, scm);
		if (err)
			return sent ? sent : err;
		sent += n;
	}
	return sent;
}

ssize_t unix_stream_sendmsg(struct socket *sock, struct msghdr *msg,
			    bool nonblock)
{
	struct unix_sock *u = unix_sk(sock->sk), *other = NULL;
	struct scm_cookie scm;
	ssize_t ret = scm_send(msg, &scm);

	if (ret)
		return ret;
	if (scm.fp)
		unix_collect_if_many();
	if (msg->msg_flags & MSG_OOB)
		ret = -EOPNOTSUPP;
	else if (msg->msg_namelen)
		ret = READ_ONCE(sock->sk->sk_state) == TCP_ESTABLISHED ?
			      -EISCONN : -EOPNOTSUPP;
	if (!ret) {
		other = unix_peer_get(u);
		if (!other)
			ret = -ENOTCONN;
		else if (READ_ONCE(sock->sk->sk_shutdown) & SEND_SHUTDOWN)
			ret = -EPIPE;
	}
	if (!ret)
		ret = stream_send(u, other, msg, &scm,
				  sock_sndtimeo(sock->sk, nonblock));
	if (other)
		sock_put(&other->sk);
	scm_destroy(&scm);
	return ret;
}

/* ---- in ---- */

/* A read under way. */
struct stream_read {
	struct unix_sock *u;
	struct msghdr *msg;
	u32 flags;		/* MSG_ of the call */
	struct scm_cookie scm;
	bool have_sender;	/* scm's credentials are of a packet */
	struct sk_buff *peeked;	/* the last packet, if MSG_PEEK */
	size_t copied;
	size_t target;		/* fewer are worth waiting */
	u64 timeo;
};

/* The packet to go on with, or NULL. It stays: only readers remove. */
static struct sk_buff *next_packet(const struct stream_read *r)
{
	const struct sk_buff_head *q = &r->u->sk.sk_receive_queue;
	struct sk_buff *skb = NULL;

	spin_lock(&unix_lock);
	if (!r->peeked)
		skb = skb_peek(q);
	else if (r->peeked->list.next != &q->list)
		skb = list_next_entry(r->peeked, list);
	spin_unlock(&unix_lock);
	return skb;
}

static bool same_sender(const struct unix_cb *cb, const struct scm_cookie *scm)
{
	return cb->have_creds == scm->have_creds &&
	       (!cb->have_creds || (cb->creds.pid == scm->creds.pid &&
				    cb->creds.uid == scm->creds.uid &&
				    cb->creds.gid == scm->creds.gid));
}

/* Whoever asks for credentials gets no mixture; the first one's count. */
static bool may_glue(struct stream_read *r, const struct unix_cb *cb)
{
	if (!sock_flag(&r->u->sk, SOCK_PASSCRED))
		return true;
	if (r->have_sender)
		return same_sender(cb, &r->scm);
	r->have_sender = true;
	r->scm.creds = cb->creds;
	r->scm.have_creds = cb->have_creds;
	return true;
}

/* Takes @n bytes off @skb. True if the read goes on behind it. */
static bool consume(struct stream_read *r, struct sk_buff *skb, u32 n)
{
	if (r->flags & MSG_PEEK) {
		unix_take_files(skb, &r->scm, true);
		r->peeked = skb;
		return !unix_cb(skb)->fp && next_packet(r);
	}
	skb_pull(skb, n);
	unix_take_files(skb, &r->scm, false);
	if (skb->len)
		return false;
	spin_lock(&unix_lock);
	skb_unlink(&r->u->sk.sk_receive_queue, skb);
	spin_unlock(&unix_lock);
	unix_free_skb(skb);
	return !r->scm.fp;
}

/* Reads from one packet. True if the read goes on; @err: why it does not. */
static bool read_packet(struct stream_read *r, struct sk_buff *skb, int *err)
{
	struct msghdr *msg = r->msg;
	u32 n = (u32)min((size_t)skb->len, msg->msg_iter.count);

	if (!may_glue(r, unix_cb(skb)))
		return false;
	if (msg->msg_name && !msg->msg_namelen)
		msg->msg_namelen = unix_copy_addr(unix_sk(skb->sk),
						  msg->msg_name);
	if (skb_copy_to_iter(skb, 0, n, &msg->msg_iter) != n) {
		*err = -EFAULT;
		return false;
	}
	r->copied += n;
	return consume(r, skb, n) && msg->msg_iter.count;
}

static bool something_to_read(const struct unix_sock *u,
			      const struct unix_sock *other)
{
	(void)other;
	return READ_ONCE(u->sk.sk_receive_queue.qlen) ||
	       READ_ONCE(u->sk.sk_err) ||
	       READ_ONCE(u->sk.sk_shutdown) & RCV_SHUTDOWN;
}

/* The queue is empty: waits, without iolock. True if the read goes on. */
static bool wait_for_data(struct stream_read *r, int *err)
	__must_hold(r->u->iolock)
{
	struct sock *sk = &r->u->sk;

	if (r->copied >= r->target)
		return false;
	*err = sock_error(sk);
	if (*err || READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		return false;
	if (!r->timeo) {
		*err = -EAGAIN;
		return false;
	}
	mutex_unlock(&r->u->iolock);
	*err = unix_wait(&sk->sk_socket->wq, &r->timeo, false,
			 something_to_read, r->u, NULL);
	mutex_lock(&r->u->iolock);
	r->peeked = NULL;
	return !*err;
}

static ssize_t stream_read(struct stream_read *r)
{
	bool more;
	int err = 0;

	mutex_lock(&r->u->iolock);
	do {
		struct sk_buff *skb = next_packet(r);

		if (skb)
			more = read_packet(r, skb, &err);
		else
			more = wait_for_data(r, &err);
	} while (more);
	mutex_unlock(&r->u->iolock);
	return r->copied ? (ssize_t)r->copied : err;
}

ssize_t unix_stream_recvmsg(struct socket *sock, struct msghdr *msg,
			    bool nonblock)
{
	struct sock *sk = sock->sk;
	struct stream_read r = { .u = unix_sk(sk), .msg = msg,
				 .flags = msg->msg_flags };
	size_t want = msg->msg_iter.count;
	ssize_t ret;

	msg->msg_flags = 0;
	msg->msg_namelen = 0;
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return -EINVAL;
	/* Nothing is ever sent out of band: sendmsg refuses to. */
	if (r.flags & MSG_OOB)
		return -EINVAL;
	scm_init(&r.scm);
	if (!(r.flags & MSG_WAITALL))
		want = min((size_t)sk->sk_rcvlowat, want);
	r.target = max(want, (size_t)1);
	r.timeo = sock_rcvtimeo(sk, nonblock);
	ret = stream_read(&r);
	if (ret < 0)
		scm_destroy(&r.scm);
	else
		scm_recv(msg, &r.scm, sock_flag(sk, SOCK_PASSCRED), r.flags);
	return ret;
}
