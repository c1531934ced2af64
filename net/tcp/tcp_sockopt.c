/*
 * Options of level IPPROTO_TCP, IPPROTO_IP and IPPROTO_IPV6 (tcp(7), ip(7),
 * ipv6(7)); SOL_SOCKET is net/sock_opt.c. Task context; takes the sk lock.
 */
#include "net/tcp/tcp_user.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/sock_errqueue.h"
#include "net/tcp/tcp_cong.h"
#include "net/tcp/tcp_ext.h"
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_input.h"
#include "net/tcp/tcp_output.h"
#include "net/tcp/tcp_timer.h"

enum tcp_option {
	TCP_NODELAY = 1,
	TCP_MAXSEG = 2,
	TCP_CORK = 3,
	TCP_KEEPIDLE = 4,
	TCP_KEEPINTVL = 5,
	TCP_KEEPCNT = 6,
	TCP_SYNCNT = 7,
	TCP_LINGER2 = 8,
	TCP_DEFER_ACCEPT = 9,
	TCP_WINDOW_CLAMP = 10,
	TCP_INFO = 11,
	TCP_QUICKACK = 12,
	TCP_CONGESTION = 13,
	TCP_USER_TIMEOUT = 18,
	TCP_FASTOPEN = 23,
	TCP_NOTSENT_LOWAT = 25,
	TCP_FASTOPEN_CONNECT = 30,
};

enum ip_option {
	IP_TOS = 1,
	IP_TTL = 2,
	IP_RECVERR = 11,
	IP_MTU_DISCOVER = 10,
};

enum ipv6_option {
	IPV6_UNICAST_HOPS = 16,
	IPV6_RECVERR = 25,
	IPV6_V6ONLY = 26,
	IPV6_TCLASS = 67,
};

#define MSS_LOW		88	/* Linux's TCP_MIN_MSS */
#define MSS_HIGH	32767
#define KEEPIDLE_MAX	32767
#define KEEPINTVL_MAX	32767
#define KEEPCNT_MAX	127
#define SYNCNT_MAX	127
#define TRIES_MOST	255
#define CA_NAME_MAX	16

static void set_nodelay(struct tcp_sock *tp, int val, u64 now)
{
	if (!val) {
		tp->nonagle &= (u8)~TCP_NAGLE_OFF;
		return;
	}
	/* What waits goes now, unless TCP_CORK holds it. */
	tp->nonagle |= TCP_NAGLE_OFF;
	if (!(tp->nonagle & TCP_NAGLE_CORK))
		tcp_push_pending(tp, now);
}

static void set_cork(struct tcp_sock *tp, int val, u64 now)
{
	if (val) {
		tp->nonagle |= TCP_NAGLE_CORK;
		return;
	}
	tp->nonagle &= (u8)~TCP_NAGLE_CORK;
	if (tp->send_head)
		tcp_write_xmit(tp, TCP_NAGLE_PUSH, now);
}

static void set_quickack(struct tcp_sock *tp, int val, u64 now)
{
	if (!val) {
		tp->ack_state |= TCP_ACK_PINGPONG;
		tp->quick = 0;
		return;
	}
	tp->ack_state &= (u8)~TCP_ACK_PINGPONG;
	tp->quick = 16;
	if (tp->ack_state & TCP_ACK_SCHED)
		tcp_send_ack(tp, now);
}

static int set_in_range(int val, int low, int high)
{
	return val < low || val > high ? -EINVAL : 0;
}

/* Options that are one number in the block, with its range. */
static int set_number(struct tcp_sock *tp, int optname, int val)
{
	int err = -ENOPROTOOPT;

	switch (optname) {
	case TCP_MAXSEG:
		err = val ? set_in_range(val, MSS_LOW, MSS_HIGH) : 0;
		if (!err)
			tp->user_mss = (u16)val;
		break;
	case TCP_KEEPINTVL:
		err = set_in_range(val, 1, KEEPINTVL_MAX);
		if (!err)
			tp->keep_intvl = (u16)val;
		break;
	case TCP_KEEPCNT:
		err = set_in_range(val, 1, KEEPCNT_MAX);
		if (!err)
			tp->keep_cnt = (u8)val;
		break;
	case TCP_SYNCNT:
		err = set_in_range(val, 1, SYNCNT_MAX);
		if (!err)
			tp->syn_retries = (u8)val;
		break;
	case TCP_USER_TIMEOUT:
		err = set_in_range(val, 0, INT32_MAX);
		if (!err)
			tp->user_timeout = (u32)val;
		break;
	case TCP_LINGER2:
		tp->linger2 = (s16)(val < 0 ? -1 : min(val, 120));
		err = 0;
		break;
	}
	return err;
}

/* From the @n-th try of a SYN-ACK to the next: a second and doubling. */
static int try_seconds(u8 n)
{
	return n < 7 ? 1 << n : 120;
}

/* How many tries take @s seconds. */
static u8 seconds_to_tries(int s)
{
	u8 n = 0;

	for (int passed = 0; passed < s && n < TRIES_MOST; n++)
		passed += try_seconds(n);
	return n;
}

