/*
 * The open-file table and the calls on descriptors.
 * sources: fs/file.c fs/fdtable.c fs/fcntl.c
 */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/random.h"
#include "tests/unit/fs_fixture.h"

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 1030
#define FIONBIO 0x5421
#define FIONCLEX 0x5450
#define FIOCLEX 0x5451

long sys_close(int fd);
long sys_close_range(u32 first, u32 last, u32 flags);
long sys_dup(int fd);
long sys_dup2(int oldfd, int newfd);
long sys_dup3(int oldfd, int newfd, u32 flags);
long sys_fcntl(int fd, unsigned int cmd, unsigned long arg);
long sys_ioctl(int fd, unsigned int cmd, unsigned long arg);

static int setup(void **state)
{
	fs_setup();
	return 0;
}

static int teardown(void **state)
{
	fs_teardown();
	return 0;
}

static void test_lowest_free_number_wins(void **state)
{
	static struct probe p;
	int fd = probe_open(&p);

	assert_int_equal(fd, 0);
	for (int i = 1; i < 300; i++)
		assert_int_equal(sys_dup(fd), i);
	assert_int_equal(sys_close(130), 0);
	assert_int_equal(sys_close(7), 0);
	assert_int_equal(sys_close(200), 0);
	assert_int_equal(sys_dup(fd), 7);
	assert_int_equal(sys_dup(fd), 130);
	assert_int_equal(sys_dup(fd), 200);
	assert_int_equal(sys_dup(fd), 300);
	assert_int_equal(p.released, 0);
	assert_int_equal(sys_close_range(0, ~0u, 0), 0);
	assert_int_equal(p.released, 1);
}

/* Against the simplest possible model: an array of bools. */
static void test_random_open_close_matches_model(void **state)
{
	static bool used[2048];
	static struct probe p;
	int n = 1, src = probe_open(&p);

	memset(used, 0, sizeof(used));
	used[src] = true;
	for (int step = 0; step < 20000; step++) {
		bool grow = get_random_below(1000) < (n < 1500 ? 550 : 300);

		if (grow) {
			int start = get_random_below(4) ? 0 :
				    (int)get_random_below(1500);
			int want = start, fd;

			while (used[want])
				want++;
			fd = (int)sys_fcntl(src, F_DUPFD, (u64)start);
			assert_int_equal(fd, want);
			used[fd] = true;
			n++;
		} else {
			int fd = 1 + (int)get_random_below(2046);

			assert_int_equal(sys_close(fd), used[fd] ? 0 : -EBADF);
			n -= used[fd];
			used[fd] = false;
		}
	}
}

static void test_a_million_descriptors(void **state)
{
	static struct probe p;
	int src = probe_open(&p);

	for (int i = 1; i < (int)HOST_NOFILE; i++) {
		if (sys_dup(src) != i)
			fail_msg("descriptor %d", i);
	}
	assert_int_equal(sys_dup(src), -EMFILE);
	assert_int_equal(sys_close(77777), 0);
	assert_int_equal(sys_dup(src), 77777);
}

static void test_limit_and_memory(void **state)
{
	static struct probe p;
	int src = probe_open(&p);

	host_nofile = 3;
	assert_int_equal(sys_dup(src), 1);
	assert_int_equal(sys_dup(src), 2);
	assert_int_equal(sys_dup(src), -EMFILE);
	assert_int_equal(sys_dup2(src, 3), -EBADF);
	assert_int_equal(sys_fcntl(src, F_DUPFD, 3), -EINVAL);
	host_nofile = 1000;
	host_fail_alloc(1);
	assert_int_equal(sys_dup2(src, 500), -ENOMEM);
	host_fail_alloc(1);
	assert_int_equal(sys_fcntl(src, F_DUPFD, 64), -ENOMEM);
	assert_int_equal(sys_fcntl(src, F_DUPFD, 64), 64);
	assert_int_equal(sys_dup2(src, 500), 500);
}

/* The limit is for new open files, not for numbers, and not for root. */
static void test_ENFILE(void **state)
{
	static struct probe p[2];
	int src = probe_open(&p[0]), before = atomic_read(&nr_files);

	assert_int_equal(before, 1);
	max_files = 1;
	assert_int_equal(probe_open(&p[1]), src + 1);
	assert_int_equal(atomic_read(&nr_files), 2);
	host_not_root = true;
	assert_int_equal(get_unused_fd_flags(0), -ENFILE);
	assert_int_equal(sys_dup(src), src + 2);
	host_nofile = 3;
	assert_int_equal(get_unused_fd_flags(0), -EMFILE);
	host_nofile = HOST_NOFILE;
	assert_int_equal(sys_close(src + 1), 0);
	assert_int_equal(get_unused_fd_flags(0), -ENFILE);
	max_files = 2;
	assert_int_equal(get_unused_fd_flags(0), src + 1);
	put_unused_fd(src + 1);
	max_files = UINT32_MAX;
	host_not_root = false;
}

static void test_create_fails_cleanly(void **state)
{
	unsigned long before = host_allocs_outstanding();

	for (unsigned long n = 1; n <= 2; n++) {
		host_fail_alloc(n);
		assert_null(files_create());
		assert_int_equal(host_allocs_outstanding(), before);
	}
	host_fail_alloc(1);
	assert_null(file_alloc(&probe_fops, NULL, 0));
}

