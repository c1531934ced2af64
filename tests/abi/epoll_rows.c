/* Each rule of epoll that some system got wrong, and no other case names. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>

static int watch(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, op, fd, &ev);
}

/* What is ready, in order, as "fd:events" relative to @base. */
static void show_ready(int ep, int base, int max, int timeout)
{
	struct epoll_event ev[8];
	int n = epoll_wait(ep, ev, max, timeout);
	char line[128] = "";

	for (int i = 0; i < n; i++)
		sprintf(line + strlen(line), " %d:%#x",
			ev[i].data.fd - base, ev[i].events);
	say("%d ready%s", n, line);
}

CASE(epoll_mod_rearms)
{
	int ep = epoll_create1(0), e = eventfd(1, 0), p[2];

	TRY(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLET));
	show_ready(ep, e, 8, 0);
	show_ready(ep, e, 8, 0);
	TRY(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN | EPOLLET));
	show_ready(ep, e, 8, 0);
	TRY(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN | EPOLLOUT | EPOLLET));
	show_ready(ep, e, 8, 0);
	/* Asking for more does not report what is not there. */
	pipe(p);
	TRY(watch(ep, EPOLL_CTL_ADD, p[0], 0));
	show_ready(ep, e, 8, 0);
	write(p[1], "x", 1);
	show_ready(ep, e, 8, 0);
	TRY(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN));
	show_ready(ep, p[0], 8, 0);
	TRY(watch(ep, EPOLL_CTL_MOD, p[0], EPOLLPRI));
	show_ready(ep, p[0], 8, 0);
}

CASE(epoll_key_is_fd_and_open_file)
{
	int ep = epoll_create1(0), e = eventfd(1, 0), d = dup(e), n;

	TRY(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN));
	TRY(watch(ep, EPOLL_CTL_ADD, d, EPOLLIN));
	TRY(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN));
	show_ready(ep, e, 8, 0);
	/* Still open through d: both entries stay, e's out of reach. */
	close(e);
	show_ready(ep, e, 8, 0);
	TRY(watch(ep, EPOLL_CTL_DEL, e, 0));
	n = eventfd(1, 0);
	say("same number %d", n == e);
	TRY(watch(ep, EPOLL_CTL_MOD, n, EPOLLIN));
	TRY(watch(ep, EPOLL_CTL_ADD, n, EPOLLOUT));
	show_ready(ep, e, 8, 0);
	close(d);
	show_ready(ep, e, 8, 0);
}

CASE(epoll_poll_fd_0)
{
	int ep = epoll_create1(0), p[2], old = dup(0);
	struct pollfd pfd = { .fd = 0, .events = POLLIN };

	pipe(p);
	TRY(dup2(p[0], 0));
	TRY(poll(&pfd, 1, 0));
	TRY(watch(ep, EPOLL_CTL_ADD, 0, EPOLLIN));
	show_ready(ep, 0, 8, 0);
	write(p[1], "x", 1);
	TRY(poll(&pfd, 1, 0));
	show_ready(ep, 0, 8, 0);
	dup2(old, 0);
}

struct waiter {
	pthread_t thread;
	int ep, got, fd;
	uint32_t events;
};

static void *wait_once(void *arg)
{
	struct waiter *w = arg;
	struct epoll_event ev = { .events = 0 };

	w->got = epoll_wait(w->ep, &ev, 1, 2000);
	w->fd = ev.data.fd;
	w->events = ev.events;
	return NULL;
}

static void start(struct waiter *w, int ep)
{
	*w = (struct waiter){ .ep = ep };
	pthread_create(&w->thread, NULL, wait_once, w);
	until_others_sleep();
}

static void finish(struct waiter *w, int base)
{
	pthread_join(w->thread, NULL);
	say("woken with %d: %d:%#x", w->got, w->fd - base, w->events);
}

CASE(epoll_ctl_during_wait)
{
	int ep = epoll_create1(0), e = eventfd(1, 0), z = eventfd(0, 0);
	struct waiter w;

	start(&w, ep);
	TRY(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN));
	finish(&w, e);
	TRY(watch(ep, EPOLL_CTL_MOD, e, 0));
	start(&w, ep);
	TRY(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN));
	finish(&w, e);
	/* What is deleted or closed meanwhile is not reported. */
	TRY(watch(ep, EPOLL_CTL_MOD, e, 0));
	TRY(watch(ep, EPOLL_CTL_ADD, z, EPOLLIN));
	start(&w, ep);
	TRY(watch(ep, EPOLL_CTL_DEL, z, 0));
	eventfd_write(z, 1);
	usleep(20000);
	TRY(watch(ep, EPOLL_CTL_ADD, z, EPOLLIN | EPOLLET));
	finish(&w, e);
	start(&w, ep);
	TRY(close(z));
	usleep(20000);
	TRY(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN));
	finish(&w, e);
}

CASE(epoll_pwait2_nanoseconds)
{
	struct timespec t = { 0, 2000000 }, a, b;
	int ep = epoll_create1(0);
	struct epoll_event ev;
	long ns;

	clock_gettime(CLOCK_MONOTONIC, &a);
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, &t, NULL, 8));
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
	say("at least that long %d", ns >= 2000000);
	t.tv_nsec = 1000000000;
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, &t, NULL, 8));
	t.tv_nsec = -1;
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, &t, NULL, 8));
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, BAD_LOW, NULL, 8));
	t = (struct timespec){ 0, 0 };
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, &t, NULL, 8));
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 0, &t, NULL, 8));
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, &t, &t, 7));
	watch(ep, EPOLL_CTL_ADD, eventfd(1, 0), EPOLLIN);
	TRY(syscall(SYS_epoll_pwait2, ep, &ev, 1, NULL, NULL, 8));
}

