/*
 * Allocations that fail on purpose, in a kernel made with DEBUG=1:
 * failmem=nth:7 the seventh, every:50, random:50 (one in 50), each (each place
 * that allocates, its first time); with @program, counted from the program's
 * start. failsite=sock_,alloc_skb: only in functions that begin so, with a `!`
 * before them only in others. gdb may change `failmem` as the guest runs.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#ifdef DEBUG_KERNEL

enum failmem_mode {
	FAILMEM_OFF,
	FAILMEM_NTH,
	FAILMEM_EVERY,
	FAILMEM_RANDOM,
	FAILMEM_EACH,
};

struct failmem {
	enum failmem_mode mode;
	u32 n;			/* of the mode */
	bool waits;		/* for the program */
	u64 calls, failed;	/* while it is on */
	u32 sites;		/* places that have failed */
	char where[96];		/* failsite= */
};

extern struct failmem failmem;

/* Whether @caller is to get nothing. Any context, any lock held. */
bool fail_alloc(const void *caller);
/* The program starts. */
void failmem_program(void);

#else

static inline bool fail_alloc(const void *caller)
{
	(void)caller;
	return false;
}

static inline void failmem_program(void)
{
}

#endif
