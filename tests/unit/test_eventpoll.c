/*
 * epoll's semantics on one task: each name says what Linux does. Waiting and
 * waking with several tasks is in test_epoll_wait.c.
 * sources: fs/file.c fs/fdtable.c fs/fcntl.c fs/eventpoll.c fs/epoll_ctl.c
 * fs/epoll_nest.c fs/epoll_syscall.c kernel/wait.c kernel/rbtree.c
 */
#include "tests/unit/epoll_fixture.h"

/* --- level, edge, one-shot --- */

static void test_level_repeats_until_drained(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN);
	expect_none(ep);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	p.ready = 0;
	expect_none(ep);
	expect_none(ep);
}

/* A drained level item is dropped after one look, not asked for ever. */
static void test_wait_costs_only_the_ready(void **state)
{
	static struct probe p[10];
	int ep = ep_new(), fd[10];
	unsigned int polls;

	for (int i = 0; i < 10; i++) {
		fd[i] = probe_open(&p[i]);
		add(ep, fd[i], EPOLLIN);
	}
	probe_event(&p[4], EPOLLIN);
	expect_one(ep, fd[4], EPOLLIN);
	p[4].ready = 0;
	expect_none(ep);
	polls = p[4].polls;
	for (int i = 0; i < 5; i++)
		expect_none(ep);
	assert_int_equal(p[4].polls, polls);
	assert_int_equal(p[5].polls, 1);
}

static void test_EPOLLET_no_loss(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLET);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	expect_none(ep);
	/* More data while the first is unread is an edge again. */
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	/* And so is the end of the stream after it. */
	probe_event(&p, EPOLLIN | EPOLLRDHUP);
	expect_one(ep, fd, EPOLLIN);
	expect_none(ep);
}

/* Edges past maxevents wait for the next call. */
static void test_EPOLLET_past_maxevents(void **state)
{
	static struct probe p[5];
	int ep = ep_new(), fd[5], seen = 0;

	for (int i = 0; i < 5; i++) {
		fd[i] = probe_open(&p[i]);
		add(ep, fd[i], EPOLLIN | EPOLLET);
		probe_event(&p[i], EPOLLIN);
	}
	for (int i = 0; i < 3; i++) {
		int n = poll_now(ep, 2);

		for (int k = 0; k < n; k++)
			seen |= 1 << (evs[k].data - (u64)fd[0]);
	}
	assert_int_equal(seen, 31);
	expect_none(ep);
}

static void test_eventfd_and_ET(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	/* A read makes it writable: an edge for both directions. */
	add(ep, fd, EPOLLIN | EPOLLOUT | EPOLLET);
	probe_event(&p, EPOLLIN | EPOLLOUT);
	expect_one(ep, fd, EPOLLIN | EPOLLOUT);
	p.ready = EPOLLOUT;
	probe_event(&p, EPOLLOUT);
	expect_one(ep, fd, EPOLLOUT);
	expect_none(ep);
}

static void test_CTL_ADD_reports_what_is_ready(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	p.ready = EPOLLIN | EPOLLOUT;
	add(ep, fd, EPOLLOUT | EPOLLET);
	expect_one(ep, fd, EPOLLOUT);
	expect_none(ep);
}

static void test_CTL_MOD_re_arms(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLET);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	expect_none(ep);
	mod(ep, fd, EPOLLIN | EPOLLET);
	expect_one(ep, fd, EPOLLIN);
	p.ready = 0;
	mod(ep, fd, EPOLLIN | EPOLLET);
	expect_none(ep);
	/* MOD changes the program's word, too. */
	p.ready = EPOLLOUT;
	assert_int_equal(sys_epoll_ctl(ep, EPOLL_CTL_MOD, fd,
				       &(struct epoll_event){ EPOLLOUT,
							      77 }), 0);
	assert_int_equal(poll_now(ep, 1), 1);
	assert_int_equal(evs[0].data, 77);
}

static void test_MOD_away_drops_the_event(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN);
	probe_event(&p, EPOLLIN);
	mod(ep, fd, EPOLLOUT);
	expect_none(ep);
	mod(ep, fd, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
}

