/*
 * The clock interrupt asks the softirqs, by a timer of the wheel, and the
 * tasks, by waking ksoftirqd, for a sign of life. Who has not given one when
 * it asks for the fourth time stands still. Looks are counted, not time: a
 * machine that was paused, or starved by its host, looks late, not twice.
 */
#include "kernel/watchdog.h"

#include "kernel/errno.h"
#include "kernel/hrtimer.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/softirq.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#define LOOKS		4
#define SECONDS		20	/* until something is said to stand still */
#define SECONDS_MOST	86400

const char *const watchdog_names[NR_WATCHDOG_CASES] = {
	[WATCHDOG_CPU] = "cpu",
	[WATCHDOG_SOFTIRQ] = "softirq",
	[WATCHDOG_TASK] = "task",
	[WATCHDOG_QUEUE] = "queue",
};

u32 watchdog_counts[NR_WATCHDOG_CASES];

/* Locks: c const after boot, h the clock interrupt only. */
static struct {
	u64 seconds;		/* c */
	struct hrtimer look;
	struct timer softirqs;	/* pending: they were asked */
	bool tasks;		/* ksoftirqd was asked */
	u8 softirq_looks;	/* h  that found them asked still */
	u8 task_looks;		/* h */
} dog = { .seconds = SECONDS };

static void say(enum watchdog_case which)
{
	watchdog_counts[which]++;
	pr_err("watchdog: a %s stands still, case %u; what is on its stack:",
	       watchdog_names[which], watchdog_counts[which]);
}

__cold void watchdog_bark(enum watchdog_case which)
{
	say(which);
	dump_stack();
}

/* Counts the looks that found something asked; true at the last one. */
static bool too_long(u8 *looks, bool asked)
{
	*looks = asked ? *looks + 1 : 0;
	return *looks == LOOKS;
}

static void ask_again(u64 now)
{
	u64 period = dog.seconds * NSEC_PER_SEC / LOOKS;

	dog.tasks = true;
	wake_ksoftirqd();
	mod_timer(&dog.softirqs, now);
	hrtimer_start(&dog.look, now + period, period / 8);
}

static __cold void look(struct hrtimer *timer)
{
	bool softirqs = timer_pending(&dog.softirqs);

	(void)timer;
	if (too_long(&dog.softirq_looks, softirqs))
		watchdog_bark(WATCHDOG_SOFTIRQ);
	/* While a softirq runs, no task does. */
	if (too_long(&dog.task_looks, READ_ONCE(dog.tasks) && !softirqs))
		watchdog_bark(WATCHDOG_CPU);
	ask_again(ktime_get_ns());
}

static __cold void softirqs_live(struct timer *timer)
{
	(void)timer;
}

/*
 * A task that sleeps is asked by TIF_NEED_RESCHED, which schedule() takes from
 * it when it runs next. Kernel tasks may sleep for good.
 */
static void look_at(struct task *task)
{
	bool asleep = READ_ONCE(task->state) == TASK_UNINTERRUPTIBLE &&
		      !task->kthread;
	u32 before = 0;

	if (asleep)
		before = __atomic_fetch_or(&task->work, TIF_NEED_RESCHED,
					   __ATOMIC_SEQ_CST);
	if (!too_long(&task->looks, before & TIF_NEED_RESCHED))
		return;
	say(WATCHDOG_TASK);
	pr_err("task %d %s", task->pid, task->comm);
	dump_task_stack(task->sp);
}

__cold void watchdog_turn(void)
{
	struct task *task;
	unsigned long irq;

	if (!READ_ONCE(dog.tasks))
		return;
	dog.tasks = false;
	irq = spin_lock_irqsave(&tasklist_lock);
	list_for_each_entry(task, &task_list, tasks)
		look_at(task);
	spin_unlock_irqrestore(&tasklist_lock, irq);
}

static int set_watchdog(const char *val)
{
	u64 seconds;

	if (!val || parse_u64(val, &seconds) || seconds > SECONDS_MOST)
		return -EINVAL;
	dog.seconds = seconds;
	return 0;
}
KERNEL_PARAM("watchdog", set_watchdog,
	     "seconds until what stands still is reported; 0: never");

__cold void watchdog_init(void)
{
	if (!dog.seconds)
		return;
	timer_setup(&dog.softirqs, softirqs_live);
	hrtimer_init(&dog.look, look);
	ask_again(ktime_get_ns());
}
