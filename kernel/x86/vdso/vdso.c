/*
 * What the program calls instead of a system call: the clocks and the number
 * of its CPU (vdso(7)). Built on its own as a shared object of one page that
 * the kernel maps behind the page of struct vvar; runs in user mode.
 */
#include "kernel/time.h"
#include "kernel/vvar.h"
#include "kernel/syscall_nr.h"
#include "kernel/x86/gdt.h"

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_MONOTONIC_RAW	4
#define CLOCK_BOOTTIME		7
#define CLOCK_TAI		11
/* One bit per clock that is read here, coarse ones included. */
#define REAL_CLOCKS		(1u << 0 | 1u << 5 | 1u << 11)
#define MONOTONIC_CLOCKS	(1u << 1 | 1u << 4 | 1u << 6 | 1u << 7)

/* vdso.lds puts it one page before this image. */
extern const struct vvar user_vvar __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct timespec *ts);
int __vdso_clock_getres(int clock, struct timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, u64 *zone);
s64 __vdso_time(s64 *t);
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused);

static inline long syscall2(long nr, long a, void *b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return ret;
}

/* In order with what comes before it in the program. */
static inline u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return lo | (u64)hi << 32;
}

/* Begun again if the scale has changed: time must not step back. */
static inline u64 monotonic_ns(void)
{
	const struct clock_scale *s;
	u64 ns;

	do {
		s = clock_scale(&user_vvar);
		ns = clock_scale_ns(s, rdtsc_ordered());
	} while (s != clock_scale(&user_vvar));
	return ns;
}

static u64 real_ns(void)
{
	return monotonic_ns() + READ_ONCE(user_vvar.real_offset);
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
	u32 bit = (u32)clock < 32 ? 1u << clock : 0;

	if (bit & MONOTONIC_CLOCKS)
		*ts = ns_to_timespec(monotonic_ns());
	else if (bit & REAL_CLOCKS)
		*ts = ns_to_timespec(real_ns());
	else
		return (int)syscall2(__NR_clock_gettime, clock, ts);
	return 0;
}

int __vdso_clock_getres(int clock, struct timespec *ts)
{
	u32 bit = (u32)clock < 32 ? 1u << clock : 0;

	if (!(bit & (MONOTONIC_CLOCKS | REAL_CLOCKS)))
		return (int)syscall2(__NR_clock_getres, clock, ts);
	if (ts)
		*ts = (struct timespec){ 0, 1 };
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, u64 *zone)
{
	if (tv) {
		u64 us = real_ns() / NSEC_PER_USEC;

		*tv = (struct timeval){ (s64)(us / 1000000),
					(s64)(us % 1000000) };
	}
	if (zone)
		*zone = 0;
	return 0;
}

s64 __vdso_time(s64 *t)
{
	s64 now = (s64)(real_ns() / NSEC_PER_SEC);

	if (t)
		*t = now;
	return now;
}

/* The number is the limit of a segment that differs from CPU to CPU. */
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	u32 limit;

	(void)unused;
	__asm__("lsl %1, %0" : "=r"(limit) : "r"(CPU_SEL) : "cc");
	if (cpu)
		*cpu = limit;
	if (node)
		*node = 0;
	return 0;
}
