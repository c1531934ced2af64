/* What the processor has to offer that nobody can predict. Any context. */
#pragma once

#include "kernel/types.h"

/*
 * Fills up to @n words from RDSEED or RDRAND; returns how many came, 0 if the
 * CPU has neither. Waits for neither.
 */
unsigned int cpu_random(u64 *word, unsigned int n);

/* The raw counter. */
u64 entropy_counter(void);

/*
 * One sample of how unevenly a small piece of work takes time: some
 * microseconds, of which the low bits are worth a bit.
 */
u64 entropy_jitter(void);
