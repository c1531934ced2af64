/*
 * Slab caches. A cache cuts blocks of pages into equal objects; each CPU has
 * a magazine of free ones in front. Every free object carries a mark in its
 * first word, made from its address and the cache's secret: a free that finds
 * the mark is a second free, an allocation that does not find it was written
 * to after its free. The link to the next free object of a slab is an index,
 * hidden the same way and checked when used.
 *
 * LOCKING: cache->lock (irqsave) guards slabs; it is taken before the zone
 * lock. A magazine is its CPU's, guarded by its busy flag: an interrupt that
 * finds it set has interrupted the owner and goes to the slabs.
 */
#include "kernel/mm/slab.h"
#include "kernel/debug/failmem.h"
#include "kernel/debug/kasan.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab_internal.h"
#include "kernel/panic.h"
#include "kernel/string.h"

#define NO_OBJECT	0xffffu
#define MAX_SLAB_ORDER	3
#define KEEP_EMPTY	1	/* empty slabs a cache holds back */
#define ROOMY_PAGES	8192u	/* 32 MiB: no need to be thrifty */

LIST_HEAD(slab_caches);
struct spinlock slab_caches_lock;

/* For a cache that has no magazine yet: always busy. */
static struct magazine no_magazine = { .busy = 1 };

static u64 free_mark(const struct kmem_cache *c, const void *obj)
{
	return c->secret ^ (u64)obj;
}

static u64 link_key(const struct kmem_cache *c, const void *obj)
{
	return (c->secret << 17 | c->secret >> 47) ^ (u64)obj;
}

static void *slab_object(const struct kmem_cache *c, const struct page *slab,
			 u32 idx)
{
	return (u8 *)page_address(slab) + idx * c->size;
}

/* The slab's head page and the object's index in it; checks @obj. */
static struct page *object_slab(const struct kmem_cache *c, const void *obj,
				u32 *idx)
{
	u64 mask = (PAGE_SIZE << c->order) - 1;
	struct page *slab = virt_to_page((void *)((u64)obj & ~mask));
	u64 offset = (u64)obj & mask;

	if (slab->type != PAGE_SLAB || slab->cache != c)
		panic("slab: %p freed to %s is not of that cache", obj,
		      c->name);
	*idx = (u32)(offset / c->size);
	if (offset % c->size || *idx >= slab->carved)
		panic("slab: %p freed to %s is not where an object starts",
		      obj, c->name);
	return slab;
}

static struct page *slab_create(struct kmem_cache *c)
{
	struct page *slab = alloc_pages(c->order);
	u32 i;

	if (!slab)
		return NULL;
	for (i = 0; i < 1u << c->order; i++) {
		slab[i].type = PAGE_SLAB;
		slab[i].order = c->order;
		slab[i].cache = c;
	}
	slab->free_idx = NO_OBJECT;
	slab->inuse = 0;
	slab->carved = 0;
	list_add(&slab->list, &c->partial);
	c->nr_slabs++;
	c->nr_empty++;
	return slab;
}

static void slab_destroy(struct kmem_cache *c, struct page *slab)
{
	u32 i;

	list_del(&slab->list);
	c->nr_slabs--;
	c->nr_empty--;
	for (i = 1; i < 1u << c->order; i++)
		slab[i].type = PAGE_RESERVED;
	slab->type = PAGE_USED;
	free_pages(slab, c->order);
}

/* Takes an object that has its mark. The slab has one. */
static void *slab_pop(struct kmem_cache *c, struct page *slab)
{
	void *obj;
	u64 next;

	if (slab->free_idx == NO_OBJECT) {
		obj = slab_object(c, slab, slab->carved++);
		*(u64 *)obj = free_mark(c, obj);
	} else {
		obj = slab_object(c, slab, slab->free_idx);
		next = ((u64 *)obj)[1] ^ link_key(c, obj);
		if (next != NO_OBJECT && next >= slab->carved)
			panic("slab: %s %p: free list overwritten", c->name,
			      obj);
		slab->free_idx = (u16)next;
	}
	if (!slab->inuse++)
		c->nr_empty--;
	if (slab->inuse == c->per_slab)
		list_del(&slab->list);
	return obj;
}

static void *cache_pop(struct kmem_cache *c) __must_hold(c->lock)
{
	struct page *slab;
	void *obj;

	if (list_empty(&c->partial))
		slab = slab_create(c);
	else
		slab = list_first_entry(&c->partial, struct page, list);
	if (!slab)
		return NULL;
	obj = slab_pop(c, slab);
	c->nr_out++;
	return obj;
}

