/*
 * selftest=memory probes what must not be possible in the kernel's address
 * space; the others break something on purpose, so that a test can see it
 * caught: selftest=panic, fault, canary, overflow.
 */
#include "boot/selftest.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "kernel/watchdog.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/probe.h"
#include "kernel/x86/processor.h"
#include "kernel/x86/sections.h"

#define CR4_UMIP	(1ul << 11)
#define CR4_SMEP	(1ul << 20)
#define CR4_SMAP	(1ul << 21)

static u32 failures;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	failures++;
	pr_err("selftest: %s", what);
}

static bool read_only(const void *p)
{
	return probe_read((u64)p) && !probe_write((u64)p);
}

static const void *alias_of(const void *image)
{
	return phys_to_virt(image_to_phys(image));
}

static void check_image(void)
{
	check(!pt_check_wx(), "pages are writable and executable");
	check(read_only(__text_start), "text is writable");
	check(read_only(__rodata_start), "rodata is writable");
	check(read_only(&direct_map_base), "ro_after_init is writable");
	check(read_only(alias_of(__text_start)), "text is writable twice");
	check(read_only(alias_of(__rodata_start)), "rodata is writable twice");
	check(read_only(alias_of(&direct_map_base)),
	      "ro_after_init is writable twice");
	check(!probe_read((u64)__init_text_start), "init code is still there");
	check(probe_write((u64)alias_of(__init_text_start)),
	      "init code's memory did not come back");
}

static void check_guards(void)
{
	const u8 *stack = current->stack, *area = vmalloc(PAGE_SIZE);

	check(!probe_read(0), "address 0 is mapped");
	check(!probe_read(image_to_phys(__text_start)),
	      "the boot loader's map is still there");
	check(probe_write((u64)stack) && !probe_read((u64)stack - 1),
	      "no guard page below this stack");
	check(!probe_read((u64)stack + KSTACK_SIZE),
	      "no guard page above this stack");
	check(!probe_read((u64)boot_stack - 1), "none below the boot stack");
	check(!probe_read((u64)ist_stacks - 1), "none below an IST stack");
	check(area && probe_write((u64)area) && !probe_read((u64)area - 1) &&
	      !probe_read((u64)area + PAGE_SIZE), "no guard around vmalloc");
	vfree((void *)area);
}

static void check_cpu(void)
{
	u64 cr4 = read_cr4();

	check(!cpu_has(CPU_SMEP) || cr4 & CR4_SMEP, "SMEP is off");
	check(!cpu_has(CPU_SMAP) || cr4 & CR4_SMAP, "SMAP is off");
	check(!cpu_has(CPU_UMIP) || cr4 & CR4_UMIP, "UMIP is off");
}

static void test_memory(void)
{
	check_image();
	check_guards();
	check_cpu();
	if (!failures)
		pr_notice("selftest: memory is as it should be");
}

static void test_panic(void)
{
	panic("selftest asked for it, %s", "by name");
}

static void test_fault(void)
{
	/* Volatile, so that the compiler does not see that it is nowhere. */
	volatile u64 va = 0x10;

	*(volatile u32 *)va = 1;
}

/* Writes past its frame's array, as a copy with a wrong length would. */
static noinline void test_canary(void)
{
	volatile u8 array[16];
	size_t n = READ_ONCE(console_loglevel) ? 48 : 16;

	while (n--)
		*(volatile u8 *)((u64)array + n) = 0x41;
}

static noinline u32 recurse(u32 depth)
{
	volatile u8 frame[256];

	frame[depth % sizeof(frame)] = (u8)depth;
	return depth > 1000000 ? frame[0] : recurse(depth + 1) + frame[1];
}

static void test_overflow(void)
{
	(void)recurse(0);
}

/* Lets nothing else run until that is noticed. */
static noinline void stand_still(enum watchdog_case which)
{
	while (!READ_ONCE(watchdog_counts[which]))
		cpu_relax();
}

static void test_stuck_cpu(void)
{
	stand_still(WATCHDOG_CPU);
}

static void stuck_softirq(struct timer *timer)
{
	(void)timer;
	stand_still(WATCHDOG_SOFTIRQ);
}

static void test_stuck_softirq(void)
{
	struct timer timer;

	timer_setup(&timer, stuck_softirq);
	mod_timer(&timer, ktime_get_ns());
	test_stuck_cpu();
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "memory", test_memory },
	{ "panic", test_panic },
	{ "fault", test_fault },
	{ "canary", test_canary },
	{ "overflow", test_overflow },
	{ "stuck-cpu", test_stuck_cpu },
	{ "stuck-softirq", test_stuck_softirq },
};

static void (*chosen)(void);

static int set_selftest(const char *val)
{
	size_t i;

	for (i = 0; val && i < ARRAY_SIZE(tests); i++)
		if (!strcmp(val, tests[i].name))
			chosen = tests[i].run;
	return chosen ? 0 : -EINVAL;
}
KERNEL_PARAM("selftest", set_selftest,
	     "memory, panic, fault, canary, overflow, stuck-cpu or stuck-softirq; ends the machine");

noinline void run_selftest(void)
{
	if (!chosen)
		return;
	chosen();
	machine_exit(failures ? 1 : 0);
}
