/*
 * The kernel's page tables: built once at boot, extended for vmalloc, copied
 * by reference into every address space. paging.h has the rules.
 */
#include "kernel/x86/paging.h"
#include "kernel/debug/kasan.h"
#include "kernel/errno.h"
#include "kernel/mm/memblock.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/panic.h"
#include "kernel/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/sections.h"

#define PTRS		512
#define SIZE_2M		(1ul << 21)
#define SIZE_1G		(1ul << 30)
#define BOOT_MAP_END	(1ul << 32)	/* what head.S mapped at 0 */
#define KERNEL_SLOT	256		/* first PML4 entry of that half */

/*
 * Zero until the direct map stands: head.S has physical memory at its own
 * addresses, so phys_to_virt() works from the start.
 */
u64 direct_map_base __ro_after_init = 0;

static phys_addr_t kernel_pgd __ro_after_init = 0;
static u64 nx_mask __ro_after_init = 0;	/* PTE_NX if the CPU knows it */

/* Index into the table of @level (4: PML4, 1: page table). */
static unsigned int pt_index(u64 va, unsigned int level)
{
	return va >> (12 + 9 * (level - 1)) & (PTRS - 1);
}

static u64 *pt_table(u64 entry)
{
	return phys_to_virt(entry & PTE_ADDR);
}

static u64 pt_prot(u64 prot)
{
	return prot & (~PTE_NX | nx_mask);
}

/* A zeroed table, before and after the page allocator is there. */
phys_addr_t table_alloc(void)
{
	phys_addr_t pa;

	if (nr_total_pages()) {
		struct page *page = alloc_page_reserve();

		if (!page)
			return 0;
		pa = page_to_phys(page);
	} else {
		pa = memblock_alloc(&memblock, PAGE_SIZE, BOOT_MAP_END, true);
		if (!pa)
			panic("paging: no memory below 4 GiB for page tables; "
			      "give the machine more (-m)");
	}
	memset(phys_to_virt(pa), 0, PAGE_SIZE);
	return pa;
}

/*
 * The entry of @va in the table of @level below @pgd. A missing table on the
 * way is made if @alloc, with @link as its entry's bits. NULL if there is
 * none, or if a large page is in the way.
 */
static u64 *pt_walk(phys_addr_t pgd, u64 va, unsigned int level, bool alloc,
		    u64 link)
{
	u64 *table = phys_to_virt(pgd);
	unsigned int at;

	for (at = 4; at > level; at--) {
		u64 *entry = &table[pt_index(va, at)];

		if (!(*entry & PTE_P)) {
			phys_addr_t pa = alloc ? table_alloc() : 0;

			if (!pa)
				return NULL;
			WRITE_ONCE(*entry, pa | link);
		}
		if (*entry & PTE_PS)
			return NULL;
		table = pt_table(*entry);
	}
	return &table[pt_index(va, level)];
}

u64 *kernel_entry(u64 va, unsigned int level, bool alloc)
{
	return pt_walk(kernel_pgd, va, level, alloc, PTE_P | PTE_W | PTE_A);
}

int map_kernel_page(u64 va, phys_addr_t pa, u64 prot)
{
	u64 *entry = kernel_entry(va, 1, true);

	if (!entry || kasan_map_page(va))
		return -ENOMEM;
	BUG_ON(*entry & PTE_P);
	WRITE_ONCE(*entry, pa | pt_prot(prot));
	return 0;
}

phys_addr_t unmap_kernel_page(u64 va)
{
	u64 *entry = kernel_entry(va, 1, false);
	phys_addr_t pa;

	if (!entry || !(*entry & PTE_P))
		return 0;
	pa = *entry & PTE_ADDR;
	WRITE_ONCE(*entry, 0);
	tlb_flush_page(va);
	return pa;
}

bool kernel_va_mapped(u64 va)
{
	u64 *table, entry;
	unsigned int level;
	u64 cr3;

	/* The boot tables, too, when something breaks early. */
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	table = pt_table(cr3);
	for (level = 4; level >= 1; level--) {
		entry = table[pt_index(va, level)];
		if (!(entry & PTE_P))
			return false;
		if (entry & PTE_PS && level > 1)
			return true;
		table = pt_table(entry);
	}
	return true;
}

/* Boot only: memory for tables is certain, mapping twice is harmless. */
static void boot_map(u64 va, phys_addr_t pa, u64 prot, unsigned int level)
{
	u64 *entry = kernel_entry(va, level, true);

	if (entry && !(*entry & PTE_P))
		*entry = pa | pt_prot(prot) | PTE_PS;
}

