/* RDSEED, RDRAND, and timing for CPUs that have neither. */
#include "kernel/x86/entropy.h"

#include "kernel/x86/cpu.h"
#include "kernel/x86/io.h"
#include "kernel/x86/processor.h"

#define TRIES	10	/* as Intel's guide to RDRAND advises */

static bool rdrand(u64 *v)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok));
	return ok;
}

static bool rdseed(u64 *v)
{
	bool ok;

	__asm__ volatile("rdseed %0" : "=r"(*v), "=@ccc"(ok));
	return ok;
}

static bool one_word(u64 *v)
{
	for (int i = 0; i < TRIES; i++) {
		if (cpu_has(CPU_RDSEED) && rdseed(v))
			return true;
		if (cpu_has(CPU_RDRAND) && rdrand(v))
			return true;
	}
	return false;
}

unsigned int cpu_random(u64 *word, unsigned int n)
{
	unsigned int got = 0;

	if (!cpu_has(CPU_RDSEED) && !cpu_has(CPU_RDRAND))
		return 0;
	while (got < n && one_word(&word[got]))
		got++;
	return got;
}

u64 entropy_counter(void)
{
	return rdtsc();
}

/*
 * A port read leaves the processor (or the emulator's inner loop) and comes
 * back after a time that caches, the host's scheduler and clocks on other
 * crystals have a hand in.
 */
u64 entropy_jitter(void)
{
	u64 start = rdtsc();
	u64 sum = 0;

	for (unsigned int i = 0; i < 2 + (start & 3); i++) {
		inb(0x61);
		sum = sum * 31 + rdtsc() - start;
	}
	return sum;
}
