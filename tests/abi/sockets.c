/* socket, bind, listen, accept, connect, shutdown and the addresses. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>

#define SA(a)	((struct sockaddr *)(a))

/* Ports that nobody asked for by number follow no order. */
CASE(bind_any_is_drawn)
{
	struct sockaddr_in any = { .sin_family = AF_INET }, got;
	int before = 0, near = 0;

	for (int i = 0; i < 20; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		socklen_t len = sizeof(got);
		int port;

		bind(fd, (struct sockaddr *)&any, sizeof(any));
		getsockname(fd, (struct sockaddr *)&got, &len);
		port = ntohs(got.sin_port);
		near += abs(port - before) < 10;
		before = port;
	}
	say("%d", near < 5);
}

CASE(socket_errors)
{
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
	TRY(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
	TRY(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	TRY(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	TRY(socket(77, SOCK_STREAM, 0));
	TRY(socket(-1, SOCK_STREAM, 0));
	TRY(socket(AF_INET, 99, 0));
	TRY(socket(AF_INET, SOCK_STREAM | 0x10000000, 0));
	TRY(socket(AF_INET, SOCK_STREAM, -1));
}

CASE(bind_errors)
{
	struct sockaddr_in a = loopback(4100), far = loopback(4101);
	struct sockaddr_in any = loopback(0);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	int t = socket(AF_INET, SOCK_STREAM, 0);

	TRY(bind(s, SA(&a), sizeof(a) - 1));
	a.sin_family = 77;
	TRY(bind(s, SA(&a), sizeof(a)));
	a.sin_family = AF_INET;
	far.sin_addr.s_addr = htonl(0x01020304);
	TRY(bind(s, SA(&far), sizeof(far)));
	TRY(bind(s, SA(&a), sizeof(a)));
	TRY(bind(s, SA(&any), sizeof(any)));
	TRY(bind(t, SA(&a), sizeof(a)));
	TRY(bind(-1, SA(&a), sizeof(a)));
	TRY(bind(63, SA(&a), sizeof(a)));
	TRY(bind(0, SA(&a), sizeof(a)));
	TRY(bind(t, BAD_LOW, sizeof(a)));
	TRY(bind(t, SA(&a), 4096));
	close(s);
	TRY(bind(t, SA(&a), sizeof(a)));
}

CASE(bind_two_listeners)
{
	uint16_t port;
	struct sockaddr_in a;
	int one = 1, l, s;

	l = listener(&port);
	a = loopback(port);
	s = socket(AF_INET, SOCK_STREAM, 0);
	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	TRY(bind(s, SA(&a), sizeof(a)));
	close(l);
	TRY(bind(s, SA(&a), sizeof(a)));
}

CASE(listen_errors)
{
	int fd[2], s = socket(AF_INET, SOCK_STREAM, 0);
	int u = socket(AF_INET, SOCK_DGRAM, 0);

	TRY(listen(s, 5));
	TRY(listen(s, 0));
	TRY(listen(u, 5));
	TRY(listen(-1, 5));
	TRY(listen(1, 5));
	tcp_pair(fd);
	TRY(listen(fd[0], 5));
}

CASE(accept_errors)
{
	int fd[2], s = socket(AF_INET, SOCK_STREAM, 0);
	int u = socket(AF_INET, SOCK_DGRAM, 0);
	uint16_t port;
	int l = listener(&port);

	TRY(accept(s, NULL, NULL));
	TRY(accept(u, NULL, NULL));
	TRY(accept(l, NULL, NULL));
	TRY(accept4(l, NULL, NULL, 0x10));
	TRY(accept(-1, NULL, NULL));
	TRY(accept(0, NULL, NULL));
	tcp_pair(fd);
	TRY(accept(fd[0], NULL, NULL));
}

CASE(accept_flags_and_address)
{
	struct sockaddr_in a, peer, me;
	socklen_t len = sizeof(peer), short_len = 4, neg = -1;
	uint16_t port;
	int l = listener(&port), c[4], s;

	a = loopback(port);
	for (int i = 0; i < 4; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, 0);
		TRY(connect(c[i], SA(&a), sizeof(a)));
	}
	settle(l, POLLIN);
	s = TRY(accept4(l, SA(&peer), &len, SOCK_NONBLOCK));
	say("len %d family %d", (int)len, peer.sin_family);
	len = sizeof(me);
	getsockname(c[0], SA(&me), &len);
	say("peer is client: %d", memcmp(&peer, &me, sizeof(me)) == 0);
	TRY(recv(s, &a, 1, 0));
	TRY(accept(l, SA(&peer), &short_len));
	say("short len %d", (int)short_len);
	TRY(accept(l, SA(&peer), &neg));
	TRY(accept(l, BAD_LOW, &len));
}

CASE(connect_refused)
{
	struct sockaddr_in a = loopback(1);
	int s = socket(AF_INET, SOCK_STREAM, 0), err = -1;
	socklen_t len = sizeof(err);

	TRY(connect(s, SA(&a), sizeof(a)));
	TRY(connect(s, SA(&a), 4));
	close(s);
	s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	TRY(connect(s, SA(&a), sizeof(a)));
	say("events %x", settle(s, POLLOUT | POLLIN));
	TRY(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
	say("error %s", errno_name(err));
	TRY(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
	say("error %d", err);
}

CASE(connect_steps)
{
	struct sockaddr_in a;
	uint16_t port;
	int l = listener(&port);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	a = loopback(port);
	TRY(connect(s, SA(&a), sizeof(a)));
	say("events %x", settle(s, POLLOUT));
	TRY(connect(s, SA(&a), sizeof(a)));
	TRY(connect(s, SA(&a), sizeof(a)));
	TRY(connect(l, SA(&a), sizeof(a)));
	TRY(connect(-1, SA(&a), sizeof(a)));
	TRY(connect(s, BAD_LOW, sizeof(a)));
	a.sin_family = 77;
	s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	TRY(connect(s, SA(&a), sizeof(a)));
}

CASE(names)
{
	struct sockaddr_in a = loopback(4200), n;
	socklen_t len = sizeof(n), small = 6, neg = -1;
	int fd[2], s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(getsockname(s, SA(&n), &len));
	say("%s:%d", inet_ntoa(n.sin_addr), ntohs(n.sin_port));
	TRY(getpeername(s, SA(&n), &len));
	bind(s, SA(&a), sizeof(a));
	TRY(getsockname(s, SA(&n), &len));
	say("%s:%d", inet_ntoa(n.sin_addr), ntohs(n.sin_port));
	memset(&n, 0xaa, sizeof(n));
	TRY(getsockname(s, SA(&n), &small));
	say("small %d, last byte %x", (int)small, ((uint8_t *)&n)[6]);
	TRY(getsockname(s, SA(&n), &neg));
	TRY(getsockname(s, BAD_LOW, &len));
	TRY(getsockname(s, SA(&n), BAD_LOW));
	TRY(getsockname(0, SA(&n), &len));
	TRY(getsockname(-1, SA(&n), &len));
	tcp_pair(fd);
	TRY(getpeername(fd[0], SA(&n), &len));
	say("%s", inet_ntoa(n.sin_addr));
	TRY(getpeername(fd[1], SA(&a), &len));
	TRY(getsockname(fd[0], SA(&n), &len));
	say("match %d", n.sin_port == a.sin_port);
}

CASE(shutdown_ways)
{
	char buf[8];
	int fd[2], s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(shutdown(s, SHUT_WR));
	TRY(shutdown(-1, SHUT_WR));
	TRY(shutdown(0, SHUT_WR));
	tcp_pair(fd);
	TRY(shutdown(fd[0], 5));
	TRY(send(fd[0], "abc", 3, 0));
	TRY(shutdown(fd[0], SHUT_WR));
	TRY(shutdown(fd[0], SHUT_WR));
	TRY(send(fd[0], "abc", 3, MSG_NOSIGNAL));
	TRY(read_soon(fd[1], buf, sizeof(buf)));
	TRY(read_soon(fd[1], buf, sizeof(buf)));
	TRY(send(fd[1], "later", 5, 0));
	TRY(read_soon(fd[0], buf, sizeof(buf)));
	TRY(recv(fd[0], buf, sizeof(buf), 0));
	close(fd[1]);
	TRY(read_soon(fd[0], buf, sizeof(buf)));
	tcp_pair(fd);
	TRY(shutdown(fd[0], SHUT_RD));
	TRY(recv(fd[0], buf, sizeof(buf), 0));
	TRY(send(fd[0], "abc", 3, MSG_NOSIGNAL));
	tcp_pair(fd);
	TRY(shutdown(fd[0], SHUT_RDWR));
	say("events %x", settle(fd[0], POLLIN | POLLOUT | POLLRDHUP));
	say("peer %x", settle(fd[1], POLLIN | POLLRDHUP));
	TRY(recv(fd[1], buf, sizeof(buf), 0));
}

CASE(not_connected)
{
	char buf[8];
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	TRY(send(s, "abc", 3, MSG_NOSIGNAL));
	TRY(recv(s, buf, sizeof(buf), 0));
	TRY(read(s, buf, sizeof(buf)));
	say("events %x", settle(s, POLLIN | POLLOUT));
}

CASE(close_with_unread_data_resets)
{
	char buf[8];
	int fd[2];

	tcp_pair(fd);
	TRY(send(fd[0], "unread", 6, 0));
	settle(fd[1], POLLIN);
	TRY(close(fd[1]));
	say("events %x", settle(fd[0], POLLRDHUP | POLLIN));
	TRY(recv(fd[0], buf, sizeof(buf), 0));
	TRY(recv(fd[0], buf, sizeof(buf), 0));
	TRY(send(fd[0], "abc", 3, MSG_NOSIGNAL));
}

CASE(linger_zero_resets)
{
	struct linger lin = { .l_onoff = 1, .l_linger = 0 };
	char buf[8];
	int fd[2];

	tcp_pair(fd);
	TRY(setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &lin, sizeof(lin)));
	TRY(close(fd[1]));
	settle(fd[0], POLLIN);
	TRY(recv(fd[0], buf, sizeof(buf), 0));
}

CASE(close_frees_the_lowest_number)
{
	int a = TRY(socket(AF_INET, SOCK_STREAM, 0));
	int b = TRY(socket(AF_INET, SOCK_STREAM, 0));

	TRY(close(a));
	TRY(close(a));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(close(b));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(close(-1));
	TRY(close(100000));
}

CASE(udp_loopback)
{
	struct sockaddr_in a = loopback(4300), from;
	socklen_t len = sizeof(from);
	char buf[8] = "";
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int c = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	TRY(bind(s, SA(&a), sizeof(a)));
	TRY(recv(s, buf, sizeof(buf), 0));
	TRY(send(c, "x", 1, 0));
	TRY(sendto(c, "datagram", 8, 0, SA(&a), sizeof(a)));
	TRY(sendto(c, "", 0, 0, SA(&a), sizeof(a)));
	settle(s, POLLIN);
	TRY(recvfrom(s, buf, 4, MSG_TRUNC, SA(&from), &len));
	say("%.4s from %s", buf, inet_ntoa(from.sin_addr));
	TRY(recvfrom(s, buf, 8, 0, SA(&from), &len));
	TRY(recv(s, buf, sizeof(buf), 0));
	TRY(connect(c, SA(&a), sizeof(a)));
	TRY(send(c, "hi", 2, 0));
	settle(s, POLLIN);
	TRY(recv(s, buf, sizeof(buf), 0));
}
