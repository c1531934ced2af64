/*
 * The scheduler. A task stays on the CPU it was made on; the waker takes that
 * CPU's run queue. When nobody can run, the last sleeper halts in schedule().
 *
 * LOCKING: rq->lock, interrupts off, guards the queue and the r members of
 * its tasks. schedule() takes it in the old task's name and releases it in
 * the new one's, so nobody sees a task whose registers are half saved. It is
 * the innermost lock but for the clock.
 */
#include "kernel/sched.h"

#include "kernel/clock.h"
#include "kernel/context.h"
#include "kernel/debug/kasan.h"
#include "kernel/hrtimer.h"
#include "kernel/errno.h"
#include "kernel/signal.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/vvar.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/processor.h"
#include "kernel/x86/sigframe.h"
#include "kernel/x86/switch.h"

/* How long a task may run while another one waits. */
#define TIME_SLICE	(3 * NSEC_PER_MSEC)

/* Locks: r lock, c const after boot. */
struct rq {
	struct spinlock lock;
	u32 nr_waiting;			/* r  tasks in `queue` */
	struct list_head queue;		/* r  runnable, not running */
	struct task *idle;		/* c  runs when the queue is empty */
	struct task *prev;		/* r  who is being switched away */
	struct task *charged;		/* r  who uses the CPU; NULL: halted */
	u64 since;			/* r  TSC, from when on */
};

static DEFINE_PER_CPU(struct rq, runqueue);
asmlinkage DEFINE_PER_CPU(struct task *, current_task);

static void enqueue(struct rq *rq, struct task *task)
{
	list_add_tail(&task->run_list, &rq->queue);
	task->on_rq = true;
	rq->nr_waiting++;
}

static struct task *dequeue_first(struct rq *rq)
{
	struct task *task = list_first_entry(&rq->queue, struct task,
					     run_list);

	list_del(&task->run_list);
	task->on_rq = false;
	rq->nr_waiting--;
	return task;
}

static void set_work(struct task *task, u32 bit)
{
	__atomic_fetch_or(&task->work, bit, __ATOMIC_SEQ_CST);
}

/* Who used the CPU until now pays; @next does from now on. */
static void charge(struct rq *rq, struct task *next) __must_hold(rq->lock)
{
	u64 now = rdtsc();

	rq->charged->cpu_ns += clock_scale_span(clock_scale(&vvar),
						now - rq->since);
	rq->charged = next;
	rq->since = now;
}

u64 task_cpu_ns(const struct task *task)
{
	struct rq *rq = this_cpu_ptr(&runqueue);
	unsigned long irq = spin_lock_irqsave(&rq->lock);

	if (rq->charged)
		charge(rq, rq->charged);
	spin_unlock_irqrestore(&rq->lock, irq);
	return READ_ONCE(task->cpu_ns);
}

/* From now on @task has one slice, then it must let others run. */
static void start_slice(struct task *task)
{
	task->slice_end = ktime_get_ns() + TIME_SLICE;
	clock_program(task->slice_end);
}

/* The second half of a switch, in the new task, with the lock from the old. */
static void finish_switch(struct rq *rq)
	__releases(rq->lock)
{
	struct task *prev = rq->prev;

	/* Once the lock is free, somebody else may free or run it. */
	bool dead = prev->state == TASK_DEAD;

	spin_unlock(&rq->lock);
	local_irq_enable();
	if (unlikely(dead))
		put_task(prev);
}

/* Where a new task's first switch leads (kernel/x86/switch.S). */
__cold void task_start(void (*entry)(void *arg), void *arg)
	__no_lock_check
{
	finish_switch(this_cpu_ptr(&runqueue));
	entry(arg);
	task_exit();
}

static void switch_tasks(struct rq *rq, struct task *prev, struct task *next)
	__releases(rq->lock) __no_lock_check
{
	trace(TRACE_SCHED_SWITCH, prev->pid, next->pid);
	rq->prev = prev;
	charge(rq, next);
	this_cpu_write(current_task, next);
	if (!next->kthread)
		switch_user_state(next);
	this_cpu_write(__stack_chk_guard, next->guard);
	switch_stacks(&prev->sp, next->sp);
	finish_switch(this_cpu_ptr(&runqueue));
}

/*
 * Nobody is runnable: halts right here, in the sleeper's name and on its
 * stack. Most often it is the sleeper that the next interrupt wakes, and then
 * there is nothing to switch. Returns who runs next.
 */
static struct task *halt_in_place(struct rq *rq, struct task *prev)
	__must_hold(rq->lock)
{
	charge(rq, NULL);
	/* To idle and back, as the trace has it, but for free. */
	trace(TRACE_SCHED_SWITCH, prev->pid, rq->idle->pid);
	do {
		spin_unlock(&rq->lock);
		safe_halt();
		local_irq_disable();
		spin_lock(&rq->lock);
	} while (READ_ONCE(prev->state) != TASK_RUNNING &&
		 list_empty(&rq->queue));
	trace(TRACE_SCHED_SWITCH, rq->idle->pid, prev->pid);
	rq->charged = prev;
	rq->since = rdtsc();
	return READ_ONCE(prev->state) == TASK_RUNNING ? prev
						      : dequeue_first(rq);
}

