/*
 * bind(2) and connect(2): local address, port, and the active open (RFC 9293
 * section 3.10.1). Task context with lock_sock.
 */
#include "net/tcp/tcp_user.h"

#include "kernel/errno.h"
#include "kernel/time.h"
#include "net/inet.h"
#include "net/snmp.h"
#include "net/tcp/tcp_ecn.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_port.h"
#include "net/tcp/tcp_rtt.h"
#include "net/tcp/tcp_state.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/tcp/tcp_timer.h"

/* bind(2) takes AF_UNSPEC for 0.0.0.0 too, as Linux does. */
static int bind_addr_in(const struct sock *sk, struct sockaddr_storage *addr,
			u32 len, struct ip_addr *ip, u16 *port)
{
	int err;

	if (sk->sk_family == AF_INET && addr->ss_family == AF_UNSPEC)
		addr->ss_family = AF_INET;
	err = inet_addr_in(sk->sk_family, addr, len, ip, port);
	if (err)
		return err;
	if (ip_addr_is_multicast(ip))
		return -EADDRNOTAVAIL;
	return ip_addr_any(ip) || ip_addr_is_local(ip) ? 0 : -EADDRNOTAVAIL;
}

int tcp_bind(struct socket *sock, struct sockaddr_storage *addr, u32 len)
{
	struct sock *sk = sock->sk;
	struct ip_addr ip;
	u16 port;
	int err = bind_addr_in(sk, addr, len, &ip, &port);

	if (err)
		return err;
	lock_sock(sk);
	if (sk->sk_state != TCP_CLOSE || sk->sk_num) {
		err = -EINVAL;
	} else {
		sk->sk_rcv_saddr = ip;
		err = tcp_port_bind(sk, port);
		if (err)
			sk->sk_rcv_saddr = (struct ip_addr){ { 0 } };
	}
	release_sock(sk);
	return err;
}

/* Route and source address; the port; a place in the connection table. */
static int take_place(struct sock *sk, u64 now)
{
	struct ip_addr saddr = sk->sk_rcv_saddr;
	int err = ip_route_output(&saddr, &sk->sk_daddr, &sk->sk_route);

	if (err)
		return err;
	if (sk->sk_bound_dev_if &&
	    sk->sk_bound_dev_if != sk->sk_route.dev->ifindex)
		return -ENETUNREACH;
	sk->sk_rcv_saddr = saddr;
	if (!sk->sk_num)
		return tcp_port_connect(sk, now);
	err = tcp_timewait_clear(sk, now);
	return err ? err : tcp_hash_add(sk);
}

static int send_syn(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *syn = tcp_alloc_tx(tp, 0, TCP_SYN);

	if (!syn)
		return -ENOBUFS;
	tcp_queue_syn(tp, syn);
	tcp_transmit_skb(tp, syn, now);
	tcp_rearm_rto(sk, now);
	return 0;
}

/*
 * Numbers and options of a new connection. write_seq is set already if the
 * connection goes over an old one in TIME-WAIT (RFC 6191).
 */
static void init_sequence(struct sock *sk, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_tuple tuple;
	struct tcp_start start;

	tcp_sock_tuple(sk, &tuple);
	start = tcp_new_start(&tuple, now);
	if (!tp->write_seq)
		tp->write_seq = start.isn;
	tp->iss = tp->write_seq;
	tp->snd_una = tp->iss;
	tp->snd_nxt = tp->iss;
	tp->snd_sml = tp->iss;
	tp->recover = tp->iss;
	tp->ts_off = start.ts_off;
	tp->opts = TCP_OPT_TS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE;
	if (tcp_ecn_asks())
		tp->opts |= TCP_OPT_ECN;
	tp->advmss = tcp_advmss(sk);
	tp->mss_clamp = 536;
	tcp_sync_mss(tp);
}

