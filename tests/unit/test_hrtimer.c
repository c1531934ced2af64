/* sources: kernel/hrtimer.c kernel/rbtree.c */
#include "tests/unit/unit.h"

#include "kernel/clock.h"
#include "kernel/hrtimer.h"
#include "kernel/time.h"
#include "tests/host/host.h"

static u64 programmed;
static struct hrtimer *order[16];
static unsigned int fired;

void clock_program(u64 expires)
{
	programmed = min(programmed, expires);
}

static void fire(struct hrtimer *t)
{
	assert_false(t->queued);
	order[fired++] = t;
}

static void fire_again(struct hrtimer *t)
{
	fire(t);
	hrtimer_start(t, host_now + 10, 0);
}

static int setup(void **state)
{
	host_reset();
	programmed = KTIME_MAX;
	fired = 0;
	return 0;
}

static void test_fires_in_order_of_time(void **state)
{
	static const u64 at[] = { 50, 10, 30, 20, 40, 10 };
	struct hrtimer t[6];

	for (int i = 0; i < 6; i++) {
		hrtimer_init(&t[i], fire);
		hrtimer_start(&t[i], at[i], 0);
	}
	assert_int_equal(programmed, 10);
	assert_int_equal(hrtimers_run(9), 10);
	assert_int_equal(fired, 0);
	assert_int_equal(hrtimers_run(30), 40);
	assert_int_equal(fired, 4);
	assert_ptr_equal(order[0], &t[1]);
	assert_ptr_equal(order[1], &t[5]);
	assert_ptr_equal(order[2], &t[3]);
	assert_ptr_equal(order[3], &t[2]);
	assert_int_equal(hrtimers_run(100), KTIME_MAX);
	assert_int_equal(fired, 6);
}

static void test_slack_waits_for_company(void **state)
{
	struct hrtimer lazy, exact;

	hrtimer_init(&lazy, fire);
	hrtimer_init(&exact, fire);
	hrtimer_start(&lazy, 100, 50);
	assert_int_equal(programmed, 150);
	assert_int_equal(hrtimers_run(99), 150);
	hrtimer_start(&exact, 120, 0);
	assert_int_equal(programmed, 120);
	/* The exact one must fire, and takes the other along. */
	assert_int_equal(hrtimers_run(120), KTIME_MAX);
	assert_int_equal(fired, 2);
}

static void test_slack_saturates(void **state)
{
	struct hrtimer t;

	hrtimer_init(&t, fire);
	hrtimer_start(&t, KTIME_MAX - 5, 100);
	assert_int_equal(t.expires, KTIME_MAX);
	assert_true(hrtimer_cancel(&t));
}

static void test_cancelled_does_not_fire(void **state)
{
	struct hrtimer a, b;

	hrtimer_init(&a, fire);
	hrtimer_init(&b, fire);
	assert_false(hrtimer_cancel(&a));
	hrtimer_start(&a, 10, 0);
	hrtimer_start(&b, 20, 0);
	assert_true(hrtimer_cancel(&a));
	assert_false(hrtimer_cancel(&a));
	assert_int_equal(hrtimers_run(15), 20);
	assert_int_equal(fired, 0);
	hrtimers_run(20);
	assert_int_equal(fired, 1);
	assert_ptr_equal(order[0], &b);
}

static void test_start_moves_a_queued_one(void **state)
{
	struct hrtimer t;

	hrtimer_init(&t, fire);
	hrtimer_start(&t, 10, 0);
	hrtimer_start(&t, 30, 0);
	assert_int_equal(hrtimers_run(20), 30);
	assert_int_equal(fired, 0);
	hrtimers_run(30);
	assert_int_equal(fired, 1);
}

static void test_restarts_itself(void **state)
{
	struct hrtimer t;

	hrtimer_init(&t, fire_again);
	hrtimer_start(&t, host_now, 0);
	hrtimers_run(host_now);
	assert_int_equal(fired, 1);
	assert_true(hrtimer_cancel(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fires_in_order_of_time, setup),
		cmocka_unit_test_setup(test_slack_waits_for_company, setup),
		cmocka_unit_test_setup(test_slack_saturates, setup),
		cmocka_unit_test_setup(test_cancelled_does_not_fire, setup),
		cmocka_unit_test_setup(test_start_moves_a_queued_one, setup),
		cmocka_unit_test_setup(test_restarts_itself, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
