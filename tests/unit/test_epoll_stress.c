/*
 * epoll against a model: random ADD, MOD, DEL, close, events and waits, where
 * the model says exactly which events must come and in which order; then
 * tasks that wait, produce and change watches all at once, where no wakeup
 * may be lost. Every run is the same; the seed is printed when one fails.
 * sources: fs/file.c fs/fdtable.c fs/fcntl.c fs/eventpoll.c fs/epoll_ctl.c
 * fs/epoll_nest.c fs/epoll_syscall.c kernel/wait.c kernel/rbtree.c
 * kernel/mutex.c
 */
#include "tests/unit/epoll_fixture.h"

#include "kernel/random.h"

#define NR_FILES 12
#define NR_EPOLLS 3
#define STEPS 60000

/* --- the model --- */

struct model_item {
	bool watched, linked;
	u32 events;
};

/* What an epoll must do, written as simply as the manual page says it. */
struct model_epoll {
	int fd;
	struct model_item item[NR_FILES];
	int queue[NR_FILES], queued;	/* ready list, in order */
};

static struct probe files[NR_FILES];
static int file_fd[NR_FILES];
static struct model_epoll model[NR_EPOLLS];

static void model_link(struct model_epoll *m, int i)
{
	if (m->item[i].linked)
		return;
	m->item[i].linked = true;
	m->queue[m->queued++] = i;
}

static void model_unlink(struct model_epoll *m, int i)
{
	int to = 0;

	for (int k = 0; k < m->queued; k++) {
		if (m->queue[k] != i)
			m->queue[to++] = m->queue[k];
	}
	m->queued = to;
	m->item[i].linked = false;
}

static void model_event(int i, u32 bits)
{
	for (int e = 0; e < NR_EPOLLS; e++) {
		struct model_item *it = &model[e].item[i];

		if (it->watched && it->events & ~EP_PRIVATE_BITS &&
		    (!bits || bits & it->events))
			model_link(&model[e], i);
	}
}

static void model_arm(struct model_epoll *m, int i, u32 events)
{
	m->item[i].watched = true;
	m->item[i].events = events | EPOLLERR | EPOLLHUP;
	if (files[i].ready & m->item[i].events)
		model_link(m, i);
}

/* Fills @out with what epoll_wait(max) must give; returns how many. */
static int model_wait(struct model_epoll *m, int max, struct epoll_event *out)
{
	int again[NR_FILES], nr_again = 0, n = 0, seen = 0;

	while (seen < m->queued && n < max) {
		int i = m->queue[seen++];
		struct model_item *it = &m->item[i];
		u32 bits = files[i].ready & it->events;

		it->linked = false;
		if (!bits)
			continue;
		out[n].events = bits;
		out[n++].data = (u64)i;
		if (it->events & EPOLLONESHOT)
			it->events &= EP_PRIVATE_BITS;
		else if (!(it->events & EPOLLET))
			again[nr_again++] = i;
	}
	m->queued -= seen;
	memmove(m->queue, m->queue + seen, (size_t)m->queued * sizeof(int));
	for (int k = 0; k < nr_again; k++)
		model_link(m, again[k]);
	return n;
}

/* --- random steps --- */

static u32 random_events(void)
{
	static const u32 some[] = {
		EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLRDHUP | EPOLLIN,
		EPOLLPRI, 0,
	};
	u32 events = some[get_random_below(ARRAY_SIZE(some))];

	if (get_random_below(3) == 0)
		events |= EPOLLET;
	if (get_random_below(4) == 0)
		events |= EPOLLONESHOT;
	return events;
}

static u32 random_bits(void)
{
	static const u32 some[] = {
		EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLRDHUP, EPOLLHUP, EPOLLPRI,
	};

	return some[get_random_below(ARRAY_SIZE(some))];
}

static long ctl_file(struct model_epoll *m, int op, int i, u32 events)
{
	struct epoll_event ev = { .events = events, .data = (u64)i };

	return sys_epoll_ctl(m->fd, op, file_fd[i], &ev);
}

