/* The radix tree under a file's contents. */
#include "fs/page_tree.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"

#define BITS		6u
#define WAYS		(1u << BITS)
#define MAX_HEIGHT	11u	/* 11 * 6 bits hold any 64-bit number */

struct node {
	void *slot[WAYS];
};

/* Is @index beyond what a tree of that height can hold? */
static bool too_high(u32 height, u64 index)
{
	return height * BITS < 64 && index >> height * BITS;
}

static u32 slot_of(u64 index, u32 level)
{
	return index >> level * BITS & (WAYS - 1);
}

struct page *page_tree_get(const struct page_tree *tree, u64 index)
{
	void *at = tree->root;

	if (too_high(tree->height, index))
		return NULL;
	for (u32 level = tree->height; at && level--;)
		at = ((struct node *)at)->slot[slot_of(index, level)];
	return at;
}

/* One more level on top. */
static int grow(struct page_tree *tree)
{
	struct node *node;

	if (tree->root) {
		node = kzalloc(sizeof(*node));
		if (!node)
			return -ENOMEM;
		node->slot[0] = tree->root;
		tree->root = node;
	}
	tree->height++;
	return 0;
}

static bool node_empty(const struct node *node)
{
	for (u32 i = 0; i < WAYS; i++) {
		if (node->slot[i])
			return false;
	}
	return true;
}

/* Frees the empty nodes on the way to @index, from the lowest up. */
static void prune(struct page_tree *tree, u64 index)
{
	void **path[MAX_HEIGHT + 1];
	void **at = &tree->root;
	u32 depth = 0;

	for (u32 level = tree->height; *at && level--;) {
		path[depth++] = at;
		at = &((struct node *)*at)->slot[slot_of(index, level)];
	}
	while (depth-- && node_empty(*path[depth])) {
		kfree(*path[depth]);
		*path[depth] = NULL;
	}
	if (!tree->root)
		tree->height = 0;
}

int page_tree_set(struct page_tree *tree, u64 index, struct page *page)
{
	void **at = &tree->root;

	while (too_high(tree->height, index)) {
		if (grow(tree)) {
			prune(tree, 0);
			return -ENOMEM;
		}
	}
	for (u32 level = tree->height; level--;) {
		if (!*at)
			*at = kzalloc(sizeof(struct node));
		if (!*at) {
			prune(tree, index);
			return -ENOMEM;
		}
		at = &((struct node *)*at)->slot[slot_of(index, level)];
	}
	*at = page;
	return 0;
}

struct page *page_tree_next(const struct page_tree *tree, u64 *index)
{
	u64 i = *index;

	while (!too_high(tree->height, i)) {
		void *at = tree->root;
		u32 level = tree->height;

		while (at && level)
			at = ((struct node *)at)->slot[slot_of(i, --level)];
		if (at) {
			*index = i;
			return at;
		}
		/* Past all that the empty slot stands for. */
		if (level * BITS >= 64)
			return NULL;
		i = ((i >> level * BITS) + 1) << level * BITS;
		if (!i)
			return NULL;
	}
	return NULL;
}

struct page *page_tree_take(struct page_tree *tree, u64 index)
{
	void **at = &tree->root;
	struct page *page;

	if (too_high(tree->height, index))
		return NULL;
	for (u32 level = tree->height; *at && level--;)
		at = &((struct node *)*at)->slot[slot_of(index, level)];
	page = *at;
	if (page) {
		*at = NULL;
		prune(tree, index);
	}
	return page;
}
