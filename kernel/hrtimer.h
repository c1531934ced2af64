/*
 * Precise timers, for sleeps and timerfd: a red-black tree by expiry, fired
 * from the one-shot clock interrupt in hardirq context.
 */
#pragma once

#include "kernel/rbtree.h"
#include "kernel/types.h"

struct hrtimer {
	struct rb_node node;	/* hrtimer lock */
	u64 expires;		/* hrtimer lock; latest time, ktime ns */
	u64 soft_expires;	/* hrtimer lock; earliest time */
	bool queued;		/* hrtimer lock */
	/* Hardirq context, no lock held; may restart its timer. */
	void (*fn)(struct hrtimer *timer);
};

void hrtimer_init(struct hrtimer *t, void (*fn)(struct hrtimer *t));
/* Starts (or moves) @t: not before @expires, at most @slack later. Any. */
void hrtimer_start(struct hrtimer *t, u64 expires, u64 slack);
/*
 * Stops @t without waiting for a run elsewhere, which may start it again: for
 * who holds a lock that fn takes. True if it was pending. Any.
 */
bool hrtimer_try_to_cancel(struct hrtimer *t);
/* Stops @t, waits if it runs elsewhere; true if it was pending. */
bool hrtimer_cancel(struct hrtimer *t);