static void test_EPOLLONESHOT(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLONESHOT);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	probe_event(&p, EPOLLIN);
	probe_event(&p, EPOLLHUP);
	expect_none(ep);
	/* The entry stays: ADD is refused, MOD arms it again. */
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN), -EEXIST);
	mod(ep, fd, EPOLLIN | EPOLLONESHOT);
	expect_one(ep, fd, EPOLLIN | EPOLLHUP);
	expect_none(ep);
}

static void test_ONESHOT_keeps_private_bits(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();
	struct epitem *epi;

	add(ep, fd, EPOLLIN | EPOLLONESHOT | EPOLLET);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	epi = p.file->f_ep;
	assert_int_equal(epi->events, EPOLLONESHOT | EPOLLET);
}

/* --- which events --- */

static void test_EPOLLRDHUP_only_if_asked(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new(), ep2 = ep_new();

	add(ep, fd, EPOLLIN | EPOLLRDHUP);
	add(ep2, fd, EPOLLIN);
	probe_event(&p, EPOLLIN | EPOLLRDHUP);
	expect_one(ep, fd, EPOLLIN | EPOLLRDHUP);
	expect_one(ep2, fd, EPOLLIN);
}

static void test_HUP_and_ERR_always_reported(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, 0);
	probe_event(&p, EPOLLIN);
	expect_none(ep);
	probe_event(&p, EPOLLHUP);
	expect_one(ep, fd, EPOLLHUP);
	probe_event(&p, EPOLLERR);
	expect_one(ep, fd, EPOLLHUP | EPOLLERR);
	mod(ep, fd, 0);
	expect_one(ep, fd, EPOLLHUP | EPOLLERR);
}

static void test_one_entry_per_fd(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLOUT);
	probe_event(&p, EPOLLIN);
	probe_event(&p, EPOLLOUT);
	expect_one(ep, fd, EPOLLIN | EPOLLOUT);
}

/* A wakeup for reading leaves an item that waits to write alone. */
static void test_wake_key_filters(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLOUT);
	probe_event(&p, EPOLLIN);
	assert_true(list_empty(&ep_of(ep)->rdllist));
	/* A wakeup that does not say what happened reaches everybody. */
	probe_event(&p, 0);
	assert_false(list_empty(&ep_of(ep)->rdllist));
	expect_none(ep);
	probe_event(&p, EPOLLOUT);
	expect_one(ep, fd, EPOLLOUT);
}

static void test_rdnorm_and_kin(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();
	u32 all = EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM |
		  EPOLLWRBAND | EPOLLMSG;

	add(ep, fd, all);
	probe_event(&p, all | EPOLLIN);
	expect_one(ep, fd, all);
}

static void test_EPOLLWAKEUP_is_dropped(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLWAKEUP);
	assert_int_equal(p.file->f_ep->events, EPOLLIN | EPOLLERR | EPOLLHUP);
	mod(ep, fd, EPOLLIN | EPOLLWAKEUP);
	assert_int_equal(p.file->f_ep->events, EPOLLIN | EPOLLERR | EPOLLHUP);
}

static void test_fd_0_is_valid(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	assert_int_equal(fd, 0);
	add(ep, fd, EPOLLIN);
	probe_event(&p, EPOLLIN);
	expect_one(ep, 0, EPOLLIN);
}

/* --- the key of an entry, and its end --- */

static void test_key_is_fd_and_open_file(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new(), copy = (int)sys_dup(fd);

	add(ep, fd, EPOLLIN);
	add(ep, copy, EPOLLOUT);
	probe_event(&p, EPOLLIN | EPOLLOUT);
	assert_int_equal(poll_now(ep, 64), 2);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, copy, 0), 0);
	expect_one(ep, fd, EPOLLIN);
}

/* Closing one of two descriptors keeps the entry; the last one ends it. */
static void test_removed_at_last_close(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new(), copy = (int)sys_dup(fd);

	add(ep, fd, EPOLLIN);
	sys_close(fd);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	/* The number is gone, so it cannot be named any more. */
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fd, 0), -EBADF);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, copy, 0), -ENOENT);
	sys_close(copy);
	assert_int_equal(p.released, 1);
	expect_none(ep);
	assert_int_equal(atomic_read(&ep_user_watches), 0);
}

