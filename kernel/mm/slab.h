/*
 * Slab caches: same-sized objects carved from pages, with a per-CPU front
 * end, so that the common alloc and free are a pop and a push. kmalloc()
 * serves any size from a ladder of such caches. Any context but NMI; never
 * sleeps; every caller survives NULL.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/types.h"

struct kmem_cache;

#define SLAB_ZERO	(1u << 0)	/* objects come zeroed */

/*
 * @name is borrowed for good. @align 0: 8 bytes, power of two else. NULL if
 * out of memory. Task context at boot.
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align, unsigned int flags);
void *kmem_cache_alloc(struct kmem_cache *cache) __must_check;
/* Up to @n objects at once, in objs[]; how many there were. */
u32 kmem_cache_alloc_bulk(struct kmem_cache *cache, u32 n,
			  void **objs) __must_check;
void kmem_cache_free(struct kmem_cache *cache, void *obj);

void *kmalloc(size_t size) __must_check;
void *kzalloc(size_t size) __must_check;
/* NULL also when n * size overflows. */
void *kcalloc(size_t n, size_t size) __must_check;
void kfree(const void *obj);		/* NULL is fine */

/* Bytes that really stand behind a kmalloc() of @size. */
size_t kmalloc_size(size_t size);

/* What /proc/slabinfo and the leak checks ask. */
struct slab_info {
	const char *name;
	size_t size;
	u64 active, total;	/* objects handed out, objects there are */
	u64 pages;
};

/* Calls @fn for each cache. Task context. */
void slab_for_each(void (*fn)(const struct slab_info *info, void *arg),
		   void *arg);

void slab_init(void);
