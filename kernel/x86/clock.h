/* The one-shot clock interrupt of the LAPIC, and the battery clock. */
#pragma once

#include "kernel/types.h"

/*
 * Sets the wall clock, calibrates, and starts the clock interrupt: timers
 * started before count from now on. Boot, once, after apic_init(); the later,
 * the better the calibration. Interrupts off.
 */
void clock_init(void);

/* Serves TIMER_VECTOR; see irq_init(). Hardirq. */
void timer_irq(void *data);

/* Seconds since 1970 by the CMOS clock; 0 if there is none. */
u64 rtc_read(void);
