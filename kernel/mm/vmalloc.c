/*
 * Virtually contiguous kernel memory. Areas lie in one window at a random
 * place, handed out upwards from where the last one ended, so that finding
 * room is one step as a rule. An unmapped page follows each area; the page
 * before it is the one that follows its neighbour.
 *
 * LOCKING: vmap.lock guards the tree, the cursor, the stock of stacks and the
 * kernel's page tables below the window. Task context only.
 */
#include "kernel/mm/vmalloc.h"
#include "kernel/debug/kasan.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/rbtree.h"
#include "kernel/spinlock.h"
#include "kernel/x86/paging.h"

#define WINDOW		(64ul << 30)
#define STACK_STOCK	16

/* Locks: v vmap.lock, c const. */
struct vmap_area {
	struct rb_node node;	/* v  by start */
	u64 start;		/* c */
	u64 pages;		/* c  mapped, the guard page not counted */
};

/* Locks: v lock, c const after vmalloc_init(). */
struct vmap {
	struct spinlock lock;
	struct rb_root areas;		/* v */
	u64 base, end;			/* c */
	u64 cursor;			/* v  where to look first */
	void *stack[STACK_STOCK];	/* v */
	unsigned int nr_stacks;		/* v */
};

static struct vmap vmap;

static struct vmap_area *area_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct vmap_area, node) : NULL;
}

/* First area that ends above @va, NULL if none does. */
static struct vmap_area *area_above(struct vmap *v, u64 va)
{
	struct rb_node *node = v->areas.node;
	struct vmap_area *found = NULL;

	while (node) {
		struct vmap_area *a = area_of(node);

		if (a->start + (a->pages + 1) * PAGE_SIZE > va) {
			found = a;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

static void insert_area(struct vmap *v, struct vmap_area *area)
{
	struct rb_node **link = &v->areas.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (area->start < area_of(parent)->start) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(&v->areas, &area->node, parent, link, leftmost);
}

/* Room for @bytes at or above @va, below @end; 0 if there is none. */
static u64 find_room(struct vmap *v, u64 va, u64 end, u64 bytes)
{
	struct vmap_area *a = area_above(v, va);

	while (a && a->start < va + bytes) {
		va = a->start + (a->pages + 1) * PAGE_SIZE;
		a = area_of(rb_next(&a->node));
	}
	return va + bytes <= end ? va : 0;
}

/* An area of @pages unmapped pages, with its guard. NULL: none. */
static struct vmap_area *get_area(struct vmap *v, u64 pages)
{
	struct vmap_area *area = kmalloc(sizeof(*area));
	u64 bytes = (pages + 1) * PAGE_SIZE, va = 0;

	if (!area)
		return NULL;
	spin_lock(&v->lock);
	if (pages && bytes < WINDOW) {
		va = find_room(v, v->cursor, v->end, bytes);
		if (!va)
			va = find_room(v, v->base, v->end, bytes);
	}
	if (va) {
		area->start = va;
		area->pages = pages;
		insert_area(v, area);
		v->cursor = va + bytes;
	}
	spin_unlock(&v->lock);
	if (!va) {
		kfree(area);
		return NULL;
	}
	return area;
}

/* Unmaps what pages are mapped, frees them if they are @ours, then the area. */
static void put_area(struct vmap *v, struct vmap_area *area, bool ours)
{
	phys_addr_t pa;
	u64 i;

	for (i = 0; i < area->pages; i++) {
		spin_lock(&v->lock);
		pa = unmap_kernel_page(area->start + i * PAGE_SIZE);
		spin_unlock(&v->lock);
		if (pa && ours)
			free_page(phys_to_virt(pa));
	}
	spin_lock(&v->lock);
	rb_erase(&v->areas, &area->node);
	spin_unlock(&v->lock);
	kfree(area);
}

static bool map_fresh_page(struct vmap *v, u64 va)
{
	void *page = get_zeroed_page();
	int err;

	if (!page)
		return false;
	spin_lock(&v->lock);
	err = map_kernel_page(va, virt_to_phys(page), PAGE_KERNEL);
	spin_unlock(&v->lock);
	if (err)
		free_page(page);
	return !err;
}

void *vmalloc(size_t size)
{
	struct vmap_area *area;
	u64 i;

	if (size > WINDOW)
		return NULL;
	area = get_area(&vmap, DIV_ROUND_UP(size, PAGE_SIZE));
	if (!area)
		return NULL;
	for (i = 0; i < area->pages; i++) {
		if (!map_fresh_page(&vmap, area->start + i * PAGE_SIZE)) {
			put_area(&vmap, area, true);
			return NULL;
		}
	}
	return (void *)area->start;
}

void vfree(void *va)
{
	struct vmap_area *area;

	if (!va)
		return;
	spin_lock(&vmap.lock);
	area = area_above(&vmap, (u64)va);
	spin_unlock(&vmap.lock);
	if (!area || area->start != (u64)va)
		panic("vfree: %p is not the start of an area", va);
	put_area(&vmap, area, true);
}

/* Used stacks are kept: threads come and go, page tables need not. */
void *kstack_alloc(void)
{
	void *stack = NULL;

	spin_lock(&vmap.lock);
	if (vmap.nr_stacks)
		stack = vmap.stack[--vmap.nr_stacks];
	spin_unlock(&vmap.lock);
	if (!stack)
		stack = vmalloc(KSTACK_SIZE);
	kasan_new_stack(stack);
	return stack;
}

void kstack_free(void *stack)
{
	bool kept = false;

	kasan_check_stack(stack);
	spin_lock(&vmap.lock);
	if (vmap.nr_stacks < STACK_STOCK) {
		vmap.stack[vmap.nr_stacks++] = stack;
		kept = true;
	}
	spin_unlock(&vmap.lock);
	if (!kept)
		vfree(stack);
}

void *ioremap(phys_addr_t pa, size_t size)
{
	u64 offset = pa % PAGE_SIZE, i;
	struct vmap_area *area;
	int err = 0;

	if (!size || size > WINDOW || pa + size < pa)
		return NULL;
	area = get_area(&vmap, DIV_ROUND_UP(offset + size, PAGE_SIZE));
	if (!area)
		return NULL;
	spin_lock(&vmap.lock);
	for (i = 0; i < area->pages && !err; i++)
		err = map_kernel_page(area->start + i * PAGE_SIZE,
				      pa - offset + i * PAGE_SIZE,
				      PAGE_KERNEL_IO);
	spin_unlock(&vmap.lock);
	if (err) {
		put_area(&vmap, area, false);
		return NULL;
	}
	return (void *)(area->start + offset);
}

void iounmap(const volatile void *va)
{
	struct vmap_area *area;

	if (!va)
		return;
	spin_lock(&vmap.lock);
	area = area_above(&vmap, (u64)va & PAGE_MASK);
	spin_unlock(&vmap.lock);
	if (!area || area->start != ((u64)va & PAGE_MASK))
		panic("iounmap: %p is not the start of an area", va);
	put_area(&vmap, area, false);
}

void vmalloc_init(void)
{
	struct vmap *v = &vmap;

	spin_lock_init(&v->lock);
	v->base = vmalloc_random_base(WINDOW);
	v->end = v->base + WINDOW;
	v->cursor = v->base;
}
