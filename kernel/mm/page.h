/*
 * Physical pages and the direct map: all RAM is mapped once, in large pages,
 * at direct_map_base (randomised), so that a page frame has an address.
 */
#pragma once

#include "kernel/atomic.h"
#include "kernel/list.h"
#include "kernel/types.h"

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define MAX_ORDER	10	/* largest block: 2^10 pages, 4 MiB */

struct kmem_cache;

/* One per page frame; 32 bytes. Locks: z zone lock, s slab cache lock. */
struct page {
	u32 flags;
	struct atomic refs;
	union {
		struct list_head list;		/* z  free block, or s  slab */
		struct {
			struct kmem_cache *cache;
			void *freelist;
		};
	};
	u16 inuse;				/* s  objects handed out */
	u16 order;				/* z  of the block */
	u32 pad;
};

extern u64 direct_map_base;

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + direct_map_base);
}

/* Only for addresses in the direct map (pages, slab, never vmalloc). */
static inline phys_addr_t virt_to_phys(const void *va)
{
	return (u64)va - direct_map_base;
}

struct page *phys_to_page(phys_addr_t pa);
phys_addr_t page_to_phys(const struct page *page);

static inline struct page *virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}

static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

/*
 * Buddy allocator: 2^order contiguous pages with one reference, or NULL. Any
 * context but NMI; takes the zone lock (irqsave). Contents are undefined.
 */
struct page *alloc_pages(unsigned int order) __must_check;
void free_pages(struct page *page, unsigned int order);

/* One zeroed page by address, NULL if memory is out. */
void *get_zeroed_page(void) __must_check;
void free_page(void *va);

/* Gives the allocator a page of RAM that was reserved at boot until now. */
void free_reserved_page(phys_addr_t pa);

/* Pages that are free now, and that there are in all. */
u64 nr_free_pages(void);
u64 nr_total_pages(void);

/*
 * Takes the usable regions of boot_info except the kernel image and the
 * initramfs. The cost does not grow with memory: page structs of a region are
 * initialised when the allocator first reaches it. Boot.
 */
void page_alloc_init(void);
