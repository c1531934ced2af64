/*
 * What poll(2) and select(2) share: a task that waits on many files at once
 * and looks at all of them again when one wakes it.
 */
#pragma once

#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/time.h"
#include "kernel/types.h"

/* Entries in the structure itself: a few files cost no memory. */
#define POLL_INLINE_ENTRIES 4

struct poll_wqueues;

/* One wait queue of one file. */
struct poll_entry {
	struct wait_queue_entry wait;
	struct wait_queue_head *whead;
	struct poll_wqueues *pwq;
	struct file *file;	/* a reference, so that @whead stays */
	u32 key;		/* bits that are worth waking up for */
};

struct poll_block;

/*
 * Belongs to the waiting task alone, except triggered and the entries' places
 * on the wait queues.
 */
struct poll_wqueues {
	struct poll_table pt;
	struct task *task;
	bool triggered;		/* by a wakeup since the last look */
	int err;		/* -ENOMEM: an entry could not be made */
	u32 key;		/* what the file polled now is asked for */
	u32 used;		/* entries in @inline_entries */
	struct poll_block *blocks;
	struct poll_entry inline_entries[POLL_INLINE_ENTRIES];
};

void poll_initwait(struct poll_wqueues *pwq);
/* Leaves all wait queues and gives the files back. Task context. */
void poll_freewait(struct poll_wqueues *pwq);

/*
 * What holds of @file among @want. Hangs entries on its queues the first time
 * round; poll_ready_found() or a sleep ends that.
 */
static inline u32 poll_one(struct poll_wqueues *pwq, struct file *file,
			   u32 want)
{
	pwq->key = want;
	return vfs_poll(file, pwq->pt.qproc ? &pwq->pt : NULL) & want;
}

/* Something is ready: no file need wake us any more. */
static inline void poll_ready_found(struct poll_wqueues *pwq)
{
	pwq->pt.qproc = NULL;
}

/*
 * Sleeps until a file wakes us or @deadline (ktime ns) comes. 0: look again;
 * -ETIME: time is up; -EINTR, -ENOMEM.
 */
int poll_sleep(struct poll_wqueues *pwq, u64 deadline);

/* Now plus @timeout ns; KTIME_MAX stays. */
u64 poll_deadline(u64 timeout);
/* How much is left until @deadline, in ns, not below 0. */
u64 poll_remaining(u64 deadline);
/*
 * Writes that to @uts, as Linux does for ppoll and pselect; a timeout that
 * cannot be written is no error, since C libraries pass constants.
 */
void poll_put_remaining(struct timespec __user *uts, u64 deadline);
