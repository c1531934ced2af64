/* Host tests have no interrupts; the flag is kept for the asserts. */
#pragma once

#include "kernel/types.h"

extern bool host_irqs_off;

static inline void local_irq_disable(void)
{
	host_irqs_off = true;
}

static inline void local_irq_enable(void)
{
	host_irqs_off = false;
}

static inline bool irqs_disabled(void)
{
	return host_irqs_off;
}

static inline unsigned long local_irq_save(void)
{
	unsigned long flags = !host_irqs_off;

	host_irqs_off = true;
	return flags;
}

static inline void local_irq_restore(unsigned long flags)
{
	host_irqs_off = !flags;
}
