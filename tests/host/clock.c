/*
 * A virtual clock: time moves only when a test says so, or when every task
 * sleeps. Timers of both kinds hang on it, in simple sorted-on-use lists.
 */
#include "tests/host/host.h"

#include "kernel/hrtimer.h"
#include "kernel/list.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#define HOST_MAX_TIMERS 4096

/* Where wall-clock time stands when the monotonic clock shows 0. */
#define HOST_REAL_BASE 1700000000000000000ull

void host_wake_due(void);
u64 host_next_deadline(void);

u64 host_now;

static struct hrtimer *hrtimers[HOST_MAX_TIMERS];
static struct hlist_head timers;

void host_clock_reset(void)
{
	host_now = NSEC_PER_SEC;
	timers.first = NULL;
	for (unsigned int i = 0; i < HOST_MAX_TIMERS; i++)
		hrtimers[i] = NULL;
}

__weak u64 ktime_get_ns(void)
{
	return host_now;
}

__weak u64 ktime_get_real_ns(void)
{
	return HOST_REAL_BASE + host_now;
}

__weak void hrtimer_init(struct hrtimer *t, void (*fn)(struct hrtimer *t))
{
	*t = (struct hrtimer){ .fn = fn };
}

__weak bool hrtimer_cancel(struct hrtimer *t)
{
	bool was = t->queued;

	for (unsigned int i = 0; was && i < HOST_MAX_TIMERS; i++) {
		if (hrtimers[i] == t)
			hrtimers[i] = NULL;
	}
	t->queued = false;
	return was;
}

__weak void hrtimer_start(struct hrtimer *t, u64 expires, u64 slack)
{
	unsigned int i = 0;

	hrtimer_cancel(t);
	t->soft_expires = expires;
	t->expires = expires + slack < expires ? KTIME_MAX : expires + slack;
	t->queued = true;
	while (hrtimers[i])
		i++;
	hrtimers[i] = t;
}

__weak void timer_setup(struct timer *timer, void (*fn)(struct timer *timer))
{
	INIT_HLIST_NODE(&timer->node);
	timer->fn = fn;
	timer->expires = 0;
}

__weak bool del_timer(struct timer *timer)
{
	bool was = timer_pending(timer);

	hlist_del_init(&timer->node);
	return was;
}

__weak bool del_timer_sync(struct timer *timer)
{
	return del_timer(timer);
}

__weak void mod_timer(struct timer *timer, u64 expires)
{
	del_timer(timer);
	timer->expires = expires;
	hlist_add_head(&timer->node, &timers);
}

static struct hrtimer *first_hrtimer(void)
{
	struct hrtimer *first = NULL;

	for (unsigned int i = 0; i < HOST_MAX_TIMERS; i++) {
		struct hrtimer *t = hrtimers[i];

		if (t && (!first || t->soft_expires < first->soft_expires))
			first = t;
	}
	return first;
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

static u64 next_event(void)
{
	struct hrtimer *h = first_hrtimer();
	struct timer *t = first_timer();
	u64 next = host_next_deadline();

	if (h)
		next = min(next, h->soft_expires);
	if (t)
		next = min(next, t->expires);
	return next;
}

static void fire_due(void)
{
	struct hrtimer *h;
	struct timer *t;

	while ((h = first_hrtimer()) && h->soft_expires <= host_now) {
		hrtimer_cancel(h);
		h->fn(h);
	}
	while ((t = first_timer()) && t->expires <= host_now) {
		hlist_del_init(&t->node);
		t->fn(t);
	}
	host_wake_due();
}

void host_advance(u64 ns)
{
	u64 end = host_now + ns;

	for (;;) {
		u64 next = next_event();

		if (next > end)
			break;
		if (next > host_now)
			host_now = next;
		fire_due();
		if (next_event() <= host_now)
			break;
	}
	host_now = max(host_now, end);
	fire_due();
}

bool host_advance_to_next(void)
{
	u64 next = next_event();

	if (next == KTIME_MAX)
		return false;
	host_now = max(host_now, next);
	fire_due();
	return true;
}
