/*
 * Precise timers: a tree by latest expiry, fired by the clock interrupt. A
 * timer whose earliest time has come fires along with one that had to.
 *
 * LOCKING: queue.lock guards the tree and all queued timers, interrupts off;
 * it is not held around a timer's function.
 */
#include "kernel/hrtimer.h"

#include "kernel/clock.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/x86/processor.h"

/* Locks: q lock. */
struct hrtimer_queue {
	struct spinlock lock;
	struct rb_root tree;		/* q */
	struct hrtimer *running;	/* q  whose function is being called */
};

static struct hrtimer_queue queue;

void hrtimer_init(struct hrtimer *t, void (*fn)(struct hrtimer *t))
{
	t->queued = false;
	t->fn = fn;
}

static void insert_locked(struct hrtimer_queue *q, struct hrtimer *t)
{
	struct rb_node **link = &q->tree.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (t->expires < rb_entry(parent, struct hrtimer,
					  node)->expires) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(&q->tree, &t->node, parent, link, leftmost);
	t->queued = true;
	if (leftmost)
		clock_program(t->expires);
}

static void remove_locked(struct hrtimer_queue *q, struct hrtimer *t)
{
	if (t->queued)
		rb_erase(&q->tree, &t->node);
	t->queued = false;
}

void hrtimer_start(struct hrtimer *t, u64 expires, u64 slack)
{
	struct hrtimer_queue *q = &queue;
	unsigned long irq = spin_lock_irqsave(&q->lock);

	remove_locked(q, t);
	t->soft_expires = expires;
	t->expires = expires + min(slack, KTIME_MAX - expires);
	insert_locked(q, t);
	spin_unlock_irqrestore(&q->lock, irq);
}

bool hrtimer_try_to_cancel(struct hrtimer *t)
{
	struct hrtimer_queue *q = &queue;
	unsigned long irq = spin_lock_irqsave(&q->lock);
	bool was_queued = t->queued;

	remove_locked(q, t);
	spin_unlock_irqrestore(&q->lock, irq);
	return was_queued;
}

bool hrtimer_cancel(struct hrtimer *t)
{
	struct hrtimer_queue *q = &queue;
	bool was_queued = hrtimer_try_to_cancel(t);

	/*
	 * Fires with interrupts off, so only on another CPU; and may have
	 * started itself again there.
	 */
	while (READ_ONCE(q->running) == t) {
		cpu_relax();
		was_queued |= hrtimer_try_to_cancel(t);
	}
	return hrtimer_try_to_cancel(t) || was_queued;
}

u64 hrtimers_run(u64 now)
{
	struct hrtimer_queue *q = &queue;
	struct hrtimer *t;
	u64 next = KTIME_MAX;

	spin_lock(&q->lock);
	while (!rb_empty(&q->tree)) {
		t = rb_entry(rb_first(&q->tree), struct hrtimer, node);
		if (t->soft_expires > now) {
			next = t->expires;
			break;
		}
		remove_locked(q, t);
		q->running = t;
		spin_unlock(&q->lock);
		t->fn(t);
		spin_lock(&q->lock);
		q->running = NULL;
	}
	spin_unlock(&q->lock);
	return next;
}
