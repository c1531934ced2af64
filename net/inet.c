/*
 * AF_INET and AF_INET6: one table of socket types for both, since addresses
 * are one type inside. Protocols register at boot; socket(2) looks up.
 */
#include "net/inet.h"

#include "kernel/errno.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "net/ip/ip.h"
#include "net/sock.h"

#define MAX_PROTOSW	8
#define IPPROTO_MAX	263	/* Linux's, with MPTCP's 262 */
#define SIN6_LEN_MIN	24	/* RFC 2133's form, without a scope id */

_Static_assert(sizeof(struct sockaddr_in) == 16, "Linux's sockaddr_in");
_Static_assert(sizeof(struct sockaddr_in6) == 28, "Linux's sockaddr_in6");

static const struct inet_protosw *protosw[MAX_PROTOSW];	/* boot only */

int inet_register_protosw(const struct inet_protosw *sw)
{
	for (u32 i = 0; i < MAX_PROTOSW; i++) {
		if (!protosw[i]) {
			protosw[i] = sw;
			return 0;
		}
	}
	return -ENOBUFS;
}

/* Protocol 0 is the type's first. */
static int find_protosw(u16 type, int protocol,
			const struct inet_protosw **out)
{
	int err = -ESOCKTNOSUPPORT;

	for (u32 i = 0; i < MAX_PROTOSW && protosw[i]; i++) {
		if (protosw[i]->type != type)
			continue;
		if (!protocol || protosw[i]->protocol == protocol) {
			*out = protosw[i];
			return 0;
		}
		err = -EPROTONOSUPPORT;
	}
	return err;
}

static int create(struct socket *sock, u16 family, u16 type, int protocol)
{
	const struct inet_protosw *sw;
	struct sock *sk;
	int err;

	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	err = find_protosw(type, protocol, &sw);
	if (err)
		return err;
	sk = sw->create(family);
	if (!sk)
		return -ENOBUFS;
	sock->ops = sw->ops;
	sock_graft(sk, sock);
	return 0;
}

static int inet_create(struct socket *sock, u16 type, int protocol)
{
	return create(sock, AF_INET, type, protocol);
}

static int inet6_create(struct socket *sock, u16 type, int protocol)
{
	return create(sock, AF_INET6, type, protocol);
}

int inet_addr_in(u16 family, const struct sockaddr_storage *addr, u32 len,
		 struct ip_addr *ip, u16 *port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (family == AF_INET) {
		if (len < sizeof(in))
			return -EINVAL;
		if (addr->ss_family != AF_INET)
			return -EAFNOSUPPORT;
		memcpy(&in, addr, sizeof(in));
		*ip = ip_addr_v4(in.sin_addr);
		*port = be16_to_cpu(in.sin_port);
		return 0;
	}
	if (len < SIN6_LEN_MIN)
		return -EINVAL;
	if (addr->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(&in6, addr, SIN6_LEN_MIN);
	memcpy(ip->a, in6.sin6_addr, sizeof(ip->a));
	*port = be16_to_cpu(in6.sin6_port);
	return 0;
}

u32 inet_addr_out(u16 family, const struct ip_addr *ip, u16 port,
		  struct sockaddr_storage *addr)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (family == AF_INET) {
		in.sin_port = cpu_to_be16(port);
		in.sin_addr = ip->a[3];
		memcpy(addr, &in, sizeof(in));
		return sizeof(in);
	}
	in6.sin6_port = cpu_to_be16(port);
	memcpy(in6.sin6_addr, ip->a, sizeof(ip->a));
	memcpy(addr, &in6, sizeof(in6));
	return sizeof(in6);
}

static const struct net_proto_family inet_family = {
	.family = AF_INET,
	.create = inet_create,
};

static const struct net_proto_family inet6_family = {
	.family = AF_INET6,
	.create = inet6_create,
};

void inet_init(void)
{
	if (sock_register(&inet_family) || sock_register(&inet6_family))
		BUG_ON(true);
}
