/*
 * Page tables on the host: one list of {address, entry}, searched in order.
 * A new entry can be refused, as a table can be when memory is out.
 */
#include "kernel/x86/paging.h"

#include <string.h>

#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/panic.h"
#include "tests/host/host.h"

#define MAX_ENTRIES 8192

static struct {
	u64 va;
	u64 entry;
} list[MAX_ENTRIES];
static unsigned int used;
static bool refuse;

void host_refuse_tables(bool on)
{
	refuse = on;
}

unsigned int host_pages_mapped(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < used; i++)
		n += list[i].entry != 0;
	return n;
}

static u64 *find(u64 va)
{
	unsigned int i;

	for (i = 0; i < used; i++)
		if (list[i].va == va)
			return &list[i].entry;
	return NULL;
}

u64 *pt_user_entry(phys_addr_t pgd, u64 va, bool alloc)
{
	u64 *entry = find(va);

	if (entry || !alloc || refuse)
		return entry;
	BUG_ON(used == MAX_ENTRIES || va % PAGE_SIZE);
	list[used].va = va;
	list[used].entry = 0;
	return &list[used++].entry;
}

u64 *pt_user_next(phys_addr_t pgd, u64 *va, u64 end)
{
	u64 *best = NULL, at = end;
	unsigned int i;

	for (i = 0; i < used; i++) {
		if (list[i].entry && list[i].va >= *va && list[i].va < at) {
			at = list[i].va;
			best = &list[i].entry;
		}
	}
	*va = at;
	return best;
}

u64 pt_make_user(phys_addr_t pa, u32 prot)
{
	return pa | (prot ? PTE_P : 0) | (prot & PROT_WRITE ? PTE_W : 0) |
	       (prot & PROT_EXEC ? 0 : PTE_NX);
}

phys_addr_t pgd_create(void)
{
	struct page *page = alloc_pages(0);

	if (!host_pages_mapped())
		used = 0;
	/* Page 0 exists on the host, but not as a root. */
	return page ? page_to_phys(page) + 1 : 0;
}

void pgd_destroy(phys_addr_t pgd)
{
	BUG_ON(host_pages_mapped());
	free_pages(phys_to_page(pgd), 0);
}

void pgd_load(phys_addr_t pgd)
{
}

void tlb_flush_page(u64 va)
{
}

u64 vmalloc_random_base(u64 span)
{
	used = 0;
	return 1ull << 46;
}

int map_kernel_page(u64 va, phys_addr_t pa, u64 prot)
{
	u64 *entry = pt_user_entry(0, va, true);

	if (!entry)
		return -ENOMEM;
	BUG_ON(*entry);
	*entry = pa | PTE_P;
	return 0;
}

phys_addr_t unmap_kernel_page(u64 va)
{
	u64 *entry = find(va);
	phys_addr_t pa = entry ? *entry & PTE_ADDR : 0;

	if (entry)
		*entry = 0;
	return pa;
}

void pt_free_tables(phys_addr_t pgd, u64 start, u64 end, u64 low, u64 high)
{
}
