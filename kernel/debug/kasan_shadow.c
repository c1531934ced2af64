/* The memory behind KASAN's shadow: mapped where kernel memory is mapped. */
#include "kernel/debug/kasan.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/panic.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"

static u64 shadow_of(u64 va)
{
	return (va >> 3) + KASAN_OFFSET;
}

/* 0, or -ENOMEM. */
static int map_shadow(u64 va, u64 end)
{
	u64 at = ALIGN_DOWN(shadow_of(va), PAGE_SIZE);

	for (; at < shadow_of(end); at += PAGE_SIZE) {
		u64 *entry = kernel_entry(at, 1, true);
		phys_addr_t pa;

		if (!entry)
			return -ENOMEM;
		if (*entry & PTE_P)
			continue;
		pa = table_alloc();
		if (!pa)
			return -ENOMEM;
		WRITE_ONCE(*entry, pa | PTE_P | PTE_W | PTE_A | PTE_D);
	}
	return 0;
}

void kasan_map_direct(u64 va, u64 end)
{
	BUG_ON(map_shadow(va, end));
}

void kasan_map_image(void)
{
	BUG_ON(map_shadow((u64)__image_start, (u64)__image_end));
	/* Address spaces copy the root: what hangs in it later must be one. */
	BUG_ON(!kernel_entry(shadow_of(VMALLOC_START), 3, true));
}

int kasan_map_page(u64 va)
{
	volatile u64 *shadow = (volatile u64 *)shadow_of(va);

	if (map_shadow(va, va + PAGE_SIZE))
		return -ENOMEM;
	for (u64 i = 0; i < PAGE_SIZE / 64; i++)
		shadow[i] = 0;
	return 0;
}
