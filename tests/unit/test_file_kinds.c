/*
 * eventfd, timerfd and pipes: by themselves, and as epoll sees them.
 * sources: vfs fs/fcntl.c fs/read_write.c fs/eventfd.c fs/timerfd.c
 * fs/pipe.c fs/eventpoll.c fs/epoll_ctl.c fs/epoll_nest.c
 * fs/epoll_syscall.c
 */
#include "tests/unit/epoll_fixture.h"

#include "fs/exec.h"
#include "kernel/random.h"
#include "kernel/signal.h"
#include "kernel/uio.h"

long sys_eventfd2(u32 count, u32 flags);
long sys_timerfd_create(int clockid, u32 flags);
long sys_timerfd_settime(int fd, u32 flags, const void *new, void *old);
long sys_timerfd_gettime(int fd, void *cur);
long sys_pipe2(int *fd, u32 flags);
long sys_read(int fd, void *buf, size_t n);
long sys_write(int fd, const void *buf, size_t n);
long sys_readv(int fd, const struct iovec *vec, size_t nr);
long sys_writev(int fd, const struct iovec *vec, size_t nr);
long sys_pread64(int fd, void *buf, size_t n, loff_t pos);
long sys_lseek(int fd, loff_t off, int whence);
long sys_ioctl(int fd, unsigned int cmd, unsigned long arg);

#define EFD_SEMAPHORE 1u

static int signals_sent;

int send_sig(int sig, struct task *task)
{
	signals_sent += sig == SIGPIPE;
	return 0;
}

ssize_t (*mmap_read_file)(int fd, u64 pos, void *buf, size_t n);

const char *exec_path(void)
{
	return "/test";
}

static long read_u64(int fd, u64 *value)
{
	return sys_read(fd, value, sizeof(*value));
}

static long write_u64(int fd, u64 value)
{
	return sys_write(fd, &value, sizeof(value));
}

/* --- eventfd --- */

static void test_eventfd_counts(void **state)
{
	int fd = (int)sys_eventfd2(3, O_NONBLOCK);
	u64 v = 0;

	assert_int_equal(write_u64(fd, 4), 8);
	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(v, 7);
	assert_int_equal(read_u64(fd, &v), -EAGAIN);
	assert_int_equal(sys_read(fd, &v, 7), -EINVAL);
	assert_int_equal(sys_write(fd, &v, 7), -EINVAL);
	assert_int_equal(write_u64(fd, UINT64_MAX), -EINVAL);
	assert_int_equal(write_u64(fd, UINT64_MAX - 1), 8);
	assert_int_equal(write_u64(fd, 1), -EAGAIN);
	assert_int_equal(sys_read(fd, NULL, 8), -EFAULT);
	assert_int_equal(sys_eventfd2(0, 2), -EINVAL);
}

static void test_eventfd_semaphore(void **state)
{
	int fd = (int)sys_eventfd2(2, O_NONBLOCK | EFD_SEMAPHORE);
	u64 v = 0;

	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(v, 1);
	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(read_u64(fd, &v), -EAGAIN);
}

/* The row of the table: a read or a write is an edge for both directions. */
static void test_eventfd_edges(void **state)
{
	int fd = (int)sys_eventfd2(0, O_NONBLOCK), ep = ep_new();
	u64 v;

	add(ep, fd, EPOLLIN | EPOLLOUT | EPOLLET);
	expect_one(ep, fd, EPOLLOUT);
	expect_none(ep);
	write_u64(fd, 1);
	expect_one(ep, fd, EPOLLIN | EPOLLOUT);
	expect_none(ep);
	write_u64(fd, 1);
	expect_one(ep, fd, EPOLLIN | EPOLLOUT);
	read_u64(fd, &v);
	expect_one(ep, fd, EPOLLOUT);
	expect_none(ep);
}

static u64 got;
static int the_fd;

static void blocking_reader(void *arg)
{
	assert_int_equal(read_u64(the_fd, &got), 8);
}

