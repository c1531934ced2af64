/* The vDSO in the program's address space: [vvar] and behind it [vdso]. */
#pragma once

#include "kernel/mm/mm.h"

/* For the areas' @first: which page. */
#define VDSO_PAGE_VVAR	0u
#define VDSO_PAGE_IMAGE	1u

/*
 * Maps both at a random place above the stack. The image's address (for
 * AT_SYSINFO_EHDR), 0 if there is no memory or no room: programs do without.
 * Task.
 */
u64 vdso_map(struct mm_struct *mm);

/* Page @index of the two, with a reference. Task. */
struct page *vdso_page(u64 index);
