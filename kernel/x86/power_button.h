/* The power button, and what a hypervisor means by one. */
#pragma once

#include "kernel/types.h"

/* From here on the button asks the program to end. Task context, at boot. */
void power_button_init(void);

/* Where the button is (ACPI 6.5, 5.2.9), as kernel/x86/acpi.c found it. */
struct acpi_button {
	u16 gsi;		/* its interrupt */
	u16 event, enable;	/* ports of PM1's status and enable words */
	u16 control;		/* port of PM1's control word */
	u16 smi_port;		/* takes smi_on to hand ACPI over; or 0 */
	u8 smi_on;
	phys_addr_t ged;	/* QEMU's event device instead of PM1; or 0 */
};

/* True if there is a button. Task context, at boot. */
bool acpi_find_button(struct acpi_button *button);
