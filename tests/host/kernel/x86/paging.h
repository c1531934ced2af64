/* User page tables for host tests: a short list of entries (paging.c). */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define PTE_P		(1ul << 0)
#define PTE_W		(1ul << 1)
#define PTE_COW		(1ul << 9)
#define PTE_BORROWED	(1ul << 10)
#define PTE_NX		(1ul << 63)
#define PTE_ADDR	0x000ffffffffff000ul

#define PAGE_KERNEL	(PTE_P | PTE_W | PTE_NX)
#define PAGE_KERNEL_IO	(PAGE_KERNEL | 1ul << 4)

u64 *pt_user_entry(phys_addr_t pgd, u64 va, bool alloc);
u64 *pt_user_next(phys_addr_t pgd, u64 *va, u64 end);
void pt_free_tables(phys_addr_t pgd, u64 start, u64 end, u64 low, u64 high);
u64 pt_make_user(phys_addr_t pa, u32 prot);
phys_addr_t pgd_create(void);
void pgd_destroy(phys_addr_t pgd);
void pgd_load(phys_addr_t pgd);
void tlb_flush_page(u64 va);

/* The kernel half: pages by address, in the same list. */
u64 vmalloc_random_base(u64 span);
int map_kernel_page(u64 va, phys_addr_t pa, u64 prot) __must_check;
phys_addr_t unmap_kernel_page(u64 va);
