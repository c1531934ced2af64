/* sources: kernel/softirq.c */
#include "tests/unit/unit.h"

#include "kernel/softirq.h"
#include "kernel/time.h"
#include "tests/host/host.h"

static unsigned int rx_runs, timer_runs, reraise, woken;
static u64 takes;
static struct task *ksoftirqd_task;

/* In place of the scheduler's: nothing runs, wakeups are counted. */
struct task *kthread_run(void (*fn)(void *arg), void *arg, const char *name)
{
	static struct task task;

	ksoftirqd_task = &task;
	return &task;
}

int wake_up_process(struct task *task)
{
	assert_ptr_equal(task, ksoftirqd_task);
	return ++woken;
}

static void rx_action(void)
{
	assert_true(in_softirq());
	assert_false(host_irqs_off);
	rx_runs++;
	host_now += takes;
	/* An interrupt in the middle must not start them again. */
	local_irq_disable();
	irq_enter();
	irq_exit();
	local_irq_enable();
	if (reraise) {
		reraise--;
		raise_softirq(NET_RX_SOFTIRQ);
	}
}

static void timer_action(void)
{
	timer_runs++;
}

static int setup(void **state)
{
	host_reset();
	rx_runs = timer_runs = reraise = woken = 0;
	takes = 0;
	softirq_pending = 0;
	context_count = 0;
	host_irqs_off = false;
	open_softirq(NET_RX_SOFTIRQ, rx_action);
	open_softirq(TIMER_SOFTIRQ, timer_action);
	softirq_init();
	return 0;
}

static void interrupt(enum softirq nr)
{
	local_irq_disable();
	irq_enter();
	assert_true(in_hardirq());
	raise_softirq_irqoff(nr);
	irq_exit();
	assert_true(host_irqs_off);
	local_irq_enable();
}

static void test_runs_on_the_way_out_of_an_interrupt(void **state)
{
	interrupt(NET_RX_SOFTIRQ);
	assert_int_equal(rx_runs, 1);
	assert_int_equal(softirq_pending, 0);
	assert_true(in_task());
	assert_int_equal(woken, 0);
}

static void test_waits_while_disabled(void **state)
{
	local_bh_disable();
	local_bh_disable();
	interrupt(NET_RX_SOFTIRQ);
	local_bh_enable();
	assert_int_equal(rx_runs, 0);
	local_bh_enable();
	assert_int_equal(rx_runs, 1);
}

static void test_task_context_wakes_ksoftirqd(void **state)
{
	raise_softirq(TIMER_SOFTIRQ);
	assert_int_equal(woken, 1);
	assert_int_equal(timer_runs, 0);
	do_softirq();
	assert_int_equal(timer_runs, 1);
}

static void test_lowest_number_first_all_in_one_round(void **state)
{
	raise_softirq_irqoff(NET_RX_SOFTIRQ);
	raise_softirq_irqoff(TIMER_SOFTIRQ);
	do_softirq();
	assert_int_equal(rx_runs, 1);
	assert_int_equal(timer_runs, 1);
}

static void test_ten_rounds_then_ksoftirqd(void **state)
{
	reraise = 1000;
	interrupt(NET_RX_SOFTIRQ);
	assert_int_equal(rx_runs, 10);
	assert_int_equal(woken, 1);
	assert_int_equal(softirq_pending, 1u << NET_RX_SOFTIRQ);
}

static void test_two_milliseconds_then_ksoftirqd(void **state)
{
	reraise = 1000;
	takes = 1500 * NSEC_PER_USEC;
	interrupt(NET_RX_SOFTIRQ);
	assert_in_range(rx_runs, 2, 3);
	assert_int_equal(woken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_runs_on_the_way_out_of_an_interrupt, setup),
		cmocka_unit_test_setup(test_waits_while_disabled, setup),
		cmocka_unit_test_setup(test_task_context_wakes_ksoftirqd,
				       setup),
		cmocka_unit_test_setup(
			test_lowest_number_first_all_in_one_round, setup),
		cmocka_unit_test_setup(test_ten_rounds_then_ksoftirqd, setup),
		cmocka_unit_test_setup(test_two_milliseconds_then_ksoftirqd,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
