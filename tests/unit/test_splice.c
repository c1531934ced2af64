/*
 * splice and its kin where Linux cannot be made to go: targets that take
 * less than they are offered, memory that runs out, tasks that wait.
 * sources: vfs fs/fcntl.c fs/read_write.c fs/pipe.c fs/splice.c
 */
#include "tests/unit/unit.h"

#include "fs/exec.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/signal.h"
#include "kernel/uio.h"
#include "tests/unit/fs_fixture.h"

long sys_splice(int in, loff_t *off_in, int out, loff_t *off_out, size_t len,
		u32 flags);
long sys_tee(int in, int out, size_t len, u32 flags);
long sys_vmsplice(int fd, const struct iovec *vec, unsigned long nr,
		  u32 flags);
long sys_sendfile(int out, int in, loff_t *off, size_t count);
long sys_pipe2(int *fd, u32 flags);
long sys_read(int fd, void *buf, size_t n);
long sys_write(int fd, const void *buf, size_t n);

static int signals_sent;

int send_sig(int sig, struct task *task)
{
	signals_sent += sig == SIGPIPE;
	return 0;
}

const char *exec_path(void)
{
	return "/test";
}

/* ---- a file that gives and takes as told ---- */

static char store[40000];
static size_t taken, may_take;	/* bytes; then EAGAIN */
static size_t to_give;
static int given;		/* reads */

static ssize_t fake_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	size_t n = min(to->count, to_give);

	given++;
	if (!n)
		return -EAGAIN;
	to_give -= n;
	if (pos)
		*pos += (loff_t)n;
	return (ssize_t)copy_to_iter(store, n, to);
}

static ssize_t fake_write(struct file *file, struct iov_iter *from,
			  loff_t *pos)
{
	size_t n = min(from->count, may_take);

	if (!n)
		return -EAGAIN;
	may_take -= n;
	copy_from_iter(store + taken, n, from);
	taken += n;
	return (ssize_t)n;
}

static const struct file_operations fake_ops = {
	.read_iter = fake_read,
	.write_iter = fake_write,
	.name = "fake",
};

static int open_fake(bool seekable)
{
	int fd = get_unused_fd_flags(0);
	struct file *file = file_alloc(&fake_ops, NULL, O_RDWR);

	file->f_seekable = seekable;
	fd_install(fd, file);
	return fd;
}

static int p[2], q[2];

static int setup(void **state)
{
	host_reset();
	host_main_task.files = files_create();
	sys_pipe2(p, 0);
	sys_pipe2(q, 0);
	taken = 0;
	may_take = 0;
	to_give = 0;
	given = 0;
	signals_sent = 0;
	return 0;
}

static int teardown(void **state)
{
	host_fail_alloc(0);
	host_join_tasks();
	files_put(host_main_task.files);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static int group_setup(void **state)
{
	host_reset();
	file_init();
	return 0;
}

static u32 pipe_has(int fd)
{
	static char buf[70000];
	struct iovec iov = { buf, sizeof(buf) };
	long n = sys_vmsplice(fd, &iov, 1, 2);

	return n < 0 ? 0 : (u32)n;
}

/* What the target did not take stays in the pipe. */
static void test_nothing_is_lost(void **state)
{
	int f = open_fake(false);

	assert_int_equal(sys_write(p[1], "abcdef", 6), 6);
	may_take = 4;
	assert_int_equal(sys_splice(p[0], NULL, f, NULL, 100, 0), 4);
	assert_memory_equal(store, "abcd", 4);
	assert_int_equal(sys_splice(p[0], NULL, f, NULL, 100, 0), -EAGAIN);
	assert_int_equal(pipe_has(p[0]), 2);
}

/* A position moves only over what was written. */
static void test_sendfile_takes_back(void **state)
{
	int in = open_fake(true), out = open_fake(false);
	loff_t off = 100;

	to_give = 30000;
	may_take = 20000;
	assert_int_equal(sys_sendfile(out, in, &off, 30000), 20000);
	assert_int_equal(off, 20100);
	assert_int_equal(current->files->fd[in]->f_pos, 0);
	to_give = 10;
	assert_int_equal(sys_sendfile(out, in, &off, 10), -EAGAIN);
	assert_int_equal(off, 20100);
}

/* A stream is read once: more might not come. */
static void test_streams_give_what_they_have(void **state)
{
	int f = open_fake(false);

	to_give = 5;
	assert_int_equal(sys_splice(f, NULL, p[1], NULL, 100, 0), 5);
	assert_int_equal(given, 1);
	assert_int_equal(pipe_has(p[0]), 5);
	assert_int_equal(sys_splice(f, NULL, p[1], NULL, 100, 0), -EAGAIN);
}

static void test_out_of_memory(void **state)
{
	int f = open_fake(false);

	assert_int_equal(sys_write(p[1], "abcdef", 6), 6);
	host_fail_all_allocs(true);
	assert_int_equal(sys_splice(p[0], NULL, f, NULL, 1, 0), -ENOMEM);
	assert_int_equal(sys_splice(f, NULL, p[1], NULL, 1, 0), -ENOMEM);
	assert_int_equal(sys_tee(p[0], q[1], 1, 0), -ENOMEM);
	host_fail_all_allocs(false);
	/* The second try for a buffer is smaller. */
	host_fail_alloc(1);
	assert_int_equal(sys_tee(p[0], q[1], 9, 0), 6);
	assert_true(host_alloc_failed());
	/* No page in the pipe: nothing was read from the stream. */
	to_give = 5;
	assert_int_equal(pipe_has(q[0]), 6);
	host_fail_alloc(2);
	assert_int_equal(sys_splice(f, NULL, q[1], NULL, 5, 0), -ENOMEM);
	assert_int_equal(given, 0);
	host_fail_alloc(0);
	assert_int_equal(sys_splice(f, NULL, q[1], NULL, 5, 0), 5);
}

static long result;

static void splicer(void *arg)
{
	result = sys_splice(p[0], NULL, q[1], NULL, 100, 0);
}

static void test_splice_waits(void **state)
{
	char buf[8];
	struct task *t;

	result = 77;
	host_task_start("splicer", splicer, NULL);
	host_run_others();
	assert_int_equal(result, 77);
	assert_int_equal(sys_write(p[1], "abc", 3), 3);
	host_run_others();
	assert_int_equal(result, 3);
	assert_int_equal(sys_read(q[0], buf, 8), 3);
	t = host_task_start("splicer", splicer, NULL);
	host_run_others();
	host_signal(t);
	host_run_others();
	assert_int_equal(result, -ERESTARTSYS);
	host_task_start("splicer", splicer, NULL);
	host_run_others();
	close_fd(p[1]);
	host_run_others();
	assert_int_equal(result, 0);
}

static void test_nobody_reads(void **state)
{
	int f = open_fake(false);

	to_give = 5;
	close_fd(q[0]);
	assert_int_equal(sys_splice(f, NULL, q[1], NULL, 5, 0), -EPIPE);
	assert_int_equal(signals_sent, 1);
	assert_int_equal(sys_write(p[1], "abc", 3), 3);
	assert_int_equal(sys_tee(p[0], q[1], 5, 0), -EPIPE);
	assert_int_equal(signals_sent, 2);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_is_lost),
		T(test_sendfile_takes_back),
		T(test_streams_give_what_they_have),
		T(test_out_of_memory),
		T(test_splice_waits),
		T(test_nobody_reads),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
