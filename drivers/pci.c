/*
 * PCI devices: enumeration, capabilities, BARs, MSI-X. Firmware has given out
 * bus numbers and addresses; nothing is moved here. Configuration reads are
 * slow under an emulator, so only what is needed is read. What a device says
 * of itself is checked before it is followed.
 */
#include "drivers/pci.h"

#include "kernel/errno.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/x86/io.h"

#define PCI_SLOTS	32
#define PCI_FUNCTIONS	8
#define HEADER_TYPE	0x7f
#define HEADER_BRIDGE	1
#define HEADER_MULTI	0x80

/* 192 bytes of capabilities, at least 4 each. */
#define CAPS_MAX	48
#define CAPS_START	0x40

#define BAR_IO		0x1u
#define BAR_TYPE	0x6u
#define BAR_64		0x4u
#define BAR_ADDR	0xfffffff0u

/* MSI-X (6.8.2): message control, table; entries of 16 bytes. */
#define MSIX_CONTROL	2
#define MSIX_TABLE	4
#define MSIX_NR		0x07ff
#define MSIX_MASK_ALL	0x4000
#define MSIX_ENABLE	0x8000
#define MSIX_BIR	0x7u
#define MSIX_ENTRY	16
#define ENTRY_ADDR	0
#define ENTRY_ADDR_HI	4
#define ENTRY_DATA	8
#define ENTRY_CONTROL	12
#define ENTRY_MASKED	1u

u16 pci_conf_read16(u16 bdf, u16 off)
{
	return (u16)(pci_conf_read32(bdf, off & ~3) >> (off & 2) * 8);
}

u8 pci_conf_read8(u16 bdf, u16 off)
{
	return (u8)(pci_conf_read32(bdf, off & ~3) >> (off & 3) * 8);
}

void pci_conf_write16(u16 bdf, u16 off, u16 val)
{
	unsigned int shift = (off & 2) * 8;
	u32 old = pci_conf_read32(bdf, off & ~3);

	/* Bits of the status register beside PCI_COMMAND clear by ones. */
	if ((off & ~3) == PCI_COMMAND)
		old = 0;
	pci_conf_write32(bdf, off & ~3,
			 (old & ~(0xffffu << shift)) | (u32)val << shift);
}

/* One function; returns its header type, or -ENODEV if nobody answers. */
static int scan_function(u16 bdf,
			 void (*fn)(const struct pci_dev *dev, void *arg),
			 void *arg)
{
	u32 id = pci_conf_read32(bdf, PCI_VENDOR_ID);
	struct pci_dev dev = {
		.bdf = bdf, .vendor = (u16)id, .device = (u16)(id >> 16),
	};

	if (dev.vendor == 0xffff || dev.vendor == 0)
		return -ENODEV;
	fn(&dev, arg);
	return pci_conf_read8(bdf, PCI_HEADER_TYPE);
}

/*
 * The buses behind bridges have higher numbers than the bridge's own, so a
 * wrong bridge cannot send us round in circles: marked buses are done once.
 */
void pci_scan(void (*fn)(const struct pci_dev *dev, void *arg), void *arg)
{
	u8 todo[256] = { 1 };

	if (!pci_conf_present())
		return;
	for (unsigned int i = 0; i < 256u * PCI_SLOTS; i++) {
		u16 bdf = (u16)(i * PCI_FUNCTIONS);
		unsigned int functions = 1;

		if (!todo[bdf >> 8]) {
			i += PCI_SLOTS - 1;
			continue;
		}
		for (unsigned int f = 0; f < functions; f++) {
			int type = scan_function((u16)(bdf + f), fn, arg);

			if (type < 0)
				continue;
			if (f == 0 && (type & HEADER_MULTI))
				functions = PCI_FUNCTIONS;
			if ((type & HEADER_TYPE) == HEADER_BRIDGE)
				todo[pci_conf_read8((u16)(bdf + f),
						    PCI_SECONDARY_BUS)] = 1;
		}
	}
}

u8 pci_find_capability(const struct pci_dev *dev, u8 id, u8 pos)
{
	u16 next;

	if (pos)
		next = pos + 1;
	else if (pci_conf_read16(dev->bdf, PCI_STATUS) & PCI_STATUS_CAP_LIST)
		next = PCI_CAPABILITIES;
	else
		return 0;
	for (unsigned int i = 0; i < CAPS_MAX; i++) {
		pos = pci_conf_read8(dev->bdf, next) & ~3;
		if (pos < CAPS_START)
			return 0;
		if (pci_conf_read8(dev->bdf, pos) == id)
			return pos;
		next = pos + 1;
	}
	return 0;
}

