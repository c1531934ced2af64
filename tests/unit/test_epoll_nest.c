/*
 * Epolls that watch epolls: events climb, cycles and chains that are too long
 * are refused. The limits are those of Linux 6.18, measured there.
 * sources: fs/file.c fs/fdtable.c fs/fcntl.c fs/eventpoll.c fs/epoll_ctl.c
 * fs/epoll_nest.c fs/epoll_syscall.c kernel/wait.c kernel/rbtree.c
 */
#include "tests/unit/epoll_fixture.h"

static struct probe p, q;

static void test_inner_ready_is_outer_IN(void **state)
{
	int fd = probe_open(&p), inner = ep_new(), outer = ep_new();

	add(inner, fd, EPOLLIN);
	add(outer, inner, EPOLLIN);
	expect_none(outer);
	probe_event(&p, EPOLLIN);
	expect_one(outer, inner, EPOLLIN);
	expect_one(outer, inner, EPOLLIN);
	expect_one(inner, fd, EPOLLIN);
	p.ready = 0;
	expect_none(outer);
	expect_none(inner);
}

static void test_added_when_inner_is_ready(void **state)
{
	int fd = probe_open(&p), inner = ep_new(), outer = ep_new();

	p.ready = EPOLLIN;
	add(inner, fd, EPOLLIN);
	add(outer, inner, EPOLLIN | EPOLLET);
	expect_one(outer, inner, EPOLLIN);
	expect_none(outer);
	probe_event(&p, EPOLLIN);
	expect_one(outer, inner, EPOLLIN);
}

static void test_ADD_to_inner_wakes_outer(void **state)
{
	int fd = probe_open(&p), inner = ep_new(), outer = ep_new();

	add(outer, inner, EPOLLIN);
	p.ready = EPOLLIN;
	add(inner, fd, EPOLLIN);
	expect_one(outer, inner, EPOLLIN);
}

static void test_event_climbs_four_steps(void **state)
{
	int fd = probe_open(&p), ep[5];

	ep[0] = ep_new();
	add(ep[0], fd, EPOLLIN);
	for (int i = 1; i < 5; i++) {
		ep[i] = ep_new();
		add(ep[i], ep[i - 1], EPOLLIN);
	}
	expect_none(ep[4]);
	probe_event(&p, EPOLLIN);
	expect_one(ep[4], ep[3], EPOLLIN);
	sys_close(fd);
	expect_none(ep[4]);
}

static void test_self_is_EINVAL(void **state)
{
	int ep = ep_new(), copy = (int)sys_dup(ep);

	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN), -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN), -EINVAL);
}

static void test_cycle_is_ELOOP(void **state)
{
	int a = ep_new(), b = ep_new(), c = ep_new();

	add(a, b, EPOLLIN);
	assert_int_equal(ctl(b, EPOLL_CTL_ADD, a, EPOLLIN), -ELOOP);
	add(b, c, EPOLLIN);
	assert_int_equal(ctl(c, EPOLL_CTL_ADD, a, EPOLLIN), -ELOOP);
	assert_int_equal(ctl(b, EPOLL_CTL_DEL, c, 0), 0);
	add(c, a, EPOLLIN);
}

static void new_chain(int *ep, int n, bool top_down)
{
	for (int i = 0; i < n; i++)
		ep[i] = ep_new();
	for (int i = 0; i + 1 < n; i++) {
		int k = top_down ? i : n - 2 - i;

		add(ep[k], ep[k + 1], EPOLLIN);
	}
}

static void test_depth_is_limited_either_way(void **state)
{
	int ep[6];

	for (int top_down = 0; top_down < 2; top_down++) {
		new_chain(ep, 5, top_down);
		ep[5] = ep_new();
		assert_int_equal(ctl(ep[4], EPOLL_CTL_ADD, ep[5], EPOLLIN),
				 -ELOOP);
		assert_int_equal(ctl(ep[5], EPOLL_CTL_ADD, ep[0], EPOLLIN),
				 -ELOOP);
		/* A plain file may still be watched at the bottom. */
		add(ep[4], probe_open(&p), EPOLLIN);
		assert_int_equal(sys_close_range(0, ~0u, 0), 0);
	}
}

static void test_joining_two_chains(void **state)
{
	int a[4], b[4];

	new_chain(a, 3, true);
	new_chain(b, 3, true);
	assert_int_equal(ctl(a[2], EPOLL_CTL_ADD, b[0], EPOLLIN), -ELOOP);
	/* Three and two are five: the most there may be. */
	add(a[2], b[1], EPOLLIN);
}