/* @obj has its mark. */
static void cache_push(struct kmem_cache *c, void *obj) __must_hold(c->lock)
{
	struct page *slab;
	u32 idx;

	slab = object_slab(c, obj, &idx);
	((u64 *)obj)[1] = slab->free_idx ^ link_key(c, obj);
	slab->free_idx = (u16)idx;
	if (slab->inuse == c->per_slab)
		list_add(&slab->list, &c->partial);
	c->nr_out--;
	if (--slab->inuse)
		return;
	c->nr_empty++;
	if (c->nr_empty > KEEP_EMPTY)
		slab_destroy(c, slab);
	else
		list_move_tail(&slab->list, &c->partial);
}

/* The magazine was empty, or an interrupt finds it busy. */
static noinline void *alloc_slow(struct kmem_cache *c, struct magazine *m)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	void *obj = cache_pop(c), *more;

	while (obj && !m->busy && m->count < c->mag_size / 2) {
		more = cache_pop(c);
		if (!more)
			break;
		m->obj[m->count++] = more;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return obj;
}

static noinline void free_slow(struct kmem_cache *c, struct magazine *m,
			       void *obj)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);

	cache_push(c, obj);
	while (!m->busy && m->count > c->mag_size / 2)
		cache_push(c, m->obj[--m->count]);
	spin_unlock_irqrestore(&c->lock, flags);
}

static struct magazine *own_magazine(struct kmem_cache *c)
{
	return c->magazine[smp_processor_id()];
}

/* An object comes out: it must have its mark, and loses it. */
static inline void take_mark(struct kmem_cache *c, u64 *obj, u64 mark)
{
	if (unlikely(*obj != mark))
		panic("slab: %s %p was written to after it was freed",
		      c->name, obj);
	kasan_alloc(obj, c->size);
	*obj = 0;
}

static inline void check_out(struct kmem_cache *c, u64 *obj)
{
	take_mark(c, obj, free_mark(c, obj));
	if (c->flags & SLAB_ZERO)
		memset(obj, 0, c->size - KASAN_REDZONE);
}

u32 kmem_cache_alloc_bulk(struct kmem_cache *c, u32 n, void **objs)
{
	struct magazine *m = own_magazine(c);
	u64 secret = c->secret;
	u32 got = 0, most;

	if (fail_alloc(__builtin_return_address(0)))
		return 0;
	if (likely(!READ_ONCE(m->busy) && !(c->flags & SLAB_ZERO))) {
		void **from;

		WRITE_ONCE(m->busy, 1);
		barrier();
		most = min(n, m->count);
		m->count -= most;
		from = &m->obj[m->count];
		for (; got < most; got++) {
			objs[got] = from[got];
			take_mark(c, objs[got], secret ^ (u64)objs[got]);
		}
		barrier();
		WRITE_ONCE(m->busy, 0);
	}
	while (unlikely(got < n)) {
		objs[got] = kmem_cache_alloc(c);
		if (unlikely(!objs[got]))
			break;
		got++;
	}
	return got;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	struct magazine *m = own_magazine(c);
	u64 *obj = NULL;

	if (fail_alloc(__builtin_return_address(0)))
		return NULL;
	if (likely(!READ_ONCE(m->busy))) {
		WRITE_ONCE(m->busy, 1);
		barrier();
		if (likely(m->count))
			obj = m->obj[--m->count];
		barrier();
		WRITE_ONCE(m->busy, 0);
	}
	if (unlikely(!obj)) {
		obj = alloc_slow(c, m);
		if (!obj)
			return NULL;
	}
	check_out(c, obj);
	return obj;
}

void kmem_cache_free(struct kmem_cache *c, void *obj)
{
	struct magazine *m;
	u64 *word;

	if (kasan_quarantine(&c, &obj))
		return;
	m = own_magazine(c);
	word = obj;
	if (unlikely(*word == free_mark(c, obj)))
		panic("slab: %s %p is freed twice", c->name, obj);
	*word = free_mark(c, obj);
	if (likely(!READ_ONCE(m->busy))) {
		WRITE_ONCE(m->busy, 1);
		barrier();
		if (likely(m->count < c->mag_size)) {
			m->obj[m->count++] = obj;
			barrier();
			WRITE_ONCE(m->busy, 0);
			return;
		}
		WRITE_ONCE(m->busy, 0);
	}
	free_slow(c, m, obj);
}

/* The smallest block that wastes at most a sixteenth. */
static u8 slab_order(u32 size)
{
	u8 order;

	for (order = 0; order < MAX_SLAB_ORDER; order++) {
		u64 bytes = PAGE_SIZE << order;

		if (bytes >= size && bytes % size <= bytes / 16)
			break;
	}
	return order;
}

