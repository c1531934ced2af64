/*
 * The buddy allocator: free blocks of 2^order pages, split and merged in
 * pairs, with a small per-CPU stock of single pages in front.
 *
 * Memory is taken into use in chunks of 4 MiB, lowest first, when the free
 * lists have nothing. Of a chunk that is wholly free only the head's struct
 * is written: every split writes the heads of both halves, so a merge only
 * ever looks at structs that a split has written. Chunks with holes are
 * cleared first. So boot costs the same for 6 MiB and for 64 GiB.
 *
 * LOCKING: zone.lock (irqsave) guards the lists and the page structs of free
 * blocks. A CPU's stock is guarded by its busy flag: an interrupt that finds
 * it set has interrupted the owner and goes to the lists instead.
 */
#include "kernel/mm/page.h"
#include "kernel/debug/failmem.h"
#include "kernel/debug/kasan.h"
#include "kernel/mm/memblock.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"

#define CHUNK_PAGES	(1ul << MAX_ORDER)
#define STOCK_MAX	16
#define STOCK_BATCH	8
#define RESERVE_PART	16	/* of all memory */
#define RESERVE_MIN	16	/* pages */
#define RESERVE_MAX	1024

/* Locks: z lock, c const after page_alloc_init(). */
struct zone {
	struct spinlock lock;
	u32 nonempty;				/* z  bit n: free[n] has any */
	struct list_head free[MAX_ORDER + 1];	/* z */
	u64 next_chunk;				/* z  first pfn not reached */
	u64 end_pfn;				/* c */
	u64 nr_free;				/* z  stocks not counted */
	u64 nr_total;				/* z */
	u64 reserve;				/* c  pages kept back */
};

/* Own CPU only, see above. */
struct page_stock {
	u32 busy;
	u32 count;
	struct page *page[STOCK_MAX];
};

struct page *mem_map __ro_after_init = NULL;
bool (*page_reclaim)(void) __ro_after_init = NULL;
bool memory_tight, memory_pressed;
static struct zone zone;
static DEFINE_PER_CPU(struct page_stock, page_stock);

/* After every change of nr_free. */
static void note_tightness(struct zone *z)
{
	bool tight = z->nr_free < 2 * z->reserve;

	bool pressed = z->nr_free < 3 * z->reserve;

	if (unlikely(tight != memory_tight))
		WRITE_ONCE(memory_tight, tight);
	if (unlikely(pressed != memory_pressed))
		WRITE_ONCE(memory_pressed, pressed);
}

static u64 page_pfn(const struct page *page)
{
	return (u64)(page - mem_map);
}

static void list_block(struct zone *z, struct page *page, unsigned int order)
{
	page->type = PAGE_FREE;
	page->order = (u8)order;
	page->reported = 0;
	list_add(&page->list, &z->free[order]);
	z->nonempty |= 1u << order;
}

static void unlist_block(struct zone *z, struct page *page)
{
	list_del(&page->list);
	if (list_empty(&z->free[page->order]))
		z->nonempty &= ~(1u << page->order);
}

/* Lists [@pfn, @end) in the largest aligned blocks. */
static void list_range(struct zone *z, u64 pfn, u64 end)
{
	while (pfn < end) {
		unsigned int order = 0;

		while (order < MAX_ORDER && !(pfn & 1ul << order) &&
		       pfn + (2ul << order) <= end)
			order++;
		list_block(z, &mem_map[pfn], order);
		pfn += 1ul << order;
	}
}

/* Brings the chunk at @pfn into use. False if nothing of it is free. */
static __cold bool reach_chunk(struct zone *z, u64 pfn)
{
	u64 end = min(pfn + CHUNK_PAGES, z->end_pfn);
	bool any = false;
	unsigned int i;

	for (i = 0; i < memblock.nr; i++) {
		u64 from = memblock.range[i].start >> PAGE_SHIFT;
		u64 to = memblock.range[i].end >> PAGE_SHIFT;

		if (to <= pfn || from >= end)
			continue;
		if (!any && (from > pfn || to < pfn + CHUNK_PAGES))
			memset(&mem_map[pfn], 0,
			       (end - pfn) * sizeof(*mem_map));
		list_range(z, max(from, pfn), min(to, end));
		any = true;
	}
	return any;
}

/* True if a further chunk of memory is now in use. */
static bool zone_grow(struct zone *z)
{
	while (z->next_chunk < z->end_pfn) {
		u64 pfn = z->next_chunk;

		z->next_chunk += CHUNK_PAGES;
		if (reach_chunk(z, pfn))
			return true;
	}
	return false;
}

/* A block that leaves at least @keep pages. NULL: there is none. */
static struct page *zone_alloc(struct zone *z, unsigned int order, u64 keep)
{
	struct page *page;
	unsigned int have;
	u32 fit;

