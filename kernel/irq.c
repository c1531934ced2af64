/*
 * Vectors and their handlers. do_irq() comes from the entry code with
 * interrupts off and leaves through the softirqs.
 *
 * LOCKING: irq_lock guards who owns a vector. do_irq() takes no lock: a
 * handler is set before its device may interrupt and cleared after.
 */
#include "kernel/irq.h"

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/softirq.h"
#include "kernel/spinlock.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/entry.h"

struct irq_desc {
	irq_handler_t fn;
	void *data;
	const char *name;	/* irq_lock; NULL if the vector is free */
	u64 count;		/* for the log and /proc/interrupts */
};

static struct irq_desc irq_desc[IRQ_NR_VECTORS];
static struct spinlock irq_lock = SPINLOCK_INIT;

static __cold void unexpected_irq(void *data)
{
	struct irq_desc *desc = data;

	if (desc->count == 1)
		pr_warn("interrupt on vector %#lx, which nobody asked for",
			desc - irq_desc + IRQ_FIRST_VECTOR);
}

void do_irq(unsigned int vector)
{
	struct irq_desc *desc = &irq_desc[vector - IRQ_FIRST_VECTOR];

	irq_enter();
	desc->count++;
	desc->fn(desc->data);
	apic_eoi();
	irq_exit();
}

static void claim(struct irq_desc *desc, irq_handler_t fn, void *data,
		  const char *name)
{
	desc->data = data;
	desc->name = name;
	__atomic_store_n(&desc->fn, fn, __ATOMIC_RELEASE);
}

__cold int request_irq(irq_handler_t fn, void *data, const char *name)
{
	unsigned long irq = spin_lock_irqsave(&irq_lock);
	int vector = -ENOSPC;

	/* The LAPIC's own vector is the last one. */
	for (int i = 0; i < IRQ_NR_VECTORS - 1; i++) {
		if (irq_desc[i].name)
			continue;
		claim(&irq_desc[i], fn, data, name);
		vector = i + IRQ_FIRST_VECTOR;
		break;
	}
	spin_unlock_irqrestore(&irq_lock, irq);
	return vector;
}

__cold void free_irq(int vector)
{
	struct irq_desc *desc = &irq_desc[vector - IRQ_FIRST_VECTOR];
	unsigned long irq = spin_lock_irqsave(&irq_lock);

	claim(desc, unexpected_irq, desc, NULL);
	spin_unlock_irqrestore(&irq_lock, irq);
}

__cold void irq_init(void (*timer)(void *data))
{
	for (int i = 0; i < IRQ_NR_VECTORS; i++)
		claim(&irq_desc[i], unexpected_irq, &irq_desc[i], NULL);
	claim(&irq_desc[TIMER_VECTOR - IRQ_FIRST_VECTOR], timer, NULL,
	      "timer");
}
