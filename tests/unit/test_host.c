/*
 * The fakes themselves: what the other tests rely on.
 * sources:
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/hrtimer.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "kernel/uaccess.h"
#include "tests/host/host.h"

static int setup(void **state)
{
	host_reset();
	return 0;
}

static int teardown(void **state)
{
	host_join_tasks();
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static void test_allocations_are_counted_and_fail(void **state)
{
	struct kmem_cache *cache = kmem_cache_create("x", 24, 0, SLAB_ZERO);
	void *a, *b;

	a = kmem_cache_alloc(cache);
	assert_int_equal(((char *)a)[23], 0);
	assert_int_equal(host_allocs_outstanding(), 1);
	host_fail_alloc(2);
	b = kmalloc(10);
	assert_non_null(b);
	assert_null(kmalloc(10));
	assert_true(host_alloc_failed());
	assert_null(kcalloc(SIZE_MAX, 2));
	kmem_cache_free(cache, a);
	kfree(b);
}

static void test_pages(void **state)
{
	struct page *p = alloc_pages(2);
	void *z = get_zeroed_page();

	assert_ptr_equal(virt_to_page(page_address(p)), p);
	assert_int_equal(*(char *)z, 0);
	free_page(z);
	free_pages(p, 2);
	assert_int_equal(nr_free_pages(), nr_total_pages());
}

static void test_user_copies_fault_half_way(void **state)
{
	char buf[8] = "abcdefg", out[8] = "";
	char *volatile null = NULL;

	host_bad_user(buf + 4, 4);
	assert_int_equal(raw_copy_from_user(out, buf, 8), 4);
	assert_memory_equal(out, "abcd", 4);
	assert_int_equal(copy_to_user(buf + 2, "XYZ", 3), -EFAULT);
	assert_int_equal(copy_to_user(null, "X", 1), -EFAULT);
	assert_int_equal(strncpy_from_user(out, buf, 8), -EFAULT);
	host_good_user();
	assert_int_equal(strncpy_from_user(out, "abc", 8), 3);
	assert_int_equal(strncpy_from_user(out, "abc", 3), -ENAMETOOLONG);
}

static void test_log_and_panic_are_caught(void **state)
{
	pr_err("one %d\n", 1);
	assert_string_equal(host_log(), "one 1\n");
	host_expect_panic(panic("over %s", "there"));
	assert_true(host_panic_caught);
	assert_string_equal(host_panic_text(), "over there");
	host_expect_panic((void)0);
	assert_false(host_panic_caught);
}

static struct task *sleeper;
static int steps;

static void sleep_twice(void *arg)
{
	for (int i = 0; i < 2; i++) {
		set_current_state(TASK_INTERRUPTIBLE);
		schedule();
		steps++;
	}
}

static bool wake_sleeper(void *arg)
{
	return wake_up_process(sleeper);
}

static void test_tasks_switch_only_in_schedule(void **state)
{
	steps = 0;
	sleeper = host_task_start("sleeper", sleep_twice, NULL);
	assert_false(host_task_done(sleeper));
	host_run_others();
	assert_int_equal(steps, 0);
	assert_int_equal(wake_up_process(sleeper), 1);
	assert_int_equal(wake_up_process(sleeper), 0);
	assert_int_equal(steps, 0);
	host_run_others();
	assert_int_equal(steps, 1);
	host_on_idle = wake_sleeper;
	host_join_tasks();
	assert_int_equal(steps, 2);
}

static void test_time_passes_when_all_sleep(void **state)
{
	u64 start = ktime_get_ns();

	set_current_state(TASK_INTERRUPTIBLE);
	assert_int_equal(schedule_hrtimeout_range(start + 5000, 0), 0);
	assert_int_equal(ktime_get_ns(), start + 5000);
	set_current_state(TASK_INTERRUPTIBLE);
	host_expect_panic(schedule());
	assert_true(host_panic_caught);
	host_main_task.state = TASK_RUNNING;
}

static u64 fired[2];

static void hrtimer_fired(struct hrtimer *t)
{
	fired[0] = host_now;
}

static void timer_fired(struct timer *t)
{
	fired[1] = host_now;
}

static void test_timers_fire_in_order(void **state)
{
	struct hrtimer h;
	struct timer t;
	u64 start = host_now;

	hrtimer_init(&h, hrtimer_fired);
	timer_setup(&t, timer_fired);
	hrtimer_start(&h, start + 20, 0);
	mod_timer(&t, start + 10);
	assert_true(timer_pending(&t));
	host_advance(15);
	assert_int_equal(fired[1], start + 10);
	assert_int_equal(fired[0], 0);
	host_advance(15);
	assert_int_equal(fired[0], start + 20);
	assert_false(hrtimer_cancel(&h));
	assert_int_equal(host_now, start + 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_allocations_are_counted_and_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_user_copies_fault_half_way, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_log_and_panic_are_caught, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_tasks_switch_only_in_schedule, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_time_passes_when_all_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timers_fire_in_order,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
