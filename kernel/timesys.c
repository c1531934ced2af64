/* System calls about time, and getrandom. */
#include "kernel/time.h"

#include "kernel/cputime.h"
#include "kernel/errno.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	3
#define CLOCK_MONOTONIC_RAW	4
#define CLOCK_REALTIME_COARSE	5
#define CLOCK_MONOTONIC_COARSE	6
#define CLOCK_BOOTTIME		7
#define CLOCK_TAI		11
#define TIMER_ABSTIME		1
/* Thirty years before nanoseconds no longer count (Linux's bound). */
#define MAX_REAL_SEC	(s64)(KTIME_MAX / 2 / NSEC_PER_SEC - 946080000)

/* How late a sleep may end when that saves an interrupt (prctl(2)). */
#define SLEEP_SLACK		(50 * NSEC_PER_USEC)

#define GRND_NONBLOCK		1u
#define GRND_RANDOM		2u
#define GRND_INSECURE		4u

/* Real, monotonic, somebody's CPU time or none of ours. */
static int clock_read(int clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = ktime_get_real_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = ktime_get_ns();
		return 0;
	default:
		return cpu_clock_read(clock, ns);
	}
}

SYSCALL_DEFINE2(clock_gettime, int, clock, struct timespec __user *, uts)
{
	struct timespec ts;
	u64 ns;
	int err = clock_read(clock, &ns);

	if (err)
		return err;
	ts = ns_to_timespec(ns);
	return copy_to_user(uts, &ts, sizeof(ts));
}

SYSCALL_DEFINE2(clock_getres, int, clock, struct timespec __user *, uts)
{
	struct timespec ts = { .tv_nsec = 1 };
	u64 ns;
	int err = clock_read(clock, &ns);

	if (err || !uts)
		return err;
	return copy_to_user(uts, &ts, sizeof(ts));
}

SYSCALL_DEFINE2(gettimeofday, struct timeval __user *, utv, void __user *, tz)
{
	u64 us = ktime_get_real_ns() / NSEC_PER_USEC;
	struct timeval tv = { us / 1000000, us % 1000000 };
	u64 no_zone = 0;

	if (utv && copy_to_user(utv, &tv, sizeof(tv)))
		return -EFAULT;
	if (tz && copy_to_user(tz, &no_zone, sizeof(no_zone)))
		return -EFAULT;
	return 0;
}

static int set_real_time(const struct timespec *ts)
{
	if (!timespec_valid(ts) || ts->tv_sec > MAX_REAL_SEC)
		return -EINVAL;
	ktime_set_real_ns(timespec_to_ns(ts));
	return 0;
}

SYSCALL_DEFINE2(clock_settime, int, clock, const struct timespec __user *, uts)
{
	struct timespec ts;
	u64 ns;

	if (clock > CLOCK_REALTIME)
		return -EINVAL;
	if (copy_from_user(&ts, uts, sizeof(ts)))
		return -EFAULT;
	if (clock == CLOCK_REALTIME)
		return set_real_time(&ts);
	/* CPU time cannot be set. */
	return clock_read(clock, &ns) ? -EINVAL : -EPERM;
}

SYSCALL_DEFINE2(settimeofday, const struct timeval __user *, utv,
		const void __user *, tz)
{
	struct timeval tv;
	struct timespec ts;

	/* A time zone is Linux's to keep for old programs; we need none. */
	(void)tz;
	if (!utv)
		return 0;
	if (copy_from_user(&tv, utv, sizeof(tv)))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EINVAL;
	ts = (struct timespec){ tv.tv_sec, tv.tv_usec * 1000 };
	return set_real_time(&ts);
}

SYSCALL_DEFINE1(time, s64 __user *, ut)
{
	s64 now = ktime_get_real_ns() / NSEC_PER_SEC;

	if (ut && put_user(now, ut))
		return -EFAULT;
	return now;
}

/* Sleeps until monotonic @deadline. 0, or -EINTR. */
static int sleep_until(u64 deadline)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending(current))
			break;
		if (!schedule_hrtimeout_range(deadline, SLEEP_SLACK))
			return 0;
	}
	set_current_state(TASK_RUNNING);
	return -EINTR;
}

