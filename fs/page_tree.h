/*
 * The pages of a file by their number: a radix tree with 64 ways, as high as
 * the highest number needs, so that a file of one page has no node at all. It
 * keeps one reference to each page. No locking here; nothing sleeps.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/mm/page.h"
#include "kernel/types.h"

struct page_tree {
	void *root;		/* a page if height is 0, else a node */
	u32 height;
};

/* Page @index, borrowed; NULL if there is none. */
struct page *page_tree_get(const struct page_tree *tree, u64 index);

/*
 * Puts @page at @index, where there is none; takes over the reference. 0 or
 * -ENOMEM, then the page is still the caller's.
 */
int page_tree_set(struct page_tree *tree, u64 index, struct page *page)
	__must_check;

/* The first page at or after *@index, which becomes its number; or NULL. */
struct page *page_tree_next(const struct page_tree *tree, u64 *index);

/*
 * Takes page @index out, with the tree's reference; NULL if there is none.
 * Nodes that become empty are freed.
 */
struct page *page_tree_take(struct page_tree *tree, u64 index);