/* The same for a run of 4 KiB pages: one walk for each table, not page. */
static void boot_map_pages(u64 va, phys_addr_t pa, phys_addr_t end, u64 prot)
{
	u64 *entry = NULL;

	prot = pt_prot(prot);
	for (; pa < end; pa += PAGE_SIZE, va += PAGE_SIZE) {
		if (!entry || !pt_index(va, 1))
			entry = kernel_entry(va, 1, true);
		BUG_ON(!entry);
		*entry++ = pa | prot;
	}
}

static bool overlaps_image(phys_addr_t pa, u64 size)
{
	return pa < image_to_phys(__image_end) &&
	       pa + size > image_to_phys(__image_start);
}

/*
 * 2 MiB that the image touches, in small pages: what is read-only there may
 * not be written through here.
 */
static void map_around_image(u64 base, phys_addr_t pa)
{
	phys_addr_t end = pa + SIZE_2M;
	phys_addr_t ro = clamp(image_to_phys(__text_start), pa, end);
	phys_addr_t rw = clamp(image_to_phys(__rodata_end), pa, end);

	/* Regions that share these 2 MiB: once is enough. */
	if (kernel_entry(base + pa, 1, false))
		return;
	boot_map_pages(base + pa, pa, ro, PAGE_KERNEL);
	boot_map_pages(base + ro, ro, rw, PAGE_KERNEL_RO);
	boot_map_pages(base + rw, rw, end, PAGE_KERNEL);
}

/* Maps [@pa, @end), 2 MiB aligned, in the largest pages that fit. */
static void map_direct(u64 base, phys_addr_t pa, phys_addr_t end)
{
	kasan_map_direct(base + pa, base + end);
	while (pa < end) {
		if (cpu_has(CPU_1G_PAGES) && pa % SIZE_1G == 0 &&
		    end - pa >= SIZE_1G && !overlaps_image(pa, SIZE_1G)) {
			boot_map(base + pa, pa, PAGE_KERNEL, 3);
			pa += SIZE_1G;
			continue;
		}
		if (!overlaps_image(pa, SIZE_2M)) {
			boot_map(base + pa, pa, PAGE_KERNEL, 2);
			pa += SIZE_2M;
			continue;
		}
		map_around_image(base, pa);
		pa += SIZE_2M;
	}
}

/* All usable regions, rounded outwards (firmware tables sit at the edges). */
static void map_all_ram(u64 base)
{
	unsigned int i;

	/* The first 2 MiB hold the BIOS's tables and the image. */
	map_direct(base, 0, SIZE_2M);
	for (i = 0; i < boot_info.nr_regions; i++) {
		const struct boot_region *r = &boot_info.regions[i];
		u64 end = min(r->start + r->len, MEMBLOCK_MAX_PHYS);

		if (r->usable && r->start < end)
			map_direct(base, ALIGN_DOWN(r->start, SIZE_2M),
				   ALIGN_UP(end, SIZE_2M));
	}
}

static void map_image_part(const char *start, const char *end, u64 prot)
{
	boot_map_pages((u64)start, image_to_phys(start), image_to_phys(end),
		       prot);
}

static void map_image(void)
{
	unsigned int i;

	map_image_part(__text_start, __text_end, PAGE_KERNEL_RX);
	map_image_part(__init_text_start, __init_text_end, PAGE_KERNEL_RX);
	map_image_part(__rodata_start, __rodata_end, PAGE_KERNEL_RO);
	map_image_part(__rodata_end, __stacks_start, PAGE_KERNEL);
	/* The pages between the stacks stay unmapped: overflows fault. */
	map_image_part(boot_stack, boot_stack_top, PAGE_KERNEL);
	for (i = 0; i < 3; i++) {
		const char *s = ist_stacks + i * (IST_STACK_SIZE + PAGE_SIZE);

		map_image_part(s, s + IST_STACK_SIZE, PAGE_KERNEL);
	}
}

/* Uniform on a 1 GiB grid, so that 1 GiB pages line up. */
static u64 random_direct_base(void)
{
	u64 room = DIRECT_MAP_SPAN - ALIGN_UP(memblock.ram_end, SIZE_1G);

	return DIRECT_MAP_START + early_random() % (room / SIZE_1G) * SIZE_1G;
}

void paging_init(void)
{
	u64 base = random_direct_base();

	nx_mask = cpu_has(CPU_NX) ? PTE_NX : 0;
	kernel_pgd = table_alloc();
	map_image();
	kasan_map_image();
	map_all_ram(base);
	/* vmalloc's slot must exist before address spaces copy the root. */
	kernel_entry(VMALLOC_START, 3, true);
	pgd_load(kernel_pgd);
	direct_map_base = base;
	memblock_add(&memblock, image_to_phys(__init_bss_start),
		     image_to_phys(__init_bss_end));
}

