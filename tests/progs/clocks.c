/*
 * Serves many connections at 7777, each with keepalive after a second, and
 * counts the expirations of a timer of 100 ms. For a byte 'q' it answers with
 * a line: both clocks in ms, expirations, how often it read them. '+' sets the
 * wall clock an hour forward before that, '-' two hours back.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS	100000000
#define HOUR		3600

static uint64_t ticks, reads;

static long long clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void step(int seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	if (clock_settime(CLOCK_REALTIME, &t))
		perror("clock_settime");
}

static void answer(int fd)
{
	char line[128], c;
	int n;

	if (read(fd, &c, 1) != 1) {
		close(fd);
		return;
	}
	if (c != 'q')
		step(c == '+' ? HOUR : -2 * HOUR);
	n = snprintf(line, sizeof(line), "%lld %lld %llu %llu\n",
		     clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_REALTIME),
		     (unsigned long long)ticks, (unsigned long long)reads);
	if (write(fd, line, n) != n)
		close(fd);
}

static void watch(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void take(int ep, int listener)
{
	int fd = accept(listener, NULL, NULL), one = 1, two = 2;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &two, sizeof(two));
	watch(ep, fd);
}

int main(void)
{
	struct itimerspec period = { { 0, PERIOD_NS }, { 0, PERIOD_NS } };
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(7777) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	int ep = epoll_create1(0);
	struct epoll_event e;
	uint64_t n;

	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(listener, 64) || timerfd_settime(timer, 0, &period, NULL))
		return 1;
	watch(ep, listener);
	watch(ep, timer);
	printf("listening on 7777\n");
	fflush(stdout);
	while (epoll_wait(ep, &e, 1, -1) == 1) {
		if (e.data.fd == listener) {
			take(ep, listener);
		} else if (e.data.fd == timer) {
			if (read(timer, &n, sizeof(n)) == sizeof(n)) {
				ticks += n;
				reads++;
			}
		} else {
			answer(e.data.fd);
		}
	}
	return 2;
}
