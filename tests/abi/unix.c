/* AF_UNIX: names, connections, messages, files and credentials in them. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define NAME_OFF	offsetof(struct sockaddr_un, sun_path)
#define POLL_ALL	(POLLIN | POLLOUT | POLLRDHUP | POLLPRI)

/* An abstract name; its length in *@len. */
static struct sockaddr_un abstract(const char *name, socklen_t *len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path + 1, name, strlen(name));
	*len = NAME_OFF + 1 + strlen(name);
	return a;
}

/* A socket bound to an abstract name; streams listen with @backlog. */
static int bound(int type, const char *name, int backlog)
{
	socklen_t len;
	struct sockaddr_un a = abstract(name, &len);
	int s = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	if (bind(s, (void *)&a, len))
		say("bind: %s", errno_name(errno));
	if (type != SOCK_DGRAM && listen(s, backlog))
		say("listen: %s", errno_name(errno));
	return s;
}

static int connect_to(int s, const char *name)
{
	socklen_t len;
	struct sockaddr_un a = abstract(name, &len);

	return connect(s, (void *)&a, len);
}

static int open_socket(int type)
{
	return socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
}

static void pair_of(int type, int fd[2])
{
	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fd))
		say("socketpair: %s", errno_name(errno));
}

/* What @fd is ready for. */
static void show(const char *what, int fd)
{
	say("%s: %x", what, (unsigned)ready(fd, POLL_ALL));
}

CASE(unix_socket)
{
	int fd[2];

	OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(socket(AF_UNIX, SOCK_STREAM, 1));
	OK(socket(AF_UNIX, SOCK_RAW, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM, 2));
	TRY(socket(AF_UNIX, SOCK_STREAM, -1));
	TRY(socket(AF_UNIX, SOCK_RDM, 0));
	TRY(socket(AF_UNIX, 0, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 2, fd));
	TRY(socketpair(AF_UNIX, SOCK_RDM, 0, fd));
	TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       fd));
	TRY(fcntl(fd[0], F_GETFD));
	TRY(fcntl(fd[1], F_GETFD));
	TRY(fcntl(fd[1], F_GETFL));
}

static int option(int s, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	if (getsockopt(s, SOL_SOCKET, name, &v, &len))
		return -errno;
	return v;
}

CASE(unix_options)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	for (int i = 0; i < 3; i++) {
		int s = open_socket(types[i]);
		socklen_t len = sizeof(on);

		say("%d %d %d %d", option(s, SO_TYPE), option(s, SO_DOMAIN),
		    option(s, SO_PROTOCOL), option(s, SO_ACCEPTCONN));
		say("%d %d", option(s, SO_SNDBUF), option(s, SO_RCVBUF));
		say("%d %d", option(s, SO_PASSCRED), option(s, SO_ERROR));
		TRY(setsockopt(s, SOL_SOCKET, SO_PASSCRED, &on, 4));
		say("%d", option(s, SO_PASSCRED));
		TRY(setsockopt(s, 0, 1, &on, 4));
		TRY(getsockopt(s, 6, 1, &on, &len));
		show("fresh", s);
	}
	TRY(setsockopt(tcp, SOL_SOCKET, SO_PASSCRED, &on, 4));
	say("%d", option(tcp, SO_PASSCRED));
}

CASE(unix_bind_errors)
{
	socklen_t len;
	struct sockaddr_un a = abstract("b1", &len);
	int s = open_socket(SOCK_STREAM), t = open_socket(SOCK_STREAM);
	int d = open_socket(SOCK_DGRAM);

	TRY(bind(s, (void *)&a, 0));
	TRY(bind(s, (void *)&a, 1));
	TRY(bind(s, (void *)&a, sizeof(a) + 1));
	a.sun_family = AF_INET;
	TRY(bind(s, (void *)&a, len));
	TRY(bind(s, (void *)&a, 2));
	a.sun_family = AF_UNIX;
	TRY(bind(s, (void *)&a, len));
	TRY(bind(s, (void *)&a, len));
	TRY(bind(t, (void *)&a, len));
	TRY(bind(d, (void *)&a, len));
	TRY(bind(t, (void *)&a, len + 1));
	TRY(bind(t, (void *)&a, 2));
	close(s);
	s = open_socket(SOCK_STREAM);
	TRY(bind(s, (void *)&a, len));
}

