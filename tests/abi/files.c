/* eventfd, timerfd, pipes, poll and select, nested epolls, descriptors. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <signal.h>
#include <time.h>

static int ep_add(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* What is ready now: number of events, and the bits of the first. */
static void ep_say(int ep)
{
	struct epoll_event ev[4] = { { .events = 0 } };
	int n = epoll_wait(ep, ev, 4, 0);

	say("ready %d: %x", n, n > 0 ? ev[0].events : 0);
}

CASE(eventfd_counts)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	uint64_t v = 4;

	TRY(write(fd, &v, 8));
	TRY(read(fd, &v, 8));
	say("value %d", (int)v);
	TRY(read(fd, &v, 8));
	TRY(read(fd, &v, 7));
	TRY(write(fd, &v, 7));
	v = UINT64_MAX;
	TRY(write(fd, &v, 8));
	v = UINT64_MAX - 1;
	TRY(write(fd, &v, 8));
	say("full: %x", ready(fd, POLLIN | POLLOUT));
	TRY(write(fd, &v, 8));
	TRY(read(fd, BAD_LOW, 8));
	TRY(syscall(SYS_eventfd2, 0, 2));
	fd = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
	TRY(read(fd, &v, 8));
	say("value %d", (int)v);
	TRY(read(fd, &v, 8));
	TRY(read(fd, &v, 8));
}

CASE(eventfd_edges)
{
	int fd = eventfd(0, EFD_NONBLOCK), ep = epoll_create1(0);
	uint64_t v = 1;

	ep_add(ep, fd, EPOLLIN | EPOLLOUT | EPOLLET);
	ep_say(ep);
	ep_say(ep);
	TRY(write(fd, &v, 8));
	ep_say(ep);
	ep_say(ep);
	TRY(write(fd, &v, 8));
	ep_say(ep);
	TRY(read(fd, &v, 8));
	ep_say(ep);
	ep_say(ep);
}

CASE(timerfd_basics)
{
	struct itimerspec its = { .it_value.tv_nsec = 1000000 }, old;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t v = 0;

	TRY(read(fd, &v, 8));
	TRY(timerfd_settime(fd, 0, &its, NULL));
	say("settled %x", settle(fd, POLLIN));
	TRY(read(fd, &v, 8));
	say("ticks %d", (int)v);
	TRY(read(fd, &v, 8));
	TRY(read(fd, &v, 4));
	its.it_value.tv_sec = 1000;
	TRY(timerfd_settime(fd, 0, &its, NULL));
	its.it_interval.tv_sec = 5;
	TRY(timerfd_settime(fd, 0, &its, &old));
	say("old %d", old.it_value.tv_sec > 900);
	TRY(timerfd_gettime(fd, &old));
	say("interval %d", (int)old.it_interval.tv_sec);
	its.it_value.tv_nsec = 1000000000;
	TRY(timerfd_settime(fd, 0, &its, NULL));
	its.it_value = (struct timespec){ 0, 1 };
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	say("settled %x", settle(fd, POLLIN));
	TRY(timerfd_settime(0, 0, &its, NULL));
	TRY(timerfd_settime(77, 0, &its, NULL));
	TRY(timerfd_settime(fd, 8, &its, NULL));
	TRY(syscall(SYS_timerfd_create, 2, 0));
	TRY(syscall(SYS_timerfd_create, 1, 1));
	TRY(write(fd, &v, 8));
}

CASE(pipe_basics)
{
	static char big[70000];
	int fd[2], n;

	TRY(pipe2(fd, O_NONBLOCK));
	TRY(write(fd[1], "hello", 5));
	TRY(ioctl(fd[0], FIONREAD, &n));
	say("there %d", n);
	TRY(read(fd[0], big, 3));
	TRY(read(fd[0], big, 9));
	TRY(read(fd[0], big, 9));
	TRY(write(fd[0], big, 1));
	TRY(read(fd[1], big, 1));
	TRY(lseek(fd[0], 0, SEEK_SET));
	TRY(pread(fd[0], big, 1, 0));
	TRY(write(fd[1], big, 70000));
	TRY(write(fd[1], big, 1));
	say("full: %x %x", ready(fd[0], POLLIN | POLLOUT),
	    ready(fd[1], POLLIN | POLLOUT));
	TRY(read(fd[0], big, 4096));
	say("room: %x", ready(fd[1], POLLIN | POLLOUT));
	TRY(write(fd[1], big, 4096));
	TRY(write(fd[1], big, 5000));
	TRY(fcntl(fd[0], F_GETFL));
	TRY(fcntl(fd[1], F_GETFL));
	TRY(syscall(SYS_pipe2, fd, 1));
	TRY(syscall(SYS_pipe, BAD_LOW));
	TRY(read(fd[0], BAD_LOW, 10));
}

