/*
 * What a thread leaves behind in user memory when it ends: locks on its robust
 * list, and the word that pthread_join() waits on. The list is the user's, so
 * everything in it may be wrong; the walk is bounded.
 */
#include "kernel/futex.h"

#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define FUTEX_WAITERS		0x80000000u
#define FUTEX_OWNER_DIED	0x40000000u
#define FUTEX_TID_MASK		0x3fffffffu
#define MAX_LOCKS		2048
#define LOCK_IS_PI		1ul	/* in the pointer's low bit */

/* As user space has it. */
struct robust_list_head {
	u64 first;
	s64 futex_offset;
	u64 pending;
};

/*
 * A lock that @tid held is marked and handed on. @pending: it was being taken
 * or given back, so it may be nobody's with a waiter who was not told.
 */
static void release_lock(u64 entry, s64 offset, u32 tid, bool pending)
{
	u32 __user *word = (u32 __user *)((entry & ~LOCK_IS_PI) +
					  (u64)offset);
	u32 value, was;

	if ((u64)word % sizeof(u32) || get_user(value, word))
		return;
	if (pending && !(entry & LOCK_IS_PI) && !value) {
		futex_wake(word, 1, FUTEX_BITSET_ALL);
		return;
	}
	while ((value & FUTEX_TID_MASK) == tid) {
		u32 new = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;

		if (user_cmpxchg32(word, value, new, &was))
			return;
		if (was == value) {
			if (value & FUTEX_WAITERS && !(entry & LOCK_IS_PI))
				futex_wake(word, 1, FUTEX_BITSET_ALL);
			return;
		}
		value = was;
	}
}

static void release_robust_locks(struct task *task)
{
	u64 list = (u64)task->robust_list, entry, next;
	struct robust_list_head head;

	if (!list ||
	    copy_from_user(&head, task->robust_list, sizeof(head)))
		return;
	entry = head.first;
	for (int i = 0; i < MAX_LOCKS && (entry & ~LOCK_IS_PI) != list; i++) {
		int err = get_user(next, (u64 __user *)(entry & ~LOCK_IS_PI));

		if (entry != head.pending)
			release_lock(entry, head.futex_offset,
				     (u32)task->pid, false);
		if (err)
			break;
		entry = next;
	}
	if (head.pending)
		release_lock(head.pending, head.futex_offset, (u32)task->pid,
			     true);
}

void futex_exit(struct task *task)
{
	release_robust_locks(task);
	task->robust_list = NULL;
	if (task->clear_child_tid) {
		if (!put_user(0, task->clear_child_tid))
			futex_wake(task->clear_child_tid, 1,
				   FUTEX_BITSET_ALL);
		task->clear_child_tid = NULL;
	}
}

SYSCALL_DEFINE2(set_robust_list, void __user *, head, size_t, len)
{
	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

SYSCALL_DEFINE3(get_robust_list, s32, tid, u64 __user *, head,
		u64 __user *, len)
{
	struct task *task = tid ? find_get_thread(tid) : current;
	u64 list;

	if (!task)
		return -ESRCH;
	list = (u64)task->robust_list;
	if (tid)
		put_task(task);
	if (put_user(sizeof(struct robust_list_head), len))
		return -EFAULT;
	return put_user(list, head);
}
