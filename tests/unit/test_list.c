/* sources: */
#include "tests/unit/unit.h"

#include "kernel/list.h"

struct item {
	int value;
	struct list_head link;
	struct hlist_node hash;
};

static void test_add_and_delete(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 };
	LIST_HEAD(head);

	(void)state;
	assert_true(list_empty(&head));
	list_add(&a.link, &head);
	list_add(&b.link, &head);
	assert_ptr_equal(list_first_entry(&head, struct item, link), &b);
	assert_ptr_equal(list_last_entry(&head, struct item, link), &a);
	list_del_init(&b.link);
	assert_true(list_empty(&b.link));
	list_del_init(&a.link);
	assert_true(list_empty(&head));
}

static void test_tail_keeps_order(void **state)
{
	struct item items[4];
	struct item *pos, *tmp;
	LIST_HEAD(head);
	int n = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		items[i].value = i;
		list_add_tail(&items[i].link, &head);
	}
	list_move_tail(&items[0].link, &head);
	list_for_each_entry(pos, &head, link)
		assert_int_equal(pos->value, (++n) % 4);
	list_for_each_entry_safe(pos, tmp, &head, link)
		list_del_init(&pos->link);
	assert_int_equal(n, 4);
	assert_true(list_empty(&head));
}

static void test_splice_empties_the_source(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 };
	LIST_HEAD(from);
	LIST_HEAD(to);

	(void)state;
	list_splice_init(&from, &to);
	assert_true(list_empty(&to));
	list_add(&b.link, &to);
	list_add(&a.link, &from);
	list_splice_init(&from, &to);
	assert_true(list_empty(&from));
	assert_ptr_equal(list_first_entry(&to, struct item, link), &a);
	assert_ptr_equal(list_next_entry(&a, link), &b);
}

static void test_hlist(void **state)
{
	struct hlist_head head = { NULL };
	struct item a = { .value = 1 }, b = { .value = 2 };
	struct item *pos;
	int sum = 0;

	(void)state;
	INIT_HLIST_NODE(&a.hash);
	hlist_del_init(&a.hash);
	hlist_add_head(&a.hash, &head);
	hlist_add_head(&b.hash, &head);
	hlist_for_each_entry(pos, &head, hash)
		sum += pos->value;
	assert_int_equal(sum, 3);
	hlist_del_init(&a.hash);
	assert_true(hlist_unhashed(&a.hash));
	hlist_del_init(&b.hash);
	assert_true(hlist_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_delete),
		cmocka_unit_test(test_tail_keeps_order),
		cmocka_unit_test(test_splice_empties_the_source),
		cmocka_unit_test(test_hlist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
