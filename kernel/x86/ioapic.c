/*
 * I/O APICs (Intel 82093AA): route wired interrupts to vectors. Found in the
 * ACPI MADT, else at the customary address (and, for QEMU's microvm, a second
 * one). Set up when the first device asks, as most machines use MSI only.
 *
 * LOCKING: ioapic.lock guards the table and the index register of each.
 */
#include "kernel/x86/ioapic.h"

#include "kernel/errno.h"
#include "kernel/irq.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/spinlock.h"
#include "kernel/x86/apic.h"

#define IOAPIC_SELECT	0x00
#define IOAPIC_WINDOW	0x10
#define IOAPIC_VERSION	0x01	/* bits 16 to 23: last input */
#define IOAPIC_ENTRY	0x10	/* two registers per input */
#define ENTRY_LEVEL	(1u << 15)
#define ENTRY_DEST_SHIFT 24
#define IOAPIC_SIZE	4096

#define DEFAULT_ADDRESS	0xfec00000
#define SECOND_ADDRESS	0xfec10000	/* microvm: its virtio-mmio inputs */
#define SECOND_GSI	24
#define MAX_INPUTS	240

/* Locks: i lock. */
struct ioapic {
	volatile u8 *base;	/* i */
	u32 gsi;		/* i  of the first input */
	u32 inputs;		/* i */
};

static struct {
	struct spinlock lock;
	u32 nr;				/* i */
	struct ioapic chip[MAX_IOAPICS];	/* i */
} ioapics;

static u32 ioapic_read(const struct ioapic *chip, u32 reg)
{
	*(volatile u32 *)(chip->base + IOAPIC_SELECT) = reg;
	return *(volatile u32 *)(chip->base + IOAPIC_WINDOW);
}

static void ioapic_write(const struct ioapic *chip, u32 reg, u32 v)
{
	*(volatile u32 *)(chip->base + IOAPIC_SELECT) = reg;
	*(volatile u32 *)(chip->base + IOAPIC_WINDOW) = v;
}

static void add_ioapic(phys_addr_t pa, u32 gsi)
{
	struct ioapic *chip = &ioapics.chip[ioapics.nr];

	if (ioapics.nr == MAX_IOAPICS)
		return;
	chip->base = ioremap(pa, IOAPIC_SIZE);
	if (!chip->base)
		return;
	chip->gsi = gsi;
	chip->inputs = (ioapic_read(chip, IOAPIC_VERSION) >> 16 & 0xff) + 1;
	/* Nothing there reads as all ones or all zeroes. */
	if (chip->inputs > 1 && chip->inputs <= MAX_INPUTS)
		ioapics.nr++;
}

__stackprotect static void find_ioapics(void)
{
	struct ioapic_place place[MAX_IOAPICS];
	unsigned int n = madt_ioapics(place);

	for (unsigned int i = 0; i < n; i++)
		add_ioapic(place[i].pa, place[i].gsi);
	if (n)
		return;
	add_ioapic(DEFAULT_ADDRESS, 0);
	add_ioapic(SECOND_ADDRESS, SECOND_GSI);
}

static struct ioapic *ioapic_of(unsigned int gsi)
{
	for (u32 i = 0; i < ioapics.nr; i++) {
		struct ioapic *chip = &ioapics.chip[i];

		if (gsi >= chip->gsi && gsi - chip->gsi < chip->inputs)
			return chip;
	}
	return NULL;
}

int ioapic_route(unsigned int gsi, int vector, bool level)
{
	struct ioapic *chip;
	unsigned long irq;
	u32 reg;

	/* Boot maps them before there is a second task to race with. */
	if (!ioapics.nr)
		find_ioapics();
	irq = spin_lock_irqsave(&ioapics.lock);
	chip = ioapic_of(gsi);
	if (chip) {
		reg = IOAPIC_ENTRY + (gsi - chip->gsi) * 2;
		ioapic_write(chip, reg + 1, apic_id() << ENTRY_DEST_SHIFT);
		ioapic_write(chip, reg, (u32)vector |
					(level ? ENTRY_LEVEL : 0));
	}
	spin_unlock_irqrestore(&ioapics.lock, irq);
	return chip ? 0 : -ENODEV;
}
