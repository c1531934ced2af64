/* sources: kernel/timesys.c kernel/cputime.c kernel/rlimit.c */
#include "tests/unit/unit.h"

#include "kernel/cputime.h"
#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/rlimit.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "tests/host/host.h"

/* The C library's names for these are taken. */
long sys_clock_gettime(int clock, struct timespec *ts);
long sys_clock_getres(int clock, struct timespec *ts);
long sys_gettimeofday(struct timeval *tv, void *tz);
long sys_time(s64 *t);
long sys_nanosleep(const struct timespec *req, struct timespec *rem);
long sys_clock_nanosleep(int clock, int flags, const struct timespec *req,
			 struct timespec *rem);
long sys_getrandom(u8 *buf, size_t len, unsigned int flags);
long sys_prlimit64(s32 pid, unsigned int which, const struct rlimit *new,
		   struct rlimit *old);
long sys_getrlimit(unsigned int which, struct rlimit *old);
long sys_setrlimit(unsigned int which, const struct rlimit *new);

#define PROCESS_CPUTIME	2
#define REALTIME	0
#define MONOTONIC	1
#define THREAD_CPUTIME	3
#define ABSTIME		1
#define BAD		((void *)8)

static u64 used_ns;

/* As if the process had two threads of the same kind. */
u64 task_cpu_ns(const struct task *task)
{
	(void)task;
	return used_ns;
}

/* Nobody else is there. */
struct task *find_get_thread(s32 tid)
{
	(void)tid;
	return NULL;
}

u64 process_cpu_ns(void)
{
	return 2 * used_ns;
}

static int setup(void **state)
{
	host_reset();
	return 0;
}

static void test_clocks(void **state)
{
	struct timespec ts;
	struct timeval tv;
	s64 t;

	host_now = 5 * NSEC_PER_SEC + 7;
	assert_int_equal(sys_clock_gettime(MONOTONIC, &ts), 0);
	assert_int_equal(ts.tv_sec, 5);
	assert_int_equal(ts.tv_nsec, 7);
	assert_int_equal(sys_clock_gettime(REALTIME, &ts), 0);
	assert_int_equal(sys_gettimeofday(&tv, NULL), 0);
	assert_int_equal(tv.tv_sec, ts.tv_sec);
	assert_int_equal(sys_time(&t), ts.tv_sec);
	assert_int_equal(t, ts.tv_sec);
	assert_int_equal(sys_time(NULL), ts.tv_sec);
	assert_int_equal(sys_clock_getres(MONOTONIC, &ts), 0);
	assert_int_equal(ts.tv_nsec, 1);
	assert_int_equal(sys_clock_getres(MONOTONIC, NULL), 0);
	assert_int_equal(sys_clock_gettime(99, &ts), -EINVAL);
	assert_int_equal(sys_clock_getres(99, NULL), -EINVAL);
	assert_int_equal(sys_clock_gettime(MONOTONIC, BAD), -EFAULT);
	assert_int_equal(sys_gettimeofday(BAD, NULL), -EFAULT);
	assert_int_equal(sys_gettimeofday(NULL, NULL), 0);
	assert_int_equal(sys_time(BAD), -EFAULT);
}

static void test_sleeps_for_as_long_as_asked(void **state)
{
	struct timespec ts = { 2, 500 }, abs;
	u64 start = host_now;

	assert_int_equal(sys_nanosleep(&ts, NULL), 0);
	assert_true(host_now - start >= 2 * NSEC_PER_SEC + 500);
	assert_true(host_now - start < 3 * NSEC_PER_SEC);
	start = host_now;
	abs = ns_to_timespec(start + NSEC_PER_SEC);
	assert_int_equal(sys_clock_nanosleep(MONOTONIC, ABSTIME, &abs, NULL),
			 0);
	assert_true(host_now - start >= NSEC_PER_SEC);
	/* A time that is past is no sleep. */
	start = host_now;
	assert_int_equal(sys_clock_nanosleep(REALTIME, ABSTIME,
					     &(struct timespec){ 1, 0 },
					     NULL), 0);
	assert_true(host_now - start < NSEC_PER_MSEC);
}

/* The fakes' clocks stand still: of sleep, only one that is over ends. */
static void test_cpu_clocks(void **state)
{
	struct timespec ts, past = { 1, 0 };
	const int own = -2, of_pid = ~current->tgid * 8 + 2;

	used_ns = 3 * NSEC_PER_SEC;
	assert_int_equal(sys_clock_gettime(THREAD_CPUTIME, &ts), 0);
	assert_int_equal(ts.tv_sec, 3);
	assert_int_equal(sys_clock_gettime(own, &ts), 0);
	assert_int_equal(ts.tv_sec, 3);
	assert_int_equal(sys_clock_gettime(PROCESS_CPUTIME, &ts), 0);
	assert_int_equal(ts.tv_sec, 6);
	assert_int_equal(sys_clock_gettime(of_pid, &ts), 0);
	assert_int_equal(ts.tv_sec, 6);
	assert_int_equal(sys_clock_gettime(of_pid - 8, &ts), -EINVAL);
	assert_int_equal(sys_clock_gettime(of_pid - 8 + 4, &ts), -EINVAL);
	assert_int_equal(sys_clock_gettime(-1, &ts), -EINVAL);
	assert_int_equal(sys_clock_nanosleep(PROCESS_CPUTIME, ABSTIME, &past,
					     NULL), 0);
}

