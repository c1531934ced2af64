/*
 * kmalloc(): the next larger size of a ladder of caches; beyond the ladder,
 * whole pages. kfree() finds the cache through the page's struct.
 */
#include "kernel/debug/failmem.h"
#include "kernel/debug/kasan.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab_internal.h"
#include "kernel/panic.h"
#include "kernel/string.h"

#define STEP		16	/* what the table of small sizes counts in */
#define TABLE_MAX	1024	/* largest size in it */
#define LADDER_MAX	8192

static const struct {
	u16 size;
	const char *name;
} ladder[] = {
	{ 16, "kmalloc-16" },	  { 32, "kmalloc-32" },
	{ 48, "kmalloc-48" },	  { 64, "kmalloc-64" },
	{ 96, "kmalloc-96" },	  { 128, "kmalloc-128" },
	{ 192, "kmalloc-192" },	  { 256, "kmalloc-256" },
	{ 384, "kmalloc-384" },	  { 512, "kmalloc-512" },
	{ 768, "kmalloc-768" },	  { 1024, "kmalloc-1024" },
	{ 1536, "kmalloc-1536" }, { 2048, "kmalloc-2048" },
	{ 3072, "kmalloc-3072" }, { 4096, "kmalloc-4096" },
	{ LADDER_MAX, "kmalloc-8192" },
};

#define RUNGS ARRAY_SIZE(ladder)

static struct kmem_cache rung[RUNGS];
/* Rung for sizes up to TABLE_MAX, by size in steps rounded up. */
static u8 rung_of_step[TABLE_MAX / STEP + 1] __ro_after_init = { 0 };

static size_t find_rung(size_t size)
{
	size_t i = 0;

	if (size <= TABLE_MAX)
		return rung_of_step[(size + STEP - 1) / STEP];
	while (ladder[i].size < size)
		i++;
	return i;
}

static unsigned int page_order(size_t size)
{
	unsigned int order = 0;

	while (order <= MAX_ORDER && PAGE_SIZE << order < size)
		order++;
	return order;
}

size_t kmalloc_size(size_t size)
{
	if (size <= LADDER_MAX)
		return ladder[find_rung(size)].size;
	return PAGE_SIZE << page_order(size);
}

void *kmalloc(size_t size)
{
	struct page *page;
	void *obj;

	if (fail_alloc(__builtin_return_address(0)))
		return NULL;
	if (likely(size <= LADDER_MAX)) {
		obj = kmem_cache_alloc(&rung[find_rung(size)]);
		kasan_shrink(obj, size, kmalloc_size(size));
		return obj;
	}
	page = alloc_pages(page_order(size));
	return page ? page_address(page) : NULL;
}

void *kzalloc(size_t size)
{
	void *obj = fail_alloc(__builtin_return_address(0)) ? NULL :
							      kmalloc(size);

	if (obj)
		memset(obj, 0, size);
	return obj;
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kzalloc(bytes);
}

void kfree(const void *obj)
{
	struct page *page;

	if (!obj)
		return;
	page = virt_to_page(obj);
	if (likely(page->type == PAGE_SLAB)) {
		kmem_cache_free(page->cache, (void *)obj);
		return;
	}
	if (page->type != PAGE_USED || (u64)obj % PAGE_SIZE)
		panic("kfree: %p was not allocated, or is freed twice", obj);
	free_pages(page, page->order);
}

__cold void slab_init(void)
{
	size_t i, step = 0;

	spin_lock_init(&slab_caches_lock);
	page_reclaim = slab_reclaim;
	for (i = 0; i < RUNGS; i++) {
		cache_setup(&rung[i], ladder[i].name, ladder[i].size, 0, 0);
		while (step <= TABLE_MAX / STEP &&
		       step * STEP <= ladder[i].size)
			rung_of_step[step++] = (u8)i;
	}
	for (i = 0; i < RUNGS; i++)
		if (!cache_add_magazine(&rung[i], smp_processor_id()))
			panic("slab: no memory at boot; give the machine "
			      "more (-m)");
}
