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

/* Locks: m mm->lock. */
struct vm_area {
	struct rb_node node;	/* m  by start */
	u64 start, end;		/* m  page aligned, end exclusive */
	u32 prot;		/* m  PROT_ bits */
	u32 flags;		/* m  MAP_ bits */
	const char *name;	/* m  "[heap]", "[stack]", a path or NULL */
};

struct mm_struct {
	struct mutex lock;
	struct rb_root areas;	/* m */
	phys_addr_t pgd;	/* c  page-table root */
	u64 brk_start, brk;	/* m */
	u64 mmap_base;		/* c  mappings grow down from here */
	u64 stack_top;		/* c */
	u64 arg_start;		/* c */
	u64 nr_areas;		/* m */
	u64 rss;		/* m  pages mapped */
};

/* An empty address space with randomised bases; NULL if out of memory. */
struct mm_struct *mm_create(void) __must_check;
/* Frees every page and table. Nobody runs on it any more. */
void mm_destroy(struct mm_struct *mm);
/* Makes it the calling CPU's address space. */
void mm_activate(struct mm_struct *mm);

/*
 * Adds an area. @addr is a hint unless MAP_FIXED (which replaces what is
 * there). Returns the address (page aligned, positive) or -ENOMEM, -EINVAL,
 * -EEXIST. Task; takes mm->lock.
 */
s64 mm_map(struct mm_struct *mm, u64 addr, u64 len, u32 prot, u32 flags,
	   const char *name);
int mm_unmap(struct mm_struct *mm, u64 addr, u64 len);
int mm_protect(struct mm_struct *mm, u64 addr, u64 len, u32 prot);

/*
 * Writes @n bytes to user address @addr whatever the area's protection: for
 * loading a program. Faults pages in. 0, -EFAULT (no area), -ENOMEM.
 */
int mm_write(struct mm_struct *mm, u64 addr, const void *src, size_t n);

/* Why a page fault happened (the CPU's error code, decoded). */
#define FAULT_WRITE	0x1u
#define FAULT_EXEC	0x2u
#define FAULT_USER	0x4u

/*
 * Brings in the page at @addr. 0 if the access may be tried again, -EFAULT
 * if the area does not allow it or is not there, -ENOMEM.
 */
int mm_fault(struct mm_struct *mm, u64 addr, u32 why);
