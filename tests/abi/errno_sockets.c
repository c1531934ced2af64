/*
 * What is wrong with a socket, an address or an option, by every call on
 * sockets. tests/abi/errnos.txt has the list.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#define SA(a) ((struct sockaddr *)(a))

static char buf[70000];

static int file(void)
{
	return open("/dev/null", O_RDWR);
}

CASE(errno_socket_make)
{
	int p[2];

	TRY(socket(999, SOCK_STREAM, 0));
	TRY(socket(-1, SOCK_STREAM, 0));
	TRY(socket(AF_INET, 99, 0));
	TRY(socket(AF_INET, SOCK_STREAM | 0x100000, 0));
	TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	TRY(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	TRY(socket(AF_INET, SOCK_SEQPACKET, 0));
	TRY(socket(AF_INET, SOCK_STREAM, 9999));
	TRY(socket(AF_INET, SOCK_STREAM, -1));
	TRY(socket(AF_UNIX, SOCK_STREAM, 99));
	TRY(socket(AF_UNIX, 99, 0));
	TRY(socketpair(999, SOCK_STREAM, 0, p));
	TRY(socketpair(AF_INET, SOCK_STREAM, 0, p));
	TRY(socketpair(AF_INET, SOCK_DGRAM, 0, p));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 99, p));
	TRY(socketpair(AF_UNIX, SOCK_STREAM | 0x100000, 0, p));
	TRY(socketpair(AF_UNIX, 99, 0, p));
	TRY(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD_LOW));
}

CASE(errno_socket_names)
{
	struct sockaddr_in a = loopback(0), b, other = loopback(0);
	socklen_t len = sizeof(a), minus = -1;
	int f = file(), s = socket(AF_INET, SOCK_STREAM, 0), t, u, pair[2];

	t = socket(AF_INET, SOCK_STREAM, 0);
	u = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(bind(99, SA(&a), len));
	TRY(bind(f, SA(&a), len));
	TRY(bind(s, SA(&a), 3));
	TRY(bind(s, SA(&a), 1000));
	TRY(bind(s, BAD_LOW, len));
	other.sin_addr.s_addr = htonl(0x01020304);
	TRY(bind(s, SA(&other), len));
	other.sin_family = 99;
	TRY(bind(s, SA(&other), len));
	TRY(bind(s, SA(&a), len));
	TRY(bind(s, SA(&a), len));
	getsockname(s, SA(&b), &len);
	TRY(listen(s, 5));
	TRY(bind(t, SA(&b), len));
	TRY(listen(99, 5));
	TRY(listen(f, 5));
	TRY(listen(socket(AF_INET, SOCK_DGRAM, 0), 5));
	TRY(listen(u, 5));
	TRY(getsockname(99, SA(&a), &len));
	TRY(getsockname(f, SA(&a), &len));
	TRY(getsockname(s, BAD_LOW, &len));
	TRY(getsockname(s, SA(&a), BAD_LOW));
	TRY(getsockname(s, SA(&a), &minus));
	TRY(getpeername(99, SA(&a), &len));
	TRY(getpeername(f, SA(&a), &len));
	TRY(getpeername(s, SA(&a), &len));
	tcp_pair(pair);
	TRY(getpeername(pair[0], BAD_LOW, &len));
	TRY(getpeername(pair[0], SA(&a), BAD_LOW));
	TRY(getpeername(pair[0], SA(&a), &minus));
	TRY(shutdown(99, SHUT_RD));
	TRY(shutdown(f, SHUT_RD));
	TRY(shutdown(t, SHUT_RD));
	TRY(shutdown(pair[0], 3));
}

/* Two that may share an address, and only one may listen there. */
CASE(errno_socket_listen_twice)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int one = 1, s[2];

	for (int i = 0; i < 2; i++) {
		s[i] = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(s[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		TRY(bind(s[i], SA(&a), len));
		getsockname(s[i], SA(&a), &len);
	}
	TRY(listen(s[0], 5));
	TRY(listen(s[1], 5));
}

CASE(errno_socket_connect)
{
	struct sockaddr_in a = loopback(0), all = loopback(9), from;
	socklen_t len = sizeof(a);
	int f = file(), s = socket(AF_INET, SOCK_STREAM, 0), d, t, one = 1;
	uint16_t port, other;
	int l = listener(&port), m = listener(&other);

	d = socket(AF_INET, SOCK_DGRAM, 0);
	a = loopback(port);
	TRY(connect(99, SA(&a), len));
	TRY(connect(f, SA(&a), len));
	TRY(connect(s, BAD_LOW, len));
	TRY(connect(s, SA(&a), 3));
	TRY(connect(s, SA(&a), 1000));
	a.sin_family = 99;
	TRY(connect(s, SA(&a), len));
	a = loopback(1);
	TRY(connect(s, SA(&a), len));
	all.sin_addr.s_addr = htonl(0x7fffffff);
	TRY(connect(d, SA(&all), len));
	TRY(sendto(d, buf, 1, 0, SA(&all), len));
	/* The same two ends twice. */
	a = loopback(port);
	s = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	from = loopback(0);
	TRY(bind(s, SA(&from), len));
	getsockname(s, SA(&from), &len);
	TRY(connect(s, SA(&a), len));
	TRY(connect(s, SA(&a), len));
	t = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(t, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	TRY(bind(t, SA(&from), len));
	TRY(connect(t, SA(&a), len));
	a = loopback(other);
	TRY(connect(t, SA(&a), len));
	TRY(connect(l, SA(&a), len));
	TRY(m > 0);
}

/* A queue that is full: a connection that is on its way stays so. */
CASE(errno_socket_connect_full)
{
	struct sockaddr_un u;
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a), ulen = sizeof(u);
	int l = socket(AF_INET, SOCK_STREAM, 0), s = -1, n;
	sa_family_t family = AF_UNIX;

	bind(l, SA(&a), len);
	listen(l, 0);
	getsockname(l, SA(&a), &len);
	for (int i = 0; i < 3; i++) {
		s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(s, SA(&a), len);
		settle(s, 0);
	}
	TRY(connect(s, SA(&a), len));
	TRY(send(s, buf, 1, MSG_DONTWAIT));
	TRY(recv(s, buf, 1, MSG_DONTWAIT));
	TRY(getpeername(s, SA(&a), &len));
	TRY(shutdown(s, SHUT_WR));
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(l, SA(&family), sizeof(family));
	listen(l, 0);
	getsockname(l, SA(&u), &ulen);
	do {
		s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		n = connect(s, SA(&u), ulen);
	} while (n == 0);
	TRY(connect(s, SA(&u), ulen));
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(connect(s, SA(&u), ulen));
	s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	TRY(connect(s, SA(&u), ulen));
	u.sun_path[1] = '!';
	TRY(connect(s, SA(&u), ulen));
}

CASE(errno_socket_accept)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a), minus = -1;
	int f = file(), s = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port;
	int l = listener(&port), c = socket(AF_INET, SOCK_STREAM, 0);

	TRY(accept(99, NULL, NULL));
	TRY(accept(f, NULL, NULL));
	TRY(accept(s, NULL, NULL));
	TRY(accept(socket(AF_INET, SOCK_DGRAM, 0), NULL, NULL));
	TRY(accept4(l, NULL, NULL, 1));
	TRY(accept(l, NULL, NULL));
	a = loopback(port);
	connect(c, SA(&a), sizeof(a));
	settle(l, 1);
	TRY(accept(l, SA(&a), &minus));
	close(c);
	c = socket(AF_INET, SOCK_STREAM, 0);
	a = loopback(port);
	connect(c, SA(&a), sizeof(a));
	settle(l, 1);
	TRY(accept(l, BAD_LOW, &len));
}

