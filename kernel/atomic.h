/*
 * Atomic counters and references. All operations are full barriers except
 * read and set, which are relaxed.
 */
#pragma once

#include "kernel/types.h"

struct atomic {
	s32 v;
};

static inline s32 atomic_read(const struct atomic *a)
{
	return __atomic_load_n(&a->v, __ATOMIC_RELAXED);
}

static inline void atomic_set(struct atomic *a, s32 v)
{
	__atomic_store_n(&a->v, v, __ATOMIC_RELAXED);
}

static inline s32 atomic_add_return(s32 n, struct atomic *a)
{
	return __atomic_add_fetch(&a->v, n, __ATOMIC_SEQ_CST);
}

static inline void atomic_inc(struct atomic *a)
{
	__atomic_add_fetch(&a->v, 1, __ATOMIC_SEQ_CST);
}

static inline void atomic_dec(struct atomic *a)
{
	__atomic_sub_fetch(&a->v, 1, __ATOMIC_SEQ_CST);
}

/* True when the count reached zero: the caller owned the last reference. */
static inline bool atomic_dec_and_test(struct atomic *a)
{
	return __atomic_sub_fetch(&a->v, 1, __ATOMIC_SEQ_CST) == 0;
}

/* Takes a reference unless the count is zero already. */
static inline bool atomic_inc_not_zero(struct atomic *a)
{
	s32 v = atomic_read(a);

	while (v) {
		if (__atomic_compare_exchange_n(&a->v, &v, v + 1, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}