static void test_eventfd_blocks_and_wakes(void **state)
{
	struct task *task;

	the_fd = (int)sys_eventfd2(0, 0);
	task = host_task_start("reader", blocking_reader, NULL);
	host_run_others();
	assert_false(host_task_done(task));
	write_u64(the_fd, 9);
	host_run_others();
	assert_true(host_task_done(task));
	assert_int_equal(got, 9);
}

static void blocking_writer(void *arg)
{
	assert_int_equal(write_u64(the_fd, 5), 8);
}

static void test_eventfd_writer_waits_for_room(void **state)
{
	struct task *task;
	u64 v;

	the_fd = (int)sys_eventfd2(0, 0);
	write_u64(the_fd, UINT64_MAX - 3);
	task = host_task_start("writer", blocking_writer, NULL);
	host_run_others();
	assert_false(host_task_done(task));
	assert_int_equal(read_u64(the_fd, &v), 8);
	host_run_others();
	assert_true(host_task_done(task));
	assert_int_equal(read_u64(the_fd, &v), 8);
	assert_int_equal(v, 5);
}

static void interrupted_reader(void *arg)
{
	u64 v;

	got = (u64)read_u64(the_fd, &v);
}

static void test_a_signal_ends_a_blocking_read(void **state)
{
	struct task *task;

	the_fd = (int)sys_eventfd2(0, 0);
	task = host_task_start("reader", interrupted_reader, NULL);
	host_run_others();
	host_signal(task);
	host_run_others();
	assert_int_equal((long)got, -ERESTARTSYS);
}

static void test_new_files_survive_no_memory(void **state)
{
	unsigned long before = host_allocs_outstanding();
	int fd[2];

	for (unsigned long n = 1; n <= 2; n++) {
		host_fail_alloc(n);
		assert_int_equal(sys_eventfd2(0, 0), -ENOMEM);
		host_fail_alloc(n);
		assert_int_equal(sys_timerfd_create(1, 0), -ENOMEM);
	}
	for (unsigned long n = 1; n <= 3; n++) {
		host_fail_alloc(n);
		assert_int_equal(sys_pipe2(fd, 0), -ENOMEM);
	}
	host_nofile = 1;
	assert_int_equal(sys_pipe2(fd, 0), -EMFILE);
	host_nofile = 0;
	assert_int_equal(sys_eventfd2(0, 0), -EMFILE);
	assert_int_equal(host_allocs_outstanding(), before);
}

/* --- timerfd --- */

struct spec {
	s64 interval_s, interval_ns, value_s, value_ns;
};

static void arm(int fd, u32 flags, u64 value, u64 interval)
{
	struct spec s = { (s64)(interval / NSEC_PER_SEC),
			  (s64)(interval % NSEC_PER_SEC),
			  (s64)(value / NSEC_PER_SEC),
			  (s64)(value % NSEC_PER_SEC) };

	assert_int_equal(sys_timerfd_settime(fd, flags, &s, NULL), 0);
}

static void test_timerfd_once(void **state)
{
	int fd = (int)sys_timerfd_create(1, O_NONBLOCK), ep = ep_new();
	u64 v;

	add(ep, fd, EPOLLIN);
	arm(fd, 0, 5 * NSEC_PER_MSEC, 0);
	expect_none(ep);
	assert_int_equal(read_u64(fd, &v), -EAGAIN);
	host_advance(4 * NSEC_PER_MSEC);
	expect_none(ep);
	host_advance(NSEC_PER_MSEC);
	expect_one(ep, fd, EPOLLIN);
	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(v, 1);
	expect_none(ep);
	host_advance(NSEC_PER_SEC);
	expect_none(ep);
}

