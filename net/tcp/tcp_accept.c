/*
 * listen(2), accept(2), names, readiness. Task context; poll takes no lock.
 */
#include "net/tcp/tcp_user.h"

#include "kernel/errno.h"
#include "kernel/poll.h"
#include "kernel/softirq.h"
#include "net/inet.h"
#include "net/sock_errqueue.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_listen.h"
#include "net/tcp/tcp_urg.h"

#define FIONREAD	0x541b
#define TIOCOUTQ	0x5411
#define SIOCOUTQNSD	0x894b
#define SIOCATMARK	0x8905

__cold int tcp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state == SS_UNCONNECTED &&
	    (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN))
		err = tcp_listen_start(sk, backlog);
	release_sock(sk);
	return err;
}

static bool accept_ready(struct sock *sk)
{
	return sk->sk_state != TCP_LISTEN || tcp_sk(sk)->listen->head;
}

/* The next connection with its reference, or why there is none. */
static int wait_child(struct sock *sk, bool nonblock, struct sock **child)
{
	u64 timeo = sock_rcvtimeo(sk, nonblock);
	int err;

	if (sk->sk_state != TCP_LISTEN)
		return -EINVAL;
	err = sk_wait_event_exclusive(sk, &timeo, accept_ready);
	if (err)
		return err;
	if (sk->sk_state != TCP_LISTEN)
		return -EINVAL;
	*child = tcp_accept_pop(sk);
	return 0;
}

/*
 * A connection that waits already: 0, or -EAGAIN if none does, -EBUSY if that
 * takes a closer look. Has the lock as a softirq has it and not as a task:
 * SYNs are held off meanwhile, where they would fill the backlog, which has
 * no room for a crowd.
 */
static int accept_at_once(struct sock *sk, struct sock **child)
{
	int err = -EBUSY;

	local_bh_disable();
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk) && sk->sk_state == TCP_LISTEN) {
		*child = tcp_accept_pop(sk);
		err = *child ? 0 : -EAGAIN;
	}
	bh_unlock_sock(sk);
	local_bh_enable();
	return err;
}

int tcp_accept(struct socket *sock, struct socket *newsock, bool nonblock)
{
	struct sock *child;
	int err = accept_at_once(sock->sk, &child);

	if (err == -EBUSY || (err && !nonblock)) {
		lock_sock(sock->sk);
		err = wait_child(sock->sk, nonblock, &child);
		release_sock(sock->sk);
	}
	if (err)
		return err;
	/* From here on softirqs find whom to wake. */
	lock_sock(child);
	sock_graft(child, newsock);
	newsock->state = SS_CONNECTED;
	release_sock(child);
	return 0;
}

__cold int tcp_getname(struct socket *sock, struct sockaddr_storage *addr,
		       bool peer)
{
	const struct sock *sk = sock->sk;

	if (!peer)
		return (int)inet_addr_out(sk->sk_family, &sk->sk_rcv_saddr,
					  sk->sk_num, addr);
	if (!sk->sk_dport || ((sk->sk_state == TCP_CLOSE ||
			       sk->sk_state == TCP_SYN_SENT)))
		return -ENOTCONN;
	return (int)inet_addr_out(sk->sk_family, &sk->sk_daddr, sk->sk_dport,
				  addr);
}

/* Leaves word for check_space(), and looks again. */
static noinline u32 poll_no_room(struct tcp_sock *tp)
{
	WRITE_ONCE(tp->nospace, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return tcp_writeable(tp) ? EPOLLOUT | EPOLLWRNORM : 0;
}

static __inline_hot u32 poll_out(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	return likely(tcp_writeable(tp)) ? EPOLLOUT | EPOLLWRNORM
					 : poll_no_room(tp);
}

static u32 poll_in(struct sock *sk)
{
	return tcp_inq(tcp_sk(sk)) >= READ_ONCE(sk->sk_rcvlowat)
		? EPOLLIN | EPOLLRDNORM : 0;
}

/* The same where urgent data is about: at the mark, its byte is not read. */
static u32 poll_in_urg(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 target = READ_ONCE(sk->sk_rcvlowat), mask = 0;

	if (!sock_flag(sk, SOCK_URGINLINE) &&
	    !tcp_urg_ahead(tp, READ_ONCE(tp->copied_seq)))
		target++;
	if (READ_ONCE(tp->ext->urg_state) == TCP_URG_VALID)
		mask |= EPOLLPRI;
	return tcp_inq(tp) >= target ? mask | EPOLLIN | EPOLLRDNORM : mask;
}

/* Whatever is not a connection open both ways and without an error. */
static noinline u32 poll_odd(struct sock *sk, u8 state, u8 shutdown)
{
	u32 mask = 0;

	if (state == TCP_LISTEN)
		return READ_ONCE(tcp_sk(sk)->listen->qlen)
			? EPOLLIN | EPOLLRDNORM : 0;
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state == TCP_SYN_SENT && tcp_sk(sk)->flags & TCP_F_FO_DEFER)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (state != TCP_SYN_SENT &&
	    (state != TCP_SYN_RECV || tcp_sk(sk)->flags & TCP_F_FO_CHILD)) {
		mask |= tcp_sk(sk)->flags & TCP_F_URG ? poll_in_urg(sk)
						      : poll_in(sk);
		mask |= shutdown & SEND_SHUTDOWN ? EPOLLOUT | EPOLLWRNORM
						 : poll_out(sk);
	}
	if (READ_ONCE(sk->sk_err) || sock_errqueue_ready(sk))
		mask |= EPOLLERR;
	return mask;
}

u32 tcp_poll(struct socket *sock)
{
	struct sock *sk = sock->sk;
	u8 state = READ_ONCE(sk->sk_state);
	u8 shutdown = READ_ONCE(sk->sk_shutdown);

	if (unlikely(state != TCP_ESTABLISHED || shutdown ||
		     READ_ONCE(sk->sk_err) || READ_ONCE(sk->sk_errq) ||
		     READ_ONCE(tcp_sk(sk)->flags) & TCP_F_URG))
		return poll_odd(sk, state, shutdown);
	return poll_in(sk) | poll_out(sk);
}

__cold int tcp_ioctl(struct socket *sock, unsigned int cmd, int *val)
{
	const struct tcp_sock *tp = tcp_sk(sock->sk);
	bool idle = sock->sk->sk_state == TCP_SYN_SENT ||
		    sock->sk->sk_state == TCP_SYN_RECV;

	if (cmd == SIOCATMARK) {
		*val = tp->flags & TCP_F_URG &&
		       !tcp_urg_ahead(tp, tp->copied_seq);
		return 0;
	}
	if (cmd != FIONREAD && cmd != TIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOTTY;
	if (sock->sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	if (cmd == FIONREAD)
		*val = idle ? 0 : (int)tcp_inq(tp);
	else if (cmd == TIOCOUTQ)
		*val = idle ? 0 : (int)(tp->write_seq - tp->snd_una);
	else
		*val = idle ? 0 : (int)(tp->write_seq - tp->snd_nxt);
	return 0;
}
