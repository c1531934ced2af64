/*
 * Small calls about threads: which CPU, how many, priorities, names. There is
 * one CPU and one scheduling class, so most of them report and accept what is
 * so anyway, and refuse the rest as Linux does.
 */
#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/x86/cpu.h"

#define PR_SET_PDEATHSIG	1
#define PR_GET_DUMPABLE		3
#define PR_SET_DUMPABLE		4
#define PR_SET_NAME		15
#define PR_GET_NAME		16
#define PR_SET_TIMERSLACK	29
#define PR_GET_TIMERSLACK	30
#define PR_SET_NO_NEW_PRIVS	38
#define PR_GET_NO_NEW_PRIVS	39
#define DEFAULT_SLACK_NS	50000

#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_CAPBSET_READ		23
#define CAP_LAST		40

#define MEMBARRIER_QUERY	0
#define MEMBARRIER_GLOBAL	1
#define MEMBARRIER_PRIVATE	(1 << 3)
#define MEMBARRIER_REGISTER_PRIVATE (1 << 4)

#define SCHED_OTHER	0
#define SCHED_FIFO	1
#define SCHED_RR	2
#define SCHED_DEADLINE	6

/* 0 if @tid is a thread of ours (0: the caller). */
static int check_tid(s32 tid)
{
	struct task *task;

	if (tid < 0)
		return -EINVAL;
	if (!tid)
		return 0;
	task = find_get_thread(tid);
	if (!task)
		return -ESRCH;
	put_task(task);
	return 0;
}

SYSCALL_DEFINE3(sched_getaffinity, s32, tid, u32, len, u64 __user *, umask)
{
	int err;

	if (len < sizeof(u64) || len % sizeof(u64))
		return -EINVAL;
	err = tid < 0 ? -ESRCH : check_tid(tid);
	if (!err)
		err = put_user(1, umask);
	return err ? err : (long)sizeof(u64);
}

SYSCALL_DEFINE3(sched_setaffinity, s32, tid, u32, len, const u8 __user *,
		umask)
{
	u64 mask = 0;
	int err;

	if (copy_from_user(&mask, umask, min(len, (u32)sizeof(mask))))
		return -EFAULT;
	err = tid < 0 ? -ESRCH : check_tid(tid);
	if (err)
		return err;
	return mask & 1 ? 0 : -EINVAL;
}

SYSCALL_DEFINE3(getcpu, u32 __user *, cpu, u32 __user *, node, void __user *,
		unused)
{
	(void)unused;
	if (cpu && put_user(smp_processor_id(), cpu))
		return -EFAULT;
	return node ? put_user(0, node) : 0;
}

/* One CPU runs one thread at a time, and a switch is a barrier. */
SYSCALL_DEFINE3(membarrier, int, cmd, u32, flags, int, cpu)
{
	static bool registered;

	(void)cpu;
	if (flags)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_QUERY:
		return MEMBARRIER_GLOBAL | MEMBARRIER_PRIVATE |
		       MEMBARRIER_REGISTER_PRIVATE;
	case MEMBARRIER_PRIVATE:
		return READ_ONCE(registered) ? 0 : -EPERM;
	case MEMBARRIER_REGISTER_PRIVATE:
		WRITE_ONCE(registered, true);
		return 0;
	case MEMBARRIER_GLOBAL:
		return 0;
	default:
		return -EINVAL;
	}
}

static long set_name(const char __user *name)
{
	char comm[TASK_COMM_LEN] = "";
	ssize_t len = strncpy_from_user(comm, name, sizeof(comm));

	if (len < 0 && len != -ENAMETOOLONG)
		return len;
	comm[TASK_COMM_LEN - 1] = '\0';
	memcpy(current->comm, comm, sizeof(comm));
	return 0;
}

