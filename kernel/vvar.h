/*
 * The clock's state, on a page of its own that the program can read: the
 * vDSO's clock_gettime() computes what ktime_get_ns() does.
 */
#pragma once

#include "kernel/types.h"

/* Set at boot from a guess, once measured, and refined twice: all differ. */
#define CLOCK_SCALES	4

/* ns = ns0 + (tsc - tsc0) * mult >> 32; one that is in use never changes. */
struct clock_scale {
	u64 tsc0, ns0;
	u64 mult;
	u64 hz;
};

/* Single words are written whole; only @now says which scale holds. */
struct vvar {
	struct clock_scale scale[CLOCK_SCALES];
	u64 now;		/* offset of the scale in use, in bytes */
	u64 real_offset;	/* monotonic time plus this is real time */
};

extern struct vvar vvar;

/* The scale in use. Any context. */
static inline const struct clock_scale *clock_scale(const struct vvar *v)
{
	u64 at = __atomic_load_n(&v->now, __ATOMIC_ACQUIRE);

	return (const struct clock_scale *)((const u8 *)v->scale + at);
}

/* How long so many counts of the TSC take. */
static inline u64 clock_scale_span(const struct clock_scale *s, u64 counts)
{
	return (u64)((unsigned __int128)counts * s->mult >> 32);
}

static inline u64 clock_scale_ns(const struct clock_scale *s, u64 tsc)
{
	return s->ns0 + clock_scale_span(s, tsc - s->tsc0);
}