static void show_name(int s, bool peer)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	int err = peer ? getpeername(s, (void *)&a, &len) :
			 getsockname(s, (void *)&a, &len);
	char text[120] = "";

	if (err) {
		say("name: %s", errno_name(errno));
		return;
	}
	for (unsigned i = 0; i + NAME_OFF < len && i < 108; i++)
		text[i] = a.sun_path[i] ? a.sun_path[i] : '@';
	say("name: family %d len %u '%s'", a.sun_family, (unsigned)len, text);
}

CASE(unix_names)
{
	int l = bound(SOCK_STREAM, "names", 5), s = open_socket(SOCK_STREAM);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(a);
	int fd[2], c;

	show_name(l, false);
	show_name(l, true);
	show_name(s, false);
	OK(connect_to(s, "names"));
	show_name(s, false);
	show_name(s, true);
	c = accept(l, (void *)&a, &len);
	say("accepted from family %d len %u", a.sun_family, (unsigned)len);
	show_name(c, false);
	show_name(c, true);
	pair_of(SOCK_DGRAM, fd);
	show_name(fd[0], false);
	show_name(fd[0], true);
	s = open_socket(SOCK_DGRAM);
	TRY(bind(s, (void *)&a, 2));
	TRY(bind(s, (void *)&a, 2));
	len = sizeof(a);
	TRY(getsockname(s, (void *)&a, &len));
	say("automatic: len %u, begins %d", (unsigned)len, a.sun_path[0]);
	for (int i = 1; i < 6; i++)
		say("digit %d", strchr("0123456789abcdef",
				       a.sun_path[i]) != NULL);
}

CASE(unix_connect_errors)
{
	socklen_t len;
	struct sockaddr_un a = abstract("nobody", &len);
	int s = open_socket(SOCK_STREAM), d = open_socket(SOCK_DGRAM);
	int l = bound(SOCK_STREAM, "somebody", 0), t;

	TRY(connect(s, (void *)&a, len));
	TRY(connect(d, (void *)&a, len));
	TRY(connect(s, (void *)&a, 1));
	TRY(connect(s, (void *)&a, 2));
	TRY(connect(s, (void *)&a, sizeof(a) + 1));
	TRY(connect(d, (void *)&a, 1));
	TRY(connect(d, (void *)&a, 2));
	a.sun_family = AF_INET;
	TRY(connect(s, (void *)&a, len));
	TRY(connect(d, (void *)&a, len));
	a.sun_family = AF_UNSPEC;
	TRY(connect(s, (void *)&a, len));
	TRY(connect(d, (void *)&a, len));
	TRY(connect_to(d, "somebody"));
	TRY(connect_to(l, "somebody"));
	TRY(connect_to(s, "somebody"));
	TRY(connect_to(s, "somebody"));
	TRY(connect_to(s, "nobody"));
	t = open_socket(SOCK_STREAM);
	TRY(connect_to(t, "somebody"));
	show("refused", t);
	TRY(listen(l, 1));
	TRY(connect_to(t, "somebody"));
	t = open_socket(SOCK_STREAM);
	TRY(connect_to(t, "somebody"));
	TRY(listen(s, 1));
	TRY(listen(t, 1));
	TRY(listen(d, 1));
	TRY(accept(s, NULL, NULL));
	TRY(accept(d, NULL, NULL));
	TRY(accept(t, NULL, NULL));
	OK(accept(l, NULL, NULL));
	OK(accept(l, NULL, NULL));
	TRY(accept(l, NULL, NULL));
	TRY(shutdown(l, SHUT_RD));
	TRY(accept(l, NULL, NULL));
	TRY(connect_to(t, "somebody"));
	close(l);
	TRY(connect_to(t, "somebody"));
}