static void test_timerfd_interval_counts(void **state)
{
	int fd = (int)sys_timerfd_create(1, O_NONBLOCK);
	struct spec cur;
	u64 v;

	arm(fd, 0, 10, 100);
	host_advance(10 + 3 * 100 + 40);
	assert_int_equal(sys_timerfd_gettime(fd, &cur), 0);
	assert_int_equal(cur.value_ns, 60);
	assert_int_equal(cur.interval_ns, 100);
	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(v, 4);
	host_advance(60);
	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(v, 1);
	arm(fd, 0, 0, 0);
	host_advance(1000);
	assert_int_equal(read_u64(fd, &v), -EAGAIN);
}

static void test_timerfd_absolute(void **state)
{
	int mono = (int)sys_timerfd_create(1, O_NONBLOCK);
	int real = (int)sys_timerfd_create(0, O_NONBLOCK);
	u64 v;

	arm(mono, 1, host_now + 50, 0);
	arm(real, 1, ktime_get_real_ns() + 70, 0);
	host_advance(50);
	assert_int_equal(read_u64(mono, &v), 8);
	assert_int_equal(read_u64(real, &v), -EAGAIN);
	host_advance(20);
	assert_int_equal(read_u64(real, &v), 8);
	/* What has passed expires at once. */
	arm(mono, 1, 1, 0);
	host_advance(0);
	assert_int_equal(read_u64(mono, &v), 8);
}

static void test_timerfd_blocking_read(void **state)
{
	int fd = (int)sys_timerfd_create(1, 0);
	u64 v, start = host_now;

	arm(fd, 0, 3 * NSEC_PER_SEC, 0);
	assert_int_equal(read_u64(fd, &v), 8);
	assert_int_equal(host_now - start, 3 * NSEC_PER_SEC);
}

static void test_timerfd_errors(void **state)
{
	int fd = (int)sys_timerfd_create(1, 0), ep = ep_new();
	struct spec bad = { .value_ns = (s64)NSEC_PER_SEC }, old;

	assert_int_equal(sys_timerfd_create(2, 0), -EINVAL);
	assert_int_equal(sys_timerfd_create(1, 1), -EINVAL);
	assert_int_equal(sys_timerfd_settime(fd, 0, &bad, NULL), -EINVAL);
	bad.value_ns = 1;
	assert_int_equal(sys_timerfd_settime(fd, 8, &bad, NULL), -EINVAL);
	assert_int_equal(sys_timerfd_settime(fd, 0, NULL, NULL), -EFAULT);
	assert_int_equal(sys_timerfd_settime(ep, 0, &bad, NULL), -EINVAL);
	assert_int_equal(sys_timerfd_settime(99, 0, &bad, NULL), -EBADF);
	assert_int_equal(sys_timerfd_gettime(99, &old), -EBADF);
	assert_int_equal(sys_timerfd_gettime(fd, NULL), -EFAULT);
	bad.value_s = 7;
	assert_int_equal(sys_timerfd_settime(fd, 0, &bad, &old), 0);
	assert_int_equal(sys_timerfd_settime(fd, 0, &bad, &old), 0);
	assert_int_equal(old.value_s, 7);
}

/* --- pipes --- */

static void test_pipe_carries_bytes(void **state)
{
	char buf[16] = "";
	int fd[2];

	assert_int_equal(sys_pipe2(fd, O_NONBLOCK), 0);
	assert_int_equal(sys_write(fd[1], "hello", 5), 5);
	assert_int_equal(sys_write(fd[1], " world", 6), 6);
	assert_int_equal(sys_read(fd[0], buf, 7), 7);
	assert_int_equal(sys_read(fd[0], buf + 7, 9), 4);
	assert_string_equal(buf, "hello world");
	assert_int_equal(sys_read(fd[0], buf, 1), -EAGAIN);
	assert_int_equal(sys_write(fd[0], buf, 1), -EBADF);
	assert_int_equal(sys_read(fd[1], buf, 1), -EBADF);
	assert_int_equal(sys_lseek(fd[0], 0, 0), -ESPIPE);
	assert_int_equal(sys_pipe2(fd, 1), -EINVAL);
	assert_int_equal(sys_pipe2(NULL, 0), -EFAULT);
}