CASE(errno_socket_send)
{
	struct sockaddr_in a = loopback(9);
	struct iovec v = { buf, 10 }, bad = { BAD_LOW, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct msghdr many = { .msg_iov = &v, .msg_iovlen = 1025 };
	struct msghdr wrong = { .msg_iov = &bad, .msg_iovlen = 1 };
	struct msghdr named = m;
	int f = file(), s = socket(AF_INET, SOCK_STREAM, 0);
	int d = socket(AF_INET, SOCK_DGRAM, 0), pair[2], u[2], g[2];

	signal(SIGPIPE, SIG_IGN);
	tcp_pair(pair);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, u);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, g);
	TRY(send(99, buf, 1, 0));
	TRY(send(f, buf, 1, 0));
	TRY(send(s, buf, 1, 0));
	TRY(send(d, buf, 1, 0));
	TRY(sendto(d, buf, 1, 0, SA(&a), 3));
	TRY(sendto(d, buf, 1, 0, SA(&a), 1000));
	TRY(sendto(d, buf, 1, 0, BAD_LOW, sizeof(a)));
	TRY(sendto(d, buf, 70000, 0, SA(&a), sizeof(a)));
	a.sin_family = 99;
	TRY(sendto(d, buf, 1, 0, SA(&a), sizeof(a)));
	a = loopback(0);
	TRY(sendto(d, buf, 1, 0, SA(&a), sizeof(a)));
	TRY(send(d, buf, 1, MSG_OOB));
	TRY(send(pair[0], BAD_LOW, 1, 0));
	TRY(sendto(u[0], buf, 1, 0, SA(&a), sizeof(a)));
	TRY(send(g[0], buf, 1, MSG_OOB));
	TRY(send(g[0], buf, 1 << 20, 0));
	TRY(syscall(SYS_sendmsg, 99, &m, 0));
	TRY(syscall(SYS_sendmsg, f, &m, 0));
	TRY(syscall(SYS_sendmsg, pair[0], BAD_LOW, 0));
	TRY(syscall(SYS_sendmsg, pair[0], &many, 0));
	TRY(syscall(SYS_sendmsg, pair[0], &wrong, 0));
	named.msg_name = BAD_LOW;
	named.msg_namelen = sizeof(a);
	TRY(syscall(SYS_sendmsg, d, &named, 0));
	while (send(u[0], buf, sizeof(buf), 0) > 0)
		;
	TRY(send(u[0], buf, 1, 0));
	while (send(g[0], buf, 100, 0) > 0)
		;
	TRY(send(g[0], buf, 1, 0));
	close(u[1]);
	TRY(send(u[0], buf, 1, 0));
	close(g[1]);
	TRY(send(g[0], buf, 1, 0));
	TRY(shutdown(pair[0], SHUT_WR));
	TRY(send(pair[0], buf, 1, 0));
	TRY(syscall(SYS_sendmmsg, 99, &m, 1, 0));
	TRY(syscall(SYS_sendmmsg, pair[1], BAD_LOW, 1, 0));
	signal(SIGPIPE, SIG_DFL);
}

