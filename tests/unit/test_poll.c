/*
 * poll, ppoll, select and pselect6.
 * sources: fs/file.c fs/fdtable.c fs/fcntl.c fs/poll.c fs/poll_wait.c
 * fs/select.c fs/eventpoll.c fs/epoll_ctl.c fs/epoll_nest.c
 * fs/epoll_syscall.c kernel/wait.c kernel/rbtree.c
 */
#include "tests/unit/epoll_fixture.h"

struct pollfd {
	s32 fd;
	u16 events;
	u16 revents;
};

long sys_poll(struct pollfd *fds, u32 nfds, int timeout);
long sys_ppoll(struct pollfd *fds, u32 nfds, struct timespec *ts,
	       const u64 *mask, size_t size);
long sys_select(int n, u64 *in, u64 *out, u64 *ex, struct timeval *tv);
long sys_pselect6(int n, u64 *in, u64 *out, u64 *ex, struct timespec *ts,
		  const void *sig);

static struct probe p, q;

static void test_poll_answers(void **state)
{
	struct pollfd fds[4];
	int a = probe_open(&p), b = probe_open(&q);

	p.ready = EPOLLIN | EPOLLRDNORM;
	q.ready = EPOLLHUP;
	fds[0] = (struct pollfd){ a, EPOLLIN | EPOLLOUT, 99 };
	fds[1] = (struct pollfd){ b, 0, 99 };
	fds[2] = (struct pollfd){ -1, EPOLLIN, 99 };
	fds[3] = (struct pollfd){ 77, EPOLLIN, 99 };
	assert_int_equal(sys_poll(fds, 4, -1), 3);
	assert_int_equal(fds[0].revents, EPOLLIN);
	assert_int_equal(fds[1].revents, EPOLLHUP);
	assert_int_equal(fds[2].revents, 0);
	assert_int_equal(fds[3].revents, EPOLLNVAL);
	assert_true(list_empty(&p.wq.head));
}

static void test_poll_times_out(void **state)
{
	struct pollfd fd = { probe_open(&p), EPOLLIN, 0 };
	u64 start = host_now;

	assert_int_equal(sys_poll(&fd, 1, 0), 0);
	assert_int_equal(host_sleeps(), 0);
	assert_int_equal(sys_poll(&fd, 1, 30), 0);
	assert_int_equal(host_now - start, 30 * NSEC_PER_MSEC);
	/* No descriptor at all: a sleep. */
	assert_int_equal(sys_poll(NULL, 0, 5), 0);
	assert_int_equal(host_now - start, 35 * NSEC_PER_MSEC);
	assert_true(list_empty(&p.wq.head));
}

static bool first_noise_then_data(void *arg)
{
	static int n;

	if (++n % 2)
		probe_event(&p, EPOLLOUT);	/* nobody asked for that */
	else
		probe_event(&p, EPOLLIN);
	return true;
}

static void test_poll_wakes_for_what_it_asked(void **state)
{
	struct pollfd fd = { probe_open(&p), EPOLLIN, 0 };

	host_on_idle = first_noise_then_data;
	assert_int_equal(sys_poll(&fd, 1, -1), 1);
	assert_int_equal(fd.revents, EPOLLIN);
	assert_int_equal(host_sleeps(), 1);
	/* Asked once before the sleep and once after. */
	assert_int_equal(p.polls, 2);
}

static struct probe many[200];

static bool last_one(void *arg)
{
	probe_event(&many[199], EPOLLIN);
	return true;
}

static void test_poll_on_many(void **state)
{
	static struct pollfd fds[200];

	for (int i = 0; i < 200; i++)
		fds[i] = (struct pollfd){ probe_open(&many[i]), EPOLLIN, 0 };
	host_on_idle = last_one;
	assert_int_equal(sys_poll(fds, 200, -1), 1);
	assert_int_equal(fds[199].revents, EPOLLIN);
	for (int i = 0; i < 200; i++) {
		assert_true(list_empty(&many[i].wq.head));
		assert_int_equal(atomic_read(&many[i].file->f_count), 1);
	}
}

static void test_poll_survives_no_memory(void **state)
{
	static struct pollfd fds[200];
	unsigned long before;

	for (int i = 0; i < 200; i++)
		fds[i] = (struct pollfd){ probe_open(&many[i]), EPOLLIN, 0 };
	before = host_allocs_outstanding();
	for (unsigned long n = 1; n <= 5; n++) {
		host_fail_alloc(n);
		assert_int_equal(sys_poll(fds, 200, -1), -ENOMEM);
		assert_true(host_alloc_failed());
		assert_int_equal(host_allocs_outstanding(), before);
		assert_true(list_empty(&many[0].wq.head));
	}
}

static void test_poll_errors(void **state)
{
	struct pollfd fd = { probe_open(&p), EPOLLIN, 0 };
	struct timespec bad = { -1, 0 };
	u64 mask = 0;

	assert_int_equal(sys_poll(NULL, 1, 0), -EFAULT);
	host_nofile = 10;
	assert_int_equal(sys_poll(&fd, 11, 0), -EINVAL);
	assert_int_equal(sys_ppoll(&fd, 1, &bad, NULL, 0), -EINVAL);
	assert_int_equal(sys_ppoll(&fd, 1, (void *)8, NULL, 0), -EFAULT);
	assert_int_equal(sys_ppoll(&fd, 1, NULL, &mask, 4), -EINVAL);
	assert_int_equal(sys_ppoll(&fd, 1, NULL, (void *)8, 8), -EFAULT);
	p.ready = EPOLLIN;
	host_bad_user(&fd.revents, 2);
	assert_int_equal(sys_poll(&fd, 1, 0), -EFAULT);
}

static bool signal_comes(void *arg)
{
	host_signal(&host_main_task);
	return true;
}

