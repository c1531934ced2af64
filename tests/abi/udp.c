/* SOCK_DGRAM over the loopback: every rule that a program can see. */
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

static int udp(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

/* A bound socket; its port. */
static int bound(uint16_t *port)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int s = udp();

	if (bind(s, (void *)&a, sizeof(a)) || getsockname(s, (void *)&a, &len))
		say("cannot bind");
	*port = ntohs(a.sin_port);
	return s;
}

CASE(udp_to_and_fro)
{
	struct sockaddr_in a, from;
	socklen_t len = sizeof(from);
	uint16_t port;
	int s = bound(&port), c = udp();
	char buf[64];

	a = loopback(port);
	TRY(recv(s, buf, sizeof(buf), 0));
	TRY(sendto(c, "hello", 5, 0, (void *)&a, sizeof(a)));
	say("events %d", settle(s, POLLIN | POLLOUT));
	TRY(recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &len));
	say("from %s, length %u, %.5s", inet_ntoa(from.sin_addr), len, buf);
	TRY(sendto(s, "back", 4, 0, (void *)&from, sizeof(from)));
	settle(c, POLLIN);
	TRY(recv(c, buf, sizeof(buf), 0));
	TRY(sendto(c, "x", 1, 0, NULL, 0));
	TRY(sendto(c, "x", 1, 0, (void *)&a, 4));
	a.sin_port = 0;
	TRY(sendto(c, "x", 1, 0, (void *)&a, sizeof(a)));
	a.sin_family = 99;
	TRY(sendto(c, "x", 1, 0, (void *)&a, sizeof(a)));
	close(s);
	close(c);
}

CASE(udp_message_boundaries)
{
	struct sockaddr_in a;
	uint16_t port;
	int s = bound(&port), c = udp(), n = -1;
	char buf[64] = "";
	struct iovec iov = { buf, 4 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	a = loopback(port);
	sendto(c, "0123456789", 10, 0, (void *)&a, sizeof(a));
	sendto(c, "", 0, 0, (void *)&a, sizeof(a));
	sendto(c, "abc", 3, 0, (void *)&a, sizeof(a));
	settle(s, POLLIN);
	TRY(ioctl(s, FIONREAD, &n));
	say("first %d", n);
	TRY(recv(s, buf, 4, MSG_PEEK));
	TRY(recv(s, buf, 4, MSG_PEEK | MSG_TRUNC));
	TRY(recvmsg(s, &m, 0));
	say("flags %#x", m.msg_flags);
	TRY(recv(s, buf, 4, 0));
	m.msg_namelen = 0;
	TRY(recvmsg(s, &m, 0));
	say("flags %#x %.3s", m.msg_flags, buf);
	TRY(recv(s, buf, 4, 0));
	TRY(recv(s, buf, 4, MSG_OOB));
	TRY(recv(s, buf, 4, MSG_ERRQUEUE));
	TRY(send(c, "x", 1, MSG_OOB));
	close(s);
	close(c);
}

CASE(udp_connect_and_filter)
{
	struct sockaddr_in a, b, me;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	socklen_t len = sizeof(me);
	uint16_t pa, pb, pc;
	int s = bound(&pa), other = bound(&pb), c = bound(&pc);
	char buf[64];

	a = loopback(pa);
	b = loopback(pc);
	TRY(getpeername(c, (void *)&me, &len));
	TRY(connect(c, (void *)&a, sizeof(a)));
	TRY(getpeername(c, (void *)&me, &len));
	say("peer is right %d", me.sin_port == a.sin_port);
	TRY(send(c, "one", 3, 0));
	settle(s, POLLIN);
	TRY(recv(s, buf, sizeof(buf), 0));
	sendto(other, "no", 2, 0, (void *)&b, sizeof(b));
	sendto(s, "yes", 3, 0, (void *)&b, sizeof(b));
	settle(c, POLLIN);
	TRY(recv(c, buf, sizeof(buf), 0));
	TRY(recv(c, buf, sizeof(buf), 0));
	a.sin_port = htons(pb);
	TRY(sendto(c, "over", 4, 0, (void *)&a, sizeof(a)));
	settle(other, POLLIN);
	TRY(recv(other, buf, sizeof(buf), 0));
	TRY(connect(c, &none, sizeof(none)));
	TRY(getpeername(c, (void *)&me, &len));
	TRY(send(c, "x", 1, 0));
	close(s);
	close(other);
	close(c);
}

CASE(udp_refused)
{
	struct sockaddr_in a;
	uint16_t port;
	int s = bound(&port), c = udp(), err = -1;
	socklen_t len = sizeof(err);
	char buf[8];

	a = loopback(port);
	close(s);
	TRY(connect(c, (void *)&a, sizeof(a)));
	TRY(send(c, "x", 1, 0));
	say("events %#x", settle(c, POLLIN | POLLERR | POLLOUT));
	TRY(recv(c, buf, sizeof(buf), 0));
	TRY(recv(c, buf, sizeof(buf), 0));
	TRY(send(c, "x", 1, 0));
	settle(c, POLLERR);
	TRY(getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len));
	say("SO_ERROR %s", errno_name(err));
	TRY(send(c, "x", 1, 0));
	settle(c, POLLERR);
	TRY(send(c, "x", 1, 0));
	close(c);
}

