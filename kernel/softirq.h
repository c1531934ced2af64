/*
 * Softirqs: the bottom half of interrupts. A hard interrupt raises one; it
 * runs with interrupts on, on the way out of the interrupt, bounded by a
 * budget; what is over budget goes on in ksoftirqd. One softirq never nests
 * in another on the same CPU.
 */
#pragma once

#include "kernel/context.h"

enum softirq {
	TIMER_SOFTIRQ,
	NET_TX_SOFTIRQ,
	NET_RX_SOFTIRQ,
	NR_SOFTIRQS,
};

extern const char *const softirq_names[NR_SOFTIRQS];

/* Bit n set: softirq n waits to run on this CPU. */
DECLARE_PER_CPU(u32, softirq_pending);

/* Sets the action of @nr for good; it is called in softirq context. Boot. */
void open_softirq(enum softirq nr, void (*action)(void));

/* Marks @nr pending. Interrupts are off or this is softirq context. */
static inline void raise_softirq_irqoff(enum softirq nr)
{
	this_cpu_write(softirq_pending,
		       this_cpu_read(softirq_pending) | 1u << nr);
}

/*
 * Any context. From plain task context the softirq runs at the next
 * interrupt or local_bh_enable() at the latest, by waking ksoftirqd.
 */
void raise_softirq(enum softirq nr);

/* Gives it a turn among the tasks. Any context but NMI. */
void wake_ksoftirqd(void);

/*
 * Runs what is pending within the budget (2 ms or 10 rounds), then leaves the
 * rest to ksoftirqd. Called with interrupts on and softirqs not disabled.
 */
void do_softirq(void);

/* Until the matching enable no softirq runs on this CPU. Nests. */
static inline void local_bh_disable(void)
{
	this_cpu_add(context_count, SOFTIRQ_ONE);
	barrier();
}

static inline void local_bh_enable(void)
{
	barrier();
	this_cpu_add(context_count, -SOFTIRQ_ONE);
	if (unlikely(this_cpu_read(softirq_pending)) && in_task())
		do_softirq();
}

/* Entered and left by the hard interrupt path only (interrupts off). */
void irq_enter(void);
void irq_exit(void);

/* Starts ksoftirqd. Boot, after the scheduler. */
void softirq_init(void);
