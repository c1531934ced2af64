/*
 * Waiting on many files: entries on their wait queues, all of which wake the
 * one task and say so in pwq->triggered. Task context, except the wake
 * function, which runs under the lock of the queue that was woken.
 *
 * No wakeup is lost: a file's entry hangs before its poll looks; the waker
 * sets triggered before it wakes, and poll_sleep() sets the task's state
 * before it tests triggered.
 */
#include "fs/poll_internal.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

/* More entries, when the inline ones are used up. */
#define BLOCK_ENTRIES 50

struct poll_block {
	struct poll_block *next;
	u32 used;
	struct poll_entry entry[BLOCK_ENTRIES];
};

static int poll_wake(struct wait_queue_entry *wqe, unsigned int mode,
		     int flags, void *key)
{
	struct poll_entry *e = container_of(wqe, struct poll_entry, wait);

	(void)mode;
	(void)flags;
	if (key && !(key_to_poll(key) & e->key))
		return 0;
	__atomic_store_n(&e->pwq->triggered, true, __ATOMIC_SEQ_CST);
	return wake_up_process(e->pwq->task);
}

static struct poll_entry *poll_get_entry(struct poll_wqueues *pwq)
{
	struct poll_block *block = pwq->blocks;

	if (pwq->used < POLL_INLINE_ENTRIES)
		return &pwq->inline_entries[pwq->used++];
	if (!block || block->used == BLOCK_ENTRIES) {
		block = kmalloc(sizeof(*block));
		if (!block)
			return NULL;
		block->used = 0;
		block->next = pwq->blocks;
		pwq->blocks = block;
	}
	return &block->entry[block->used++];
}

static void poll_queue(struct file *file, struct wait_queue_head *whead,
		       struct poll_table *pt)
{
	struct poll_wqueues *pwq = container_of(pt, struct poll_wqueues, pt);
	struct poll_entry *e = poll_get_entry(pwq);

	if (!e) {
		pwq->err = -ENOMEM;
		return;
	}
	init_waitqueue_func_entry(&e->wait, poll_wake);
	e->whead = whead;
	e->pwq = pwq;
	e->file = file;
	e->key = pwq->key;
	get_file(file);
	add_wait_queue(whead, &e->wait);
}

void poll_initwait(struct poll_wqueues *pwq)
{
	pwq->pt.qproc = poll_queue;
	pwq->task = current;
	pwq->triggered = false;
	pwq->err = 0;
	pwq->used = 0;
	pwq->blocks = NULL;
}

static void poll_leave(struct poll_entry *entries, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		remove_wait_queue(entries[i].whead, &entries[i].wait);
		fput(entries[i].file);
	}
}

void poll_freewait(struct poll_wqueues *pwq)
{
	struct poll_block *block, *next;

	poll_leave(pwq->inline_entries, pwq->used);
	for (block = pwq->blocks; block; block = next) {
		next = block->next;
		poll_leave(block->entry, block->used);
		kfree(block);
	}
}

u64 poll_deadline(u64 timeout)
{
	u64 now;

	if (timeout == KTIME_MAX)
		return KTIME_MAX;
	now = ktime_get_ns();
	return timeout < KTIME_MAX - now ? now + timeout : KTIME_MAX;
}

u64 poll_remaining(u64 deadline)
{
	u64 now = ktime_get_ns();

	return deadline > now ? deadline - now : 0;
}

void poll_put_remaining(struct timespec __user *uts, u64 deadline)
{
	struct timespec ts;

	if (deadline == KTIME_MAX)
		return;
	ts = ns_to_timespec(poll_remaining(deadline));
	(void)raw_copy_to_user(uts, &ts, sizeof(ts));
}

/* How late a sleep may end: 50 us is what Linux allows ordinary tasks. */
#define POLL_SLACK (50 * NSEC_PER_USEC)

int poll_sleep(struct poll_wqueues *pwq, u64 deadline)
{
	int err = 0;

	poll_ready_found(pwq);
	if (pwq->err)
		return pwq->err;
	if (signal_pending(current))
		return -EINTR;
	set_current_state(TASK_INTERRUPTIBLE);
	if (!__atomic_load_n(&pwq->triggered, __ATOMIC_SEQ_CST) &&
	    schedule_hrtimeout_range(deadline, POLL_SLACK) == 0)
		err = -ETIME;
	set_current_state(TASK_RUNNING);
	__atomic_store_n(&pwq->triggered, false, __ATOMIC_SEQ_CST);
	return err;
}
