/*
 * Where the kernel runs is drawn at each boot: any page of the topmost GiB
 * that leaves room for the image. It stays where it is in memory; head.S's
 * tables get a second view of it there, and what in it holds an address is
 * moved on, this code not excepted: the view that it was linked for goes on
 * working until paging_init().
 */
#include "boot/kaslr.h"

#include "boot/boot.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/param.h"
#include "kernel/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"

#define TOP_GIB		(1ul << 30)	/* from KERNEL_VMA on */
#define PER_TABLE	512

u64 pollux_kaslr_offset __ro_after_init = 0;

/* What tools/relocs has found: see there. Empty in the first link. */
extern const u8 kaslr_table[] __weak;

/* In head.S: entry 511 of the PDPT, its table, and that one's last ones. */
extern u64 boot_pdpt[], boot_kaslr_pd[], boot_kaslr_pt[];

bool kaslr_refused(const char *cmdline)
{
	static const char word[] = "nokaslr";
	const char *s = cmdline;

	while (*s) {
		size_t n = 0;

		while (s[n] && s[n] != ' ')
			n++;
		if (n == 2 && s[0] == '-' && s[1] == '-')
			return false;
		if (n == sizeof(word) - 1 && !memcmp(s, word, n))
			return true;
		s += n;
		while (*s == ' ')
			s++;
	}
	return false;
}

/* Known to the kernel's words; it has done its work by then. */
static int set_nokaslr(const char *val)
{
	return val ? -EINVAL : 0;
}
KERNEL_PARAM("nokaslr", set_nokaslr, "alone: the kernel runs as it is linked");

/* A second view of the image, @offset above the one it was linked for. */
static void map_again(u64 offset)
{
	u64 va = (u64)__image_start + offset;
	u64 pa = image_to_phys(__image_start);
	u64 end = image_to_phys(__image_end);
	u64 *entry = &boot_kaslr_pt[va / PAGE_SIZE % PER_TABLE];
	u64 first = va >> 21, tables;

	tables = ((va + end - pa - 1) >> 21) - first + 1;
	for (u64 i = 0; i < tables; i++)
		boot_kaslr_pd[(first + i) % PER_TABLE] =
			image_to_phys(boot_kaslr_pt + i * PER_TABLE) |
			PTE_P | PTE_W;
	for (; pa < end; pa += PAGE_SIZE)
		*entry++ = pa | PTE_P | PTE_W;
	boot_pdpt[511] = image_to_phys(boot_kaslr_pd) | PTE_P | PTE_W;
}

/* Code and data as bytes: addresses stand on any of them. */
struct any32 {
	u32 v;
} __packed __attribute__((may_alias));
struct any64 {
	u64 v;
} __packed __attribute__((may_alias));

/*
 * Moves on the addresses of a list: the distance from one to the next in one
 * byte, or in two, or in four; 0 ends it. What comes after it in the table.
 */
static const u8 *move_list(const u8 *p, u64 offset, bool wide)
{
	u8 *at = (u8 *)__text_start;
	u32 step;

	while ((step = *p++)) {
		if (step == KASLR_FAR) {
			step = p[0] | (u32)p[1] << 8 | (u32)p[2] << 16;
			p += 3;
		} else if (step >= KASLR_TWO) {
			step = ((step - KASLR_TWO) << 8 | *p++) + KASLR_TWO;
		}
		at += step;
		if (wide)
			((struct any64 *)at)->v += offset;
		else
			((struct any32 *)at)->v += (u32)offset;
	}
	return p;
}

void kaslr_move(const char *cmdline)
{
	u64 room = (TOP_GIB - image_to_phys(__image_end)) / PAGE_SIZE;
	u64 offset = TOP_GIB + early_random() % room * PAGE_SIZE;

	if (kaslr_refused(cmdline) || !&kaslr_table)
		return;
	map_again(offset);
	pollux_kaslr_offset = offset;
	move_list(move_list(kaslr_table, offset, false), offset, true);
}
