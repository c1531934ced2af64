/*
 * Paths: walking, opening, stat, directories, devices and the console file.
 * sources: vfs fs/fcntl.c fs/read_write.c
 */
#include "tests/unit/cpio_fixture.h"

#include "fs/exec.h"
#include "fs/namei.h"
#include "fs/rootfs.h"
#include "kernel/console_input.h"
#include "kernel/errno.h"
#include "tests/unit/fs_fixture.h"

long sys_open(const char *path, u32 flags, u32 mode);
long sys_openat(int dfd, const char *path, u32 flags, u32 mode);
long sys_close(int fd);
long sys_read(int fd, void *buf, size_t n);
long sys_write(int fd, const void *buf, size_t n);
long sys_pread64(int fd, void *buf, size_t n, loff_t pos);
long sys_lseek(int fd, loff_t off, int whence);
long sys_ioctl(int fd, unsigned int cmd, unsigned long arg);
long sys_fcntl(int fd, unsigned int cmd, unsigned long arg);
long sys_stat(const char *path, struct user_stat *to);
long sys_lstat(const char *path, struct user_stat *to);
long sys_fstat(int fd, struct user_stat *to);
long sys_newfstatat(int dfd, const char *path, struct user_stat *to,
		    u32 flags);
long sys_access(const char *path, int mode);
long sys_faccessat2(int dfd, const char *path, int mode, u32 flags);
long sys_readlink(const char *path, char *to, int size);
long sys_getcwd(char *to, size_t size);
long sys_chdir(const char *path);
long sys_chroot(const char *path);
long sys_fchdir(int fd);
long sys_getdents64(int fd, char *to, u32 count);

static struct user_stat st;

const char *exec_path(void)
{
	return "/bin/busybox";
}

static int setup(void **state)
{
	fs_setup();
	len = 0;
	next_ino = 0;
	put("bin/busybox", "#!elf");
	put_bytes("bin/sh", "busybox", 7, S_IFLNK | 0777);
	put_bytes("sbin", "/bin", 4, S_IFLNK | 0777);
	put_bytes("up", "../../etc/../bin/./sh", 21, S_IFLNK | 0777);
	put_bytes("loop1", "loop2", 5, S_IFLNK | 0777);
	put_bytes("loop2", "/loop1", 6, S_IFLNK | 0777);
	put_bytes("dangling", "nowhere", 7, S_IFLNK | 0777);
	put_full("etc", "", S_IFDIR | 0755, 77, 2);
	put_bytes("etc/motd", "welcome\n", 8, S_IFREG | 0644);
	put("a/b/c/deep", "deep");
	put_bytes("a/b/link", "/c", 2, S_IFLNK | 0777);
	trailer();
	assert_int_equal(initramfs_init(buf, len), 0);
	assert_int_equal(rootfs_init(), 0);
	return 0;
}

static int teardown(void **state)
{
	struct files_struct *files = current->files;

	files_put(files);
	current->files = files_create();
	rootfs_forget();
	initramfs_forget();
	fs_teardown();
	return 0;
}

