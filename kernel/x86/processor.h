/* Single instructions of the processor that C has no word for. */
#pragma once

#include "kernel/types.h"

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Orders stores against later loads, also for a device that reads RAM. */
static inline void smp_mb(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

/* x86 keeps store-store and load-load order: the compiler must, too. */
static inline void smp_wmb(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline void smp_rmb(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* Enables interrupts and halts in one step, so that none is missed. */
static inline void safe_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}
