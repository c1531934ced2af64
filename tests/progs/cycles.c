/* The counter of cycles since the machine was started, and the clock, which
 * begins with the kernel. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

int main(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("cycles: %llu, ns: %llu\n", __rdtsc(),
	       t.tv_sec * 1000000000ull + t.tv_nsec);
	return 0;
}
