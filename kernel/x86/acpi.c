/*
 * The few ACPI tables that we read, at boot: root pointer, root table, MADT,
 * FADT. Lengths come from firmware and are checked before they are trusted.
 */
#include "kernel/x86/ioapic.h"
#include "kernel/x86/power_button.h"

#include "kernel/boot_info.h"
#include "kernel/compiler.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/string.h"

#define MAX_TABLE	65536
#define MADT_IOAPIC	1

/* ACPI 6.5, 5.2.5.3. */
struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
} __packed;

/* 5.2.6. */
struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
} __packed;

_Static_assert(sizeof(struct acpi_header) == 36, "wire layout");

/* 5.2.12 */
struct madt {
	struct acpi_header header;
	u32 lapic, flags;
} __packed;

/* 5.2.9, as far as we read it; what is beyond a table's length is zero. */
struct fadt {
	struct acpi_header header;
	u32 facs, dsdt;
	u8 reserved, profile;
	u16 sci_gsi;
	u32 smi_port;
	u8 smi_on, smi_off, s4bios, pstate;
	u32 pm1a_event, pm1b_event, pm1a_control;
	u8 skipped1[20], pm1_event_len, skipped2[23];
	u32 flags;
	u8 skipped3[132];
	u64 sleep_control;
} __packed;

_Static_assert(offsetof(struct fadt, flags) == 112 &&
	       offsetof(struct fadt, sleep_control) == 248, "wire layout");

#define FADT_CONTROL_METHOD_BUTTON (1u << 4)	/* not a fixed one */
#define FADT_HW_REDUCED		(1u << 20)	/* no PM1 registers */
/* QEMU's microvm: its event device, and its sleep register behind that. */
#define QEMU_GED		0xfea00000
#define QEMU_GED_SLEEP		0xfea00200
#define QEMU_GED_GSI		9

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, gsi;
} __packed;

/* Maps the table at @pa whole; the caller iounmap()s it. NULL if unusable. */
static const struct acpi_header *map_table(phys_addr_t pa)
{
	const struct acpi_header *h = ioremap(pa, sizeof(*h));
	u32 length;

	if (!h)
		return NULL;
	length = h->length;
	iounmap(h);
	if (length < sizeof(*h) || length > MAX_TABLE)
		return NULL;
	return ioremap(pa, length);
}

/* The @i-th table that the root table points to, 0 behind the last. */
static phys_addr_t root_entry(const struct acpi_header *root, bool wide,
			      unsigned int i)
{
	size_t size = wide ? 8 : 4;
	size_t at = sizeof(*root) + i * size;
	u64 pa = 0;

	if (at + size > root->length)
		return 0;
	memcpy(&pa, (const u8 *)root + at, size);
	return pa;
}

static const struct acpi_header *find_in(const struct acpi_header *root,
					 bool wide, const char *signature)
{
	const struct acpi_header *table;
	phys_addr_t pa;

	for (unsigned int i = 0; (pa = root_entry(root, wide, i)); i++) {
		table = map_table(pa);
		if (!table)
			continue;
		if (!memcmp(table->signature, signature, 4))
			return table;
		iounmap(table);
	}
	return NULL;
}

/* Maps the first table called @signature; the caller iounmap()s it. */
static const struct acpi_header *find_table(const char *signature)
{
	const struct acpi_header *root, *table = NULL;
	const struct rsdp *rsdp;
	bool wide = false;

	if (!boot_info.rsdp)
		return NULL;
	rsdp = ioremap(boot_info.rsdp, sizeof(*rsdp));
	if (!rsdp)
		return NULL;
	wide = rsdp->revision >= 2 && rsdp->xsdt;
	root = map_table(wide ? rsdp->xsdt : rsdp->rsdt);
	if (root) {
		table = find_in(root, wide, signature);
		iounmap(root);
	}
	iounmap(rsdp);
	return table;
}

unsigned int madt_ioapics(struct ioapic_place place[MAX_IOAPICS])
{
	const struct acpi_header *madt = find_table("APIC");
	unsigned int n = 0;
	const u8 *p, *end;

	if (!madt)
		return 0;
	p = (const u8 *)madt + sizeof(struct madt);
	end = (const u8 *)madt + madt->length;
	while (n < MAX_IOAPICS && end - p >= 2 && p[1] >= 2 &&
	       p[1] <= end - p) {
		struct madt_ioapic entry;

		if (p[0] == MADT_IOAPIC && p[1] >= sizeof(entry)) {
			memcpy(&entry, p, sizeof(entry));
			place[n++] = (struct ioapic_place){
				.pa = entry.address, .gsi = entry.gsi,
			};
		}
		p += p[1];
	}
	iounmap(madt);
	return n;
}

bool acpi_find_button(struct acpi_button *button)
{
	const struct acpi_header *table = find_table("FACP");
	struct fadt fadt = { .flags = 0 };

	*button = (struct acpi_button){ .gsi = 0 };
	if (!table)
		return false;
	memcpy(&fadt, table, min((size_t)table->length, sizeof(fadt)));
	iounmap(table);
	if (fadt.flags & FADT_HW_REDUCED) {
		button->gsi = QEMU_GED_GSI;
		button->ged = QEMU_GED;
		return fadt.sleep_control == QEMU_GED_SLEEP;
	}
	button->gsi = fadt.sci_gsi;
	button->event = (u16)fadt.pm1a_event;
	button->enable = (u16)(fadt.pm1a_event + fadt.pm1_event_len / 2);
	button->control = (u16)fadt.pm1a_control;
	button->smi_port = (u16)fadt.smi_port;
	button->smi_on = fadt.smi_on;
	return button->event && !(fadt.flags & FADT_CONTROL_METHOD_BUTTON);
}
