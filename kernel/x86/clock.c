/*
 * The one-shot event: TSC deadline where offered (one MSR write, no
 * conversion error), else the LAPIC's countdown.
 */
#include "kernel/x86/clock.h"

#include "kernel/clock.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/entry.h"
#include "kernel/x86/tsc.h"

#define MSR_TSC_DEADLINE 0x6e0u
#define CPUID1_ECX_DEADLINE (1u << 24)
#define APIC_TIMER_DEADLINE (2u << 17)	/* timer mode; one-shot is 0 */
/* The countdown runs at 1/16 for a range of a minute under QEMU. */
#define APIC_DIV_SHIFT	4

/* Locks: c const after boot. */
struct event_device {
	bool deadline;		/* c  in TSC counts, else a countdown */
	u64 mult;		/* c  counts per ns << 32 */
};

static struct event_device event __ro_after_init;

static u32 countdown(u64 expires)
{
	u64 now = ktime_get_ns();
	u64 delta = expires > now ? expires - now : 0;
	unsigned __int128 count = (unsigned __int128)delta * event.mult >> 32;

	/* Rounded up: an interrupt too early would be one for nothing. */
	return count < UINT32_MAX ? (u32)count + 1 : UINT32_MAX;
}

void clock_event_set(u64 expires)
{
	if (event.deadline)
		wrmsr(MSR_TSC_DEADLINE, ns_to_tsc(expires));
	else
		apic_write(APIC_TIMER_COUNT, countdown(expires));
}

void timer_irq(void *data)
{
	(void)data;
	clock_interrupt();
}

static void event_init(void)
{
	u64 hz = apic_timer_hz();

	event.deadline = cpuid(1, 0).ecx & CPUID1_ECX_DEADLINE;
	apic_write(APIC_TIMER_COUNT, 0);
	if (event.deadline) {
		apic_write(APIC_LVT_TIMER, APIC_TIMER_DEADLINE | TIMER_VECTOR);
		/* The mode first, then a deadline (SDM 3, 11.5.4.1). */
		__asm__ volatile("mfence" : : : "memory");
		return;
	}
	event.mult = ((hz >> APIC_DIV_SHIFT) << 32) / NSEC_PER_SEC;
	apic_write(APIC_TIMER_DIV, APIC_DIV_16);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
}

__cold void clock_init(void)
{
	u64 seconds = rtc_read();

	tsc_calibrate();
	event_init();
	/* It ticks in seconds: half of one is the best guess at the rest. */
	if (seconds)
		ktime_set_real_ns(seconds * NSEC_PER_SEC + NSEC_PER_SEC / 2);
	else
		pr_notice("no battery clock: wall-clock time starts at 1970");
	clock_start();
}
