/*
 * Finds what stands still, says so with a backtrace, and counts it (net/
 * metrics.c). A CPU with its interrupts off sees nothing itself: an NMI from
 * outside (`tools/qmp.py nmi`) prints where that one is.
 */
#pragma once

#include "kernel/types.h"

enum watchdog_case {
	WATCHDOG_CPU,		/* kernel code that lets no task run */
	WATCHDOG_SOFTIRQ,	/* one that does not end, or off for too long */
	WATCHDOG_TASK,		/* sleeps where no signal reaches it */
	WATCHDOG_QUEUE,		/* a device does not take what it was given */
	NR_WATCHDOG_CASES,
};

extern const char *const watchdog_names[NR_WATCHDOG_CASES];
extern u32 watchdog_counts[NR_WATCHDOG_CASES];

/* Counts and names the case, then prints what led here. Any context. */
void watchdog_bark(enum watchdog_case which);

/* ksoftirqd's turn has come: looks at the tasks. Task context. */
void watchdog_turn(void);

/* Starts it, unless `watchdog=0`. Boot, after clock_init(). */
void watchdog_init(void);
