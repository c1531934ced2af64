/*
 * Wait queues: the joint between whoever makes something happen and whoever
 * waits for it. An entry is a function that is called on wakeup, so a waiter
 * may be a sleeping task (default_wake_function) or, say, an epoll item
 * (ep_poll_callback). Exclusive entries stand behind the others, and a wakeup
 * stops after nr_exclusive of them said they were woken.
 *
 * LOCKING: head->lock guards the list; it is taken with interrupts off, since
 * hard interrupts wake too. Wake functions run under it and must not sleep.
 */
#pragma once

#include "kernel/list.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"

#define WQ_FLAG_EXCLUSIVE 0x01

#define TASK_NORMAL_WAKE 0	/* @mode of an ordinary wakeup */

struct task;
struct wait_queue_entry;

/*
 * Returns > 0 if it woke somebody (counts against nr_exclusive), 0 if not,
 * < 0 to stop the walk. @key is the poll mask for wake_up_poll(), else NULL.
 */
typedef int (*wait_queue_func_t)(struct wait_queue_entry *wqe,
				 unsigned int mode, int flags, void *key);

struct wait_queue_entry {
	unsigned int flags;
	void *private;			/* the task, for the default function */
	wait_queue_func_t func;
	struct list_head entry;
};

struct wait_queue_head {
	struct spinlock lock;
	struct list_head head;
};

#define WAIT_QUEUE_HEAD_INIT(name) \
	{ .lock = SPINLOCK_INIT, .head = LIST_HEAD_INIT((name).head) }

static inline void init_waitqueue_head(struct wait_queue_head *wq)
{
	spin_lock_init(&wq->lock);
	INIT_LIST_HEAD(&wq->head);
}

/*
 * Cheap test before a wakeup. The caller has published the condition; the
 * full barrier pairs with the one in set_current_state(), so that either the
 * waker sees the waiter or the waiter sees the condition.
 */
static inline bool wq_has_sleeper(struct wait_queue_head *wq)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !list_empty(&wq->head);
}

/* Entry that wakes @task. */
void init_waitqueue_entry(struct wait_queue_entry *wqe, struct task *task);
/* Entry that calls @func. */
void init_waitqueue_func_entry(struct wait_queue_entry *wqe,
			       wait_queue_func_t func);

/* Any context. Non-exclusive goes to the front, exclusive to the back. */
void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *wqe);
void add_wait_queue_exclusive(struct wait_queue_head *wq,
			      struct wait_queue_entry *wqe);
void remove_wait_queue(struct wait_queue_head *wq,
		       struct wait_queue_entry *wqe);
/* The same with wq->lock held; exclusive at the FRONT (LIFO), for epoll. */
void __add_wait_queue_exclusive(struct wait_queue_head *wq,
				struct wait_queue_entry *wqe)
	__must_hold(wq->lock);

/*
 * Calls wake functions from the front until @nr_exclusive exclusive entries
 * were woken (0: no limit). Any context; takes wq->lock.
 */
void __wake_up(struct wait_queue_head *wq, unsigned int mode,
	       int nr_exclusive, void *key);
void __wake_up_locked(struct wait_queue_head *wq, unsigned int mode,
		      int nr_exclusive, void *key) __must_hold(wq->lock);

#define wake_up(wq)		__wake_up(wq, TASK_NORMAL_WAKE, 1, NULL)
#define wake_up_all(wq)		__wake_up(wq, TASK_NORMAL_WAKE, 0, NULL)
/* @m: EPOLLIN and friends, what has become true. */
#define wake_up_poll(wq, m) \
	__wake_up(wq, TASK_NORMAL_WAKE, 1, (void *)(uintptr_t)(m))
#define key_to_poll(key)	((u32)(uintptr_t)(key))

/* Wakes the entry's task. Returns 1 if it slept. */
int default_wake_function(struct wait_queue_entry *wqe, unsigned int mode,
			  int flags, void *key);
/* The same, and takes the entry off the queue when the task was woken. */
int autoremove_wake_function(struct wait_queue_entry *wqe, unsigned int mode,
			     int flags, void *key);

/*
 * prepare: queue the entry (if it is not) and set the task's state, in that
 * order; then test the condition; then schedule(); then finish. The entry was
 * made by init_wait() and wakes by autoremove_wake_function.
 */
void init_wait(struct wait_queue_entry *wqe);
void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *wqe,
		     unsigned int state);
void prepare_to_wait_exclusive(struct wait_queue_head *wq,
			       struct wait_queue_entry *wqe,
			       unsigned int state);
void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *wqe);
