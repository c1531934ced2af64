/* CPU clocks: of the process, of a thread, and timers that count on them. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/time.h"
#include "kernel/types.h"

struct task;

/* One that counts CPU time looks as seldom as Linux does with its tick. */
#define CPU_TIMER_NS	(4 * NSEC_PER_MSEC)

/*
 * Whose time @clock counts: @thread, with a reference, or NULL for the whole
 * process. Takes the ids that clock_getcpuclockid(3) and
 * pthread_getcpuclockid(3) make, too. -EINVAL if it is no CPU clock, or there
 * is no such thread. Task context.
 */
int cpu_clock_find(int clock, struct task **thread) __must_check;

/* What that clock shows, ns. Any context. */
u64 cpu_clock_ns(const struct task *thread);

/* Finds it and reads it: 0 or -EINVAL. Task context. */
int cpu_clock_read(int clock, u64 *ns) __must_check;

/*
 * When (ktime ns) to look whether a CPU clock that shows @now has come to
 * @expires: it cannot go faster than time. Any context.
 */
u64 cpu_timer_look(u64 expires, u64 now);
