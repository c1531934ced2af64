/*
 * KASAN, in a kernel made with DEBUG=1: each 8 bytes of kernel memory have a
 * byte that says how many of them may be touched, and the compiler asks before
 * every access. These are the allocators' hooks; else they are nothing.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct kmem_cache;
struct page;

#ifdef DEBUG_KERNEL

/* Shadow byte of address a: (a >> 3) + this; the compiler knows it, too. */
#define KASAN_OFFSET	0xdffffc0000000000ull
#define KASAN_REDZONE	16u

/* Gives a mapped range of the direct map its shadow. Boot. */
void kasan_map_direct(u64 va, u64 end);
/* Gives the kernel image its shadow, vmalloc room for its. Boot. */
void kasan_map_image(void);
/* Gives a page of the vmalloc area its shadow, all open. 0 or -ENOMEM. */
int kasan_map_page(u64 va) __must_check;
/* From here on accesses are checked. Boot, after paging_init(). */
void kasan_init(void);
/* Stops and resumes checking. Nests. */
void kasan_pause(bool pause);

/* Panics if the program's access to [@p, @p + @n) would be wrong. */
void kasan_check(const void *p, size_t n, bool write);

void kasan_alloc_pages(struct page *page, unsigned int order);
void kasan_free_pages(struct page *page, unsigned int order);
/* An object of @size bytes, redzone and all, is handed out. */
void kasan_alloc(void *obj, size_t size);
/* Of an object handed out with @room bytes only @size were asked for. */
void kasan_shrink(void *obj, size_t size, size_t room);
/*
 * An object is freed: true if it stays in quarantine and nothing is to be
 * freed; else *@c and *@obj are one that has been there long enough.
 */
bool kasan_quarantine(struct kmem_cache **c, void **obj);
/* Frees what is in quarantine, so that objects can be counted. Task. */
void kasan_flush(void);
/* The stack is handed out: forgets what its last user left. */
void kasan_new_stack(void *stack);
/* Panics if the stack that is left or freed was nearly full once. */
void kasan_check_stack(const void *stack);

#else

#define KASAN_REDZONE	0u

static inline void kasan_map_direct(u64 va, u64 end)
{
	(void)va;
	(void)end;
}

static inline void kasan_map_image(void)
{
}

static inline int kasan_map_page(u64 va)
{
	(void)va;
	return 0;
}

static inline void kasan_init(void)
{
}

static inline void kasan_check(const void *p, size_t n, bool write)
{
	(void)p;
	(void)n;
	(void)write;
}

static inline void kasan_alloc_pages(struct page *page, unsigned int order)
{
	(void)page;
	(void)order;
}

static inline void kasan_free_pages(struct page *page, unsigned int order)
{
	(void)page;
	(void)order;
}

static inline void kasan_alloc(void *obj, size_t size)
{
	(void)obj;
	(void)size;
}

static inline void kasan_shrink(void *obj, size_t size, size_t room)
{
	(void)obj;
	(void)size;
	(void)room;
}

static inline bool kasan_quarantine(struct kmem_cache **c, void **obj)
{
	(void)c;
	(void)obj;
	return false;
}

static inline void kasan_flush(void)
{
}

static inline void kasan_new_stack(void *stack)
{
	(void)stack;
}

static inline void kasan_check_stack(const void *stack)
{
	(void)stack;
}

#endif
