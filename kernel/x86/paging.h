/*
 * Page tables (Intel SDM volume 3, 4.5: four levels, 4 KiB pages, large ones
 * in the direct map). One kernel half serves every address space.
 *
 * LOCKING: none here. Kernel mappings are changed under the caller's lock
 * (vmalloc), user mappings under mm->lock. A table page once hung in stays,
 * so a walk needs no lock.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define PTE_P		(1ul << 0)	/* present */
#define PTE_W		(1ul << 1)	/* writable */
#define PTE_U		(1ul << 2)	/* user */
#define PTE_PWT		(1ul << 3)	/* with PCD: uncached */
#define PTE_PCD		(1ul << 4)
#define PTE_A		(1ul << 5)	/* accessed */
#define PTE_D		(1ul << 6)	/* written */
#define PTE_PS		(1ul << 7)	/* a large page, in a directory */
#define PTE_G		(1ul << 8)	/* survives a CR3 load */
/* Ours, in a user entry: kernel/mm/mm_fault.c says what they mean. */
#define PTE_COW		(1ul << 9)
#define PTE_BORROWED	(1ul << 10)
#define PTE_NX		(1ul << 63)	/* not executable, if the CPU has it */
#define PTE_ADDR	0x000ffffffffff000ul

/* Kinds of kernel page. */
#define PAGE_KERNEL	(PAGE_KERNEL_RO | PTE_W | PTE_D)
#define PAGE_KERNEL_RO	(PTE_P | PTE_G | PTE_NX | PTE_A)
#define PAGE_KERNEL_RX	(PTE_P | PTE_G | PTE_A)
#define PAGE_KERNEL_IO	(PAGE_KERNEL | PTE_PCD | PTE_PWT)

/*
 * Builds the final kernel map and leaves the boot tables: the direct map at
 * a random base in the largest pages there are, the image with exact
 * protection, nothing else. Boot, after memblock_init().
 */
void paging_init(void);

/*
 * Makes .data..ro_after_init read-only, unmaps and gives back the init code
 * and tables. Boot, when set-up is over.
 */
void mark_rodata_ro(void);
void free_initmem(void);

/* Where vmalloc's random part of the address space begins. Boot. */
u64 vmalloc_random_base(u64 span);

/*
 * Maps one page of the kernel half, which must be free. 0 or -ENOMEM (for a
 * table). Task context.
 */
int map_kernel_page(u64 va, phys_addr_t pa, u64 prot) __must_check;
/* The entry of @va in the kernel's table of @level; NULL if there is none. */
u64 *kernel_entry(u64 va, unsigned int level, bool alloc);
/* A zeroed page for a table; 0 if memory is out. Any context. */
phys_addr_t table_alloc(void);
/* Unmaps one page; returns what it mapped, 0 if nothing. */
phys_addr_t unmap_kernel_page(u64 va);

/* True if reading kernel address @va does not fault. Any context. */
bool kernel_va_mapped(u64 va);

/*
 * User half, 4 KiB pages. An entry that is not zero holds a page, even where
 * PROT_NONE keeps PTE_P out of it. pt_user_entry() returns the entry of @va in
 * the tables of @pgd: NULL if there is no table (@alloc: nor memory for one).
 */
u64 *pt_user_entry(phys_addr_t pgd, u64 va, bool alloc);

/*
 * The first entry that is not zero at or after *@va and below @end, with *@va
 * moved to it; NULL if there is none. Steps over missing tables at once.
 */
u64 *pt_user_next(phys_addr_t pgd, u64 *va, u64 end);

/*
 * Frees the tables below the root that hold anything of [@start, @end) and
 * nothing outside of [@low, @high), where no page is mapped.
 */
void pt_free_tables(phys_addr_t pgd, u64 start, u64 end, u64 low, u64 high);

/* The entry for page @pa under PROT_ bits @prot. */
u64 pt_make_user(phys_addr_t pa, u32 prot);

/* A page-table root with the kernel half in it; 0 if out of memory. */
phys_addr_t pgd_create(void);
/* Frees the root and all user tables; pages were unmapped before. */
void pgd_destroy(phys_addr_t pgd);
void pgd_load(phys_addr_t pgd);

/*
 * Drops the CPU's cached translation of @va. To be called after an entry was
 * changed from present to anything else.
 */
static inline void tlb_flush_page(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* The same for all of the user half. */
void tlb_flush_user(void);

/* The address whose access faulted last. */
static inline u64 fault_address(void)
{
	u64 va;

	__asm__ volatile("mov %%cr2, %0" : "=r"(va));
	return va;
}

/*
 * Walks every mapping of the current tables and returns how many pages are
 * writable and executable at once; logs the first few. Task context.
 */
u64 pt_check_wx(void);
