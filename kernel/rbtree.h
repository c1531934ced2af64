/*
 * Red-black trees with the node inside the element: O(log n) insert, find and
 * erase, O(1) first. The user writes the search; see fs/eventpoll.c. The
 * colour is the lowest bit of the parent pointer. No locking here.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct rb_node {
	uintptr_t parent_color;
	struct rb_node *left, *right;
};

struct rb_root {
	struct rb_node *node;
	struct rb_node *leftmost;	/* rb_first() in O(1) */
};

#define rb_entry(ptr, type, member) container_of(ptr, type, member)

/*
 * Puts @node at the place the search ended: below @parent, in *@link, and
 * rebalances. @leftmost says that the search never went right.
 */
void rb_insert(struct rb_root *root, struct rb_node *node,
	       struct rb_node *parent, struct rb_node **link, bool leftmost);
void rb_erase(struct rb_root *root, struct rb_node *node);
struct rb_node *rb_next(const struct rb_node *node);

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	return root->leftmost;
}

static inline bool rb_empty(const struct rb_root *root)
{
	return !root->node;
}
