/* sources: kernel/timer.c */
#include "tests/unit/unit.h"

#include "kernel/clock.h"
#include "kernel/softirq.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "tests/host/host.h"

#define TICK	(1ull << 20)

static void (*timer_action)(void);
static u64 programmed;

void open_softirq(enum softirq nr, void (*action)(void))
{
	assert_int_equal(nr, TIMER_SOFTIRQ);
	timer_action = action;
}

void clock_program(u64 expires)
{
	programmed = min(programmed, expires);
}

/* The clock interrupt, as kernel/time.c does it, and the softirq after it. */
static void interrupt(void)
{
	u64 next;

	programmed = KTIME_MAX;
	if (!timers_due(host_now, &next)) {
		programmed = next;
		return;
	}
	do {
		softirq_pending = 0;
		timer_action();
	} while (softirq_pending);
}

/* Runs until time @end; returns how many interrupts that took. */
static unsigned int run_until(u64 end)
{
	unsigned int n = 0;

	while (programmed <= end) {
		host_now = max(host_now, programmed);
		interrupt();
		n++;
	}
	host_now = max(host_now, end);
	return n;
}

static int setup(void **state)
{
	u64 now = host_now;

	host_reset();
	/* The wheel outlives a test, so time must not step back. */
	host_now = max(host_now, now);
	programmed = KTIME_MAX;
	if (!timer_action)
		timers_init();
	timer_action();
	return 0;
}

struct record {
	struct timer timer;
	u64 fired;		/* when, 0: not yet */
	unsigned int times;
	u64 again;		/* restart that much later, 0: do not */
};

static void fire(struct timer *timer)
{
	struct record *r = container_of(timer, struct record, timer);

	assert_false(timer_pending(timer));
	r->fired = host_now;
	r->times++;
	if (r->again)
		mod_timer(timer, host_now + r->again);
}

static void test_fires_late_by_a_tick_at_most(void **state)
{
	static const u64 delay[] = {
		0, 1, TICK - 1, TICK, 63 * TICK, 64 * TICK, 65 * TICK + 5,
		200 * NSEC_PER_MSEC, 4096 * TICK, 75 * NSEC_PER_SEC,
		7200 * NSEC_PER_SEC, 400 * 86400 * NSEC_PER_SEC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(delay); i++) {
		struct record r = { .fired = 0 };
		u64 due = host_now + delay[i];

		timer_setup(&r.timer, fire);
		mod_timer(&r.timer, due);
		assert_true(timer_pending(&r.timer));
		/* One to fire it, none for the levels in between. */
		assert_int_equal(run_until(due + 2 * TICK), 1);
		assert_int_equal(r.times, 1);
		assert_in_range(r.fired, due, due + TICK);
	}
}

static void test_one_that_never_ends_does_not_fire(void **state)
{
	struct record r = { .fired = 0 };

	timer_setup(&r.timer, fire);
	mod_timer(&r.timer, KTIME_MAX);
	run_until(host_now + 86400 * NSEC_PER_SEC);
	assert_int_equal(r.times, 0);
	assert_true(del_timer(&r.timer));
	assert_false(del_timer(&r.timer));
}

static void test_moved_later_fires_once_at_the_later_time(void **state)
{
	struct record r = { .fired = 0 };
	u64 due = host_now + 100 * TICK;

	timer_setup(&r.timer, fire);
	mod_timer(&r.timer, due);
	for (int i = 0; i < 50; i++)
		mod_timer(&r.timer, due += 10 * TICK);
	run_until(due - 1);
	assert_int_equal(r.times, 0);
	run_until(due + 2 * TICK);
	assert_int_equal(r.times, 1);
	assert_in_range(r.fired, due, due + TICK);
}

static void test_moved_earlier_fires_earlier(void **state)
{
	struct record r = { .fired = 0 };
	u64 due = host_now + 5 * TICK;

	timer_setup(&r.timer, fire);
	mod_timer(&r.timer, host_now + 5000 * TICK);
	mod_timer(&r.timer, due);
	run_until(host_now + 6000 * TICK);
	assert_int_equal(r.times, 1);
	assert_in_range(r.fired, due, due + TICK);
}

static void test_restarts_itself(void **state)
{
	struct record r = { .again = 10 * NSEC_PER_MSEC };

	timer_setup(&r.timer, fire);
	mod_timer(&r.timer, host_now + r.again);
	run_until(host_now + NSEC_PER_SEC);
	assert_in_range(r.times, 85, 100);
	assert_true(del_timer_sync(&r.timer));
}

/* One restarting in the past must not keep the softirq for ever. */
static void test_a_batch_is_bounded(void **state)
{
	static struct record r[1000];

	for (int i = 0; i < 1000; i++) {
		timer_setup(&r[i].timer, fire);
		mod_timer(&r[i].timer, 0);
	}
	softirq_pending = 0;
	timer_action();
	assert_int_equal(softirq_pending, 1u << TIMER_SOFTIRQ);
	assert_int_equal(r[0].times + r[999].times, 1);
	interrupt();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(r[i].times, 1);
	softirq_pending = 0;
}

/* Against a plain model: every timer fires in its tick, deleted ones never. */
static void test_many_at_random(void **state)
{
	enum { N = 300 };
	static struct record r[N];
	u64 due[N] = { 0 };

	srand(3);
	for (int i = 0; i < N; i++)
		timer_setup(&r[i].timer, fire);
	for (int step = 0; step < 20000; step++) {
		int i = rand() % N;

		if (rand() % 4) {
			due[i] = host_now + (1ull << (rand() % 36)) +
				 (u64)rand();
			mod_timer(&r[i].timer, due[i]);
			r[i].fired = 0;
		} else {
			assert_int_equal(del_timer(&r[i].timer),
					 due[i] && !r[i].fired);
			due[i] = 0;
		}
		run_until(host_now + (1ull << (rand() % 30)));
		for (int k = 0; k < N; k++) {
			if (r[k].fired && due[k])
				assert_in_range(r[k].fired, due[k],
						due[k] + TICK);
			else if (due[k])
				assert_true(host_now < due[k] + TICK);
		}
	}
	for (int i = 0; i < N; i++)
		del_timer(&r[i].timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fires_late_by_a_tick_at_most,
				       setup),
		cmocka_unit_test_setup(test_one_that_never_ends_does_not_fire,
				       setup),
		cmocka_unit_test_setup(
			test_moved_later_fires_once_at_the_later_time, setup),
		cmocka_unit_test_setup(test_moved_earlier_fires_earlier,
				       setup),
		cmocka_unit_test_setup(test_restarts_itself, setup),
		cmocka_unit_test_setup(test_a_batch_is_bounded, setup),
		cmocka_unit_test_setup(test_many_at_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
