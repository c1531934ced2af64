/*
 * Reads every clock through the vDSO, between two system calls that read the
 * same one; then a thousand times by what libc has, which must not trap.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char *image;

static void *dynamic(long tag)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)image;
	Elf64_Phdr *ph = (Elf64_Phdr *)(image + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			for (Elf64_Dyn *d = (void *)(image + ph[i].p_vaddr);
			     d->d_tag; d++)
				if (d->d_tag == tag)
					return image + d->d_un.d_ptr;
	return NULL;
}

static void *find(const char *name)
{
	Elf64_Sym *sym = dynamic(DT_SYMTAB);
	char *strings = dynamic(DT_STRTAB);
	Elf32_Word *hash = dynamic(DT_HASH);

	for (Elf32_Word i = 0; i < hash[1]; i++)
		if (!strcmp(strings + sym[i].st_name, name))
			return image + sym[i].st_value;
	printf("no %s\n", name);
	exit(1);
}

static long ns(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000 + ts->tv_nsec;
}

static void clocks(void)
{
	int (*get)(int, struct timespec *) = find("__vdso_clock_gettime");
	int (*res)(int, struct timespec *) = find("__vdso_clock_getres");
	static const int ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
				   CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
				   CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID };
	struct timespec a, b, c, r;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		syscall(SYS_clock_gettime, ids[i], &a);
		if (get(ids[i], &b))
			printf("clock %d fails\n", ids[i]);
		syscall(SYS_clock_gettime, ids[i], &c);
		printf("clock %d %s\n", ids[i],
		       ns(&a) <= ns(&b) && ns(&b) <= ns(&c) ? "fits" : "off");
		res(ids[i], &r);
		printf("resolution %ld\n", ns(&r));
	}
	printf("bad clocks %d %d\n", get(99, &b), res(99, NULL));
}

static void others(void)
{
	int (*tod)(struct timeval *, void *) = find("__vdso_gettimeofday");
	time_t (*seconds)(time_t *) = find("__vdso_time");
	int (*cpu)(unsigned *, unsigned *, void *) = find("__vdso_getcpu");
	struct timeval a, b, c;
	unsigned n = 99, node = 99;
	time_t t;

	syscall(SYS_gettimeofday, &a, NULL);
	tod(&b, NULL);
	syscall(SYS_gettimeofday, &c, NULL);
	printf("gettimeofday %s\n", !timercmp(&a, &b, >) &&
	       !timercmp(&b, &c, >) ? "fits" : "off");
	printf("time %d\n", seconds(&t) == t && t >= a.tv_sec &&
	       t <= a.tv_sec + 2);
	cpu(&n, &node, NULL);
	printf("getcpu %u %u\n", n, node);
}

static void maps(void)
{
	char line[256];
	unsigned long at;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[v") || sscanf(line, "%lx", &at) != 1)
			continue;
		errno = 0;
		mprotect((void *)at, 4096, PROT_READ | PROT_WRITE);
		printf("%s%serrno %d\n", strchr(line, ' ') + 1,
		       at == (unsigned long)image ? "the image " : "", errno);
	}
	fflush(stdout);
}

/* A new wall clock is seen at once; the host's stays as it is. */
static void set_clock(void)
{
	struct timespec ts = { 2000000000, 0 };

	printf("set %d\n", clock_settime(CLOCK_REALTIME, &ts));
	printf("then %d\n", time(NULL) - 2000000000 <= 1);
}

int main(int argc, char **argv)
{
	struct timespec ts, last = { 0, 0 };
	struct timeval tv;
	long sum = 0;

	image = (char *)getauxval(AT_SYSINFO_EHDR);
	if (!image || memcmp(image, ELFMAG, SELFMAG)) {
		printf("no vDSO\n");
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "set"))
		set_clock();
	clocks();
	others();
	maps();
	printf("thousand\n");
	fflush(stdout);
	for (int i = 0; i < 1000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		sum += ns(&ts) < ns(&last);
		last = ts;
		clock_gettime(CLOCK_REALTIME, &ts);
		gettimeofday(&tv, NULL);
		sum += time(NULL) < tv.tv_sec;
		sum += sched_getcpu() < 0;
	}
	printf("wrong: %ld\n", sum);
	return 0;
}
