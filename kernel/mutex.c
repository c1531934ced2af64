/*
 * Sleeping locks: the owner word is the lock, the wait queue holds who wants
 * it. A waiter is woken when the lock becomes free and competes for it again,
 * so a release costs one store and one test when nobody waits.
 */
#include "kernel/mutex.h"

#include "kernel/context.h"
#include "kernel/sched.h"

void mutex_init(struct mutex *m)
{
	m->owner = NULL;
	init_waitqueue_head(&m->wait);
}

bool mutex_trylock(struct mutex *m)
{
	struct task *free = NULL;

	return __atomic_compare_exchange_n(&m->owner, &free, current, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static noinline void mutex_lock_slow(struct mutex *m)
{
	struct wait_queue_entry wait;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait_exclusive(&m->wait, &wait,
					  TASK_UNINTERRUPTIBLE);
		if (mutex_trylock(m))
			break;
		schedule();
	}
	finish_wait(&m->wait, &wait);
}

void mutex_lock(struct mutex *m)
{
	might_sleep();
	BUG_ON(m->owner == current);
	if (unlikely(!mutex_trylock(m)))
		mutex_lock_slow(m);
}

/*
 * The store publishes the free lock before wq_has_sleeper() looks for
 * sleepers; a sleeper queues itself before it tries the lock. So either we
 * see the sleeper or it sees the lock free.
 */
void mutex_unlock(struct mutex *m)
{
	BUG_ON(m->owner != current);
	__atomic_store_n(&m->owner, NULL, __ATOMIC_RELEASE);
	if (unlikely(wq_has_sleeper(&m->wait)))
		wake_up(&m->wait);
}
