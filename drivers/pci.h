/*
 * PCI: finding devices, their capabilities, BARs and MSI-X vectors. Boot
 * only, task context, one caller; nothing here is on the packet's road.
 * Offsets are those of PCI Local Bus 3.0, chapter 6.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/irq.h"
#include "kernel/types.h"

#define PCI_VENDOR_ID		0x00
#define PCI_DEVICE_ID		0x02
#define PCI_COMMAND		0x04
#define PCI_STATUS		0x06
#define PCI_HEADER_TYPE		0x0e
#define PCI_BAR0		0x10
#define PCI_SECONDARY_BUS	0x19	/* bridges */
#define PCI_SUBSYSTEM_ID	0x2e
#define PCI_CAPABILITIES	0x34

#define PCI_COMMAND_MEMORY	0x0002
#define PCI_COMMAND_MASTER	0x0004
#define PCI_COMMAND_NO_INTX	0x0400
#define PCI_STATUS_CAP_LIST	0x0010

#define PCI_CAP_ID_VENDOR	0x09
#define PCI_CAP_ID_MSIX		0x11

#define PCI_BARS		6

/* One function of one device. */
struct pci_dev {
	u16 bdf;			/* bus 15:8, device 7:3, function 2:0 */
	u16 vendor, device;
	u16 nr_msix;			/* vectors; 0 before pci_msix_init */
	u8 msix_cap;			/* offset of the capability */
	volatile u8 *msix_table;
};

/* --- configuration space (pci_conf.c) --- */

/* Is there a PCI host bridge to ask? */
bool pci_conf_present(void);
/* @off is a multiple of 4; reads of what is not there give all ones. */
u32 pci_conf_read32(u16 bdf, u16 off);
void pci_conf_write32(u16 bdf, u16 off, u32 val);

/* The parts of it, by natural alignment. */
u16 pci_conf_read16(u16 bdf, u16 off);
u8 pci_conf_read8(u16 bdf, u16 off);
/* Not for PCI_STATUS, which a neighbour's write would clear. */
void pci_conf_write16(u16 bdf, u16 off, u16 val);

/* --- devices (pci.c) --- */

/* Calls @fn for each function found; it copies @dev if it wants to keep it. */
void pci_scan(void (*fn)(const struct pci_dev *dev, void *arg), void *arg);

/*
 * The next capability with @id after offset @pos (0: the first); 0 if there
 * is none. A list that runs in circles or off the road ends.
 */
u8 pci_find_capability(const struct pci_dev *dev, u8 id, u8 pos);

/* Where a memory BAR lies and how large it is. */
struct pci_bar {
	phys_addr_t addr;
	u64 size;
};

/* 0, or -EINVAL: no such BAR, an I/O BAR, or firmware gave it no address. */
int pci_read_bar(const struct pci_dev *dev, unsigned int nr,
		 struct pci_bar *bar) __must_check;

/* Maps @len bytes at @off of BAR @nr; NULL if they are not all inside it. */
volatile void *pci_map(const struct pci_dev *dev, unsigned int nr, u64 off,
		       u64 len) __must_check;

/* Lets the device answer at its BARs and reach memory; INTx stays off. */
void pci_enable(const struct pci_dev *dev);

/* Turns MSI-X on, all vectors masked: their number, or -errno. */
int pci_msix_init(struct pci_dev *dev) __must_check;
/* Vector @nr raises @msg from now on. */
void pci_msix_set(const struct pci_dev *dev, unsigned int nr,
		  struct msi_msg msg);