static void protect_page(u64 va, u64 prot)
{
	u64 *entry = kernel_entry(va, 1, false);

	BUG_ON(!entry);
	WRITE_ONCE(*entry, (*entry & PTE_ADDR) | pt_prot(prot));
	tlb_flush_page(va);
}

void mark_rodata_ro(void)
{
	const char *at;

	for (at = __ro_after_init_start; at < __ro_after_init_end;
	     at += PAGE_SIZE) {
		protect_page((u64)at, PAGE_KERNEL_RO);
		protect_page((u64)phys_to_virt(image_to_phys(at)),
			     PAGE_KERNEL_RO);
	}
}

void free_initmem(void)
{
	phys_addr_t pa;
	u64 va;

	for (va = (u64)__init_text_start; va < (u64)__init_text_end;
	     va += PAGE_SIZE) {
		pa = unmap_kernel_page(va);
		protect_page((u64)phys_to_virt(pa), PAGE_KERNEL);
		free_reserved_page(pa);
	}
}

u64 vmalloc_random_base(u64 span)
{
	u64 room = (VMALLOC_SPAN - span) / PAGE_SIZE;

	return VMALLOC_START + early_random() % room * PAGE_SIZE;
}

u64 *pt_user_entry(phys_addr_t pgd, u64 va, bool alloc)
{
	return pt_walk(pgd, va, 1, alloc, PTE_P | PTE_W | PTE_U | PTE_A);
}

u64 *pt_user_next(phys_addr_t pgd, u64 *va, u64 end)
{
	while (*va < end) {
		u64 *table = phys_to_virt(pgd);
		unsigned int level = 4;

		while (level > 1 && table[pt_index(*va, level)] & PTE_P) {
			table = pt_table(table[pt_index(*va, level)]);
			level--;
		}
		if (level == 1 && table[pt_index(*va, 1)])
			return &table[pt_index(*va, 1)];
		*va = (*va | ((PAGE_SIZE << 9 * (level - 1)) - 1)) + 1;
	}
	return NULL;
}

/* Where pt_free_tables() works. */
struct pt_range {
	u64 start, end, low, high;
};

/* Entries of @table, of @level, for addresses from @base on. */
static void free_unused(u64 *table, unsigned int level, u64 base,
			const struct pt_range *r)
{
	u64 span = PAGE_SIZE << 9 * (level - 1);
	u32 i = r->start > base ? (u32)((r->start - base) >>
		(PAGE_SHIFT + 9 * (level - 1))) : 0;

	for (base += i * span; i < PTRS && base < r->end; i++, base += span) {
		if (!(table[i] & PTE_P))
			continue;
		if (level > 2)
			free_unused(pt_table(table[i]), level - 1, base, r);
		if (base >= r->low && base + span <= r->high) {
			u64 *child = pt_table(table[i]);

			WRITE_ONCE(table[i], 0);
			/* The CPU may remember the way through it. */
			tlb_flush_page(base);
			free_page(child);
		}
	}
}

void pt_free_tables(phys_addr_t pgd, u64 start, u64 end, u64 low, u64 high)
{
	const struct pt_range r = { start, end, low, high };

	free_unused(phys_to_virt(pgd), 4, 0, &r);
}

u64 pt_make_user(phys_addr_t pa, u32 prot)
{
	u64 entry = pa | PTE_U | PTE_A;

	if (prot & (PROT_READ | PROT_WRITE | PROT_EXEC))
		entry |= PTE_P;
	if (prot & PROT_WRITE)
		entry |= PTE_W | PTE_D;
	if (!(prot & PROT_EXEC))
		entry |= nx_mask;
	return entry;
}

phys_addr_t pgd_create(void)
{
	u64 *root = get_zeroed_page();
	const u64 *kernel = phys_to_virt(kernel_pgd);

	if (!root)
		return 0;
	memcpy(root + KERNEL_SLOT, kernel + KERNEL_SLOT,
	       (PTRS - KERNEL_SLOT) * sizeof(*root));
	return virt_to_phys(root);
}

/* Frees the tables hanging in @table of @level, not @table itself. */
static void free_tables(u64 *table, unsigned int level, unsigned int entries)
{
	unsigned int i;

	for (i = 0; i < entries; i++) {
		if (!(table[i] & PTE_P))
			continue;
		if (level > 2)
			free_tables(pt_table(table[i]), level - 1, PTRS);
		free_page(pt_table(table[i]));
	}
}

void pgd_destroy(phys_addr_t pgd)
{
	u64 *root = phys_to_virt(pgd);

	free_tables(root, 4, KERNEL_SLOT);
	free_page(root);
}

void pgd_load(phys_addr_t pgd)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(pgd) : "memory");
}

void tlb_flush_user(void)
{
	u64 cr3;

	__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3"
			 : "=r"(cr3) : : "memory");
}
