/*
 * One mistake for each checker of a DEBUG=1 kernel, planted on purpose so that
 * a test can see it reported: plant=kasan-heap and so on.
 */
#include "boot/debug/plant.h"

#include "kernel/errno.h"
#include "kernel/hrtimer.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/mutex.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/x86/irqflags.h"

/* Not known to the compiler. */
static volatile u32 seven = 7;
static char global[12];

static struct spinlock one, other;
static struct mutex sleeping;

static void heap_end(void)
{
	volatile u8 *p = kmalloc(13);

	p[6 + seven] = 1;
}

static void heap_copy(void)
{
	char *p = kmalloc(100);

	memset(p, 1, 94 + seven);
}

static void use_after_free(void)
{
	volatile u8 *p = kmalloc(64);

	kfree((void *)p);
	p[seven] = 1;
}

static void free_twice(void)
{
	void *p = kmalloc(64);

	kfree(p);
	kfree(p);
}

static void freed_page(void)
{
	volatile u8 *p = get_zeroed_page();

	free_page((void *)p);
	p[seven] = 1;
}

/* The compiler does not see what @p is. */
static noinline void poke(volatile void *p)
{
	((volatile u8 *)p)[5 + seven] = 1;
}

static noinline void on_stack(void)
{
	volatile u8 array[12];

	poke(array);
}

/* As an overflow that no checker sees: only the frame's guard is left. */
static noinline void on_guard(void)
{
	u8 array[16];
	void *at = array;
	u64 n = 4 * sizeof(array) + seven;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(0)
			 : "memory");
}

static void behind_global(void)
{
	poke(global);
}

static void shift(void)
{
	seven = 1u << (seven + 30);
}

static void index_out(void)
{
	static volatile u8 array[4];
	volatile u8 copy[4] = { array[seven] };

	(void)copy;
}

static void overflow(void)
{
	volatile int x = INT32_MAX - 6;

	x = x + (int)seven;
}

static void order(void)
{
	spin_lock(&one);
	spin_lock(&other);
	spin_unlock(&other);
	spin_unlock(&one);
	spin_lock(&other);
	spin_lock(&one);
}

static bool taken;

static void take_one(struct hrtimer *t)
{
	(void)t;
	spin_lock(&one);
	spin_unlock(&one);
	WRITE_ONCE(taken, true);
}

static void from_interrupt(void)
{
	static struct hrtimer timer;

	hrtimer_init(&timer, take_one);
	hrtimer_start(&timer, ktime_get_ns() + NSEC_PER_MSEC, 0);
	while (!READ_ONCE(taken))
		cpu_relax();
	spin_lock(&one);
	spin_unlock(&one);
}

static void sleep_in_lock(void)
{
	mutex_init(&sleeping);
	spin_lock(&one);
	mutex_lock(&sleeping);
}

static noinline u32 deep(u32 n)
{
	volatile u8 frame[512];

	frame[n % 512] = (u8)n;
	return n ? deep(n - 1) + frame[n % 512] : 0;
}

static void deep_stack(void)
{
	/* 512 bytes and what the checker adds: until a word low down is hit. */
	for (u32 n = 8; n < KSTACK_SIZE / 512; n++) {
		(void)deep(n);
		schedule_hrtimeout_range(ktime_get_ns() + 1, 0);
	}
}

/* No watchdog of this CPU's own sees it: an NMI from outside says where. */
static noinline void irqs_off(void)
{
	pr_err("plant: interrupts are off");
	local_irq_disable();
	while (READ_ONCE(seven))
		cpu_relax();
}

static const struct {
	const char *name;
	void (*run)(void);
} plants[] = {
	{ "kasan-heap", heap_end },	{ "kasan-copy", heap_copy },
	{ "kasan-freed", use_after_free }, { "kasan-twice", free_twice },
	{ "kasan-page", freed_page },	{ "kasan-stack", on_stack },
	{ "kasan-global", behind_global }, { "ubsan-shift", shift },
	{ "ubsan-index", index_out },	{ "ubsan-overflow", overflow },
	{ "lock-order", order },	{ "lock-interrupt", from_interrupt },
	{ "lock-sleep", sleep_in_lock }, { "stack-depth", deep_stack },
	{ "stack-guard", on_guard },	{ "irqs-off", irqs_off },
};

static void (*chosen)(void);

static int set_plant(const char *val)
{
	for (size_t i = 0; val && i < ARRAY_SIZE(plants); i++)
		if (!strcmp(val, plants[i].name))
			chosen = plants[i].run;
	return chosen ? 0 : -EINVAL;
}
KERNEL_PARAM("plant", set_plant, "a mistake for a checker to find");

void run_planted(void)
{
	if (!chosen)
		return;
	chosen();
	pr_err("plant: nobody noticed");
	machine_exit(1);
}
