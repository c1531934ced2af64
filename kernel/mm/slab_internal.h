/* Between slab.c (caches) and kmalloc.c (the ladder of sizes). */
#pragma once

#include "kernel/list.h"
#include "kernel/mm/slab.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"
#include "kernel/x86/cpu.h"

/* Free objects in one CPU's reach; own CPU only. */
struct magazine {
	u32 busy;
	u32 count;
	void *obj[];
};

/* Locks: c const after creation, l lock, g slab_caches_lock. */
struct kmem_cache {
	u64 secret;			/* c */
	u32 size;			/* c  bytes from object to object */
	u32 mag_size;			/* c */
	u32 flags;			/* c */
	u16 per_slab;			/* c  objects */
	u8 order;			/* c  of a slab's pages */
	struct spinlock lock;
	struct list_head partial;	/* l  slabs with a free object */
	u32 nr_slabs, nr_empty;		/* l */
	u64 nr_out;			/* l  objects not in a slab */
	const char *name;		/* c */
	struct list_head list;		/* g */
	struct magazine *magazine[NR_CPUS];	/* c */
};

extern struct list_head slab_caches;
extern struct spinlock slab_caches_lock;

void cache_setup(struct kmem_cache *c, const char *name, size_t size,
		 size_t align, unsigned int flags);
/* Gives CPU @cpu a magazine. False if out of memory. Boot of that CPU. */
bool cache_add_magazine(struct kmem_cache *c, unsigned int cpu);
/* The page allocator's page_reclaim: gives back what no object is in. */
bool slab_reclaim(void);
