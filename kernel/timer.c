/*
 * The timer wheel: a radix trie over the expiry tick, 6 bits a level. A timer
 * stands on the level of the highest digit in which its tick differs from the
 * wheel's clock, so everything on a lower level is due before everything on a
 * higher one, and the next event is two bit scans away. When the clock enters
 * a higher slot, its timers move down.
 *
 * LOCKING: wheel->lock guards the wheel and every queued timer; interrupts
 * off, since hard interrupts may start timers. Nothing is taken below it but
 * what clock_program() needs.
 */
#include "kernel/timer.h"

#include "kernel/clock.h"
#include "kernel/softirq.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/x86/processor.h"

/* One tick is 2^20 ns = 1.05 ms: a shift makes it, where 1 ms is a divide. */
#define TICK_SHIFT	20
#define LEVEL_BITS	6
#define LEVEL_SLOTS	(1u << LEVEL_BITS)
#define NR_LEVELS	8
/* Timers fired, or slots walked, between two looks at other softirqs. */
#define TIMER_BATCH	256
/* A slot with more timers is woken for at its start, else when one is due. */
#define SCAN_LIMIT	8

/* Locks: w lock. */
struct timer_wheel {
	struct spinlock lock;
	u64 clock;			/* w  ticks that are dealt with */
	u32 levels;			/* w  levels with a used slot */
	u64 used[NR_LEVELS];		/* w  slots that may hold timers */
	struct hlist_head slot[NR_LEVELS * LEVEL_SLOTS];	/* w */
	struct hlist_head due;		/* w  taken out of a slot, to fire */
	struct timer *running;		/* w  whose function is being called */
};

static struct timer_wheel wheel;

#define TICK_MAX	(UINT64_MAX >> TICK_SHIFT)

/* The tick at or after @expires: timers are late by up to a tick, not early. */
static u64 to_tick(u64 expires)
{
	if (unlikely(expires > TICK_MAX << TICK_SHIFT))
		return TICK_MAX;
	return (expires + (1ull << TICK_SHIFT) - 1) >> TICK_SHIFT;
}

static struct hlist_head *slot_at(struct timer_wheel *w, u32 level, u32 slot)
{
	return &w->slot[level * LEVEL_SLOTS + slot];
}

static __inline_hot void enqueue(struct timer_wheel *w, struct timer *timer)
{
	u64 tick = max(to_tick(timer->expires), w->clock);
	/* At the clock itself it is level 0, as for the lowest digit. */
	u32 bit = 63 - (u32)__builtin_clzll((tick ^ w->clock) | 1);
	u32 level = bit / LEVEL_BITS;
	u32 slot = tick >> level * LEVEL_BITS & (LEVEL_SLOTS - 1);

	hlist_add_head(&timer->node, slot_at(w, level, slot));
	w->used[level] |= 1ull << slot;
	w->levels |= 1u << level;
}

void timer_setup(struct timer *timer, void (*fn)(struct timer *timer))
{
	INIT_HLIST_NODE(&timer->node);
	timer->expires = 0;
	timer->fn = fn;
}

/*
 * A pending timer that moves later stays in its slot and is put right when
 * the slot comes up: a timeout pushed back on every packet costs one store.
 */
void mod_timer(struct timer *timer, u64 expires)
{
	struct timer_wheel *w = &wheel;
	unsigned long irq = spin_lock_irqsave(&w->lock);

	if (timer_pending(timer)) {
		if (expires >= timer->expires) {
			timer->expires = expires;
			spin_unlock_irqrestore(&w->lock, irq);
			return;
		}
		hlist_del_init(&timer->node);
	}
	timer->expires = expires;
	enqueue(w, timer);
	clock_program(to_tick(expires) << TICK_SHIFT);
	spin_unlock_irqrestore(&w->lock, irq);
}

/* The slot's used bit stays: a look at an empty slot once is cheaper. */
bool del_timer(struct timer *timer)
{
	struct timer_wheel *w = &wheel;
	unsigned long irq = spin_lock_irqsave(&w->lock);
	bool pending = timer_pending(timer);

	hlist_del_init(&timer->node);
	spin_unlock_irqrestore(&w->lock, irq);
	return pending;
}

bool del_timer_sync(struct timer *timer)
{
	bool pending = del_timer(timer);

	while (READ_ONCE(wheel.running) == timer)
		cpu_relax();
	return pending;
}

