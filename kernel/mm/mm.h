/*
 * The program's address space: a sorted set of areas (vma) over one page
 * table. Pages appear on first touch. There is one mm; threads share it.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/mutex.h"
#include "kernel/rbtree.h"
#include "kernel/types.h"

/* As mmap(2) numbers them. */
#define PROT_NONE	0x0
#define PROT_READ	0x1
#define PROT_WRITE	0x2
#define PROT_EXEC	0x4
#define MAP_SHARED	0x01
#define MAP_PRIVATE	0x02
#define MAP_FIXED	0x10
#define MAP_ANONYMOUS	0x20
#define MAP_GROWSDOWN	0x0100
#define MAP_STACK	0x20000
#define MAP_FIXED_NOREPLACE 0x100000
/* Ours, not mmap(2)'s: the pages are the vDSO's. */
#define MAP_NOWRITE	0x40000000u	/* ours: shared, of a file read only */
#define MAP_VDSO	0x80000000u

/* What a program may not map: catches NULL plus an offset, too. */
#define MMAP_MIN_ADDR	0x10000ul
/* The stack grows by fault within an area of this size. */
#define USER_STACK_SIZE	(8ul << 20)
/* Unmapped space kept below it, more than an alloca() can jump unseen. */
#define STACK_GUARD_GAP	(1ul << 20)

/* Locks: m mm->lock. */
struct vm_area {
	struct rb_node node;	/* m  by start */
	struct list_head list;	/* m  by start, too: both neighbours */
	u64 start, end;		/* m  page aligned, end exclusive */
	u32 prot;		/* m  PROT_ bits */
	u32 flags;		/* m  MAP_ bits */
	const char *name;	/* m  "[heap]", "[stack]", a path or NULL */
	void *source;		/* m  whose pages they are; NULL: our own */
	u64 first;		/* m  page number in @source of @start */
};

struct page;

struct mm_struct {
	struct mutex lock;
	struct rb_root areas;	/* m */
	struct list_head list;	/* m */
	phys_addr_t pgd;	/* c  page-table root */
	u64 brk_start, brk;	/* m */
	u64 mmap_base;		/* m  mappings grow down from here */
	u64 mmap_hint;		/* m  there may be no room from here to base */
	u64 stack_top;		/* c */
	u64 arg_start;		/* c */
	u64 nr_areas;		/* m */
	u64 rss;		/* m  pages mapped */
	u64 nr_faults;		/* m  pages touched that were not there */
};

/* An empty address space with randomised bases; NULL if out of memory. */
struct mm_struct *mm_create(void) __must_check;
/*
 * Mappings to come are put somewhere else. Nobody maps at that moment: the
 * program has not begun, or all of it sleeps.
 */
void mm_draw_base(struct mm_struct *mm);
/* Frees every page and table. Nobody runs on it any more. */
void mm_destroy(struct mm_struct *mm);
/* Makes it the calling CPU's address space. */
void mm_activate(struct mm_struct *mm);

/*
 * Sets where the heap begins: somewhere behind @end, the end of the program's
 * data, on a random page. For the loader.
 */
void mm_set_brk(struct mm_struct *mm, u64 end);
/* brk(2) as Linux has it: where the heap ends now, moved or not. Task. */
u64 mm_brk(struct mm_struct *mm, u64 want);

/* Calls @fn for each area from the lowest up. Task; holds mm->lock. */
void mm_for_each_area(struct mm_struct *mm,
		      void (*fn)(const struct vm_area *area, void *arg),
		      void *arg);

/*
 * Adds an area. @addr is a hint unless MAP_FIXED (which replaces what is
 * there). @name is borrowed for good. Returns the address (page aligned,
 * positive) or -ENOMEM, -EINVAL, -EEXIST, -EPERM (below MMAP_MIN_ADDR). Task;
 * takes mm->lock.
 */
s64 mm_map(struct mm_struct *mm, u64 addr, u64 len, u32 prot, u32 flags,
	   const char *name);
/* Maps page @index of the vDSO read-only at @addr, for good. As mm_map(). */
s64 mm_map_special(struct mm_struct *mm, u64 addr, u32 prot, const char *name,
		   u64 index);
/* 0, -EINVAL, or -ENOMEM (no memory to split an area). Task. */
int mm_unmap(struct mm_struct *mm, u64 addr, u64 len);
/*
 * The same; -ENOMEM also if part of the range is not mapped, -EACCES if part
 * of it may not be written to.
 */
