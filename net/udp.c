/*
 * SOCK_DGRAM sockets over lwIP's UDP: the socket operations, with Linux's
 * errno values, and the receive queue. Datagrams come in softirq context from
 * net/lwip/lwip_udp.c, which holds no lock then; everything else is a task's
 * system call with the sock owned.
 */
#include "net/udp.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/poll.h"
#include "kernel/string.h"
#include "net/inet.h"
#include "net/lwip/lwip_port.h"
#include "net/lwip/lwip_udp.h"
#include "net/snmp.h"
#include "net/sock.h"
#include "net/sock_errqueue.h"
#include "net/tcp/tcp.h"

#define UDP_HEADER	8u
#define UDP_MAX_LEN	65507u		/* RFC 768 in one IPv4 packet */

#define SOL_SOCKET	1
#define IP_TOS		1
#define IP_TTL		2
#define IP_MTU_DISCOVER	10
#define IP_RECVERR	11
#define IPV6_RECVERR	25
#define IPV6_V6ONLY	26

#define FIONREAD	0x541b
#define TIOCOUTQ	0x5411

struct udp_sock {
	struct sock sk;		/* first: struct sock is what others see */
	struct udp_pcb *pcb;	/* c */
};

static struct udp_sock *udp_sk(const struct sock *sk)
{
	return container_of((struct sock *)sk, struct udp_sock, sk);
}

/* ---- in ---- */

static bool from_v4(struct sk_buff *skb)
{
	struct lwip_udp_from from = lwip_udp_from(skb);

	return ip_addr_is_v4(&from.addr);
}

static void no_room(struct sk_buff *skb)
{
	SNMP_INC46(from_v4(skb), Udp, Udp6, RcvbufErrors);
	SNMP_INC46(from_v4(skb), Udp, Udp6, InErrors);
	kfree_skb_reason(skb, DROP_UDP_RCV_FULL);
}

/* sk lock. Takes @skb. */
static void udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(sock_flag(sk, SOCK_DEAD))) {
		kfree_skb_reason(skb, DROP_UDP_NO_SOCKET);
		return;
	}
	if (unlikely(sk->sk_rmem_alloc > sk->sk_rcvbuf)) {
		no_room(skb);
		return;
	}
	SNMP_INC46(from_v4(skb), Udp, Udp6, InDatagrams);
	skb_set_owner_r(skb, sk);
	skb_queue_tail(&sk->sk_receive_queue, skb);
	sk->sk_data_ready(sk);
}

static void udp_rcv(struct sock *sk, struct sk_buff *skb)
{
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		udp_queue_rcv_skb(sk, skb);
	else if (!sk_add_backlog(sk, skb))
		no_room(skb);
	bh_unlock_sock(sk);
}

/*
 * RFC 1122 section 4.1.3.3. As on Linux a socket that did not ask for more
 * hears only of what is final, and only if it is connected.
 */
static void udp_err(struct sock *sk, const struct icmp_error *e)
{
	bh_lock_sock(sk);
	if (sock_queue_icmp(sk, e, UDP_HEADER) ||
	    (e->fatal && sk->sk_state == TCP_ESTABLISHED)) {
		WRITE_ONCE(sk->sk_err, e->error);
		sk->sk_error_report(sk);
	}
	bh_unlock_sock(sk);
}

/* ---- addresses ---- */

