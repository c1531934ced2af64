/* What this CPU can do, and the control registers set up accordingly. */
#pragma once

#include "kernel/compiler.h"
#include "kernel/percpu.h"
#include "kernel/types.h"

#define NR_CPUS 8		/* most that per-CPU tables provide for */

/* Which CPU this is, from 0; the boot CPU is 0. */
DECLARE_PER_CPU(u64, cpu_number);

static inline u64 smp_processor_id(void)
{
	return this_cpu_read(cpu_number);
}

enum cpu_feature {
	CPU_NX,
	CPU_1G_PAGES,
	CPU_GLOBAL_PAGES,
	CPU_SMEP,
	CPU_SMAP,
	CPU_UMIP,
	CPU_RDRAND,
	CPU_RDSEED,
	CPU_XSAVE,
	CPU_FSGSBASE,
	CPU_NR_FEATURES,
};

/* Bit n: feature n is there (and on, where it has to be turned on). */
extern u32 cpu_features;

static inline bool cpu_has(enum cpu_feature f)
{
	return cpu_features & 1u << f;
}

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

/* Zeroes if the CPU has no such @leaf. */
struct cpuid_regs cpuid(u32 leaf, u32 subleaf);

#define MSR_EFER		0xc0000080u
#define MSR_GS_BASE		0xc0000101u

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v),
			 "d"((u32)(v >> 32)) : "memory");
}

/*
 * A value that an outsider cannot guess well: RDRAND where the CPU has it,
 * else the counter's jitter. For what must be random before random_init():
 * the stack guard and the address space's bases. Any context.
 */
asmlinkage u64 early_random(void);

/*
 * Finds the features and turns on what protects the kernel: NX, write
 * protection, SMEP, SMAP, UMIP, global pages; FPU instructions for user mode.
 * Each CPU, first of all.
 */
void cpu_init(void);
