/*
 * The tmpfs: the tree of pages, contents against a plain model, names, and
 * memory that runs out at every single allocation.
 * sources: vfs fs/fcntl.c fs/read_write.c fs/names.c fs/attr.c fs/statfs.c
 * fs/splice.c
 */
#include "tests/unit/cpio_fixture.h"

#include "fs/namei.h"
#include "fs/page_tree.h"
#include "fs/proc.h"
#include "fs/rootfs.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/random.h"
#include "tests/unit/fs_fixture.h"

long sys_open(const char *path, u32 flags, u32 mode);
long sys_close(int fd);
long sys_read(int fd, void *buf, size_t n);
long sys_pread64(int fd, void *buf, size_t n, loff_t pos);
long sys_pwrite64(int fd, const void *buf, size_t n, loff_t pos);
long sys_lseek(int fd, loff_t off, int whence);
long sys_mkdir(const char *path, u32 mode);
long sys_rmdir(const char *path);
long sys_unlink(const char *path);
long sys_rename(const char *from, const char *to);
long sys_link(const char *from, const char *to);
long sys_symlink(const char *target, const char *path);
long sys_stat(const char *path, struct user_stat *to);
long sys_chdir(const char *path);
long sys_sendfile(int out, int in, loff_t *off, size_t count);
long sys_getcwd(char *to, size_t size);
long sys_ftruncate(int fd, loff_t size);
long sys_fallocate(int fd, u32 mode, loff_t pos, loff_t len);
long sys_memfd_create(const char *name, u32 flags);
long sys_readlink(const char *path, char *to, int size);

#define SEEK_DATA 3
#define SEEK_HOLE 4

ssize_t (*mmap_read_file)(int fd, u64 pos, void *buf, size_t n);

static struct user_stat st;

const char *exec_path(void)
{
	return "/bin/prog";
}

static int setup(void **state)
{
	fs_setup();
	len = 0;
	next_ino = 0;
	put("bin/prog", "#!elf");
	put_full("one", "", S_IFREG | 0644, 90, 2);
	put_full("two", "linked", S_IFREG | 0644, 90, 2);
	trailer();
	assert_int_equal(initramfs_init(buf, len), 0);
	assert_int_equal(rootfs_init(), 0);
	return 0;
}

static int teardown(void **state)
{
	files_put(current->files);
	host_fail_alloc(0);
	host_fail_all_allocs(false);
	current->files = files_create();
	rootfs_forget();
	initramfs_forget();
	fs_teardown();
	return 0;
}

/* --- the tree of pages --- */

static u64 some_index(void)
{
	static const u64 spread[] = { 4, 70, 5000, 1ull << 20, 1ull << 51 };

	return get_random_below((u32)min(spread[get_random_below(5)],
					 1000000ull)) *
	       (get_random_below(4) ? 1 : 1ull << 30);
}

static void test_page_tree_against_a_list(void **state)
{
	struct page_tree tree = { NULL, 0 };
	static u64 have[600];
	struct page *page;
	u32 n = 0;

	for (int round = 0; round < 4000; round++) {
		u64 i = some_index(), first;
		u32 k = 0;

		while (k < n && have[k] != i)
			k++;
		if (k < n) {
			assert_non_null(page_tree_get(&tree, i));
			put_page(page_tree_take(&tree, i));
			have[k] = have[--n];
		} else if (n < 500) {
			assert_null(page_tree_get(&tree, i));
			page = alloc_pages(0);
			assert_int_equal(page_tree_set(&tree, i, page), 0);
			have[n++] = i;
		}
		assert_null(page_tree_take(&tree, UINT64_MAX));
		first = some_index();
		i = UINT64_MAX;
		for (k = 0; k < n; k++) {
			if (have[k] >= first)
				i = min(i, have[k]);
		}
		page = page_tree_next(&tree, &first);
		assert_true(page ? first == i : i == UINT64_MAX);
	}
	while (n)
		put_page(page_tree_take(&tree, have[--n]));
	assert_null(tree.root);
	assert_int_equal(tree.height, 0);
}

