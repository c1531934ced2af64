/* Socket options, fcntl and ioctl. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>

static void show(const char *name, int fd, int level, int opt)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level, opt, &value, &len) < 0)
		say("%s: %s", name, errno_name(errno));
	else
		say("%s: %d, len %d", name, value, (int)len);
}

#define SHOW(fd, level, opt) show(#opt, fd, level, opt)

CASE(option_defaults)
{
	int fd[2], s = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port;
	int l = listener(&port);

	SHOW(s, SOL_SOCKET, SO_TYPE);
	SHOW(s, SOL_SOCKET, SO_DOMAIN);
	SHOW(s, SOL_SOCKET, SO_PROTOCOL);
	SHOW(s, SOL_SOCKET, SO_ERROR);
	SHOW(s, SOL_SOCKET, SO_ACCEPTCONN);
	SHOW(l, SOL_SOCKET, SO_ACCEPTCONN);
	SHOW(s, SOL_SOCKET, SO_REUSEADDR);
	SHOW(s, SOL_SOCKET, SO_KEEPALIVE);
	SHOW(s, IPPROTO_TCP, TCP_NODELAY);
	tcp_pair(fd);
	SHOW(fd[1], SOL_SOCKET, SO_ERROR);
	SHOW(fd[1], SOL_SOCKET, SO_TYPE);
}

CASE(option_set_and_get)
{
	int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	struct linger lin = { 1, 7 };
	socklen_t len = sizeof(lin);

	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	SHOW(s, SOL_SOCKET, SO_REUSEADDR);
	TRY(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	SHOW(s, SOL_SOCKET, SO_KEEPALIVE);
	TRY(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	SHOW(s, IPPROTO_TCP, TCP_NODELAY);
	TRY(setsockopt(s, SOL_SOCKET, SO_LINGER, &lin, sizeof(lin)));
	lin.l_linger = 0;
	TRY(getsockopt(s, SOL_SOCKET, SO_LINGER, &lin, &len));
	say("linger %d %d len %d", lin.l_onoff, lin.l_linger, (int)len);
}

CASE(option_errors)
{
	int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = 2;
	short half = -1;

	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, 2));
	TRY(setsockopt(s, SOL_SOCKET, 9999, &on, sizeof(on)));
	TRY(setsockopt(s, IPPROTO_TCP, 9999, &on, sizeof(on)));
	TRY(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, BAD_LOW, sizeof(on)));
	TRY(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	TRY(setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	TRY(setsockopt(s, SOL_SOCKET, SO_TYPE, &on, sizeof(on)));
	TRY(getsockopt(s, SOL_SOCKET, 9999, &on, &len));
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, &half, &len));
	say("short %d len %d", half, (int)len);
	len = -1;
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, &on, &len));
	len = sizeof(on);
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, BAD_LOW, &len));
	TRY(getsockopt(s, SOL_SOCKET, SO_TYPE, &on, BAD_LOW));
	TRY(getsockopt(0, SOL_SOCKET, SO_TYPE, &on, &len));
}

CASE(nodelay_is_inherited)
{
	struct sockaddr_in a;
	uint16_t port;
	int on = 1, l = listener(&port), c, s;

	a = loopback(port);
	setsockopt(l, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = socket(AF_INET, SOCK_STREAM, 0);
	TRY(connect(c, (struct sockaddr *)&a, sizeof(a)));
	settle(l, POLLIN);
	s = TRY(accept4(l, NULL, NULL, 0));
	SHOW(s, IPPROTO_TCP, TCP_NODELAY);
	TRY(fcntl(s, F_GETFL));
}

CASE(receive_timeout)
{
	struct timeval tv = { .tv_usec = 30000 };
	char c;
	int fd[2];

	tcp_pair(fd);
	TRY(fcntl(fd[0], F_SETFL, 0));
	TRY(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	TRY(read(fd[0], &c, 1));
}

CASE(fcntl_calls)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	TRY(fcntl(s, F_GETFL));
	TRY(fcntl(s, F_SETFL, O_NONBLOCK));
	TRY(fcntl(s, F_GETFL));
	TRY(fcntl(s, F_SETFL, 0));
	TRY(fcntl(s, F_GETFL));
	TRY(fcntl(s, F_GETFD));
	TRY(fcntl(s, F_SETFD, 0));
	TRY(fcntl(s, F_GETFD));
	TRY(fcntl(s, F_DUPFD, 10));
	TRY(fcntl(s, F_DUPFD_CLOEXEC, 10));
	TRY(fcntl(11, F_GETFD));
	TRY(fcntl(10, F_GETFD));
	TRY(fcntl(s, F_DUPFD, -1));
	TRY(fcntl(s, 9999));
	TRY(fcntl(-1, F_GETFL));
	TRY(fcntl(40, F_GETFD));
}

CASE(status_flags_belong_to_the_open_file)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	int d = TRY(fcntl(s, F_DUPFD, 0));

	TRY(fcntl(s, F_SETFL, O_NONBLOCK));
	TRY(fcntl(d, F_GETFL));
	TRY(close(s));
	TRY(fcntl(d, F_GETFL));
	TRY(listen(d, 1));
	TRY(accept(d, NULL, NULL));
}

CASE(ioctl_calls)
{
	char buf[4];
	int on = 1, off = 0, n = -1, fd[2];
	int s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(ioctl(s, FIONBIO, &on));
	TRY(fcntl(s, F_GETFL));
	TRY(ioctl(s, FIONBIO, &off));
	TRY(fcntl(s, F_GETFL));
	TRY(ioctl(s, FIONBIO, BAD_LOW));
	TRY(ioctl(s, FIONREAD, BAD_LOW));
	TRY(ioctl(s, 0x12345678, &n));
	TRY(ioctl(-1, FIONBIO, &on));
	TRY(listen(s, 1));
	TRY(ioctl(s, FIONREAD, &n));
	tcp_pair(fd);
	TRY(ioctl(fd[1], FIONREAD, &n));
	say("n %d", n);
	TRY(write(fd[0], "seven77", 7));
	settle(fd[1], POLLIN);
	TRY(ioctl(fd[1], FIONREAD, &n));
	say("n %d", n);
	TRY(read(fd[1], buf, 4));
	TRY(ioctl(fd[1], FIONREAD, &n));
	say("n %d", n);
	TRY(ioctl(epoll_create1(0), FIONREAD, &n));
}

CASE(sockets_do_not_seek)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(lseek(s, 0, SEEK_SET));
	TRY(lseek(-1, 0, SEEK_SET));
}
