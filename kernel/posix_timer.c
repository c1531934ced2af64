/*
 * timer_create(2) and its family. A timer owns its signal's queue entry, so
 * sending needs no memory; while the entry waits, further expiries are only
 * counted (the overrun), and the timer starts again when the signal is taken.
 *
 * LOCKING: timers.lock, interrupts off, guards the table and every timer;
 * sighand->lock is not taken below it.
 */
#include "kernel/itimer.h"

#include "kernel/errno.h"
#include "kernel/cputime.h"
#include "kernel/hrtimer.h"
#include "kernel/mm/slab.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define MAX_TIMERS	128
#define CLOCK_REALTIME	0
#define CLOCK_MONOTONIC	1
#define CLOCK_BOOTTIME	7
#define CLOCK_TAI	11
#define TIMER_ABSTIME	1
#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD_ID	4
/* One whose signal is ignored looks again so often at most. */
#define IGNORED_PERIOD	NSEC_PER_MSEC

/* As timer_create(2) lays it out. */
struct sigevent {
	u64 value;
	s32 signo, notify, tid;
	u32 pad[11];
};

_Static_assert(sizeof(struct sigevent) == 64, "as user space has it");

struct itimerspec {
	struct timespec interval, value;
};

/* Locks: t timers.lock, c const, s sighand->lock. */
struct posix_timer {
	struct hrtimer timer;
	struct sigqueue signal;		/* s */
	struct sighand *sighand;	/* c */
	struct task *task;		/* c  NULL: to the process */
	s32 id;				/* c */
	bool silent;			/* c  SIGEV_NONE */
	bool real;			/* c  on the wall clock */
	bool cpu;			/* c  on a CPU clock: of ... */
	struct task *counts;		/* c  ... a thread, NULL: of all */
	bool waits;			/* t  for its signal to be taken */
	u64 expires, interval;		/* t  ns on its clock; 0: not running */
	s32 overrun;			/* t  of the last signal taken */
};

static struct {
	struct spinlock lock;
	struct posix_timer *timer[MAX_TIMERS];	/* t */
} timers;

static struct posix_timer *find_timer(s32 id) __must_hold(timers.lock)
{
	return id >= 0 && id < MAX_TIMERS ? timers.timer[id] : NULL;
}

static u64 timer_now(const struct posix_timer *t)
{
	return t->cpu ? cpu_clock_ns(t->counts) : ktime_get_ns();
}

static void start(struct posix_timer *t) __must_hold(timers.lock)
{
	hrtimer_start(&t->timer, t->cpu ? cpu_timer_look(t->expires,
		      timer_now(t)) : t->expires, 0);
}

/* Moves past @now on the timer's grid; how many expiries that skips. */
static u64 forward(struct posix_timer *t, u64 now)
{
	u64 steps;

	if (!t->interval || t->expires > now)
		return 0;
	steps = (now - t->expires) / t->interval + 1;
	t->expires += steps * t->interval;
	return steps;
}

static void posix_timer_fired(struct hrtimer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);
	u64 now = timer_now(t);
	bool sent;

	spin_lock(&timers.lock);
	/* timer_settime() was first, and could not wait for us. */
	if (!t->expires || t->expires > now || t->waits) {
		if (t->cpu && t->expires && !t->waits)
			start(t);
		spin_unlock(&timers.lock);
		return;
	}
	t->waits = t->interval;
	if (!t->interval)
		t->expires = 0;
	spin_unlock(&timers.lock);
	if (t->silent)
		sent = false;
	else
		sent = send_sigqueue(&t->signal, t->sighand, t->task);
	spin_lock(&timers.lock);
	if (!sent && t->waits) {
		t->waits = false;
		(void)forward(t, now + IGNORED_PERIOD);
		start(t);
	}
	spin_unlock(&timers.lock);
}

void posix_timer_delivered(struct siginfo *info)
{
	unsigned long irq = spin_lock_irqsave(&timers.lock);
	struct posix_timer *t = find_timer(info->timer.id);
	u64 missed;

	if (t && t->signal.info.si_signo == info->si_signo) {
		missed = 0;
		if (t->waits) {
			missed = forward(t, timer_now(t));
			/* The first of them is the one that fired. */
			missed = missed ? missed - 1 : 0;
			t->waits = false;
			start(t);
		}
		t->overrun = (s32)min(missed, (u64)INT32_MAX);
		info->timer.overrun = t->overrun;
	}
	spin_unlock_irqrestore(&timers.lock, irq);
}

