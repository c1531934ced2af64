/*
 * Maps, touches and unmaps a page in each of 2000 GiB, twice; prints by how
 * many KiB free memory shrank in the second round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static long free_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %ld", &kib);
	fclose(f);
	return kib;
}

static void round_trip(void)
{
	for (unsigned long i = 0; i < 2000; i++) {
		void *at = (void *)(0x100000000000 + (i << 30));
		char *p = mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			       MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (p != at)
			exit(1);
		*p = 1;
		if (i % 2 == 0)
			munmap(p, 4096);
	}
	munmap((void *)0x100000000000, 2001ul << 30);
}

int main(void)
{
	long before;

	round_trip();
	before = free_kib();
	round_trip();
	printf("shrank by %ld KiB\n", before - free_kib());
	return 0;
}
