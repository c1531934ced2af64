/* Interval timers, timer_create() and signalfd. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile int fired;
static siginfo_t last;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	fired++;
	last = *info;
}

static void handle(int sig)
{
	struct sigaction act = { .sa_sigaction = on_timer,
				 .sa_flags = SA_SIGINFO };

	sigaction(sig, &act, NULL);
	fired = 0;
}

CASE(timer_itimer)
{
	struct itimerval it = { { 0, 10000 }, { 0, 10000 } }, old;
	struct itimerval bad = { { 0, 0 }, { 0, 1000000 } };

	handle(SIGALRM);
	TRY(setitimer(ITIMER_REAL, &it, NULL));
	while (fired < 3)
		pause();
	say("code %d", last.si_code);
	it = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	TRY(setitimer(ITIMER_REAL, &it, &old));
	say("interval %ld", (long)old.it_interval.tv_usec);
	TRY(getitimer(ITIMER_REAL, &old));
	say("left %ld", (long)old.it_value.tv_usec);
	TRY(setitimer(ITIMER_REAL, &bad, NULL));
	TRY(setitimer(9, &it, NULL));
	TRY(syscall(SYS_setitimer, ITIMER_REAL, BAD_LOW, NULL));
	TRY(alarm(100));
	TRY(alarm(0));
	TRY(alarm(0));
	signal(SIGALRM, SIG_DFL);
}

CASE(timer_posix)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGRTMIN,
			       .sigev_value = { .sival_int = 42 } };
	struct itimerspec it = { { 0, 10000000 }, { 0, 10000000 } }, old;
	struct itimerspec bad = { { 0, 0 }, { 0, 1000000000 } };
	sigset_t set;
	timer_t t;

	handle(SIGRTMIN);
	TRY(timer_create(CLOCK_MONOTONIC, &ev, &t));
	TRY(timer_settime(t, 0, &it, NULL));
	while (fired < 3)
		pause();
	say("code %d value %d", last.si_code, last.si_value.sival_int);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	usleep(60000);
	fired = 0;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("fired %d, overrun %d", fired == 1, timer_getoverrun(t) >= 3);
	TRY(timer_gettime(t, &old));
	say("interval %ld", old.it_interval.tv_nsec);
	TRY(timer_settime(t, 0, &bad, NULL));
	TRY(timer_delete(t));
	TRY(syscall(SYS_timer_delete, 12345));
	TRY(syscall(SYS_timer_settime, 12345, 0, &it, NULL));
	ev.sigev_signo = 99;
	TRY(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &t));
	TRY(syscall(SYS_timer_create, 99, NULL, &t));
	signal(SIGRTMIN, SIG_DFL);
}

CASE(signal_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct signalfd_siginfo info[3];
	sigset_t set;
	int fd, ep = epoll_create1(0);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	say("made %d", fd >= 0);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	TRY(read(fd, info, sizeof(info)));
	TRY(epoll_wait(ep, &ev, 1, 0));
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGTERM);
	TRY(epoll_wait(ep, &ev, 1, 1000));
	TRY(read(fd, info, 7));
	TRY(read(fd, info, sizeof(info)));
	say("%u %u code %d pid %d", info[0].ssi_signo, info[1].ssi_signo,
	    info[0].ssi_code, (int)info[0].ssi_pid == getpid());
	TRY(epoll_wait(ep, &ev, 1, 0));
	sigdelset(&set, SIGUSR1);
	TRY(signalfd(fd, &set, 0) == fd);
	kill(getpid(), SIGUSR1);
	say("masked out %x", ready(fd, POLLIN));
	TRY(signalfd(0, &set, 0));
	TRY(signalfd(60, &set, 0));
	TRY(signalfd(-1, &set, 12345));
	signal(SIGUSR1, SIG_IGN);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);
}
