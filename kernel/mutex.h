/*
 * Sleeping locks, FIFO. For work that may sleep under the lock (user copies,
 * a file's poll). Task context only; the owner releases it.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/wait.h"

struct task;

struct __capability("mutex") mutex {
	struct task *owner;		/* NULL when free; atomic */
	struct wait_queue_head wait;
};

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m) __acquires(m);
void mutex_unlock(struct mutex *m) __releases(m);
/* True if it was free and is now ours. */
bool mutex_trylock(struct mutex *m);