/* 0, -EINVAL, or for clocks that cannot wake anybody -EOPNOTSUPP. */
static int check_clock(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	case 4:
	case 5:
	case 6:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static int fill_timer(struct posix_timer *t, const struct sigevent *ev)
{
	t->silent = ev->notify == SIGEV_NONE;
	if (!t->silent && (ev->signo < 1 || ev->signo > NSIG))
		return -EINVAL;
	if (ev->notify == SIGEV_THREAD_ID) {
		t->task = find_get_thread(ev->tid);
		if (!t->task)
			return -EINVAL;
	} else if (ev->notify != SIGEV_SIGNAL && !t->silent) {
		return -EINVAL;
	}
	t->signal.info.si_signo = ev->signo;
	t->signal.info.si_code = SI_TIMER;
	t->signal.info.timer.value = ev->value;
	t->signal.preallocated = true;
	t->sighand = current->sighand;
	hrtimer_init(&t->timer, posix_timer_fired);
	return 0;
}

static int install_timer(struct posix_timer *t)
{
	unsigned long irq = spin_lock_irqsave(&timers.lock);
	int id = 0;

	while (id < MAX_TIMERS && timers.timer[id])
		id++;
	if (id < MAX_TIMERS) {
		timers.timer[id] = t;
		t->id = id;
		t->signal.info.timer.id = id;
	}
	spin_unlock_irqrestore(&timers.lock, irq);
	return id < MAX_TIMERS ? 0 : -EAGAIN;
}

static void free_timer(struct posix_timer *t)
{
	if (t->task)
		put_task(t->task);
	if (t->counts)
		put_task(t->counts);
	kfree(t);
}

SYSCALL_DEFINE3(timer_create, int, clock, const struct sigevent __user *, uev,
		s32 __user *, uid)
{
	struct sigevent ev = { .signo = SIGALRM };
	struct posix_timer *t;
	int err;

	if (uev && copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -EAGAIN;
	t->cpu = !cpu_clock_find(clock, &t->counts);
	err = t->cpu ? 0 : check_clock(clock);
	if (err) {
		kfree(t);
		return err;
	}
	t->real = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
	err = fill_timer(t, &ev);
	if (!err)
		err = install_timer(t);
	if (err) {
		free_timer(t);
		return err;
	}
	if (!uev)
		t->signal.info.timer.value = (u64)t->id;
	return put_user(t->id, uid);
}

static void read_timer(const struct posix_timer *t, struct itimerspec *out)
{
	u64 now = timer_now(t), left = 0;

	if (t->expires)
		left = t->expires > now ? t->expires - now : 1;
	out->value = ns_to_timespec(left);
	out->interval = ns_to_timespec(t->interval);
}

static u64 bounded_ns(const struct timespec *ts)
{
	return min(timespec_to_ns(ts), KTIME_MAX / 4);
}

SYSCALL_DEFINE4(timer_settime, s32, id, int, flags,
		const struct itimerspec __user *, unew,
		struct itimerspec __user *, uold)
{
	struct itimerspec new, old = { 0 };
	struct posix_timer *t;
	unsigned long irq;
	u64 ns, now;

	if (!unew)
		return -EINVAL;
	if (copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	if (!timespec_valid(&new.value) || !timespec_valid(&new.interval))
		return -EINVAL;
	ns = bounded_ns(&new.value);
	irq = spin_lock_irqsave(&timers.lock);
	t = find_timer(id);
	if (t) {
		read_timer(t, &old);
		hrtimer_try_to_cancel(&t->timer);
		t->waits = false;
		t->overrun = 0;
		now = flags & TIMER_ABSTIME && t->real ?
		      ktime_get_real_ns() : timer_now(t);
		if (flags & TIMER_ABSTIME)
			t->expires = timer_now(t) + (ns > now ? ns - now : 0);
		else
			t->expires = now + ns;
		t->interval = bounded_ns(&new.interval);
		if (ns)
			start(t);
		else
			t->expires = 0;
	}
	spin_unlock_irqrestore(&timers.lock, irq);
	if (!t)
		return -EINVAL;
	return uold ? copy_to_user(uold, &old, sizeof(old)) : 0;
}

SYSCALL_DEFINE2(timer_gettime, s32, id, struct itimerspec __user *, uold)
{
	unsigned long irq = spin_lock_irqsave(&timers.lock);
	struct posix_timer *t = find_timer(id);
	struct itimerspec now = { 0 };

	if (t)
		read_timer(t, &now);
	spin_unlock_irqrestore(&timers.lock, irq);
	return t ? copy_to_user(uold, &now, sizeof(now)) : -EINVAL;
}

SYSCALL_DEFINE1(timer_getoverrun, s32, id)
{
	unsigned long irq = spin_lock_irqsave(&timers.lock);
	struct posix_timer *t = find_timer(id);
	long overrun = t ? t->overrun : -EINVAL;

	spin_unlock_irqrestore(&timers.lock, irq);
	return overrun;
}

SYSCALL_DEFINE1(timer_delete, s32, id)
{
	unsigned long irq = spin_lock_irqsave(&timers.lock);
	struct posix_timer *t = find_timer(id);

	if (t)
		timers.timer[id] = NULL;
	spin_unlock_irqrestore(&timers.lock, irq);
	if (!t)
		return -EINVAL;
	hrtimer_cancel(&t->timer);
	sigqueue_forget(&t->signal, t->sighand);
	free_timer(t);
	return 0;
}
