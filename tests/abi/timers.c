/* Interval timers, timer_create() and signalfd. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
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

/* ---- CPU time ---- */

#define MS	1000000l

static long clock_ns(clockid_t id)
{
	struct timespec ts = { -1, 0 };

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static long rusage_ns(int who)
{
	struct rusage r;

	getrusage(who, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 * MS +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000;
}

static long times_ns(void)
{
	struct tms t;

	times(&t);
	return (t.tms_utime + t.tms_stime) * 10 * MS;
}

static long stat_ns(const char *path)
{
	unsigned long user = 0, sys = 0;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
			    "%*u %lu %lu", &user, &sys) != 2)
		say("cannot read %s", path);
	if (f)
		fclose(f);
	return (long)(user + sys) * 10 * MS;
}

/* All that tell of the program's time, and of the caller's alone. */
enum { CLOCK, RUSAGE, TIMES, STAT, THREAD, THREAD_RUSAGE, NR_METERS };

static void read_meters(long ns[NR_METERS])
{
	ns[CLOCK] = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	ns[RUSAGE] = rusage_ns(RUSAGE_SELF);
	ns[TIMES] = times_ns();
	ns[STAT] = stat_ns("/proc/self/stat");
	ns[THREAD] = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	ns[THREAD_RUSAGE] = rusage_ns(RUSAGE_THREAD);
}

/* Which of them grew by at least @low and at most @high. */
static int grown(const long from[NR_METERS], long low, long high)
{
	long to[NR_METERS];
	int in = 0;

	read_meters(to);
	for (int i = 0; i < NR_METERS; i++)
		if (to[i] - from[i] >= low && to[i] - from[i] <= high)
			in |= 1 << i;
	return in;
}

/* Until the calling thread has used so much. */
static void spin(long ns)
{
	long end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

/* Tried again: a host may take the CPU from a guest that is about to sleep. */
CASE(cpu_time_sleep_is_free)
{
	long from[NR_METERS];
	int cheap = 0;

	for (int i = 0; i < 50 && cheap != (1 << NR_METERS) - 1; i++) {
		read_meters(from);
		usleep(50000);
		cheap |= grown(from, 0, 30 * MS);
	}
	say("slept: %x", cheap);
}

CASE(cpu_time_spin_counts)
{
	long from[NR_METERS], wall = clock_ns(CLOCK_MONOTONIC);

	read_meters(from);
	spin(100 * MS);
	say("spun: %x", grown(from, 80 * MS, 10000 * MS));
	say("no faster than time %d", clock_ns(CLOCK_MONOTONIC) - wall >=
	    100 * MS);
}

static void *spin_thread(void *ns)
{
	spin(*(long *)ns);
	return NULL;
}

/* The dead thread's time stays the process's, and is nobody else's. */
CASE(cpu_time_of_threads)
{
	long ns = 100 * MS, all = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	long all_usage = rusage_ns(RUSAGE_SELF);
	long own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	long own_usage = rusage_ns(RUSAGE_THREAD);
	pthread_t thread;

	pthread_create(&thread, NULL, spin_thread, &ns);
	pthread_join(thread, NULL);
	own = clock_ns(CLOCK_THREAD_CPUTIME_ID) - own;
	own_usage = rusage_ns(RUSAGE_THREAD) - own_usage;
	all_usage = rusage_ns(RUSAGE_SELF) - all_usage;
	all = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - all;
	say("clock %d", all - own >= ns);
	say("rusage %d", all_usage - own_usage >= ns / 2);
}

static void *wait_thread(void *fd)
{
	char c;

	spin(20 * MS);
	read(*(int *)fd, &c, 1);
	return NULL;
}

CASE(cpu_time_clock_ids)
{
	struct timespec ts = { 0, MS };
	pthread_t thread;
	clockid_t id;
	int fd[2];

	TRY(clock_getcpuclockid(0, &id));
	say("process %d", clock_ns(id) > 0);
	TRY(clock_getcpuclockid(getpid(), &id));
	say("the same %d", clock_ns(id) > 0);
	TRY(clock_getres(id, &ts));
	say("resolution %ld", ts.tv_nsec);
	TRY(clock_gettime(~12345 * 8 + 6, &ts));
	TRY(clock_gettime(~12345 * 8 + 2, &ts));
	TRY(clock_gettime(-1, &ts));
	pipe(fd);
	pthread_create(&thread, NULL, wait_thread, &fd[0]);
	TRY(pthread_getcpuclockid(thread, &id));
	while (clock_ns(id) < 20 * MS)
		usleep(1000);
	say("own is another %d", clock_ns(CLOCK_THREAD_CPUTIME_ID) !=
	    clock_ns(id));
	write(fd[1], "", 1);
	pthread_join(thread, NULL);
	/* It may not be quite gone. */
	while (!clock_gettime(id, &ts))
		usleep(1000);
	TRY(clock_gettime(id, &ts));
	close(fd[0]);
	close(fd[1]);
}

/* Half of a timer's 50 ms must be used until it fires: Linux counts ticks. */
static void say_when_fired(long from)
{
	long end = clock_ns(CLOCK_MONOTONIC) + 100 * MS;

	while (clock_ns(CLOCK_MONOTONIC) < end && !fired)
		usleep(20000);
	while (!fired)
		;
	say("fired %d, %d", fired,
	    clock_ns(CLOCK_PROCESS_CPUTIME_ID) - from >= 25 * MS);
}

CASE(cpu_time_itimers)
{
	struct itimerval it = { { 0, 0 }, { 0, 50000 } }, left;
	const int sig[] = { [ITIMER_VIRTUAL] = SIGVTALRM,
			    [ITIMER_PROF] = SIGPROF };

	for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
		long from = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		handle(sig[which]);
		TRY(setitimer(which, &it, NULL));
		say_when_fired(from);
		TRY(getitimer(which, &left));
		say("left %ld", (long)left.it_value.tv_usec);
		signal(sig[which], SIG_DFL);
	}
}

CASE(cpu_time_posix_timers)
{
	static const clockid_t clocks[] = { CLOCK_PROCESS_CPUTIME_ID,
					    CLOCK_THREAD_CPUTIME_ID };
	struct itimerspec it = { { 0, 0 }, { 0, 50 * MS } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGRTMIN };
	timer_t t;

	for (int i = 0; i < 2; i++) {
		long from = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		handle(SIGRTMIN);
		TRY(timer_create(clocks[i], &ev, &t));
		TRY(timer_settime(t, 0, &it, NULL));
		say_when_fired(from);
		say("code %d", last.si_code);
		TRY(timer_delete(t));
	}
	signal(SIGRTMIN, SIG_DFL);
}
