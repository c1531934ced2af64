/* Made-up PCI configuration spaces, for tests of what reads them. */
#pragma once

#include "drivers/pci.h"
#include "kernel/types.h"

#define FUNCTIONS 8

/* A function: its space, and which bits of its BARs are wired. */
struct function {
	u16 bdf;
	u32 conf[64];
	u32 bar_mask[PCI_BARS];
	bool high[PCI_BARS];		/* upper half of the one before */
};

extern bool fake_pci_present;		/* is there a host bridge? */
extern unsigned int fake_pci_reads;
extern phys_addr_t mapped_at;		/* what ioremap() was asked for last */
extern size_t mapped_len;
extern u8 registers[4096];		/* what it gave, at BAR offset % 4096 */

/* No functions, but a bridge. */
void fake_pci_reset(void);
struct function *add(u16 bdf, u16 vendor, u16 device);
void set8(struct function *f, unsigned int off, u8 val);
/* A memory BAR of @size bytes at @addr; @flags as in the register. */
void set_bar(struct function *f, unsigned int nr, u64 addr, u64 size,
	     u32 flags);
/* A function with a list of capabilities; the list is still to be set. */
struct function *with_caps(void);
void set_cap(struct function *f, u8 at, u8 id, u8 next);
struct pci_dev dev_of(const struct function *f);