static int udp_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return 0;
	lwip_udp_remove(udp_sk(sk)->pcb);
	lock_sock(sk);
	sock_orphan(sk);
	release_sock(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

/* An address that this socket may use, by its family and IPV6_V6ONLY. */
static int check_family(const struct sock *sk, const struct ip_addr *ip)
{
	bool v4 = ip_addr_is_v4(ip);

	if (sk->sk_family == AF_INET && !v4)
		return -EAFNOSUPPORT;
	if (sock_flag(sk, SOCK_V6ONLY) && v4)
		return -ENETUNREACH;
	return 0;
}

/* Linux takes AF_UNSPEC for "any" of AF_INET. */
static int read_bind_addr(const struct sock *sk, struct sockaddr_storage *addr,
			  u32 len, struct ip_addr *ip, u16 *port)
{
	struct sockaddr_in in;

	if (sk->sk_family == AF_INET && len >= sizeof(in) &&
	    addr->ss_family == AF_UNSPEC) {
		memcpy(&in, addr, sizeof(in));
		if (!in.sin_addr)
			addr->ss_family = AF_INET;
	}
	return inet_addr_in(sk->sk_family, addr, len, ip, port);
}

static int bind_locked(struct sock *sk, const struct ip_addr *ip, u16 port)
{
	int err;

	if (sk->sk_num)
		return -EINVAL;
	if (!ip_addr_any(ip) && !ip_addr_is_multicast(ip) &&
	    !ip_addr_is_local(ip) && !lwip_addr_is_ours(ip))
		return -EADDRNOTAVAIL;
	err = lwip_udp_bind(udp_sk(sk)->pcb, ip, &port,
			    sock_flag(sk, SOCK_REUSEADDR) ||
			    sock_flag(sk, SOCK_REUSEPORT));
	if (err)
		return err;
	sk->sk_num = port;
	sk->sk_rcv_saddr = *ip;
	return 0;
}

static int udp_bind(struct socket *sock, struct sockaddr_storage *addr,
		    u32 len)
{
	struct sock *sk = sock->sk;
	struct ip_addr ip;
	u16 port;
	int err;

	err = read_bind_addr(sk, addr, len, &ip, &port);
	if (err)
		return err;
	lock_sock(sk);
	err = check_family(sk, &ip);
	if (!err)
		err = bind_locked(sk, &ip, port);
	release_sock(sk);
	return err == -ENETUNREACH ? -EINVAL : err;
}

/* To "any" means to ourselves. */
static void any_is_loopback(struct ip_addr *ip)
{
	static const struct ip_addr lo6 = { { 0, 0, 0, 0x01000000 } };

	if (ip_addr_any(ip))
		*ip = ip_addr_is_v4(ip) ? ip_addr_v4(0x0100007f) : lo6;
}

static void disconnect_locked(struct sock *sk)
{
	if (sk->sk_state != TCP_ESTABLISHED)
		return;
	lwip_udp_disconnect(udp_sk(sk)->pcb);
	sk->sk_state = TCP_CLOSE;
	sk->sk_dport = 0;
	memset(&sk->sk_daddr, 0, sizeof(sk->sk_daddr));
}

static int connect_locked(struct sock *sk, struct ip_addr *ip, u16 port)
{
	struct ip_addr local = sk->sk_rcv_saddr;
	int err = check_family(sk, ip);

	if (err)
		return err;
	any_is_loopback(ip);
	err = lwip_udp_connect(udp_sk(sk)->pcb, ip, port,
			       sock_flag(sk, SOCK_BROADCAST), &local,
			       &sk->sk_num);
	if (err)
		return err;
	sk->sk_rcv_saddr = local;
	sk->sk_daddr = *ip;
	sk->sk_dport = port;
	sk->sk_state = TCP_ESTABLISHED;
	return 0;
}

static int udp_connect(struct socket *sock, struct sockaddr_storage *addr,
		       u32 len, bool nonblock)
{
	struct sock *sk = sock->sk;
	struct ip_addr ip;
	u16 port;
	int err = 0;

	(void)nonblock;
	if (len < sizeof(addr->ss_family))
		return -EINVAL;
	if (addr->ss_family == AF_UNSPEC) {
		lock_sock(sk);
		disconnect_locked(sk);
		release_sock(sk);
		return 0;
	}
	err = inet_addr_in(sk->sk_family, addr, len, &ip, &port);
	if (err)
		return err;
	lock_sock(sk);
	err = connect_locked(sk, &ip, port);
	release_sock(sk);
	return err;
}

static int udp_getname(struct socket *sock, struct sockaddr_storage *addr,
		       bool peer)
{
	struct sock *sk = sock->sk;
	int len = -ENOTCONN;

	lock_sock(sk);
	if (!peer)
		len = (int)inet_addr_out(sk->sk_family, &sk->sk_rcv_saddr,
					 sk->sk_num, addr);
	else if (sk->sk_state == TCP_ESTABLISHED)
		len = (int)inet_addr_out(sk->sk_family, &sk->sk_daddr,
					 sk->sk_dport, addr);
	release_sock(sk);
	return len;
}

static int udp_listen(struct socket *sock, int backlog)
{
	(void)sock;
	(void)backlog;
	return -EOPNOTSUPP;
}

static int udp_accept(struct socket *sock, struct socket *newsock,
		      bool nonblock)
{
	(void)sock;
	(void)newsock;
	(void)nonblock;
	return -EOPNOTSUPP;
}

/* As on Linux it takes effect even when it answers ENOTCONN. */
static int udp_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	lock_sock(sk);
	err = sk->sk_state == TCP_ESTABLISHED ? 0 : -ENOTCONN;
	sk->sk_shutdown |= (u8)(how + 1);
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

static u32 udp_poll(struct socket *sock)
{
	const struct sock *sk = sock->sk;
	u32 mask = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	u8 shutdown = READ_ONCE(sk->sk_shutdown);

	if (READ_ONCE(sk->sk_receive_queue.qlen))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(sk->sk_err) || sock_errqueue_ready(sk))
		mask |= EPOLLERR;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	return mask;
}