CASE(errno_socket_reset)
{
	struct linger none = { 1, 0 };
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	tcp_pair(pair);
	setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(pair[1]);
	settle(pair[0], 1);
	TRY(send(pair[0], buf, 1, 0));
	TRY(send(pair[0], buf, 1, 0));
	tcp_pair(pair);
	setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(pair[1]);
	settle(pair[0], 1);
	TRY(recv(pair[0], buf, 1, 0));
	TRY(recv(pair[0], buf, 1, 0));
	signal(SIGPIPE, SIG_DFL);
}

CASE(errno_socket_receive)
{
	struct iovec v = { buf, 10 }, bad = { BAD_LOW, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct msghdr many = { .msg_iov = &v, .msg_iovlen = 1025 };
	struct msghdr wrong = { .msg_iov = &bad, .msg_iovlen = 1 };
	struct timespec t = { 0, 1000000000 };
	int f = file(), s = socket(AF_INET, SOCK_STREAM, 0), pair[2];

	tcp_pair(pair);
	send(pair[1], buf, 5, 0);
	settle(pair[0], 1);
	TRY(recv(99, buf, 1, 0));
	TRY(recv(f, buf, 1, 0));
	TRY(recv(s, buf, 1, 0));
	TRY(recv(pair[1], buf, 1, 0));
	TRY(recv(pair[0], buf, 1, MSG_OOB));
	TRY(recv(pair[0], BAD_LOW, 1, 0));
	TRY(syscall(SYS_recvmsg, 99, &m, 0));
	TRY(syscall(SYS_recvmsg, f, &m, 0));
	TRY(syscall(SYS_recvmsg, pair[0], BAD_LOW, 0));
	TRY(syscall(SYS_recvmsg, pair[0], &many, 0));
	TRY(syscall(SYS_recvmsg, pair[0], &wrong, 0));
	TRY(syscall(SYS_recvmmsg, 99, &m, 1, 0, NULL));
	TRY(syscall(SYS_recvmmsg, pair[0], BAD_LOW, 1, 0, NULL));
	TRY(syscall(SYS_recvmmsg, pair[0], &m, 1, 0, &t));
	TRY(syscall(SYS_recvmmsg, pair[0], &m, 1, 0, BAD_LOW));
}

CASE(errno_socket_options)
{
	int f = file(), s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct timeval wrong = { 0, 1000000 };
	socklen_t len = sizeof(one), minus = -1;

	TRY(setsockopt(99, SOL_SOCKET, SO_REUSEADDR, &one, len));
	TRY(setsockopt(f, SOL_SOCKET, SO_REUSEADDR, &one, len));
	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, BAD_LOW, len));
	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, 3));
	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, -1));
	TRY(setsockopt(s, SOL_SOCKET, 9999, &one, len));
	TRY(setsockopt(s, IPPROTO_TCP, 9999, &one, len));
	TRY(setsockopt(s, IPPROTO_IP, 9999, &one, len));
	TRY(setsockopt(s, 9999, 1, &one, len));
	TRY(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof(wrong)));
	TRY(setsockopt(s, SOL_SOCKET, SO_TYPE, &one, len));
	TRY(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, BAD_LOW, len));
	TRY(setsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 0 }, len));
	TRY(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "none", 4));
	TRY(getsockopt(99, SOL_SOCKET, SO_TYPE, &one, &len));
	TRY(getsockopt(f, SOL_SOCKET, SO_TYPE, &one, &len));
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, BAD_LOW, &len));
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, &one, BAD_LOW));
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, &one, &minus));
	TRY(getsockopt(s, SOL_SOCKET, 9999, &one, &len));
	TRY(getsockopt(s, IPPROTO_TCP, 9999, &one, &len));
	TRY(getsockopt(s, 9999, 1, &one, &len));
	TRY(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, &minus));
}