static void step_ctl(struct model_epoll *m, int i)
{
	struct model_item *it = &m->item[i];
	u32 events = random_events();
	int op = 1 + (int)get_random_below(3);
	long err = ctl_file(m, op, i, events);

	if (op == EPOLL_CTL_ADD) {
		assert_int_equal(err, it->watched ? -EEXIST : 0);
		if (!err)
			model_arm(m, i, events);
		return;
	}
	assert_int_equal(err, it->watched ? 0 : -ENOENT);
	if (err)
		return;
	if (op == EPOLL_CTL_MOD) {
		model_arm(m, i, events);
	} else {
		it->watched = false;
		model_unlink(m, i);
	}
}

static void step_wait(struct model_epoll *m)
{
	struct epoll_event want[NR_FILES];
	int max = 1 + (int)get_random_below(NR_FILES);
	int n = model_wait(m, max, want);

	assert_int_equal(sys_epoll_wait(m->fd, evs, max, 0), n);
	for (int k = 0; k < n; k++) {
		assert_int_equal(evs[k].data, want[k].data);
		assert_int_equal(evs[k].events, want[k].events);
	}
}

/* The file goes and a new one comes under the same number. */
static void step_reopen(int i)
{
	assert_int_equal(sys_close(file_fd[i]), 0);
	for (int e = 0; e < NR_EPOLLS; e++) {
		model[e].item[i].watched = false;
		model_unlink(&model[e], i);
	}
	assert_int_equal(probe_open(&files[i]), file_fd[i]);
}

static void step_new_epoll(struct model_epoll *m)
{
	int fd = m->fd;

	assert_int_equal(sys_close(fd), 0);
	memset(m, 0, sizeof(*m));
	m->fd = ep_new();
	assert_int_equal(m->fd, fd);
}

static void random_step(void)
{
	struct model_epoll *m = &model[get_random_below(NR_EPOLLS)];
	int i = (int)get_random_below(NR_FILES);
	u32 bits = random_bits();

	switch (get_random_below(16)) {
	case 0 ... 4:
		step_ctl(m, i);
		break;
	case 5 ... 8:
		step_wait(m);
		break;
	case 9 ... 11:
		probe_event(&files[i], bits);
		model_event(i, bits);
		break;
	case 12:
		probe_event(&files[i], 0);
		model_event(i, 0);
		break;
	case 13 ... 14:
		/* Somebody read: no wakeup comes with that. */
		files[i].ready &= ~bits;
		break;
	default:
		if (get_random_below(4))
			step_reopen(i);
		else if (!get_random_below(4))
			step_new_epoll(m);
		break;
	}
}

static void test_model(void **state)
{
	for (u64 seed = 1; seed <= 5; seed++) {
		host_random_seed(seed);
		memset(model, 0, sizeof(model));
		for (int i = 0; i < NR_FILES; i++)
			file_fd[i] = probe_open(&files[i]);
		for (int e = 0; e < NR_EPOLLS; e++)
			model[e].fd = ep_new();
		for (int step = 0; step < STEPS / 5; step++)
			random_step();
		assert_int_equal(sys_close_range(0, ~0u, 0), 0);
		assert_int_equal(atomic_read(&ep_user_watches), 0);
	}
}

/* --- many tasks --- */

#define NR_WAITERS 4
#define NR_EVENTS 3000

/* A file whose poll gives the CPU away half of the time. */
static u32 sleepy_poll(struct file *file, struct poll_table *pt)
{
	u32 ready = probe_poll(file, pt);

	if (get_random_below(2))
		schedule();
	return ready;
}

static const struct file_operations sleepy_fops = {
	.poll = sleepy_poll,
	.release = probe_release,
};

static int the_ep;
static bool stop;
static u32 produced[NR_FILES], consumed[NR_FILES];

/* Edge-triggered: an event that is not reported is lost for good. */
static void waiter_task(void *arg)
{
	struct epoll_event got[3];

	while (!stop) {
		long n = sys_epoll_wait(the_ep, got, 3, -1);

		for (long k = 0; k < n; k++) {
			u64 i = got[k].data;

			/* Takes all there is, as a server does on ET. */
			consumed[i] = produced[i];
			files[i].ready &= ~EPOLLIN;
			if (!get_random_below(3))
				schedule();
		}
	}
}

