/*
 * An image that came with the kernel, in one ELF: `pollux build -o app.elf`
 * adds a segment, a page with the command line and behind it the initramfs,
 * and writes here where it is. What the loader brings goes before it.
 */
#include "boot/boot.h"

#include "kernel/mm/page.h"

/* Found in the file by its magic; volatile, as it is not what it says here. */
static const volatile struct {
	char magic[16];
	u64 start, len;		/* physical; len of the initramfs */
} embedded __used = { .magic = "POLLUX-EMBEDDED" };

void boot_use_embedded(struct boot_info *out, boot_phys_fn phys)
{
	const void *cmdline = embedded.len ?
				      phys(embedded.start, PAGE_SIZE) : NULL;

	if (!cmdline)
		return;
	if (!out->initrd) {
		out->initrd = embedded.start + PAGE_SIZE;
		out->initrd_len = embedded.len;
	}
	if (!out->cmdline[0])
		boot_set_cmdline(out, cmdline, PAGE_SIZE);
}
