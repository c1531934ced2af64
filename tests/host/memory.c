/*
 * Slab, kmalloc, pages and vmalloc over malloc, so that AddressSanitizer sees
 * every object. All of them are counted, and all can be made to fail.
 */
#include "tests/host/host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/panic.h"

static unsigned long outstanding, made, fail_at;
static bool fail_all, failed;

unsigned long host_allocs_outstanding(void)
{
	return outstanding;
}

unsigned long host_allocs_made(void)
{
	return made;
}

void host_fail_alloc(unsigned long nth)
{
	fail_at = nth;
	failed = false;
}

bool host_alloc_failed(void)
{
	return failed;
}

void host_fail_all_allocs(bool on)
{
	fail_all = on;
}

void host_memory_reset(void)
{
	made = 0;
	fail_at = 0;
	fail_all = false;
	memory_tight = false;
	memory_pressed = false;
	failed = false;
}

static bool refused(void)
{
	made++;
	if (fail_all || (fail_at && --fail_at == 0)) {
		failed = true;
		return true;
	}
	return false;
}

static void *counted(void *p)
{
	outstanding += p != NULL;
	return p;
}

static void uncounted(const void *p)
{
	if (!p)
		return;
	BUG_ON(!outstanding);
	outstanding--;
}

/* Fresh memory is never zero by luck: those who need zeroes must ask. */
static void *dirty(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (p)
		memset(p, 0xa5, size);
	return p;
}

__weak void *kmalloc(size_t size)
{
	return refused() ? NULL : counted(dirty(size));
}

__weak void *kzalloc(size_t size)
{
	return refused() ? NULL : counted(calloc(1, size ? size : 1));
}

__weak void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kzalloc(bytes);
}

__weak void kfree(const void *obj)
{
	uncounted(obj);
	free((void *)obj);
}

__weak size_t kmalloc_size(size_t size)
{
	size_t n = 8;

	while (n < size)
		n *= 2;
	return n;
}

struct kmem_cache {
	size_t size, align;
	unsigned int flags;
};

/* Caches live until the process ends, as in the kernel: not counted. */
__weak struct kmem_cache *kmem_cache_create(const char *name, size_t size,
					    size_t align, unsigned int flags)
{
	static struct kmem_cache caches[64];
	static unsigned int used;
	struct kmem_cache *cache;

	if (refused() || used == ARRAY_SIZE(caches))
		return NULL;
	cache = &caches[used++];
	cache->size = size;
	cache->align = align > sizeof(void *) ? align : sizeof(void *);
	cache->flags = flags;
	return cache;
}

__weak void *kmem_cache_alloc(struct kmem_cache *cache)
{
	void *obj = NULL;

	if (refused() || posix_memalign(&obj, cache->align, cache->size))
		return NULL;
	memset(obj, cache->flags & SLAB_ZERO ? 0 : 0xa5, cache->size);
	return counted(obj);
}

__weak u32 kmem_cache_alloc_bulk(struct kmem_cache *cache, u32 n, void **objs)
{
	u32 got = 0;

	while (got < n && (objs[got] = kmem_cache_alloc(cache)))
		got++;
	return got;
}

__weak void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	uncounted(obj);
	free(obj);
}

__weak void slab_for_each(void (*fn)(const struct slab_info *info, void *arg),
			  void *arg)
{
}

__weak void *vmalloc(size_t size)
{
	void *p = NULL;

	if (refused() || posix_memalign(&p, PAGE_SIZE, ALIGN_UP(size, 4096ul)))
		return NULL;
	memset(p, 0, ALIGN_UP(size, 4096ul));
	return counted(p);
}

__weak void vfree(void *va)
{
	uncounted(va);
	free(va);
}

__weak void *kstack_alloc(void)
{
	return vmalloc(KSTACK_SIZE);
}

__weak void kstack_free(void *stack)
{
	vfree(stack);
}

/* "Physical" memory: one area of the host, mapped lazily. */
#define HOST_PAGES 16384u

static struct page pages[HOST_PAGES];
static bool taken[HOST_PAGES];

__weak u64 direct_map_base;
__weak struct page *mem_map = pages;

static void map_pages(void)
{
	void *p;

	if (direct_map_base)
		return;
	p = mmap(NULL, HOST_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	BUG_ON(p == MAP_FAILED);
	direct_map_base = (u64)p;
}

static bool all_free(unsigned int first, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (taken[first + i])
			return false;
	}
	return true;
}

__weak struct page *alloc_pages(unsigned int order)
{
	unsigned int n = 1u << order;
	unsigned int i = 0;

	map_pages();
	if (refused())
		return NULL;
	while (i < HOST_PAGES && !all_free(i, n))
		i += n;
	if (i >= HOST_PAGES)
		return NULL;
	memset(&taken[i], true, n);
	memset(&pages[i], 0, n * sizeof(pages[0]));
	atomic_set(&pages[i].refs, 1);
	pages[i].order = order;
	memset(page_address(&pages[i]), 0xa5, n * PAGE_SIZE);
	return counted(&pages[i]);
}

__weak void free_pages(struct page *page, unsigned int order)
{
	BUG_ON(!taken[page - pages] || page->order != order);
	memset(&taken[page - pages], false, 1u << order);
	memset(page_address(page), 0x5a, PAGE_SIZE << order);
	uncounted(page);
}

__weak struct page *alloc_page_reserve(void)
{
	return alloc_pages(0);
}

__weak bool memory_tight;
__weak bool memory_pressed;

__weak bool memory_is_low(void)
{
	return fail_all;
}

__weak void put_page(struct page *page)
{
	if (atomic_dec_and_test(&page->refs))
		free_pages(page, page->order);
}

__weak void *get_zeroed_page(void)
{
	struct page *page = alloc_pages(0);

	return page ? memset(page_address(page), 0, PAGE_SIZE) : NULL;
}

__weak void free_page(void *va)
{
	BUG_ON(!va);
	free_pages(virt_to_page(va), 0);
}

__weak u64 nr_total_pages(void)
{
	return HOST_PAGES;
}

__weak u64 nr_free_pages(void)
{
	u64 n = 0;

	for (unsigned int i = 0; i < HOST_PAGES; i++)
		n += !taken[i];
	return n;
}
