/*
 * SOL_SOCKET options: what setsockopt(2) and getsockopt(2) answer whatever
 * the protocol, with Linux's limits, roundings and errno (socket(7)). Called
 * from the socket layer in task context; take the sock lock.
 */
#include "net/sock.h"

#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "net/dev.h"
#include "net/scm.h"
#include "net/sock_errqueue.h"
#include "net/socket.h"
#include "net/tcp/tcp.h"

/* Numbers of x86-64 Linux. */
enum so_option {
	SO_DEBUG = 1,
	SO_REUSEADDR = 2,
	SO_TYPE = 3,
	SO_ERROR = 4,
	SO_DONTROUTE = 5,
	SO_BROADCAST = 6,
	SO_SNDBUF = 7,
	SO_RCVBUF = 8,
	SO_KEEPALIVE = 9,
	SO_OOBINLINE = 10,
	SO_NO_CHECK = 11,
	SO_PRIORITY = 12,
	SO_LINGER = 13,
	SO_BSDCOMPAT = 14,
	SO_REUSEPORT = 15,
	SO_PASSCRED = 16,
	SO_PEERCRED = 17,
	SO_RCVLOWAT = 18,
	SO_SNDLOWAT = 19,
	SO_RCVTIMEO = 20,
	SO_SNDTIMEO = 21,
	SO_BINDTODEVICE = 25,
	SO_ACCEPTCONN = 30,
	SO_SNDBUFFORCE = 32,
	SO_RCVBUFFORCE = 33,
	SO_MARK = 36,
	SO_PROTOCOL = 38,
	SO_DOMAIN = 39,
	SO_BUSY_POLL = 46,
	SO_MAX_PACING_RATE = 47,
	SO_INCOMING_CPU = 49,
	SO_ZEROCOPY = 60,
	SO_BINDTOIFINDEX = 62,
};

struct linger {
	s32 l_onoff;
	s32 l_linger;		/* seconds */
};

#define LINGER_MAX_S	(UINT32_MAX / 1000)

static int get_int(const void *val)
{
	int v;

	memcpy(&v, val, sizeof(v));
	return v;
}

static void set_flag(struct sock *sk, enum sock_flag flag, bool on)
{
	if (on)
		sock_set_flag(sk, flag);
	else
		sock_reset_flag(sk, flag);
}

/* The flag that @optname switches, or -1. */
static int option_flag(int optname)
{
	switch (optname) {
	case SO_DEBUG:
		return SOCK_DBG;
	case SO_REUSEADDR:
		return SOCK_REUSEADDR;
	case SO_DONTROUTE:
		return SOCK_LOCALROUTE;
	case SO_BROADCAST:
		return SOCK_BROADCAST;
	case SO_KEEPALIVE:
		return SOCK_KEEPOPEN;
	case SO_OOBINLINE:
		return SOCK_URGINLINE;
	case SO_NO_CHECK:
		return SOCK_NO_CHECK;
	case SO_REUSEPORT:
		return SOCK_REUSEPORT;
	case SO_PASSCRED:
		return SOCK_PASSCRED;
	case SO_ZEROCOPY:
		return SOCK_ZEROCOPY;
	default:
		return -1;
	}
}

/* Twice what was asked, since bookkeeping counts too (socket(7)). */
static s32 buffer_size(int asked, bool force, s32 least)
{
	u32 size = (u32)asked;

	if (force)
		size = asked < 0 ? 0 : min(size, (u32)INT32_MAX / 2);
	else
		size = min(size, (u32)SOCK_BUF_MAX);
	return max((s32)size * 2, least);
}

static void set_sndbuf(struct sock *sk, int asked, bool force)
{
	sock_set_flag(sk, SOCK_SNDBUF_LOCK);
	WRITE_ONCE(sk->sk_sndbuf, buffer_size(asked, force, SOCK_MIN_SNDBUF));
	sk->sk_write_space(sk);
}

static void set_rcvbuf(struct sock *sk, int asked, bool force)
{
	sock_set_flag(sk, SOCK_RCVBUF_LOCK);
	WRITE_ONCE(sk->sk_rcvbuf, buffer_size(asked, force, SOCK_MIN_RCVBUF));
}

/* More than half of what the buffer holds would never be reached. */
static void set_rcvlowat(struct sock *sk, int v)
{
	u32 most = INT32_MAX;

	if (sk->sk_type == SOCK_STREAM && sock_flag(sk, SOCK_RCVBUF_LOCK))
		most = (u32)sk->sk_rcvbuf >> 1;
	sk->sk_rcvlowat = v < 0 ? most : clamp((u32)v, 1u, most);
}