	if (z->nr_free < (1ul << order) + keep)
		return NULL;
	do {
		fit = z->nonempty >> order;
	} while (!fit && zone_grow(z));
	if (!fit)
		return NULL;
	have = order + (unsigned int)__builtin_ctz(fit);
	page = list_first_entry(&z->free[have], struct page, list);
	unlist_block(z, page);
	while (have > order) {
		have--;
		list_block(z, page + (1ul << have), have);
	}
	page->type = PAGE_USED;
	page->order = (u8)order;
	z->nr_free -= 1ul << order;
	note_tightness(z);
	return page;
}

static void zone_free(struct zone *z, struct page *page, unsigned int order)
{
	u64 pfn = page_pfn(page);

	BUG_ON(page->type != PAGE_USED || page->order != order);
	z->nr_free += 1ul << order;
	note_tightness(z);
	for (; order < MAX_ORDER; order++) {
		u64 buddy_pfn = pfn ^ 1ul << order;
		struct page *buddy = &mem_map[buddy_pfn];

		if (buddy_pfn >= z->end_pfn || buddy->type != PAGE_FREE ||
		    buddy->order != order)
			break;
		unlist_block(z, buddy);
		buddy->type = PAGE_RESERVED;
		page->type = PAGE_RESERVED;
		pfn &= ~(1ul << order);
		page = &mem_map[pfn];
	}
	list_block(z, page, order);
}

/* A page from this CPU's stock, which is filled when empty. */
static struct page *stock_alloc(void)
{
	struct page_stock *stock = this_cpu_ptr(&page_stock);
	struct page *page = NULL;
	unsigned long flags;

	if (READ_ONCE(stock->busy))
		return NULL;
	WRITE_ONCE(stock->busy, 1);
	barrier();
	if (!stock->count) {
		flags = spin_lock_irqsave(&zone.lock);
		while (stock->count < STOCK_BATCH) {
			page = zone_alloc(&zone, 0, zone.reserve);
			if (!page)
				break;
			stock->page[stock->count++] = page;
		}
		spin_unlock_irqrestore(&zone.lock, flags);
	}
	page = stock->count ? stock->page[--stock->count] : NULL;
	barrier();
	WRITE_ONCE(stock->busy, 0);
	return page;
}

static void stock_drain(struct page_stock *stock, unsigned int keep)
{
	unsigned long flags = spin_lock_irqsave(&zone.lock);

	while (stock->count > keep) {
		struct page *page = stock->page[--stock->count];

		page->type = PAGE_USED;
		zone_free(&zone, page, 0);
	}
	spin_unlock_irqrestore(&zone.lock, flags);
}

/* False if an interrupt came while the stock was in use. */
static bool stock_free(struct page *page)
{
	struct page_stock *stock = this_cpu_ptr(&page_stock);

	if (READ_ONCE(stock->busy))
		return false;
	WRITE_ONCE(stock->busy, 1);
	barrier();
	BUG_ON(page->type != PAGE_USED || page->order);
	if (stock->count == STOCK_MAX)
		stock_drain(stock, STOCK_MAX - STOCK_BATCH);
	/* In stock it is nobody's, so that a second free is caught. */
	page->type = PAGE_RESERVED;
	stock->page[stock->count++] = page;
	barrier();
	WRITE_ONCE(stock->busy, 0);
	return true;
}

/* So that single pages merge into blocks. False if there were none. */
static bool drain_own_stock(void)
{
	struct page_stock *stock = this_cpu_ptr(&page_stock);
	bool any = false;

	if (READ_ONCE(stock->busy))
		return false;
	WRITE_ONCE(stock->busy, 1);
	barrier();
	any = stock->count;
	if (any)
		stock_drain(stock, 0);
	barrier();
	WRITE_ONCE(stock->busy, 0);
	return any;
}

static struct page *zone_alloc_irq(unsigned int order, u64 keep)
{
	unsigned long flags = spin_lock_irqsave(&zone.lock);
	struct page *page = zone_alloc(&zone, order, keep);

	spin_unlock_irqrestore(&zone.lock, flags);
	return page;
}

/* Before "no": what this CPU holds back, then what the slabs do. */
static noinline __cold struct page *alloc_last_resort(unsigned int order)
{
	struct page *page = NULL;

	if (order && drain_own_stock())
		page = zone_alloc_irq(order, zone.reserve);
	if (!page && page_reclaim && page_reclaim()) {
		(void)drain_own_stock();
		page = zone_alloc_irq(order, zone.reserve);
	}
	return page;
}

struct page *alloc_pages(unsigned int order)
{
	struct page *page = NULL;

	if (order > MAX_ORDER || fail_alloc(__builtin_return_address(0)))
		return NULL;
	if (!order)
		page = stock_alloc();
	if (!page)
		page = zone_alloc_irq(order, zone.reserve);
	if (unlikely(!page))
		page = alloc_last_resort(order);
	if (!page)
		return NULL;
	page->type = PAGE_USED;
	atomic_set(&page->refs, 1);
	kasan_alloc_pages(page, order);
	return page;
}

