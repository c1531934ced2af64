/* Host tests have one CPU with no features that matter. */
#pragma once

#include "kernel/types.h"

#define NR_CPUS 2

static inline u32 smp_processor_id(void)
{
	return 0;
}

enum cpu_feature {
	CPU_FSGSBASE,
};

static inline bool cpu_has(enum cpu_feature f)
{
	return f == CPU_FSGSBASE;
}

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs regs = { leaf, 0, subleaf, 0x178bfbff };

	return regs;
}

/* Differs from call to call, the same in every run. */
static inline u64 early_random(void)
{
	static u64 state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state;
}
