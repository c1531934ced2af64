/* Host stand-ins for the processor's single instructions. */
#pragma once

#include "kernel/types.h"

static inline void cpu_relax(void)
{
}

static inline void smp_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void smp_wmb(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void smp_rmb(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
