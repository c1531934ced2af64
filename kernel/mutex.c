/*
 * Sleeping locks: the owner word is the lock, the wait queue holds who wants
 * it. A waiter is woken when the lock becomes free and competes for it again,
 * so a release costs one store and one test when nobody waits.
 */
#include "kernel/mutex.h"

#include "kernel/sched.h"

void mutex_init(struct mutex *m)
{
	m->owner = NULL;
	init_waitqueue_head(&m->wait);
	lock_init_at(&m->debug, __builtin_return_address(0));
}

void mutex_lock_slow(struct mutex *m)
	__no_lock_check
{
	struct wait_queue_entry wait;

	BUG_ON(m->owner == current);
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

void mutex_unlock_slow(struct mutex *m)
{
	wake_up(&m->wait);
}
