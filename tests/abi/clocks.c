/* timerfds of every clock, sleeps on CPU clocks, clocks that nobody sets. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#define MS 1000000l

static struct timespec later(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * MS;
	ts.tv_sec += ts.tv_nsec / (1000 * MS);
	ts.tv_nsec %= 1000 * MS;
	return ts;
}

static long ms_since(struct timespec from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from.tv_sec) * 1000 +
	       (now.tv_nsec - from.tv_nsec) / MS;
}

static void one_clock(int id)
{
	/* Clocks that wake a machine are read as those they go with. */
	const clockid_t read_as = id == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME :
				  id == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME :
							       id;
	struct itimerspec its = { .it_value = { 0, 20 * MS } }, left;
	struct timespec from;
	int fd = timerfd_create(id, TFD_NONBLOCK);
	uint64_t n = 0;

	say("clock %d: %d", id, fd >= 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	TRY(timerfd_settime(fd, 0, &its, NULL));
	TRY(timerfd_gettime(fd, &left));
	say("left %d, interval %ld", left.it_value.tv_nsec <= 20 * MS,
	    (long)left.it_interval.tv_nsec);
	TRY(read(fd, &n, 8));
	say("settled %x", settle(fd, POLLIN));
	say("after 20 ms %d", ms_since(from) >= 20);
	TRY(read(fd, &n, 8));
	TRY(timerfd_gettime(fd, &left));
	say("%d ticks, left %ld", (int)n, (long)left.it_value.tv_nsec);
	/* By the clock's own time, and again. */
	clock_gettime(CLOCK_MONOTONIC, &from);
	its.it_value = later(read_as, 20);
	its.it_interval.tv_nsec = 5 * MS;
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	say("settled %x", settle(fd, POLLIN));
	say("after 19 ms %d", ms_since(from) >= 19);
	usleep(30000);
	TRY(read(fd, &n, 8));
	say("ticks %d", n >= 6);
	/* Long past. */
	its = (struct itimerspec){ .it_value = { 1, 0 } };
	TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, &left));
	say("was every %ld ms", (long)left.it_interval.tv_nsec / MS);
	say("settled %x", settle(fd, POLLIN));
	TRY(read(fd, &n, 8));
	/* Set anew, what it had counted is forgotten; then disarmed. */
	its = (struct itimerspec){ .it_value = { 0, 1 } };
	TRY(timerfd_settime(fd, 0, &its, NULL));
	settle(fd, POLLIN);
	its.it_value.tv_sec = 1000;
	TRY(timerfd_settime(fd, 0, &its, NULL));
	TRY(read(fd, &n, 8));
	TRY(timerfd_gettime(fd, &left));
	say("left %d", left.it_value.tv_sec >= 900);
	its.it_value = (struct timespec){ 0, 0 };
	TRY(timerfd_settime(fd, 0, &its, &left));
	say("left %d", left.it_value.tv_sec >= 900);
	say("ready %x", ready(fd, POLLIN));
	close(fd);
}

CASE(timerfd_every_clock)
{
	const int ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
			    CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM };

	for (int i = 0; i < 5; i++)
		one_clock(ids[i]);
	for (int id = -6; id < 14; id++)
		say("%d: %d", id, close(timerfd_create(id, 0)));
}

static void on_alarm(int sig)
{
}

/* The program sleeps, so its time does not pass. */
CASE(cpu_time_sleep_interrupted)
{
	struct timespec req = { 100, 0 }, rem = { 7, 7 };
	struct itimerval it = { .it_value = { 0, 30000 } };
	struct sigaction act = { .sa_handler = on_alarm };
	const int id = CLOCK_PROCESS_CPUTIME_ID;

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	TRY(syscall(SYS_clock_nanosleep, id, 0, &req, &rem));
	say("left %d", rem.tv_sec >= 90 && rem.tv_sec <= 100);
	setitimer(ITIMER_REAL, &it, NULL);
	TRY(syscall(SYS_clock_nanosleep, id, 0, &req, NULL));
	setitimer(ITIMER_REAL, &it, NULL);
	TRY(syscall(SYS_clock_nanosleep, id, 0, &req, BAD_LOW));
	rem.tv_sec = 7;
	setitimer(ITIMER_REAL, &it, NULL);
	TRY(syscall(SYS_clock_nanosleep, id, TIMER_ABSTIME, &req, &rem));
	say("left %ld", (long)rem.tv_sec);
	/* SA_RESTART makes no difference. */
	act.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	TRY(syscall(SYS_clock_nanosleep, id, 0, &req, &rem));
	setitimer(ITIMER_REAL, &it, NULL);
	TRY(syscall(SYS_clock_nanosleep, id, TIMER_ABSTIME, &req, &rem));
	req.tv_sec = 0;
	TRY(syscall(SYS_clock_nanosleep, id, TIMER_ABSTIME, &req, &rem));
	TRY(syscall(SYS_clock_nanosleep, id, 0, &req, &rem));
	signal(SIGALRM, SIG_DFL);
}

/* How late it wakes that sleeps until @ns past a whole 1.05 ms. */
static long lateness(long ns)
{
	struct timespec t;
	long long at;

	clock_gettime(CLOCK_MONOTONIC, &t);
	at = t.tv_sec * 1000000000ll + t.tv_nsec;
	at = (((at >> 20) + 2) << 20) + ns;
	t.tv_sec = at / 1000000000;
	t.tv_nsec = at % 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec - at;
}

/*
 * High resolution: wherever in a millisecond a sleep is to end, it can end
 * there, not at the next tick. The best of many tries, as machines are busy.
 */
