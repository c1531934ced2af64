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

/* What a page frame is. Zero, so that cleared structs are nobody's. */
enum page_type {
	PAGE_RESERVED,
	PAGE_FREE,		/* head of a free block */
	PAGE_USED,		/* head of a block that was handed out */
	PAGE_SLAB,		/* each page of a slab */
};

/*
 * One per page frame; 32 bytes. Only the head of a block is valid: the rest
 * of a block, and what the allocator has never reached, is not even cleared.
 * Locks: z zone lock, s slab cache lock, c const while handed out, a atomic.
 */
struct page {
	u8 type;			/* z  enum page_type */
	u8 order;			/* z  of the block */
	union {
		u16 free_idx;		/* s  first free object */
		u16 reported;		/* z  of a free block: its host knows */
		u16 written;		/* of a file's page: fs/mnt_map.c */
	};
	union {
		struct atomic refs;	/* a  of a block handed out */
		struct {
			u16 inuse;	/* s  objects handed out */
			u16 carved;	/* s  objects ever handed out */
		};
	};
	struct list_head list;		/* z  free block, or s  slab */
	struct kmem_cache *cache;	/* c  of a slab page */
};

_Static_assert(sizeof(struct page) == 32, "0.8 % of memory");

extern u64 direct_map_base;
extern struct page *mem_map;	/* by page frame number */

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + direct_map_base);
}

/* Only for addresses in the direct map (pages, slab, never vmalloc). */
static inline phys_addr_t virt_to_phys(const void *va)
{
	return (u64)va - direct_map_base;
}

static inline struct page *phys_to_page(phys_addr_t pa)
{
	return &mem_map[pa >> PAGE_SHIFT];
}

static inline phys_addr_t page_to_phys(const struct page *page)
{
	return (u64)(page - mem_map) << PAGE_SHIFT;
}

static inline struct page *virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}

static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

/*
 * Buddy allocator: 2^order contiguous pages, aligned to their size, with one
 * reference; or NULL. Any context but NMI; takes the zone lock (irqsave).
 * Contents are undefined. Leaves a reserve alone (1/16 of memory, at most
 * 4 MiB), so that peers who fill queues cannot starve the program.
 */
struct page *alloc_pages(unsigned int order) __must_check;
/* One page, from the reserve if need be: for page faults and page tables. */
struct page *alloc_page_reserve(void) __must_check;
/* True when only the reserve is left. */
bool memory_is_low(void);
/*
 * True when less than twice the reserve is left: who queues for others stops
 * queueing more, so that drivers and small things still find memory.
 */
extern bool memory_tight;
/*
 * Comes before it, at three times the reserve: who lets others send lets them
 * send less.
 */
extern bool memory_pressed;
/* Gives a block back, whatever its references. @order is the one asked for. */
void free_pages(struct page *page, unsigned int order);

/*
 * Asked for memory before an allocation fails: true if it gave some back. Set
 * once at boot. Called in any context, possibly under a slab cache's lock.
 */
extern bool (*page_reclaim)(void);

/* One more reference to a block, by its head page; and one less. Any. */
static inline void get_page(struct page *page)
{
	atomic_inc(&page->refs);
}

/* Frees the block with its last reference. Any context but NMI. */
void put_page(struct page *page);

/* One zeroed page by address, NULL if memory is out. */
void *get_zeroed_page(void) __must_check;
void free_page(void *va);

/* Gives the allocator a page of RAM that was reserved at boot until now. */
void free_reserved_page(phys_addr_t pa);
/* Makes its struct page sound instead: with one reference, the caller's. */
struct page *keep_reserved_page(phys_addr_t pa);

/*
 * For who tells a host what is free: a free block of at least 2^@least pages
 * that the host does not know of, as if it were allocated; NULL if there is
 * none, or too little memory to spare it. Then it is given back: @reported, if
 * the host now knows of it. Any context.
 */
struct page *page_report_take(unsigned int least) __must_check;
void page_report_done(struct page *page, bool reported);

/* Pages that are free now, and that there are in all. */
u64 nr_free_pages(void);
u64 nr_total_pages(void);

/*
 * Takes over what is free in memblock. The cost does not grow with memory: a
 * page struct is written when the allocator first reaches its block. Boot.
 */
void page_alloc_init(void);
