/*
 * Device interrupts. Each gets a vector of its own (MSI-X, or an I/O APIC
 * pin), so a handler never shares and never asks "was it me".
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/*
 * Hardirq context, interrupts off: mask the source, raise a softirq, return.
 */
typedef void (*irq_handler_t)(void *data);

/*
 * Binds a free vector to fn(data). Returns the vector, or -ENOSPC. @name is
 * borrowed for good. Task context.
 */
int request_irq(irq_handler_t fn, void *data, const char *name) __must_check;
void free_irq(int vector);

/*
 * The message that a device must write to raise @vector on the boot CPU
 * (Intel SDM volume 3, 11.11), for MSI and MSI-X.
 */
struct msi_msg {
	u64 address;
	u32 data;
};

struct msi_msg msi_compose(int vector);

/*
 * Routes I/O APIC input @gsi to @vector, edge or level triggered, active
 * high. 0, or -ENODEV if no I/O APIC has that input.
 */
int ioapic_route(unsigned int gsi, int vector, bool level) __must_check;
