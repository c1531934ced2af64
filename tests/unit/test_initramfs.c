/*
 * The cpio parser: good archives, and every way in which one can be bad.
 * sources: fs/initramfs.c
 */
#include "tests/unit/cpio_fixture.h"

#include "kernel/errno.h"
#include "kernel/random.h"
#include "tests/host/host.h"

/* Copies of just the right size, so that one byte too far is caught. */
static void *copies[4096];
static int nr_copies;

static int init(void)
{
	void *copy = malloc(len ? len : 1);

	memcpy(copy, buf, len);
	copies[nr_copies++] = copy;
	return initramfs_init(copy, len);
}

static void drop_index(void)
{
	initramfs_forget();
}

static int setup(void **state)
{
	host_reset();
	len = 0;
	next_ino = 0;
	nr_copies = 0;
	return 0;
}

static int teardown(void **state)
{
	drop_index();
	while (nr_copies)
		free(copies[--nr_copies]);
	assert_int_equal(host_allocs_outstanding(), 0);
	return 0;
}

static void check(const char *path, const char *data)
{
	const struct initramfs_file *f = initramfs_lookup(path);

	assert_non_null(f);
	assert_int_equal(f->size, strlen(data));
	assert_memory_equal(f->data, data, strlen(data));
}

static void test_files_are_found(void **state)
{
	put_full(".", "", S_IFDIR | 0755, 1, 2);
	put("echo", "binary");
	put("./etc/hosts", "127.0.0.1");
	put("/abs", "x");
	put_full("link", "echo", S_IFLNK | 0777, 9, 1);
	trailer();
	assert_int_equal(init(), 0);
	check("/echo", "binary");
	check("echo", "binary");
	check("./etc/hosts", "127.0.0.1");
	check("abs", "x");
	check("link", "echo");
	assert_null(initramfs_lookup("/ech"));
	assert_null(initramfs_lookup("/echoo"));
	assert_non_null(initramfs_lookup("/"));
	assert_int_equal(initramfs_lookup("echo")->mode, S_IFREG | 0755);
	assert_int_equal(initramfs_lookup("echo")->mtime, 1234567);
	assert_string_equal(initramfs_entry(1)->path, "echo");
	assert_null(initramfs_entry(5));
}

static void test_many_files(void **state)
{
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "dir/file%d", i);
		put(name, name);
	}
	trailer();
	assert_int_equal(init(), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "dir/file%d", i);
		check(name, name);
	}
}

static void test_archives_one_after_another(void **state)
{
	put("a", "1");
	trailer();
	while (len % 512)
		buf[len++] = 0;
	put("b", "2");
	put("a", "3");
	trailer();
	memset(buf + len, 0, 100);
	len += 100;
	assert_int_equal(init(), 0);
	check("a", "3");
	check("b", "2");
	assert_null(initramfs_entry(2));
}

static void test_hard_links_share_data(void **state)
{
	put_full("one", "", S_IFREG | 0755, 7, 2);
	put_full("two", "data", S_IFREG | 0755, 7, 2);
	put_full("empty", "", S_IFREG | 0644, 8, 1);
	trailer();
	assert_int_equal(init(), 0);
	check("one", "data");
	check("two", "data");
	check("empty", "");
}

static void test_missing_last_padding_is_fine(void **state)
{
	put("f", "12345");
	len -= 3;
	assert_int_equal(init(), 0);
	check("f", "12345");
}

static void expect_refused(const char *why)
{
	host_log_clear();
	assert_int_equal(init(), -EINVAL);
	if (!strstr(host_log(), why))
		fail_msg("log says: %s", host_log());
	assert_int_equal(host_allocs_outstanding(), 0);
}

static void test_none_given(void **state)
{
	assert_int_equal(initramfs_init(NULL, 0), -ENOENT);
	assert_non_null(strstr(host_log(), "-initrd"));
	assert_int_equal(initramfs_init(buf, 0), -ENOENT);
}

static void test_not_a_cpio(void **state)
{
	memset(buf, 'x', len = 200);
	expect_refused("no newc header");
	len = 20;
	expect_refused("cut off inside a header");
	memcpy(buf, "\x1f\x8b\x08", 3);
	expect_refused("compressed");
	memset(buf, 0, len = 600);
	expect_refused("no file in it");
	len = 0;
	trailer();
	expect_refused("no file in it");
}

static void test_bad_numbers(void **state)
{
	put("f", "12345");
	buf[20] = 'g';
	expect_refused("not hex");
	len = 0;
	put_header(1, S_IFREG, 1, 5, 0);
	put_name("f");
	expect_refused("impossible length");
	len = 0;
	put_header(1, S_IFREG, 1, 5, 0xffffffff);
	put_name("f");
	expect_refused("impossible length");
	len = 0;
	put_header(1, S_IFREG, 1, 5, 1000);
	put_name("f");
	expect_refused("cut off inside a name");
	len = 0;
	put_header(1, S_IFREG, 1, 0, 1);
	put_name("ff");
	expect_refused("without its end");
	len = 0;
	put_header(1, S_IFREG, 1, 0, 4);
	put_name("f");
	put_name("gh");
	expect_refused("without its end");
	len = 0;
	put_header(1, S_IFREG, 1, 0xffffffff, 2);
	put_name("f");
	expect_refused("cut off inside a file");
}

/* Cut anywhere, an archive is refused or read, never overrun. */
static void test_cut_at_every_byte(void **state)
{
	size_t whole;

	put("first", "some data");
	put("second", "more");
	trailer();
	whole = len;
	for (len = 1; len < whole; len++) {
		int err = init();

		assert_true(err == 0 || err == -EINVAL);
		drop_index();
	}
}

/* Random damage, a few bytes at a time. */
static void test_random_damage(void **state)
{
	static char good[4096];
	size_t whole;

	for (int i = 0; i < 8; i++)
		put(i % 2 ? "name" : "other-name", "contents");
	trailer();
	whole = len;
	memcpy(good, buf, whole);
	for (int i = 0; i < 3000; i++) {
		int err;

		memcpy(buf, good, whole);
		for (u32 k = get_random_below(4) + 1; k; k--)
			buf[get_random_below((u32)whole)] =
				"0f7\0x/."[get_random_below(7)];
		err = init();
		assert_true(err == 0 || err == -EINVAL);
		drop_index();
	}
}

static void test_no_memory(void **state)
{
	put("f", "12345");
	trailer();
	for (unsigned long n = 1; n <= 2; n++) {
		host_fail_alloc(n);
		assert_int_equal(init(), -ENOMEM);
		assert_null(initramfs_lookup("f"));
		assert_int_equal(host_allocs_outstanding(), 0);
	}
	assert_int_equal(init(), 0);
	check("f", "12345");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_files_are_found),
		T(test_many_files),
		T(test_archives_one_after_another),
		T(test_hard_links_share_data),
		T(test_missing_last_padding_is_fine),
		T(test_none_given),
		T(test_not_a_cpio),
		T(test_bad_numbers),
		T(test_cut_at_every_byte),
		T(test_random_damage),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
