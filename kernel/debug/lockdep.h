/*
 * The lock checker, in a kernel made with DEBUG=1: locks that are initialised
 * at one place are a class. It knows which class was taken while which other
 * was held, and in which contexts, and reports what could deadlock, before it
 * does. Else the hooks are nothing, and take no room in a lock.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

enum lock_kind {
	LOCK_SPIN,
	LOCK_TRY,		/* a spinlock that was not waited for */
	LOCK_SLEEPING,
};

#ifdef DEBUG_KERNEL

struct lock_debug {
	u32 class;		/* 0: not known yet */
};

/* The lock is new; its class is the caller's place, or @pc. Any context. */
void lock_init(struct lock_debug *d);
void lock_init_at(struct lock_debug *d, const void *pc);
/* Before a lock is waited for; after, for LOCK_TRY. Any context. */
void lock_acquire(struct lock_debug *d, enum lock_kind kind);
void lock_release(struct lock_debug *d);
/* An interrupt or a round of softirqs begins, or ends. Interrupts off. */
void lock_context(bool enter, bool hardirq);
/* Reports if the caller, who may sleep, holds a spinlock. Task. */
void lock_check_sleep(void);
/* Stops and resumes checking. Nests. */
void lockdep_pause(bool pause);

#else

struct lock_debug {
};

static inline void lock_init(struct lock_debug *d)
{
	(void)d;
}

static inline void lock_init_at(struct lock_debug *d, const void *pc)
{
	(void)d;
	(void)pc;
}

static inline void lock_acquire(struct lock_debug *d, enum lock_kind kind)
{
	(void)d;
	(void)kind;
}

static inline void lock_release(struct lock_debug *d)
{
	(void)d;
}

static inline void lock_context(bool enter, bool hardirq)
{
	(void)enter;
	(void)hardirq;
}

static inline void lock_check_sleep(void)
{
}

#endif
