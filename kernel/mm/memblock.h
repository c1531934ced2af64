/*
 * Free physical memory before the page allocator is there: the usable
 * regions less everything taken, as a short sorted table. Boot only.
 */
#pragma once

#include "kernel/boot_info.h"
#include "kernel/types.h"

#define MEMBLOCK_MAX 96
#define MEMBLOCK_MAX_PHYS (1ul << 45)	/* RAM above is left alone */

struct mem_range {
	phys_addr_t start, end;		/* page aligned, end exclusive */
};

struct memblock {
	unsigned int nr;
	struct mem_range range[MEMBLOCK_MAX];
	phys_addr_t ram_end;		/* above the last usable byte */
};

extern struct memblock memblock;

/*
 * Fills @mb from @info: whole usable pages that no other region overlaps,
 * without page 0, the initramfs, and [@image, @image_end).
 */
void memblock_init(struct memblock *mb, const struct boot_info *info,
		   phys_addr_t image, phys_addr_t image_end);

/* Adds the whole pages of [@start, @end) that are not in yet. */
void memblock_add(struct memblock *mb, phys_addr_t start, phys_addr_t end);

/* Takes [@start, @end) out, wherever it is free. */
void memblock_reserve(struct memblock *mb, phys_addr_t start,
		      phys_addr_t end);

/*
 * Takes @size bytes on a page boundary, below @limit: the lowest that fit if
 * @low, else the highest. 0 if there are none. Contents are undefined.
 */
phys_addr_t memblock_alloc(struct memblock *mb, u64 size, phys_addr_t limit,
			   bool low);