CASE(unix_accept_queue)
{
	int l = bound(SOCK_STREAM, "queue", 5), s = open_socket(SOCK_STREAM);
	int c, n = 0;
	char buf[8] = "";

	show("listening", l);
	say("%d", option(l, SO_ACCEPTCONN));
	TRY(ioctl(l, FIONREAD, &n));
	OK(connect_to(s, "queue"));
	show("listening, one waits", l);
	show("connected, not accepted", s);
	TRY(send(s, "early", 5, 0));
	OK(c = accept(l, NULL, NULL));
	show("accepted", c);
	TRY(recv(c, buf, 8, 0));
	say("'%s'", buf);
	s = open_socket(SOCK_STREAM);
	OK(connect_to(s, "queue"));
	close(l);
	show("its listener is gone", s);
	TRY(recv(s, buf, 8, 0));
	TRY(recv(s, buf, 8, 0));
	TRY(send(s, buf, 8, MSG_NOSIGNAL));
	say("%d", option(s, SO_ERROR));
}

CASE(unix_stream_data)
{
	char a[4] = "", b[8] = "";
	struct iovec iov[2] = { { a, 3 }, { b, 7 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	int fd[2], n = -1;

	pair_of(SOCK_STREAM, fd);
	show("fresh", fd[0]);
	TRY(recv(fd[0], a, 3, 0));
	TRY(recv(fd[0], a, 0, 0));
	TRY(send(fd[0], a, 0, 0));
	TRY(send(fd[0], "one", 3, 0));
	TRY(send(fd[0], "two", 3, 0));
	TRY(ioctl(fd[1], FIONREAD, &n));
	say("%d", n);
	TRY(ioctl(fd[0], TIOCOUTQ, &n));
	say("%d", n > 0);
	TRY(ioctl(fd[0], 0x5401, &n));
	show("full", fd[1]);
	TRY(recv(fd[1], a, 2, MSG_PEEK));
	TRY(recvmsg(fd[1], &m, MSG_PEEK));
	say("'%s' '%s' flags %x", a, b, (unsigned)m.msg_flags);
	TRY(recv(fd[1], a, 2, MSG_TRUNC));
	say("'%s'", a);
	TRY(recv(fd[1], b, 7, MSG_WAITALL));
	say("'%s'", b);
	TRY(recv(fd[1], b, 7, MSG_OOB));
	TRY(ioctl(fd[0], TIOCOUTQ, &n));
	say("%d", n);
	TRY(sendto(fd[0], "x", 1, 0, (void *)b, 8));
	TRY(sendto(open_socket(SOCK_STREAM), "x", 1, 0, (void *)b, 8));
	TRY(send(open_socket(SOCK_STREAM), "x", 1, 0));
	TRY(recv(open_socket(SOCK_STREAM), b, 1, 0));
	TRY(send(fd[0], BAD_LOW, 1, 0));
	TRY(send(fd[0], "abc", 3, 0));
	TRY(recv(fd[1], BAD_LOW, 3, 0));
	TRY(recv(fd[1], b, 3, 0));
}

CASE(unix_stream_half_close)
{
	char buf[8];
	int fd[2];

	pair_of(SOCK_STREAM, fd);
	TRY(send(fd[0], "x", 1, 0));
	TRY(shutdown(fd[0], SHUT_WR));
	show("the one that shut", fd[0]);
	show("the other", fd[1]);
	TRY(send(fd[0], "x", 1, MSG_NOSIGNAL));
	TRY(recv(fd[1], buf, 8, 0));
	TRY(recv(fd[1], buf, 8, 0));
	TRY(send(fd[1], "yy", 2, 0));
	TRY(recv(fd[0], buf, 8, 0));
	TRY(shutdown(fd[1], SHUT_WR));
	show("both", fd[0]);
	show("both", fd[1]);
	TRY(recv(fd[0], buf, 8, 0));
	pair_of(SOCK_STREAM, fd);
	TRY(shutdown(fd[0], SHUT_RD));
	show("no reader", fd[0]);
	show("no reader", fd[1]);
	TRY(send(fd[1], "x", 1, MSG_NOSIGNAL));
	TRY(send(fd[0], "x", 1, MSG_NOSIGNAL));
	TRY(shutdown(fd[0], 3));
	TRY(shutdown(open_socket(SOCK_STREAM), SHUT_RD));
}

CASE(unix_stream_close)
{
	char buf[8];
	int fd[2];

	pair_of(SOCK_STREAM, fd);
	TRY(send(fd[0], "x", 1, 0));
	close(fd[0]);
	show("peer closed", fd[1]);
	TRY(recv(fd[1], buf, 8, 0));
	TRY(recv(fd[1], buf, 8, 0));
	TRY(send(fd[1], buf, 8, MSG_NOSIGNAL));
	show_name(fd[1], true);
	pair_of(SOCK_STREAM, fd);
	TRY(send(fd[1], "x", 1, 0));
	close(fd[0]);
	show("peer closed with data unread", fd[1]);
	TRY(recv(fd[1], buf, 8, 0));
	TRY(recv(fd[1], buf, 8, 0));
	show("and heard of it", fd[1]);
}

CASE(unix_edges)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					   EPOLLET };
	int ep = epoll_create1(0), fd[2];
	char c;

	pair_of(SOCK_STREAM, fd);
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1], &e));
	TRY(epoll_wait(ep, &e, 1, 0));
	say("%x", e.events);
	TRY(epoll_wait(ep, &e, 1, 0));
	TRY(send(fd[0], "x", 1, 0));
	TRY(epoll_wait(ep, &e, 1, 0));
	say("%x", e.events);
	TRY(recv(fd[1], &c, 1, 0));
	TRY(epoll_wait(ep, &e, 1, 0));
	TRY(shutdown(fd[0], SHUT_WR));
	TRY(epoll_wait(ep, &e, 1, 0));
	say("%x", e.events);
	TRY(send(fd[1], "x", 1, 0));
	TRY(recv(fd[0], &c, 1, 0));
	TRY(epoll_wait(ep, &e, 1, 0));
	say("%x", e.events);
	close(fd[0]);
	TRY(epoll_wait(ep, &e, 1, 0));
	say("%x", e.events);
}

