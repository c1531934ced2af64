/*
 * epoll_wait(2) with tasks that really sleep: who is woken by what, in which
 * order, and what happens to a watch while somebody waits.
 * sources: fs/file.c fs/fdtable.c fs/fcntl.c fs/eventpoll.c fs/epoll_ctl.c
 * fs/epoll_nest.c fs/epoll_syscall.c kernel/wait.c kernel/rbtree.c
 */
#include "tests/unit/epoll_fixture.h"

/* A task in epoll_wait(), and what it got. */
struct waiter {
	struct task *task;
	int epfd, timeout, max;
	long ret;
	struct epoll_event ev[8];
	int order;		/* the how-many-th it was to return */
};

static int returned;
static struct waiter w[4];
static struct probe p, q;

static void wait_once(void *arg)
{
	struct waiter *me = arg;

	me->ret = sys_epoll_wait(me->epfd, me->ev, me->max, me->timeout);
	me->order = ++returned;
}

/* Starts a waiter for @max events and lets it fall asleep. */
static void start_waiter_max(struct waiter *me, int epfd, int max)
{
	*me = (struct waiter){ .epfd = epfd, .timeout = -1, .max = max,
			       .ret = -9999 };
	me->task = host_task_start("waiter", wait_once, me);
	host_run_others();
}

static void start_waiter(struct waiter *me, int epfd)
{
	start_waiter_max(me, epfd, 8);
}

#define expect_asleep(who) assert_int_equal((who)->ret, -9999)

static int setup(void **state)
{
	returned = 0;
	return epoll_setup(state);
}

#undef T
#define T(name) cmocka_unit_test_setup_teardown(name, setup, epoll_teardown)

/* --- time --- */

static void test_timeout_0_polls(void **state)
{
	int ep = ep_new();
	u64 start = host_now;

	assert_int_equal(sys_epoll_wait(ep, evs, 1, 0), 0);
	assert_int_equal(host_now, start);
	assert_int_equal(host_sleeps(), 0);
}

static void test_timeout_in_milliseconds(void **state)
{
	static const int ms[] = { 1, 7, 1000, 100000 };
	int ep = ep_new();

	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		u64 start = host_now;

		assert_int_equal(sys_epoll_wait(ep, evs, 1, ms[i]), 0);
		assert_int_equal(host_now - start, (u64)ms[i] * NSEC_PER_MSEC);
	}
}

static bool data_comes(void *arg)
{
	if (p.ready)
		return false;
	host_now += 5 * NSEC_PER_SEC;
	probe_event(&p, EPOLLIN);
	return true;
}

static void test_timeout_minus_1_waits_for_ever(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN);
	host_on_idle = data_comes;
	assert_int_equal(sys_epoll_wait(ep, evs, 8, -1), 1);
	assert_int_equal(evs[0].data, fd);
	assert_int_equal(host_sleeps(), 1);
}

static bool irrelevant_wakeups(void *arg)
{
	static int n;

	if (++n % 4 == 0)
		return false;
	/* Ready for a moment only: the waiter finds nothing and goes on. */
	wake_up_poll(&p.wq, EPOLLIN);
	return true;
}

static void test_deadline_holds_through_vain_wakeups(void **state)
{
	int fd = probe_open(&p), ep = ep_new();
	u64 start = host_now;

	add(ep, fd, EPOLLIN);
	host_on_idle = irrelevant_wakeups;
	assert_int_equal(sys_epoll_wait(ep, evs, 8, 50), 0);
	assert_int_equal(host_now - start, 50 * NSEC_PER_MSEC);
	assert_true(host_sleeps() > 1);
}

/* --- signals --- */

static void test_signal_is_EINTR(void **state)
{
	int ep = ep_new();

	start_waiter(&w[0], ep);
	expect_asleep(&w[0]);
	host_signal(w[0].task);
	host_run_others();
	assert_int_equal(w[0].ret, -EINTR);
	assert_true(list_empty(&ep_of(ep)->wq.head));
}

static void test_events_win_over_a_signal(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN);
	start_waiter(&w[0], ep);
	host_signal(w[0].task);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(w[0].ret, 1);
}

static u64 mask_seen;

static bool look_at_the_mask(void *arg)
{
	mask_seen = host_main_task.sig_blocked;
	return false;
}

static void test_epoll_pwait_sigmask(void **state)
{
	int ep = ep_new();
	u64 mask = 0x1234;

	host_main_task.sig_blocked = 0x55;
	host_on_idle = look_at_the_mask;
	assert_int_equal(sys_epoll_pwait(ep, evs, 1, 5, &mask, 8), 0);
	assert_int_equal(mask_seen, 0x1234);
	assert_int_equal(host_main_task.sig_blocked, 0x55);
	assert_int_equal(sys_epoll_pwait(ep, evs, 1, 5, NULL, 99), 0);
	assert_int_equal(mask_seen, 0x55);
	assert_int_equal(sys_epoll_pwait(ep, evs, 1, 5, &mask, 4), -EINVAL);
	assert_int_equal(sys_epoll_pwait(ep, evs, 1, 5, (void *)8, 8),
			 -EFAULT);
	/* The mask comes back also when the call is refused. */
	assert_int_equal(sys_epoll_pwait(99, evs, 1, 5, &mask, 8), -EBADF);
	assert_int_equal(host_main_task.sig_blocked, 0x55);
}

