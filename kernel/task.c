/*
 * Tasks come and go here; kernel/sched.c runs them. The task list is for
 * whoever looks at all tasks (gdb, /proc), under tasklist_lock.
 */
#include "kernel/sched.h"

#include "kernel/clock.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/percpu.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/ptrace.h"
#include "kernel/x86/sections.h"
#include "kernel/x86/switch.h"

/* 1 is the program's, see process_init(). */
#define FIRST_PID 2

const char *const task_state_names[TASK_DEAD + 1] = {
	[TASK_RUNNING] = "running",
	[TASK_INTERRUPTIBLE] = "interruptible",
	[TASK_UNINTERRUPTIBLE] = "uninterruptible",
	[TASK_DEAD] = "dead",
};

LIST_HEAD(task_list);
struct spinlock tasklist_lock = SPINLOCK_INIT;

static struct task idle_task = {
	.comm = "idle",
	.kthread = true,
	.refs = { 1 },
};

/* What those who are gone have used, [kthread]; tasklist_lock. */
static u64 gone_cpu_ns[2];

static s32 next_pid(void)
{
	static struct atomic last = { FIRST_PID - 1 };

	return atomic_add_return(1, &last);
}

static void list_task(struct task *task)
{
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);

	list_add_tail(&task->tasks, &task_list);
	spin_unlock_irqrestore(&tasklist_lock, irq);
}

struct pt_regs *task_pt_regs(const struct task *task)
{
	return (struct pt_regs *)((char *)task->stack + KSTACK_SIZE) - 1;
}

static struct task *make_task(const char *name, void (*entry)(void *arg),
			      void *arg, bool kthread)
{
	struct task *task = kzalloc(sizeof(*task));

	if (!task)
		return NULL;
	task->stack = kstack_alloc();
	if (!task->stack) {
		kfree(task);
		return NULL;
	}
	/* Above are a user task's registers. */
	task->sp = init_stack(ALIGN_DOWN((u64)task_pt_regs(task), 16ul),
			      entry, arg);
	/* A zero byte, at which copies of strings end. */
	task->guard = get_random_u64() << 8;
	task->kthread = kthread;
	task->pid = next_pid();
	task->tgid = task->pid;
	strlcpy(task->comm, name, sizeof(task->comm));
	task->start_time = ktime_get_ns();
	atomic_set(&task->refs, 1);
	list_task(task);
	return task;
}

struct task *task_create(const char *name, void (*entry)(void *arg), void *arg)
{
	return make_task(name, entry, arg, false);
}

struct task *kthread_run(void (*fn)(void *arg), void *arg, const char *name)
{
	struct task *task = make_task(name, fn, arg, true);

	if (task)
		wake_up_new_task(task);
	return task;
}

struct task *task_adopt_boot_stack(void)
{
	idle_task.stack = boot_stack;
	idle_task.guard = this_cpu_read(__stack_chk_guard);
	list_task(&idle_task);
	return &idle_task;
}

void get_task(struct task *task)
{
	atomic_inc(&task->refs);
}

void put_task(struct task *task)
{
	unsigned long irq;

	if (!atomic_dec_and_test(&task->refs))
		return;
	irq = spin_lock_irqsave(&tasklist_lock);
	list_del(&task->tasks);
	gone_cpu_ns[task->kthread] += task->cpu_ns;
	spin_unlock_irqrestore(&tasklist_lock, irq);
	forget_user_state(task);
	fpu_free(task);
	kstack_free(task->stack);
	kfree(task);
}

/* All that ran but idle: the program's, or the kernel's tasks too. */
static u64 sum_cpu_ns(bool kthreads)
{
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);
	u64 sum = gone_cpu_ns[0] + (kthreads ? gone_cpu_ns[1] : 0);
	struct task *task;

	list_for_each_entry(task, &task_list, tasks)
		if (task != &idle_task && (kthreads || !task->kthread))
			sum += task_cpu_ns(task);
	spin_unlock_irqrestore(&tasklist_lock, irq);
	return sum;
}

u64 process_cpu_ns(void)
{
	return sum_cpu_ns(false);
}

u64 idle_cpu_ns(void)
{
	u64 used = sum_cpu_ns(true), now = ktime_get_ns();

	return now > used ? now - used : 0;
}

/* The scheduler drops the reference once it has left this stack. */
void task_exit(void)
{
	set_current_state(TASK_DEAD);
	schedule();
	panic("dead task %s runs again", current->comm);
}