SYSCALL_DEFINE5(prctl, int, option, u64, a, u64, b, u64, c, u64, d)
{
	switch (option) {
	case PR_SET_NAME:
		return set_name((const char __user *)a);
	case PR_GET_NAME:
		return copy_to_user((void __user *)a, current->comm,
				    TASK_COMM_LEN);
	case PR_GET_DUMPABLE:
		return 1;
	case PR_SET_DUMPABLE:
		return a > 1 ? -EINVAL : 0;
	case PR_SET_PDEATHSIG:
		return a > NSIG ? -EINVAL : 0;
	/* Capabilities are never dropped. */
	case PR_CAPBSET_READ:
		return a > CAP_LAST ? -EINVAL : 1;
	case PR_GET_KEEPCAPS:
		return 0;
	case PR_SET_KEEPCAPS:
		return a > 1 ? -EINVAL : 0;
	case PR_GET_TIMERSLACK:
		return DEFAULT_SLACK_NS;
	case PR_SET_TIMERSLACK:
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		return a != 1 || b || c || d ? -EINVAL : 0;
	case PR_GET_NO_NEW_PRIVS:
		return a || b || c || d ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

SYSCALL_DEFINE1(sched_getscheduler, s32, tid)
{
	int err = check_tid(tid);

	return err ? err : SCHED_OTHER;
}

SYSCALL_DEFINE2(sched_getparam, s32, tid, s32 __user *, priority)
{
	int err = priority ? check_tid(tid) : -EINVAL;

	return err ? err : put_user(0, priority);
}

/* That of the classes without priorities, or -EINVAL. */
static long lowest_priority(int policy)
{
	return policy < 0 || policy > SCHED_DEADLINE || policy == 4 ?
		       -EINVAL : 0;
}

SYSCALL_DEFINE1(sched_get_priority_max, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 99;
	return lowest_priority(policy);
}

SYSCALL_DEFINE1(sched_get_priority_min, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 1;
	return lowest_priority(policy);
}

SYSCALL_DEFINE3(sched_setscheduler, s32, tid, int, policy,
		const s32 __user *, upriority)
{
	s32 priority;
	int err = check_tid(tid);

	if (policy < 0 || !upriority)
		return -EINVAL;
	if (get_user(priority, upriority))
		return -EFAULT;
	if (err)
		return err;
	/* Real-time classes are what this machine may not have. */
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	return sys_sched_get_priority_max(policy) || priority ? -EINVAL : 0;
}

SYSCALL_DEFINE2(sched_setparam, s32, tid, const s32 __user *, upriority)
{
	return sys_sched_setscheduler(tid, SCHED_OTHER, upriority);
}

#define PRIO_PROCESS	0
#define PRIO_PGRP	1
#define PRIO_USER	2
#define NICE_BIAS	64	/* so that none is negative */

/*
 * The lowest nice value of the threads that @which and @who mean; all of them
 * get @set, unless it is INT32_MAX. -ESRCH if there are none, -EINVAL. It has
 * no effect: the threads take turns.
 */
static int niceness(u32 which, s32 who, int set)
{
	struct task *t;
	int least = INT32_MAX;
	unsigned long irq;

	if (which > PRIO_USER)
		return -EINVAL;
	/* Thread, group or user, who is root; 0 is one's own. */
	if (!who && which < PRIO_USER)
		who = which == PRIO_PROCESS ? current->pid : current->tgid;
	irq = spin_lock_irqsave(&tasklist_lock);
	list_for_each_entry(t, &task_list, tasks) {
		s32 is = which == PRIO_PROCESS ? t->pid :
			 which == PRIO_PGRP    ? t->tgid : 0;

		if (t->kthread || !t->mm || is != who)
			continue;
		least = min(least, (int)t->nice);
		if (set != INT32_MAX)
			t->nice = (s8)clamp(set, -20, 19);
	}
	spin_unlock_irqrestore(&tasklist_lock, irq);
	return least == INT32_MAX ? -ESRCH : least + NICE_BIAS;
}

/* As Linux answers: 20 minus the nice value. */
SYSCALL_DEFINE2(getpriority, u32, which, s32, who)
{
	int n = niceness(which, who, INT32_MAX);

	return n < 0 ? n : 20 + NICE_BIAS - n;
}

SYSCALL_DEFINE3(setpriority, u32, which, s32, who, int, nice)
{
	return min(niceness(which, who, min(nice, 19)), 0);
}

/*
 * C libraries ask for it in each thread and do without: there, sched_getcpu()
 * is the vDSO's getcpu, as cheap. Said here so that the log does not name it.
 */
SYSCALL_DEFINE4(rseq, void __user *, area, u32, len, int, flags, u32, sig)
{
	(void)area;
	(void)len;
	(void)flags;
	(void)sig;
	return -ENOSYS;
}