static void test_sleep_refuses(void **state)
{
	struct timespec bad = { 0, NSEC_PER_SEC }, negative = { -1, 0 };

	assert_int_equal(sys_nanosleep(&bad, NULL), -EINVAL);
	assert_int_equal(sys_nanosleep(&negative, NULL), -EINVAL);
	assert_int_equal(sys_nanosleep(BAD, NULL), -EFAULT);
	assert_int_equal(sys_clock_nanosleep(99, 0, &bad, NULL), -EINVAL);
	assert_int_equal(sys_clock_nanosleep(THREAD_CPUTIME, 0, &bad, NULL),
			 -EOPNOTSUPP);
	assert_int_equal(sys_clock_nanosleep(MONOTONIC, 0, &bad, NULL),
			 -EINVAL);
}

static void nap(void *arg)
{
	struct timespec ts = { 100, 0 }, rem = { 0, 0 };

	*(long *)arg = sys_nanosleep(&ts, &rem);
	assert_in_range(rem.tv_sec, 98, 100);
}

static void test_a_signal_says_what_was_left(void **state)
{
	long result = 1;
	struct task *task = host_task_start("napper", nap, &result);

	host_run_others();
	host_signal(task);
	host_join_tasks();
	assert_int_equal(result, -ERESTART_RESTARTBLOCK);
}

static void test_getrandom(void **state)
{
	u8 buf[1000] = { 0 }, other[1000] = { 0 };

	assert_int_equal(sys_getrandom(buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(sys_getrandom(other, sizeof(other), 1),
			 sizeof(other));
	assert_memory_not_equal(buf, other, sizeof(buf));
	assert_int_equal(sys_getrandom(buf, 0, 0), 0);
	assert_int_equal(sys_getrandom(buf, 1, 8), -EINVAL);
	assert_int_equal(sys_getrandom(buf, 1, 2 | 4), -EINVAL);
	assert_int_equal(sys_getrandom(BAD, 1, 0), -EFAULT);
	/* A fault after some is a short answer. */
	host_bad_user(buf + 512, 1);
	assert_int_equal(sys_getrandom(buf, sizeof(buf), 0), 512);
	host_good_user();
}

static void test_limits(void **state)
{
	struct rlimit lim, want = { 100, 200 };

	assert_int_equal(sys_getrlimit(RLIMIT_NOFILE, &lim), 0);
	assert_int_equal(lim.cur, rlimit(RLIMIT_NOFILE));
	assert_int_equal(sys_prlimit64(0, RLIMIT_NOFILE, &want, &lim), 0);
	assert_int_equal(rlimit(RLIMIT_NOFILE), 100);
	assert_int_equal(sys_setrlimit(RLIMIT_NOFILE,
				       &(struct rlimit){ 50, 200 }), 0);
	assert_int_equal(rlimit(RLIMIT_NOFILE), 50);
	assert_int_equal(sys_prlimit64(0, RLIMIT_NOFILE, NULL, NULL), 0);
	assert_int_equal(sys_prlimit64(0, RLIM_NLIMITS, NULL, NULL), -EINVAL);
	assert_int_equal(sys_prlimit64(99, RLIMIT_CPU, NULL, NULL), -ESRCH);
	assert_int_equal(sys_setrlimit(RLIMIT_CPU,
				       &(struct rlimit){ 2, 1 }), -EINVAL);
	assert_int_equal(sys_setrlimit(RLIMIT_NOFILE,
				       &(struct rlimit){ 1, UINT64_MAX }),
			 -EPERM);
	assert_int_equal(sys_setrlimit(RLIMIT_CPU, BAD), -EFAULT);
	assert_int_equal(sys_prlimit64(0, RLIMIT_CPU, BAD, NULL), -EFAULT);
	assert_int_equal(sys_prlimit64(0, RLIMIT_CPU, NULL, BAD), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_clocks, setup),
		cmocka_unit_test_setup(test_sleeps_for_as_long_as_asked,
				       setup),
		cmocka_unit_test_setup(test_cpu_clocks, setup),
		cmocka_unit_test_setup(test_sleep_refuses, setup),
		cmocka_unit_test_setup(test_a_signal_says_what_was_left,
				       setup),
		cmocka_unit_test_setup(test_getrandom, setup),
		cmocka_unit_test_setup(test_limits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
