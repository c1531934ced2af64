/* The time-stamp counter as the clock: its frequency, and ns from counts. */
#pragma once

#include "kernel/types.h"

/*
 * Starts monotonic time at 0. Takes the frequency from CPUID if it tells,
 * else guesses until tsc_calibrate(). Boot, early: uses ports only.
 */
void tsc_init(void);

/*
 * Compares the counter with reference clocks over the time since tsc_init()
 * and apic_init(); waits for nothing. Starts refinement from timers when the
 * frequency is not exact. Boot, once, as late as timers can wait.
 */
void tsc_calibrate(void);

/* Counts per second, as far as known now. Any context. */
u64 tsc_hz(void);
/* LAPIC timer counts per second, undivided; 0 if unknown. */
u64 apic_timer_hz(void);

/* The counter's value at monotonic time @ns. Any context. */
u64 ns_to_tsc(u64 ns);
