/* sources: kernel/uio.c */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/uaccess.h"
#include "kernel/uio.h"
#include "tests/host/host.h"

static int setup(void **state)
{
	host_reset();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

/* The program's half of the addresses, its last page not; no sum wraps. */
static void test_what_is_the_programs(void **state)
{
	u8 *end = (u8 *)TASK_SIZE_MAX;

	assert_true(access_ok(end - 8, 8));
	assert_false(access_ok(end - 8, 9));
	assert_false(access_ok(end, 1));
	assert_false(access_ok((u8 *)UINT64_MAX - 7, 16));
	assert_false(access_ok((u8 *)4096, UINT64_MAX - 4000));
	assert_false(access_ok((u8 *)0xffff800000000000, 1));
}

static void test_one_buffer(void **state)
{
	char buf[8] = "", back[8] = "";
	struct iov_iter it;

	iov_iter_ubuf(&it, buf, 6);
	assert_int_equal(copy_to_iter("abc", 3, &it), 3);
	assert_int_equal(copy_to_iter("defgh", 5, &it), 3);
	assert_int_equal(it.count, 0);
	assert_int_equal(copy_to_iter("x", 1, &it), 0);
	assert_string_equal(buf, "abcdef");
	iov_iter_kbuf(&it, buf, 6);
	assert_int_equal(copy_from_iter(back, 8, &it), 6);
	assert_string_equal(back, "abcdef");
}

static void test_length_is_capped(void **state)
{
	char buf[1];
	struct iov_iter it;

	iov_iter_ubuf(&it, buf, SIZE_MAX);
	assert_int_equal(it.count, MAX_RW_COUNT);
}

static void test_segments(void **state)
{
	char a[3], b[1], c[4], out[8];
	struct iovec uvec[] = { { a, 3 }, { b, 0 }, { c, 4 } };
	struct iovec fast[UIO_FASTIOV], *to_free;
	struct iov_iter it;

	assert_int_equal(import_iovec(uvec, 3, fast, &to_free, &it), 0);
	assert_null(to_free);
	assert_int_equal(it.count, 7);
	assert_int_equal(copy_to_iter("12345", 5, &it), 5);
	assert_memory_equal(a, "123", 3);
	assert_memory_equal(c, "45", 2);
	iov_iter_revert(&it, 4);
	assert_int_equal(it.count, 6);
	assert_int_equal(copy_from_iter(out, 4, &it), 4);
	assert_memory_equal(out, "2345", 4);
	iov_iter_advance(&it, 1);
	assert_int_equal(copy_to_iter("9", 1, &it), 1);
	assert_int_equal(c[3], '9');
	assert_int_equal(it.count, 0);
	iov_iter_revert(&it, 7);
	assert_int_equal(copy_from_iter(out, 1, &it), 1);
	assert_int_equal(out[0], '1');
}

static void test_a_fault_is_a_short_copy(void **state)
{
	char buf[8];
	struct iov_iter it;

	iov_iter_ubuf(&it, buf, 8);
	host_bad_user(buf + 5, 3);
	assert_int_equal(copy_to_iter("abcdefgh", 8, &it), 5);
	assert_int_equal(it.count, 3);
	assert_int_equal(copy_from_iter(buf, 1, &it), 0);
}

static void test_import_refuses(void **state)
{
	static struct iovec uvec[UIO_MAXIOV + 1];
	struct iovec fast[UIO_FASTIOV], *to_free;
	struct iov_iter it;

	assert_int_equal(import_iovec(uvec, UIO_MAXIOV + 1, fast, &to_free,
				      &it), -EINVAL);
	uvec[9].iov_len = (size_t)INT64_MAX + 1;
	assert_int_equal(import_iovec(uvec, 10, fast, &to_free, &it),
			 -EINVAL);
	uvec[9].iov_len = 10;
	uvec[9].iov_base = (void *)UINT64_MAX;
	assert_int_equal(import_iovec(uvec, 10, fast, &to_free, &it),
			 -EFAULT);
	assert_null(to_free);
	host_fail_alloc(1);
	assert_int_equal(import_iovec(uvec, 9, fast, &to_free, &it), -ENOMEM);
	host_bad_user(uvec, 16);
	assert_int_equal(import_iovec(uvec, 1, fast, &to_free, &it), -EFAULT);
	host_good_user();
	assert_int_equal(import_iovec(uvec, 0, fast, &to_free, &it), 0);
	assert_int_equal(it.count, 0);
}

static void test_import_caps_the_sum(void **state)
{
	struct iovec uvec[2] = { { (void *)4096, MAX_RW_COUNT - 10 },
				 { (void *)4096, 100 } };
	struct iovec fast[UIO_FASTIOV], *to_free;
	struct iov_iter it;

	assert_int_equal(import_iovec(uvec, 2, fast, &to_free, &it), 0);
	assert_int_equal(it.count, MAX_RW_COUNT);
	assert_int_equal(fast[1].iov_len, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_the_programs),
		cmocka_unit_test_setup_teardown(test_one_buffer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_length_is_capped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_segments, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_fault_is_a_short_copy,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_import_refuses, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_import_caps_the_sum,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
