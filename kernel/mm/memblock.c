/*
 * The boot-time table of free physical memory. Loaders give regions in any
 * order and may overlap them: what anybody calls reserved is reserved.
 */
#include "kernel/mm/memblock.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"

struct memblock memblock;

static void remove_range(struct memblock *mb, unsigned int i)
{
	mb->nr--;
	memmove(&mb->range[i], &mb->range[i + 1],
		(mb->nr - i) * sizeof(mb->range[0]));
}

/* A full table loses memory, never gains any that is not free. */
static void insert_range(struct memblock *mb, unsigned int i,
			 phys_addr_t start, phys_addr_t end)
{
	if (start >= end || mb->nr == MEMBLOCK_MAX)
		return;
	memmove(&mb->range[i + 1], &mb->range[i],
		(mb->nr - i) * sizeof(mb->range[0]));
	mb->range[i] = (struct mem_range){ start, end };
	mb->nr++;
}

void memblock_add(struct memblock *mb, phys_addr_t start, phys_addr_t end)
{
	unsigned int i = 0;

	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	/* Overlap within the usable regions: what is there already counts. */
	memblock_reserve(mb, start, end);
	while (i < mb->nr && mb->range[i].start < start)
		i++;
	insert_range(mb, i, start, end);
}

void memblock_reserve(struct memblock *mb, phys_addr_t start, phys_addr_t end)
{
	unsigned int i = 0;

	if (start >= end)
		return;
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	while (i < mb->nr) {
		struct mem_range r = mb->range[i];

		if (r.end <= start || r.start >= end) {
			i++;
			continue;
		}
		remove_range(mb, i);
		if (r.start < start)
			insert_range(mb, i++, r.start, start);
		if (r.end > end)
			insert_range(mb, i++, end, r.end);
	}
}

phys_addr_t memblock_alloc(struct memblock *mb, u64 size, phys_addr_t limit,
			   bool low)
{
	unsigned int n;

	size = ALIGN_UP(size, PAGE_SIZE);
	for (n = 0; n < mb->nr; n++) {
		unsigned int i = low ? n : mb->nr - 1 - n;
		struct mem_range *r = &mb->range[i];
		phys_addr_t end = min(r->end, limit), pa;

		if (end <= r->start || end - r->start < size)
			continue;
		pa = low ? r->start : end - size;
		memblock_reserve(mb, pa, pa + size);
		return pa;
	}
	return 0;
}

void memblock_init(struct memblock *mb, const struct boot_info *info,
		   phys_addr_t image, phys_addr_t image_end)
{
	unsigned int i;
	u64 end;

	mb->nr = 0;
	mb->ram_end = 0;
	for (i = 0; i < info->nr_regions; i++) {
		const struct boot_region *r = &info->regions[i];

		end = min(r->start + r->len, MEMBLOCK_MAX_PHYS);
		if (!r->usable || r->start >= end)
			continue;
		memblock_add(mb, r->start, end);
		mb->ram_end = max(mb->ram_end, end);
	}
	for (i = 0; i < info->nr_regions; i++) {
		const struct boot_region *r = &info->regions[i];

		end = min(r->start + r->len, MEMBLOCK_MAX_PHYS);
		if (!r->usable)
			memblock_reserve(mb, r->start, end);
	}
	memblock_reserve(mb, 0, PAGE_SIZE);
	memblock_reserve(mb, image, image_end);
	memblock_reserve(mb, info->initrd, info->initrd + info->initrd_len);
}
