/* Where ACPI says the I/O APICs are. */
#pragma once

#include "kernel/types.h"

#define MAX_IOAPICS 4

struct ioapic_place {
	phys_addr_t pa;
	u32 gsi;		/* number of its first input */
};

/*
 * Fills @place from the MADT (ACPI 6.5 section 5.2.12) and returns how many
 * there are; 0 if there is no usable table. Task context at boot.
 */
unsigned int madt_ioapics(struct ioapic_place place[MAX_IOAPICS]);