/* ---- data ---- */

/* Where a message goes, from its name or the connection. sk owned. */
static int destination(const struct sock *sk, const struct msghdr *msg,
		       struct ip_addr *ip, u16 *port)
{
	int err;

	if (!msg->msg_name) {
		if (sk->sk_state != TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		*ip = sk->sk_daddr;
		*port = sk->sk_dport;
		return 0;
	}
	err = inet_addr_in(sk->sk_family, msg->msg_name, msg->msg_namelen, ip,
			   port);
	if (err)
		return err;
	if (!*port)
		return -EINVAL;
	any_is_loopback(ip);
	return check_family(sk, ip);
}

/* The caller's bytes with room for headers. 0, -ENOBUFS, -EFAULT. */
static int read_datagram(struct msghdr *msg, struct sk_buff **out)
{
	u32 len = (u32)msg->msg_iter.count;
	struct sk_buff *skb = alloc_skb(LWIP_UDP_HEADROOM + len);

	if (!skb)
		return -ENOBUFS;
	skb_reserve(skb, LWIP_UDP_HEADROOM);
	if (copy_from_iter(skb_put(skb, len), len, &msg->msg_iter) != len) {
		kfree_skb(skb);
		return -EFAULT;
	}
	*out = skb;
	return 0;
}

static int send_locked(struct sock *sk, struct msghdr *msg)
{
	struct ip_addr ip;
	struct lwip_udp_to to = {
		.local = &sk->sk_rcv_saddr,
		.addr = &ip,
		.tos = sk->sk_tos,
		.ttl = sk->sk_ttl,
		.broadcast = sock_flag(sk, SOCK_BROADCAST),
	};
	struct sk_buff *skb;
	int err;

	err = destination(sk, msg, &ip, &to.port);
	if (err)
		return err;
	err = sock_error(sk);
	if (!err && sk->sk_shutdown & SEND_SHUTDOWN)
		err = -EPIPE;
	if (err)
		return err;
	err = read_datagram(msg, &skb);
	if (err)
		return err;
	err = lwip_udp_send(udp_sk(sk)->pcb, skb, &to, &sk->sk_num);
	if (!err)
		SNMP_INC46(ip_addr_is_v4(&ip), Udp, Udp6, OutDatagrams);
	return err;
}

static ssize_t udp_sendmsg(struct socket *sock, struct msghdr *msg,
			   bool nonblock)
{
	struct sock *sk = sock->sk;
	size_t len = msg->msg_iter.count;
	int err;

	(void)nonblock;
	if (len > UDP_MAX_LEN || len > LWIP_UDP_MAX_LEN)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_sock(sk);
	err = send_locked(sk, msg);
	release_sock(sk);
	return err ? err : (ssize_t)len;
}

static bool something_to_tell(struct sock *sk)
{
	return sk->sk_receive_queue.qlen || sk->sk_err;
}

static bool something_or_shut(struct sock *sk)
{
	return something_to_tell(sk) || sk->sk_shutdown & RCV_SHUTDOWN;
}

/* The next datagram to @msg. sk owned. */
static ssize_t copy_datagram(struct sock *sk, struct msghdr *msg, u32 flags)
{
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
	u32 n = (u32)min((size_t)skb->len, msg->msg_iter.count);
	ssize_t ret = flags & MSG_TRUNC ? skb->len : n;
	struct lwip_udp_from from = lwip_udp_from(skb);

	if (n < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	if (skb_copy_to_iter(skb, 0, n, &msg->msg_iter) != n)
		ret = -EFAULT;
	else if (msg->msg_name)
		msg->msg_namelen = inet_addr_out(sk->sk_family, &from.addr,
						 from.port, msg->msg_name);
	if (!(flags & MSG_PEEK)) {
		skb_unlink(&sk->sk_receive_queue, skb);
		kfree_skb(skb);
	}
	return ret;
}

static ssize_t udp_recvmsg(struct socket *sock, struct msghdr *msg,
			   bool nonblock)
{
	struct sock *sk = sock->sk;
	u32 flags = msg->msg_flags;
	ssize_t ret;
	u64 timeo;

	msg->msg_flags = 0;
	msg->msg_namelen = 0;
	if (unlikely(flags & MSG_ERRQUEUE))
		return sock_recv_errqueue(sk, msg);
	lock_sock(sk);
	timeo = sock_rcvtimeo(sk, nonblock);
	/* As on Linux a shutdown ends a wait, but is no end of file. */
	ret = sk_wait_event(sk, &timeo, timeo ? something_or_shut :
						something_to_tell);
	if (!ret)
		ret = sock_error(sk);
	if (!ret && sk->sk_receive_queue.qlen)
		ret = copy_datagram(sk, msg, flags);
	release_sock(sk);
	return ret;
}

static int udp_ioctl(struct socket *sock, unsigned int cmd, int *val)
{
	struct sock *sk = sock->sk;
	struct sk_buff *skb;

	switch (cmd) {
	case FIONREAD:
		lock_sock(sk);
		skb = skb_peek(&sk->sk_receive_queue);
		*val = skb ? (int)skb->len : 0;
		release_sock(sk);
		return 0;
	case TIOCOUTQ:
		*val = 0;
		return 0;
	default:
		return -ENOTTY;
	}
}

/* ---- options ---- */

static int set_v6only(struct sock *sk, int on)
{
	if (sk->sk_family != AF_INET6)
		return -ENOPROTOOPT;
	if (sk->sk_num)
		return -EINVAL;
	sock_reset_flag(sk, SOCK_V6ONLY);
	if (on)
		sock_set_flag(sk, SOCK_V6ONLY);
	lwip_udp_set_v6only(udp_sk(sk)->pcb, on);
	return 0;
}

static int set_locked(struct sock *sk, int level, int optname, int val)
{
	if (level == IPPROTO_IPV6 && optname == IPV6_V6ONLY)
		return set_v6only(sk, val);
	if (level == IPPROTO_IPV6 && optname == IPV6_RECVERR &&
	    sk->sk_family == AF_INET6)
		return sock_set_recverr(sk, true, val);
	if (level != IPPROTO_IP)
		return -ENOPROTOOPT;
	switch (optname) {
	case IP_TOS:
		sk->sk_tos = (u8)val;
		return 0;
	case IP_TTL:
		if (val != -1 && (val < 1 || val > 255))
			return -EINVAL;
		sk->sk_ttl = val == -1 ? 0 : (u8)val;
		return 0;
	case IP_RECVERR:
		return sock_set_recverr(sk, false, val);
	case IP_MTU_DISCOVER:
		return val < 0 || val > 5 ? -EINVAL : 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int udp_setsockopt(struct socket *sock, int level, int optname,
			  const void *val, u32 len)
{
	struct sock *sk = sock->sk;
	int v, err;

	if (level == SOL_SOCKET)
		return sock_setsockopt(sk, optname, val, len);
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	lock_sock(sk);
	err = set_locked(sk, level, optname, v);
	release_sock(sk);
	return err;
}

static int udp_getsockopt(struct socket *sock, int level, int optname,
			  void *val, u32 *len)
{
	const struct sock *sk = sock->sk;
	int v;

	if (level == SOL_SOCKET)
		return sock_getsockopt(sock->sk, optname, val, len);
	if (level == IPPROTO_IPV6 && optname == IPV6_V6ONLY &&
	    sk->sk_family == AF_INET6)
		v = sock_flag(sk, SOCK_V6ONLY);
	else if (level == IPPROTO_IPV6 && optname == IPV6_RECVERR &&
		 sk->sk_family == AF_INET6)
		v = sock_flag(sk, SOCK_RECVERR6);
	else if (level == IPPROTO_IP && optname == IP_RECVERR)
		v = sock_flag(sk, SOCK_RECVERR);
	else if (level == IPPROTO_IP && optname == IP_TOS)
		v = sk->sk_tos;
	else if (level == IPPROTO_IP && optname == IP_TTL)
		v = sk->sk_ttl ? sk->sk_ttl : 64;
	else
		return -ENOPROTOOPT;
	*len = min(*len, (u32)sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

/* ---- registration ---- */

static void udp_destruct(struct sock *sk)
{
	(void)sk;
}

static void udp_bound_dev(struct sock *sk)
{
	lwip_udp_set_dev(udp_sk(sk)->pcb, sk->sk_bound_dev_if);
}

static struct proto udp_prot = {
	.name = "UDP",
	.bound_dev = udp_bound_dev,
	.backlog_rcv = udp_queue_rcv_skb,
	.destruct = udp_destruct,
};

static const struct proto_ops udp_ops = {
	.family = AF_INET,
	.release = udp_release,
	.bind = udp_bind,
	.connect = udp_connect,
	.listen = udp_listen,
	.accept = udp_accept,
	.getname = udp_getname,
	.poll = udp_poll,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.shutdown = udp_shutdown,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.ioctl = udp_ioctl,
};

static struct sock *udp_create(u16 family)
{
	struct sock *sk = sk_alloc(&udp_prot, family, SOCK_DGRAM, IPPROTO_UDP);

	if (!sk)
		return NULL;
	if (family == AF_INET)
		sk->sk_rcv_saddr = ip_addr_v4(0);
	udp_sk(sk)->pcb = lwip_udp_new(sk, family == AF_INET6);
	if (!udp_sk(sk)->pcb) {
		sock_put(sk);
		return NULL;
	}
	return sk;
}

static const struct inet_protosw udp_protosw = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_UDP,
	.ops = &udp_ops,
	.create = udp_create,
};

void udp_sockets_init(void)
{
	udp_prot.slab = kmem_cache_create("UDP", sizeof(struct udp_sock), 0,
					  SLAB_ZERO);
	if (!udp_prot.slab || inet_register_protosw(&udp_protosw) < 0)
		panic("no memory for UDP: give the machine more");
	lwip_udp_rcv = udp_rcv;
	lwip_udp_err = udp_err;
}