CASE(udp_bind_rules)
{
	struct sockaddr_in a, any = { .sin_family = AF_INET };
	uint16_t port;
	int s = bound(&port), t = udp(), one = 1;

	a = loopback(port);
	TRY(bind(s, (void *)&a, sizeof(a)));
	TRY(bind(t, (void *)&a, sizeof(a)));
	any.sin_port = htons(port);
	TRY(bind(t, (void *)&any, sizeof(any)));
	TRY(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	TRY(bind(t, (void *)&a, sizeof(a)));
	TRY(bind(t, (void *)&a, 4));
	a.sin_addr.s_addr = htonl(0xc0000201);
	TRY(bind(t, (void *)&a, sizeof(a)));
	a.sin_family = AF_INET6;
	TRY(bind(t, (void *)&a, sizeof(a)));
	any.sin_family = AF_UNSPEC;
	any.sin_port = 0;
	TRY(bind(t, (void *)&any, sizeof(any)));
	TRY(listen(t, 1));
	TRY(accept(t, NULL, NULL));
	close(s);
	close(t);
}

CASE(udp_shutdown_rules)
{
	struct sockaddr_in a;
	uint16_t port;
	int s = bound(&port), c = udp();
	char buf[8];

	a = loopback(port);
	TRY(shutdown(c, SHUT_RD));
	TRY(connect(c, (void *)&a, sizeof(a)));
	TRY(shutdown(c, SHUT_WR));
	TRY(send(c, "x", 1, MSG_NOSIGNAL));
	TRY(shutdown(c, SHUT_RDWR));
	TRY(recv(c, buf, sizeof(buf), 0));
	say("events %#x", settle(c, POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
	TRY(shutdown(c, 3));
	close(s);
	close(c);
}

CASE(udp_large_messages)
{
	static char big[66000], got[66000];
	struct sockaddr_in a;
	uint16_t port;
	int s = bound(&port), c = udp();

	a = loopback(port);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	TRY(sendto(c, big, 9000, 0, (void *)&a, sizeof(a)));
	settle(s, POLLIN);
	TRY(recv(s, got, sizeof(got), 0));
	say("same %d", !memcmp(big, got, 9000));
	TRY(sendto(c, big, 65000, 0, (void *)&a, sizeof(a)));
	settle(s, POLLIN);
	TRY(recv(s, got, sizeof(got), 0));
	say("same %d", !memcmp(big, got, 65000));
	TRY(sendto(c, big, 65508, 0, (void *)&a, sizeof(a)));
	close(s);
	close(c);
}

CASE(udp_edge_triggered)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct sockaddr_in a;
	uint16_t port;
	int s = bound(&port), c = udp(), ep = epoll_create1(0);

	a = loopback(port);
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev));
	TRY(epoll_wait(ep, &ev, 1, 0));
	sendto(c, "1", 1, 0, (void *)&a, sizeof(a));
	TRY(epoll_wait(ep, &ev, 1, 2000));
	TRY(epoll_wait(ep, &ev, 1, 0));
	sendto(c, "2", 1, 0, (void *)&a, sizeof(a));
	TRY(epoll_wait(ep, &ev, 1, 2000));
	say("events %#x", ev.events);
	close(ep);
	close(s);
	close(c);
}

CASE(udp_broadcast_needs_leave)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	int s = udp(), one = 1;

	a.sin_addr.s_addr = INADDR_BROADCAST;
	TRY(sendto(s, "x", 1, 0, (void *)&a, sizeof(a)));
	TRY(setsockopt(s, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	close(s);
}

CASE(udp_of_both_families)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 }, from;
	socklen_t len = sizeof(any);
	int s = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), c = udp();
	struct sockaddr_in a;
	char buf[64], text[64];

	TRY(bind(s, (void *)&any, 20));
	TRY(bind(s, (void *)&any, sizeof(any)));
	getsockname(s, (void *)&any, &len);
	a = loopback(ntohs(any.sin6_port));
	TRY(sendto(c, "four", 4, 0, (void *)&a, sizeof(a)));
	settle(s, POLLIN);
	len = sizeof(from);
	TRY(recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &len));
	say("from %s, length %u",
	    inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text)), len);
	TRY(sendto(s, "back", 4, 0, (void *)&from, sizeof(from)));
	settle(c, POLLIN);
	TRY(recv(c, buf, sizeof(buf), 0));
	close(s);
	close(c);
}
