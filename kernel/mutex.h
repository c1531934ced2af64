/*
 * Sleeping locks, FIFO. For work that may sleep under the lock (user copies,
 * a file's poll). Task context only; the owner releases it.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/context.h"
#include "kernel/sched.h"
#include "kernel/wait.h"

struct __capability("mutex") mutex {
	struct task *owner;		/* NULL when free; atomic */
	struct wait_queue_head wait;
	struct lock_debug debug;
};

void mutex_init(struct mutex *m);

/* The halves that find it taken, or somebody waiting. */
void mutex_lock_slow(struct mutex *m);
void mutex_unlock_slow(struct mutex *m);

/* True if it was free and is now ours. */
static inline bool mutex_trylock(struct mutex *m)
	__cond_acquires(m) __no_lock_check
{
	struct task *free = NULL;

	return __atomic_compare_exchange_n(&m->owner, &free, current, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline void mutex_lock(struct mutex *m)
	__acquires(m) __no_lock_check
{
	might_sleep();
	lock_acquire(&m->debug, LOCK_SLEEPING);
	if (unlikely(!mutex_trylock(m)))
		mutex_lock_slow(m);
}

/*
 * The store publishes the free lock before wq_has_sleeper() looks for
 * sleepers; a sleeper queues itself before it tries the lock. So either we
 * see the sleeper or it sees the lock free.
 */
static inline void mutex_unlock(struct mutex *m)
	__releases(m) __no_lock_check
{
	BUG_ON(m->owner != current);
	lock_release(&m->debug);
	__atomic_store_n(&m->owner, NULL, __ATOMIC_RELEASE);
	if (unlikely(wq_has_sleeper(&m->wait)))
		mutex_unlock_slow(m);
}