static void test_ppoll_signal_and_time_left(void **state)
{
	struct pollfd fd = { probe_open(&p), EPOLLIN, 0 };
	struct timespec ts = { 2, 500 };
	u64 mask = ~0ull;

	host_on_idle = signal_comes;
	assert_int_equal(sys_ppoll(&fd, 1, &ts, &mask, 8), -EINTR);
	assert_int_equal(ts.tv_sec, 2);
	host_main_task.work = 0;
	host_main_task.sig_restore = false;
	host_on_idle = NULL;
	assert_int_equal(sys_ppoll(&fd, 1, &ts, NULL, 0), 0);
	assert_int_equal(ts.tv_sec, 0);
	assert_int_equal(ts.tv_nsec, 0);
}

static struct task *poller;
static long poll_ret;

static void poll_the_first(void *arg)
{
	struct pollfd fd = { *(int *)arg, EPOLLIN, 0 };

	poll_ret = sys_poll(&fd, 1, -1);
}

/* A file closed while it is polled lives until the poll has left it. */
static void test_close_during_poll(void **state)
{
	int fd = probe_open(&p);

	atomic_inc(&current->files->users);
	poller = host_task_start("poller", poll_the_first, &fd);
	host_run_others();
	sys_close(fd);
	assert_int_equal(p.released, 0);
	probe_event(&p, EPOLLIN);
	host_run_others();
	assert_true(host_task_done(poller));
	/* The second look found no such descriptor any more. */
	assert_int_equal(poll_ret, 1);
	assert_int_equal(p.released, 1);
	atomic_dec(&current->files->users);
}

static void test_poll_and_epoll_as_files(void **state)
{
	int fd = probe_open(&p), ep = ep_new();
	struct pollfd pfd = { ep, EPOLLIN, 0 };

	add(ep, fd, EPOLLIN);
	assert_int_equal(sys_poll(&pfd, 1, 0), 0);
	probe_event(&p, EPOLLIN);
	assert_int_equal(sys_poll(&pfd, 1, 0), 1);
	assert_int_equal(pfd.revents, EPOLLIN);
}

/* --- select --- */

static void test_select_sets(void **state)
{
	int a = probe_open(&p), b = probe_open(&q);
	u64 in = 1ull << a | 1ull << b, out = in, ex = in;
	struct timeval tv = { 1, 0 };

	p.ready = EPOLLIN | EPOLLPRI;
	q.ready = EPOLLOUT | EPOLLERR;
	assert_int_equal(sys_select(b + 1, &in, &out, &ex, &tv), 4);
	assert_int_equal(in, 1ull << a | 1ull << b);
	assert_int_equal(out, 1ull << b);
	assert_int_equal(ex, 1ull << a);
	assert_int_equal(tv.tv_sec, 1);
	/* Bits at n and above do not count. */
	in = ~0ull;
	assert_int_equal(sys_select(1, &in, NULL, NULL, NULL), 1);
	assert_int_equal(in, 1);
}

static void test_select_times_out(void **state)
{
	int a = probe_open(&p);
	u64 in = 1ull << a, start = host_now;
	struct timeval tv = { 0, 1500000 };

	assert_int_equal(sys_select(a + 1, &in, NULL, NULL, &tv), 0);
	assert_int_equal(in, 0);
	assert_int_equal(host_now - start, 1500 * NSEC_PER_MSEC);
	assert_int_equal(tv.tv_sec, 0);
	assert_int_equal(tv.tv_usec, 0);
	tv = (struct timeval){ 0, 1000 };
	assert_int_equal(sys_select(0, NULL, NULL, NULL, &tv), 0);
}

static void test_select_errors(void **state)
{
	u64 in[4] = { 1ull << 40 };
	struct timeval tv = { -1, 0 };
	struct timespec ts = { 0, -1 };

	assert_int_equal(sys_select(41, in, NULL, NULL, NULL), -EBADF);
	assert_int_equal(sys_select(-1, in, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(sys_select(41, (void *)8, NULL, NULL, NULL), -EFAULT);
	assert_int_equal(sys_select(41, in, NULL, NULL, &tv), -EINVAL);
	assert_int_equal(sys_select(41, in, NULL, NULL, (void *)8), -EFAULT);
	assert_int_equal(sys_pselect6(1, in, NULL, NULL, &ts, NULL), -EINVAL);
	assert_int_equal(sys_pselect6(1, in, NULL, NULL, NULL, (void *)8),
			 -EFAULT);
}

static bool p_gets_data(void *arg)
{
	probe_event(&p, EPOLLIN);
	return true;
}

static void test_pselect_waits(void **state)
{
	static u64 in[8];
	int a = 0;

	memset(in, 0, sizeof(in));
	for (int i = 0; i < 300; i++) {
		static struct probe filler[300];

		a = probe_open(i == 299 ? &p : &filler[i]);
	}
	in[a / 64] |= 1ull << a % 64;
	host_on_idle = p_gets_data;
	assert_int_equal(sys_pselect6(a + 1, in, NULL, NULL, NULL, NULL), 1);
	assert_int_equal(in[a / 64], 1ull << a % 64);
	in[0] = 1;
	host_fail_alloc(1);
	assert_int_equal(sys_select(a + 1, in, NULL, NULL, NULL), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_poll_answers),
		T(test_poll_times_out),
		T(test_poll_wakes_for_what_it_asked),
		T(test_poll_on_many),
		T(test_poll_survives_no_memory),
		T(test_poll_errors),
		T(test_ppoll_signal_and_time_left),
		T(test_close_during_poll),
		T(test_poll_and_epoll_as_files),
		T(test_select_sets),
		T(test_select_times_out),
		T(test_select_errors),
		T(test_pselect_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
