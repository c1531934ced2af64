/*
 * Red-black trees after the usual rules: the root is black, a red node has
 * black children, and every way down from a node passes as many black nodes.
 * NULL leaves count as black.
 */
#include "kernel/rbtree.h"

#define RB_RED	 0ul
#define RB_BLACK 1ul

static struct rb_node *rb_parent(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_color & ~1ul);
}

static bool is_red(const struct rb_node *n)
{
	return n && !(n->parent_color & RB_BLACK);
}

static void set_parent(struct rb_node *n, struct rb_node *parent)
{
	n->parent_color = (uintptr_t)parent | (n->parent_color & RB_BLACK);
}

static void set_color(struct rb_node *n, uintptr_t color)
{
	n->parent_color = (n->parent_color & ~1ul) | color;
}

/* Makes @parent (NULL: the root) point to @new where it pointed to @old. */
static void replace_child(struct rb_root *root, struct rb_node *parent,
			  struct rb_node *old, struct rb_node *new)
{
	if (!parent)
		root->node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

/*
 * Lifts the child of @top on the side away from @left over it: to the left
 * if @left, else to the right.
 */
static void rotate(struct rb_root *root, struct rb_node *top, bool left)
{
	struct rb_node *up = left ? top->right : top->left;
	struct rb_node *inner = left ? up->left : up->right;
	struct rb_node *parent = rb_parent(top);

	if (left) {
		top->right = inner;
		up->left = top;
	} else {
		top->left = inner;
		up->right = top;
	}
	if (inner)
		set_parent(inner, top);
	set_parent(up, parent);
	replace_child(root, parent, top, up);
	set_parent(top, up);
}

void rb_insert(struct rb_root *root, struct rb_node *node,
	       struct rb_node *parent, struct rb_node **link, bool leftmost)
{
	node->parent_color = (uintptr_t)parent | RB_RED;
	node->left = NULL;
	node->right = NULL;
	*link = node;
	if (leftmost)
		root->leftmost = node;

	while (is_red(parent)) {
		/* A red parent is not the root, so there is a grandparent. */
		struct rb_node *grand = rb_parent(parent);
		bool left = parent == grand->left;
		struct rb_node *uncle = left ? grand->right : grand->left;

		if (is_red(uncle)) {
			set_color(parent, RB_BLACK);
			set_color(uncle, RB_BLACK);
			set_color(grand, RB_RED);
			node = grand;
			parent = rb_parent(node);
			continue;
		}
		if (node == (left ? parent->right : parent->left)) {
			rotate(root, parent, left);
			parent = node;
		}
		set_color(parent, RB_BLACK);
		set_color(grand, RB_RED);
		rotate(root, grand, !left);
		break;
	}
	set_color(root->node, RB_BLACK);
}

/*
 * The ways through @node (may be NULL), a child of @parent, are one black
 * node short: repairs that.
 */
static void erase_repair(struct rb_root *root, struct rb_node *node,
			 struct rb_node *parent)
{
	while (parent && !is_red(node)) {
		bool left = node == parent->left;
		struct rb_node *sibling = left ? parent->right : parent->left;
		struct rb_node *near, *far;

		if (is_red(sibling)) {
			set_color(sibling, RB_BLACK);
			set_color(parent, RB_RED);
			rotate(root, parent, left);
			sibling = left ? parent->right : parent->left;
		}
		near = left ? sibling->left : sibling->right;
		far = left ? sibling->right : sibling->left;
		if (!is_red(near) && !is_red(far)) {
			set_color(sibling, RB_RED);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(far)) {
			set_color(near, RB_BLACK);
			set_color(sibling, RB_RED);
			rotate(root, sibling, !left);
			far = sibling;
			sibling = near;
		}
		set_color(sibling, is_red(parent) ? RB_RED : RB_BLACK);
		set_color(parent, RB_BLACK);
		set_color(far, RB_BLACK);
		rotate(root, parent, left);
		return;
	}
	if (node)
		set_color(node, RB_BLACK);
}

/*
 * Takes @node, which has two children, out by putting its successor in its
 * place. Hands back the child and parent from which the repair starts, and
 * whether a black node went missing there.
 */
static bool erase_inner(struct rb_root *root, struct rb_node *node,
			struct rb_node **child, struct rb_node **parent)
{
	struct rb_node *next = node->right;
	bool black;

	while (next->left)
		next = next->left;
	black = !is_red(next);
	*child = next->right;
	*parent = rb_parent(next);
	if (*parent == node) {
		*parent = next;
	} else {
		(*parent)->left = *child;
		if (*child)
			set_parent(*child, *parent);
		next->right = node->right;
		set_parent(next->right, next);
	}
	next->left = node->left;
	set_parent(next->left, next);
	next->parent_color = node->parent_color;
	replace_child(root, rb_parent(node), node, next);
	return black;
}

void rb_erase(struct rb_root *root, struct rb_node *node)
{
	struct rb_node *child, *parent;
	bool black;

	if (root->leftmost == node)
		root->leftmost = rb_next(node);
	if (node->left && node->right) {
		black = erase_inner(root, node, &child, &parent);
	} else {
		black = !is_red(node);
		child = node->left ? node->left : node->right;
		parent = rb_parent(node);
		replace_child(root, parent, node, child);
		if (child)
			set_parent(child, parent);
	}
	if (black)
		erase_repair(root, child, parent);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *n = node->right;

	if (n) {
		while (n->left)
			n = n->left;
		return n;
	}
	for (n = rb_parent(node); n && node == n->right; n = rb_parent(n))
		node = n;
	return n;
}