/* Writes ones to a BAR register to see which address bits it has. */
static u32 size_mask(u16 bdf, u16 reg, u32 old)
{
	u32 mask;

	pci_conf_write32(bdf, reg, UINT32_MAX);
	mask = pci_conf_read32(bdf, reg);
	pci_conf_write32(bdf, reg, old);
	return mask;
}

int pci_read_bar(const struct pci_dev *dev, unsigned int nr,
		 struct pci_bar *bar)
{
	u16 reg = (u16)(PCI_BAR0 + nr * 4);
	u16 command;
	u32 low, high = 0;
	u64 mask = 0xffffffff00000000ull;
	bool wide;

	if (nr >= PCI_BARS)
		return -EINVAL;
	low = pci_conf_read32(dev->bdf, reg);
	wide = (low & BAR_TYPE) == BAR_64;
	if ((low & BAR_IO) || (wide && nr + 1 == PCI_BARS))
		return -EINVAL;
	/* It must not answer at the test address meanwhile. */
	command = pci_conf_read16(dev->bdf, PCI_COMMAND);
	pci_conf_write16(dev->bdf, PCI_COMMAND,
			 command & ~PCI_COMMAND_MEMORY);
	mask |= size_mask(dev->bdf, reg, low) & BAR_ADDR;
	if (wide) {
		high = pci_conf_read32(dev->bdf, reg + 4);
		mask &= (u64)size_mask(dev->bdf, reg + 4, high) << 32 |
			UINT32_MAX;
	}
	pci_conf_write16(dev->bdf, PCI_COMMAND, command);
	bar->addr = (u64)high << 32 | (low & BAR_ADDR);
	bar->size = (u32)mask || wide ? ~mask + 1 : 0;
	return bar->addr && bar->size ? 0 : -EINVAL;
}

volatile void *pci_map(const struct pci_dev *dev, unsigned int nr, u64 off,
		       u64 len)
{
	struct pci_bar bar;

	if (pci_read_bar(dev, nr, &bar) || !len || off > bar.size ||
	    len > bar.size - off)
		return NULL;
	return ioremap(bar.addr + off, len);
}

void pci_enable(const struct pci_dev *dev)
{
	u16 command = pci_conf_read16(dev->bdf, PCI_COMMAND);

	pci_conf_write16(dev->bdf, PCI_COMMAND,
			 command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			 PCI_COMMAND_NO_INTX);
}

static void set_msix_control(const struct pci_dev *dev, u16 bits)
{
	pci_conf_write16(dev->bdf, dev->msix_cap + MSIX_CONTROL, bits);
}

int pci_msix_init(struct pci_dev *dev)
{
	u8 cap = pci_find_capability(dev, PCI_CAP_ID_MSIX, 0);
	u16 nr;
	u32 table;

	if (!cap)
		return -ENODEV;
	nr = (pci_conf_read16(dev->bdf, cap + MSIX_CONTROL) & MSIX_NR) + 1;
	table = pci_conf_read32(dev->bdf, cap + MSIX_TABLE);
	dev->msix_table = pci_map(dev, table & MSIX_BIR, table & ~MSIX_BIR,
				  (u64)nr * MSIX_ENTRY);
	if (!dev->msix_table)
		return -EINVAL;
	dev->msix_cap = cap;
	set_msix_control(dev, MSIX_ENABLE | MSIX_MASK_ALL);
	for (unsigned int i = 0; i < nr; i++)
		writel(ENTRY_MASKED,
		       dev->msix_table + i * MSIX_ENTRY + ENTRY_CONTROL);
	dev->nr_msix = nr;
	set_msix_control(dev, MSIX_ENABLE);
	return nr;
}

void pci_msix_set(const struct pci_dev *dev, unsigned int nr,
		  struct msi_msg msg)
{
	volatile u8 *entry = dev->msix_table + nr * MSIX_ENTRY;

	writel(ENTRY_MASKED, entry + ENTRY_CONTROL);
	writel((u32)msg.address, entry + ENTRY_ADDR);
	writel((u32)(msg.address >> 32), entry + ENTRY_ADDR_HI);
	writel(msg.data, entry + ENTRY_DATA);
	writel(0, entry + ENTRY_CONTROL);
}