static int set_linger(struct sock *sk, const void *val, u32 len)
{
	struct linger ling;

	if (len < sizeof(ling))
		return -EINVAL;
	memcpy(&ling, val, sizeof(ling));
	if (ling.l_onoff)
		sk->sk_lingertime =
			min((u32)ling.l_linger, LINGER_MAX_S) * 1000;
	set_flag(sk, SOCK_LINGER, ling.l_onoff);
	return 0;
}

/* Zero is for ever; a negative time is over before it begins. */
static int set_timeout(u32 *ms, const void *val, u32 len)
{
	struct timeval tv;
	u64 t;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0) {
		*ms = SOCK_TIMEO_PAST;
		return 0;
	}
	t = min((u64)tv.tv_sec, UINT32_MAX / 1000ull - 1) * 1000 +
	    ((u64)tv.tv_usec + 999) / 1000;
	*ms = (u32)t;
	return 0;
}

static int bind_to(struct sock *sk, s32 ifindex)
{
	sk->sk_bound_dev_if = ifindex;
	if (sk->sk_prot->bound_dev)
		sk->sk_prot->bound_dev(sk);
	return 0;
}

static int bind_to_name(struct sock *sk, const void *val, u32 len)
{
	char name[16] = "";
	struct net_device *dev;

	memcpy(name, val, min(len, (u32)sizeof(name) - 1));
	if (!name[0])
		return bind_to(sk, 0);
	dev = dev_get_by_name(name);
	if (!dev)
		return -ENODEV;
	return bind_to(sk, dev->ifindex);
}

/* There need not be such a device (yet), as on Linux. */
static int bind_to_index(struct sock *sk, int index)
{
	if (index < 0)
		return -EINVAL;
	return bind_to(sk, index);
}

static int set_flag_option(struct sock *sk, int optname, int flag, bool on)
{
	set_flag(sk, (enum sock_flag)flag, on);
	if (optname == SO_KEEPALIVE && sk->sk_prot->keepalive)
		sk->sk_prot->keepalive(sk, on);
	return 0;
}

/* 32 bits, of which all set means no limit, or 64. */
static int set_pacing(struct sock *sk, const void *val, u32 len)
{
	u64 rate = (u32)get_int(val);

	if (len >= sizeof(rate))
		memcpy(&rate, val, sizeof(rate));
	else if (rate == UINT32_MAX)
		rate = UINT64_MAX;
	return sk->sk_prot->max_pacing ?
		       sk->sk_prot->max_pacing(sk, &rate, true) : 0;
}

