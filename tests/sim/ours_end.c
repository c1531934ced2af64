/*
 * A connection's end in our stack, through inet_stream_ops as the system
 * calls would, and woken through the socket's wait queue as epoll would be.
 */
#include "tests/sim/ours.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/poll.h"
#include "kernel/string.h"
#include "kernel/wait.h"
#include "net/inet.h"
#include "tests/host/host.h"

#define SO_REUSEADDR	2
#define SO_SNDBUF	7
#define SO_RCVBUF	8
#define SO_KEEPALIVE	9
#define SO_LINGER	13
#define SOL_TCP		6
#define TCP_NODELAY	1
#define TCP_MAXSEG	2
#define TCP_CORK	3
#define TCP_KEEPIDLE	4

struct hook {
	struct wait_queue_entry wqe;
	struct end *end;
};

_Static_assert(sizeof(struct hook) <= sizeof(((struct end *)0)->hook),
	       "fits the end");

static int woken(struct wait_queue_entry *wqe, unsigned int mode, int flags,
		 void *key)
{
	struct end *e = container_of(wqe, struct hook, wqe)->end;
	u32 mask = key ? key_to_poll(key) : ~0u;

	e->woken = true;
	if (mask & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		e->can_read = true;
	if (mask & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		e->can_write = true;
	return 0;
}

/* As epoll_ctl does: first on the queue, then a look at what is there. */
static void hook(struct end *e, struct socket *s)
{
	struct hook *h = (struct hook *)e->hook;

	h->end = e;
	init_waitqueue_func_entry(&h->wqe, woken);
	add_wait_queue(&s->wq, &h->wqe);
	e->can_read = true;
	e->can_write = true;
}

static struct socket *new_socket(void)
{
	struct socket *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	init_waitqueue_head(&s->wq);
	s->type = SOCK_STREAM;
	if (!our_inet->create(s, SOCK_STREAM, 0))
		return s;
	kfree(s);
	return NULL;
}

static void set(struct socket *s, int level, int name, int val)
{
	/* What memory or a value denies, this seed does without. */
	if (level == 1)
		(void)!sock_setsockopt(s->sk, name, &val, sizeof(val));
	else
		s->ops->setsockopt(s, level, name, &val, sizeof(val));
}

static void set_options(struct end *e, struct socket *s)
{
	set(s, 1, SO_REUSEADDR, 1);
	if (e->app->sndbuf)
		set(s, 1, SO_SNDBUF, (int)e->app->sndbuf / 2);
	if (e->app->rcvbuf)
		set(s, 1, SO_RCVBUF, (int)e->app->rcvbuf / 2);
	if (e->app->maxseg)
		set(s, SOL_TCP, TCP_MAXSEG, e->app->maxseg);
	if (e->app->nodelay)
		set(s, SOL_TCP, TCP_NODELAY, 1);
	if (e->app->keepalive) {
		set(s, SOL_TCP, TCP_KEEPIDLE, 10);
		set(s, 1, SO_KEEPALIVE, 1);
	}
	if (e->app->cork)
		set(s, SOL_TCP, TCP_CORK, 1);
}

static void address(struct sockaddr_storage *a, u8 side, u16 port)
{
	struct ip_addr ip = ip_addr_v4(our_addr(side));

	inet_addr_out(AF_INET, &ip, port, a);
}

static int start(struct end *e, struct socket *s, bool active)
{
	u16 port = (u16)(SIM_PORT + e->conn);
	struct sockaddr_storage a;
	int err;

	/* Simultaneous: both connect, from known ports. */
	address(&a, e->side, active && !e->peer->active ? 0
			     : active && e->side ? (u16)(port + 1000) : port);
	err = s->ops->bind(s, &a, 16);
	if (err)
		return err;
	if (!active)
		return s->ops->listen(s, 8);
	address(&a, !e->side, e->peer->active && !e->side ? (u16)(port + 1000)
							  : port);
	hook(e, s);
	err = s->ops->connect(s, &a, 16, true);
	return err == -EINPROGRESS ? 0 : err;
}

static void end_close(struct end *e)
{
	struct socket *s = e->sock;

	if (e->listener) {
		struct socket *l = e->listener;

		l->ops->release(l);
		kfree(l);
		e->listener = NULL;
	}
	if (!s)
		return;
	s->ops->release(s);
	BUG_ON(s->sk);
	kfree(s);
	e->sock = NULL;
}

static int end_open(struct end *e, bool active)
{
	struct socket *s = new_socket();

	if (!s)
		return -ENOMEM;
	set_options(e, s);
	if (active)
		e->sock = s;
	else
		e->listener = s;
	return start(e, s, active);
}

static int ready_active(struct end *e)
{
	struct socket *s = e->sock;
	u32 mask = s->ops->poll(s);
	int err;

	if (mask & (EPOLLERR | EPOLLHUP)) {
		err = sock_error(s->sk);
		return err ? err : -ECONNRESET;
	}
	return !!(mask & EPOLLOUT) || s->sk->sk_state == TCP_CLOSE_WAIT;
}

static int end_ready(struct end *e)
{
	struct socket *l = e->listener, *s;
	int err;

	if (!l)
		return ready_active(e);
	s = kzalloc(sizeof(*s));
	if (!s)
		return 0;
	init_waitqueue_head(&s->wq);
	s->type = SOCK_STREAM;
	s->ops = l->ops;
	err = l->ops->accept(l, s, true);
	if (err) {
		kfree(s);
		return err == -EAGAIN || err == -ECONNABORTED ? 0 : err;
	}
	e->sock = s;
	hook(e, s);
	return 1;
}

static ssize_t end_send(struct end *e, const void *buf, u32 n)
{
	struct socket *s = e->sock;
	struct msghdr msg = { .msg_flags = 0 };

	iov_iter_kbuf(&msg.msg_iter, (void *)buf, n);
	return s->ops->sendmsg(s, &msg, true);
}

static ssize_t end_recv(struct end *e, void *buf, u32 n)
{
	struct socket *s = e->sock;
	struct msghdr msg = { .msg_flags = 0 };

	iov_iter_kbuf(&msg.msg_iter, buf, n);
	return s->ops->recvmsg(s, &msg, true);
}

static void end_shutdown(struct end *e)
{
	struct socket *s = e->sock;

	s->ops->shutdown(s, SHUT_WR);
}

static void end_reset(struct end *e)
{
	struct socket *s = e->sock;
	struct { int onoff, linger; } now = { 1, 0 };

	if (s)
		(void)!sock_setsockopt(s->sk, SO_LINGER, &now, sizeof(now));
	end_close(e);
}

static void end_check(struct end *e)
{
	struct socket *s = e->sock;

	if (s)
		check_block(tcp_sk(s->sk));
}

const struct end_ops our_end = {
	.open = end_open,
	.ready = end_ready,
	.send = end_send,
	.recv = end_recv,
	.shutdown = end_shutdown,
	.close = end_close,
	.reset = end_reset,
	.check = end_check,
};
