/*
 * The lock checker. Classes are found by where their locks were initialised,
 * static ones by address. An edge says that one class was taken while another
 * was held; one that closes a circle is reported. So is a class that an
 * interrupt takes and that somebody takes with interrupts open.
 *
 * LOCKING: interrupts off on the one CPU that there is.
 */
#include "kernel/debug/lockdep.h"

#include "kernel/context.h"
#include "kernel/debug/report.h"
#include "kernel/sched.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/sections.h"

#define MAX_CLASSES	256
#define MAX_HELD	512
#define MAX_LEVEL	8

/* How a class is used. */
#define IN_HARDIRQ	1u
#define IN_SOFTIRQ	2u
#define WITH_HARDIRQS	4u	/* taken while they were open */
#define WITH_SOFTIRQS	8u

struct lock_class {
	u64 key;			/* where they are initialised */
	u64 site;			/* where the first was taken first */
	u32 used;
	u64 after[MAX_CLASSES / 64];	/* classes taken while it was held */
};

struct held {
	const struct lock_debug *lock;
	const struct task *task;
	u32 class;
	u8 level;
	u8 kind;
};

static struct lock_class classes[MAX_CLASSES];	/* [0] is none */
static u32 nr_classes = 1;
static struct held held[MAX_HELD];
static u32 nr_held;
/* How deep interrupts and softirqs are nested, and which they are. */
static u8 level;
static bool level_is_hardirq[MAX_LEVEL];
static int paused;

static u32 class_of(u64 key)
{
	u32 i;

	for (i = 1; i < nr_classes; i++)
		if (classes[i].key == key)
			return i;
	if (nr_classes == MAX_CLASSES)
		return 0;
	classes[nr_classes].key = key;
	return nr_classes++;
}

void lock_init_at(struct lock_debug *d, const void *pc)
{
	unsigned long irq = local_irq_save();

	d->class = class_of((u64)pc);
	local_irq_restore(irq);
}

noinline void lock_init(struct lock_debug *d)
{
	lock_init_at(d, __builtin_return_address(0));
}

static bool is_static(const struct lock_debug *d)
{
	return (u64)d >= (u64)__image_start && (u64)d < (u64)__image_end;
}

/* A place in the code: for %pS. */
static void *name_of(u32 class)
{
	const struct lock_class *c = &classes[class];
	bool code = c->key >= (u64)__text_start && c->key < (u64)__text_end;

	return (void *)(code ? c->key : c->site);
}

static bool has_edge(u32 from, u32 to)
{
	return classes[from].after[to / 64] >> to % 64 & 1;
}

/* Whether @to is taken, directly or not, while @from is held. */
static bool leads_to(u32 from, u32 to)
{
	u64 seen[MAX_CLASSES / 64] = { 0 };
	u8 stack[MAX_CLASSES];
	u32 depth = 0, at, i;

	stack[depth++] = (u8)from;
	while (depth) {
		at = stack[--depth];
		for (i = 1; i < nr_classes; i++) {
			if (!has_edge(at, i) || seen[i / 64] >> i % 64 & 1)
				continue;
			if (i == to)
				return true;
			seen[i / 64] |= 1ull << i % 64;
			stack[depth++] = (u8)i;
		}
	}
	return false;
}

static void add_edge(u32 from, u32 to)
{
	if (from == to || has_edge(from, to))
		return;
	if (leads_to(to, from))
		debug_report("lock order: the lock of %pS is taken while that of %pS is held, and elsewhere it is the other way round",
			     name_of(to), name_of(from));
	classes[from].after[to / 64] |= 1ull << to % 64;
}

static u32 usage_now(enum lock_kind kind, unsigned long flags)
{
	u32 use = 0;

	if (kind == LOCK_SLEEPING)
		return 0;
	if (kind == LOCK_SPIN && level)
		use = level_is_hardirq[level - 1] ? IN_HARDIRQ : IN_SOFTIRQ;
	if (flags & X86_EFLAGS_IF) {
		use |= WITH_HARDIRQS;
		if (in_task())
			use |= WITH_SOFTIRQS;
	}
	return use;
}

static void note_usage(u32 class, u32 use)
{
	u32 all = classes[class].used | use;

	if (all == classes[class].used)
		return;
	classes[class].used = all;
	if (all & IN_HARDIRQ && all & WITH_HARDIRQS)
		debug_report("lock context: the lock of %pS is taken by interrupts, and with interrupts on",
			     name_of(class));
	if (all & IN_SOFTIRQ && all & WITH_SOFTIRQS)
		debug_report("lock context: the lock of %pS is taken by softirqs, and with softirqs on",
			     name_of(class));
}

static void note_order(const struct lock_debug *d, enum lock_kind kind)
{
	for (u32 i = 0; i < nr_held; i++) {
		if (held[i].lock == d && (held[i].task == current ||
					  held[i].kind != LOCK_SLEEPING))
			debug_report("lock order: the lock of %pS is taken by who holds it",
				     name_of(d->class));
		if (kind != LOCK_TRY && held[i].task == current &&
		    held[i].level == level)
			add_edge(held[i].class, d->class);
	}
}

noinline void lock_acquire(struct lock_debug *d, enum lock_kind kind)
{
	unsigned long irq = local_irq_save();

	if (paused)
		goto out;
	if (!d->class)
		d->class = class_of(is_static(d) ? (u64)d :
				    (u64)__builtin_return_address(0));
	if (!classes[d->class].site)
		classes[d->class].site = (u64)__builtin_return_address(0);
	note_usage(d->class, usage_now(kind, irq));
	note_order(d, kind);
	if (nr_held < MAX_HELD)
		held[nr_held++] = (struct held){
			d, current, d->class, level, (u8)kind,
		};
out:
	local_irq_restore(irq);
}

/* The own one first: others may wait for it and stand here, too. */
static u32 find_held(const struct lock_debug *d)
{
	u32 found = nr_held;

	for (u32 i = nr_held; i-- > 0;) {
		if (held[i].lock != d)
			continue;
		if (held[i].task == current)
			return i;
		found = i;
	}
	return found;
}

void lock_release(struct lock_debug *d)
{
	unsigned long irq = local_irq_save();
	u32 i = find_held(d);

	if (i < nr_held) {
		for (nr_held--; i < nr_held; i++)
			held[i] = held[i + 1];
	} else if (!paused) {
		debug_report("lock order: the lock of %pS is released by who does not hold it",
			     name_of(d->class));
	}
	local_irq_restore(irq);
}

void lock_context(bool enter, bool hardirq)
{
	if (!enter) {
		level--;
		return;
	}
	if (level < MAX_LEVEL)
		level_is_hardirq[level] = hardirq;
	level++;
}

void lock_check_sleep(void)
{
	if (paused)
		return;
	for (u32 i = 0; i < nr_held; i++)
		if (held[i].task == current && held[i].kind != LOCK_SLEEPING)
			debug_report("lock context: sleeps while the lock of %pS is held",
				     name_of(held[i].class));
}

void lockdep_pause(bool pause)
{
	paused += pause ? 1 : -1;
}
