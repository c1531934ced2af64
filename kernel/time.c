/*
 * The clock interrupt and the wall clock. Hardware is kernel/x86/tsc.c (the
 * counter) and kernel/x86/clock.c (the one-shot event).
 */
#include "kernel/time.h"

#include "kernel/clock.h"
#include "kernel/percpu.h"
#include "kernel/softirq.h"
#include "kernel/vvar.h"

/* When the clock interrupt is programmed to come, ns; 0 before clock_init. */
static DEFINE_PER_CPU(u64, clock_next);

/* Alone on its page, which the program may read (linker.ld). */
struct vvar vvar __section(".vvar");

void clock_program(u64 expires)
{
	if (expires >= this_cpu_read(clock_next))
		return;
	this_cpu_write(clock_next, expires);
	clock_event_set(expires);
}

void clock_interrupt(void)
{
	u64 now = ktime_get_ns();
	u64 next, wheel;

	this_cpu_write(clock_next, KTIME_MAX);
	next = hrtimers_run(now);
	next = min(next, sched_tick(now));
	if (timers_due(now, &wheel))
		raise_softirq_irqoff(TIMER_SOFTIRQ);
	else
		next = min(next, wheel);
	if (next != KTIME_MAX)
		clock_program(next);
}

void clock_start(void)
{
	timers_init();
	/* Picks up what was started while the clock was not running. */
	clock_interrupt();
}

u64 ktime_get_real_ns(void)
{
	return ktime_get_ns() + READ_ONCE(vvar.real_offset);
}

void ktime_set_real_ns(u64 real)
{
	WRITE_ONCE(vvar.real_offset, real - ktime_get_ns());
}
