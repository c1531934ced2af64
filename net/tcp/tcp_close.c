/*
 * Ways out of a connection: close, shutdown, reset, timeout (RFC 9293 section
 * 3.10.4 and 3.6). With the sk lock; tcp_done() and tcp_fail() also from
 * softirq.
 */
#include "net/tcp/tcp_user.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/time.h"
#include "net/snmp.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_listen.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_ofo.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_timer.h"

/* A connection that nobody has open may hold buffers still: so many may. */
#define ORPHANS_LEAST	64u
#define ORPHANS_MOST	65536u
#define MEMORY_PER_ORPHAN (64u << 10)

static struct atomic orphans;

u32 tcp_orphans(void)
{
	return (u32)atomic_read(&orphans);
}

/* Counts @sk until it is done. False: there are too many already. */
static bool count_orphan(struct sock *sk)
{
	u64 most = nr_total_pages() * PAGE_SIZE / MEMORY_PER_ORPHAN;

	most = clamp(most, (u64)ORPHANS_LEAST, (u64)ORPHANS_MOST);
	if ((u64)atomic_read(&orphans) >= most)
		return false;
	atomic_inc(&orphans);
	tcp_sk(sk)->flags |= TCP_F_ORPHAN;
	return true;
}

static void uncount_orphan(struct tcp_sock *tp)
{
	if (!(tp->flags & TCP_F_ORPHAN))
		return;
	tp->flags &= ~TCP_F_ORPHAN;
	atomic_dec(&orphans);
}

void tcp_done(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == TCP_CLOSE)
		return;
	tcp_set_state(sk, TCP_CLOSE);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	tcp_timer_stop(sk);
	tcp_purge_tx(tp);
	tcp_ofo_purge(tp);
	tp->ack_state = 0;
	uncount_orphan(tp);
	if (tp->flags & TCP_F_FO_CHILD)
		tcp_fastopen_done(tp);
	tp->flags &= ~(TCP_F_FO_ASK | TCP_F_FO_DEFER);
	if (tp->flags & TCP_F_SHARES_PORT)
		tcp_port_release(sk);
	/* The caller holds a reference of its own: sk stays. */
	tcp_unhash(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
}