static void test_reused_number_is_a_new_entry(void **state)
{
	static struct probe p, q;
	int fd = probe_open(&p), ep = ep_new(), copy = (int)sys_dup(fd);

	add(ep, fd, EPOLLIN);
	sys_close(fd);
	assert_int_equal(probe_open(&q), fd);
	add(ep, fd, EPOLLIN);
	p.ready = EPOLLIN;
	probe_event(&p, EPOLLIN);
	probe_event(&q, EPOLLIN);
	assert_int_equal(poll_now(ep, 64), 2);
	sys_close(copy);
	assert_int_equal(poll_now(ep, 64), 1);
}

static void test_close_of_ready_item(void **state)
{
	static struct probe p, q;
	int fd = probe_open(&p), fd2 = probe_open(&q), ep = ep_new();

	add(ep, fd, EPOLLIN);
	add(ep, fd2, EPOLLIN);
	probe_event(&p, EPOLLIN);
	probe_event(&q, EPOLLIN);
	sys_close(fd);
	expect_one(ep, fd2, EPOLLIN);
}

static void test_epoll_close_lets_files_go(void **state)
{
	static struct probe p[50];
	int ep = ep_new(), fd[50];

	for (int i = 0; i < 50; i++) {
		fd[i] = probe_open(&p[i]);
		add(ep, fd[i], EPOLLIN);
		if (i % 3 == 0)
			probe_event(&p[i], EPOLLIN);
	}
	sys_close(ep);
	for (int i = 0; i < 50; i++) {
		assert_null(p[i].file->f_ep);
		assert_true(list_empty(&p[i].wq.head));
		probe_event(&p[i], EPOLLIN);
	}
}

static void test_several_epolls_watch_one_file(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep[5];

	for (int i = 0; i < 5; i++) {
		ep[i] = ep_new();
		add(ep[i], fd, EPOLLIN | (i % 2 ? EPOLLET : 0));
	}
	probe_event(&p, EPOLLIN);
	sys_close(ep[2]);
	assert_int_equal(ctl(ep[3], EPOLL_CTL_DEL, fd, 0), 0);
	expect_one(ep[0], fd, EPOLLIN);
	expect_one(ep[1], fd, EPOLLIN);
	expect_none(ep[3]);
	expect_one(ep[4], fd, EPOLLIN);
	sys_close(fd);
	expect_none(ep[0]);
}

/* --- rotation --- */

static void test_maxevents_fairness(void **state)
{
	static struct probe p[7];
	int ep = ep_new(), fd[7], count[7] = { 0 };

	for (int i = 0; i < 7; i++) {
		fd[i] = probe_open(&p[i]);
		add(ep, fd[i], EPOLLIN);
		probe_event(&p[i], EPOLLIN);
	}
	for (int round = 0; round < 70; round++) {
		int n = poll_now(ep, 3);

		assert_int_equal(n, 3);
		for (int k = 0; k < n; k++)
			count[evs[k].data - (u64)fd[0]]++;
	}
	for (int i = 0; i < 7; i++)
		assert_int_equal(count[i], 30);
}

