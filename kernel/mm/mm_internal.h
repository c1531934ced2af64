/* Between mm.c (areas), mm_fault.c (pages) and mremap.c. */
#pragma once

#include "kernel/mm/mm.h"

/* The area that holds @addr or the first above it; NULL. */
struct vm_area *area_at_or_above(struct mm_struct *mm, u64 addr)
	__must_hold(mm->lock);
/* The area that holds @addr, NULL if none does. */
struct vm_area *area_find(struct mm_struct *mm, u64 addr)
	__must_hold(mm->lock);
/* True if areas cover every page of the range. */
bool range_covered(struct mm_struct *mm, u64 start, u64 end)
	__must_hold(mm->lock);

/* What mm_map() and mm_unmap() do, with the lock held and lengths aligned. */
s64 map_locked(struct mm_struct *mm, u64 addr, u64 len, u32 prot, u32 flags,
	       const char *name) __must_hold(mm->lock);
int unmap_locked(struct mm_struct *mm, u64 start, u64 end)
	__must_hold(mm->lock);

/* mm_set_source() with the lock held. */
int set_source_locked(struct mm_struct *mm, u64 start, u64 end, void *source,
		      u64 index) __must_hold(mm->lock) __must_check;

/* Frees the pages of a range. */
void zap_pages(struct mm_struct *mm, u64 start, u64 end)
	__must_hold(mm->lock);
/* Gives the pages of a range the protection @prot. */
void protect_pages(struct mm_struct *mm, u64 start, u64 end, u32 prot)
	__must_hold(mm->lock);
/*
 * Moves the pages of [@from, @from + @len) to @to, which has none and lies in
 * an area like theirs. 0 or -ENOMEM, with the rest still where it was.
 */
int move_pages(struct mm_struct *mm, u64 from, u64 to, u64 len)
	__must_hold(mm->lock);

/*
 * Whether the program may have @len bytes more to write to. Pages come on
 * first touch, when it is too late to say no, so brk and mmap say it while
 * there is a reserve. Asking for more than the machine has is refused, too.
 */
bool mm_may_grow(u64 len);

/* Page-aligned, within user space, not empty; fills *@end. 0 or -EINVAL. */
int check_range(u64 addr, u64 len, u64 *end) __must_check;