static void test_page_tree_without_memory(void **state)
{
	struct page *page = alloc_pages(0), *other = alloc_pages(0);
	unsigned long before = host_allocs_outstanding();
	struct page_tree tree = { NULL, 0 };
	int tries = 0;

	assert_int_equal(page_tree_set(&tree, 3, page), 0);
	for (unsigned long n = 1; ; n++, tries++) {
		host_fail_alloc(n);
		if (!page_tree_set(&tree, 1ull << 40, other))
			break;
		assert_ptr_equal(page_tree_get(&tree, 3), page);
		assert_null(page_tree_get(&tree, 1ull << 40));
	}
	assert_true(tries > 5);
	host_fail_alloc(0);
	assert_ptr_equal(page_tree_take(&tree, 1ull << 40), other);
	assert_ptr_equal(page_tree_take(&tree, 3), page);
	assert_int_equal(host_allocs_outstanding(), before);
	put_page(page);
	put_page(other);
}

/* --- contents --- */

#define MODEL_SIZE 30000u

static char model[MODEL_SIZE], got[MODEL_SIZE];

/* A random operation on the file and on the model; the new size. */
static size_t random_op(int fd, size_t size)
{
	size_t pos = get_random_below(MODEL_SIZE);
	size_t n = get_random_below(MODEL_SIZE - (u32)pos) /
		   (1 + get_random_below(20));
	char fill = (char)(1 + get_random_below(100));

	switch (get_random_below(4)) {
	case 0:
		assert_int_equal(sys_ftruncate(fd, (loff_t)pos), 0);
		if (pos < size)
			memset(model + pos, 0, MODEL_SIZE - pos);
		return pos;
	case 1:
		if (!n)
			return size;
		assert_int_equal(sys_fallocate(fd, 3, (loff_t)pos, (loff_t)n),
				 0);
		memset(model + pos, 0, n);
		return size;
	default:
		memset(got, fill, n);
		assert_int_equal(sys_pwrite64(fd, got, n, (loff_t)pos), n);
		memset(model + pos, fill, n);
		return n ? max(size, pos + n) : size;
	}
}

static void check_model(int fd, size_t size)
{
	size_t at = get_random_below(MODEL_SIZE);
	loff_t data = sys_lseek(fd, 0, SEEK_DATA);

	assert_int_equal(sys_lseek(fd, 0, 2), size);
	assert_int_equal(sys_pread64(fd, got, MODEL_SIZE, 0), size);
	assert_memory_equal(got, model, size);
	if (at < size) {
		assert_int_equal(sys_pread64(fd, got, MODEL_SIZE, (loff_t)at),
				 size - at);
		assert_memory_equal(got, model + at, size - at);
	}
	/* What is said to be a hole is zero. */
	for (loff_t i = 0; i < (data < 0 ? (loff_t)size : data); i++)
		assert_int_equal(model[i], 0);
}

static void against_model(const char *path, const char *text)
{
	int fd = (int)sys_open(path, O_RDWR | O_CREAT, 0600);
	size_t size = strlen(text);

	memset(model, 0, sizeof(model));
	memcpy(model, text, size);
	check_model(fd, size);
	for (int i = 0; i < 600; i++) {
		size = random_op(fd, size);
		check_model(fd, size);
	}
	sys_close(fd);
}

static void test_contents_of_a_new_file(void **state)
{
	against_model("/tmp/f", "");
	assert_int_equal(sys_unlink("/tmp/f"), 0);
}

static void test_contents_over_the_archive(void **state)
{
	against_model("/bin/prog", "#!elf");
	against_model("/two", "linked");
}

