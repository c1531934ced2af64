/*
 * The clock interrupt: one one-shot event per CPU, shared by the timer wheel,
 * the precise timers and the scheduler's time slice. Between kernel/time.c,
 * its three users and the hardware in kernel/x86/clock.c.
 */
#pragma once

#include "kernel/types.h"

/*
 * Makes sure that the clock interrupt comes at time @expires (ns) or before.
 * An event that is programmed already is never moved later: an interrupt too
 * many costs less than programming the hardware for each timer that is
 * stopped. Interrupts off.
 */
void clock_program(u64 expires);

/* From here on clock_program() reaches the hardware. Boot, interrupts off. */
void clock_start(void);

/* The one-shot event fired. Hardirq. */
void clock_interrupt(void);

/* Hardware: fires clock_interrupt() once at @expires; replaces the last. */
void clock_event_set(u64 expires);

/*
 * Fires the precise timers that are due and returns when the next one wants
 * the clock, KTIME_MAX if none does. Hardirq.
 */
u64 hrtimers_run(u64 now);

/* True if the wheel has work at @now; @next is when it next has. Hardirq. */
bool timers_due(u64 now, u64 *next);

/* Binds the TIMER softirq. Boot. */
void timers_init(void);

/* Ends the current task's slice if it is over; when to look again. Hardirq. */
u64 sched_tick(u64 now);
