/* Memory that ends in the middle of what a call copies. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE 4096
/* The C library changes what it passes on. */
#define SENDMMSG(...)	syscall(SYS_sendmmsg, __VA_ARGS__)
#define RECVMMSG(...)	syscall(SYS_recvmmsg, __VA_ARGS__)

/* The end of a page with nothing behind it. */
static char *border(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + PAGE, PAGE);
	return p + PAGE;
}

/* Three that are ready, in the order of their numbers. */
static int three_ready(int fd[3], uint32_t events)
{
	int ep = epoll_create1(0);

	for (int i = 0; i < 3; i++) {
		struct epoll_event ev = { .events = events, .data.u64 = i };

		fd[i] = eventfd(0, EFD_NONBLOCK);
		epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &ev);
		eventfd_write(fd[i], 1);
	}
	return ep;
}

static void show_events(int ep)
{
	struct epoll_event ev[4];
	int n = epoll_wait(ep, ev, 4, 0);

	say("%d left", n);
	for (int i = 0; i < n; i++)
		say("  %d: %x", (int)ev[i].data.u64, ev[i].events);
}

/* What was copied counts, and what was not is still ready. */
static void copy_events(uint32_t events)
{
	char *end = border();
	struct epoll_event *two = (void *)(end - 2 * sizeof(*two));
	int fd[3], ep = three_ready(fd, events);

	TRY(epoll_wait(ep, two, 4, 0));
	say("got %d and %d", (int)two[0].data.u64, (int)two[1].data.u64);
	show_events(ep);
	for (int i = 0; i < 3; i++)
		eventfd_write(fd[i], 1);
	/* The third does not fit by one byte of it. */
	two = (void *)(end - 3 * sizeof(*two) + 1);
	TRY(epoll_wait(ep, two, 3, 0));
	show_events(ep);
	for (int i = 0; i < 3; i++)
		eventfd_write(fd[i], 1);
	TRY(epoll_wait(ep, (void *)end, 3, 0));
	TRY(epoll_wait(ep, (void *)(end - 1), 3, 0));
	TRY(epoll_wait(ep, (void *)(end - 6), 1, 0));
	show_events(ep);
	show_events(ep);
}

CASE(halfway_epoll_wait_level)
{
	copy_events(EPOLLIN);
}

CASE(halfway_epoll_wait_edge)
{
	copy_events(EPOLLIN | EPOLLET);
}

CASE(halfway_epoll_wait_oneshot)
{
	copy_events(EPOLLIN | EPOLLONESHOT);
}

/* One watch only, which has a way of its own. */
CASE(halfway_epoll_wait_of_one)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0), fd = eventfd(1, 0);
	char *end = border();

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	TRY(epoll_wait(ep, (void *)(end - 11), 1, 0));
	show_events(ep);
	show_events(ep);
}

static struct iovec *vector(struct iovec v[3], char *good, char *end)
{
	v[0] = (struct iovec){ good, 4 };
	v[1] = (struct iovec){ end - 2, 4 };
	v[2] = (struct iovec){ good + 4, 4 };
	return v;
}

static void vectors(const char *what, int in, int out)
{
	char good[16] = "abcdefgh", rest[16] = "", *end = border();
	struct iovec v[3];

	say("%s", what);
	memcpy(end - 2, "XY", 2);
	vector(v, good, end);
	TRY(writev(in, v, 3));
	TRY(writev(in, v + 1, 1));
	v[1].iov_base = end;
	TRY(writev(in, v, 3));
	TRY(writev(in, v + 1, 2));
	TRY(write(in, "0123456789", 10));
	if (in == out)
		lseek(in, 0, SEEK_SET);
	memset(good, '.', 8);
	vector(v, good, end);
	TRY(readv(out, v, 3));
	say("%.8s %.2s", good, end - 2);
	TRY(readv(out, v + 1, 1));
	v[1].iov_base = end;
	TRY(readv(out, v, 3));
	TRY(readv(out, v + 1, 2));
	say("%.8s %.2s", good, end - 2);
	TRY(read(out, rest, sizeof(rest)));
	say("%s", rest);
}

CASE(halfway_vectors)
{
	int p[2], s[2], f;

	pipe2(p, O_NONBLOCK);
	vectors("pipe", p[1], p[0]);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s);
	vectors("messages", s[0], s[1]);
	tree_enter();
	f = open("f", O_RDWR | O_CREAT, 0600);
	vectors("file", f, f);
	close(f);
	tree_leave();
}