CASE(epoll_one_event_for_in_and_out)
{
	int ep = epoll_create1(0), fd[2];

	tcp_pair(fd);
	TRY(watch(ep, EPOLL_CTL_ADD, fd[0], EPOLLIN | EPOLLOUT));
	write(fd[1], "x", 1);
	settle(fd[0], POLLIN);
	show_ready(ep, fd[0], 8, 0);
	shutdown(fd[1], SHUT_WR);
	TRY(watch(ep, EPOLL_CTL_MOD, fd[0],
		  EPOLLIN | EPOLLOUT | EPOLLRDHUP));
	settle(fd[0], POLLRDHUP);
	show_ready(ep, fd[0], 8, 0);
}

CASE(epoll_wakeup_is_accepted)
{
	int ep = epoll_create1(0), e = eventfd(1, 0);

	TRY(watch(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLWAKEUP));
	show_ready(ep, e, 8, 0);
	TRY(watch(ep, EPOLL_CTL_MOD, e, EPOLLIN | EPOLLWAKEUP | EPOLLET));
	show_ready(ep, e, 8, 0);
	show_ready(ep, e, 8, 0);
}

/* Of several epolls on one listener the last that began to watch is asked. */
CASE(epoll_wake_order)
{
	struct sockaddr_in a;
	struct waiter w[2];
	uint16_t port;
	int l = listener(&port), ep[2], c;

	a = loopback(port);
	for (int i = 0; i < 2; i++) {
		ep[i] = epoll_create1(0);
		watch(ep[i], EPOLL_CTL_ADD, l, EPOLLIN | EPOLLEXCLUSIVE);
		start(&w[i], ep[i]);
	}
	c = socket(AF_INET, SOCK_STREAM, 0);
	TRY(connect(c, (void *)&a, sizeof(a)));
	for (int i = 0; i < 2; i++)
		finish(&w[i], l);
	/* Two threads in one epoll: one event is for one of them. */
	ep[0] = epoll_create1(0);
	c = eventfd(0, 0);
	watch(ep[0], EPOLL_CTL_ADD, c, EPOLLIN | EPOLLET);
	start(&w[0], ep[0]);
	start(&w[1], ep[0]);
	eventfd_write(c, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	say("%d woken", w[0].got + w[1].got);
}

/* Of several threads in one epoll the last to come is the first woken. */
CASE(epoll_last_waiter_first)
{
	int ep = epoll_create1(0), e = eventfd(0, EFD_NONBLOCK);
	struct waiter w[3];
	eventfd_t v;

	watch(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLET);
	for (int i = 0; i < 3; i++)
		start(&w[i], ep);
	for (int i = 2; i >= 0; i--) {
		eventfd_write(e, 1);
		finish(&w[i], e);
		eventfd_read(e, &v);
	}
}

/* What stays ready is for everybody who waits. */
CASE(epoll_level_wakes_all)
{
	int ep = epoll_create1(0), e[2];
	struct waiter w[4];
	int sum = 0;

	for (int i = 0; i < 2; i++) {
		e[i] = eventfd(0, EFD_NONBLOCK);
		watch(ep, EPOLL_CTL_ADD, e[i], EPOLLIN);
	}
	for (int i = 0; i < 4; i++)
		start(&w[i], ep);
	eventfd_write(e[0], 1);
	eventfd_write(e[1], 1);
	for (int i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		sum += w[i].got;
	}
	say("%d woken", sum);
}

/* An exclusive watch that has nobody to wake lets the next one be woken. */
CASE(epoll_exclusive_without_a_waiter)
{
	for (int order = 0; order < 2; order++) {
		int e = eventfd(0, 0), ep[3];
		struct waiter w;

		for (int i = 0; i < 3; i++) {
			ep[i] = epoll_create1(0);
			watch(ep[i], EPOLL_CTL_ADD, e,
			      EPOLLIN | EPOLLEXCLUSIVE);
		}
		start(&w, ep[order ? 0 : 2]);
		eventfd_write(e, 1);
		finish(&w, e);
		for (int i = 0; i < 3; i++)
			show_ready(ep[i], e, 8, 0);
	}
}

CASE(epoll_of_an_epoll_by_its_other_names)
{
	int in = epoll_create1(0), out = epoll_create1(0), e = eventfd(0, 0);
	struct pollfd p = { .fd = in, .events = POLLRDNORM | POLLOUT };

	watch(out, EPOLL_CTL_ADD, in, EPOLLRDNORM | EPOLLOUT | EPOLLPRI);
	watch(in, EPOLL_CTL_ADD, e, EPOLLIN);
	show_ready(out, in, 8, 0);
	TRY(poll(&p, 1, 0));
	eventfd_write(e, 1);
	show_ready(out, in, 8, 0);
	TRY(poll(&p, 1, 0));
	say("%x", p.revents);
}

CASE(epoll_in_means_readable)
{
	int ep = epoll_create1(0), fd[2];
	char c;

	tcp_pair(fd);
	watch(ep, EPOLL_CTL_ADD, fd[0], EPOLLIN);
	for (int i = 0; i < 3; i++) {
		write(fd[1], "x", 1);
		show_ready(ep, fd[0], 8, 2000);
		TRY(read(fd[0], &c, 1));
		show_ready(ep, fd[0], 8, 0);
		TRY(read(fd[0], &c, 1));
	}
}