CASE(pipe_ends)
{
	int fd[2];
	char c;

	signal(SIGPIPE, SIG_IGN);
	TRY(pipe(fd));
	TRY(write(fd[1], "x", 1));
	close(fd[1]);
	say("%x", ready(fd[0], POLLIN));
	TRY(read(fd[0], &c, 1));
	say("%x", ready(fd[0], POLLIN));
	TRY(read(fd[0], &c, 1));
	close(fd[0]);
	TRY(pipe(fd));
	close(fd[0]);
	say("%x", ready(fd[1], POLLOUT));
	TRY(write(fd[1], "x", 1));
	close(fd[1]);
}

CASE(pipe_edges)
{
	int fd[2], ep = epoll_create1(0);
	char c[4];

	TRY(pipe2(fd, O_NONBLOCK));
	ep_add(ep, fd[0], EPOLLIN | EPOLLET);
	ep_say(ep);
	for (int i = 0; i < 3; i++) {
		TRY(write(fd[1], "x", 1));
		ep_say(ep);
		ep_say(ep);
	}
	TRY(read(fd[0], c, 2));
	ep_say(ep);
	close(fd[1]);
	ep_say(ep);
	ep_say(ep);
}

CASE(poll_bits)
{
	struct pollfd p[4] = { { .fd = eventfd(1, 0), .events = POLLIN },
			       { .fd = -1, .events = POLLIN },
			       { .fd = 77, .events = POLLIN },
			       { .fd = eventfd(0, 0), .events = POLLIN } };
	struct timespec ts = { 0, 1000000 }, bad = { 0, -1 };

	TRY(poll(p, 4, -1));
	say("%x %x %x %x", p[0].revents, p[1].revents, p[2].revents,
	    p[3].revents);
	TRY(poll(&p[3], 1, 1));
	TRY(poll(NULL, 0, 1));
	TRY(poll(BAD_LOW, 1, 1));
	TRY(ppoll(&p[3], 1, &ts, NULL));
	TRY(ppoll(&p[3], 1, &bad, NULL));
	TRY(syscall(SYS_ppoll, p, 1, NULL, p, 4));
}

CASE(select_bits)
{
	int a = eventfd(1, 0), b = eventfd(0, 0);
	struct timeval tv = { 0, 1000 }, bad = { -1, 0 };
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(a, &in);
	FD_SET(b, &in);
	FD_SET(b, &out);
	TRY(select(b + 1, &in, &out, NULL, NULL));
	say("%d %d %d", FD_ISSET(a, &in), FD_ISSET(b, &in), FD_ISSET(b, &out));
	FD_ZERO(&in);
	FD_SET(b, &in);
	TRY(select(b + 1, &in, NULL, NULL, &tv));
	say("left %d", (int)tv.tv_sec);
	FD_SET(50, &in);
	TRY(select(51, &in, NULL, NULL, &tv));
	TRY(select(-1, NULL, NULL, NULL, &tv));
	TRY(select(0, NULL, NULL, NULL, &bad));
}

/* A chain of @n epolls, each watching the next. */
static void chain(int *ep, int n, bool top_down)
{
	for (int i = 0; i < n; i++)
		ep[i] = epoll_create1(0);
	for (int i = 0; i + 1 < n; i++) {
		int k = top_down ? i : n - 2 - i;

		TRY(ep_add(ep[k], ep[k + 1], EPOLLIN));
	}
}

CASE(nested_depth)
{
	int ep[6], a[3], b[3];

	chain(ep, 6, true);
	chain(ep, 6, false);
	chain(a, 3, true);
	chain(b, 3, true);
	TRY(ep_add(a[2], b[0], EPOLLIN));
	TRY(ep_add(a[2], b[1], EPOLLIN));
	TRY(ep_add(b[2], a[0], EPOLLIN));
	TRY(ep_add(a[0], dup(a[0]), EPOLLIN));
}

CASE(nested_events)
{
	int fd = eventfd(0, EFD_NONBLOCK), in = epoll_create1(0);
	int out = epoll_create1(0);
	uint64_t v = 1;

	ep_add(out, in, EPOLLIN);
	ep_add(in, fd, EPOLLIN);
	ep_say(out);
	TRY(write(fd, &v, 8));
	ep_say(out);
	ep_say(in);
	say("poll %x", ready(in, POLLIN));
	TRY(read(fd, &v, 8));
	ep_say(out);
	close(in);
	ep_say(out);
}

