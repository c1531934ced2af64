/*
 * The error queue of a socket: entries from softirq and tasks, read by
 * recvmsg(2) with MSG_ERRQUEUE. An entry is an skb: struct sock_exterr at its
 * head, then the data.
 *
 * LOCKING: the queue's lock guards its list; taken inside the sk lock, or
 * without it. sk_errq itself is set once, by the owner.
 */
#include "net/sock_errqueue.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/cmsg.h"
#include "net/inet.h"
#include "net/ip/ip.h"

#define IP_RECVERR	11
#define IPV6_RECVERR	25
#define SCM_TIMESTAMPING 37

/* Locks: l lock, s sk lock. */
struct sock_errqueue {
	struct spinlock lock;
	struct sk_buff_head list;	/* l */
	u32 bytes;			/* l  truesize of all */
	u32 next_id;			/* s  of a call with MSG_ZEROCOPY */
};

/* What the control message holds: the sockaddr is the shorter for IPv4. */
struct errhdr {
	struct sock_extended_err ee;
	struct sockaddr_in6 offender;
};

_Static_assert(sizeof(struct sock_extended_err) == 16, "Linux's");

static struct sock_exterr *exterr(const struct sk_buff *skb)
{
	return (struct sock_exterr *)skb->head;
}

static bool is_icmp(const struct sk_buff *skb)
{
	u8 origin = exterr(skb)->ee.ee_origin;

	return origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6;
}

int sock_errqueue_enable(struct sock *sk)
{
	struct sock_errqueue *q;

	if (sk->sk_errq)
		return 0;
	q = kmalloc(sizeof(*q));
	if (!q)
		return -ENOBUFS;
	spin_lock_init(&q->lock);
	skb_queue_head_init(&q->list);
	q->bytes = 0;
	q->next_id = 0;
	WRITE_ONCE(sk->sk_errq, q);
	return 0;
}

static struct sk_buff *pop(struct sock_errqueue *q)
{
	struct sk_buff *skb;

	spin_lock_bh(&q->lock);
	skb = skb_dequeue(&q->list);
	if (skb)
		q->bytes -= skb->truesize;
	spin_unlock_bh(&q->lock);
	return skb;
}

u32 sock_errqueue_next_id(struct sock *sk)
{
	return sk->sk_errq->next_id++;
}

void sock_errqueue_purge(struct sock *sk)
{
	struct sk_buff *skb;

	while (sk->sk_errq && (skb = pop(sk->sk_errq)))
		kfree_skb(skb);
}

void sock_errqueue_free(struct sock *sk)
{
	sock_errqueue_purge(sk);
	kfree(sk->sk_errq);
	sk->sk_errq = NULL;
}

bool sock_errqueue_ready(const struct sock *sk)
{
	const struct sock_errqueue *q = READ_ONCE(sk->sk_errq);

	return q && READ_ONCE(q->list.qlen);
}

/* Does @e say of the next buffers what the last entry says? Queue lock. */
static bool extends_last(struct sock_errqueue *q, const struct sock_exterr *e)
{
	struct sk_buff *skb = skb_peek_tail(&q->list);
	struct sock_extended_err *last;

	if (e->ee.ee_origin != SO_EE_ORIGIN_ZEROCOPY || !skb)
		return false;
	last = &exterr(skb)->ee;
	if (last->ee_origin != SO_EE_ORIGIN_ZEROCOPY ||
	    last->ee_code != e->ee.ee_code ||
	    last->ee_data + 1 != e->ee.ee_info)
		return false;
	last->ee_data = e->ee.ee_data;
	return true;
}

/* Takes @skb unless it returns false. */
static bool push(struct sock *sk, struct sock_errqueue *q, struct sk_buff *skb)
{
	bool fits;

	spin_lock_bh(&q->lock);
	fits = q->bytes + skb->truesize <= (u32)READ_ONCE(sk->sk_rcvbuf);
	if (fits) {
		skb_queue_tail(&q->list, skb);
		q->bytes += skb->truesize;
	}
	spin_unlock_bh(&q->lock);
	return fits;
}