static void test_hard_links_of_the_archive(void **state)
{
	int fd = (int)sys_open("/one", O_RDWR, 0);

	assert_int_equal(sys_stat("/two", &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(sys_pwrite64(fd, "L", 1, 0), 1);
	fd = (int)sys_open("/two", O_RDONLY, 0);
	assert_int_equal(sys_read(fd, got, 10), 6);
	assert_memory_equal(got, "Linked", 6);
	/* The archive itself is never written. */
	assert_memory_equal(initramfs_lookup("two")->data, "linked", 6);
}

static void test_bad_buffers(void **state)
{
	static char page[8192];
	int fd = (int)sys_open("/tmp/f", O_RDWR | O_CREAT, 0600);

	memset(page, 7, sizeof(page));
	host_bad_user(page + 4096, 4096);
	assert_int_equal(sys_pwrite64(fd, page, 8192, 100), 4096);
	assert_int_equal(sys_pwrite64(fd, page + 4096, 10, 0), -EFAULT);
	assert_int_equal(sys_pread64(fd, page, 8192, 0), 4096);
	assert_int_equal(sys_pread64(fd, page + 4096, 10, 0), -EFAULT);
	host_good_user();
	assert_int_equal(sys_lseek(fd, 0, 2), 4196);
}

static void test_shared_pages(void **state)
{
	int fd = (int)sys_memfd_create("x", 0), err;
	struct inode *inode = vfs_file(current->files->fd[fd])->inode;
	struct page *page;

	assert_null(tmpfs_get_page(inode, 0, &err));
	assert_int_equal(err, -ENXIO);
	assert_int_equal(sys_ftruncate(fd, 10), 0);
	page = tmpfs_get_page(inode, 0, &err);
	memcpy(page_address(page), "mapped", 6);
	assert_int_equal(sys_pread64(fd, got, 100, 0), 10);
	assert_memory_equal(got, "mapped\0\0\0\0", 10);
	/* A mapping keeps its page when the file ends before it. */
	assert_int_equal(sys_ftruncate(fd, 0), 0);
	assert_int_equal(atomic_read(&page->refs), 1);
	put_page(page);
	assert_null(tmpfs_get_page(inode, 1, &err));
}

/* --- names --- */

static void test_names_at_random(void **state)
{
	static bool there[40];
	char path[32], to[32];

	for (int i = 0; i < 3000; i++) {
		u32 a = get_random_below(40), b = get_random_below(40);
		long err;

		snprintf(path, sizeof(path), "/tmp/%u", a);
		snprintf(to, sizeof(to), "/tmp/%u", b);
		switch (get_random_below(4)) {
		case 0:
			err = sys_open(path, O_CREAT | O_EXCL, 0600);
			assert_int_equal(err >= 0, !there[a]);
			if (err >= 0)
				sys_close((int)err);
			there[a] = true;
			break;
		case 1:
			err = sys_unlink(path);
			assert_int_equal(err, there[a] ? 0 : -ENOENT);
			there[a] = false;
			break;
		case 2:
			err = sys_rename(path, to);
			assert_int_equal(err, there[a] ? 0 : -ENOENT);
			/* Links of one file stay both. */
			if (!err && sys_stat(path, &st)) {
				there[a] = false;
				there[b] = true;
			}
			break;
		default:
			err = sys_link(path, to);
			assert_int_equal(err, !there[a] ? -ENOENT :
					 there[b] ? -EEXIST : 0);
			there[b] |= !err;
			break;
		}
	}
	for (u32 a = 0; a < 40; a++) {
		snprintf(path, sizeof(path), "/tmp/%u", a);
		assert_int_equal(sys_stat(path, &st) == 0, there[a]);
	}
	memset(there, 0, sizeof(there));
}

static void test_deleted_paths(void **state)
{
	char path[64] = "";

	assert_int_equal(sys_mkdir("/tmp/d", 0755), 0);
	assert_int_equal(sys_chdir("/tmp/d"), 0);
	assert_int_equal(sys_rename("/tmp/d", "/tmp/e"), 0);
	assert_int_equal(sys_getcwd(path, 64), 7);
	assert_string_equal(path, "/tmp/e");
	assert_int_equal(sys_rmdir("/tmp/e"), 0);
	assert_int_equal(sys_getcwd(path, 64), -ENOENT);
	assert_true(sys_readlink("/proc/self/cwd", path, 64) == 16);
	assert_memory_equal(path, "/tmp/e (deleted)", 16);
	assert_int_equal(sys_mkdir("x", 0755), -ENOENT);
	assert_int_equal(sys_chdir(".."), 0);
}

/* --- no memory --- */

static long make_file(void)
{
	return sys_open("/tmp/new", O_CREAT | O_RDWR, 0600);
}

static long make_dir(void)
{
	return sys_mkdir("/tmp/dir", 0755);
}

static long make_symlink(void)
{
	return sys_symlink("target", "/tmp/sym");
}

static long make_link(void)
{
	return sys_link("/bin/prog", "/tmp/hard");
}

static long do_rename(void)
{
	return sys_rename("/tmp/hard", "/tmp/other");
}

static long make_memfd(void)
{
	return sys_memfd_create("name", 0);
}

static long write_far(void)
{
	return sys_pwrite64(0, "x", 1, 1l << 40);
}

/* What /proc/sys/net/ipv4 takes, and what it refuses. */
static void test_a_number_of_proc_sys_is_set(void **state)
{
	static u32 knob[2] = { 1, 2 };
	static const struct sysctl_entry table[] = {
		{ "knob", knob, 2, 1, 10 }, { NULL, NULL, 0, 0, 0 },
	};
	static const char *const bad[] = { "0", "11", "1 2 3", "x", "", "1x" };
	char text[16] = "";
	int fd;

	proc_sysctl_register(table);
	assert_int_equal(sys_open("/proc/sys/net/ipv4/nob", O_RDWR, 0),
			 -ENOENT);
	fd = (int)sys_open("/proc/sys/net/ipv4/knob", O_RDWR | O_TRUNC, 0);
	assert_true(fd >= 0);
	assert_int_equal(sys_pwrite64(fd, "7\n", 2, 0), 2);
	assert_int_equal(knob[0], 7);
	assert_int_equal(knob[1], 2);
	assert_int_equal(sys_pwrite64(fd, " 3\t4\n", 5, 0), 5);
	assert_int_equal(sys_pread64(fd, text, 16, 0), 4);
	assert_string_equal(text, "3\t4\n");
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sys_pwrite64(fd, bad[i], strlen(bad[i]), 0),
				 bad[i][0] ? -EINVAL : 0);
	assert_int_equal(knob[0], 3);
	sys_close(fd);
	/* What cannot be set cannot be opened for it. */
	assert_int_equal(sys_open("/proc/sys/net/ipv4/tcp_fin_timeout",
				  O_WRONLY, 0), -EACCES);
}

static long read_proc(void)
{
	int fd = (int)sys_open("/proc/self/limits", O_RDONLY, 0);
	long n = fd < 0 ? fd : sys_read(fd, got, 100);

	if (fd >= 0)
		sys_close(fd);
	return n;
}

static void test_no_memory_for_calls(void **state)
{
	long (*const calls[])(void) = {
		make_file, make_dir, make_symlink, make_link, do_rename,
		make_memfd, write_far, read_proc,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned long before = host_allocs_outstanding();
		unsigned long n = 1;
		long ret;

		for (;; n++) {
			host_fail_alloc(n);
			ret = calls[i]();
			if (!host_alloc_failed())
				break;
			if (ret != -ENOMEM && ret != -ENOSPC)
				fail_msg("call %zu, allocation %lu: %ld", i, n,
					 ret);
			/* A file may have been made before its open failed. */
			if (sys_unlink("/tmp/new"))
				assert_int_equal(host_allocs_outstanding(),
						 before);
		}
		assert_true(ret >= 0 && n > 1);
	}
}

static void test_no_memory_for_the_root(void **state)
{
	unsigned long before;

	rootfs_forget();
	before = host_allocs_outstanding();
	for (unsigned long n = 1;; n++) {
		host_fail_alloc(n);
		if (!rootfs_init())
			break;
		assert_null(root_dentry);
		assert_int_equal(host_allocs_outstanding(), before);
	}
	host_fail_alloc(0);
	assert_int_equal(sys_stat("/bin/prog", &st), 0);
}

static void test_memory_is_tight(void **state)
{
	int fd = (int)make_file();

	host_fail_all_allocs(true);
	assert_int_equal(sys_pwrite64(fd, "x", 1, 0), -ENOSPC);
	assert_int_equal(sys_fallocate(fd, 0, 0, 1), -ENOSPC);
	host_fail_all_allocs(false);
	assert_int_equal(sys_fallocate(fd, 0, 0, 1l << 50), -ENOSPC);
	assert_int_equal(sys_lseek(fd, 0, 2), 0);
	assert_int_equal(sys_pwrite64(fd, "x", 1, 0), 1);
}

/* --- sendfile from where the bytes are --- */

static char sent[40000];
static size_t nr_sent, may_take, in_place;
static const void *first_at;

static ssize_t sink_write(struct file *file, struct iov_iter *from,
			  loff_t *pos)
{
	size_t n = copy_from_iter(sent + nr_sent, from->count, from);

	nr_sent += n;
	return (ssize_t)n;
}

static ssize_t sink_write_pages(struct file *file, const struct page_run *run,
				u32 nr, bool more)
{
	size_t done = 0;

	assert_in_range(nr, 1, WRITE_RUNS);
	if (!may_take)
		return -EOPNOTSUPP;
	first_at = run->data;
	for (; nr-- && done < may_take; run++) {
		size_t n = min(run->len, may_take - done);

		if (run->page)
			assert_ptr_equal(virt_to_page(run->data), run->page);
		memcpy(sent + nr_sent, run->data, n);
		nr_sent += n;
		done += n;
	}
	in_place += done;
	may_take -= done;
	return (ssize_t)done;
}

static const struct file_operations sink_fops = {
	.write_iter = sink_write,
	.write_pages = sink_write_pages,
	.name = "sink",
};

static int open_sink(size_t takes)
{
	int fd = get_unused_fd_flags(0);

	fd_install(fd, file_alloc(&sink_fops, NULL, O_RDWR));
	nr_sent = in_place = 0;
	may_take = takes;
	return fd;
}

static void test_sendfile_from_the_archive(void **state)
{
	int in = (int)sys_open("/bin/prog", O_RDONLY, 0);
	int out = open_sink(1000);

	assert_int_equal(sys_sendfile(out, in, NULL, 100), 5);
	assert_int_equal(in_place, 5);
	assert_memory_equal(sent, "#!elf", 5);
	assert_true(initramfs_holds(first_at, 5));
	assert_int_equal(sys_sendfile(out, in, NULL, 100), 0);
}

/* Pages go as they are, holes are copied, and a short count ends it. */
static void test_sendfile_of_pages(void **state)
{
	int in = (int)sys_open("/pages", O_CREAT | O_RDWR, 0600);
	char want[30000] = "";
	loff_t off = 50;
	int out;

	for (u32 i = 0; i < 9000; i++)
		want[i] = (char)(i * 7 + (i >> 8));
	assert_int_equal(sys_pwrite64(in, want, 9000, 0), 9000);
	assert_int_equal(sys_ftruncate(in, sizeof(want)), 0);
	out = open_sink(SIZE_MAX);
	assert_int_equal(sys_sendfile(out, in, &off, 100000), 29950);
	assert_int_equal(off, sizeof(want));
	assert_int_equal(nr_sent, 29950);
	assert_memory_equal(sent, want + 50, 29950);
	assert_int_equal(in_place, 3 * 4096 - 50);
	off = 1;
	out = open_sink(5000);
	assert_int_equal(sys_sendfile(out, in, &off, 100000), 5000);
	assert_int_equal(off, 5001);
	assert_memory_equal(sent, want + 1, 5000);
	/* One that cannot keep pages gets copies. */
	out = open_sink(0);
	assert_int_equal(sys_sendfile(out, in, &off, 2000), 2000);
	assert_memory_equal(sent, want + 5001, 2000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_page_tree_against_a_list),
		T(test_page_tree_without_memory),
		T(test_contents_of_a_new_file),
		T(test_contents_over_the_archive),
		T(test_hard_links_of_the_archive),
		T(test_bad_buffers),
		T(test_shared_pages),
		T(test_names_at_random),
		T(test_deleted_paths),
		T(test_no_memory_for_calls),
		T(test_no_memory_for_the_root),
		T(test_memory_is_tight),
		T(test_a_number_of_proc_sys_is_set),
		T(test_sendfile_from_the_archive),
		T(test_sendfile_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