/* Interrupted: tells what is left, and how it goes on. */
static long sleep_later(struct restart_block *block,
			long (*fn)(struct restart_block *), u64 now)
{
	struct timespec __user *rem = (struct timespec __user *)block->arg[0];
	struct timespec left = ns_to_timespec(
		block->deadline > now ? block->deadline - now : 0);

	if (rem && copy_to_user(rem, &left, sizeof(left)))
		return -EFAULT;
	block->fn = fn;
	return -ERESTART_RESTARTBLOCK;
}

/* Sleeps for the restart block's sake, which holds when and *rem. */
static long sleep_restart(struct restart_block *block)
{
	if (!sleep_until(block->deadline))
		return 0;
	return sleep_later(block, sleep_restart, ktime_get_ns());
}

/* Begun again, a sleep must not begin from its start. */
static long sleep_for(u64 deadline, struct timespec __user *rem)
{
	struct restart_block *block = &current->restart;

	block->deadline = deadline;
	block->arg[0] = (u64)rem;
	return sleep_restart(block);
}

static u64 add_saturating(u64 a, u64 b)
{
	return a + b < a ? KTIME_MAX : a + b;
}

SYSCALL_DEFINE2(nanosleep, const struct timespec __user *, req,
		struct timespec __user *, rem)
{
	struct timespec ts;

	if (copy_from_user(&ts, req, sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	return sleep_for(add_saturating(ktime_get_ns(), timespec_to_ns(&ts)),
			 rem);
}

/* Nobody wakes from waiting for time to pass in which it runs itself. */
static bool is_own_cpu_clock(int clock)
{
	struct task *thread = NULL;

	if (cpu_clock_find(clock, &thread) || !thread)
		return false;
	put_task(thread);
	return thread == current;
}

static bool is_cpu_clock(int clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID;
}

/* The same until others have used so much; its clock is there, too. */
static long sleep_cpu_restart(struct restart_block *block)
{
	int clock = (int)block->arg[1];
	u64 now;

	do {
		if (cpu_clock_read(clock, &now) || now >= block->deadline)
			return 0;
	} while (!sleep_until(cpu_timer_look(block->deadline, now)));
	return sleep_later(block, sleep_cpu_restart, now);
}

static long sleep_cpu(int clock, u64 until, struct timespec __user *rem)
{
	struct restart_block *block = &current->restart;

	block->deadline = until;
	block->arg[0] = (u64)rem;
	block->arg[1] = (u64)clock;
	return sleep_cpu_restart(block);
}

SYSCALL_DEFINE4(clock_nanosleep, int, clock, int, flags,
		const struct timespec __user *, req,
		struct timespec __user *, rem)
{
	struct timespec ts;
	u64 now, ns;
	int err = clock_read(clock, &now);

	if (err)
		return err;
	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	if (copy_from_user(&ts, req, sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts) || is_own_cpu_clock(clock))
		return -EINVAL;
	ns = timespec_to_ns(&ts);
	if (is_cpu_clock(clock) && !(flags & TIMER_ABSTIME))
		return sleep_cpu(clock, add_saturating(now, ns), rem);
	if (is_cpu_clock(clock))
		return sleep_cpu(clock, ns, NULL) ? -ERESTARTNOHAND : 0;
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(add_saturating(ktime_get_ns(), ns), rem);
	/* An absolute time counts from now on the clock it is given in. */
	ns = ns > now ? ns - now : 0;
	err = sleep_until(add_saturating(ktime_get_ns(), ns));
	return err ? -ERESTARTNOHAND : 0;
}

SYSCALL_DEFINE3(getrandom, u8 __user *, buf, size_t, len, unsigned int, flags)
{
	u8 chunk[256];
	size_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) ==
	    (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = min(len, (size_t)INT32_MAX);
	while (done < len) {
		size_t n = min(len - done, sizeof(chunk));

		get_random_bytes(chunk, n);
		if (copy_to_user(buf + done, chunk, n))
			return done ? (long)done : -EFAULT;
		done += n;
		cond_resched();
		if (signal_pending(current))
			break;
	}
	return done || !len ? (long)done : -EINTR;
}