CASE(nested_paths)
{
	int fd = eventfd(0, 0), in = epoll_create1(0), n = 0;

	ep_add(in, fd, EPOLLIN);
	while (n < 600 && !ep_add(epoll_create1(0), in, EPOLLIN))
		n++;
	say("watchers %d: %s", n, errno_name(errno));
	for (int i = 3; i < 700; i++)
		close(i);
}

CASE(epoll_busy_poll)
{
	struct {
		uint32_t usecs;
		uint16_t budget;
		uint8_t prefer, pad;
	} p = { 50, 8, 1, 0 };
	int ep = epoll_create1(0);

	TRY(ioctl(ep, 0x1234, 0));
	TRY(ioctl(ep, 0x80088a02, BAD_LOW));
	p.pad = 1;
	TRY(ioctl(ep, 0x40088a01, &p));
}

CASE(dup_family)
{
	int fd = eventfd(0, 0);

	TRY(dup2(fd, fd));
	TRY(dup2(77, 77));
	TRY(dup2(77, 3));
	TRY(dup2(fd, -1));
	TRY(dup3(fd, fd, 0));
	TRY(dup3(fd, 50, O_NONBLOCK));
	TRY(dup3(fd, 50, O_CLOEXEC));
	TRY(fcntl(50, F_GETFD));
	TRY(fcntl(fd, F_DUPFD, 50));
	TRY(fcntl(fd, F_DUPFD_CLOEXEC, 50));
	TRY(fcntl(fd, F_DUPFD, -1));
	TRY(close(50));
	TRY(close(50));
	TRY(dup(50));
	TRY(syscall(SYS_close_range, 60, 50, 0));
	TRY(syscall(SYS_close_range, 50, 60, 0));
	TRY(fcntl(51, F_GETFD));
}

CASE(dev_files)
{
	char buf[16] = "x";
	int fd = open("/dev/zero", O_RDWR);
	struct stat st;

	TRY(read(fd, buf, 16));
	say("zero %d", buf[0]);
	TRY(write(fd, buf, 16));
	TRY(lseek(fd, 5, SEEK_SET));
	fd = open("/dev/full", O_RDWR);
	TRY(write(fd, buf, 16));
	TRY(read(fd, buf, 16));
	fd = open("/dev/null", O_RDWR);
	TRY(write(fd, buf, 16));
	TRY(read(fd, buf, 16));
	TRY(read(fd, BAD_LOW, 16));
	TRY(fstat(fd, &st));
	say("mode %o rdev %x", st.st_mode, (unsigned)st.st_rdev);
	TRY(ioctl(fd, TCGETS, buf));
	TRY(open("/dev/null/x", O_RDONLY));
	TRY(open("/nonexistent/x", O_RDONLY));
	TRY(open("", O_RDONLY));
	TRY(open(BAD_LOW, O_RDONLY));
	TRY(open("/dev", O_WRONLY));
	TRY(open("/dev/null", O_DIRECTORY));
	TRY(open("/dev/null", O_CREAT | O_EXCL, 0600));
	TRY(chdir("/dev/null"));
	TRY(chdir("/dev"));
	TRY(access("null", R_OK));
	TRY(access("nonexistent", R_OK));
	TRY(readlink("null", buf, 16));
	TRY(syscall(SYS_getcwd, buf, 3));
	TRY(syscall(SYS_getcwd, buf, 16));
	say("cwd %s", buf);
}

CASE(vector_errors)
{
	struct iovec v[2] = { { "ab", 2 }, { "cde", 3 } };
	struct iovec bad = { BAD_LOW, 3 }, neg = { "x", -1 };
	char a[3], b[8];
	struct iovec in[2] = { { a, 3 }, { b, 8 } };
	int fd[2];

	TRY(pipe2(fd, O_NONBLOCK));
	TRY(writev(fd[1], v, 2));
	TRY(readv(fd[0], in, 2));
	TRY(writev(fd[1], v, 0));
	TRY(writev(fd[1], v, -1));
	TRY(writev(fd[1], v, 1025));
	TRY(writev(fd[1], BAD_LOW, 1));
	TRY(writev(fd[1], &bad, 1));
	TRY(writev(fd[1], &neg, 1));
	TRY(writev(77, v, 1));
	TRY(readv(fd[0], in, 2));
}