static void changer_task(void *arg)
{
	while (!stop) {
		int i = (int)get_random_below(NR_FILES);
		struct epoll_event ev = { EPOLLIN | EPOLLET, (u64)i };

		switch (get_random_below(3)) {
		case 0:
			sys_epoll_ctl(the_ep, EPOLL_CTL_MOD, file_fd[i], &ev);
			break;
		case 1:
			sys_epoll_ctl(the_ep, EPOLL_CTL_DEL, file_fd[i], NULL);
			schedule();
			sys_epoll_ctl(the_ep, EPOLL_CTL_ADD, file_fd[i], &ev);
			break;
		default:
			break;
		}
		schedule();
	}
}

/* Nothing more happens: everything produced must have been consumed. */
static void check_none_lost(u64 seed)
{
	for (int i = 0; i < NR_FILES; i++) {
		if (produced[i] != consumed[i])
			fail_msg("seed %lu: file %d lost its wakeup", seed, i);
	}
}

static void let_all_sleep(void)
{
	for (int i = 0; i < 200; i++)
		schedule();
}

static void stress_round(u64 seed, bool changes)
{
	struct epoll_event ev = { EPOLLIN | EPOLLET, 0 };

	host_random_seed(seed);
	stop = false;
	the_ep = ep_new();
	for (int i = 0; i < NR_FILES; i++) {
		file_fd[i] = probe_open_as(&files[i], &sleepy_fops);
		produced[i] = consumed[i] = 0;
		ev.data = (u64)i;
		assert_int_equal(sys_epoll_ctl(the_ep, EPOLL_CTL_ADD,
					       file_fd[i], &ev), 0);
	}
	for (int i = 0; i < NR_WAITERS; i++)
		host_task_start("waiter", waiter_task, NULL);
	if (changes)
		host_task_start("changer", changer_task, NULL);
	for (int n = 0; n < NR_EVENTS; n++) {
		int i = (int)get_random_below(NR_FILES);

		produced[i]++;
		probe_event(&files[i], EPOLLIN);
		if (get_random_below(3))
			schedule();
		if (n % 100 == 0) {
			let_all_sleep();
			check_none_lost(seed);
		}
	}
	let_all_sleep();
	check_none_lost(seed);
	stop = true;
	/* An edge for each waiter lets it see that it is over. */
	for (int n = 0; n < 100; n++) {
		probe_event(&files[n % NR_FILES], EPOLLIN);
		schedule();
	}
	host_join_tasks();
	assert_int_equal(sys_close_range(0, ~0u, 0), 0);
}

static void test_no_wakeup_is_lost(void **state)
{
	for (u64 seed = 1; seed <= 6; seed++)
		stress_round(seed, false);
}

static void test_no_wakeup_is_lost_while_watches_change(void **state)
{
	for (u64 seed = 1; seed <= 6; seed++)
		stress_round(seed, true);
}

/* --- closing at any moment --- */

static void closer_task(void *arg)
{
	while (!stop) {
		int i = (int)get_random_below(NR_FILES);
		struct epoll_event ev = { EPOLLIN, (u64)i };

		sys_close(file_fd[i]);
		schedule();
		file_fd[i] = probe_open_as(&files[i], &sleepy_fops);
		sys_epoll_ctl(the_ep, EPOLL_CTL_ADD, file_fd[i], &ev);
		schedule();
	}
}

static void test_close_at_any_moment(void **state)
{
	atomic_inc(&current->files->users);
	for (u64 seed = 1; seed <= 6; seed++) {
		host_random_seed(seed);
		stop = false;
		the_ep = ep_new();
		for (int i = 0; i < NR_FILES; i++)
			file_fd[i] = probe_open_as(&files[i], &sleepy_fops);
		for (int i = 0; i < 2; i++)
			host_task_start("waiter", waiter_task, NULL);
		host_task_start("closer", closer_task, NULL);
		for (int n = 0; n < NR_EVENTS; n++) {
			int i = (int)get_random_below(NR_FILES);

			if (files[i].file)
				probe_event(&files[i], EPOLLIN);
			schedule();
		}
		stop = true;
		for (int n = 0; n < 200; n++) {
			if (files[n % NR_FILES].file)
				probe_event(&files[n % NR_FILES], EPOLLIN);
			schedule();
		}
		host_join_tasks();
		assert_int_equal(sys_close_range(0, ~0u, 0), 0);
		assert_int_equal(atomic_read(&ep_user_watches), 0);
	}
	atomic_dec(&current->files->users);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_model),
		T(test_no_wakeup_is_lost),
		T(test_no_wakeup_is_lost_while_watches_change),
		T(test_close_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