static int tries_to_seconds(u8 n)
{
	int s = 0;

	while (n--)
		s += try_seconds(n);
	return s;
}

/* The window is half the buffer: what limits that limits it. */
static int set_window_clamp(struct sock *sk, struct tcp_ext *e, int val)
{
	u32 clamp = max((u32)val, SOCK_MIN_RCVBUF / 2u);

	if (!val) {
		e->window_clamp = 0;
		return sk->sk_state == TCP_CLOSE ? 0 : -EINVAL;
	}
	e->window_clamp = clamp;
	if (2ull * clamp < (u64)sk->sk_rcvbuf) {
		sock_set_flag(sk, SOCK_RCVBUF_LOCK);
		WRITE_ONCE(sk->sk_rcvbuf, (s32)(2 * clamp));
	}
	return 0;
}

static int set_fastopen(struct tcp_sock *tp, struct tcp_ext *e, int optname,
			int val)
{
	bool fresh = tp->sk.sk_state == TCP_CLOSE;

	if (val < 0 || (!fresh && tp->sk.sk_state != TCP_LISTEN))
		return -EINVAL;
	if (optname == TCP_FASTOPEN) {
		e->fo_most = (u32)val;
		return 0;
	}
	if (val > 1 || !fresh)
		return -EINVAL;
	e->fo_connect = val;
	return 0;
}

/* Options that are kept in the other block. */
static int set_rare(struct tcp_sock *tp, int optname, int val)
{
	struct tcp_ext *e;

	if (optname != TCP_FASTOPEN && optname != TCP_FASTOPEN_CONNECT &&
	    optname != TCP_DEFER_ACCEPT && optname != TCP_WINDOW_CLAMP)
		return set_number(tp, optname, val);
	e = tcp_ext_get(tp);
	if (!e)
		return -ENOMEM;
	if (optname == TCP_WINDOW_CLAMP)
		return set_window_clamp(&tp->sk, e, val);
	if (optname != TCP_DEFER_ACCEPT)
		return set_fastopen(tp, e, optname, val);
	e->defer_accept = seconds_to_tries(val);
	return 0;
}

static int set_tcp(struct sock *sk, int optname, int val, u64 now)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (optname == TCP_NODELAY) {
		set_nodelay(tp, val, now);
	} else if (optname == TCP_CORK) {
		set_cork(tp, val, now);
	} else if (optname == TCP_QUICKACK) {
		set_quickack(tp, val, now);
	} else if (optname == TCP_NOTSENT_LOWAT) {
		WRITE_ONCE(tp->notsent_lowat, (u32)val);
		tcp_data_snd_check(tp, now);
	} else if (optname == TCP_KEEPIDLE) {
		if (set_in_range(val, 1, KEEPIDLE_MAX))
			return -EINVAL;
		tp->keep_idle = (u16)val;
		if (sock_flag(sk, SOCK_KEEPOPEN))
			tcp_keepalive_start(sk, now);
	} else {
		return set_rare(tp, optname, val);
	}
	return 0;
}

static int set_congestion(struct sock *sk, const void *val, u32 len)
{
	const struct tcp_congestion_ops *ca;
	char name[CA_NAME_MAX] = "";

	memcpy(name, val, min(len, (u32)CA_NAME_MAX - 1));
	ca = tcp_cong_find(name, (u32)strlen(name));
	if (!ca)
		return -ENOENT;
	tcp_cong_set(tcp_sk(sk), ca);
	return 0;
}

