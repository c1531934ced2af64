/* The counter of cycles since the machine was started. */
#include <stdio.h>
#include <x86intrin.h>

int main(void)
{
	printf("cycles: %llu\n", __rdtsc());
	return 0;
}
