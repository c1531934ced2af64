/*
 * PCI configuration space through ports 0xcf8 and 0xcfc (configuration
 * mechanism #1, PCI Local Bus 3.0, 3.2.2.3.2). It reaches the first 256
 * bytes of each function, which hold all that we ask for; on machines
 * without it (microvm) there is no PCI for us.
 *
 * LOCKING: an access is two port accesses, kept together by conf_lock.
 */
#include "drivers/pci.h"

#include "kernel/spinlock.h"
#include "kernel/x86/io.h"

#define CONF_ADDRESS	0xcf8
#define CONF_DATA	0xcfc
#define CONF_ENABLE	0x80000000u

static struct spinlock conf_lock = SPINLOCK_INIT;

static void select(u16 bdf, u16 off)
{
	outl(CONF_ENABLE | (u32)bdf << 8 | (off & 0xfcu), CONF_ADDRESS);
}

bool pci_conf_present(void)
{
	outl(CONF_ENABLE, CONF_ADDRESS);
	return inl(CONF_ADDRESS) == CONF_ENABLE;
}

u32 pci_conf_read32(u16 bdf, u16 off)
{
	unsigned long flags = spin_lock_irqsave(&conf_lock);
	u32 val;

	select(bdf, off);
	val = inl(CONF_DATA);
	spin_unlock_irqrestore(&conf_lock, flags);
	return val;
}

void pci_conf_write32(u16 bdf, u16 off, u32 val)
{
	unsigned long flags = spin_lock_irqsave(&conf_lock);

	select(bdf, off);
	outl(val, CONF_DATA);
	spin_unlock_irqrestore(&conf_lock, flags);
}