/* TCP_FASTOPEN_CONNECT with a cookie: the SYN waits for the first data. */
static bool may_defer(const struct sock *sk)
{
	const struct tcp_ext *e = tcp_sk(sk)->ext;

	return e && e->fo_connect && tcp_fastopen_known(sk) &&
	       READ_ONCE(tcp_fastopen) & TCP_FASTOPEN_CLIENT;
}

int tcp_start_connect(struct sock *sk, struct sockaddr_storage *addr, u32 len,
		      bool defer, u64 now)
{
	struct ip_addr before = sk->sk_rcv_saddr, ip;
	u16 port;
	int err = inet_addr_in(sk->sk_family, addr, len, &ip, &port);

	if (err)
		return err;
	/* Connecting to nobody in particular means to ourselves. */
	if (ip_addr_any(&ip))
		ip = ip_addr_v4(cpu_to_be32(0x7f000001));
	if (ip_addr_is_multicast(&ip))
		return -ENETUNREACH;
	sk->sk_daddr = ip;
	sk->sk_dport = port;
	tcp_sk(sk)->write_seq = 0;
	err = take_place(sk, now);
	if (!err) {
		init_sequence(sk, now);
		if (defer || may_defer(sk))
			tcp_sk(sk)->flags |= TCP_F_FO_DEFER;
		else
			err = send_syn(sk, now);
		if (err)
			tcp_unhash(sk);
	}
	if (!err) {
		tcp_set_state(sk, TCP_SYN_SENT);
		SNMP_INC(Tcp_ActiveOpens);
	}
	if (err) {
		if (tcp_sk(sk)->flags & TCP_F_SHARES_PORT) {
			tcp_port_release(sk);
			sk->sk_num = 0;
		}
		sk->sk_rcv_saddr = before;
		sk->sk_daddr = (struct ip_addr){ { 0 } };
		sk->sk_dport = 0;
	}
	return err;
}

static bool handshake_over(struct sock *sk)
{
	return sk->sk_state != TCP_SYN_SENT && sk->sk_state != TCP_SYN_RECV;
}

/* The answer is there: connected, or why not (once). */
static int finish_connect(struct socket *sock, u64 now)
{
	struct sock *sk = sock->sk;
	int err;

	if (sk->sk_state != TCP_CLOSE) {
		sock->state = SS_CONNECTED;
		return 0;
	}
	err = sock_error(sk);
	sock->state = SS_UNCONNECTED;
	tcp_disconnect(sk, now);
	return err ? err : -ECONNABORTED;
}

static int connect_locked(struct socket *sock, struct sockaddr_storage *addr,
			  u32 len, bool nonblock)
{
	struct sock *sk = sock->sk;
	u64 now = ktime_get_ns();
	u64 timeo = sock_sndtimeo(sk, nonblock);
	int err = -EINPROGRESS, wait;

	if (len < sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family == AF_UNSPEC) {
		sock->state = SS_UNCONNECTED;
		return tcp_disconnect(sk, now);
	}
	if (sock->state == SS_CONNECTED)
		return -EISCONN;
	if (sock->state == SS_CONNECTING) {
		err = -EALREADY;
	} else {
		if (sk->sk_state != TCP_CLOSE)
			return -EISCONN;
		wait = tcp_start_connect(sk, addr, len, false, now);
		if (wait)
			return wait;
		sock->state = SS_CONNECTING;
	}
	if (tcp_sk(sk)->flags & TCP_F_FO_DEFER)
		return 0;
	wait = sk_wait_event(sk, &timeo, handshake_over);
	if (wait == -EAGAIN)
		return err;
	return wait ? wait : finish_connect(sock, now);
}

int tcp_connect(struct socket *sock, struct sockaddr_storage *addr, u32 len,
		bool nonblock)
{
	int err;

	lock_sock(sock->sk);
	err = connect_locked(sock, addr, len, nonblock);
	release_sock(sock->sk);
	return err;
}
