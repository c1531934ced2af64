/*
 * The PVH start of day structure, as Xen's public header start_info.h lays
 * it out: version 1 brings the memory map, which we need.
 */
#include "boot/boot.h"
#include "kernel/errno.h"
#include "kernel/string.h"

#define PVH_MAX_MEMMAP	1024
#define E820_RAM	1

struct hvm_start_info {
	u32 magic;
	u32 version;
	u32 flags;
	u32 nr_modules;
	u64 modlist;
	u64 cmdline;
	u64 rsdp;
	u64 memmap;		/* from version 1 on */
	u32 memmap_entries;
	u32 reserved;
};

struct hvm_module {
	u64 addr;
	u64 size;
	u64 cmdline;
	u64 reserved;
};

struct hvm_memmap {
	u64 addr;
	u64 size;
	u32 type;		/* as in the BIOS's E820 map */
	u32 reserved;
};

_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info.h");
_Static_assert(sizeof(struct hvm_module) == 32, "start_info.h");
_Static_assert(sizeof(struct hvm_memmap) == 24, "start_info.h");

/* The string ends somewhere below the page that it may not leave. */
static void parse_cmdline(phys_addr_t pa, boot_phys_fn phys,
			  struct boot_info *out)
{
	u64 max = sizeof(out->cmdline);
	const char *s;

	while (max && !phys(pa, max))
		max /= 2;
	s = max ? phys(pa, max) : NULL;
	if (s)
		boot_set_cmdline(out, s, max);
}

static int parse_memmap(const struct hvm_start_info *si, boot_phys_fn phys,
			struct boot_info *out)
{
	const u8 *map;
	struct hvm_memmap e;
	u32 i;

	if (si->memmap_entries > PVH_MAX_MEMMAP)
		return -EINVAL;
	map = phys(si->memmap, si->memmap_entries * sizeof(e));
	if (!map)
		return -EINVAL;
	for (i = 0; i < si->memmap_entries; i++) {
		memcpy(&e, map + i * sizeof(e), sizeof(e));
		boot_add_region(out, e.addr, e.size, e.type == E820_RAM);
	}
	return out->nr_regions ? 0 : -EINVAL;
}

int pvh_parse(phys_addr_t pa, boot_phys_fn phys, struct boot_info *out)
{
	struct hvm_start_info si;
	struct hvm_module mod;
	const void *p = phys(pa, sizeof(si));

	out->door = "pvh";
	if (!p)
		return -EINVAL;
	memcpy(&si, p, sizeof(si));
	if (si.magic != PVH_MAGIC || si.version < 1)
		return -EINVAL;
	out->rsdp = si.rsdp;
	if (si.cmdline)
		parse_cmdline(si.cmdline, phys, out);
	p = si.nr_modules ? phys(si.modlist, sizeof(mod)) : NULL;
	if (p) {
		memcpy(&mod, p, sizeof(mod));
		if (mod.size && mod.addr + mod.size > mod.addr) {
			out->initrd = mod.addr;
			out->initrd_len = mod.size;
		}
	}
	return parse_memmap(&si, phys, out);
}