/*
 * Enough that a burst of packets, or of connections, goes through a magazine
 * and not through the slabs. What lies in it slab_reclaim() can have; a
 * machine with little memory would have to ask for it too often.
 */
static u32 magazine_size(u32 size)
{
	if (size <= 2048 && nr_total_pages() >= ROOMY_PAGES)
		return 254;
	if (size <= 256)
		return 30;
	if (size <= 1024)
		return 14;
	return 6;
}

__cold void cache_setup(struct kmem_cache *c, const char *name, size_t size,
			size_t align, unsigned int flags)
{
	unsigned int i;
	u64 per_slab;

	memset(c, 0, sizeof(*c));
	align = max(align, sizeof(u64));
	/* Room for the mark and the link. */
	size = max(size, 2 * sizeof(u64)) + KASAN_REDZONE;
	size = ALIGN_UP(size, align);
	BUG_ON(size > PAGE_SIZE << MAX_SLAB_ORDER);
	c->name = name;
	c->size = (u32)size;
	c->flags = flags;
	c->order = slab_order(c->size);
	per_slab = (PAGE_SIZE << c->order) / size;
	c->per_slab = (u16)per_slab;
	c->mag_size = magazine_size(c->size);
	c->secret = early_random();
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->partial);
	for (i = 0; i < NR_CPUS; i++)
		c->magazine[i] = &no_magazine;
	spin_lock(&slab_caches_lock);
	list_add_tail(&c->list, &slab_caches);
	spin_unlock(&slab_caches_lock);
}

bool cache_add_magazine(struct kmem_cache *c, unsigned int cpu)
{
	struct magazine *m = kmalloc(sizeof(*m) +
				     c->mag_size * sizeof(m->obj[0]));

	if (!m)
		return false;
	m->busy = 0;
	m->count = 0;
	c->magazine[cpu] = m;
	return true;
}

__cold struct kmem_cache *kmem_cache_create(const char *name, size_t size,
					    size_t align, unsigned int flags)
{
	struct kmem_cache *c = kmalloc(sizeof(*c));

	if (!c)
		return NULL;
	cache_setup(c, name, size, align, flags);
	/* Without one the cache works, only slower. */
	(void)cache_add_magazine(c, smp_processor_id());
	return c;
}

/* Puts the own CPU's free objects back into their slabs. */
static void flush_magazine(struct kmem_cache *c) __must_hold(c->lock)
{
	struct magazine *m = own_magazine(c);

	while (!m->busy && m->count)
		cache_push(c, m->obj[--m->count]);
}

/* True if a slab went back to the page allocator. */
static bool cache_shrink(struct kmem_cache *c) __must_hold(c->lock)
{
	u32 before = c->nr_slabs;
	struct page *slab, *next;

	flush_magazine(c);
	list_for_each_entry_safe(slab, next, &c->partial, list)
		if (!slab->inuse)
			slab_destroy(c, slab);
	return c->nr_slabs < before;
}

/*
 * Memory is out. Who asks may hold any cache's lock, so nothing is waited
 * for. Rare, and as long as all partial slabs.
 */
__cold bool slab_reclaim(void)
{
	unsigned long flags = local_irq_save();
	struct kmem_cache *c;
	bool any = false;

	if (spin_trylock(&slab_caches_lock)) {
		list_for_each_entry(c, &slab_caches, list) {
			if (!spin_trylock(&c->lock))
				continue;
			any |= cache_shrink(c);
			spin_unlock(&c->lock);
		}
		spin_unlock(&slab_caches_lock);
	}
	local_irq_restore(flags);
	return any;
}

static u64 in_magazines(const struct kmem_cache *c)
{
	unsigned int i;
	u64 n = 0;

	for (i = 0; i < NR_CPUS; i++)
		n += c->magazine[i]->count;
	return n;
}

__cold void slab_for_each(void (*fn)(const struct slab_info *info, void *arg),
			  void *arg)
{
	struct kmem_cache *c;

	kasan_flush();
	spin_lock(&slab_caches_lock);
	list_for_each_entry(c, &slab_caches, list) {
		struct slab_info info = {
			.name = c->name, .size = c->size,
			.active = c->nr_out - in_magazines(c),
			.total = (u64)c->nr_slabs * c->per_slab,
			.pages = (u64)c->nr_slabs << c->order,
		};

		fn(&info, arg);
	}
	spin_unlock(&slab_caches_lock);
}
