/*
 * Softirqs: run on the way out of a hard interrupt, from local_bh_enable(),
 * and from ksoftirqd when there was too much. `context_count` says that they
 * run, so that an interrupt in the middle does not start them again.
 */
#include "kernel/softirq.h"

#include "kernel/sched.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/watchdog.h"
#include "kernel/x86/irqflags.h"

/* How long one go may take before the rest is ksoftirqd's. */
#define SOFTIRQ_ROUNDS	10
#define SOFTIRQ_TIME	(2 * NSEC_PER_MSEC)

const char *const softirq_names[NR_SOFTIRQS] = {
	[TIMER_SOFTIRQ] = "TIMER",
	[NET_TX_SOFTIRQ] = "NET_TX",
	[NET_RX_SOFTIRQ] = "NET_RX",
};

DEFINE_PER_CPU(u32, context_count);
DEFINE_PER_CPU(u32, softirq_pending);
static DEFINE_PER_CPU(struct task *, ksoftirqd);

static void (*softirq_action[NR_SOFTIRQS])(void) __ro_after_init;

void open_softirq(enum softirq nr, void (*action)(void))
{
	softirq_action[nr] = action;
}

void wake_ksoftirqd(void)
{
	struct task *task = this_cpu_read(ksoftirqd);

	/* Before softirq_init() the next interrupt runs them. */
	if (task)
		wake_up_process(task);
}

void raise_softirq(enum softirq nr)
{
	unsigned long irq = local_irq_save();

	raise_softirq_irqoff(nr);
	if (in_task())
		wake_ksoftirqd();
	local_irq_restore(irq);
}

/* One round: all that is pending now. Interrupts are on meanwhile. */
static inline void run_round(u32 pending)
{
	trace(TRACE_DO_SOFTIRQ, pending, 0);
	this_cpu_write(softirq_pending, 0u);
	lock_context(true, false);
	local_irq_enable();
	do {
		softirq_action[__builtin_ctz(pending)]();
		pending &= pending - 1;
	} while (pending);
	local_irq_disable();
	lock_context(false, false);
}

/* What became pending in the first round, within the budget. */
static noinline void run_more_rounds(void)
{
	u64 start = ktime_get_ns();
	unsigned int rounds = 1;
	u32 pending;

	do {
		pending = this_cpu_read(softirq_pending);
		if (!pending)
			return;
		run_round(pending);
	} while (++rounds < SOFTIRQ_ROUNDS &&
		 ktime_get_ns() - start < SOFTIRQ_TIME);
	if (this_cpu_read(softirq_pending))
		wake_ksoftirqd();
}

/*
 * Interrupts are off on entry and exit and on in between. Nearly always one
 * round is all, and then the clock is not read.
 */
static void run_softirqs(void)
{
	this_cpu_add(context_count, SOFTIRQ_ONE);
	run_round(this_cpu_read(softirq_pending));
	if (unlikely(this_cpu_read(softirq_pending)))
		run_more_rounds();
	this_cpu_add(context_count, -SOFTIRQ_ONE);
}

void do_softirq(void)
{
	local_irq_disable();
	if (this_cpu_read(softirq_pending))
		run_softirqs();
	local_irq_enable();
}

void irq_enter(void)
{
	this_cpu_add(context_count, HARDIRQ_ONE);
	lock_context(true, true);
}

void irq_exit(void)
{
	lock_context(false, true);
	this_cpu_add(context_count, -HARDIRQ_ONE);
	if (this_cpu_read(softirq_pending) && in_task())
		run_softirqs();
}

/*
 * Takes its turn on the run queue like any task, so that a flood of packets
 * cannot keep the program from running.
 */
static __cold void ksoftirqd_loop(void *arg)
{
	(void)arg;
	for (;;) {
		watchdog_turn();
		set_current_state(TASK_INTERRUPTIBLE);
		if (!this_cpu_read(softirq_pending)) {
			schedule();
			continue;
		}
		set_current_state(TASK_RUNNING);
		do_softirq();
		schedule();
	}
}

__cold void softirq_init(void)
{
	struct task *task = kthread_run(ksoftirqd_loop, NULL, "ksoftirqd");

	if (!task)
		panic("no memory for ksoftirqd: give the machine more");
	this_cpu_write(ksoftirqd, task);
}
