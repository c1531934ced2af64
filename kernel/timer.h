/*
 * Coarse timers on a hierarchical wheel, for timeouts that mostly never
 * happen (TCP, keepalive): O(1) to start and stop, 1 ms ticks, fire in the
 * TIMER softirq, never early. No periodic tick drives it: the next expiry is
 * looked up when the CPU programs its one-shot timer.
 */
#pragma once

#include "kernel/list.h"
#include "kernel/types.h"

struct timer {
	struct hlist_node node;		/* wheel lock */
	u64 expires;			/* wheel lock; ktime_get_ns() time */
	/* Softirq context, no lock held; may restart or free its timer. */
	void (*fn)(struct timer *timer);
};

void timer_setup(struct timer *timer, void (*fn)(struct timer *timer));

/* (Re)starts @timer for absolute time @expires ns. Any context but NMI. */
void mod_timer(struct timer *timer, u64 expires);

/* Stops @timer; true if it was pending. It may still be running elsewhere. */
bool del_timer(struct timer *timer);

/* Stops it and waits until it runs nowhere. Not from the timer itself. */
bool del_timer_sync(struct timer *timer);

static inline bool timer_pending(const struct timer *timer)
{
	return !hlist_unhashed(&timer->node);
}
