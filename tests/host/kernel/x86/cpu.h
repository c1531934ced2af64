/* Host tests have one CPU with no features that matter. */
#pragma once

#include "kernel/types.h"

#define NR_CPUS 2

static inline u32 smp_processor_id(void)
{
	return 0;
}

/* Differs from call to call, the same in every run. */
static inline u64 early_random(void)
{
	static u64 state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state;
}
