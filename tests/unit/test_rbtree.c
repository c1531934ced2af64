/* sources: kernel/rbtree.c */
#include "tests/unit/unit.h"

#include "kernel/rbtree.h"

#define ITEMS	500
#define STEPS	20000

struct item {
	struct rb_node node;
	unsigned int key;
	bool in;
};

static void put(struct rb_root *root, struct item *item)
{
	struct rb_node **link = &root->node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (item->key < rb_entry(parent, struct item, node)->key) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(root, &item->node, parent, link, leftmost);
	item->in = true;
}

/* Checks order, links and colours below @n; returns its black height. */
static int check(const struct rb_node *n, const struct rb_node *parent)
{
	bool red;
	int left, right;

	if (!n)
		return 1;
	red = !(n->parent_color & 1);
	assert_ptr_equal(n->parent_color & ~1ul, parent);
	if (!parent)
		assert_false(red);
	else if (red)
		assert_true(parent->parent_color & 1);
	if (n->left)
		assert_true(rb_entry(n->left, struct item, node)->key <=
			    rb_entry(n, struct item, node)->key);
	if (n->right)
		assert_true(rb_entry(n->right, struct item, node)->key >=
			    rb_entry(n, struct item, node)->key);
	left = check(n->left, n);
	right = check(n->right, n);
	assert_int_equal(left, right);
	return left + !red;
}

static void check_walk(const struct rb_root *root, unsigned int count)
{
	unsigned int seen = 0, last = 0;

	for (struct rb_node *n = rb_first(root); n; n = rb_next(n)) {
		assert_true(rb_entry(n, struct item, node)->key >= last);
		last = rb_entry(n, struct item, node)->key;
		seen++;
	}
	assert_int_equal(seen, count);
}

static void test_random_inserts_and_erases(void **state)
{
	static struct item items[ITEMS];
	struct rb_root root = { NULL, NULL };
	unsigned int in = 0;

	srand(7);
	for (int step = 0; step < STEPS; step++) {
		struct item *item = &items[rand() % ITEMS];

		if (item->in) {
			rb_erase(&root, &item->node);
			item->in = false;
			in--;
		} else {
			/* Few keys, so that equal ones meet. */
			item->key = rand() % 200;
			put(&root, item);
			in++;
		}
		check(root.node, NULL);
		if (step % 100 == 0)
			check_walk(&root, in);
	}
	for (int i = 0; i < ITEMS; i++) {
		if (items[i].in)
			rb_erase(&root, &items[i].node);
		check(root.node, NULL);
	}
	assert_true(rb_empty(&root));
	assert_null(rb_first(&root));
}

static void test_first_follows_the_smallest(void **state)
{
	struct item items[3] = { { .key = 5 }, { .key = 3 }, { .key = 9 } };
	struct rb_root root = { NULL, NULL };

	put(&root, &items[0]);
	assert_ptr_equal(rb_first(&root), &items[0].node);
	put(&root, &items[1]);
	put(&root, &items[2]);
	assert_ptr_equal(rb_first(&root), &items[1].node);
	rb_erase(&root, &items[1].node);
	assert_ptr_equal(rb_first(&root), &items[0].node);
	rb_erase(&root, &items[0].node);
	assert_ptr_equal(rb_first(&root), &items[2].node);
	assert_null(rb_next(&items[2].node));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_inserts_and_erases),
		cmocka_unit_test(test_first_follows_the_smallest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
