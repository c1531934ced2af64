/*
 * Kernel memory that is contiguous only in virtual addresses, each area with
 * an unmapped guard page on both sides: stacks, large tables, device memory.
 * Task context; may not be called from interrupts.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* Zeroed, page-granular. NULL if memory or addresses are out. */
void *vmalloc(size_t size) __must_check;
void vfree(void *va);

/* A kernel stack of KSTACK_SIZE; returns its lowest address. */
#ifdef DEBUG_KERNEL
#define KSTACK_SIZE 32768	/* frames are larger there */
#else
#define KSTACK_SIZE 16384
#endif
void *kstack_alloc(void) __must_check;
void kstack_free(void *stack);

/* Maps device memory, uncached, NX. NULL if addresses are out. */
void *ioremap(phys_addr_t pa, size_t size) __must_check;
/* Undoes it; NULL is fine. */
void iounmap(const volatile void *va);

void vmalloc_init(void);
