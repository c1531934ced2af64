/*
 * The pages of an address space: brought in by faults or by the loader, zero
 * at first, changed and freed with their areas. All under mm->lock. Marks in
 * an entry: PTE_COW, the page is a file's that nobody has written to there: a
 * write gets a copy of it, or tells the file if the mapping is shared;
 * PTE_BORROWED, we hold no reference to it.
 */
#include "kernel/errno.h"
#include "kernel/mm/mm_internal.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vdso.h"
#include "kernel/rlimit.h"
#include "kernel/string.h"
#include "kernel/uio.h"
#include "kernel/x86/paging.h"

#define PTE_MARKS (PTE_COW | PTE_BORROWED)
/* A fault on what costs nothing to map brings its neighbours, too: 64 KiB. */
#define FAULT_AROUND (16 * PAGE_SIZE)

/* Maps page @pa; @marks of the entry. */
static void set_entry(u64 *entry, phys_addr_t pa, u32 prot, u64 marks)
{
	if (marks & PTE_COW)
		prot &= ~(u32)PROT_WRITE;
	WRITE_ONCE(*entry, pt_make_user(pa, prot) | marks);
}

static void release_page(u64 entry)
{
	if (!(entry & PTE_BORROWED))
		put_page(phys_to_page(entry & PTE_ADDR));
}

void zap_pages(struct mm_struct *mm, u64 start, u64 end)
{
	u64 va = start, *entry;

	while ((entry = pt_user_next(mm->pgd, &va, end))) {
		u64 old = *entry;

		WRITE_ONCE(*entry, 0);
		tlb_flush_page(va);
		release_page(old);
		mm->rss--;
		va += PAGE_SIZE;
	}
}

void protect_pages(struct mm_struct *mm, u64 start, u64 end, u32 prot)
{
	u64 va = start, *entry;

	while ((entry = pt_user_next(mm->pgd, &va, end))) {
		set_entry(entry, *entry & PTE_ADDR, prot, *entry & PTE_MARKS);
		tlb_flush_page(va);
		va += PAGE_SIZE;
	}
}

int move_pages(struct mm_struct *mm, u64 from, u64 to, u64 len)
{
	u64 va = from, *src, *dst;

	while ((src = pt_user_next(mm->pgd, &va, from + len))) {
		dst = pt_user_entry(mm->pgd, to + (va - from), true);
		if (!dst)
			return -ENOMEM;
		WRITE_ONCE(*dst, *src);
		WRITE_ONCE(*src, 0);
		tlb_flush_page(va);
		va += PAGE_SIZE;
	}
	return 0;
}

/*
 * A page of the program's own at @entry, in place of what is there: a copy of
 * it if it is a file's, else zero unless the caller writes all of it.
 */
static int own_page(const struct vm_area *area, u64 *entry, bool whole)
{
	struct page *page = alloc_page_reserve();
	u64 old = *entry;

	if (!page)
		return -ENOMEM;
	if (old)
		memcpy(page_address(page), phys_to_virt(old & PTE_ADDR),
		       PAGE_SIZE);
	else if (!whole)
		memset(page_address(page), 0, PAGE_SIZE);
	set_entry(entry, page_to_phys(page), area->prot, 0);
	if (old)
		release_page(old);
	return 0;
}

/* The number of the file's page at @addr. */
static u64 page_index(const struct vm_area *area, u64 addr)
{
	return area->first + (addr - area->start) / PAGE_SIZE;
}

/* Maps what of the file is constant around @addr. False: not even that. */
static bool map_constant(struct mm_struct *mm, const struct vm_area *area,
			 u64 addr)
{
	u64 va = ALIGN_DOWN(addr, FAULT_AROUND);
	u64 end = min(va + FAULT_AROUND, area->end);
	bool found = false;

	for (va = max(va, area->start); va < end; va += PAGE_SIZE) {
		u64 *entry = pt_user_entry(mm->pgd, va, true);
		phys_addr_t pa;

		if (!entry || *entry)
			continue;
		pa = mmap_sources->constant(area->source,
					    page_index(area, va));
		if (!pa)
			continue;
		set_entry(entry, pa, area->prot, PTE_MARKS);
		mm->rss++;
		found |= va == addr;
	}
	return found;
}

/* Maps the page of @area's file, or of the vDSO, at @addr. */
static int file_page(struct mm_struct *mm, const struct vm_area *area,
		     u64 addr, u64 *entry)
{
	u64 index = page_index(area, addr);
	struct page *page;
	int err = -EFAULT;

	if (area->flags & MAP_VDSO)
		page = vdso_page(index);
	else if (area->flags & MAP_PRIVATE && mmap_sources->constant &&
		 map_constant(mm, area, addr))
		return 0;
	else
		page = mmap_sources->page(area->source, index, &err);
	if (!page)
		return err;
	set_entry(entry, page_to_phys(page), area->prot, PTE_COW);
	mm->rss++;
	return 0;
}