static void test_events_come_in_order_of_arrival(void **state)
{
	static struct probe p[6];
	static const int order[6] = { 3, 0, 5, 1, 4, 2 };
	int ep = ep_new(), fd[6];

	for (int i = 0; i < 6; i++) {
		fd[i] = probe_open(&p[i]);
		add(ep, fd[i], EPOLLIN | EPOLLET);
	}
	for (int i = 0; i < 6; i++)
		probe_event(&p[order[i]], EPOLLIN);
	assert_int_equal(poll_now(ep, 64), 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(evs[i].data, fd[order[i]]);
}

/* --- copying out --- */

static void test_EFAULT_half_way_keeps_the_rest(void **state)
{
	static struct probe p[4];
	int ep = ep_new(), fd[4];

	for (int i = 0; i < 4; i++) {
		fd[i] = probe_open(&p[i]);
		add(ep, fd[i], EPOLLIN | EPOLLET);
		probe_event(&p[i], EPOLLIN);
	}
	/* The third event straddles the bad byte: two come, none is lost. */
	host_bad_user((char *)&evs[2] + 5, 1);
	assert_int_equal(sys_epoll_wait(ep, evs, 4, 0), 2);
	host_bad_user(&evs[0], 1);
	assert_int_equal(sys_epoll_wait(ep, evs, 4, 0), -EFAULT);
	host_good_user();
	assert_int_equal(poll_now(ep, 4), 2);
	assert_int_equal(evs[0].data, fd[2]);
	assert_int_equal(evs[1].data, fd[3]);
	expect_none(ep);
}

static void test_EFAULT_leaves_oneshot_armed(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	add(ep, fd, EPOLLIN | EPOLLONESHOT);
	probe_event(&p, EPOLLIN);
	host_bad_user(&evs[0], 1);
	assert_int_equal(sys_epoll_wait(ep, evs, 4, 0), -EFAULT);
	host_good_user();
	expect_one(ep, fd, EPOLLIN);
}

/* What happens while the scan runs, at each poll of the file. */
static struct {
	struct probe *target;
	u32 bits;
	int epfd, fd;
} during;

static u32 busy_poll(struct file *file, struct poll_table *pt)
{
	u32 ready = probe_poll(file, pt);

	if (during.target)
		probe_event(during.target, during.bits);
	return ready;
}

static const struct file_operations busy_fops = {
	.poll = busy_poll,
	.release = probe_release,
};

/* Edges that come during the scan go by ovflist and are not lost. */
static void test_overflow_list_keeps_edges(void **state)
{
	static struct probe a, b;
	int fa = probe_open_as(&a, &busy_fops), fb = probe_open(&b);
	int ep = ep_new();

	during.target = NULL;
	add(ep, fa, EPOLLIN | EPOLLET);
	add(ep, fb, EPOLLIN | EPOLLET);
	probe_event(&a, EPOLLIN);
	during.target = &b;
	during.bits = EPOLLIN;
	expect_one(ep, fa, EPOLLIN);
	during.target = NULL;
	expect_one(ep, fb, EPOLLIN);
	/* The same for the item that is being scanned itself. */
	probe_event(&a, EPOLLIN);
	during.target = &a;
	expect_one(ep, fa, EPOLLIN);
	during.target = NULL;
	expect_one(ep, fa, EPOLLIN);
	expect_none(ep);
	assert_ptr_equal(ep_of(ep)->ovflist, EP_UNACTIVE_PTR);
}

/* A single item has a way of its own: the list is for more than one. */
static void test_overflow_list_of_a_scan_of_many(void **state)
{
	static struct probe p[3];
	int ep = ep_new(), fd[3];

	during.target = NULL;
	for (int i = 0; i < 3; i++) {
		fd[i] = i ? probe_open(&p[i]) :
			    probe_open_as(&p[i], &busy_fops);
		add(ep, fd[i], EPOLLIN | EPOLLET);
	}
	/* The one being asked, one that will be, one that is not ready. */
	for (int i = 0; i < 3; i++) {
		probe_event(&p[0], EPOLLIN);
		probe_event(&p[1], EPOLLIN);
		during.target = &p[i];
		during.bits = EPOLLIN;
		assert_int_equal(sys_epoll_wait(ep, evs, 4, 0), 2);
		during.target = NULL;
		expect_one(ep, fd[i], EPOLLIN);
		expect_none(ep);
	}
	assert_ptr_equal(ep_of(ep)->ovflist, EP_UNACTIVE_PTR);
}

/* --- errors --- */

static void test_errors_of_ctl(void **state)
{
	static struct probe p, dull;
	int fd = probe_open(&p), ep = ep_new();
	int nopoll = probe_open_as(&dull, &dull_fops);

	assert_int_equal(ctl(99, EPOLL_CTL_ADD, fd, EPOLLIN), -EBADF);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, 99, EPOLLIN), -EBADF);
	assert_int_equal(ctl(fd, EPOLL_CTL_ADD, ep, EPOLLIN), -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN), -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, nopoll, EPOLLIN), -EPERM);
	assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN), -ENOENT);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fd, EPOLLIN), -ENOENT);
	assert_int_equal(ctl(ep, 4, fd, EPOLLIN), -EINVAL);
	assert_int_equal(sys_epoll_ctl(ep, EPOLL_CTL_ADD, fd, NULL), -EFAULT);
	assert_int_equal(sys_epoll_ctl(99, EPOLL_CTL_ADD, 99, NULL), -EFAULT);
	add(ep, fd, EPOLLIN);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN), -EEXIST);
	/* DEL does not look at its event. */
	assert_int_equal(sys_epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), 0);
}