static int set_ip(struct sock *sk, int optname, int val)
{
	switch (optname) {
	case IP_TOS:
		/* The low two bits are ECN's (RFC 3168 section 5). */
		sk->sk_tos = (u8)(val & ~3);
		return 0;
	case IP_TTL:
		if (val != -1 && (val < 1 || val > 255))
			return -EINVAL;
		sk->sk_ttl = val == -1 ? 0 : (u8)val;
		return 0;
	case IP_RECVERR:
		return sock_set_recverr(sk, false, val);
	case IP_MTU_DISCOVER:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_ipv6(struct sock *sk, int optname, int val)
{
	if (sk->sk_family != AF_INET6)
		return -ENOPROTOOPT;
	switch (optname) {
	case IPV6_V6ONLY:
		if (sk->sk_num)
			return -EINVAL;
		if (val)
			sock_set_flag(sk, SOCK_V6ONLY);
		else
			sock_reset_flag(sk, SOCK_V6ONLY);
		return 0;
	case IPV6_TCLASS:
		if (val < -1 || val > 255)
			return -EINVAL;
		sk->sk_tos = val < 0 ? 0 : (u8)(val & ~3);
		return 0;
	case IPV6_UNICAST_HOPS:
		return set_ip(sk, IP_TTL, val);
	case IPV6_RECVERR:
		return sock_set_recverr(sk, true, val);
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_setsockopt(struct socket *sock, int level, int optname,
		   const void *val, u32 len)
{
	struct sock *sk = sock->sk;
	int v, err = -ENOPROTOOPT;

	if (level == IPPROTO_TCP && optname == TCP_CONGESTION) {
		if (!len)
			return -EINVAL;
		lock_sock(sk);
		err = set_congestion(sk, val, len);
		release_sock(sk);
		return err;
	}
	if (level == IPPROTO_IP && len >= 1 && len < sizeof(v))
		v = *(const u8 *)val;
	else if (len < sizeof(v))
		return -EINVAL;
	else
		memcpy(&v, val, sizeof(v));
	lock_sock(sk);
	if (level == IPPROTO_TCP)
		err = set_tcp(sk, optname, v, ktime_get_ns());
	else if (level == IPPROTO_IP)
		err = set_ip(sk, optname, v);
	else if (level == IPPROTO_IPV6)
		err = set_ipv6(sk, optname, v);
	release_sock(sk);
	return err;
}

static int get_tcp(const struct sock *sk, int optname, int *val)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	switch (optname) {
	case TCP_NODELAY:
		*val = !!(tp->nonagle & TCP_NAGLE_OFF);
		break;
	case TCP_CORK:
		*val = !!(tp->nonagle & TCP_NAGLE_CORK);
		break;
	case TCP_QUICKACK:
		*val = !(tp->ack_state & TCP_ACK_PINGPONG);
		break;
	case TCP_MAXSEG:
		*val = tp->mss_cache;
		if (tp->user_mss && (sk->sk_state == TCP_CLOSE ||
				     sk->sk_state == TCP_LISTEN))
			*val = tp->user_mss;
		break;
	case TCP_KEEPIDLE:
		*val = (int)tp->keep_idle;
		break;
	case TCP_KEEPINTVL:
		*val = tp->keep_intvl;
		break;
	case TCP_KEEPCNT:
		*val = tp->keep_cnt;
		break;
	case TCP_SYNCNT:
		*val = tp->syn_retries ? tp->syn_retries : TCP_SYN_RETRIES;
		break;
	case TCP_LINGER2:
		*val = tp->linger2 ? tp->linger2 : 60;
		break;
	case TCP_USER_TIMEOUT:
		*val = (int)tp->user_timeout;
		break;
	case TCP_NOTSENT_LOWAT:
		*val = (int)tp->notsent_lowat;
		break;
	case TCP_DEFER_ACCEPT:
		*val = tp->ext ? tries_to_seconds(tp->ext->defer_accept) : 0;
		break;
	case TCP_WINDOW_CLAMP:
		*val = tp->ext ? (int)tp->ext->window_clamp : 0;
		break;
	case TCP_FASTOPEN:
		*val = tp->ext ? (int)tp->ext->fo_most : 0;
		break;
	case TCP_FASTOPEN_CONNECT:
		*val = tp->ext && tp->ext->fo_connect;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return 0;
}

static int get_ip(const struct sock *sk, int level, int optname, int *val)
{
	if (level == IPPROTO_IPV6) {
		if (sk->sk_family != AF_INET6)
			return -ENOPROTOOPT;
		if (optname == IPV6_V6ONLY) {
			*val = sock_flag(sk, SOCK_V6ONLY);
			return 0;
		}
		if (optname == IPV6_RECVERR) {
			*val = sock_flag(sk, SOCK_RECVERR6);
			return 0;
		}
		if (optname == IPV6_TCLASS)
			optname = IP_TOS;
		else if (optname == IPV6_UNICAST_HOPS)
			optname = IP_TTL;
		else
			return -ENOPROTOOPT;
	}
	if (optname == IP_TOS)
		*val = sk->sk_tos;
	else if (optname == IP_TTL)
		*val = sk->sk_ttl ? sk->sk_ttl : 64;
	else if (optname == IP_RECVERR)
		*val = sock_flag(sk, SOCK_RECVERR);
	else
		return -ENOPROTOOPT;
	return 0;
}

static int put(void *to, u32 *len, const void *from, u32 size)
{
	*len = min(*len, size);
	memcpy(to, from, *len);
	return 0;
}

static int get_locked(struct sock *sk, int level, int optname, void *val,
		      u32 *len)
{
	char name[CA_NAME_MAX] = "";
	struct tcp_info info;
	int v, err;

	if (level == IPPROTO_TCP && optname == TCP_INFO) {
		tcp_get_info(sk, &info, ktime_get_ns());
		return put(val, len, &info, sizeof(info));
	}
	if (level == IPPROTO_TCP && optname == TCP_CONGESTION) {
		strlcpy(name, tcp_sk(sk)->ca->name, sizeof(name));
		return put(val, len, name, sizeof(name));
	}
	if (level == IPPROTO_TCP)
		err = get_tcp(sk, optname, &v);
	else if (level == IPPROTO_IP || level == IPPROTO_IPV6)
		err = get_ip(sk, level, optname, &v);
	else
		err = -EOPNOTSUPP;
	return err ? err : put(val, len, &v, sizeof(v));
}

int tcp_getsockopt(struct socket *sock, int level, int optname, void *val,
		   u32 *len)
{
	int err;

	lock_sock(sock->sk);
	err = get_locked(sock->sk, level, optname, val, len);
	release_sock(sock->sk);
	return err;
}