/* The file's page at @entry is going to be written to where it is. */
static int share_page(const struct vm_area *area, u64 addr, u64 *entry)
{
	int err = mmap_sources->dirty(area->source, page_index(area, addr));

	if (!err)
		set_entry(entry, *entry & PTE_ADDR, area->prot, 0);
	return err;
}

/*
 * Makes sure that @addr in @area has a page, for a write one that may be
 * written to; its entry in *@out. @whole: the caller writes all of it.
 */
static int bring_in(struct mm_struct *mm, const struct vm_area *area,
		    u64 addr, bool write, bool whole, u64 **out)
{
	u64 *entry = pt_user_entry(mm->pgd, addr, true);
	int err = 0;

	if (!entry)
		return -ENOMEM;
	*out = entry;
	if (!*entry && (area->source || area->flags & MAP_VDSO)) {
		err = file_page(mm, area, addr, entry);
	} else if (!*entry) {
		err = own_page(area, entry, whole);
		mm->rss += !err;
	}
	if (!err && write && *entry & PTE_COW)
		err = area->flags & MAP_SHARED ?
			      share_page(area, addr, entry) :
			      own_page(area, entry, whole);
	return err;
}

static bool access_allowed(const struct vm_area *area, u32 why)
{
	if (why & FAULT_WRITE)
		return area->prot & PROT_WRITE;
	if (why & FAULT_EXEC)
		return area->prot & PROT_EXEC;
	return area->prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* A stack grows down as far as RLIMIT_STACK lets it. */
static bool too_deep(const struct mm_struct *mm, const struct vm_area *area,
		     u64 addr)
{
	return area->flags & MAP_GROWSDOWN && addr < mm->stack_top &&
	       mm->stack_top - addr > rlimit(RLIMIT_STACK);
}

int mm_fault(struct mm_struct *mm, u64 addr, u32 why)
{
	struct vm_area *area;
	u64 *entry;
	int err;

	mutex_lock(&mm->lock);
	mm->nr_faults++;
	area = area_find(mm, addr);
	if (area && unlikely(too_deep(mm, area, addr)))
		area = NULL;
	err = area ? -EACCES : -EFAULT;
	if (area && access_allowed(area, why)) {
		err = bring_in(mm, area, ALIGN_DOWN(addr, PAGE_SIZE),
			       why & FAULT_WRITE, false, &entry);
		/* Another thread may have been faster, or our TLB slower. */
		tlb_flush_page(addr);
	}
	mutex_unlock(&mm->lock);
	return err;
}

static int write_page(struct mm_struct *mm, u64 addr, const void *src,
		      size_t n)
	__must_hold(mm->lock)
{
	struct vm_area *area = area_find(mm, addr);
	u64 *entry;
	int err;

	if (!area)
		return -EFAULT;
	err = bring_in(mm, area, ALIGN_DOWN(addr, PAGE_SIZE), true,
		       n == PAGE_SIZE, &entry);
	if (err)
		return err;
	memcpy((u8 *)phys_to_virt(*entry & PTE_ADDR) + addr % PAGE_SIZE,
	       src, n);
	return 0;
}

int mm_write(struct mm_struct *mm, u64 addr, const void *src, size_t n)
{
	const u8 *from = src;
	int err = 0;

	mutex_lock(&mm->lock);
	while (n && !err) {
		size_t part = min(n, PAGE_SIZE - addr % PAGE_SIZE);

		err = write_page(mm, addr, from, part);
		addr += part;
		from += part;
		n -= part;
	}
	mutex_unlock(&mm->lock);
	return err;
}

int mm_pin(struct mm_struct *mm, u64 addr, struct page_run *run)
{
	u64 off = addr % PAGE_SIZE, *entry;
	struct vm_area *area;
	int err = -EFAULT;

	mutex_lock(&mm->lock);
	area = area_find(mm, addr);
	if (area && access_allowed(area, 0))
		err = bring_in(mm, area, addr - off, false, false, &entry);
	if (!err) {
		*run = (struct page_run){
			.data = (u8 *)phys_to_virt(*entry & PTE_ADDR) + off,
			.len = PAGE_SIZE - off,
		};
		if (!(*entry & PTE_BORROWED)) {
			run->page = phys_to_page(*entry & PTE_ADDR);
			get_page(run->page);
		}
	}
	mutex_unlock(&mm->lock);
	return err;
}