static void test_walking(void **state)
{
	static const struct {
		const char *path;
		long err;
		u64 size;
	} cases[] = {
		{ "/bin/busybox", 0, 5 },
		{ "bin/busybox", 0, 5 },
		{ "//bin///busybox", 0, 5 },
		{ "/bin/../bin/./busybox", 0, 5 },
		{ "/../../bin/busybox", 0, 5 },
		{ "/bin/sh", 0, 5 },
		{ "/sbin/sh", 0, 5 },
		{ "/up", 0, 5 },
		{ "/a/b/c/deep", 0, 4 },
		{ "/a/b/../b/c/deep", 0, 4 },
		{ "/a/b", 0, 0 },
		{ "/", 0, 0 },
		{ "/dev", 0, 0 },
		{ "/dev/null", 0, 0 },
		{ "/nope", -ENOENT, 0 },
		{ "/a/x/deep", -ENOENT, 0 },
		{ "", -ENOENT, 0 },
		{ "/dangling", -ENOENT, 0 },
		{ "/loop1", -ELOOP, 0 },
		{ "/loop1/x", -ELOOP, 0 },
		{ "/etc/motd/x", -ENOTDIR, 0 },
		{ "/etc/motd/", -ENOTDIR, 0 },
		{ "/etc/motd/..", -ENOTDIR, 0 },
		{ "/proc/self/exe/x", -ENOTDIR, 0 },
		{ "/dev/null/x", -ENOTDIR, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long err = sys_stat(cases[i].path, &st);

		if (err != cases[i].err ||
		    (!err && (u64)st.st_size != cases[i].size))
			fail_msg("%s: %ld, size %ld", cases[i].path, err,
				 (long)st.st_size);
	}
}

static void test_path_limits(void **state)
{
	static char longest[PATH_MAX + 10];

	memset(longest, 'x', sizeof(longest) - 1);
	assert_int_equal(sys_stat(longest, &st), -ENAMETOOLONG);
	longest[PATH_MAX - 1] = '\0';
	assert_int_equal(sys_stat(longest, &st), -ENAMETOOLONG);
	longest[PATH_MAX - 3] = '\0';
	/* One name is too long, many short ones are not. */
	assert_int_equal(sys_stat(longest, &st), -ENAMETOOLONG);
	for (size_t i = 1; i < PATH_MAX - 3; i += 2)
		longest[i] = '/';
	assert_int_equal(sys_stat(longest, &st), -ENOENT);
	assert_int_equal(sys_stat(NULL, &st), -EFAULT);
	assert_int_equal(sys_stat("/", NULL), -EFAULT);
	host_fail_alloc(1);
	assert_int_equal(sys_stat("/", &st), -ENOMEM);
}

static void test_stat_fields(void **state)
{
	int fd = (int)sys_open("/etc/motd", O_RDONLY, 0);
	static struct probe p;

	assert_int_equal(sys_fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(st.st_blocks, 1);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtim.tv_sec, 1234567);
	assert_int_equal(sys_lstat("/bin/sh", &st), 0);
	assert_int_equal(st.st_mode, S_IFLNK | 0777);
	assert_int_equal(sys_stat("/dev/zero", &st), 0);
	assert_int_equal(st.st_mode, S_IFCHR | 0666);
	assert_int_equal(st.st_rdev, MKDEV(1, 5));
	assert_int_equal(sys_stat("/etc", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(sys_fstat(probe_open(&p), &st), 0);
	assert_int_equal(st.st_mode, 0600);
	assert_int_equal(sys_fstat(99, &st), -EBADF);
	assert_int_equal(sys_newfstatat(fd, "", &st, AT_EMPTY_PATH), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(sys_newfstatat(AT_FDCWD, "/bin/sh", &st,
					AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFLNK | 0777);
	assert_int_equal(sys_newfstatat(AT_FDCWD, "/", &st, 1), -EINVAL);
}

static void test_reading_a_file(void **state)
{
	int fd = (int)sys_open("/etc/motd", O_RDONLY | O_CLOEXEC, 0);
	char text[16];

	assert_int_equal(sys_read(fd, text, 3), 3);
	assert_int_equal(sys_read(fd, text + 3, 13), 5);
	assert_memory_equal(text, "welcome\n", 8);
	assert_int_equal(sys_read(fd, text, 1), 0);
	assert_int_equal(sys_pread64(fd, text, 4, 3), 4);
	assert_memory_equal(text, "come", 4);
	assert_int_equal(sys_pread64(fd, text, 4, 100), 0);
	assert_int_equal(sys_lseek(fd, -3, 2), 5);
	assert_int_equal(sys_lseek(fd, -1, 1), 4);
	assert_int_equal(sys_read(fd, text, 1), 1);
	assert_int_equal(text[0], 'o');
	assert_int_equal(sys_lseek(fd, -1, 0), -EINVAL);
	assert_int_equal(sys_lseek(fd, 0, 9), -EINVAL);
	assert_int_equal(sys_lseek(fd, 0, 0), 0);
	assert_int_equal(sys_read(fd, NULL, 1), -EFAULT);
	assert_int_equal(sys_write(fd, "x", 1), -EBADF);
	assert_int_equal(sys_fcntl(fd, 1, 0), 1);
	assert_int_equal(sys_fcntl(fd, 3, 0), O_LARGEFILE);
}

ssize_t (*mmap_read_file)(int fd, u64 pos, void *buf, size_t n);

static void test_mmap_reads_through_the_hook(void **state)
{
	int fd = (int)sys_open("/etc/motd", O_RDONLY, 0);
	int con = (int)sys_open("/dev/console", O_RDWR, 0);
	char text[16];

	read_write_init();
	assert_int_equal(mmap_read_file(fd, 3, text, 16), 5);
	assert_memory_equal(text, "come\n", 5);
	assert_int_equal(mmap_read_file(fd, 8, text, 16), 0);
	assert_int_equal(mmap_read_file(fd, 0, text, 0), 0);
	assert_int_equal(mmap_read_file(con, 0, text, 1), -ENODEV);
	assert_int_equal(mmap_read_file(99, 0, text, 1), -EBADF);
}

static void test_open_errors(void **state)
{
	unsigned long before;

	assert_int_equal(sys_open("/nope", O_RDONLY, 0), -ENOENT);
	assert_int_equal(sys_open("/nope/x", O_RDWR | O_CREAT, 0), -ENOENT);
	assert_int_equal(sys_open("/new/", O_RDWR | O_CREAT, 0), -EISDIR);
	assert_int_equal(sys_open("/etc/motd", O_CREAT | O_EXCL, 0), -EEXIST);
	assert_int_equal(sys_open("/etc/motd", O_DIRECTORY, 0), -ENOTDIR);
	assert_int_equal(sys_open("/etc", O_RDWR, 0), -EISDIR);
	assert_int_equal(sys_open("/bin/sh", O_NOFOLLOW, 0), -ELOOP);
	assert_int_equal(sys_open("/loop1", O_RDONLY, 0), -ELOOP);
	assert_int_equal(sys_open(NULL, O_RDONLY, 0), -EFAULT);
	host_nofile = 0;
	assert_int_equal(sys_open("/etc/motd", O_RDONLY, 0), -EMFILE);
	host_nofile = 100;
	before = host_allocs_outstanding();
	for (unsigned long n = 1; n <= 3; n++) {
		host_fail_alloc(n);
		assert_int_equal(sys_open("/etc/motd", O_RDONLY, 0), -ENOMEM);
		assert_int_equal(host_allocs_outstanding(), before);
	}
	host_fail_alloc(0);
	assert_int_equal(sys_open("/etc/motd", O_RDONLY, 0), 0);
}

/* "/", links and ".." end at the new root; what is open leads past it. */
static void test_chroot(void **state)
{
	int outside = sys_open("/etc", O_RDONLY, 0), fd;
	char path[32];

	assert_int_equal(sys_chroot("nope"), -ENOENT);
	assert_int_equal(sys_chroot("/etc/motd"), -ENOTDIR);
	assert_int_equal(sys_chroot("/a/b"), 0);
	assert_int_equal(sys_stat("/bin", &st), -ENOENT);
	assert_int_equal(sys_stat("/c/deep", &st), 0);
	assert_int_equal(sys_stat("/../../c/../c/deep", &st), 0);
	/* The current directory has stayed outside. */
	assert_int_equal(sys_stat("etc/motd", &st), 0);
	assert_int_equal(sys_chdir("/c"), 0);
	assert_int_equal(sys_getcwd(path, 32), 3);
	assert_string_equal(path, "/c");
	assert_int_equal(sys_chdir("../.."), 0);
	assert_int_equal(sys_getcwd(path, 32), 2);
	assert_int_equal(sys_stat("etc", &st), -ENOENT);
	/* A link that begins with a slash. */
	assert_int_equal(sys_stat("link/deep", &st), 0);
	fd = sys_openat(outside, "motd", O_RDONLY, 0);
	assert_true(fd >= 0);
	sys_close(fd);
	/* And out again, as root may. */
	assert_int_equal(sys_fchdir(outside), 0);
	assert_int_equal(sys_chroot(".."), 0);
	assert_int_equal(sys_stat("/bin/busybox", &st), 0);
	host_not_root = true;
	assert_int_equal(sys_chroot("/"), -EPERM);
	assert_int_equal(sys_chroot("/nope"), -ENOENT);
	host_not_root = false;
	sys_close(outside);
}

static void test_openat_and_cwd(void **state)
{
	char path[32];
	int etc = (int)sys_open("/etc", O_RDONLY | O_DIRECTORY, 0);
	int motd = (int)sys_openat(etc, "motd", O_RDONLY, 0);

	assert_true(motd > 0);
	assert_int_equal(sys_openat(motd, "x", O_RDONLY, 0), -ENOTDIR);
	assert_int_equal(sys_openat(99, "x", O_RDONLY, 0), -EBADF);
	assert_true(sys_openat(99, "/etc/motd", O_RDONLY, 0) > 0);
	assert_int_equal(sys_getcwd(path, 32), 2);
	assert_string_equal(path, "/");
	assert_int_equal(sys_chdir("/sbin"), 0);
	assert_int_equal(sys_getcwd(path, 32), 5);
	assert_string_equal(path, "/bin");
	assert_int_equal(sys_stat("busybox", &st), 0);
	assert_int_equal(sys_stat("../etc/motd", &st), 0);
	assert_int_equal(sys_getcwd(path, 4), -ERANGE);
	assert_int_equal(sys_getcwd(NULL, 32), -EFAULT);
	assert_int_equal(sys_chdir("busybox"), -ENOTDIR);
	assert_int_equal(sys_chdir("nope"), -ENOENT);
	assert_int_equal(sys_fchdir(etc), 0);
	assert_int_equal(sys_stat("motd", &st), 0);
	assert_int_equal(sys_fchdir(motd), -ENOTDIR);
	assert_int_equal(sys_fchdir(99), -EBADF);
}

static void test_access(void **state)
{
	assert_int_equal(sys_access("/bin/sh", 1), 0);
	assert_int_equal(sys_access("/etc/motd", 4), 0);
	assert_int_equal(sys_access("/etc/motd", 1), -EACCES);
	assert_int_equal(sys_access("/etc/motd", 2), 0);
	assert_int_equal(sys_access("/dev/null", 6), 0);
	assert_int_equal(sys_access("/etc", 5), 0);
	assert_int_equal(sys_access("/nope", 0), -ENOENT);
	assert_int_equal(sys_access("/etc", 8), -EINVAL);
	assert_int_equal(sys_faccessat2(AT_FDCWD, "/dangling", 0,
					AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(sys_faccessat2(AT_FDCWD, "/etc", 0, 1), -EINVAL);
}

static void test_readlink(void **state)
{
	char to[32] = "";

	assert_int_equal(sys_readlink("/bin/sh", to, 32), 7);
	assert_memory_equal(to, "busybox", 7);
	assert_int_equal(sys_readlink("/bin/sh", to, 3), 3);
	assert_int_equal(sys_readlink("/bin/sh", to, 0), -EINVAL);
	assert_int_equal(sys_readlink("/bin/busybox", to, 32), -EINVAL);
	assert_int_equal(sys_readlink("/nope", to, 32), -ENOENT);
	assert_int_equal(sys_readlink("/bin/sh", NULL, 32), -EFAULT);
	assert_int_equal(sys_readlink("/proc/self/exe", to, 32), 12);
	assert_memory_equal(to, "/bin/busybox", 12);
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names in @path, sorted, each with a space, @room bytes at a time. */
static const char *listing(const char *path, u32 room)
{
	static char names[1024], ents[40][512];
	int fd = (int)sys_open(path, O_RDONLY | O_DIRECTORY, 0);
	char *sorted[100];
	int nr = 0, calls = 0;
	long n;

	while ((n = sys_getdents64(fd, ents[calls], room)) > 0) {
		for (long at = 0; at < n;) {
			u16 reclen;

			memcpy(&reclen, ents[calls] + at + 16, 2);
			sorted[nr++] = ents[calls] + at + 19;
			at += reclen;
		}
		calls++;
	}
	assert_int_equal(n, 0);
	sys_close(fd);
	qsort(sorted, nr, sizeof(sorted[0]), cmp_names);
	names[0] = '\0';
	for (int i = 0; i < nr; i++) {
		strcat(names, sorted[i]);
		strcat(names, " ");
	}
	return names;
}

static void test_directories(void **state)
{
	char ents[16];
	int fd;

	for (u32 room = 40; room <= 512; room += 59) {
		assert_string_equal(listing("/", room),
				    ". .. a bin dangling dev etc loop1 loop2 "
				    "proc run sbin sys tmp up var ");
		assert_string_equal(listing("/bin", room),
				    ". .. busybox sh ");
		assert_string_equal(listing("/a/b", room), ". .. c link ");
		assert_string_equal(listing("/dev", room),
				    ". .. console fd full null random shm "
				    "stderr stdin stdout tty urandom zero ");
	}
	fd = (int)sys_open("/", O_RDONLY, 0);
	assert_int_equal(sys_getdents64(fd, ents, 16), -EINVAL);
	assert_int_equal(sys_getdents64(fd, NULL, 512), -EFAULT);
	assert_int_equal(sys_read(fd, ents, 16), -EISDIR);
	fd = (int)sys_open("/etc/motd", O_RDONLY, 0);
	assert_int_equal(sys_getdents64(fd, ents, 16), -ENOTDIR);
	assert_int_equal(sys_getdents64(99, ents, 16), -EBADF);
}

static void test_devices(void **state)
{
	int null = (int)sys_open("/dev/null", O_RDWR, 0);
	int zero = (int)sys_open("/dev/zero", O_RDWR, 0);
	int full = (int)sys_open("/dev/full", O_RDWR, 0);
	int rnd = (int)sys_open("/dev/urandom", O_RDWR, 0);
	static char data[1000], copy[1000];

	assert_int_equal(sys_read(null, data, 10), 0);
	assert_int_equal(sys_write(null, data, 1000), 1000);
	memset(data, 1, sizeof(data));
	assert_int_equal(sys_read(zero, data, 1000), 1000);
	assert_memory_equal(data, copy, 1000);
	assert_int_equal(sys_read(full, data, 10), 10);
	assert_int_equal(sys_write(full, data, 10), -ENOSPC);
	assert_int_equal(sys_read(rnd, data, 1000), 1000);
	assert_int_equal(sys_read(rnd, copy, 1000), 1000);
	assert_memory_not_equal(data, copy, 1000);
	assert_int_equal(sys_write(rnd, data, 1000), 1000);
	assert_int_equal(sys_lseek(null, 5, 0), 0);
	assert_int_equal(sys_fstat(null, &st), 0);
	assert_int_equal(st.st_mode, S_IFCHR | 0666);
	assert_int_equal(st.st_rdev, MKDEV(1, 3));
	host_bad_user(data + 500, 500);
	assert_int_equal(sys_read(zero, data, 1000), 500);
	assert_int_equal(sys_read(zero, data + 500, 10), -EFAULT);
	assert_int_equal(sys_write(rnd, data + 500, 10), -EFAULT);
}

static bool somebody_types(void *arg)
{
	console_input("ls\r", 3);
	return true;
}

static void test_console(void **state)
{
	int con = (int)sys_open("/dev/console", O_RDWR, 0);
	static char text[600];
	u16 ws[4];
	u32 termios[9];
	int n;

	memset(text, 'x', sizeof(text));
	assert_int_equal(sys_write(con, text, 600), 600);
	assert_int_equal(host_console_len(), 600);
	host_bad_user(text + 300, 1);
	assert_int_equal(sys_write(con, text, 600), 300);
	assert_int_equal(sys_write(con, text + 300, 6), -EFAULT);
	host_good_user();
	assert_int_equal(sys_ioctl(con, 0x5401, (u64)termios), 0);
	assert_int_equal(sys_ioctl(con, 0x5413, (u64)ws), 0);
	assert_int_equal(ws[1], 80);
	assert_int_equal(sys_ioctl(con, 0x5401, 0), -EFAULT);
	assert_int_equal(sys_ioctl(con, 0x1234, 0), -ENOTTY);
	/* Reading waits for a line. */
	host_on_idle = somebody_types;
	assert_int_equal(sys_read(con, text, 600), 3);
	assert_memory_equal(text, "ls\n", 3);
	sys_fcntl(con, 4, O_NONBLOCK);
	assert_int_equal(sys_read(con, text, 600), -EAGAIN);
	console_input("x", 1);
	assert_int_equal(sys_ioctl(con, 0x541b, (u64)&n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(sys_read(con, NULL, 1), -EFAULT);
	assert_int_equal(sys_lseek(con, 0, 0), -ESPIPE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_walking),
		T(test_path_limits),
		T(test_stat_fields),
		T(test_reading_a_file),
		T(test_mmap_reads_through_the_hook),
		T(test_open_errors),
		T(test_openat_and_cwd), T(test_chroot),
		T(test_access),
		T(test_readlink),
		T(test_directories),
		T(test_devices),
		T(test_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