/* @depth epolls over a file; then as many as can watch the topmost. */
static int count_watchers(int depth)
{
	int fd = probe_open(&q), top = ep_new(), n = 0;

	add(top, fd, EPOLLIN);
	for (int i = 1; i < depth; i++) {
		int next = ep_new();

		add(next, top, EPOLLIN);
		top = next;
	}
	while (n < 600) {
		long err = ctl(ep_new(), EPOLL_CTL_ADD, top, EPOLLIN);

		if (err) {
			assert_int_equal(err, depth > 4 ? -ELOOP : -EINVAL);
			break;
		}
		n++;
	}
	return n;
}

static void test_wakeup_paths_are_limited(void **state)
{
	assert_int_equal(count_watchers(1), 500);
	assert_int_equal(count_watchers(2), 100);
	assert_int_equal(count_watchers(3), 50);
	assert_int_equal(count_watchers(4), 10);
	assert_int_equal(count_watchers(5), 0);
}

/* Directly above a file there may be any number. */
static void test_direct_watchers_are_not_limited(void **state)
{
	int fd = probe_open(&p);

	for (int i = 0; i < 1200; i++)
		add(ep_new(), fd, EPOLLIN);
}

/* A plain file added below a crowd counts, too. */
static void test_paths_of_a_file_added_below(void **state)
{
	int inner = ep_new(), fd = probe_open(&p), mid = ep_new();

	for (int i = 0; i < 300; i++)
		add(ep_new(), inner, EPOLLIN);
	for (int i = 0; i < 300; i++)
		add(ep_new(), mid, EPOLLIN);
	add(inner, fd, EPOLLIN);
	assert_int_equal(ctl(mid, EPOLL_CTL_ADD, fd, EPOLLIN), -EINVAL);
	assert_true(rb_empty(&ep_of(mid)->rbr));
	assert_int_equal(ctl(inner, EPOLL_CTL_DEL, fd, 0), 0);
	add(mid, fd, EPOLLIN);
}

static void test_close_inner_while_watched(void **state)
{
	int fd = probe_open(&p), inner = ep_new(), outer = ep_new();

	add(inner, fd, EPOLLIN);
	add(outer, inner, EPOLLIN);
	probe_event(&p, EPOLLIN);
	sys_close(inner);
	expect_none(outer);
	assert_true(rb_empty(&ep_of(outer)->rbr));
	assert_null(p.file->f_ep);
}

static void test_close_outer_first(void **state)
{
	int fd = probe_open(&p), inner = ep_new(), outer = ep_new();

	add(inner, fd, EPOLLIN);
	add(outer, inner, EPOLLIN);
	sys_close(outer);
	probe_event(&p, EPOLLIN);
	expect_one(inner, fd, EPOLLIN);
}

static void outer_waits(void *arg)
{
	assert_int_equal(sys_epoll_wait(*(int *)arg, evs, 8, -1), 1);
}

static void test_waiter_on_outer_is_woken(void **state)
{
	int fd = probe_open(&p), inner = ep_new(), outer = ep_new();
	struct task *task;

	add(inner, fd, EPOLLIN);
	add(outer, inner, EPOLLIN);
	task = host_task_start("outer", outer_waits, &outer);
	host_run_others();
	assert_false(host_task_done(task));
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_true(host_task_done(task));
}

static void test_nested_ADD_survives_no_memory(void **state)
{
	int inner = ep_new(), outer = ep_new();

	host_fail_alloc(1);
	assert_int_equal(ctl(outer, EPOLL_CTL_ADD, inner, EPOLLIN), -ENOMEM);
	add(outer, inner, EPOLLIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_inner_ready_is_outer_IN),
		T(test_added_when_inner_is_ready),
		T(test_ADD_to_inner_wakes_outer),
		T(test_event_climbs_four_steps),
		T(test_self_is_EINVAL),
		T(test_cycle_is_ELOOP),
		T(test_depth_is_limited_either_way),
		T(test_joining_two_chains),
		T(test_wakeup_paths_are_limited),
		T(test_direct_watchers_are_not_limited),
		T(test_paths_of_a_file_added_below),
		T(test_close_inner_while_watched),
		T(test_close_outer_first),
		T(test_waiter_on_outer_is_woken),
		T(test_nested_ADD_survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