/* Decides who runs after @prev and takes it off the queue. */
static struct task *pick_next(struct rq *rq, struct task *prev)
	__must_hold(rq->lock)
{
	bool runnable = prev->state == TASK_RUNNING && prev != rq->idle;

	if (!list_empty(&rq->queue)) {
		if (runnable)
			enqueue(rq, prev);
		return dequeue_first(rq);
	}
	if (runnable)
		return prev;
	if (prev->state == TASK_DEAD || prev == rq->idle)
		return rq->idle;
	return halt_in_place(rq, prev);
}

/*
 * A signal that came between the sleeper's last look and now ends the sleep
 * here: its sender set the bit before it looked at the state.
 */
static void look_at_work(struct task *prev)
{
	if (prev->state == TASK_INTERRUPTIBLE && signal_pending(prev))
		prev->state = TASK_RUNNING;
	if (prev->work & TIF_NEED_RESCHED)
		__atomic_fetch_and(&prev->work, ~TIF_NEED_RESCHED,
				   __ATOMIC_SEQ_CST);
}

void schedule(void)
{
	struct rq *rq = this_cpu_ptr(&runqueue);
	struct task *prev = current, *next;

	might_sleep();
	kasan_check_stack(prev->stack);
	local_irq_disable();
	spin_lock(&rq->lock);
	if (unlikely(prev->work))
		look_at_work(prev);
	next = pick_next(rq, prev);
	if (unlikely(rq->nr_waiting))
		start_slice(next);
	if (next != prev) {
		switch_tasks(rq, prev, next);
	} else {
		spin_unlock(&rq->lock);
		local_irq_enable();
	}
}

/*
 * Puts a task that was not runnable on the queue. Idle gives way at once; a
 * running task keeps the CPU for a slice from when the first one waits; one
 * that is about to sleep, or halts in its sleep, looks at the queue itself.
 */
static void make_runnable(struct rq *rq, struct task *task)
{
	struct task *curr = current;

	enqueue(rq, task);
	if (curr == rq->idle)
		set_work(curr, TIF_NEED_RESCHED);
	else if (rq->nr_waiting == 1 && curr->state == TASK_RUNNING)
		start_slice(curr);
}

int wake_up_process(struct task *task)
{
	struct rq *rq = this_cpu_ptr(&runqueue);
	unsigned long irq = spin_lock_irqsave(&rq->lock);
	bool slept = task->state != TASK_RUNNING && task->state != TASK_DEAD;

	if (slept) {
		task->state = TASK_RUNNING;
		/* Else it has not left the CPU yet, and need not. */
		if (task != current)
			make_runnable(rq, task);
	}
	spin_unlock_irqrestore(&rq->lock, irq);
	return slept;
}

void wake_up_new_task(struct task *task)
{
	struct rq *rq = this_cpu_ptr(&runqueue);
	unsigned long irq = spin_lock_irqsave(&rq->lock);

	make_runnable(rq, task);
	spin_unlock_irqrestore(&rq->lock, irq);
}

u64 sched_tick(u64 now)
{
	struct rq *rq = this_cpu_ptr(&runqueue);
	struct task *curr = current;

	if (!READ_ONCE(rq->nr_waiting) || curr == rq->idle)
		return KTIME_MAX;
	if (now < curr->slice_end)
		return curr->slice_end;
	set_work(curr, TIF_NEED_RESCHED);
	return KTIME_MAX;
}

void cond_resched(void)
{
	if (unlikely(READ_ONCE(current->work) & TIF_NEED_RESCHED))
		schedule();
}

/* A sleeper's precise timer. */
struct sleeper {
	struct hrtimer timer;
	struct task *task;
};

static void wake_sleeper(struct hrtimer *timer)
{
	wake_up_process(container_of(timer, struct sleeper, timer)->task);
}

static noinline int sleep_until(u64 deadline, u64 slack)
{
	struct sleeper s = { .task = current };

	hrtimer_init(&s.timer, wake_sleeper);
	hrtimer_start(&s.timer, deadline, slack);
	schedule();
	set_current_state(TASK_RUNNING);
	/* The timer that is no longer queued has fired. */
	return hrtimer_cancel(&s.timer) ? -EINTR : 0;
}

int schedule_hrtimeout_range(u64 deadline, u64 slack)
{
	if (deadline != KTIME_MAX)
		return sleep_until(deadline, slack);
	schedule();
	return -EINTR;
}

void exit_to_user_work(struct pt_regs *regs, bool syscall)
{
	u32 work;

	while ((work = READ_ONCE(current->work))) {
		local_irq_enable();
		if (work & TIF_NEED_RESCHED)
			schedule();
		if (work & TIF_SIGRETURN) {
			restore_sigframe(regs);
			syscall = false;
		}
		if (work & TIF_SIGPENDING) {
			do_signal(regs, syscall);
			syscall = false;
		}
		local_irq_disable();
	}
}

void cpu_idle_loop(void)
{
	for (;;) {
		local_irq_disable();
		if (READ_ONCE(current->work) & TIF_NEED_RESCHED)
			schedule();
		else
			safe_halt();
	}
}

void sched_init(void)
{
	struct rq *rq = this_cpu_ptr(&runqueue);

	spin_lock_init(&rq->lock);
	INIT_LIST_HEAD(&rq->queue);
	rq->idle = task_adopt_boot_stack();
	rq->charged = rq->idle;
	rq->since = rdtsc();
	this_cpu_write(current_task, rq->idle);
}