static void test_pipe_ends(void **state)
{
	char c;
	int fd[2], ep = ep_new(), ep2 = ep_new();

	signals_sent = 0;
	assert_int_equal(sys_pipe2(fd, 0), 0);
	add(ep, fd[0], EPOLLIN);
	sys_write(fd[1], "x", 1);
	sys_close(fd[1]);
	expect_one(ep, fd[0], EPOLLIN | EPOLLHUP);
	assert_int_equal(sys_read(fd[0], &c, 1), 1);
	assert_int_equal(sys_read(fd[0], &c, 1), 0);
	expect_one(ep, fd[0], EPOLLHUP);

	assert_int_equal(sys_pipe2(fd, 0), 0);
	add(ep2, fd[1], 0);
	sys_close(fd[0]);
	expect_one(ep2, fd[1], EPOLLERR);
	assert_int_equal(sys_write(fd[1], "x", 1), -EPIPE);
	assert_int_equal(signals_sent, 1);
}

/* "pipe + ET compat": each write is an edge, read or not. */
static void test_pipe_ET_every_write_is_an_edge(void **state)
{
	int fd[2], ep = ep_new();

	assert_int_equal(sys_pipe2(fd, 0), 0);
	add(ep, fd[0], EPOLLIN | EPOLLET);
	for (int i = 0; i < 3; i++) {
		sys_write(fd[1], "x", 1);
		expect_one(ep, fd[0], EPOLLIN);
		expect_none(ep);
	}
}