static void test_errors_of_wait(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();
	int too_many = INT32_MAX / (int)sizeof(struct epoll_event) + 1;

	assert_int_equal(sys_epoll_wait(ep, evs, 0, 0), -EINVAL);
	assert_int_equal(sys_epoll_wait(ep, evs, -1, 0), -EINVAL);
	assert_int_equal(sys_epoll_wait(ep, evs, too_many, 0), -EINVAL);
	assert_int_equal(sys_epoll_wait(99, evs, 1, 0), -EBADF);
	assert_int_equal(sys_epoll_wait(fd, evs, 1, -1), -EINVAL);
	assert_int_equal(sys_epoll_wait(ep, (void *)~0xfffull, 1, 0), -EFAULT);
	/* A bad pointer is noticed only when there is something to copy. */
	assert_int_equal(sys_epoll_wait(ep, NULL, 1, 0), 0);
	add(ep, fd, EPOLLIN);
	probe_event(&p, EPOLLIN);
	assert_int_equal(sys_epoll_wait(ep, NULL, 1, 0), -EFAULT);
}

static void test_create_and_bad_flags(void **state)
{
	int fd;

	assert_int_equal(sys_epoll_create(0), -EINVAL);
	assert_int_equal(sys_epoll_create(-1), -EINVAL);
	assert_int_equal(sys_epoll_create1(1), -EINVAL);
	assert_int_equal(sys_epoll_create1(~0u), -EINVAL);
	fd = (int)sys_epoll_create(1);
	assert_int_equal(get_close_on_exec(fd), 0);
	fd = (int)sys_epoll_create1(O_CLOEXEC);
	assert_int_equal(get_close_on_exec(fd), 1);
}

static void test_create_survives_no_memory_and_no_fd(void **state)
{
	unsigned long before = host_allocs_outstanding();

	for (unsigned long n = 1; n <= 2; n++) {
		host_fail_alloc(n);
		assert_int_equal(sys_epoll_create1(0), -ENOMEM);
		assert_true(host_alloc_failed());
		assert_int_equal(host_allocs_outstanding(), before);
	}
	host_nofile = 0;
	assert_int_equal(sys_epoll_create1(0), -EMFILE);
	assert_int_equal(host_allocs_outstanding(), before);
}

static void test_ENOSPC_at_max_user_watches(void **state)
{
	static struct probe p, q;
	u32 max = ep_max_user_watches;
	int fd = probe_open(&p), fd2 = probe_open(&q), ep = ep_new();

	ep_max_user_watches = 1;
	add(ep, fd, EPOLLIN);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd2, EPOLLIN), -ENOSPC);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fd, 0), 0);
	add(ep, fd2, EPOLLIN);
	ep_max_user_watches = max;
}

static void test_ADD_survives_no_memory(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new();

	host_fail_alloc(1);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN), -ENOMEM);
	assert_null(p.file->f_ep);
	assert_true(rb_empty(&ep_of(ep)->rbr));
	add(ep, fd, EPOLLIN);
}

/* --- EPOLLEXCLUSIVE's rules --- */

static void test_EPOLLEXCLUSIVE_rules(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), ep = ep_new(), inner = ep_new();
	u32 ok = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP |
		 EPOLLET | EPOLLEXCLUSIVE;

	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd, ok | EPOLLONESHOT),
			 -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd, ok | EPOLLRDHUP), -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_ADD, inner,
			     EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE),
			 -EINVAL);
	add(ep, fd, ok);
	assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN), -EINVAL);
	assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE),
			 -EINVAL);
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fd, 0), 0);
}

/* --- files with several wait queues --- */

static struct wait_queue_head more_queues[3];

static u32 many_poll(struct file *file, struct poll_table *pt)
{
	for (int i = 0; i < 3; i++)
		poll_wait(file, &more_queues[i], pt);
	return probe_poll(file, pt);
}