CASE(sleeping_precisely)
{
	for (long ns = 0; ns < 1 << 20; ns += 1 << 17) {
		long best = 1000000000;

		for (int i = 0; i < 2000 && best > 500000; i++) {
			long late = lateness(ns);

			if (late < 0)
				say("early");
			if (late < best)
				best = late;
		}
		say("%ld: %d", ns, best <= 500000);
	}
}

CASE(clock_settime_errors)
{
	struct timespec now, bad = { 0, -1 };
	pid_t me = getpid();

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	for (int id = 1; id < 13; id++) {
		say("clock %d", id);
		TRY(syscall(SYS_clock_settime, id, &now));
	}
	TRY(syscall(SYS_clock_settime, ~me * 8 + 2, &now));
	TRY(syscall(SYS_clock_settime, ~me * 8 + 6, &now));
	TRY(syscall(SYS_clock_settime, ~0 * 8 + 2, &now));
	TRY(syscall(SYS_clock_settime, ~12345678 * 8 + 2, &now));
	TRY(syscall(SYS_clock_settime, ~12345678 * 8 + 6, &now));
	TRY(syscall(SYS_clock_settime, ~me * 8 + 2, BAD_LOW));
	TRY(syscall(SYS_clock_settime, CLOCK_REALTIME, &bad));
	TRY(syscall(SYS_clock_nanosleep, ~0 * 8 + 6, 0, &now, NULL));
	TRY(syscall(SYS_clock_nanosleep, ~me * 8 + 6, 0, &now, NULL));
	TRY(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &now,
		    NULL));
}

struct kernel_sigevent {
	union sigval value;
	int signo, notify, tid, pad[11];
};

static volatile int timer_code, timer_int, timer_tid, timer_id;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	timer_code = info->si_code;
	timer_int = info->si_value.sival_int;
	timer_id = info->si_timerid;
	timer_tid = syscall(SYS_gettid);
}

static void *wait_timer(void *arg)
{
	struct kernel_sigevent ev = {
		.value.sival_int = 77, .signo = SIGUSR1, .notify = 4,
		.tid = syscall(SYS_gettid),
	};
	struct itimerspec its = { .it_value.tv_nsec = 20 * MS };
	int id;

	TRY(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id));
	timer_code = 0;
	TRY(syscall(SYS_timer_settime, id, 0, &its, NULL));
	while (!timer_code)
		usleep(5000);
	say("code %d, value %d, here %d", timer_code, timer_int,
	    timer_tid == ev.tid);
	TRY(syscall(SYS_timer_delete, id));
	ev.tid = 12345678;
	TRY(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id));
	return arg;
}

CASE(timer_of_a_thread)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO };
	pthread_t t;

	act.sa_sigaction = on_timer;
	sigaction(SIGUSR1, &act, NULL);
	pthread_create(&t, NULL, wait_timer, NULL);
	pthread_join(t, NULL);
	signal(SIGUSR1, SIG_DFL);
}

CASE(timer_by_the_clock)
{
	const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
				  CLOCK_BOOTTIME, CLOCK_TAI };
	struct sigaction act = { .sa_flags = SA_SIGINFO };
	struct itimerspec its = { { 0, 0 }, { 0, 0 } }, left;
	int id;

	act.sa_sigaction = on_timer;
	sigaction(SIGALRM, &act, NULL);
	for (int i = 0; i < 4; i++) {
		struct timespec from;

		/* Without a word about it: SIGALRM, with its number. */
		TRY(syscall(SYS_timer_create, ids[i], NULL, &id));
		clock_gettime(CLOCK_MONOTONIC, &from);
		timer_code = 0;
		its.it_value = later(ids[i], 30);
		TRY(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &its,
			    NULL));
		TRY(syscall(SYS_timer_gettime, id, &left));
		say("left %d", left.it_value.tv_nsec > 0 &&
		    left.it_value.tv_nsec <= 30 * MS);
		while (!timer_code)
			usleep(2000);
		say("after 29 ms %d", ms_since(from) >= 29);
		say("code %d, its own %d %d", timer_code, timer_int == id,
		    timer_id == id);
		TRY(syscall(SYS_timer_gettime, id, &left));
		say("left %ld", (long)left.it_value.tv_nsec);
		/* Long past: at once. */
		timer_code = 0;
		its.it_value = (struct timespec){ 1, 0 };
		TRY(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &its,
			    NULL));
		while (!timer_code)
			usleep(2000);
		TRY(syscall(SYS_timer_delete, id));
	}
	signal(SIGALRM, SIG_DFL);
}

/*
 * What alarm() says was left of @us; musl has a sum of its own. Again if we
 * were kept from asking at once.
 */
static long alarm_of(long us)
{
	struct itimerval it = { .it_value = { us / 1000000, us % 1000000 } };
	struct timespec from, to;
	long left;

	do {
		clock_gettime(CLOCK_MONOTONIC, &from);
		setitimer(ITIMER_REAL, &it, NULL);
		left = syscall(SYS_alarm, 100);
		clock_gettime(CLOCK_MONOTONIC, &to);
	} while ((to.tv_sec - from.tv_sec) * 1000 +
		 (to.tv_nsec - from.tv_nsec) / 1000000 > 300);
	return left;
}

CASE(timer_alarm_rounds)
{
	signal(SIGALRM, on_alarm);
	TRY(alarm_of(3400000));
	TRY(alarm_of(3900000));
	/* It is never 0 while there is something left. */
	TRY(alarm_of(400000));
	TRY(alarm_of(900000));
	OK(syscall(SYS_alarm, 0));
	TRY(syscall(SYS_alarm, 0));
	signal(SIGALRM, SIG_DFL);
}
