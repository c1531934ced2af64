/*
 * Spinlocks. Which variant: the plain one where nobody takes the lock from an
 * interrupt or softirq; _bh where a softirq may; _irqsave where a hard
 * interrupt may. A holder never sleeps.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/debug/lockdep.h"
#include "kernel/softirq.h"
#include "kernel/types.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/processor.h"

struct __capability("spinlock") spinlock {
	u32 locked;
	struct lock_debug debug;
};

#define SPINLOCK_INIT { 0 }

static inline void spin_lock_init(struct spinlock *lock)
{
	lock->locked = 0;
	lock_init(&lock->debug);
}

static inline void spin_lock(struct spinlock *lock)
	__acquires(lock) __no_lock_check
{
	lock_acquire(&lock->debug, LOCK_SPIN);
	while (unlikely(__atomic_exchange_n(&lock->locked, 1,
					    __ATOMIC_ACQUIRE)))
		while (READ_ONCE(lock->locked))
			cpu_relax();
}

/* True if the lock was free and is now ours. */
static inline bool spin_trylock(struct spinlock *lock)
	__cond_acquires(lock) __no_lock_check
{
	if (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
		return false;
	lock_acquire(&lock->debug, LOCK_TRY);
	return true;
}

static inline void spin_unlock(struct spinlock *lock)
	__releases(lock) __no_lock_check
{
	lock_release(&lock->debug);
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
	return READ_ONCE(lock->locked);
}

static inline void spin_lock_bh(struct spinlock *lock)
	__acquires(lock) __no_lock_check
{
	local_bh_disable();
	spin_lock(lock);
}

/* Runs softirqs that became pending meanwhile. */
static inline void spin_unlock_bh(struct spinlock *lock)
	__releases(lock) __no_lock_check
{
	spin_unlock(lock);
	local_bh_enable();
}

/* For those who know that interrupts are on: task code that may sleep. */
static inline void spin_lock_irq(struct spinlock *lock)
	__acquires(lock) __no_lock_check
{
	local_irq_disable();
	spin_lock(lock);
}

static inline void spin_unlock_irq(struct spinlock *lock)
	__releases(lock) __no_lock_check
{
	spin_unlock(lock);
	local_irq_enable();
}

/* Returns the interrupt flags to hand back to spin_unlock_irqrestore(). */
static inline __must_check unsigned long
spin_lock_irqsave(struct spinlock *lock) __acquires(lock) __no_lock_check
{
	unsigned long flags = local_irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock,
					  unsigned long flags)
	__releases(lock) __no_lock_check
{
	spin_unlock(lock);
	local_irq_restore(flags);
}