static int set_option(struct sock *sk, int optname, const void *val, u32 len)
{
	int v = get_int(val);

	switch (optname) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		set_sndbuf(sk, v, optname == SO_SNDBUFFORCE);
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		set_rcvbuf(sk, v, optname == SO_RCVBUFFORCE);
		return 0;
	case SO_MAX_PACING_RATE:
		return set_pacing(sk, val, len);
	case SO_PRIORITY:
		sk->sk_priority = (u32)v;
		return 0;
	case SO_MARK:
		sk->sk_mark = (u32)v;
		return 0;
	case SO_LINGER:
		return set_linger(sk, val, len);
	case SO_RCVLOWAT:
		set_rcvlowat(sk, v);
		return 0;
	case SO_RCVTIMEO:
		return set_timeout(&sk->sk_rcvtimeo, val, len);
	case SO_SNDTIMEO:
		return set_timeout(&sk->sk_sndtimeo, val, len);
	case SO_BINDTOIFINDEX:
		return bind_to_index(sk, v);
	case SO_BSDCOMPAT:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* Whose program hears of what was sent. */
static bool zerocopy_able(const struct sock *sk)
{
	return sk->sk_family != AF_UNIX && sk->sk_type == SOCK_STREAM;
}

int sock_setsockopt(struct sock *sk, int optname, const void *val, u32 len)
{
	int flag = option_flag(optname);
	int err;

	if (optname != SO_BINDTODEVICE && len < sizeof(int))
		return -EINVAL;
	if ((optname == SO_PASSCRED && sk->sk_family != AF_UNIX) ||
	    (optname == SO_ZEROCOPY && !zerocopy_able(sk)))
		return -EOPNOTSUPP;
	if (optname == SO_ZEROCOPY && get_int(val) >> 1)
		return -EINVAL;
	lock_sock(sk);
	if (optname == SO_BINDTODEVICE)
		err = bind_to_name(sk, val, len);
	else if (optname == SO_ZEROCOPY && sock_errqueue_enable(sk))
		err = -ENOBUFS;
	else if (flag >= 0)
		err = set_flag_option(sk, optname, flag, get_int(val));
	else
		err = set_option(sk, optname, val, len);
	release_sock(sk);
	return err;
}

/* What one option says, in the longest form that any has. */
union answer {
	int v;
	struct linger ling;
	struct timeval tv;
	struct ucred cred;
	u64 rate;
};

static struct timeval ms_to_timeval(u32 ms)
{
	if (ms == SOCK_TIMEO_PAST)
		ms = 0;
	return (struct timeval){ ms / 1000, ms % 1000 * 1000 };
}

/* The length of the answer, for @len bytes at most; or -ENOPROTOOPT. */
static int get_option(struct sock *sk, int optname, union answer *a, u32 len)
{
	switch (optname) {
	case SO_TYPE:
		a->v = sk->sk_type;
		break;
	case SO_ERROR:
		a->v = -sock_error(sk);
		break;
	case SO_MAX_PACING_RATE:
		a->rate = UINT64_MAX;
		if (sk->sk_prot->max_pacing)
			sk->sk_prot->max_pacing(sk, &a->rate, false);
		if (len >= sizeof(a->rate))
			return sizeof(a->rate);
		a->v = (int)min(a->rate, (u64)UINT32_MAX);
		break;
	case SO_SNDBUF:
		a->v = sk->sk_sndbuf;
		break;
	case SO_RCVBUF:
		a->v = sk->sk_rcvbuf;
		break;
	case SO_PRIORITY:
		a->v = (int)sk->sk_priority;
		break;
	case SO_MARK:
		a->v = (int)sk->sk_mark;
		break;
	case SO_LINGER:
		a->ling.l_onoff = sock_flag(sk, SOCK_LINGER);
		a->ling.l_linger = (s32)(sk->sk_lingertime / 1000);
		return sizeof(a->ling);
	case SO_RCVTIMEO:
		a->tv = ms_to_timeval(sk->sk_rcvtimeo);
		return sizeof(a->tv);
	case SO_SNDTIMEO:
		a->tv = ms_to_timeval(sk->sk_sndtimeo);
		return sizeof(a->tv);
	case SO_RCVLOWAT:
		a->v = (int)sk->sk_rcvlowat;
		break;
	case SO_SNDLOWAT:
		a->v = 1;
		break;
	case SO_PEERCRED:
		a->cred = sk->sk_prot->peercred ? sk->sk_prot->peercred(sk) :
						  UCRED_NONE;
		return sizeof(a->cred);
	case SO_ACCEPTCONN:
		a->v = sk->sk_state == TCP_LISTEN;
		break;
	case SO_PROTOCOL:
		a->v = sk->sk_protocol;
		break;
	case SO_DOMAIN:
		a->v = sk->sk_family;
		break;
	case SO_BINDTOIFINDEX:
		a->v = sk->sk_bound_dev_if;
		break;
	case SO_BSDCOMPAT:
	case SO_BUSY_POLL:
	case SO_INCOMING_CPU:
		a->v = 0;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return sizeof(a->v);
}

/* The device's name with its end, or nothing if the socket is not bound. */
static int get_bound_name(const struct sock *sk, void *val, u32 *len)
{
	const struct net_device *dev;
	u32 n;

	dev = sk->sk_bound_dev_if ? dev_get_by_index(sk->sk_bound_dev_if) :
				    NULL;
	if (!dev) {
		*len = 0;
		return 0;
	}
	if (*len < sizeof(dev->name))
		return -EINVAL;
	n = (u32)strlen(dev->name) + 1;
	memcpy(val, dev->name, n);
	*len = n;
	return 0;
}

int sock_getsockopt(struct sock *sk, int optname, void *val, u32 *len)
{
	union answer a = { .v = 0 };
	int flag = option_flag(optname);
	int n = sizeof(a.v);

	if (optname == SO_BINDTODEVICE)
		return get_bound_name(sk, val, len);
	if (optname == SO_PASSCRED && sk->sk_family != AF_UNIX)
		return -EOPNOTSUPP;
	lock_sock(sk);
	if (flag >= 0)
		a.v = sock_flag(sk, (enum sock_flag)flag);
	else
		n = get_option(sk, optname, &a, *len);
	release_sock(sk);
	if (n < 0)
		return n;
	*len = min(*len, (u32)n);
	memcpy(val, &a, *len);
	return 0;
}