static void mark_unused(struct timer_wheel *w, unsigned int level,
			unsigned int slot)
{
	w->used[level] &= ~(1ull << slot);
	if (!w->used[level])
		w->levels &= ~(1u << level);
}

/*
 * The tick at which the first slot with timers in it begins, UINT64_MAX if
 * there is none. Slots whose timers were all stopped are passed, once.
 */
static u64 next_slot(struct timer_wheel *w, unsigned int *level,
		     unsigned int *slot)
{
	unsigned int shift;
	u64 above;

	while (w->levels) {
		*level = __builtin_ctz(w->levels);
		*slot = __builtin_ctzll(w->used[*level]);
		if (hlist_empty(slot_at(w, *level, *slot))) {
			mark_unused(w, *level, *slot);
			continue;
		}
		shift = *level * LEVEL_BITS;
		above = w->clock >> shift >> LEVEL_BITS << LEVEL_BITS;
		return (above | *slot) << shift;
	}
	return UINT64_MAX;
}

/*
 * The tick at which the wheel must be looked at next: no timer is due before
 * it. That is the first timer's own time if its slot holds few, which saves
 * an interrupt at the start of the slot.
 */
static u64 next_event(struct timer_wheel *w)
{
	unsigned int level, slot, seen = 0;
	struct timer *timer;
	u64 start, first;

	if (w->due.first)
		return 0;
	start = next_slot(w, &level, &slot);
	if (start == UINT64_MAX || !level)
		return start;
	/* Had all of them moved later, the next slot would come first. */
	first = start + (1ull << level * LEVEL_BITS);
	hlist_for_each_entry(timer, slot_at(w, level, slot), node) {
		if (++seen > SCAN_LIMIT)
			return start;
		first = min(first, to_tick(timer->expires));
	}
	return first;
}

/* Moves all of a slot to the list of what is due. */
static void take_slot(struct timer_wheel *w, unsigned int level,
		      unsigned int slot)
{
	struct hlist_head *head = slot_at(w, level, slot);

	mark_unused(w, level, slot);
	w->due.first = head->first;
	if (head->first)
		head->first->pprev = &w->due.first;
	head->first = NULL;
}

/*
 * Deals with one timer of the due list: calls it if its time is there, else
 * puts it into a lower slot. The lock is dropped around the call.
 */
static void handle_due(struct timer_wheel *w, u64 now)
	__must_hold(w->lock)
{
	struct timer *timer = container_of(w->due.first, struct timer, node);

	hlist_del_init(&timer->node);
	if (to_tick(timer->expires) > now) {
		enqueue(w, timer);
		return;
	}
	w->running = timer;
	spin_unlock(&w->lock);
	local_irq_enable();
	timer->fn(timer);
	local_irq_disable();
	spin_lock(&w->lock);
	w->running = NULL;
}

/*
 * TIMER softirq: brings the wheel's clock up to now. Bounded by TIMER_BATCH
 * steps; what is left is raised again and so falls under the softirq budget.
 */
static void run_timers(void)
{
	struct timer_wheel *w = &wheel;
	u64 now = ktime_get_ns() >> TICK_SHIFT;
	unsigned int level, slot, steps;
	u64 next;

	local_irq_disable();
	spin_lock(&w->lock);
	for (steps = 0; steps < TIMER_BATCH; steps++) {
		if (w->due.first) {
			handle_due(w, now);
			continue;
		}
		next = next_slot(w, &level, &slot);
		if (next > now)
			break;
		w->clock = next;
		take_slot(w, level, slot);
	}
	if (steps == TIMER_BATCH) {
		raise_softirq_irqoff(TIMER_SOFTIRQ);
	} else {
		if (now > w->clock)
			w->clock = now;
		next = next_event(w);
		if (next != UINT64_MAX)
			clock_program(next << TICK_SHIFT);
	}
	spin_unlock(&w->lock);
	local_irq_enable();
}

bool timers_due(u64 now, u64 *next)
{
	u64 tick;

	spin_lock(&wheel.lock);
	tick = next_event(&wheel);
	spin_unlock(&wheel.lock);
	*next = tick == UINT64_MAX ? KTIME_MAX : tick << TICK_SHIFT;
	return *next <= now;
}

void timers_init(void)
{
	open_softirq(TIMER_SOFTIRQ, run_timers);
}
