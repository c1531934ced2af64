/*
 * The areas of an address space: found by tree, walked by list, split where a
 * call ends inside one, joined where neighbours are alike. Pages are the
 * business of mm_fault.c.
 *
 * LOCKING: mm->lock, a sleeping mutex; taken by the public functions and by
 * page faults, so nobody touches user memory while holding it.
 */
#include "kernel/mm/mm.h"
#include "kernel/errno.h"
#include "kernel/mm/mm_internal.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/random.h"
#include "kernel/rlimit.h"
#include "kernel/uaccess.h"
#include "kernel/x86/paging.h"

/* How far the bases move, in pages; Linux's defaults. */
#define STACK_RANDOM_PAGES	(1u << 22)
#define MMAP_RANDOM_PAGES	(1u << 28)
#define BRK_RANDOM_PAGES	(1u << 13)

static struct vm_area *area_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct vm_area, node) : NULL;
}

int check_range(u64 addr, u64 len, u64 *end)
{
	if (addr % PAGE_SIZE || len > TASK_SIZE_MAX)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (addr > TASK_SIZE_MAX - len)
		return -EINVAL;
	*end = addr + len;
	return 0;
}

struct vm_area *area_at_or_above(struct mm_struct *mm, u64 addr)
{
	struct rb_node *node = mm->areas.node;
	struct vm_area *found = NULL;

