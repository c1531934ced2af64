/*
 * epoll_cost SIZE...: what epoll costs beside so many watches, by the clock,
 * which under QEMU's -icount shift=0 counts a nanosecond for an instruction.
 * One line for each size: to ADD one more (and to DEL it), to make one ready,
 * to wait for one that is ready, to wait for ten. In the end what it costs to
 * close the epoll, for each watch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TIMES	200
#define MANY	10

static int ep, active[MANY];

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void watch(int op, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	check(epoll_ctl(ep, op, fd, &e) == 0, "epoll_cost: epoll_ctl");
}

static void set_active(int n)
{
	for (int i = 0; i < n; i++)
		eventfd_write(active[i], 1);
}

static void set_idle(int n)
{
	eventfd_t value;

	for (int i = 0; i < n; i++)
		eventfd_read(active[i], &value);
}

/* For each of TIMES waits that find @n. */
static long wait_cost(int n)
{
	struct epoll_event e[MANY];
	long sum = 0;

	for (int i = 0; i < TIMES; i++) {
		long since;

		set_active(n);
		since = now();
		check(epoll_wait(ep, e, MANY, -1) == n, "epoll_cost: wait");
		sum += now() - since;
		set_idle(n);
		/* What is idle leaves the list with the next wait. */
		epoll_wait(ep, e, MANY, 0);
	}
	return sum / TIMES;
}

static void measure(int size, int fd)
{
	long add = 0, del = 0, wake = 0, since;

	for (int i = 0; i < TIMES; i++) {
		since = now();
		watch(EPOLL_CTL_ADD, fd);
		add += now() - since;
		since = now();
		watch(EPOLL_CTL_DEL, fd);
		del += now() - since;
	}
	for (int i = 0; i < TIMES; i++) {
		struct epoll_event e[MANY];

		since = now();
		set_active(1);
		wake += now() - since;
		set_idle(1);
		epoll_wait(ep, e, MANY, 0);
	}
	printf("watches %d: add %ld del %ld wake %ld wait1 %ld wait%d %ld\n",
	       size, add / TIMES, del / TIMES, wake / TIMES, wait_cost(1),
	       MANY, wait_cost(MANY));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int idle = eventfd(0, 0), watched = MANY, spare;
	long since;
	struct rlimit limit = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_NOFILE, &limit);
	ep = epoll_create1(0);
	spare = dup(idle);
	for (int i = 0; i < MANY; i++) {
		active[i] = eventfd(0, EFD_NONBLOCK);
		watch(EPOLL_CTL_ADD, active[i]);
	}
	for (int i = 1; i < argc; i++) {
		for (; watched < atoi(argv[i]); watched++) {
			int fd = dup(idle);

			check(fd >= 0, "epoll_cost: dup");
			watch(EPOLL_CTL_ADD, fd);
		}
		measure(watched, spare);
	}
	since = now();
	close(ep);
	printf("close %ld\n", (now() - since) / watched);
	return 0;
}
