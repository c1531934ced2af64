/*
 * What the boot loader told us, in one form for both doors (Multiboot2 and
 * PVH). boot/ fills it before start_kernel; everybody else only reads.
 */
#pragma once

#include "kernel/types.h"

#define BOOT_MAX_REGIONS 64

struct boot_region {
	phys_addr_t start;
	u64 len;		/* bytes */
	bool usable;		/* RAM, as opposed to reserved or ACPI */
};

struct boot_info {
	const char *door;	/* "multiboot2" or "pvh", for the log */
	unsigned int nr_regions;
	struct boot_region regions[BOOT_MAX_REGIONS];
	phys_addr_t initrd;	/* initramfs module, 0 if there is none */
	u64 initrd_len;
	phys_addr_t rsdp;	/* ACPI root pointer, 0 if unknown */
	u8 rsdp_copy[36];	/* where the loader gave it only as a copy */
	char cmdline[2048];	/* always terminated */
};

extern struct boot_info boot_info;
