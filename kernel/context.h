/*
 * Which context the code runs in, kept in one per-CPU word:
 *   bits 0-7   softirq disable depth (local_bh_disable and running softirqs)
 *   bits 8-15  hardirq nesting
 * The kernel is not preemptible, so a task that holds a spinlock keeps its
 * CPU; might_sleep() catches those who would sleep all the same.
 */
#pragma once

#include "kernel/debug/lockdep.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/types.h"

#define SOFTIRQ_ONE	(1u << 0)
#define SOFTIRQ_MASK	0x000000ffu
#define HARDIRQ_ONE	(1u << 8)
#define HARDIRQ_MASK	0x0000ff00u

DECLARE_PER_CPU(u32, context_count);

static inline bool in_hardirq(void)
{
	return this_cpu_read(context_count) & HARDIRQ_MASK;
}

/* Softirqs are running or disabled here. */
static inline bool in_softirq(void)
{
	return this_cpu_read(context_count) & SOFTIRQ_MASK;
}

static inline bool in_task(void)
{
	return !this_cpu_read(context_count);
}

/* For functions that may sleep: legal only in plain task context. */
static inline void might_sleep(void)
{
	BUG_ON(!in_task());
	lock_check_sleep();
}
