/*
 * setitimer(2) and alarm(2): three timers of the process, two of which count
 * its CPU time. A timer with an interval starts again when its signal is
 * acted on, so that a short one cannot keep the CPU busy with interrupts.
 *
 * LOCKING: itimers.lock, interrupts off; sighand->lock is not taken below it.
 */
#include "kernel/itimer.h"

#include "kernel/errno.h"
#include "kernel/cputime.h"
#include "kernel/hrtimer.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define NR_ITIMERS	3

struct itimerval {
	struct timeval interval, value;
};

/* Locks: l itimers.lock, c const once started. */
struct itimer {
	struct hrtimer timer;
	struct sighand *sighand;	/* c */
	u64 expires;			/* l  ns on its clock, 0: not running */
	u64 interval;			/* l  ns, 0: once */
	bool waits;			/* l  for its signal to be taken */
};

static const u8 signal_of[NR_ITIMERS] = { SIGALRM, SIGVTALRM, SIGPROF };

static struct {
	struct spinlock lock;
	struct itimer timer[NR_ITIMERS];
} itimers;

static u64 itimer_now(const struct itimer *it)
{
	return it == itimers.timer ? ktime_get_ns() : process_cpu_ns();
}

static void start(struct itimer *it) __must_hold(itimers.lock)
{
	hrtimer_start(&it->timer, it == itimers.timer ? it->expires :
		      cpu_timer_look(it->expires, itimer_now(it)), 0);
}

static void itimer_fired(struct hrtimer *timer)
{
	struct itimer *it = container_of(timer, struct itimer, timer);
	struct siginfo info = { .si_signo = signal_of[it - itimers.timer],
				.si_code = SI_KERNEL };

	spin_lock(&itimers.lock);
	if (it->expires > itimer_now(it)) {
		start(it);
		spin_unlock(&itimers.lock);
		return;
	}
	it->waits = it->interval;
	if (!it->interval)
		it->expires = 0;
	spin_unlock(&itimers.lock);
	(void)send_group_siginfo(&info, it->sighand);
}

/* The next expiry after now on the timer's own grid. */
static void start_again(struct itimer *it)
{
	unsigned long irq = spin_lock_irqsave(&itimers.lock);
	u64 now = itimer_now(it);

	if (it->waits) {
		it->waits = false;
		if (it->expires <= now)
			it->expires += ((now - it->expires) / it->interval +
					1) * it->interval;
		start(it);
	}
	spin_unlock_irqrestore(&itimers.lock, irq);
}

void timer_signal_delivered(struct siginfo *info)
{
	for (int i = 0; i < NR_ITIMERS; i++)
		if (info->si_signo == signal_of[i] &&
		    info->si_code == SI_KERNEL)
			start_again(&itimers.timer[i]);
	if (info->si_code == SI_TIMER)
		posix_timer_delivered(info);
}

static struct timeval ns_to_timeval(u64 ns)
{
	return (struct timeval){ (s64)(ns / NSEC_PER_SEC),
				 (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

static void read_itimer(const struct itimer *it, struct itimerval *out)
{
	u64 now = itimer_now(it), left = 0;

	/* A running timer never says 0: that means it does not run. */
	if (it->expires)
		left = it->expires > now + NSEC_PER_USEC ?
		       it->expires - now : NSEC_PER_USEC;
	out->value = ns_to_timeval(left);
	out->interval = ns_to_timeval(it->interval);
}

static void set_itimer(struct itimer *it, u64 value, u64 interval,
		       struct itimerval *old)
{
	unsigned long irq;

	if (!it->timer.fn)
		hrtimer_init(&it->timer, itimer_fired);
	hrtimer_cancel(&it->timer);
	irq = spin_lock_irqsave(&itimers.lock);
	read_itimer(it, old);
	it->sighand = current->sighand;
	it->waits = false;
	it->interval = value ? interval : 0;
	it->expires = value ? itimer_now(it) + value : 0;
	if (value)
		start(it);
	spin_unlock_irqrestore(&itimers.lock, irq);
}

static bool timeval_valid(const struct timeval *tv)
{
	return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000;
}

/* Saturates at some centuries, so that sums with the clock do not overflow. */
static u64 timeval_to_ns(const struct timeval *tv)
{
	u64 sec = min((u64)tv->tv_sec, KTIME_MAX / 4 / NSEC_PER_SEC);

	return sec * NSEC_PER_SEC + (u64)tv->tv_usec * NSEC_PER_USEC;
}

SYSCALL_DEFINE3(setitimer, int, which, const struct itimerval __user *, unew,
		struct itimerval __user *, uold)
{
	struct itimerval new = { 0 }, old;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	if (which < 0 || which >= NR_ITIMERS || !timeval_valid(&new.value) ||
	    !timeval_valid(&new.interval))
		return -EINVAL;
	set_itimer(&itimers.timer[which], timeval_to_ns(&new.value),
		   timeval_to_ns(&new.interval), &old);
	return uold ? copy_to_user(uold, &old, sizeof(old)) : 0;
}

SYSCALL_DEFINE2(getitimer, int, which, struct itimerval __user *, uold)
{
	struct itimerval old;
	unsigned long irq;

	if (which < 0 || which >= NR_ITIMERS)
		return -EINVAL;
	irq = spin_lock_irqsave(&itimers.lock);
	read_itimer(&itimers.timer[which], &old);
	spin_unlock_irqrestore(&itimers.lock, irq);
	return copy_to_user(uold, &old, sizeof(old));
}

/* Seconds that were left, rounded, but never 0 for a running timer. */
SYSCALL_DEFINE1(alarm, u32, seconds)
{
	struct itimerval old;
	long left;

	set_itimer(&itimers.timer[0], seconds * NSEC_PER_SEC, 0, &old);
	left = old.value.tv_sec;
	if ((!left && old.value.tv_usec) || old.value.tv_usec >= 500000)
		left++;
	return left;
}
