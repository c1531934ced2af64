/*
 * Virtual time: a heap of events, and the kernel's timers in a short list.
 * Replaces tests/host/clock.c, whose tables are for tests with few events.
 */
#include "tests/host/host.h"

#include <stdlib.h>

#include "kernel/hrtimer.h"
#include "kernel/list.h"
#include "kernel/panic.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "tests/sim/sim.h"

struct event {
	u64 when, order;
	void (*fn)(void *arg);
	void *arg;
};

static struct event *heap;
static u32 nr_events, room;
static u64 next_order;
static struct hlist_head timers;

u64 host_now;

static bool earlier(const struct event *a, const struct event *b)
{
	return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void sift_up(u32 i)
{
	struct event e = heap[i];

	while (i && earlier(&e, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = e;
}

static void sift_down(struct event e)
{
	u32 i = 0, child;

	while ((child = 2 * i + 1) < nr_events) {
		if (child + 1 < nr_events &&
		    earlier(&heap[child + 1], &heap[child]))
			child++;
		if (!earlier(&heap[child], &e))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = e;
}

void at(u64 when, void (*fn)(void *arg), void *arg)
{
	if (nr_events == room) {
		room = room ? 2 * room : 256;
		heap = realloc(heap, room * sizeof(*heap));
		BUG_ON(!heap);
	}
	heap[nr_events++] = (struct event){
		max(when, host_now), next_order++, fn, arg
	};
	sift_up(nr_events - 1);
}

static void run_first_event(void)
{
	struct event e = heap[0];

	if (--nr_events)
		sift_down(heap[nr_events]);
	e.fn(e.arg);
}

static struct timer *first_timer(void)
{
	struct timer *first = NULL, *t;

	hlist_for_each_entry(t, &timers, node) {
		if (!first || t->expires < first->expires)
			first = t;
	}
	return first;
}

/* At one time timers come first, as they do in a softirq. */
bool clock_step(u64 limit)
{
	struct timer *t = first_timer();
	bool event = nr_events && (!t || heap[0].when < t->expires);
	u64 when = event ? heap[0].when : t ? t->expires : NEVER;

	if (when >= limit)
		return false;
	host_now = max(host_now, when);
	if (event) {
		run_first_event();
	} else {
		hlist_del_init(&t->node);
		t->fn(t);
	}
	return true;
}

bool clock_idle(void)
{
	return !nr_events && !timers.first;
}

void clock_leap(u64 ns)
{
	host_now += ns;
}

/* --- what tests/host and the kernel's headers ask for --- */

void host_clock_reset(void)
{
	host_now = SEC;
	timers.first = NULL;
}

u64 ktime_get_ns(void)
{
	return host_now;
}

u64 ktime_get_real_ns(void)
{
	return 1700000000 * SEC + host_now;
}

void timer_setup(struct timer *timer, void (*fn)(struct timer *timer))
{
	INIT_HLIST_NODE(&timer->node);
	timer->fn = fn;
	timer->expires = 0;
}

bool del_timer(struct timer *timer)
{
	bool was = timer_pending(timer);

	hlist_del_init(&timer->node);
	return was;
}

bool del_timer_sync(struct timer *timer)
{
	return del_timer(timer);
}

/* The wheel has ticks of 1 ms and is never early. */
void mod_timer(struct timer *timer, u64 expires)
{
	del_timer(timer);
	timer->expires = ALIGN_UP(expires, MS);
	hlist_add_head(&timer->node, &timers);
}

void hrtimer_init(struct hrtimer *t, void (*fn)(struct hrtimer *t))
{
	*t = (struct hrtimer){ .fn = fn };
}

void hrtimer_start(struct hrtimer *t, u64 expires, u64 slack)
{
	panic("the simulator has no hrtimers");
}

bool hrtimer_cancel(struct hrtimer *t)
{
	return false;
}

void host_advance(u64 ns)
{
	u64 end = host_now + ns;

	while (clock_step(end))
		;
	host_now = end;
}

bool host_advance_to_next(void)
{
	return clock_step(NEVER);
}