/* TCP and AF_UNIX streams: what of a write arrives differs in Linux, too. */
CASE(halfway_stream)
{
	char good[16] = "abcdefgh", *end = border();
	struct iovec v[3];
	int fd[2];

	tcp_pair(fd);
	memcpy(end - 2, "XY", 2);
	TRY(writev(fd[0], vector(v, good, end) + 1, 1));
	write(fd[0], "0123456789", 10);
	settle(fd[1], POLLIN);
	TRY(readv(fd[1], v, 3));
	TRY(read_soon(fd[1], end, 4));
	TRY(read_soon(fd[1], good, 16));
}

static void fill(struct mmsghdr *m, struct iovec *v, int n, char *buf)
{
	memset(m, 0, n * sizeof(*m));
	for (int i = 0; i < n; i++) {
		v[i] = (struct iovec){ buf + 4 * i, 4 };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
}

static void many(const char *what, int in, int out)
{
	char buf[16] = "aaaabbbbccccdddd", got[16] = "", *end = border();
	struct mmsghdr *two = (void *)(end - 2 * sizeof(*two)), m[4];
	struct iovec v[4];

	say("%s", what);
	/* The third message's buffer, then its header, is not there. */
	fill(m, v, 4, buf);
	v[2].iov_base = end;
	TRY(SENDMMSG(in, m, 4, 0));
	fill(two, v, 2, buf);
	TRY(SENDMMSG(in, two, 4, 0));
	for (int i = 0; i < 2; i++)
		send(in, "eeee", 4, 0);
	fill(m, v, 4, got);
	v[1].iov_base = end - 2;
	settle(out, POLLIN);
	TRY(RECVMMSG(out, m, 4, MSG_DONTWAIT, NULL));
	say("%.4s length %u", got, m[0].msg_len);
	TRY(RECVMMSG(out, m, 4, MSG_DONTWAIT, NULL));
	fill(m, v, 4, got);
	TRY(recv(out, got, 4, MSG_DONTWAIT));
	fill(two, v, 2, got);
	TRY(RECVMMSG(out, two, 4, MSG_DONTWAIT, NULL));
	TRY(RECVMMSG(out, m, 4, MSG_DONTWAIT, NULL));
	TRY(RECVMMSG(out, m, 4, MSG_DONTWAIT, NULL));
	TRY(RECVMMSG(out, (void *)end, 4, MSG_DONTWAIT, NULL));
}

CASE(halfway_many_messages)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int s[2], u[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
	many("unix", s[0], s[1]);
	u[0] = socket(AF_INET, SOCK_DGRAM, 0);
	u[1] = socket(AF_INET, SOCK_DGRAM, 0);
	bind(u[1], (void *)&a, len);
	getsockname(u[1], (void *)&a, &len);
	connect(u[0], (void *)&a, len);
	many("udp", u[0], u[1]);
}

/* poll's and select's answers, and names, lengths and control messages. */
CASE(halfway_answers)
{
	struct msghdr m = { 0 };
	struct pollfd *two;
	struct iovec v;
	char *end = border(), buf[8];
	int p[2], s[2];

	pipe(p);
	two = (void *)(end - 2 * sizeof(*two));
	for (int i = 0; i < 2; i++)
		two[i] = (struct pollfd){ p[1], POLLOUT, 0 };
	TRY(poll(two, 3, 0));
	TRY(poll(two, 2, 0));
	say("revents %x %x", two[0].revents, two[1].revents);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
	TRY(getsockname(s[0], (void *)(end - 1), (void *)(end - 2)));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, (void *)(end - 4)));
	TRY(pipe((void *)(end - 4)));
	/* Nothing was left open. */
	TRY(close(dup(0)) + dup(0) - s[1]);
	v = (struct iovec){ buf, sizeof(buf) };
	m.msg_iov = &v;
	m.msg_iovlen = 1;
	m.msg_control = end - 8;
	m.msg_controllen = 64;
	write(s[0], "abc", 3);
	TRY(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, 4));
	TRY(recvmsg(s[1], &m, MSG_DONTWAIT));
	write(s[0], "abc", 3);
	m.msg_control = NULL;
	m.msg_iov = (void *)(end - 8);
	TRY(recvmsg(s[1], &m, MSG_DONTWAIT));
	TRY(recv(s[1], buf, 8, MSG_DONTWAIT));
}
