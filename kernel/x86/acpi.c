/*
 * The few ACPI tables that we read, once, at boot: root pointer, root table,
 * MADT. Lengths come from firmware and are checked before they are trusted.
 */
#include "kernel/x86/ioapic.h"

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
