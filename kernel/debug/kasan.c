/*
 * KASAN's run time: what the compiler calls before each access, for each
 * global, and at the end of frames that are left for good. Compiled without
 * instrumentation itself. Any context; no locks.
 */
#include "kernel/debug/kasan.h"

#include "kernel/debug/fill.h"
#include "kernel/debug/report.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab_internal.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/stacktrace.h"

/* What closed memory is; 1 to 7: so many of the eight bytes are open. */
#define OPEN		0x00
#define FREED_PAGE	0xff
#define FREED_OBJECT	0xfb
#define OBJECT_END	0xfc
#define GLOBAL_END	0xf9

#define QUARANTINE	512u	/* objects that wait before they are freed */
#define STACK_SPARE	2048u	/* nobody should come so near the end */
#define STACK_FILL	0x5a5a5a5a5a5a5a5aull

/* As gcc lays it out for each global of a file. */
struct asan_global {
	u64 start, size, room;
	const char *name, *file;
	u64 unused[3];
};

struct waiting {
	struct kmem_cache *cache;
	void *obj;
};

extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

static bool ready;
static int paused;
static bool flushing;
static struct waiting waiting[QUARANTINE];
static u32 next_waiting;

static u8 *shadow_of(u64 va)
{
	return (u8 *)((va >> 3) + KASAN_OFFSET);
}

/* Both multiples of 8. */
static void set_shadow(u64 va, u64 size, u8 what)
{
	u8 *s = shadow_of(va);

	if (!ready)
		return;
	for (u64 i = 0; i < size / 8; i++)
		((volatile u8 *)s)[i] = what;
}

/* Opens @size bytes of @room, closes the rest as @what. */
static void set_object(u64 va, u64 size, u64 room, u8 what)
{
	u64 whole = ALIGN_DOWN(size, 8ull);

	set_shadow(va, whole, OPEN);
	set_shadow(va + whole, ALIGN_UP(room, 8ull) - whole, what);
	if (ready && size % 8)
		*shadow_of(va + whole) = (u8)(size % 8);
}

static const char *meaning(u8 shadow)
{
	switch (shadow) {
	case FREED_PAGE:
		return "a page that was freed";
	case FREED_OBJECT:
		return "an object that was freed";
	case OBJECT_END:
		return "memory behind an object";
	case GLOBAL_END:
		return "memory behind a global";
	case 0xf1 ... 0xf8:
		return "memory beside a variable on the stack";
	default:
		return "memory behind the end";
	}
}

/* The first closed byte of the range; 0 if there is none. */
static u64 first_closed(u64 va, size_t n)
{
	u64 end = va + n;

	while (va < end) {
		u8 s = *shadow_of(va);

		if (s && (s >= 8 || (va & 7) >= s))
			return va;
		/* Partly open: the rest of the eight is closed. */
		if (s && end > ALIGN_DOWN(va, 8ull) + s)
			return ALIGN_DOWN(va, 8ull) + s;
		va = ALIGN_DOWN(va, 8ull) + 8;
	}
	return 0;
}

static void check(u64 va, size_t n, bool write, void *ip)
{
	u64 bad;
	u8 s;

	if (unlikely(!ready || paused) || va < DIRECT_MAP_START || !n)
		return;
	/* The usual case: within eight bytes that are all open. */
	if (likely((va & 7) + n <= 8 && !*shadow_of(va)))
		return;
	bad = first_closed(va, n);
	if (likely(!bad))
		return;
	s = *shadow_of(bad);
	if (s < 8)
		s = shadow_of(bad)[1];
	debug_report("KASAN: %s of %zu bytes at %#llx, which is %s (%#llx, %02x), in %pS",
		     write ? "write" : "read", n, (unsigned long long)va,
		     meaning(s), (unsigned long long)bad, s, ip);
}

void kasan_check(const void *p, size_t n, bool write)
{
	check((u64)p, n, write, __builtin_return_address(0));
}

#define CALLED_FROM	__builtin_return_address(0)
#define ACCESS(n)							\
	void __asan_load##n##_noabort(u64 va);				\
	void __asan_store##n##_noabort(u64 va);				\
	void __asan_load##n##_noabort(u64 va)				\
	{								\
		check(va, n, false, CALLED_FROM);			\
	}								\
	void __asan_store##n##_noabort(u64 va)				\
	{								\
		check(va, n, true, CALLED_FROM);			\
	}

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __asan_loadN_noabort(u64 va, size_t n);
void __asan_storeN_noabort(u64 va, size_t n);
void __asan_handle_no_return(void);
void __asan_register_globals(struct asan_global *g, size_t n);
void __asan_unregister_globals(struct asan_global *g, size_t n);
void __asan_poison_stack_memory(u64 va, size_t n);
void __asan_unpoison_stack_memory(u64 va, size_t n);

