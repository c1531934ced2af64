/* What select, ppoll, signalfd and pipes do at their borders. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* musl works on copies of what the kernel changes: here it is asked. */
CASE(poll_time_left)
{
	struct timespec ts = { 500, 0 };
	struct timeval tv = { 500, 0 };
	int e = eventfd(1, 0);
	struct pollfd p = { .fd = e, .events = POLLIN };
	uint64_t set = 1ull << e;

	usleep(1000);
	TRY(syscall(SYS_ppoll, &p, 1, &ts, NULL, 8));
	say("left %d", ts.tv_sec >= 490 && ts.tv_sec < 500);
	ts = (struct timespec){ 500, 0 };
	TRY(syscall(SYS_pselect6, e + 1, &set, NULL, NULL, &ts, NULL));
	say("left %d", ts.tv_sec >= 490 && ts.tv_sec < 500);
	TRY(syscall(SYS_select, e + 1, &set, NULL, NULL, &tv));
	say("left %d", tv.tv_sec >= 490 && tv.tv_sec < 500);
	tv = (struct timeval){ 0, 20000 };
	TRY(syscall(SYS_select, 0, NULL, NULL, NULL, &tv));
	say("left %ld %ld", (long)tv.tv_sec, (long)tv.tv_usec);
	ts = (struct timespec){ 0, 20000000 };
	TRY(syscall(SYS_ppoll, NULL, 0, &ts, NULL, 8));
	say("left %ld %ld", (long)ts.tv_sec, (long)ts.tv_nsec);
	/* More microseconds than a second has. */
	tv = (struct timeval){ 499, 1500000 };
	TRY(syscall(SYS_select, e + 1, &set, NULL, NULL, &tv));
	say("left %d", tv.tv_sec >= 490 && tv.tv_sec <= 500);
}

CASE(select_beyond_the_last)
{
	uint64_t set = 1ull << 60 | 1ull << 50;
	int e = eventfd(1, 0);
	struct timeval none = { 0, 0 };

	TRY(syscall(SYS_select, 50, &set, NULL, NULL, &none));
	say("set %llx", (unsigned long long)set);
	set = 1ull << 60 | 1ull << 50;
	TRY(syscall(SYS_select, 51, &set, NULL, NULL, &none));
	say("set %llx", (unsigned long long)set);
	set = 1ull << e | 1ull << 60;
	TRY(syscall(SYS_select, e + 1, &set, NULL, NULL, &none));
	say("set %d", set == 1ull << e);
	TRY(syscall(SYS_select, -1, &set, NULL, NULL, &none));
	none.tv_sec = -1;
	TRY(syscall(SYS_select, 0, NULL, NULL, NULL, &none));
}

/* A write of up to PIPE_BUF bytes goes whole or not at all. */
CASE(pipe_small_writes_are_whole)
{
	static char page[4096];
	int p[2];

	pipe2(p, O_NONBLOCK);
	for (int i = 0; i < 15; i++)
		write(p[1], page, 4096);
	TRY(write(p[1], page, 4000));
	say("writable %x", ready(p[1], POLLOUT));
	TRY(write(p[1], page, 97));
	TRY(write(p[1], page, 96));
	TRY(write(p[1], page, 1));
	TRY(read(p[0], page, 100));
	say("writable %x", ready(p[1], POLLOUT));
	TRY(write(p[1], page, 50));
	TRY(read(p[0], page, 3996));
	say("writable %x", ready(p[1], POLLOUT));
	TRY(write(p[1], page, 4096));
	TRY(write(p[1], page, 1));
}

static void show_edge(int ep, const char *when)
{
	struct epoll_event ev = { 0 };
	int n = epoll_wait(ep, &ev, 1, 0);

	say("%s: %d, %x", when, n, ev.events);
}

/* The writing end hears of room only when there was none. */
CASE(pipe_room_is_an_edge)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	static char page[4096];
	int p[2], ep = epoll_create1(0);

	pipe2(p, O_NONBLOCK);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev);
	show_edge(ep, "empty");
	write(p[1], page, 4096);
	show_edge(ep, "written");
	read(p[0], page, 4096);
	show_edge(ep, "read");
	while (write(p[1], page, 4096) > 0)
		;
	show_edge(ep, "full");
	read(p[0], page, 100);
	show_edge(ep, "still full");
	read(p[0], page, 3996);
	show_edge(ep, "room");
	read(p[0], page, 4096);
	show_edge(ep, "more room");
	close(p[0]);
	show_edge(ep, "no reader");
}

static void show_record(const char *what, const struct signalfd_siginfo *s)
{
	say("%s: %u, code %d, own %d, int %d, ptr %llx", what, s->ssi_signo,
	    s->ssi_code, s->ssi_pid == (uint32_t)getpid(), s->ssi_int,
	    (unsigned long long)s->ssi_ptr);
}