/* Interrupted, the wait's mask stays until the signal was acted on. */
static bool signal_main(void *arg)
{
	host_signal(&host_main_task);
	return true;
}

static void test_epoll_pwait_keeps_the_mask_for_the_signal(void **state)
{
	int ep = ep_new();
	u64 mask = 0x1234;

	host_on_idle = signal_main;
	assert_int_equal(sys_epoll_pwait(ep, evs, 1, -1, &mask, 8), -EINTR);
	assert_int_equal(host_main_task.sig_blocked, 0x1234);
	assert_true(host_main_task.sig_restore);
}

static void test_epoll_pwait2_in_nanoseconds(void **state)
{
	int fd = probe_open(&p), ep = ep_new();
	struct timespec ts = { 0, 1 };
	u64 start = host_now;

	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, &ts, NULL, 0), 0);
	assert_int_equal(host_now - start, 1);
	ts = (struct timespec){ 3, 7 };
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, &ts, NULL, 0), 0);
	assert_int_equal(host_now - start, 3 * NSEC_PER_SEC + 8);
	ts = (struct timespec){ 0, 0 };
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, &ts, NULL, 0), 0);
	ts.tv_nsec = (s64)NSEC_PER_SEC;
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, &ts, NULL, 0), -EINVAL);
	ts = (struct timespec){ -1, 0 };
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, &ts, NULL, 0), -EINVAL);
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, (void *)8, NULL, 0),
			 -EFAULT);
	/* Further than time reaches, or no time at all, means for ever. */
	add(ep, fd, EPOLLIN);
	host_on_idle = data_comes;
	ts = (struct timespec){ INT64_MAX, 0 };
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, &ts, NULL, 0), 1);
	p.ready = 0;
	assert_int_equal(sys_epoll_pwait2(ep, evs, 1, NULL, NULL, 0), 1);
}

/* --- changes while somebody waits --- */

static void test_ctl_during_wait(void **state)
{
	int fd = probe_open(&p), fd2 = probe_open(&q), ep = ep_new();

	start_waiter(&w[0], ep);
	p.ready = EPOLLIN;
	add(ep, fd, EPOLLIN);
	host_run_others();
	assert_int_equal(w[0].ret, 1);
	assert_int_equal(w[0].ev[0].data, fd);

	p.ready = 0;
	add(ep, fd2, EPOLLIN);
	start_waiter(&w[1], ep);
	q.ready = EPOLLOUT;
	mod(ep, fd2, EPOLLOUT);
	host_run_others();
	assert_int_equal(w[1].ret, 1);
	assert_int_equal(w[1].ev[0].events, EPOLLOUT);
}

static void test_DEL_during_wait(void **state)
{
	int fd = probe_open(&p), fd2 = probe_open(&q), ep = ep_new();

	add(ep, fd, EPOLLIN);
	add(ep, fd2, EPOLLIN);
	start_waiter(&w[0], ep);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fd, 0), 0);
	probe_event(&p, EPOLLIN);
	host_run_others();
	expect_asleep(&w[0]);
	probe_event(&q, EPOLLIN);
	host_run_others();
	assert_int_equal(w[0].ret, 1);
	assert_int_equal(w[0].ev[0].data, fd2);
}

static void test_close_of_watched_fd_during_wait(void **state)
{
	int fd = probe_open(&p), fd2 = probe_open(&q), ep = ep_new();

	atomic_inc(&current->files->users);
	add(ep, fd, EPOLLIN);
	add(ep, fd2, EPOLLIN);
	start_waiter(&w[0], ep);
	/* Ready, the waiter is on its way, and then the file goes. */
	probe_event(&p, EPOLLIN);
	sys_close(fd);
	assert_int_equal(p.released, 1);
	host_run_others();
	expect_asleep(&w[0]);
	probe_event(&q, EPOLLIN);
	host_run_others();
	assert_int_equal(w[0].ret, 1);
	assert_int_equal(w[0].ev[0].data, fd2);
	atomic_dec(&current->files->users);
}

/* The epoll lives until the waiter has left it. */
static void test_close_of_epoll_during_wait(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	atomic_inc(&current->files->users);
	add(ep, fd, EPOLLIN);
	start_waiter(&w[0], ep);
	sys_close(ep);
	expect_asleep(&w[0]);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(w[0].ret, 1);
	assert_null(p.file->f_ep);
	atomic_dec(&current->files->users);
}

/* --- several waiters --- */

static void test_one_edge_wakes_one_waiter(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLET);
	start_waiter(&w[0], ep);
	start_waiter(&w[1], ep);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 1);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 2);
	assert_int_equal(w[0].ret, 1);
	assert_int_equal(w[1].ret, 1);
}

/* The last to sleep is the first to be woken: its cache is warm. */
static void test_waiters_are_woken_last_in_first_out(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLET);
	for (int i = 0; i < 4; i++)
		start_waiter(&w[i], ep);
	for (int i = 3; i >= 0; i--) {
		probe_event(&p, EPOLLIN);
		host_run_others();
		assert_int_equal(w[i].order, 4 - i);
	}
}

