/* IP_RECVERR and MSG_ERRQUEUE: errors with what they are about. */
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>

#ifndef IPV6_RECVERR
#define IPV6_RECVERR 25
#endif

struct sock_extended_err {
	uint32_t ee_errno;
	uint8_t ee_origin, ee_type, ee_code, ee_pad;
	uint32_t ee_info, ee_data;
};

struct errmsg {
	struct msghdr m;
	struct iovec iov;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name;
	char data[64], control[128];
};

static long recv_error(int s, struct errmsg *e)
{
	*e = (struct errmsg){
		.iov = { e->data, sizeof(e->data) },
		.m = {
			.msg_iov = &e->iov,
			.msg_iovlen = 1,
			.msg_name = &e->name,
			.msg_namelen = sizeof(e->name),
			.msg_control = e->control,
			.msg_controllen = sizeof(e->control),
		},
	};
	return recvmsg(s, &e->m, MSG_ERRQUEUE);
}

static void show_error(struct errmsg *e)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(&e->m);
	struct sock_extended_err ee;
	struct sockaddr_in6 from;

	say("flags %#x, name of %u bytes, control of %u", e->m.msg_flags,
	    e->m.msg_namelen, (unsigned)e->m.msg_controllen);
	if (!c)
		return;
	memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	memcpy(&from, CMSG_DATA(c) + sizeof(ee), sizeof(from));
	say("length %u, level %d, type %d", (unsigned)c->cmsg_len,
	    c->cmsg_level, c->cmsg_type);
	say("%s, origin %d, type %d, code %d, info %u, data %u, pad %d",
	    errno_name((int)ee.ee_errno), ee.ee_origin, ee.ee_type,
	    ee.ee_code, ee.ee_info, ee.ee_data, ee.ee_pad);
	say("offender's family %d", from.sin6_family);
}

/* A port of the loopback where nobody listens. */
static uint16_t closed_port(int type)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, type, 0);

	bind(s, (void *)&a, sizeof(a));
	getsockname(s, (void *)&a, &len);
	close(s);
	return ntohs(a.sin_port);
}

CASE(errqueue_of_udp)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
	int ep = epoll_create1(0);
	struct sockaddr_in a = loopback(closed_port(SOCK_DGRAM));
	socklen_t len = sizeof(on);
	struct errmsg e;
	char c;

	TRY(recv_error(s, &e));
	TRY(sendto(s, "", 0, 0, (void *)&a, sizeof(a)));
	TRY(settle(s, POLLOUT));
	TRY(recv(s, &c, 1, 0));
	TRY(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	on = 0;
	TRY(getsockopt(s, IPPROTO_IP, IP_RECVERR, &on, &len));
	say("on %d", on);
	epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);
	TRY(sendto(s, "", 0, 0, (void *)&a, sizeof(a)));
	TRY(epoll_wait(ep, &ev, 1, 2000));
	say("events %#x", ev.events);
	/* One is pending, and one queued; recv takes the first only. */
	TRY(recv(s, &c, 1, 0));
	say("events %#x", ready(s, POLLIN | POLLOUT));
	TRY(recv_error(s, &e));
	show_error(&e);
	say("to the port %d", e.name.in.sin_port == a.sin_port);
	say("events %#x", ready(s, POLLIN | POLLOUT));
	TRY(recv_error(s, &e));
	/* Read from the queue: the pending error goes with it. */
	sendto(s, "", 0, 0, (void *)&a, sizeof(a));
	settle(s, POLLIN);
	TRY(recv_error(s, &e));
	TRY(recv(s, &c, 1, 0));
	/* Off: forgotten. */
	sendto(s, "", 0, 0, (void *)&a, sizeof(a));
	settle(s, POLLIN);
	on = 0;
	TRY(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	TRY(recv_error(s, &e));
	TRY(recv(s, &c, 1, 0));
}

CASE(errqueue_of_udp6)
{
	struct sockaddr_in6 a = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(closed_port(SOCK_DGRAM)),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int s = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
	socklen_t len = sizeof(on);
	struct errmsg e;

	TRY(setsockopt(s, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
	on = 0;
	TRY(getsockopt(s, IPPROTO_IPV6, IPV6_RECVERR, &on, &len));
	say("on %d", on);
	TRY(sendto(s, "", 0, 0, (void *)&a, sizeof(a)));
	say("events %#x", settle(s, POLLIN));
	TRY(recv_error(s, &e));
	show_error(&e);
	say("to the port %d", e.name.in6.sin6_port == a.sin6_port);
}

CASE(errqueue_of_tcp)
{
	struct sockaddr_in a = loopback(closed_port(SOCK_STREAM));
	int fd[2], on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	struct errmsg e;
	char c;

	TRY(recv_error(s, &e));
	TRY(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	/* A reset is no ICMP error. */
	TRY(connect(s, (void *)&a, sizeof(a)));
	TRY(recv_error(s, &e));
	tcp_pair(fd);
	TRY(setsockopt(fd[0], IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	say("events %#x", ready(fd[0], POLLIN | POLLOUT));
	write(fd[1], "x", 1);
	say("events %#x", settle(fd[0], POLLIN));
	TRY(recv_error(fd[0], &e));
	TRY(read(fd[0], &c, 1));
}

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#define ZEROCOPY 0x4000000

/* Over the loopback Linux copies, and says so; each call has a number. */
CASE(errqueue_of_zerocopy)
{
	static char buf[20000];
	int s[2], one = 1, u = socket(AF_UNIX, SOCK_STREAM, 0);
	struct pollfd p = { .events = 0 };
	struct errmsg e;

	tcp_pair(s);
	p.fd = s[0];
	TRY(setsockopt(u, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	one = 2;
	TRY(setsockopt(s[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	TRY(send(s[0], buf, 100, ZEROCOPY));
	TRY(recv_error(s[0], &e));
	one = 1;
	TRY(setsockopt(s[0], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	for (int i = 0; i < 3; i++)
		TRY(send(s[0], buf, i == 1 ? 100 : sizeof(buf), ZEROCOPY));
	TRY(send(s[0], buf, 100, 0));
	for (int left = 40300; left;)
		left -= (int)read(s[1], buf, sizeof(buf));
	usleep(100000);	/* the last of the ACKs */
	TRY(poll(&p, 1, 5000));
	say("%#x", p.revents);
	TRY(recv_error(s[0], &e));
	show_error(&e);
	TRY(recv_error(s[0], &e));
	close(s[0]);
	close(s[1]);
	close(u);
}