bool sock_queue_err(struct sock *sk, const struct sock_exterr *e,
		    const void *data, u32 len)
{
	struct sock_errqueue *q = READ_ONCE(sk->sk_errq);
	struct sk_buff *skb;
	bool merged;

	if (!q)
		return false;
	spin_lock_bh(&q->lock);
	merged = extends_last(q, e);
	spin_unlock_bh(&q->lock);
	if (!merged) {
		skb = alloc_skb((u32)sizeof(*e) + len);
		if (!skb)
			return false;
		skb_reserve(skb, sizeof(*e));
		*exterr(skb) = *e;
		if (len)
			memcpy(skb_put(skb, len), data, len);
		if (!push(sk, q, skb)) {
			kfree_skb(skb);
			return false;
		}
	}
	sk->sk_error_report(sk);
	return true;
}

bool sock_queue_icmp(struct sock *sk, const struct icmp_error *e, u32 hlen)
{
	bool v4 = ip_addr_is_v4(&e->saddr);
	struct sock_exterr entry = {
		.ee = {
			.ee_errno = e->error,
			.ee_origin = v4 ? SO_EE_ORIGIN_ICMP :
					  SO_EE_ORIGIN_ICMP6,
			.ee_type = e->type,
			.ee_code = e->code,
			.ee_info = e->mtu,
		},
		.offender = e->offender,
		.addr = e->daddr,
		.port = get_be16(e->quoted + 2),
	};

	if (!sock_flag(sk, v4 ? SOCK_RECVERR : SOCK_RECVERR6))
		return false;
	(void)sock_queue_err(sk, &entry, e->quoted + hlen, e->len - hlen);
	return true;
}

/* ---- reading ---- */

/* As on Linux the next ICMP error becomes the pending one of the sock. */
static struct sk_buff *take_oldest(struct sock *sk)
{
	struct sock_errqueue *q = READ_ONCE(sk->sk_errq);
	struct sk_buff *skb = q ? pop(q) : NULL;
	const struct sk_buff *next;
	u32 err = 0;

	if (!skb)
		return NULL;
	spin_lock_bh(&q->lock);
	next = skb_peek(&q->list);
	if (next && is_icmp(next))
		err = exterr(next)->ee.ee_errno;
	spin_unlock_bh(&q->lock);
	if (err || is_icmp(skb))
		WRITE_ONCE(sk->sk_err, (s32)err);
	return skb;
}

/* The control messages of an entry, in @sk's family. */
static void put_control(const struct sock *sk, const struct sock_exterr *e,
			struct msghdr *msg)
{
	bool v6 = sk->sk_family == AF_INET6;
	struct errhdr h = { .ee = e->ee };
	u32 len = v6 ? sizeof(h.offender) : sizeof(struct sockaddr_in);

	if (e->tstamp) {
		struct timespec stamps[3] = { ns_to_timespec(e->tstamp) };

		(void)put_cmsg(msg, SOL_SOCKET, SCM_TIMESTAMPING,
			       sizeof(stamps), stamps);
	}
	if (!ip_addr_any(&e->offender)) {
		struct sockaddr_storage ss;

		(void)inet_addr_out(sk->sk_family, &e->offender, 0, &ss);
		memcpy(&h.offender, &ss, len);
	}
	(void)put_cmsg(msg, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       v6 ? IPV6_RECVERR : IP_RECVERR,
		       (u32)sizeof(h.ee) + len, &h);
}

ssize_t sock_recv_errqueue(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff *skb = take_oldest(sk);
	const struct sock_exterr *e;
	ssize_t n;

	msg->msg_flags = 0;
	msg->msg_namelen = 0;
	if (!skb)
		return -EAGAIN;
	e = exterr(skb);
	n = (ssize_t)min((size_t)skb->len, msg->msg_iter.count);
	if (n < (ssize_t)skb->len)
		msg->msg_flags |= MSG_TRUNC;
	if (skb_copy_to_iter(skb, 0, (u32)n, &msg->msg_iter) != n) {
		n = -EFAULT;
	} else {
		if (msg->msg_name && e->port)
			msg->msg_namelen = inet_addr_out(sk->sk_family,
							 &e->addr, e->port,
							 msg->msg_name);
		put_control(sk, e, msg);
		msg->msg_flags |= MSG_ERRQUEUE;
	}
	kfree_skb(skb);
	return n;
}

int sock_set_recverr(struct sock *sk, bool v6, int on)
{
	enum sock_flag flag = v6 ? SOCK_RECVERR6 : SOCK_RECVERR;
	int err = 0;

	if (!on) {
		sock_reset_flag(sk, flag);
		sock_errqueue_purge(sk);
		return 0;
	}
	err = sock_errqueue_enable(sk);
	if (!err)
		sock_set_flag(sk, flag);
	return err;
}