void tcp_fail(struct sock *sk, int err)
{
	WRITE_ONCE(sk->sk_err, err);
	tcp_done(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_error_report(sk);
}

/* RFC 9293 section 3.10.4: where CLOSE leads. True if a FIN is due. */
static bool close_state(struct sock *sk)
{
	switch ((enum tcp_state)sk->sk_state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		tcp_set_state(sk, TCP_FIN_WAIT1);
		return true;
	case TCP_CLOSE_WAIT:
		tcp_set_state(sk, TCP_LAST_ACK);
		return true;
	case TCP_SYN_SENT:
		tcp_done(sk);
		return false;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_TIME_WAIT:
	case TCP_CLOSE:
	case TCP_LAST_ACK:
	case TCP_LISTEN:
	case TCP_CLOSING:
	case TCP_NEW_SYN_RECV:
	case NR_TCP_STATES:
		break;
	}
	return false;
}

static void abort_now(struct sock *sk, u64 now)
{
	tcp_send_active_reset(tcp_sk(sk), now);
	tcp_done(sk);
}

/* True if the user leaves data unread (RFC 2525 section 2.17). */
static bool drop_unread(struct sock *sk)
{
	bool any = !skb_queue_empty(&sk->sk_receive_queue);

	skb_queue_purge(&sk->sk_receive_queue);
	return any;
}

static bool fin_acked(struct sock *sk)
{
	return sk->sk_state != TCP_FIN_WAIT1 && sk->sk_state != TCP_CLOSING &&
	       sk->sk_state != TCP_LAST_ACK;
}

/* The closing handshake, as far as SO_LINGER and unread data let it be. */
static void close_connection(struct sock *sk, u64 now)
{
	u64 linger = (u64)sk->sk_lingertime * NSEC_PER_MSEC;

	if (sk->sk_state == TCP_CLOSE) {
		drop_unread(sk);
	} else if (drop_unread(sk)) {
		SNMP_INC(TcpExt_TCPAbortOnClose);
		abort_now(sk, now);
	} else if (sock_flag(sk, SOCK_LINGER) && !linger) {
		SNMP_INC(TcpExt_TCPAbortOnData);
		tcp_disconnect(sk, now);
	} else if (close_state(sk)) {
		tcp_send_fin(tcp_sk(sk), now);
	}
	if (sock_flag(sk, SOCK_LINGER) && linger && sk->sk_wq &&
	    sk_wait_event(sk, &linger, fin_acked))
		return;	/* time is over or a signal came: it goes on alone */
}

/* Nobody has it open: in FIN-WAIT-2 a small record waits in its place. */
static void orphaned(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 wait = tp->linger2 > 0 ? (u64)tp->linger2 * NSEC_PER_SEC
				   : TCP_TIMEWAIT_NS;

	tp->keep_at = 0;
	if (sk->sk_state == TCP_CLOSE)
		return;
	if (!count_orphan(sk)) {
		SNMP_INC(TcpExt_TCPAbortOnMemory);
		abort_now(sk, now);
		return;
	}
	if (sk->sk_state != TCP_FIN_WAIT2)
		return;
	if (tp->linger2 < 0) {
		SNMP_INC(TcpExt_TCPAbortOnLinger);
		abort_now(sk, now);
	} else if (wait > TCP_TIMEWAIT_NS) {
		tcp_arm(sk, &tp->keep_at, now + wait);
	} else {
		tcp_time_wait(sk, TCP_MINI_FIN_WAIT2, wait, now);
	}
}

int tcp_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	u64 now = ktime_get_ns();

	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == TCP_LISTEN)
		tcp_listen_stop(sk, now);
	else
		close_connection(sk, now);
	sock_orphan(sk);
	/* What came meanwhile may move the state: look after the backlog. */
	if (unlikely(sock_has_work(sk) || sock_flag(sk, SOCK_LINGER))) {
		release_sock(sk);
		lock_sock(sk);
		now = ktime_get_ns();
	}
	orphaned(sk, now);
	if (sk->sk_state == TCP_CLOSE)
		tcp_port_release(sk);
	release_sock(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

/* States in which an abort tells the peer. */
static bool peer_must_know(const struct sock *sk)
{
	return 1u << sk->sk_state &
	       (1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT |
		1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 |
		1u << TCP_SYN_RECV | 1u << TCP_CLOSING | 1u << TCP_LAST_ACK);
}

__cold int tcp_disconnect(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool bound = tp->flags & TCP_F_OWNS_PORT;

	if (sk->sk_state == TCP_LISTEN) {
		tcp_listen_stop(sk, now);
	} else if (peer_must_know(sk)) {
		tcp_send_active_reset(tp, now);
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	} else if (sk->sk_state == TCP_SYN_SENT) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
	}
	tcp_done(sk);
	skb_queue_purge(&sk->sk_receive_queue);
	if (!bound) {
		sk->sk_num = 0;
		sk->sk_rcv_saddr = (struct ip_addr){ { 0 } };
	}
	sk->sk_daddr = (struct ip_addr){ { 0 } };
	sk->sk_dport = 0;
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	tcp_init_sock(sk);
	return 0;
}

/* The socket's own state, before the protocol's (as inet_shutdown). */
static void settle_connecting(struct socket *sock)
{
	if (sock->state != SS_CONNECTING)
		return;
	if (sock->sk->sk_state == TCP_SYN_SENT ||
	    sock->sk->sk_state == TCP_SYN_RECV ||
	    sock->sk->sk_state == TCP_CLOSE)
		sock->state = SS_DISCONNECTING;
	else
		sock->state = SS_CONNECTED;
}

int tcp_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	u64 now = ktime_get_ns();
	int err = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	/* RCV_SHUTDOWN, SEND_SHUTDOWN or both. */
	how++;
	lock_sock(sk);
	settle_connecting(sock);
	if (sk->sk_state == TCP_CLOSE) {
		err = -ENOTCONN;
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	} else if (sk->sk_state == TCP_SYN_SENT ||
		   (sk->sk_state == TCP_LISTEN && how & RCV_SHUTDOWN)) {
		err = tcp_disconnect(sk, now);
		sock->state = SS_UNCONNECTED;
	} else if (sk->sk_state != TCP_LISTEN) {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
		if (how & SEND_SHUTDOWN && close_state(sk))
			tcp_send_fin(tcp_sk(sk), now);
	}
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}
