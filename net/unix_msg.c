/*
 * What messages of all AF_UNIX types share: packets that count as their
 * sender's until they are read, and the files and credentials in them. Task
 * context.
 */
#include "net/unix_internal.h"

#include "kernel/errno.h"
#include "kernel/poll.h"

/* ---- packets ---- */

/* A packet is freed: its sender may send more. No locks held. */
static void unix_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	atomic_add_return(-(s32)skb->truesize, &unix_sk(sk)->wmem);
	spin_lock(&unix_lock);
	sk->sk_write_space(sk);
	spin_unlock(&unix_lock);
	sock_put(sk);
}

/* One piece of up to SKB_MAX_LINEAR bytes. 0, -ENOBUFS, -EFAULT. */
static int read_piece(struct msghdr *msg, u32 len, struct sk_buff **out)
{
	struct sk_buff *skb = alloc_skb(len);

	if (!skb)
		return -ENOBUFS;
	if (copy_from_iter(skb_put(skb, len), len, &msg->msg_iter) != len) {
		kfree_skb(skb);
		return -EFAULT;
	}
	*out = skb;
	return 0;
}

int unix_read_msg(struct unix_sock *u, struct msghdr *msg, u32 len,
		  struct sk_buff **out)
{
	u32 n = min(len, (u32)SKB_MAX_LINEAR), done = n;
	struct sk_buff *skb, *piece;
	int err = read_piece(msg, n, &skb);

	if (err)
		return err;
	for (; done < len; done += n) {
		n = min(len - done, (u32)SKB_MAX_LINEAR);
		err = read_piece(msg, n, &piece);
		if (err) {
			kfree_skb(skb);
			return err;
		}
		skb_add_frag(skb, piece);
	}
	sock_hold(&u->sk);
	atomic_add_return((s32)skb->truesize, &u->wmem);
	skb->sk = &u->sk;
	skb->destructor = unix_wfree;
	*unix_cb(skb) = (struct unix_cb){ .fp = NULL };
	*out = skb;
	return 0;
}

void unix_free_skb(struct sk_buff *skb)
{
	struct unix_cb *cb = unix_cb(skb);

	if (cb->fp) {
		spin_lock(&unix_lock);
		unix_notinflight(cb->fp);
		unix_dispose(cb->fp);
		spin_unlock(&unix_lock);
		cb->fp = NULL;
	}
	kfree_skb(skb);
}

/* ---- room ---- */

static bool may_send(const struct unix_sock *u, const struct unix_sock *other)
{
	(void)other;
	return (s32)atomic_read(&u->wmem) < READ_ONCE(u->sk.sk_sndbuf) ||
	       READ_ONCE(u->sk.sk_err) ||
	       READ_ONCE(u->sk.sk_shutdown) & SEND_SHUTDOWN;
}

int unix_wait_room(struct unix_sock *u, u64 *timeo)
{
	struct sock *sk = &u->sk;
	int err = 0;

	if (!may_send(u, NULL))
		err = !*timeo ? -EAGAIN : unix_wait(&sk->sk_socket->wq, timeo,
						    false, may_send, u, NULL);
	if (err)
		return err;
	err = sock_error(sk);
	if (err)
		return err;
	return READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ? -EPIPE : 0;
}

/* ---- files and credentials ---- */

/* Somebody at the other end may ask for them once it is accepted. */
void unix_maybe_creds(const struct unix_sock *u,
		      const struct unix_sock *other, struct scm_cookie *scm)
{
	if (scm->have_creds)
		return;
	if (!sock_flag(&u->sk, SOCK_PASSCRED) &&
	    READ_ONCE(other->sk.sk_socket) &&
	    !sock_flag(&other->sk, SOCK_PASSCRED))
		return;
	scm->creds = scm_own_creds();
	scm->have_creds = true;
}

void unix_queue(struct unix_sock *u, struct unix_sock *other,
		struct sk_buff *skb, struct scm_cookie *scm)
{
	struct unix_cb *cb = unix_cb(skb);

	unix_maybe_creds(u, other, scm);
	cb->creds = scm->creds;
	cb->have_creds = scm->have_creds;
	cb->fp = scm->fp;
	if (scm->fp) {
		unix_inflight(scm->fp);
		scm->fp = NULL;
	}
	skb_queue_tail(&other->sk.sk_receive_queue, skb);
	if (other->sk.sk_type != SOCK_STREAM)
		WRITE_ONCE(other->qlen, other->qlen + 1);
	other->sk.sk_data_ready(&other->sk);
}

/* The reader's own peek at a list: it holds iolock, so @skb stays. */
void unix_take_files(struct sk_buff *skb, struct scm_cookie *scm, bool peek)
{
	struct unix_cb *cb = unix_cb(skb);

	if (!cb->fp)
		return;
	if (peek) {
		scm->fp = scm_fp_dup(cb->fp);
		return;
	}
	spin_lock(&unix_lock);
	scm->fp = cb->fp;
	cb->fp = NULL;
	unix_notinflight(scm->fp);
	spin_unlock(&unix_lock);
}
