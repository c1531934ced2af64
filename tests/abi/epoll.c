/* epoll: readiness, the modes, and every errno of epoll_ctl. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

static void name_events(uint32_t ev, char *buf, size_t size)
{
	static const struct { uint32_t bit; const char *name; } bits[] = {
		{ EPOLLIN, "IN" }, { EPOLLPRI, "PRI" }, { EPOLLOUT, "OUT" },
		{ EPOLLERR, "ERR" }, { EPOLLHUP, "HUP" },
		{ EPOLLRDNORM, "RDNORM" }, { EPOLLWRNORM, "WRNORM" },
		{ EPOLLRDHUP, "RDHUP" },
	};
	size_t n = 0;

	buf[0] = 0;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (ev & bits[i].bit)
			n += snprintf(buf + n, size - n, "%s%s", n ? "|" : "",
				      bits[i].name);
}

/* Waits and prints; @timeout in ms. Returns the number of events. */
static int wait_events(int ep, int max, int timeout)
{
	struct epoll_event ev[8];
	char names[128];
	int n = epoll_wait(ep, ev, max, timeout);

	if (n < 0)
		say("wait: %s", errno_name(errno));
	else
		say("wait: %d", n);
	for (int i = 0; i < n; i++) {
		name_events(ev[i].events, names, sizeof(names));
		say("  data %d: %s", (int)ev[i].data.u32, names);
	}
	return n;
}

static int ctl(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = fd };

	return epoll_ctl(ep, op, fd, &ev);
}

#define SOON	500	/* ms; an event is on its way */
#define NOW	0

CASE(epoll_create_errors)
{
	TRY(syscall(SYS_epoll_create, 1));
	TRY(syscall(SYS_epoll_create, 0));
	TRY(syscall(SYS_epoll_create, -1));
	TRY(epoll_create1(0));
	TRY(epoll_create1(EPOLL_CLOEXEC));
	TRY(epoll_create1(1));
	TRY(fcntl(4, F_GETFD));
	TRY(fcntl(5, F_GETFD));
	TRY(fcntl(3, F_GETFL));
}

CASE(epoll_ctl_errors)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0), s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(epoll_ctl(-1, EPOLL_CTL_ADD, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, -1, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, 60, &ev));
	TRY(epoll_ctl(s, EPOLL_CTL_ADD, ep, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev));
	TRY(epoll_ctl(ep, 77, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, s, BAD_LOW));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, s, &ev));
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, s, BAD_LOW));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, s, NULL));
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, s, NULL));
}

CASE(epoll_wait_errors)
{
	struct epoll_event ev[2];
	int ep = epoll_create1(0), s = socket(AF_INET, SOCK_STREAM, 0);

	TRY(epoll_wait(ep, ev, 0, 0));
	TRY(epoll_wait(ep, ev, -1, 0));
	TRY(epoll_wait(ep, ev, INT32_MAX / 12 + 1, 0));
	TRY(epoll_wait(-1, ev, 1, 0));
	TRY(epoll_wait(50, ev, 1, 0));
	TRY(epoll_wait(s, ev, 1, 0));
	TRY(epoll_wait(ep, BAD_KERNEL, 1, 0));
	TRY(epoll_wait(ep, ev, 1, 0));
	TRY(epoll_pwait(ep, ev, 1, 0, NULL));
	ctl(ep, EPOLL_CTL_ADD, s, EPOLLIN);
	TRY(epoll_wait(ep, BAD_LOW, 1, 0));
	wait_events(ep, 1, NOW);
}

CASE(epoll_timeout)
{
	struct epoll_event ev;
	struct timespec a, b;
	long ms;
	int ep = epoll_create1(0);

	clock_gettime(CLOCK_MONOTONIC, &a);
	TRY(epoll_wait(ep, &ev, 1, 30));
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	say("at least 30 ms: %d, less than 2 s: %d", ms >= 30, ms < 2000);
}

CASE(epoll_level)
{
	char c[4];
	int fd[2], ep = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN));
	wait_events(ep, 8, NOW);
	TRY(write(fd[0], "ab", 2));
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
	TRY(read(fd[1], c, 1));
	wait_events(ep, 8, NOW);
	TRY(read(fd[1], c, 1));
	wait_events(ep, 8, NOW);
}

CASE(epoll_add_when_ready)
{
	int fd[2], ep = epoll_create1(0);

	tcp_pair(fd);
	write(fd[0], "x", 1);
	settle(fd[1], POLLIN);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLOUT));
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLOUT));
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN));
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], 0));
	wait_events(ep, 8, NOW);
}

