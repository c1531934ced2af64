/*
 * Multiboot2 information structure (specification 1.6, section 3.6): a total
 * size, then tags of {type, size} padded to 8 bytes, up to a tag of type 0.
 */
#include "boot/boot.h"
#include "kernel/errno.h"
#include "kernel/string.h"

#define MB2_MAX_SIZE	(1u << 20)	/* more than any loader writes */

enum mb2_tag_type {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_MMAP = 6,
	MB2_ACPI_OLD = 14,
	MB2_ACPI_NEW = 15,
};

struct mb2_tag {
	u32 type;
	u32 size;	/* with this header, without the padding */
};

struct mb2_mmap {
	u32 entry_size;
	u32 entry_version;
};

struct mb2_mmap_entry {
	u64 addr;
	u64 len;
	u32 type;	/* 1: RAM */
	u32 reserved;
};

_Static_assert(sizeof(struct mb2_mmap_entry) == 24, "3.6.8");

static void parse_mmap(const u8 *body, u32 len, struct boot_info *out)
{
	struct mb2_mmap_entry e;
	struct mb2_mmap m;

	if (len < sizeof(m))
		return;
	memcpy(&m, body, sizeof(m));
	if (m.entry_size < sizeof(e))
		return;
	body += sizeof(m);
	len -= sizeof(m);
	for (; len >= m.entry_size; body += m.entry_size, len -= m.entry_size) {
		memcpy(&e, body, sizeof(e));
		boot_add_region(out, e.addr, e.len, e.type == 1);
	}
}

/* The first module is the initramfs; the rest have no meaning here. */
static void parse_module(const u8 *body, u32 len, struct boot_info *out)
{
	u32 range[2];

	if (len < sizeof(range) || out->initrd)
		return;
	memcpy(range, body, sizeof(range));
	if (range[1] <= range[0])
		return;
	out->initrd = range[0];
	out->initrd_len = range[1] - range[0];
}

/*
 * GRUB passes only the arguments, other loaders the image's path before
 * them. No word of ours starts with a slash, so such a first word goes.
 */
static void parse_cmdline(const char *s, u32 len, struct boot_info *out)
{
	u32 skip = 0;

	if (len && s[0] == '/') {
		while (skip < len && s[skip] && s[skip] != ' ')
			skip++;
		while (skip < len && s[skip] == ' ')
			skip++;
	}
	boot_set_cmdline(out, s + skip, len - skip);
}

/* The tag holds a copy of the root pointer; the newer version wins. */
static void parse_rsdp(const u8 *body, u32 len, bool newer,
		       struct boot_info *out)
{
	if (!newer && out->rsdp_copy[0])
		return;
	memcpy(out->rsdp_copy, body,
	       min((size_t)len, sizeof(out->rsdp_copy)));
}

static void parse_tag(u32 type, const u8 *body, u32 len,
		      struct boot_info *out)
{
	switch (type) {
	case MB2_CMDLINE:
		parse_cmdline((const char *)body, len, out);
		break;
	case MB2_MODULE:
		parse_module(body, len, out);
		break;
	case MB2_MMAP:
		parse_mmap(body, len, out);
		break;
	case MB2_ACPI_OLD:
	case MB2_ACPI_NEW:
		parse_rsdp(body, len, type == MB2_ACPI_NEW, out);
		break;
	default:
		break;
	}
}

int multiboot2_parse(phys_addr_t pa, boot_phys_fn phys, struct boot_info *out)
{
	const u8 *info = phys(pa, 8);
	struct mb2_tag tag;
	u32 total, off;

	out->door = "multiboot2";
	if (!info)
		return -EINVAL;
	memcpy(&total, info, sizeof(total));
	if (total < 16 || total > MB2_MAX_SIZE)
		return -EINVAL;
	info = phys(pa, total);
	if (!info)
		return -EINVAL;
	for (off = 8; off + sizeof(tag) <= total;
	     off += ALIGN_UP(tag.size, 8u)) {
		memcpy(&tag, info + off, sizeof(tag));
		if (tag.type == MB2_END)
			break;
		if (tag.size < sizeof(tag) || tag.size > total - off)
			return -EINVAL;
		parse_tag(tag.type, info + off + sizeof(tag),
			  tag.size - sizeof(tag), out);
	}
	return out->nr_regions ? 0 : -EINVAL;
}
