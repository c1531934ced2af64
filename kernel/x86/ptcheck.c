/*
 * The W^X check: walks the live page tables as the CPU would and counts what
 * is writable and executable at once. For self-tests and tests of tests.
 */
#include "kernel/mm/page.h"
#include "kernel/printk.h"
#include "kernel/x86/paging.h"

#define MAX_REPORTS 4

struct walk {
	u64 found;
};

static void check_leaf(struct walk *w, u64 va, u64 size, u64 bits)
{
	if (!(bits & PTE_W) || bits & PTE_NX)
		return;
	if (w->found++ < MAX_REPORTS)
		pr_err("page table: %#llx, %llu bytes, writable and "
		       "executable", (unsigned long long)va,
		       (unsigned long long)size);
}

/* @bits: what the levels above allow, PTE_W anded and PTE_NX ored. */
static void walk_table(struct walk *w, const u64 *table, unsigned int level,
		       u64 va, u64 bits)
{
	u64 size = 1ul << (12 + 9 * (level - 1));
	unsigned int i;

	for (i = 0; i < 512; i++, va += size) {
		u64 e = table[i], here;

		if (!(e & PTE_P))
			continue;
		if (level == 4)
			va = (u64)((s64)((u64)i << 55) >> 16);
		here = (bits & e & PTE_W) | ((bits | e) & PTE_NX);
		if (level == 1 || e & PTE_PS)
			check_leaf(w, va, size, here);
		else
			walk_table(w, phys_to_virt(e & PTE_ADDR), level - 1,
				   va, here);
	}
}

u64 pt_check_wx(void)
{
	struct walk w = { 0 };
	u64 cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	walk_table(&w, phys_to_virt(cr3 & PTE_ADDR), 4, 0, PTE_W);
	return w.found;
}
