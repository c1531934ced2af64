/*
 * A listener: requests come and go (tcp_request.c), children that have
 * finished the handshake wait in the accept queue. sk lock of the listener.
 */
#include "net/tcp/tcp_listen.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "net/snmp.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_state.h"

__cold int tcp_listen_start(struct sock *sk, int backlog)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == TCP_LISTEN) {
		tp->listen->backlog = (u32)backlog;
		return 0;
	}
	if (!sk->sk_num) {
		int err = tcp_port_bind(sk, 0);

		if (err)
			return err;
	} else if (!tcp_port_may_listen(sk)) {
		return -EADDRINUSE;
	}
	/* One that listened before has it still. */
	if (!tp->listen)
		tp->listen = kzalloc(sizeof(*tp->listen));
	if (!tp->listen)
		return -ENOMEM;
	tp->listen->backlog = (u32)backlog;
	tcp_set_state(sk, TCP_LISTEN);
	tcp_listener_add(sk);
	return 0;
}

struct sock *tcp_accept_pop(struct sock *sk)
{
	struct tcp_listen *l = tcp_sk(sk)->listen;
	struct sock *child = l->head;

	if (!child)
		return NULL;
	l->head = tcp_sk(child)->accept_next;
	tcp_sk(child)->accept_next = NULL;
	if (!l->head)
		l->tail = NULL;
	WRITE_ONCE(l->qlen, l->qlen - 1);
	return child;
}

/*
 * Nobody will accept @child: reset it. Softirq work for it may be under way,
 * so its own lock is taken; it is not owned by any task.
 */
static void abandon_child(struct sock *child, u64 now)
{
	lock_sock(child);
	sock_set_flag(child, SOCK_DEAD);
	if (child->sk_state != TCP_CLOSE) {
		tcp_send_active_reset(tcp_sk(child), now);
		tcp_done(child);
	}
	release_sock(child);
	sock_put(child);
}

/* Requests find their listener closed when they look for it next. */
__cold void tcp_listen_stop(struct sock *sk, u64 now)
{
	struct sock *child;

	tcp_listener_del(sk);
	tcp_set_state(sk, TCP_CLOSE);
	while ((child = tcp_accept_pop(sk)))
		abandon_child(child, now);
}