CASE(epoll_edge)
{
	char c[4];
	int fd[2], ep = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLET));
	write(fd[0], "a", 1);
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
	write(fd[0], "b", 1);
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
	TRY(read(fd[1], c, 1));
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN | EPOLLET));
	wait_events(ep, 8, NOW);
	wait_events(ep, 8, NOW);
	close(fd[0]);
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
}

CASE(epoll_edge_not_lost_past_maxevents)
{
	int a[2], b[2], c[2], ep = epoll_create1(0);

	tcp_pair(a);
	tcp_pair(b);
	tcp_pair(c);
	ctl(ep, EPOLL_CTL_ADD, a[1], EPOLLIN | EPOLLET);
	ctl(ep, EPOLL_CTL_ADD, b[1], EPOLLIN | EPOLLET);
	ctl(ep, EPOLL_CTL_ADD, c[1], EPOLLIN | EPOLLET);
	write(a[0], "x", 1);
	settle(a[1], POLLIN);
	write(b[0], "x", 1);
	settle(b[1], POLLIN);
	write(c[0], "x", 1);
	settle(c[1], POLLIN);
	wait_events(ep, 2, NOW);
	wait_events(ep, 2, NOW);
	wait_events(ep, 2, NOW);
}

CASE(epoll_level_rotates)
{
	int a[2], b[2], c[2], ep = epoll_create1(0);

	tcp_pair(a);
	tcp_pair(b);
	tcp_pair(c);
	ctl(ep, EPOLL_CTL_ADD, a[1], EPOLLIN);
	ctl(ep, EPOLL_CTL_ADD, b[1], EPOLLIN);
	ctl(ep, EPOLL_CTL_ADD, c[1], EPOLLIN);
	write(a[0], "x", 1);
	settle(a[1], POLLIN);
	write(b[0], "x", 1);
	settle(b[1], POLLIN);
	write(c[0], "x", 1);
	settle(c[1], POLLIN);
	for (int i = 0; i < 4; i++)
		wait_events(ep, 1, NOW);
}

CASE(epoll_oneshot)
{
	char c;
	int fd[2], ep = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLONESHOT));
	write(fd[0], "a", 1);
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
	write(fd[0], "b", 1);
	settle(fd[1], POLLIN);
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN));
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN | EPOLLONESHOT));
	wait_events(ep, 8, NOW);
	wait_events(ep, 8, NOW);
	read(fd[1], &c, 1);
	read(fd[1], &c, 1);
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN | EPOLLONESHOT));
	wait_events(ep, 8, NOW);
	close(fd[0]);
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
}

CASE(epoll_exclusive)
{
	int fd[2], ep = epoll_create1(0), inner = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLEXCLUSIVE |
		EPOLLRDHUP));
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLEXCLUSIVE |
		EPOLLONESHOT));
	TRY(ctl(ep, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE));
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLEXCLUSIVE |
		EPOLLET));
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN));
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN | EPOLLEXCLUSIVE));
	write(fd[0], "x", 1);
	wait_events(ep, 8, SOON);
	TRY(ctl(ep, EPOLL_CTL_DEL, fd[1], 0));
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN));
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLIN | EPOLLEXCLUSIVE));
	wait_events(ep, 8, NOW);
}

CASE(epoll_rdhup)
{
	char c;
	int fd[2], ep = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLRDHUP));
	shutdown(fd[0], SHUT_WR);
	wait_events(ep, 8, SOON);
	TRY(read(fd[1], &c, 1));
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], EPOLLRDHUP));
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_MOD, fd[1], 0));
	wait_events(ep, 8, NOW);
	shutdown(fd[1], SHUT_WR);
	wait_events(ep, 8, SOON);
}

CASE(epoll_hup_and_err_unasked)
{
	struct linger lin = { .l_onoff = 1 };
	int s = socket(AF_INET, SOCK_STREAM, 0);
	int fd[2], ep = epoll_create1(0);

	TRY(ctl(ep, EPOLL_CTL_ADD, s, 0));
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_DEL, s, 0));
	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[0], 0));
	wait_events(ep, 8, NOW);
	setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &lin, sizeof(lin));
	close(fd[1]);
	wait_events(ep, 8, SOON);
}

CASE(epoll_listener)
{
	struct sockaddr_in a;
	uint16_t port;
	int l = listener(&port), ep = epoll_create1(0), c;

	a = loopback(port);
	TRY(ctl(ep, EPOLL_CTL_ADD, l, EPOLLIN | EPOLLOUT));
	wait_events(ep, 8, NOW);
	c = socket(AF_INET, SOCK_STREAM, 0);
	TRY(connect(c, (struct sockaddr *)&a, sizeof(a)));
	wait_events(ep, 8, SOON);
	TRY(accept4(l, NULL, NULL, SOCK_NONBLOCK));
	wait_events(ep, 8, NOW);
}