CASE(unix_write_space)
{
	static char buf[4096];
	int size = 20000, fd[2], sent = 0, got = 0;
	long n;

	pair_of(SOCK_STREAM, fd);
	TRY(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	while ((n = send(fd[0], buf, sizeof(buf), 0)) > 0)
		sent += n;
	say("full: %s, much %d", errno_name(errno), sent > 15000);
	show("full", fd[0]);
	TRY(recv(fd[1], buf, 100, 0));
	show("hardly read", fd[0]);
	while ((n = recv(fd[1], buf, sizeof(buf), 0)) > 0)
		got += n;
	say("all there: %d", got == sent - 100);
	show("empty", fd[0]);
}

CASE(unix_dgram_data)
{
	int s = bound(SOCK_DGRAM, "dg", 0), t = open_socket(SOCK_DGRAM), n;
	char buf[8] = "";
	struct sockaddr_un from;
	socklen_t len;
	struct sockaddr_un a = abstract("dg", &len);

	show("fresh", t);
	TRY(send(t, "x", 1, 0));
	TRY(sendto(t, "x", 1, 0, (void *)&a, 1));
	TRY(sendto(t, "x", 1, MSG_OOB, (void *)&a, len));
	TRY(sendto(t, "hello", 5, 0, (void *)&a, len));
	TRY(sendto(t, "", 0, 0, (void *)&a, len));
	TRY(sendto(t, "bye", 3, 0, (void *)&a, len));
	show("three wait", s);
	TRY(ioctl(s, FIONREAD, &n));
	say("%d", n);
	TRY(recv(s, buf, 2, MSG_PEEK));
	TRY(recv(s, buf, 2, MSG_TRUNC));
	len = sizeof(from);
	TRY(recvfrom(s, buf, 8, 0, (void *)&from, &len));
	say("from len %u", (unsigned)len);
	TRY(recv(s, buf, 8, 0));
	TRY(recv(s, buf, 8, 0));
	TRY(recv(s, buf, 8, MSG_OOB));
	TRY(connect_to(t, "dg"));
	OK(bind(t, (void *)&(struct sockaddr_un){ .sun_family = AF_UNIX }, 2));
	TRY(send(t, "named", 5, 0));
	len = sizeof(from);
	TRY(recvfrom(s, buf, 8, 0, (void *)&from, &len));
	say("from len %u", (unsigned)len);
	TRY(sendto(s, "back", 4, 0, (void *)&from, len));
	TRY(recv(t, buf, 8, 0));
	a = abstract("nobody", &len);
	TRY(sendto(t, "x", 1, 0, (void *)&a, len));
	close(s);
	show("peer is gone", t);
	TRY(send(t, "x", 1, 0));
	TRY(send(t, "x", 1, 0));
	TRY(recv(t, buf, 8, 0));
}

CASE(unix_dgram_peers)
{
	int a = bound(SOCK_DGRAM, "pa", 0), b = bound(SOCK_DGRAM, "pb", 0);
	int c = open_socket(SOCK_DGRAM), fd[2];
	struct sockaddr_un un = { .sun_family = AF_UNSPEC };
	socklen_t len;
	char buf[8];

	TRY(connect_to(a, "pb"));
	TRY(connect_to(c, "pa"));
	TRY(connect_to(c, "pb"));
	TRY(connect_to(b, "pa"));
	TRY(connect_to(c, "pb"));
	TRY(send(c, "x", 1, 0));
	TRY(send(a, "y", 1, 0));
	TRY(send(b, "z", 1, 0));
	un.sun_family = AF_UNIX;
	un = abstract("pa", &len);
	TRY(sendto(c, "x", 1, 0, (void *)&un, len));
	un.sun_family = AF_UNSPEC;
	TRY(connect(a, (void *)&un, 2));
	show("left", b);
	TRY(recv(a, buf, 8, 0));
	TRY(recv(b, buf, 8, 0));
	TRY(recv(b, buf, 8, 0));
	pair_of(SOCK_DGRAM, fd);
	TRY(shutdown(fd[0], SHUT_RD));
	show("shut", fd[0]);
	show("its peer", fd[1]);
	TRY(send(fd[1], "x", 1, MSG_NOSIGNAL));
	TRY(recv(fd[0], buf, 8, 0));
	TRY(shutdown(fd[1], SHUT_WR));
	TRY(send(fd[1], "x", 1, MSG_NOSIGNAL));
	TRY(shutdown(fd[1], SHUT_RDWR));
	show("both ways", fd[1]);
}

CASE(unix_dgram_limits)
{
	int s = bound(SOCK_DGRAM, "full", 0), t = open_socket(SOCK_DGRAM);
	static char big[300000];
	int n = 0, fd[2];

	OK(connect_to(t, "full"));
	while (send(t, "x", 1, 0) == 1)
		n++;
	say("%s after some: %d", errno_name(errno), n > 5);
	show("full", t);
	TRY(recv(s, big, 1, 0));
	show("room for one", t);
	TRY(send(t, "x", 1, 0));
	show("full again", t);
	pair_of(SOCK_DGRAM, fd);
	TRY(send(fd[0], big, 212992, 0));
	TRY(send(fd[0], big, 212961, 0));
	TRY(send(fd[0], big, 150000, 0));
	TRY(recv(fd[1], big, sizeof(big), 0));
}

CASE(unix_seqpacket)
{
	int l = bound(SOCK_SEQPACKET, "seq", 2), fd[2], n, c;
	int s = open_socket(SOCK_SEQPACKET);
	struct iovec iov = { (char[8]){ 0 }, 2 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	char buf[8];

	show("fresh", s);
	TRY(send(s, "x", 1, 0));
	TRY(recv(s, buf, 8, 0));
	OK(connect_to(s, "seq"));
	OK(c = accept4(l, NULL, NULL, SOCK_NONBLOCK));
	TRY(send(s, "hello", 5, 0));
	TRY(send(s, "", 0, 0));
	TRY(send(s, "bye", 3, 0));
	TRY(ioctl(c, FIONREAD, &n));
	say("%d", n);
	TRY(recvmsg(c, &m, 0));
	say("flags %x", (unsigned)m.msg_flags);
	TRY(recv(c, buf, 8, 0));
	TRY(recv(c, buf, 8, MSG_PEEK | MSG_TRUNC));
	TRY(recv(c, buf, 8, 0));
	TRY(recv(c, buf, 8, 0));
	close(s);
	show("closed", c);
	TRY(recv(c, buf, 8, 0));
	TRY(send(c, buf, 8, MSG_NOSIGNAL));
	pair_of(SOCK_SEQPACKET, fd);
	TRY(shutdown(fd[0], SHUT_WR));
	TRY(recv(fd[1], buf, 8, 0));
	TRY(send(fd[1], "xyz", 3, 0));
	TRY(recv(fd[0], buf, 8, 0));
	TRY(send(fd[0], "x", 1, MSG_NOSIGNAL));
	TRY(send(fd[1], "x", 1, 0));
	close(fd[0]);
	show("closed with data", fd[1]);
	TRY(recv(fd[1], buf, 8, 0));
	TRY(recv(fd[1], buf, 8, 0));
}

static long bind_path(int s, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return bind(s, (void *)&a, NAME_OFF + strlen(path) + 1);
}

static long connect_path(int s, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return connect(s, (void *)&a, NAME_OFF + strlen(path));
}

CASE(unix_paths)
{
	int l = open_socket(SOCK_STREAM), d = open_socket(SOCK_DGRAM), f;
	int s = open_socket(SOCK_STREAM);
	char dir[] = "/tmp/abi-unix";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char longest[sizeof(a.sun_path) + 1] = "";
	struct stat st;

	mkdir("/tmp", 0777);
	unlink("/tmp/abi-unix/s");
	unlink("/tmp/abi-unix/t");
	unlink("/tmp/abi-unix/plain");
	memset(longest, 'x', sizeof(longest) - 1);
	if (chdir(dir) == 0)
		unlink(longest);
	rmdir(dir);
	umask(022);
	TRY(mkdir(dir, 0755));
	TRY(chdir(dir));
	TRY(bind_path(l, "/tmp/abi-unix/none/s"));
	TRY(bind_path(l, "/tmp/abi-unix/"));
	TRY(bind_path(l, "/tmp/abi-unix/."));
	OK(f = open("plain", O_CREAT | O_RDWR, 0644));
	TRY(bind_path(l, "/tmp/abi-unix/plain"));
	TRY(bind_path(l, "/tmp/abi-unix/plain/s"));
	TRY(bind_path(l, "/tmp/abi-unix/s"));
	TRY(stat("s", &st));
	say("mode %o", (unsigned)st.st_mode);
	show_name(l, false);
	TRY(bind_path(d, "s"));
	TRY(bind_path(l, "t"));
	TRY(stat("t", &st));
	TRY(connect_path(s, "s"));
	TRY(listen(l, 3));
	TRY(connect_path(s, "plain"));
	TRY(connect_path(s, "none"));
	TRY(connect_path(s, "plain/x"));
	TRY(connect_path(d, "s"));
	TRY(open("s", O_RDWR));
	TRY(connect_path(s, "../abi-unix/s"));
	show_name(s, true);
	TRY(rename("s", "t"));
	s = open_socket(SOCK_STREAM);
	TRY(connect_path(s, "t"));
	close(l);
	s = open_socket(SOCK_STREAM);
	TRY(connect_path(s, "t"));
	TRY(bind_path(s, "t"));
	TRY(unlink("t"));
	TRY(connect_path(s, "t"));
	TRY(bind_path(s, "t"));
	memset(a.sun_path, 'x', sizeof(a.sun_path));
	s = open_socket(SOCK_STREAM);
	TRY(bind(s, (void *)&a, sizeof(a)));
	show_name(s, false);
	a.sun_path[107] = 0;
	unlink(a.sun_path);
	TRY(unlink("t"));
	TRY(unlink("plain"));
}

CASE(unix_timeouts)
{
	struct timeval tv = { 0, 20000 };
	static char buf[300000];
	int fd[2];

	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	OK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	OK(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	TRY(recv(fd[0], buf, 1, 0));
	TRY(recv(fd[1], buf, 1, MSG_DONTWAIT));
	say("part: %d", send(fd[0], buf, sizeof(buf), 0) > 100000);
	TRY(send(fd[0], buf, sizeof(buf), 0));
	TRY(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	OK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	TRY(recv(fd[0], buf, 1, 0));
	TRY(recv(fd[1], buf, 1, MSG_DONTWAIT));
}
