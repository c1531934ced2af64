/*
 * The pages of an address space: brought in by faults or by the loader, zero
 * at first, changed and freed with their areas. All under mm->lock.
 */
#include "kernel/errno.h"
#include "kernel/mm/mm_internal.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vdso.h"
#include "kernel/string.h"
#include "kernel/x86/paging.h"

void zap_pages(struct mm_struct *mm, u64 start, u64 end)
{
	u64 va = start, *entry;

	while ((entry = pt_user_next(mm->pgd, &va, end))) {
		phys_addr_t pa = *entry & PTE_ADDR;

		WRITE_ONCE(*entry, 0);
		tlb_flush_page(va);
		put_page(phys_to_page(pa));
		mm->rss--;
		va += PAGE_SIZE;
	}
}

void protect_pages(struct mm_struct *mm, u64 start, u64 end, u32 prot)
{
	u64 va = start, *entry;

	while ((entry = pt_user_next(mm->pgd, &va, end))) {
		WRITE_ONCE(*entry, pt_make_user(*entry & PTE_ADDR, prot));
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
 * The page of @area's file or of the vDSO at @addr, with a reference; NULL
 * with *@err.
 */
static struct page *shared_page(const struct vm_area *area, u64 addr, int *err)
{
	u64 index = area->first + (addr - area->start) / PAGE_SIZE;

	if (area->flags & MAP_VDSO)
		return vdso_page(index);
	return mmap_sources->page(area->source, index, err);
}

/*
 * Makes sure that @addr in @area has a page; its entry in *@out. A new page
 * is zero, unless the caller is about to write all of it.
 */
static int bring_in(struct mm_struct *mm, const struct vm_area *area,
		    u64 addr, bool whole, u64 **out)
{
	u64 *entry = pt_user_entry(mm->pgd, addr, true);
	bool shared = area->source || area->flags & MAP_VDSO;
	int err = -ENOMEM;
	struct page *page;

	if (!entry)
		return -ENOMEM;
	*out = entry;
	if (*entry)
		return 0;
	page = shared ? shared_page(area, addr, &err) :
			alloc_page_reserve();
	if (!page)
		return err;
	if (!whole && !shared)
		memset(page_address(page), 0, PAGE_SIZE);
	WRITE_ONCE(*entry, pt_make_user(page_to_phys(page), area->prot));
	mm->rss++;
	return 0;
}

static bool access_allowed(const struct vm_area *area, u32 why)
{
	if (why & FAULT_WRITE)
		return area->prot & PROT_WRITE;
	if (why & FAULT_EXEC)
		return area->prot & PROT_EXEC;
	return area->prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

int mm_fault(struct mm_struct *mm, u64 addr, u32 why)
{
	struct vm_area *area;
	u64 *entry;
	int err;

	mutex_lock(&mm->lock);
	area = area_find(mm, addr);
	err = area ? -EACCES : -EFAULT;
	if (area && access_allowed(area, why)) {
		err = bring_in(mm, area, ALIGN_DOWN(addr, PAGE_SIZE), false,
			       &entry);
		/* Another thread may have been faster, or our TLB slower. */
		tlb_flush_page(addr);
	}
	mutex_unlock(&mm->lock);
	return err;
}

static int write_page(struct mm_struct *mm, u64 addr, const void *src,
		      size_t n)
{
	struct vm_area *area = area_find(mm, addr);
	u64 *entry;
	int err;

	if (!area)
		return -EFAULT;
	err = bring_in(mm, area, ALIGN_DOWN(addr, PAGE_SIZE), n == PAGE_SIZE,
		       &entry);
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
