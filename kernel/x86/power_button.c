/*
 * The power button: the program gets SIGTERM, so that QEMU's system_powerdown
 * is a clean end. On PC machines it is ACPI's fixed one (ACPI 6.5, 4.8.3.1),
 * on microvm an event of QEMU's own device, which has no ports.
 */
#include "kernel/x86/power_button.h"

#include "kernel/irq.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/x86/io.h"

#define PM1_BUTTON	(1u << 8)	/* in status and enable word */
#define PM1_SCI_EN	1u		/* in control word: ACPI is on */
#define GED_POWER_DOWN	2u
#define GED_SIZE	4

/* What the interrupt looks at, one of the two. Locks: c const from then on. */
struct power_button {
	u16 event;			/* c  a port */
	const volatile u32 *ged;	/* c  reading clears it */
};

static struct power_button button;

static void power_button_irq(void *data)
{
	const struct power_button *b = data;
	bool pressed;

	if (b->ged) {
		pressed = *b->ged & GED_POWER_DOWN;
	} else {
		pressed = inw(b->event) & PM1_BUTTON;
		/* Written back as one, the bit is cleared. */
		outw(PM1_BUTTON, b->event);
	}
	if (!pressed)
		return;
	pr_info("power button: SIGTERM for the program");
	signal_program(SIGTERM);
}

static void enable_pm1(const struct acpi_button *where)
{
	if (where->smi_port && !(inw(where->control) & PM1_SCI_EN))
		outb(where->smi_on, where->smi_port);
	outw(PM1_BUTTON, where->event);
	outw(PM1_BUTTON, where->enable);
}

void power_button_init(void)
{
	struct acpi_button where;
	int vector;

	if (!acpi_find_button(&where))
		return;
	vector = request_irq(power_button_irq, &button, "power button");
	if (vector < 0)
		return;
	button.event = where.event;
	if (where.ged)
		button.ged = ioremap(where.ged, GED_SIZE);
	/* PM1 holds its line until it is cleared, the other one blinks. */
	if (ioapic_route(where.gsi, vector, !where.ged)) {
		free_irq(vector);
		return;
	}
	if (!where.ged)
		enable_pm1(&where);
}