static const struct file_operations many_fops = {
	.poll = many_poll,
	.release = probe_release,
};

static void test_file_with_several_queues(void **state)
{
	static struct probe p;
	int fd, ep = ep_new();

	for (int i = 0; i < 3; i++)
		init_waitqueue_head(&more_queues[i]);
	fd = probe_open_as(&p, &many_fops);
	for (unsigned long n = 2; n <= 4; n++) {
		host_fail_alloc(n);
		assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN), -ENOMEM);
		assert_true(list_empty(&p.wq.head));
		assert_true(list_empty(&more_queues[0].head));
	}
	host_fail_alloc(0);
	add(ep, fd, EPOLLIN | EPOLLET);
	for (int i = 0; i < 3; i++) {
		p.ready = EPOLLIN;
		wake_up_poll(&more_queues[i], EPOLLIN);
		expect_one(ep, fd, EPOLLIN);
	}
	probe_event(&p, EPOLLIN);
	expect_one(ep, fd, EPOLLIN);
	assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fd, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_true(list_empty(&more_queues[i].head));
}

/* --- busy-poll parameters --- */

long sys_ioctl(int fd, unsigned int cmd, unsigned long arg);

static void test_busy_poll_parameters(void **state)
{
	struct {
		u32 usecs;
		u16 budget;
		u8 prefer, pad;
	} set = { 50, 64, 1, 0 }, get = { 9, 9, 9, 9 };
	int ep = ep_new();

	assert_int_equal(sys_ioctl(ep, 0x40088a01, (u64)&set), 0);
	assert_int_equal(sys_ioctl(ep, 0x80088a02, (u64)&get), 0);
	assert_memory_equal(&get, &set, sizeof(set));
	set.pad = 1;
	assert_int_equal(sys_ioctl(ep, 0x40088a01, (u64)&set), -EINVAL);
	set.pad = 0;
	set.prefer = 2;
	assert_int_equal(sys_ioctl(ep, 0x40088a01, (u64)&set), -EINVAL);
	set.prefer = 0;
	set.budget = 65;
	assert_int_equal(sys_ioctl(ep, 0x40088a01, (u64)&set), -EINVAL);
	assert_int_equal(sys_ioctl(ep, 0x40088a01, 0), -EFAULT);
	assert_int_equal(sys_ioctl(ep, 0x80088a02, 0), -EFAULT);
	assert_int_equal(sys_ioctl(ep, 0x1234, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_level_repeats_until_drained),
		T(test_wait_costs_only_the_ready),
		T(test_EPOLLET_no_loss),
		T(test_EPOLLET_past_maxevents),
		T(test_eventfd_and_ET),
		T(test_CTL_ADD_reports_what_is_ready),
		T(test_CTL_MOD_re_arms),
		T(test_MOD_away_drops_the_event),
		T(test_EPOLLONESHOT),
		T(test_ONESHOT_keeps_private_bits),
		T(test_EPOLLRDHUP_only_if_asked),
		T(test_HUP_and_ERR_always_reported),
		T(test_one_entry_per_fd),
		T(test_wake_key_filters),
		T(test_rdnorm_and_kin),
		T(test_EPOLLWAKEUP_is_dropped),
		T(test_fd_0_is_valid),
		T(test_key_is_fd_and_open_file),
		T(test_removed_at_last_close),
		T(test_reused_number_is_a_new_entry),
		T(test_close_of_ready_item),
		T(test_epoll_close_lets_files_go),
		T(test_several_epolls_watch_one_file),
		T(test_maxevents_fairness),
		T(test_events_come_in_order_of_arrival),
		T(test_EFAULT_half_way_keeps_the_rest),
		T(test_EFAULT_leaves_oneshot_armed),
		T(test_overflow_list_keeps_edges),
		T(test_overflow_list_of_a_scan_of_many),
		T(test_errors_of_ctl),
		T(test_errors_of_wait),
		T(test_create_and_bad_flags),
		T(test_create_survives_no_memory_and_no_fd),
		T(test_ENOSPC_at_max_user_watches),
		T(test_ADD_survives_no_memory),
		T(test_EPOLLEXCLUSIVE_rules),
		T(test_file_with_several_queues),
		T(test_busy_poll_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