static void test_dup2_closes_the_target(void **state)
{
	static struct probe a, b;
	int fa = probe_open(&a), fb = probe_open(&b);

	assert_int_equal(sys_dup2(fa, fb), fb);
	assert_int_equal(b.released, 1);
	assert_int_equal(sys_close(fa), 0);
	assert_int_equal(a.released, 0);
	assert_int_equal(sys_close(fb), 0);
	assert_int_equal(a.released, 1);
}

static void test_dup2_errors(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), reserved;

	assert_int_equal(sys_dup2(fd, fd), fd);
	assert_int_equal(sys_dup2(99, 99), -EBADF);
	assert_int_equal(sys_dup2(99, 1), -EBADF);
	assert_int_equal(sys_dup2(fd, -1), -EBADF);
	assert_int_equal(sys_dup3(fd, fd, 0), -EINVAL);
	assert_int_equal(sys_dup3(fd, 5, O_NONBLOCK), -EINVAL);
	reserved = get_unused_fd_flags(0);
	assert_int_equal(sys_dup2(fd, reserved), -EBUSY);
	put_unused_fd(reserved);
	assert_int_equal(sys_dup(-1), -EBADF);
	assert_int_equal(sys_close(-1), -EBADF);
	assert_int_equal(sys_close(1 << 30), -EBADF);
}

static void test_cloexec_is_per_descriptor(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), copy;

	copy = (int)sys_fcntl(fd, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(copy, 10);
	assert_int_equal(sys_fcntl(copy, F_GETFD, 0), 1);
	assert_int_equal(sys_fcntl(fd, F_GETFD, 0), 0);
	assert_int_equal(sys_fcntl(copy, F_SETFD, 0), 0);
	assert_int_equal(sys_fcntl(copy, F_GETFD, 0), 0);
	assert_int_equal(sys_ioctl(fd, FIOCLEX, 0), 0);
	assert_int_equal(sys_fcntl(fd, F_GETFD, 0), 1);
	assert_int_equal(sys_ioctl(fd, FIONCLEX, 0), 0);
	assert_int_equal(sys_fcntl(fd, F_GETFD, 0), 0);
	assert_int_equal(sys_dup3(fd, 20, O_CLOEXEC), 20);
	assert_int_equal(sys_fcntl(20, F_GETFD, 0), 1);
	assert_int_equal(sys_close(20), 0);
	assert_int_equal(sys_fcntl(20, F_GETFD, 0), -EBADF);
	assert_int_equal(sys_dup2(fd, 20), 20);
	assert_int_equal(sys_fcntl(20, F_GETFD, 0), 0);
}

static void test_nonblock_is_per_open_file(void **state)
{
	static struct probe p;
	int fd = probe_open(&p), copy = (int)sys_dup(fd);
	int on = 1, off = 0;

	assert_int_equal(sys_fcntl(fd, F_GETFL, 0), O_RDWR);
	assert_int_equal(sys_ioctl(fd, FIONBIO, (u64)&on), 0);
	assert_int_equal(sys_fcntl(copy, F_GETFL, 0), O_RDWR | O_NONBLOCK);
	assert_int_equal(sys_ioctl(fd, FIONBIO, (u64)&off), 0);
	assert_int_equal(sys_fcntl(copy, F_GETFL, 0), O_RDWR);
	assert_int_equal(sys_ioctl(fd, FIONBIO, 0), -EFAULT);
	/* The access mode cannot be changed. */
	assert_int_equal(sys_fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY), 0);
	assert_int_equal(sys_fcntl(fd, F_GETFL, 0), O_RDWR | O_NONBLOCK);
	assert_int_equal(sys_fcntl(fd, 9999, 0), -EINVAL);
	assert_int_equal(sys_ioctl(fd, 0x1234, 0), -ENOTTY);
}

static void test_close_range(void **state)
{
	static struct probe p;
	int fd = probe_open(&p);

	for (int i = 1; i < 10; i++)
		sys_dup(fd);
	assert_int_equal(sys_close_range(5, 3, 0), -EINVAL);
	assert_int_equal(sys_close_range(3, 5, 1), -EINVAL);
	assert_int_equal(sys_close_range(3, 5, 4), 0);
	assert_int_equal(sys_fcntl(4, F_GETFD, 0), 1);
	assert_int_equal(sys_close_range(3, 5, 0), 0);
	assert_int_equal(sys_fcntl(4, F_GETFD, 0), -EBADF);
	assert_int_equal(sys_fcntl(6, F_GETFD, 0), 0);
}

static void closer(void *arg)
{
	assert_int_equal(sys_close(0), 0);
}

/* A second task closes the number while the first is inside a call. */
static void test_shared_table_keeps_the_file_alive(void **state)
{
	static struct probe p;
	struct fd_ref ref;

	assert_int_equal(probe_open(&p), 0);
	atomic_inc(&current->files->users);
	ref = fdget(0);
	assert_true(ref.owned);
	host_task_start("closer", closer, NULL);
	host_run_others();
	assert_int_equal(p.released, 0);
	fdput(ref);
	assert_int_equal(p.released, 1);
	assert_null(fdget(0).file);
	atomic_dec(&current->files->users);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lowest_free_number_wins),
		T(test_random_open_close_matches_model),
		T(test_a_million_descriptors),
		T(test_limit_and_memory),
		T(test_ENFILE),
		T(test_create_fails_cleanly),
		T(test_dup2_closes_the_target),
		T(test_dup2_errors),
		T(test_cloexec_is_per_descriptor),
		T(test_nonblock_is_per_open_file),
		T(test_close_range),
		T(test_shared_table_keeps_the_file_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
