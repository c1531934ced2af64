/*
 * The console's input ring: order, overflow, wakeups.
 * sources: kernel/console_input.c
 */
#include "tests/unit/unit.h"

#include "kernel/console_input.h"
#include "kernel/poll.h"
#include "tests/host/host.h"

static unsigned int wakes;

/* One waiter is enough: kernel/wait.c has tests of its own. */
void __wake_up(struct wait_queue_head *wq, unsigned int mode,
	       int nr_exclusive, void *key)
{
	assert_ptr_equal(wq, &console_input_wait);
	assert_true(key_to_poll(key) & EPOLLIN);
	wakes++;
}

static int setup(void **state)
{
	char buf[256];

	host_reset();
	while (console_input_read(buf, sizeof(buf)))
		;
	console_input_lost = 0;
	wakes = 0;
	return 0;
}

static void test_bytes_come_out_in_order(void **state)
{
	char buf[8] = "";

	console_input("abc", 3);
	console_input("de", 2);
	assert_int_equal(console_input_pending(), 5);
	assert_int_equal(console_input_read(buf, 4), 4);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(console_input_read(buf, 4), 1);
	assert_int_equal(buf[0], 'e');
	assert_int_equal(console_input_read(buf, 4), 0);
	assert_int_equal(wakes, 0);
}

static void test_what_finds_no_room_is_counted(void **state)
{
	char in[300], out[300];

	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (char)i;
	console_input(in, sizeof(in));
	assert_int_equal(console_input_lost, 300 - 256);
	assert_int_equal(console_input_read(out, sizeof(out)), 256);
	assert_memory_equal(in, out, 256);
}

static void test_a_sleeper_is_woken(void **state)
{
	struct list_head waiter;

	list_add(&waiter, &console_input_wait.head);
	console_input("x", 1);
	assert_int_equal(wakes, 1);
	list_del(&waiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bytes_come_out_in_order, setup),
		cmocka_unit_test_setup(test_what_finds_no_room_is_counted,
				       setup),
		cmocka_unit_test_setup(test_a_sleeper_is_woken, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