struct page *alloc_page_reserve(void)
{
	struct page *page = alloc_pages(0);

	if (likely(page))
		return page;
	page = zone_alloc_irq(0, 0);
	if (!page)
		return NULL;
	atomic_set(&page->refs, 1);
	kasan_alloc_pages(page, 0);
	return page;
}

bool memory_is_low(void)
{
	return READ_ONCE(zone.nr_free) <= zone.reserve;
}

void free_pages(struct page *page, unsigned int order)
{
	unsigned long flags;

	kasan_free_pages(page, order);
	if (!order && stock_free(page))
		return;
	flags = spin_lock_irqsave(&zone.lock);
	zone_free(&zone, page, order);
	spin_unlock_irqrestore(&zone.lock, flags);
}

void put_page(struct page *page)
{
	if (atomic_dec_and_test(&page->refs))
		free_pages(page, page->order);
}

void *get_zeroed_page(void)
{
	struct page *page = alloc_pages(0);
	void *va;

	if (!page)
		return NULL;
	va = page_address(page);
	memset(va, 0, PAGE_SIZE);
	return va;
}

void free_page(void *va)
{
	free_pages(virt_to_page(va), 0);
}

struct page *keep_reserved_page(phys_addr_t pa)
{
	unsigned long flags = spin_lock_irqsave(&zone.lock);
	struct page *page = phys_to_page(pa);

	/* Its struct is only sound once its chunk has been reached. */
	while (zone.next_chunk <= page_pfn(page) && zone_grow(&zone))
		;
	page->type = PAGE_USED;
	page->order = 0;
	atomic_set(&page->refs, 1);
	zone.nr_total++;
	spin_unlock_irqrestore(&zone.lock, flags);
	return page;
}

__cold void free_reserved_page(phys_addr_t pa)
{
	free_pages(keep_reserved_page(pa), 0);
}

struct page *page_report_take(unsigned int least)
{
	unsigned long flags = spin_lock_irqsave(&zone.lock);
	struct page *page, *found = NULL;

	for (int order = MAX_ORDER; !found && order >= (int)least; order--) {
		if (list_empty(&zone.free[order]))
			continue;
		/* Those that were reported lie behind all others. */
		page = list_first_entry(&zone.free[order], struct page, list);
		if (!page->reported)
			found = page;
	}
	/* While it is away, nobody shall find too little. */
	if (found && zone.nr_free >= (1ul << found->order) + 3 * zone.reserve) {
		unlist_block(&zone, found);
		found->type = PAGE_USED;
		zone.nr_free -= 1ul << found->order;
	} else {
		found = NULL;
	}
	spin_unlock_irqrestore(&zone.lock, flags);
	return found;
}

void page_report_done(struct page *page, bool reported)
{
	unsigned long flags = spin_lock_irqsave(&zone.lock);
	unsigned int order = page->order;

	zone_free(&zone, page, order);
	/* Merged with another it is to be reported once more. */
	if (reported && page->type == PAGE_FREE && page->order == order) {
		page->reported = 1;
		list_del(&page->list);
		list_add_tail(&page->list, &zone.free[order]);
	}
	spin_unlock_irqrestore(&zone.lock, flags);
}

u64 nr_free_pages(void)
{
	return zone.nr_free + this_cpu_ptr(&page_stock)->count;
}

u64 nr_total_pages(void)
{
	return zone.nr_total;
}

__cold void page_alloc_init(void)
{
	struct zone *z = &zone;
	phys_addr_t map;
	unsigned int i;

	memset(this_cpu_ptr(&page_stock), 0, sizeof(page_stock));
	spin_lock_init(&z->lock);
	for (i = 0; i <= MAX_ORDER; i++)
		INIT_LIST_HEAD(&z->free[i]);
	z->nonempty = 0;
	z->next_chunk = 0;
	z->end_pfn = memblock.ram_end >> PAGE_SHIFT;
	map = memblock_alloc(&memblock, z->end_pfn * sizeof(*mem_map),
			     MEMBLOCK_MAX_PHYS, false);
	if (!map)
		panic("memory: no room for %llu page structs in one piece; "
		      "give the machine more (-m)",
		      (unsigned long long)z->end_pfn);
	mem_map = phys_to_virt(map);
	z->nr_free = 0;
	for (i = 0; i < memblock.nr; i++)
		z->nr_free += (memblock.range[i].end -
			       memblock.range[i].start) >> PAGE_SHIFT;
	z->nr_total = z->nr_free;
	z->reserve = clamp(z->nr_total / RESERVE_PART, RESERVE_MIN,
			   RESERVE_MAX);
	note_tightness(z);
}