CASE(signalfd_records)
{
	uint64_t mask = 1 << (SIGUSR1 - 1) | 1 << (SIGUSR2 - 1);
	struct signalfd_siginfo s[3];
	int fd;

	memset(s, 0, sizeof(s));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
	fd = syscall(SYS_signalfd4, -1, &mask, 8, 0);
	sigqueue(getpid(), SIGUSR2,
		 (union sigval){ .sival_ptr = (void *)0x123456789abcl });
	kill(getpid(), SIGUSR1);
	say("ready %x", ready(fd, POLLIN));
	/* As many as there are: it does not wait for a third. */
	TRY(read(fd, s, sizeof(s)));
	show_record("first", &s[0]);
	show_record("second", &s[1]);
	say("ready %x", ready(fd, POLLIN));
	TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(read(fd, s, sizeof(s)));
	TRY(read(fd, s, sizeof(s[0]) - 1));
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8);
}

static int sfd;

static void *read_signal(void *arg)
{
	struct signalfd_siginfo s;

	return (void *)(read(sfd, &s, sizeof(s)) == sizeof(s) ?
			(long)s.ssi_signo : -1L);
}

/* Who waits is asked again when the mask changes. */
CASE(signalfd_changes)
{
	uint64_t mask = 1 << (SIGUSR1 - 1) | 1 << (SIGUSR2 - 1);
	uint64_t one = 1 << (SIGUSR1 - 1);
	pthread_t t;
	void *got;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
	sfd = syscall(SYS_signalfd4, -1, &one, 8, 0);
	kill(getpid(), SIGUSR2);
	say("ready %x", ready(sfd, POLLIN));
	pthread_create(&t, NULL, read_signal, NULL);
	until_others_sleep();
	TRY(syscall(SYS_signalfd4, sfd, &mask, 8, 0) == sfd);
	pthread_join(t, &got);
	say("got %ld", (long)got);
	TRY(syscall(SYS_signalfd4, 0, &mask, 8, 0));
	TRY(syscall(SYS_signalfd4, sfd, &mask, 4, 0));
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8);
}

static volatile int calls;

static void on_pipe(int sig)
{
	calls++;
}

/* Streams only send the signal, whatever the call. */
CASE(sigpipe_of_what)
{
	const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int s[2];

	signal(SIGPIPE, on_pipe);
	for (int i = 0; i < 3; i++) {
		socketpair(AF_UNIX, types[i], 0, s);
		shutdown(s[0], SHUT_WR);
		calls = 0;
		TRY(send(s[0], "x", 1, 0));
		say("signals %d", calls);
		TRY(send(s[0], "x", 1, MSG_NOSIGNAL));
		say("signals %d", calls);
		TRY(write(s[0], "x", 1));
		say("signals %d", calls);
	}
	s[0] = socket(AF_INET, SOCK_DGRAM, 0);
	shutdown(s[0], SHUT_WR);
	calls = 0;
	TRY(send(s[0], "x", 1, 0));
	say("signals %d", calls);
	tcp_pair(s);
	shutdown(s[0], SHUT_WR);
	TRY(send(s[0], "x", 1, MSG_NOSIGNAL));
	TRY(send(s[0], "x", 1, 0));
	say("signals %d", calls);
	signal(SIGPIPE, SIG_DFL);
}

CASE(many_messages_and_time)
{
	struct timespec none = { 0, 0 }, some = { 100, 0 };
	struct mmsghdr m[4];
	struct iovec v[4];
	char buf[16];
	int s[2];

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){ buf + 4 * i, 4 };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
	TRY(syscall(SYS_sendmmsg, s[0], m, 4, 0));
	/* The time is looked at after each. */
	TRY(syscall(SYS_recvmmsg, s[1], m, 4, 0, &none));
	TRY(syscall(SYS_recvmmsg, s[1], m, 2, 0, &some));
	say("left %d", some.tv_sec >= 90 && some.tv_sec < 100);
	/* It waits for one, and takes what else is there. */
	TRY(syscall(SYS_recvmmsg, s[1], m, 4, MSG_WAITFORONE, NULL));
	TRY(syscall(SYS_recvmmsg, s[1], m, 4, MSG_DONTWAIT, NULL));
	none.tv_nsec = -1;
	TRY(syscall(SYS_recvmmsg, s[1], m, 4, 0, &none));
}

CASE(socket_closes_on_exec)
{
	uint16_t port;
	int s[2], l = listener(&port), c;
	struct sockaddr_in a = loopback(port);

	TRY(fcntl(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), F_GETFD));
	TRY(fcntl(socket(AF_INET, SOCK_DGRAM, 0), F_GETFD));
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s);
	TRY(fcntl(s[0], F_GETFD));
	TRY(fcntl(s[1], F_GETFD));
	TRY(fcntl(s[1], F_GETFL) & O_NONBLOCK);
	c = socket(AF_INET, SOCK_STREAM, 0);
	TRY(connect(c, (void *)&a, sizeof(a)));
	settle(l, POLLIN);
	c = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	TRY(fcntl(c, F_GETFD));
	TRY(fcntl(c, F_GETFL) & O_NONBLOCK);
	TRY(fcntl(eventfd(0, EFD_CLOEXEC), F_GETFD));
	TRY(fcntl(epoll_create1(EPOLL_CLOEXEC), F_GETFD));
}
