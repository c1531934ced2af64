/* sources: kernel/wait.c kernel/mutex.c */
#include "tests/unit/unit.h"

#include "kernel/mutex.h"
#include "kernel/sched.h"
#include "kernel/wait.h"
#include "tests/host/host.h"

static int setup(void **state)
{
	host_reset();
	return 0;
}

/* An entry that counts its calls and answers what it is told to. */
struct probe {
	struct wait_queue_entry wqe;
	int answer;
	int calls;
	u32 mask;
	bool leave;
};

static int probe_func(struct wait_queue_entry *wqe, unsigned int mode,
		      int flags, void *key)
{
	struct probe *p = container_of(wqe, struct probe, wqe);

	p->calls++;
	p->mask = key_to_poll(key);
	if (p->leave)
		list_del_init(&wqe->entry);
	return p->answer;
}

static void probe_init(struct probe *p, int answer)
{
	*p = (struct probe){ .answer = answer };
	init_waitqueue_func_entry(&p->wqe, probe_func);
}

static void test_wakes_all_shared_and_one_exclusive(void **state)
{
	struct wait_queue_head wq;
	struct probe shared[2], excl[3];

	init_waitqueue_head(&wq);
	assert_false(wq_has_sleeper(&wq));
	for (int i = 0; i < 3; i++) {
		probe_init(&excl[i], 1);
		add_wait_queue_exclusive(&wq, &excl[i].wqe);
	}
	for (int i = 0; i < 2; i++) {
		probe_init(&shared[i], 1);
		add_wait_queue(&wq, &shared[i].wqe);
	}
	assert_true(wq_has_sleeper(&wq));
	wake_up_poll(&wq, 5);
	assert_int_equal(shared[0].calls + shared[1].calls, 2);
	assert_int_equal(shared[0].mask, 5);
	/* First come, first woken. */
	assert_int_equal(excl[0].calls, 1);
	assert_int_equal(excl[1].calls, 0);
	wake_up_all(&wq);
	assert_int_equal(excl[0].calls + excl[1].calls + excl[2].calls, 4);
	assert_int_equal(excl[2].mask, 0);
}

static void test_who_was_not_woken_does_not_count(void **state)
{
	struct wait_queue_head wq;
	struct probe busy, asleep, last;

	init_waitqueue_head(&wq);
	probe_init(&busy, 0);
	probe_init(&asleep, 1);
	probe_init(&last, 1);
	add_wait_queue_exclusive(&wq, &busy.wqe);
	add_wait_queue_exclusive(&wq, &asleep.wqe);
	add_wait_queue_exclusive(&wq, &last.wqe);
	wake_up(&wq);
	assert_int_equal(busy.calls, 1);
	assert_int_equal(asleep.calls, 1);
	assert_int_equal(last.calls, 0);
}

static void test_a_negative_answer_ends_the_walk(void **state)
{
	struct wait_queue_head wq;
	struct probe first, second;

	init_waitqueue_head(&wq);
	probe_init(&first, -1);
	probe_init(&second, 1);
	add_wait_queue_exclusive(&wq, &first.wqe);
	add_wait_queue_exclusive(&wq, &second.wqe);
	wake_up_all(&wq);
	assert_int_equal(second.calls, 0);
}

static void test_an_entry_may_take_itself_off(void **state)
{
	struct wait_queue_head wq;
	struct probe p[3];

	init_waitqueue_head(&wq);
	for (int i = 0; i < 3; i++) {
		probe_init(&p[i], 1);
		p[i].leave = true;
		add_wait_queue(&wq, &p[i].wqe);
	}
	wake_up(&wq);
	assert_false(wq_has_sleeper(&wq));
	wake_up(&wq);
	assert_int_equal(p[0].calls + p[1].calls + p[2].calls, 3);
}

static void test_exclusive_at_the_front_is_last_in_first_out(void **state)
{
	struct wait_queue_head wq;
	struct probe a, b;

	init_waitqueue_head(&wq);
	probe_init(&a, 1);
	probe_init(&b, 1);
	__add_wait_queue_exclusive(&wq, &a.wqe);
	__add_wait_queue_exclusive(&wq, &b.wqe);
	wake_up(&wq);
	assert_int_equal(a.calls, 0);
	assert_int_equal(b.calls, 1);
	remove_wait_queue(&wq, &b.wqe);
	wake_up(&wq);
	assert_int_equal(a.calls, 1);
}

struct door {
	struct wait_queue_head wq;
	bool open;
	int through;
};

static void walk_through(void *arg)
{
	struct door *door = arg;
	struct wait_queue_entry wait;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait_exclusive(&door->wq, &wait,
					  TASK_UNINTERRUPTIBLE);
		if (door->open)
			break;
		schedule();
	}
	finish_wait(&door->wq, &wait);
	door->through++;
}

static void test_tasks_sleep_until_woken(void **state)
{
	struct door door = { .open = false };

	init_waitqueue_head(&door.wq);
	for (int i = 0; i < 3; i++)
		host_task_start("walker", walk_through, &door);
	host_run_others();
	assert_int_equal(door.through, 0);
	/* A wakeup without the condition sends them back to sleep. */
	wake_up_all(&door.wq);
	host_run_others();
	assert_int_equal(door.through, 0);
	door.open = true;
	wake_up(&door.wq);
	host_run_others();
	assert_int_equal(door.through, 1);
	wake_up_all(&door.wq);
	host_run_others();
	assert_int_equal(door.through, 3);
	assert_false(wq_has_sleeper(&door.wq));
	host_join_tasks();
}

struct shared {
	struct mutex mutex;
	int inside, done;
};

static void work_inside(void *arg)
{
	struct shared *s = arg;

	mutex_lock(&s->mutex);
	assert_int_equal(s->inside++, 0);
	schedule();
	s->inside--;
	mutex_unlock(&s->mutex);
	s->done++;
}

static void test_mutex_lets_one_in(void **state)
{
	struct shared s = { .inside = 0 };

	mutex_init(&s.mutex);
	mutex_lock(&s.mutex);
	assert_false(mutex_trylock(&s.mutex));
	for (int i = 0; i < 4; i++)
		host_task_start("worker", work_inside, &s);
	host_run_others();
	assert_int_equal(s.done, 0);
	mutex_unlock(&s.mutex);
	host_join_tasks();
	assert_int_equal(s.done, 4);
	assert_true(mutex_trylock(&s.mutex));
	mutex_unlock(&s.mutex);
}

static void test_mutex_catches_misuse(void **state)
{
	struct mutex m;

	mutex_init(&m);
	host_expect_panic(mutex_unlock(&m));
	assert_true(host_panic_caught);
	mutex_lock(&m);
	host_expect_panic(mutex_lock(&m));
	assert_true(host_panic_caught);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_wakes_all_shared_and_one_exclusive,
				       setup),
		cmocka_unit_test_setup(test_who_was_not_woken_does_not_count,
				       setup),
		cmocka_unit_test_setup(test_a_negative_answer_ends_the_walk,
				       setup),
		cmocka_unit_test_setup(test_an_entry_may_take_itself_off,
				       setup),
		cmocka_unit_test_setup(
			test_exclusive_at_the_front_is_last_in_first_out,
			setup),
		cmocka_unit_test_setup(test_tasks_sleep_until_woken, setup),
		cmocka_unit_test_setup(test_mutex_lets_one_in, setup),
		cmocka_unit_test_setup(test_mutex_catches_misuse, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