/* Level: as long as it is unread, every waiter is told. */
static void test_level_event_reaches_all_waiters(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN);
	start_waiter(&w[0], ep);
	start_waiter(&w[1], ep);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 2);
}

static void test_two_sources_wake_two_waiters(void **state)
{
	int fd = probe_open(&p), fd2 = probe_open(&q), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLET);
	add(ep, fd2, EPOLLIN | EPOLLET);
	for (int i = 0; i < 2; i++)
		start_waiter_max(&w[i], ep, 1);
	probe_event(&p, EPOLLIN);
	probe_event(&q, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 2);
	assert_int_equal(w[0].ev[0].data + w[1].ev[0].data, fd + fd2);
}

/* A batch larger than one waiter takes goes on to the next. */
static void test_leftovers_wake_the_next_waiter(void **state)
{
	static struct probe many[3];
	int ep = ep_new();

	for (int i = 0; i < 3; i++)
		add(ep, probe_open(&many[i]), EPOLLIN | EPOLLET);
	for (int i = 0; i < 3; i++)
		start_waiter_max(&w[i], ep, 1);
	/* Three events in the list, and only one wakeup of a waiter. */
	probe_event(&many[0], EPOLLIN);
	for (int i = 1; i < 3; i++) {
		many[i].ready = EPOLLIN;
		list_add_tail(&many[i].file->f_ep->rdllink,
			      &ep_of(ep)->rdllist);
	}
	host_run_others();
	assert_int_equal(returned, 3);
}

/*
 * A waiter whose time is up in the same moment as it is woken must take the
 * event, or nobody would: it has left the queue with the wakeup.
 */
static bool wake_at_the_deadline(void *arg)
{
	if (p.ready)
		return false;
	probe_event(&p, EPOLLIN);
	host_now += 10 * NSEC_PER_MSEC;
	return true;
}

static void test_wakeup_at_the_deadline_is_not_lost(void **state)
{
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLET);
	host_on_idle = wake_at_the_deadline;
	assert_int_equal(sys_epoll_wait(ep, evs, 8, 10), 1);
}

/* --- EPOLLEXCLUSIVE --- */

static void test_EPOLLEXCLUSIVE_wakes_one_epoll(void **state)
{
	int fd = probe_open(&p), ep[3];

	for (int i = 0; i < 3; i++) {
		ep[i] = ep_new();
		add(ep[i], fd, EPOLLIN | EPOLLEXCLUSIVE);
		start_waiter(&w[i], ep[i]);
	}
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 1);
	assert_int_equal(w[0].ret, 1);
	/* The busy one is passed over. */
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 2);
	assert_int_equal(w[1].ret, 1);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 3);
}

/* One that waits to write does not swallow a wakeup for readers. */
static void test_exclusive_writer_does_not_take_readers_wakeup(void **state)
{
	int fd = probe_open(&p), ep[2];

	for (int i = 0; i < 2; i++)
		ep[i] = ep_new();
	add(ep[0], fd, EPOLLOUT | EPOLLEXCLUSIVE);
	add(ep[1], fd, EPOLLIN | EPOLLEXCLUSIVE);
	for (int i = 0; i < 2; i++)
		start_waiter(&w[i], ep[i]);
	probe_event(&p, EPOLLIN);
	host_run_others();
	expect_asleep(&w[0]);
	assert_int_equal(w[1].ret, 1);
	probe_event(&p, EPOLLOUT);
	host_run_others();
	assert_int_equal(w[0].ret, 1);
}

static void test_without_EXCLUSIVE_all_epolls_wake(void **state)
{
	int fd = probe_open(&p), ep;

	for (int i = 0; i < 3; i++) {
		ep = ep_new();
		add(ep, fd, EPOLLIN);
		start_waiter(&w[i], ep);
	}
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_int_equal(returned, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_timeout_0_polls),
		T(test_timeout_in_milliseconds),
		T(test_timeout_minus_1_waits_for_ever),
		T(test_deadline_holds_through_vain_wakeups),
		T(test_signal_is_EINTR),
		T(test_events_win_over_a_signal),
		T(test_epoll_pwait_sigmask),
		T(test_epoll_pwait_keeps_the_mask_for_the_signal),
		T(test_epoll_pwait2_in_nanoseconds),
		T(test_ctl_during_wait),
		T(test_DEL_during_wait),
		T(test_close_of_watched_fd_during_wait),
		T(test_close_of_epoll_during_wait),
		T(test_one_edge_wakes_one_waiter),
		T(test_waiters_are_woken_last_in_first_out),
		T(test_level_event_reaches_all_waiters),
		T(test_two_sources_wake_two_waiters),
		T(test_leftovers_wake_the_next_waiter),
		T(test_wakeup_at_the_deadline_is_not_lost),
		T(test_EPOLLEXCLUSIVE_wakes_one_epoll),
		T(test_exclusive_writer_does_not_take_readers_wakeup),
		T(test_without_EXCLUSIVE_all_epolls_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
