/* mremap(2): growing, shrinking and moving an area with its pages. */
#include "kernel/errno.h"
#include "kernel/mm/mm_internal.h"
#include "kernel/mm/page.h"
#include "kernel/uaccess.h"

struct remap {
	u64 addr, old_len, new_len, new_addr;
	bool may_move, fixed;
};

/* Grows the area in place if what is above it is free. */
static bool grow_in_place(struct mm_struct *mm, struct vm_area *area,
			  const struct remap *r)
	__must_hold(mm->lock)
{
	u64 end = r->addr + r->new_len;
	struct vm_area *above = area_at_or_above(mm, area->end);
	s64 ret;

	/* A file is not grown into what may be another area of it. */
	if (area->source || r->addr + r->old_len != area->end ||
	    end > TASK_SIZE_MAX ||
	    (above && above->start < end))
		return false;
	ret = map_locked(mm, area->end, end - area->end, area->prot,
			 area->flags | MAP_FIXED, area->name);
	return ret > 0;
}

static s64 move_area(struct mm_struct *mm, struct vm_area *area,
		     const struct remap *r)
	__must_hold(mm->lock)
{
	u32 flags = area->flags | (r->fixed ? MAP_FIXED : 0);
	u64 first = area->first + (r->addr - area->start) / PAGE_SIZE;
	void *source = area->source;
	s64 to = map_locked(mm, r->new_addr, r->new_len, area->prot, flags,
			    area->name);

	if (to < 0)
		return to;
	if (source) {
		if (set_source_locked(mm, (u64)to, (u64)to + r->new_len,
				      source, first)) {
			(void)unmap_locked(mm, (u64)to, (u64)to + r->new_len);
			return -ENOMEM;
		}
		mmap_sources->get(source);
	}
	if (move_pages(mm, r->addr, (u64)to, min(r->old_len, r->new_len))) {
		/* What did move goes back: its tables are still there. */
		(void)move_pages(mm, (u64)to, r->addr, r->old_len);
		(void)unmap_locked(mm, (u64)to, (u64)to + r->new_len);
		return -ENOMEM;
	}
	/* Only splitting can fail; then the old range stays, empty. */
	(void)unmap_locked(mm, r->addr, r->addr + r->old_len);
	return to;
}

static s64 remap_locked(struct mm_struct *mm, const struct remap *r)
	__must_hold(mm->lock)
{
	struct vm_area *area = area_find(mm, r->addr);

	if (!area || area->end < r->addr + r->old_len ||
	    area->flags & MAP_VDSO)
		return -EFAULT;
	if (r->fixed)
		return move_area(mm, area, r);
	if (r->new_len <= r->old_len) {
		int err = 0;

		if (r->new_len < r->old_len)
			err = unmap_locked(mm, r->addr + r->new_len,
					   r->addr + r->old_len);
		return err ? err : (s64)r->addr;
	}
	if (grow_in_place(mm, area, r))
		return (s64)r->addr;
	return r->may_move ? move_area(mm, area, r) : -ENOMEM;
}

s64 mm_remap(struct mm_struct *mm, u64 addr, u64 old_len, u64 new_len,
	     bool may_move, bool fixed, u64 new_addr)
{
	struct remap r = { addr, ALIGN_UP(old_len, PAGE_SIZE),
			   ALIGN_UP(new_len, PAGE_SIZE), new_addr,
			   may_move, fixed };
	u64 end, new_end;
	s64 ret;

	/* A zero old length would copy a shared mapping: we have none. */
	if (!new_len || !old_len || check_range(addr, old_len, &end) ||
	    new_len > TASK_SIZE_MAX)
		return -EINVAL;
	if (fixed) {
		if (!may_move || check_range(new_addr, new_len, &new_end))
			return -EINVAL;
		if (new_addr < end && addr < new_end)
			return -EINVAL;
	} else {
		r.new_addr = 0;
	}
	mutex_lock(&mm->lock);
	ret = remap_locked(mm, &r);
	mutex_unlock(&mm->lock);
	return ret;
}