CASE(epoll_connect)
{
	struct sockaddr_in a;
	uint16_t port;
	int l = listener(&port), ep = epoll_create1(0);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	a = loopback(port);
	connect(s, (struct sockaddr *)&a, sizeof(a));
	TRY(ctl(ep, EPOLL_CTL_ADD, s, EPOLLOUT | EPOLLET));
	wait_events(ep, 8, SOON);
	wait_events(ep, 8, NOW);
	close(l);
	wait_events(ep, 8, SOON);
}

CASE(epoll_refused)
{
	struct sockaddr_in a = loopback(1);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int ep = epoll_create1(0);

	connect(s, (struct sockaddr *)&a, sizeof(a));
	TRY(ctl(ep, EPOLL_CTL_ADD, s, EPOLLIN | EPOLLOUT | EPOLLRDHUP));
	wait_events(ep, 8, SOON);
}

CASE(epoll_close_removes)
{
	int fd[2], d, ep = epoll_create1(0);

	tcp_pair(fd);
	ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLOUT);
	wait_events(ep, 8, NOW);
	close(fd[1]);
	wait_events(ep, 8, NOW);
	tcp_pair(fd);
	ctl(ep, EPOLL_CTL_ADD, fd[1], EPOLLOUT);
	d = fcntl(fd[1], F_DUPFD, 20);
	TRY(ctl(ep, EPOLL_CTL_ADD, d, EPOLLOUT));
	wait_events(ep, 8, NOW);
	close(fd[1]);
	/* The open file lives on under its other number. */
	wait_events(ep, 8, NOW);
	TRY(ctl(ep, EPOLL_CTL_DEL, fd[1], 0));
	close(d);
	wait_events(ep, 8, NOW);
}

CASE(epoll_nested)
{
	char c;
	int fd[2], in = epoll_create1(0), out = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(in, EPOLL_CTL_ADD, fd[1], EPOLLIN));
	TRY(ctl(out, EPOLL_CTL_ADD, in, EPOLLIN));
	TRY(ctl(in, EPOLL_CTL_ADD, out, EPOLLIN));
	wait_events(out, 8, NOW);
	write(fd[0], "x", 1);
	wait_events(out, 8, SOON);
	say("poll %x", settle(in, POLLIN));
	read(fd[1], &c, 1);
	wait_events(out, 8, NOW);
}

CASE(epoll_too_deep)
{
	int fd[2], ep[8];

	tcp_pair(fd);
	for (int i = 0; i < 8; i++)
		ep[i] = epoll_create1(0);
	TRY(ctl(ep[0], EPOLL_CTL_ADD, fd[1], EPOLLIN));
	for (int i = 0; i < 7; i++)
		TRY(ctl(ep[i + 1], EPOLL_CTL_ADD, ep[i], EPOLLIN));
}

CASE(epoll_of_two_sets)
{
	int fd[2], a = epoll_create1(0), b = epoll_create1(0);

	tcp_pair(fd);
	ctl(a, EPOLL_CTL_ADD, fd[1], EPOLLIN);
	ctl(b, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLET);
	write(fd[0], "x", 1);
	wait_events(a, 8, SOON);
	wait_events(b, 8, SOON);
	wait_events(b, 8, NOW);
	wait_events(a, 8, NOW);
	close(a);
	write(fd[0], "x", 1);
	wait_events(b, 8, SOON);
}

CASE(epoll_out_after_a_full_pipe)
{
	static char block[65536];
	size_t sent = 0, got = 0;
	long n;
	int fd[2], ep = epoll_create1(0);

	tcp_pair(fd);
	TRY(ctl(ep, EPOLL_CTL_ADD, fd[0], EPOLLOUT | EPOLLET));
	wait_events(ep, 8, NOW);
	while ((n = write(fd[0], block, sizeof(block))) > 0)
		sent += n;
	wait_events(ep, 8, NOW);
	while (got < sent && (n = read_soon(fd[1], block, sizeof(block))) > 0)
		got += n;
	wait_events(ep, 8, SOON);
}

CASE(epoll_data_is_kept)
{
	struct epoll_event ev = { .events = EPOLLOUT }, got;
	int fd[2], ep = epoll_create1(0);

	ev.data.u64 = 0x0123456789abcdef;
	tcp_pair(fd);
	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev));
	TRY(epoll_wait(ep, &got, 1, 0));
	say("%llx", (unsigned long long)got.data.u64);
	ev.data.u64 = 7;
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &ev));
	TRY(epoll_wait(ep, &got, 1, 0));
	say("%llx", (unsigned long long)got.data.u64);
}