void __asan_loadN_noabort(u64 va, size_t n)
{
	check(va, n, false, CALLED_FROM);
}

void __asan_storeN_noabort(u64 va, size_t n)
{
	check(va, n, true, CALLED_FROM);
}

/* The frames below are never returned to: their variables are no more. */
void __asan_handle_no_return(void)
{
	u64 here = stack_here().sp;
	struct task *task = ready ? current : NULL;
	u64 bottom = task ? (u64)task->stack : 0;

	here = ALIGN_DOWN(here, 8ull);
	if (bottom && here > bottom && here < bottom + KSTACK_SIZE)
		set_shadow(here, bottom + KSTACK_SIZE - here, OPEN);
}

void __asan_register_globals(struct asan_global *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		set_object(g[i].start, g[i].size, g[i].room, GLOBAL_END);
}

void __asan_unregister_globals(struct asan_global *g, size_t n)
{
	(void)g;
	(void)n;
}

void __asan_poison_stack_memory(u64 va, size_t n)
{
	set_shadow(va, ALIGN_UP(n, 8ul), 0xf8);
}

void __asan_unpoison_stack_memory(u64 va, size_t n)
{
	set_object(va, n, n, OPEN);
}

void kasan_init(void)
{
	ready = true;
	for (u64 i = 0; &__init_array_start[i] < __init_array_end; i++)
		__init_array_start[i]();
}

void kasan_pause(bool pause)
{
	paused += pause ? 1 : -1;
}

void kasan_alloc_pages(struct page *page, unsigned int order)
{
	set_shadow((u64)page_address(page), PAGE_SIZE << order, OPEN);
	fill_memory(page_address(page), PAGE_SIZE << order);
}

void kasan_free_pages(struct page *page, unsigned int order)
{
	set_shadow((u64)page_address(page), PAGE_SIZE << order, FREED_PAGE);
}

void kasan_alloc(void *obj, size_t size)
{
	set_object((u64)obj, size - KASAN_REDZONE, size, OBJECT_END);
	fill_memory(obj, size - KASAN_REDZONE);
}

void kasan_shrink(void *obj, size_t size, size_t room)
{
	if (obj)
		set_object((u64)obj, size, room, OBJECT_END);
}

bool kasan_quarantine(struct kmem_cache **c, void **obj)
{
	unsigned long irq;
	struct waiting old;

	if (!ready || flushing)
		return false;
	if (*shadow_of((u64)*obj) == FREED_OBJECT)
		debug_report("KASAN: %s %p is freed twice, by %pS", (*c)->name,
			     *obj, __builtin_return_address(0));
	set_shadow((u64)*obj, (*c)->size, FREED_OBJECT);
	irq = local_irq_save();
	old = waiting[next_waiting];
	waiting[next_waiting] = (struct waiting){ *c, *obj };
	next_waiting = (next_waiting + 1) % QUARANTINE;
	local_irq_restore(irq);
	*c = old.cache;
	*obj = old.obj;
	return !old.obj;
}

void kasan_flush(void)
{
	struct waiting old;
	unsigned long irq;

	flushing = true;
	for (u32 i = 0; i < QUARANTINE; i++) {
		irq = local_irq_save();
		old = waiting[i];
		waiting[i] = (struct waiting){ NULL, NULL };
		local_irq_restore(irq);
		if (old.obj)
			kmem_cache_free(old.cache, old.obj);
	}
	flushing = false;
}

void kasan_new_stack(void *stack)
{
	if (!stack)
		return;
	set_shadow((u64)stack, KSTACK_SIZE, OPEN);
	for (u64 i = 0; i < STACK_SPARE / 8; i++)
		((u64 *)stack)[i] = STACK_FILL;
}

void kasan_check_stack(const void *stack)
{
	const u64 *word = stack;

	/* The boot stack is not from kstack_alloc(). */
	if (!ready || !stack || paused || (u64)stack >= KERNEL_VMA)
		return;
	for (u64 i = 0; i < STACK_SPARE / 8; i++)
		if (word[i] != STACK_FILL) {
			debug_report("stack depth: less than %u bytes of %u were left",
				     STACK_SPARE, KSTACK_SIZE);
			return;
		}
}
