/*
 * The one form of what the loaders say, and the first C code that runs:
 * boot_main() picks the parser and moves the kernel; boot_moved() goes on to
 * start_kernel().
 */
#include "boot/boot.h"
#include "boot/kaslr.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "kernel/x86/early_console.h"
#include "kernel/x86/sections.h"

struct boot_info boot_info;

void boot_add_region(struct boot_info *out, phys_addr_t start, u64 len,
		     bool usable)
{
	struct boot_region *r;

	if (!len || start + len < start)
		return;
	if (out->nr_regions) {
		r = &out->regions[out->nr_regions - 1];
		if (r->usable == usable && r->start + r->len == start) {
			r->len += len;
			return;
		}
	}
	if (out->nr_regions == BOOT_MAX_REGIONS)
		return;
	r = &out->regions[out->nr_regions++];
	r->start = start;
	r->len = len;
	r->usable = usable;
}

void boot_set_cmdline(struct boot_info *out, const char *s, u64 max)
{
	size_t n = strnlen(s, min(max, sizeof(out->cmdline) - 1));

	memcpy(out->cmdline, s, n);
	out->cmdline[n] = '\0';
}

/* head.S maps the first 4 GiB at their own addresses. */
static const void *phys_identity(phys_addr_t pa, u64 len)
{
	if (!pa || pa >= 1ull << 32 || len > (1ull << 32) - pa)
		return NULL;
	return (const void *)pa;
}

int boot_main(u32 magic, u32 info)
{
	int err;

	if (magic == MULTIBOOT2_MAGIC)
		err = multiboot2_parse(info, phys_identity, &boot_info);
	else
		err = pvh_parse(info, phys_identity, &boot_info);
	boot_use_embedded(&boot_info, phys_identity);
	kaslr_move(boot_info.cmdline);
	return err;
}

void boot_moved(u32 magic, int err)
{
	early_console_init();
	if (err)
		panic("boot: the loader's tables (magic %#x) make no sense; "
		      "boot by GRUB's multiboot2 or QEMU's -kernel", magic);
	/* The one pointer from before the move. */
	boot_info.door += pollux_kaslr_offset;
	if (!boot_info.rsdp && boot_info.rsdp_copy[0])
		boot_info.rsdp = image_to_phys(boot_info.rsdp_copy);
	start_kernel();
}