static void test_pipe_fills_up(void **state)
{
	static char big[70000];
	int fd[2], ep = ep_new(), n;

	assert_int_equal(sys_pipe2(fd, O_NONBLOCK), 0);
	add(ep, fd[1], EPOLLOUT | EPOLLET);
	expect_one(ep, fd[1], EPOLLOUT);
	assert_int_equal(sys_write(fd[1], big, 70000), 65536);
	assert_int_equal(sys_write(fd[1], big, 1), -EAGAIN);
	assert_int_equal(sys_ioctl(fd[0], 0x541b, (u64)&n), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(sys_read(fd[0], big, 4096), 4096);
	expect_one(ep, fd[1], EPOLLOUT);
	/* A small write goes whole or not at all. */
	assert_int_equal(sys_write(fd[1], big, 10), 10);
	assert_int_equal(sys_write(fd[1], big, 4096), -EAGAIN);
	assert_int_equal(sys_write(fd[1], big, 5000), 4086);
}

/* Random sizes against a plain array; memory goes as data goes. */
static void test_pipe_random_traffic(void **state)
{
	static u8 out[9000], in[9000];
	u64 written = 0, seen = 0;
	unsigned long before;
	int fd[2];

	assert_int_equal(sys_pipe2(fd, O_NONBLOCK), 0);
	before = host_allocs_outstanding();
	for (int i = 0; i < 4000; i++) {
		size_t size = 1 + get_random_below(9000);
		long n;

		if (get_random_below(2)) {
			for (size_t k = 0; k < size; k++)
				out[k] = (u8)((written + k) * 7);
			n = sys_write(fd[1], out, size);
			written += n > 0 ? (u64)n : 0;
		} else {
			n = sys_read(fd[0], in, size);
			for (long k = 0; k < n; k++, seen++)
				assert_int_equal(in[k], (u8)(seen * 7));
		}
	}
	while (sys_read(fd[0], in, sizeof(in)) > 0)
		;
	assert_int_equal(host_allocs_outstanding(), before);
}

static void pipe_writer(void *arg)
{
	static u8 data[200000];

	for (size_t k = 0; k < sizeof(data); k++)
		data[k] = (u8)(k * 13);
	assert_int_equal(sys_write(*(int *)arg, data, sizeof(data)), 200000);
	sys_close(*(int *)arg);
}

static void test_pipe_blocks_both_ways(void **state)
{
	static u8 buf[3000];
	int fd[2];
	size_t all = 0;
	long n;

	assert_int_equal(sys_pipe2(fd, 0), 0);
	atomic_inc(&current->files->users);
	host_task_start("writer", pipe_writer, &fd[1]);
	while ((n = sys_read(fd[0], buf, sizeof(buf))) > 0) {
		for (long k = 0; k < n; k++, all++)
			assert_int_equal(buf[k], (u8)(all * 13));
	}
	assert_int_equal(n, 0);
	assert_int_equal(all, 200000);
	atomic_dec(&current->files->users);
}

static void test_pipe_faults_half_way(void **state)
{
	static char buf[6000];
	int fd[2];

	assert_int_equal(sys_pipe2(fd, O_NONBLOCK), 0);
	host_bad_user(buf + 5000, 1000);
	/* A page that cannot be filled as far as it should be counts not. */
	assert_int_equal(sys_write(fd[1], buf, 6000), 4096);
	assert_int_equal(sys_write(fd[1], buf + 4990, 20), -EFAULT);
	host_bad_user(buf, 6000);
	assert_int_equal(sys_read(fd[0], buf, 10), -EFAULT);
	host_bad_user(buf + 10, 10);
	assert_int_equal(sys_read(fd[0], buf, 20), -EFAULT);
	host_good_user();
	assert_int_equal(sys_read(fd[0], buf, 6000), 4096);
	assert_int_equal(sys_write(fd[1], buf, 10), 10);
	assert_int_equal(sys_read(fd[0], buf, 10), 10);
	host_fail_alloc(1);
	assert_int_equal(sys_write(fd[1], buf, 10), -ENOMEM);
}

static void test_vectors(void **state)
{
	char a[3], b[8];
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdefg", 5 } };
	struct iovec in[2] = { { a, 3 }, { b, 8 } };
	int fd[2];

	assert_int_equal(sys_pipe2(fd, O_NONBLOCK), 0);
	assert_int_equal(sys_writev(fd[1], out, 3), 7);
	assert_int_equal(sys_readv(fd[0], in, 2), 7);
	assert_memory_equal(a, "abc", 3);
	assert_memory_equal(b, "defg", 4);
	assert_int_equal(sys_writev(fd[1], out, 1025), -EINVAL);
	assert_int_equal(sys_writev(fd[1], NULL, 1), -EFAULT);
	assert_int_equal(sys_writev(99, out, 1), -EBADF);
	assert_int_equal(sys_pread64(fd[0], a, 1, 0), -ESPIPE);
	assert_int_equal(sys_pread64(fd[0], a, 1, -1), -EINVAL);
}

static void test_read_write_errors(void **state)
{
	static struct probe p;
	int fd = probe_open(&p);
	char c = 0;

	assert_int_equal(sys_read(99, &c, 1), -EBADF);
	assert_int_equal(sys_write(-1, &c, 1), -EBADF);
	assert_int_equal(sys_read(fd, &c, 1), -EINVAL);
	assert_int_equal(sys_write(fd, &c, 1), -EINVAL);
	assert_int_equal(sys_read(fd, (void *)~0ul, 1), -EINVAL);
	assert_int_equal(sys_lseek(fd, 0, 0), -ESPIPE);
	assert_int_equal(sys_lseek(99, 0, 0), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_eventfd_counts),
		T(test_eventfd_semaphore),
		T(test_eventfd_edges),
		T(test_eventfd_blocks_and_wakes),
		T(test_eventfd_writer_waits_for_room),
		T(test_a_signal_ends_a_blocking_read),
		T(test_new_files_survive_no_memory),
		T(test_timerfd_once),
		T(test_timerfd_interval_counts),
		T(test_timerfd_absolute),
		T(test_timerfd_blocking_read),
		T(test_timerfd_errors),
		T(test_pipe_carries_bytes),
		T(test_pipe_ends),
		T(test_pipe_ET_every_write_is_an_edge),
		T(test_pipe_fills_up),
		T(test_pipe_random_traffic),
		T(test_pipe_blocks_both_ways),
		T(test_pipe_faults_half_way),
		T(test_vectors),
		T(test_read_write_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
