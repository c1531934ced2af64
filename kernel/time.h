/*
 * Clocks, in nanoseconds. Monotonic time starts at boot and never steps;
 * real time is the wall clock. Any context; reading costs one counter read.
 */
#pragma once

#include "kernel/types.h"

#define NSEC_PER_USEC	1000ull
#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_SEC	1000000000ull
#define KTIME_MAX	UINT64_MAX

/* As user space lays them out (struct timespec, struct timeval). */
struct timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

struct timeval {
	s64 tv_sec;
	s64 tv_usec;
};

u64 ktime_get_ns(void);
u64 ktime_get_real_ns(void);
/* Sets the wall clock (boot, clock_settime). Any context. */
void ktime_set_real_ns(u64 real);

static inline struct timespec ns_to_timespec(u64 ns)
{
	return (struct timespec){ (s64)(ns / NSEC_PER_SEC),
				  (s64)(ns % NSEC_PER_SEC) };
}

/* False if @ts is negative or its nanoseconds are out of range (EINVAL). */
static inline bool timespec_valid(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 &&
	       ts->tv_nsec < (s64)NSEC_PER_SEC;
}

/* Saturates at KTIME_MAX. */
static inline u64 timespec_to_ns(const struct timespec *ts)
{
	if ((u64)ts->tv_sec >= KTIME_MAX / NSEC_PER_SEC)
		return KTIME_MAX;
	return (u64)ts->tv_sec * NSEC_PER_SEC + (u64)ts->tv_nsec;
}