int mm_protect(struct mm_struct *mm, u64 addr, u64 len, u32 prot);

/*
 * Writes @n bytes to user address @addr whatever the area's protection: for
 * loading a program. Faults pages in. 0, -EFAULT (no area), -ENOMEM.
 */
int mm_write(struct mm_struct *mm, u64 addr, const void *src, size_t n);

struct page_run;

/*
 * What is mapped at readable user address @addr, to the end of its page, with
 * a reference in *@run: brought in as by reading. 0, -EFAULT, -ENOMEM. Task.
 */
int mm_pin(struct mm_struct *mm, u64 addr, struct page_run *run) __must_check;

/* Why a page fault happened (the CPU's error code, decoded). */
#define FAULT_WRITE	0x1u
#define FAULT_EXEC	0x2u
#define FAULT_USER	0x4u

/*
 * Brings in the page at @addr. 0 if the access may be tried again, -EACCES if
 * the area does not allow it, -EFAULT if there is none, -ENXIO beyond the end
 * of a file, -ENOMEM.
 */
int mm_fault(struct mm_struct *mm, u64 addr, u32 why);

/*
 * Drops the pages in the range; the next touch finds zeroes, or the file's. As
 * mm_protect(). With @private -EINVAL for what is shared or a file's.
 */
int mm_discard(struct mm_struct *mm, u64 addr, u64 len, bool private);

/*
 * Frees what is behind the range, which lies in one shared mapping: -ENOMEM,
 * -EINVAL (private memory), -EACCES (not to be written to), -EPERM (sealed),
 * -EOPNOTSUPP. Task.
 */
int mm_remove(struct mm_struct *mm, u64 addr, u64 len);

/*
 * Drops what is mapped of pages [@first, @end) of @source in areas with one of
 * @flags: MAP_SHARED, so that the next write is seen; MAP_PRIVATE, too, copies
 * included, if the file no longer has them. Task; takes mm->lock.
 */
void mm_zap_source(struct mm_struct *mm, const void *source, u64 first,
		   u64 end, u32 flags);

/*
 * mremap(2): @may_move lets the area go elsewhere, @fixed to @new_addr.
 * Returns the new address or -EINVAL, -EFAULT, -ENOMEM.
 */
s64 mm_remap(struct mm_struct *mm, u64 addr, u64 old_len, u64 new_len,
	     bool may_move, bool fixed, u64 new_addr);

/*
 * Where the pages of mappings of files come from, set once by fs/. An area
 * holds one reference to its source. Under mm->lock but for open().
 */
struct mmap_source_ops {
	/*
	 * What is behind open file @fd, for a shared mapping with PROT_ bits
	 * @prot, or a private one with PROT_READ: 0 with a reference in
	 * *@source, NULL if it has no pages of its own; -EBADF, -EACCES,
	 * -ENODEV, -EPERM.
	 */
	int (*open)(int fd, u32 prot, void **source);
	void (*get)(void *source);
	void (*put)(void *source);
	/* Page @index with a reference; NULL with *@err. */
	struct page *(*page)(void *source, u64 index, int *err);
	/* Page @index, which a shared mapping has, is written to from now on
	 * until that mapping is dropped: 0, -EACCES. */
	int (*dirty)(void *source, u64 index);
	/*
	 * Page @index if nobody will ever write to it nor free it: where it
	 * is, else 0. May be NULL.
	 */
	phys_addr_t (*constant)(void *source, u64 index);
	/*
	 * msync(2) of what is mapped at [@start, @end), without mm->lock; may
	 * be NULL.
	 */
	long (*sync)(u64 start, u64 end);
	/* Makes a hole of @nr pages, without mm->lock; may be NULL. */
	int (*remove)(void *source, u64 first, u64 nr);
};

extern const struct mmap_source_ops *mmap_sources;

/*
 * From here on the pages of [@addr, @addr + @len), which was just mapped, are
 * those of @source from page @index on; of a private mapping, until they are
 * written to. 0 and the reference is the area's;
 * -ENOMEM. Task; takes mm->lock.
 */
int mm_set_source(struct mm_struct *mm, u64 addr, u64 len, void *source,
		  u64 index) __must_check;

/*
 * How mmap(2) reads a file, set once by fs/: up to @n bytes at @pos of open
 * file @fd into kernel memory. Returns the count, 0 at the end, or -errno.
 */
extern ssize_t (*mmap_read_file)(int fd, u64 pos, void *buf, size_t n);