	while (node) {
		struct vm_area *a = area_of(node);

		if (a->end > addr) {
			found = a;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

struct vm_area *area_find(struct mm_struct *mm, u64 addr)
{
	struct vm_area *a = area_at_or_above(mm, addr);

	return a && a->start <= addr ? a : NULL;
}

static struct vm_area *area_prev(struct mm_struct *mm, struct vm_area *a)
{
	if (a->list.prev == &mm->list)
		return NULL;
	return list_prev_entry(a, list);
}

static struct vm_area *area_next(struct mm_struct *mm, struct vm_area *a)
{
	if (a->list.next == &mm->list)
		return NULL;
	return list_next_entry(a, list);
}

/* The last area that starts below @addr, NULL if none does. */
static struct vm_area *area_below(struct mm_struct *mm, u64 addr)
	__must_hold(mm->lock)
{
	struct vm_area *a = area_at_or_above(mm, addr);

	if (a && a->start < addr)
		return a;
	if (a)
		return area_prev(mm, a);
	return list_empty(&mm->list) ?
		       NULL : list_last_entry(&mm->list, struct vm_area, list);
}

bool range_covered(struct mm_struct *mm, u64 start, u64 end)
{
	struct vm_area *a = area_find(mm, start);

	while (a && a->end < end) {
		struct vm_area *next = area_next(mm, a);

		a = next && next->start == a->end ? next : NULL;
	}
	return a;
}

static void area_insert(struct mm_struct *mm, struct vm_area *area)
{
	struct rb_node **link = &mm->areas.node, *parent = NULL;
	struct vm_area *before = NULL;

	while (*link) {
		parent = *link;
		if (area->start < area_of(parent)->start) {
			link = &parent->left;
		} else {
			before = area_of(parent);
			link = &parent->right;
		}
	}
	rb_insert(&mm->areas, &area->node, parent, link, !before);
	list_add(&area->list, before ? &before->list : &mm->list);
	mm->nr_areas++;
}

static void area_remove(struct mm_struct *mm, struct vm_area *area)
{
	rb_erase(&mm->areas, &area->node);
	list_del(&area->list);
	mm->nr_areas--;
	if (area->source)
		mmap_sources->put(area->source);
	kfree(area);
}

static bool areas_alike(const struct vm_area *a, u32 prot, u32 flags,
			const char *name)
{
	return a->prot == prot && a->flags == flags && a->name == name &&
	       !a->source &&
	       !(flags & MAP_GROWSDOWN);
}

/* Joins @a with the area after it if nothing sets them apart. */
static void join_next(struct mm_struct *mm, struct vm_area *a)
{
	struct vm_area *next = area_next(mm, a);

	if (!next || next->start != a->end || a->source ||
	    !areas_alike(next, a->prot, a->flags, a->name))
		return;
	a->end = next->end;
	area_remove(mm, next);
}

static void join_around(struct mm_struct *mm, u64 start, u64 end)
	__must_hold(mm->lock)
{
	struct vm_area *a = area_below(mm, start);

	if (!a)
		a = area_at_or_above(mm, 0);
	while (a && a->start < end) {
		struct vm_area *next = area_next(mm, a);

		/* Once joined, @a may join with what follows, too. */
		join_next(mm, a);
		if (area_next(mm, a) == next)
			a = next;
	}
}

/* Makes @addr a border between areas. 0 or -ENOMEM. */
static int split_at(struct mm_struct *mm, u64 addr)
	__must_hold(mm->lock)
{
	struct vm_area *a = area_find(mm, addr), *upper;

	if (!a || a->start == addr)
		return 0;
	upper = kmalloc(sizeof(*upper));
	if (!upper)
		return -ENOMEM;
	*upper = *a;
	upper->start = addr;
	upper->first += (addr - a->start) / PAGE_SIZE;
	if (upper->source)
		mmap_sources->get(upper->source);
	a->end = addr;
	area_insert(mm, upper);
	return 0;
}

/* Tables for nothing but what was unmapped are not needed any more. */
static void free_tables(struct mm_struct *mm, u64 start, u64 end)
	__must_hold(mm->lock)
{
	struct vm_area *below = area_below(mm, start);
	struct vm_area *above = area_at_or_above(mm, end);

	pt_free_tables(mm->pgd, start, end, below ? below->end : 0,
		       above ? above->start : TASK_SIZE_MAX);
}

int unmap_locked(struct mm_struct *mm, u64 start, u64 end)
{
	struct vm_area *a, *next;
	int err = split_at(mm, start);

	if (!err)
		err = split_at(mm, end);
	if (err)
		return err;
	/* A file that loses its last mapping is told of no more writes. */
	zap_pages(mm, start, end);
	for (a = area_at_or_above(mm, start); a && a->start < end; a = next) {
		next = area_next(mm, a);
		area_remove(mm, a);
	}
	free_tables(mm, start, end);
	if (end > mm->mmap_hint)
		mm->mmap_hint = min(end, mm->mmap_base);
	return 0;
}

/* What a new area must keep away from: a stack's guard gap counts. */
static u64 area_floor(const struct vm_area *a)
{
	return a->flags & MAP_GROWSDOWN ? a->start - STACK_GUARD_GAP :
					  a->start;
}

/* The highest room for @len below @top; 0 if there is none. */
static u64 find_room(struct mm_struct *mm, u64 top, u64 len)
	__must_hold(mm->lock)
{
	struct vm_area *a = area_at_or_above(mm, top);

	/* An area across @top, or a stack's gap that reaches below it. */
	if (a && area_floor(a) < top)
		top = area_floor(a);
	for (a = area_below(mm, top); a; a = area_prev(mm, a)) {
		if (a->end <= top && top - a->end >= len)
			return top - len;
		top = min(top, area_floor(a));
	}
	return top >= MMAP_MIN_ADDR + len ? top - len : 0;
}

static bool range_free(struct mm_struct *mm, u64 start, u64 end)
	__must_hold(mm->lock)
{
	struct vm_area *a = area_at_or_above(mm, start);

	return !a || area_floor(a) >= end;
}

/* The place for a mapping that may lie anywhere, @hint if it can be. */
static u64 choose_place(struct mm_struct *mm, u64 hint, u64 len)
	__must_hold(mm->lock)
{
	u64 addr, end;

	hint = ALIGN_DOWN(hint, PAGE_SIZE);
	if (hint >= MMAP_MIN_ADDR && !check_range(hint, len, &end) &&
	    range_free(mm, hint, end))
		return hint;
	addr = find_room(mm, mm->mmap_hint, len);
	if (!addr)
		addr = find_room(mm, mm->mmap_base, len);
	if (addr)
		mm->mmap_hint = addr;
	return addr;
}

static int clear_fixed_place(struct mm_struct *mm, u64 addr, u64 len,
			     u32 flags)
	__must_hold(mm->lock)
{
	u64 end;
	struct vm_area *a;

	if (check_range(addr, len, &end))
		return addr % PAGE_SIZE ? -EINVAL : -ENOMEM;
	if (addr < MMAP_MIN_ADDR)
		return -EPERM;
	a = area_at_or_above(mm, addr);
	if (!a || a->start >= end)
		return 0;
	if (flags & MAP_FIXED_NOREPLACE)
		return -EEXIST;
	return unmap_locked(mm, addr, end);
}

/* What RLIMIT_DATA counts: what the program alone can write to. */
static bool is_data(u32 prot, u32 flags)
{
	return prot & PROT_WRITE &&
	       !(flags & (MAP_SHARED | MAP_GROWSDOWN));
}

/*
 * May @len bytes more be mapped? [@start, @end) is replaced by them. Areas are
 * counted only if there is a limit.
 */
static bool within_limits(struct mm_struct *mm, u64 len, u32 prot, u32 flags,
			  u64 start, u64 end)
{
	u64 all = rlimit(RLIMIT_AS), data = rlimit(RLIMIT_DATA);
	u64 total = len, written = is_data(prot, flags) ? len : 0;
	const struct vm_area *a;

	if (likely(all == RLIM_INFINITY && data == RLIM_INFINITY))
		return true;
	list_for_each_entry(a, &mm->list, list) {
		u64 n = a->end - a->start;

		if (a->start < end && start < a->end)
			n -= min(end, a->end) - max(start, a->start);
		total += n;
		if (is_data(a->prot, a->flags))
			written += n;
	}
	return total <= all && (written <= data || !is_data(prot, flags));
}

s64 map_locked(struct mm_struct *mm, u64 addr, u64 len, u32 prot, u32 flags,
	       const char *name)
{
	bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	struct vm_area *area;
	int err;

	if (!within_limits(mm, len, prot, flags, fixed ? addr : 0,
			   fixed ? addr + len : 0))
		return -ENOMEM;
	area = kmalloc(sizeof(*area));
	if (!area)
		return -ENOMEM;
	if (fixed) {
		err = clear_fixed_place(mm, addr, len, flags);
	} else {
		addr = choose_place(mm, addr, len);
		err = addr ? 0 : -ENOMEM;
	}
	if (err) {
		kfree(area);
		return err;
	}
	area->start = addr;
	area->end = addr + len;
	area->prot = prot;
	area->flags = flags & (MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN |
			       MAP_NOWRITE | MAP_VDSO);
	area->name = name;
	area->source = NULL;
	area->first = 0;
	area_insert(mm, area);
	join_around(mm, addr, addr + len);
	return (s64)addr;
}

s64 mm_map(struct mm_struct *mm, u64 addr, u64 len, u32 prot, u32 flags,
	   const char *name)
{
	s64 ret;

	if (!len)
		return -EINVAL;
	if (len > TASK_SIZE_MAX)
		return -ENOMEM;
	mutex_lock(&mm->lock);
	ret = map_locked(mm, addr, ALIGN_UP(len, PAGE_SIZE), prot, flags,
			 name);
	mutex_unlock(&mm->lock);
	return ret;
}

s64 mm_map_special(struct mm_struct *mm, u64 addr, u32 prot, const char *name,
		   u64 index)
{
	s64 ret;

	mutex_lock(&mm->lock);
	ret = map_locked(mm, addr, PAGE_SIZE, prot,
			 MAP_PRIVATE | MAP_VDSO | MAP_FIXED_NOREPLACE, name);
	if (ret > 0)
		area_find(mm, addr)->first = index;
	mutex_unlock(&mm->lock);
	return ret;
}

int mm_unmap(struct mm_struct *mm, u64 addr, u64 len)
{
	u64 end;
	int err = check_range(addr, len, &end);

	if (err || !len)
		return -EINVAL;
	mutex_lock(&mm->lock);
	err = unmap_locked(mm, addr, end);
	mutex_unlock(&mm->lock);
	return err;
}

int set_source_locked(struct mm_struct *mm, u64 start, u64 end, void *source,
		      u64 index)
{
	struct vm_area *area;
	int err = split_at(mm, start);

	if (!err)
		err = split_at(mm, end);
	if (err)
		return err;
	area = area_find(mm, start);
	area->source = source;
	area->first = index;
	/* What another thread has touched meanwhile was not the file. */
	zap_pages(mm, start, end);
	return 0;
}

int mm_set_source(struct mm_struct *mm, u64 addr, u64 len, void *source,
		  u64 index)
{
	int err;

	mutex_lock(&mm->lock);
	err = set_source_locked(mm, addr, ALIGN_UP(addr + len, PAGE_SIZE),
				source, index);
	mutex_unlock(&mm->lock);
	return err;
}

static int protect_locked(struct mm_struct *mm, u64 start, u64 end, u32 prot)
	__must_hold(mm->lock)
{
	struct vm_area *a;
	int err;

	if (!range_covered(mm, start, end))
		return -ENOMEM;
	err = split_at(mm, start);
	if (!err)
		err = split_at(mm, end);
	if (err)
		return err;
	for (a = area_find(mm, start); a && a->start < end;
	     a = area_next(mm, a)) {
		if (prot & PROT_WRITE && a->flags & (MAP_VDSO | MAP_NOWRITE))
			return -EACCES;
		a->prot = prot;
	}
	protect_pages(mm, start, end, prot);
	join_around(mm, start, end + 1);
	return 0;
}

int mm_protect(struct mm_struct *mm, u64 addr, u64 len, u32 prot)
{
	u64 end;
	int err = check_range(addr, len, &end);

	if (err)
		return addr % PAGE_SIZE ? -EINVAL : -ENOMEM;
	if (!len)
		return 0;
	mutex_lock(&mm->lock);
	err = protect_locked(mm, addr, end, prot);
	mutex_unlock(&mm->lock);
	return err;
}

int mm_discard(struct mm_struct *mm, u64 addr, u64 len, bool private)
{
	struct vm_area *a;
	u64 end;
	int err = check_range(addr, len, &end);

	if (err)
		return err;
	mutex_lock(&mm->lock);
	/* Holes are no reason not to do the rest (madvise(2)). */
	if (len && !range_covered(mm, addr, end))
		err = -ENOMEM;
	for (a = area_at_or_above(mm, addr); a && a->start < end;
	     a = area_next(mm, a)) {
		/* Shared memory is nowhere else: it stays. */
		if (private && (a->source || a->flags & MAP_SHARED))
			err = -EINVAL;
		else if (a->source || !(a->flags & MAP_SHARED))
			zap_pages(mm, max(addr, a->start), min(end, a->end));
	}
	mutex_unlock(&mm->lock);
	return err;
}

int mm_remove(struct mm_struct *mm, u64 addr, u64 len)
{
	struct vm_area *a;
	void *source = NULL;
	u64 end, first = 0;
	int err = check_range(addr, len, &end);

	if (err || !len)
		return err;
	mutex_lock(&mm->lock);
	a = area_find(mm, addr);
	if (!a || a->end < end) {
		err = -ENOMEM;
	} else if (!a->source && !(a->flags & MAP_SHARED)) {
		err = -EINVAL;
	} else if (!(a->flags & MAP_SHARED) || a->flags & MAP_NOWRITE) {
		err = -EACCES;
	} else if (!a->source) {
		zap_pages(mm, addr, end);
	} else {
		source = a->source;
		mmap_sources->get(source);
		first = a->first + (addr - a->start) / PAGE_SIZE;
	}
	mutex_unlock(&mm->lock);
	if (!source)
		return err;
	err = mmap_sources->remove ?
	      mmap_sources->remove(source, first, (end - addr) / PAGE_SIZE) :
	      -EOPNOTSUPP;
	mmap_sources->put(source);
	return err;
}

void mm_zap_source(struct mm_struct *mm, const void *source, u64 first,
		   u64 end, u32 flags)
{
	struct vm_area *a;

	mutex_lock(&mm->lock);
	list_for_each_entry(a, &mm->list, list) {
		u64 nr = (a->end - a->start) / PAGE_SIZE;
		u64 from, to;

		if (a->source != source || !(a->flags & flags) ||
		    end <= a->first ||
		    first >= a->first + nr)
			continue;
		from = max(first, a->first) - a->first;
		to = min(end - a->first, nr);
		zap_pages(mm, a->start + from * PAGE_SIZE,
			  a->start + to * PAGE_SIZE);
	}
	mutex_unlock(&mm->lock);
}

void mm_for_each_area(struct mm_struct *mm,
		      void (*fn)(const struct vm_area *area, void *arg),
		      void *arg)
{
	struct vm_area *a;

	mutex_lock(&mm->lock);
	list_for_each_entry(a, &mm->list, list)
		fn(a, arg);
	mutex_unlock(&mm->lock);
}

void mm_set_brk(struct mm_struct *mm, u64 end)
{
	mm->brk_start = ALIGN_UP(end, PAGE_SIZE) +
			get_random_below(BRK_RANDOM_PAGES) * PAGE_SIZE;
	mm->brk = mm->brk_start;
}

bool mm_may_grow(u64 len)
{
	return !memory_is_low() && len / PAGE_SIZE <= nr_total_pages();
}

static int move_brk(struct mm_struct *mm, u64 old, u64 new)
	__must_hold(mm->lock)
{
	s64 ret;

	if (new < old)
		return unmap_locked(mm, new, old);
	if (new == old)
		return 0;
	if (!mm_may_grow(new - old))
		return -ENOMEM;
	ret = map_locked(mm, old, new - old, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED_NOREPLACE, "[heap]");
	return ret < 0 ? (int)ret : 0;
}

u64 mm_brk(struct mm_struct *mm, u64 want)
{
	u64 brk;

	mutex_lock(&mm->lock);
	if (want >= mm->brk_start && want <= TASK_SIZE_MAX &&
	    !move_brk(mm, ALIGN_UP(mm->brk, PAGE_SIZE),
		      ALIGN_UP(want, PAGE_SIZE)))
		mm->brk = want;
	brk = mm->brk;
	mutex_unlock(&mm->lock);
	return brk;
}

void mm_draw_base(struct mm_struct *mm)
{
	mm->mmap_base = mm->stack_top - USER_STACK_SIZE - STACK_GUARD_GAP -
			get_random_below(MMAP_RANDOM_PAGES) * PAGE_SIZE;
	mm->mmap_hint = mm->mmap_base;
}

struct mm_struct *mm_create(void)
{
	struct mm_struct *mm = kzalloc(sizeof(*mm));

	if (!mm)
		return NULL;
	mm->pgd = pgd_create();
	if (!mm->pgd) {
		kfree(mm);
		return NULL;
	}
	mutex_init(&mm->lock);
	INIT_LIST_HEAD(&mm->list);
	mm->stack_top = TASK_SIZE_MAX -
			get_random_below(STACK_RANDOM_PAGES) * PAGE_SIZE;
	mm_draw_base(mm);
	return mm;
}

void mm_destroy(struct mm_struct *mm)
	__no_lock_check
{
	struct vm_area *a, *next;

	list_for_each_entry_safe(a, next, &mm->list, list)
		area_remove(mm, a);
	zap_pages(mm, 0, TASK_SIZE_MAX);
	pgd_destroy(mm->pgd);
	kfree(mm);
}

void mm_activate(struct mm_struct *mm)
{
	pgd_load(mm->pgd);
}
