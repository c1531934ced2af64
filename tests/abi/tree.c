/* Files and directories in a tmpfs: made, moved, read and removed. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define FALLOC_PUNCH_HOLE 3	/* with KEEP_SIZE */

static int rename2(const char *a, const char *b, unsigned int flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

void tree_enter(void)
{
	char path[] = "/dev/shm/abiXXXXXX";

	if (!mkdtemp(path) || chdir(path))
		say("mkdtemp: %s", errno_name(errno));
	umask(022);
}

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[600];

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path)) {
			remove_all(path);
			rmdir(path);
		}
	}
	if (d)
		closedir(d);
}

void tree_leave(void)
{
	char path[64];

	remove_all(".");
	if (getcwd(path, sizeof(path)) && !chdir("/"))
		TRY(rmdir(path) ? -1 : 0);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	write(fd, text, strlen(text));
	close(fd);
}

static void show(const char *path)
{
	char text[128] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		say("%s: %s", path, errno_name(errno));
	else if (read(fd, text, 127) >= 0)
		say("%s: \"%s\"", path, text);
	close(fd);
}

static int cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path)
{
	char *names[64], line[512] = "";
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	while (d && n < 64 && (e = readdir(d))) {
		char one[300];

		snprintf(one, sizeof(one), "%s:%d", e->d_name, e->d_type);
		names[n++] = strdup(one);
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof(names[0]), cmp);
	for (int i = 0; i < n; i++) {
		strcat(strcat(line, " "), names[i]);
		free(names[i]);
	}
	say("%s has%s", path, line);
}

static void say_stat(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		say("%s: %s", path, errno_name(errno));
	else
		say("%s: mode %o links %d size %d", path, st.st_mode,
		    (int)st.st_nlink,
		    S_ISDIR(st.st_mode) ? 0 : (int)st.st_size);
}

CASE(tree_open)
{
	char buf[16];
	int fd;

	tree_enter();
	TRY(open("f", O_RDONLY));
	TRY(open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
	TRY(open("f", O_RDWR | O_CREAT | O_EXCL, 0666));
	say_stat("f");
	TRY(open("f", O_RDWR | O_CREAT, 0600));
	TRY(open("f/", O_RDONLY));
	TRY(open("f/x", O_RDONLY));
	TRY(open("f/x", O_CREAT | O_RDWR, 0600));
	TRY(open("new/", O_CREAT | O_RDWR, 0600));
	TRY(open("nodir/x", O_CREAT | O_RDWR, 0600));
	TRY(open(".", O_RDWR));
	TRY(open(".", O_CREAT, 0600));
	TRY(open(".", O_CREAT | O_EXCL, 0600));
	TRY(open("/", O_CREAT, 0600));
	TRY(open("f", O_RDONLY | O_DIRECTORY));
	put("f", "hello");
	fd = open("f", O_WRONLY | O_APPEND);
	TRY(write(fd, " you", 4));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(write(fd, "!", 1));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(pwrite(fd, "?", 1, 0));
	TRY(read(fd, buf, 1));
	show("f");
	fd = open("f", O_RDWR | O_TRUNC);
	say_stat("f");
	TRY(fcntl(fd, F_GETFL));
	TRY(read(fd, buf, 16));
	TRY(creat("f", 0));
	TRY(open("f", O_RDONLY | O_TRUNC));
	umask(077);
	TRY(open("private", O_CREAT | O_WRONLY, 0666));
	say_stat("private");
	TRY(umask(022));
	memset(buf, 'x', 16);
	list(".");
	tree_leave();
}

CASE(tree_names)
{
	char name[260];

	tree_enter();
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	TRY(creat(name, 0600) < 0 ? -1 : 0);
	TRY(mkdir(name, 0700));
	TRY(unlink(name));
	name[255] = 'n';
	name[256] = '\0';
	TRY(creat(name, 0600));
	TRY(mkdir(name, 0700));
	TRY(unlink(name));
	TRY(rename(name, "x"));
	TRY(mkdir("", 0700));
	TRY(mkdir(BAD_LOW, 0700));
	TRY(unlink(""));
	TRY(unlink(BAD_LOW));
	tree_leave();
}

CASE(tree_dirs)
{
	int fd;

	tree_enter();
	TRY(mkdir("d", 0777));
	TRY(mkdir("d", 0777));
	TRY(mkdir("d/", 0777));
	TRY(mkdir("e/", 0700));
	TRY(mkdir("no/where", 0777));
	TRY(mkdir(".", 0777));
	TRY(mkdir("..", 0777));
	TRY(mkdir("/", 0777));
	say_stat("d");
	say_stat("e");
	put("f", "x");
	TRY(mkdir("f/x", 0777));
	TRY(mkdir("f", 0777));
	TRY(mkdir("d/sub", 01777));
	say_stat("d");
	say_stat("d/sub");
	TRY(rmdir("d"));
	TRY(rmdir("f"));
	TRY(rmdir("none"));
	TRY(rmdir("d/."));
	TRY(rmdir("d/.."));
	TRY(rmdir("d/sub/"));
	TRY(unlink("d"));
	TRY(unlink("f/"));
	TRY(unlink("."));
	TRY(unlinkat(AT_FDCWD, "d", 0));
	TRY(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
	TRY(unlinkat(AT_FDCWD, "f", 1));
	TRY(unlinkat(77, "f", 0));
	fd = open("d", O_RDONLY | O_DIRECTORY);
	TRY(mkdirat(fd, "in", 0755));
	TRY(unlinkat(fd, "in", AT_REMOVEDIR));
	TRY(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	TRY(mkdirat(fd, "late", 0755));
	TRY(openat(fd, "late", O_CREAT | O_WRONLY, 0600));
	TRY(openat(fd, ".", O_RDONLY) < 0 ? -1 : 0);
	list(".");
	tree_leave();
}

CASE(tree_gone_cwd)
{
	char buf[PATH_MAX];

	tree_enter();
	mkdir("d", 0755);
	TRY(chdir("d"));
	TRY(rmdir("../d"));
	TRY(syscall(SYS_getcwd, buf, sizeof(buf)));
	TRY(creat("x", 0600));
	TRY(mkdir("x", 0600));
	TRY(chdir(".."));
	TRY(access(".", F_OK));
	tree_leave();
}

CASE(tree_links)
{
	char buf[32] = "";
	struct stat a, b;

	tree_enter();
	put("f", "data");
	TRY(link("f", "g"));
	TRY(link("f", "g"));
	TRY(link("none", "x"));
	TRY(link("f", "no/x"));
	mkdir("d", 0755);
	TRY(link("d", "e"));
	stat("f", &a);
	stat("g", &b);
	say("same %d links %d", a.st_ino == b.st_ino, (int)a.st_nlink);
	TRY(unlink("f"));
	say_stat("g");
	TRY(symlink("g", "s"));
	TRY(symlink("g", "s"));
	TRY(symlink("", "t"));
	TRY(symlink("nowhere", "dangling"));
	TRY(symlink("x", "no/t"));
	TRY(symlink("x", "t/"));
	say_stat("s");
	TRY(readlink("s", buf, sizeof(buf)));
	say("%s", buf);
	TRY(readlink("g", buf, sizeof(buf)));
	TRY(readlink("d", buf, sizeof(buf)));
	TRY(readlink("none", buf, sizeof(buf)));
	TRY(readlink("s", buf, 0));
	show("s");
	TRY(open("s", O_RDONLY | O_NOFOLLOW));
	TRY(open("dangling", O_RDONLY));
	TRY(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
	TRY(open("dangling", O_CREAT | O_WRONLY, 0600));
	say_stat("nowhere");
	TRY(symlink("loop", "loop"));
	TRY(open("loop", O_RDONLY));
	TRY(open("loop/x", O_RDONLY));
	TRY(stat("loop", &a));
	TRY(lstat("loop", &a));
	TRY(symlink("d", "dl"));
	TRY(rmdir("dl"));
	TRY(mkdir("dl/in", 0755));
	TRY(rmdir("dl/"));
	TRY(unlink("dl/"));
	TRY(linkat(AT_FDCWD, "s", AT_FDCWD, "h1", 0));
	TRY(linkat(AT_FDCWD, "s", AT_FDCWD, "h2", AT_SYMLINK_FOLLOW));
	TRY(linkat(AT_FDCWD, "s", AT_FDCWD, "h3", 1));
	say_stat("h1");
	say_stat("h2");
	list(".");
	tree_leave();
}

CASE(tree_rename)
{
	tree_enter();
	put("a", "A");
	put("b", "B");
	mkdir("d", 0755);
	mkdir("e", 0755);
	mkdir("d/in", 0755);
	TRY(rename("a", "b"));
	show("b");
	TRY(rename("a", "b"));
	TRY(rename("b", "d"));
	TRY(rename("d", "b"));
	TRY(rename("d", "d/in/x"));
	TRY(rename("d", "d/in"));
	TRY(rename("d/in", "d"));
	TRY(rename("d", "e"));
	list("e");
	say_stat(".");
	mkdir("f", 0755);
	put("f/x", "x");
	TRY(rename("e", "f"));
	TRY(rename("f", "f"));
	TRY(rename("b", "b"));
	TRY(rename("b", "f/b"));
	TRY(rename("f/b", "b/"));
	TRY(rename("f/b/", "b"));
	TRY(rename("f/", "g"));
	TRY(rename("g", "h/"));
	TRY(rename(".", "x"));
	TRY(rename("h", "."));
	TRY(rename("h", ".."));
	TRY(rename("none", "x"));
	TRY(rename("", "x"));
	TRY(rename("h", ""));
	TRY(rename("h", "no/x"));
	TRY(rename("h/x/y", "q"));
	put("l1", "L");
	link("l1", "l2");
	TRY(rename("l1", "l2"));
	say_stat("l1");
	TRY(rename2("h", "e", 1));
	TRY(rename2("l1", "n", 1));
	TRY(rename2("h", "n", 2));
	TRY(rename2("h", "none", 2));
	TRY(rename2("h", "n", 3));
	TRY(rename2("h", "n", 64));
	list(".");
	show("h");
	list("n");
	tree_leave();
}

CASE(tree_seek_and_size)
{
	char buf[64] = "";
	int fd;

	tree_enter();
	fd = open("f", O_CREAT | O_RDWR, 0600);
	TRY(lseek(fd, 10, SEEK_SET));
	say_stat("f");
	TRY(write(fd, "x", 1));
	say_stat("f");
	TRY(pread(fd, buf, 20, 5));
	say("%d %d %c", buf[0], buf[4], buf[5]);
	TRY(pread(fd, buf, 20, 11));
	TRY(pread(fd, buf, 20, -1));
	TRY(pwrite(fd, buf, 1, -1));
	TRY(lseek(fd, -1, SEEK_SET));
	TRY(lseek(fd, -12, SEEK_END));
	TRY(lseek(fd, 5, SEEK_END));
	TRY(lseek(fd, LONG_MAX, SEEK_CUR));
	TRY(lseek(fd, 0, 17));
	TRY(ftruncate(fd, 3));
	TRY(ftruncate(fd, 100000));
	TRY(pread(fd, buf, 20, 5));
	say("%d", buf[5]);
	TRY(ftruncate(fd, -1));
	TRY(truncate("f", 5));
	TRY(truncate("none", 5));
	TRY(truncate(".", 5));
	TRY(truncate("f", -5));
	TRY(truncate("f/x", 5));
	say_stat("f");
	TRY(ftruncate(open("f", O_RDONLY), 0));
	TRY(ftruncate(77, 0));
	TRY(ftruncate(open(".", O_RDONLY), 0));
	TRY(ftruncate(fd, 1l << 40));
	TRY(pwrite(fd, "end", 3, (1l << 40) - 3));
	TRY(pread(fd, buf, 8, (1l << 40) - 5));
	say("%d %s", buf[0], buf + 2);
	TRY(pwrite(fd, "x", 1, LONG_MAX));
	TRY(ftruncate(fd, 0));
	tree_leave();
}

CASE(tree_holes)
{
	int fd = open("/dev/shm/abi-holes", O_CREAT | O_RDWR | O_TRUNC, 0600);

	TRY(ftruncate(fd, 40960));
	TRY(lseek(fd, 0, SEEK_DATA));
	TRY(lseek(fd, 0, SEEK_HOLE));
	TRY(pwrite(fd, "x", 1, 8192));
	TRY(pwrite(fd, "x", 1, 20480));
	TRY(lseek(fd, 0, SEEK_DATA));
	TRY(lseek(fd, 8200, SEEK_DATA));
	TRY(lseek(fd, 8200, SEEK_HOLE));
	TRY(lseek(fd, 12288, SEEK_DATA));
	TRY(lseek(fd, 24576, SEEK_DATA));
	TRY(lseek(fd, 24576, SEEK_HOLE));
	TRY(lseek(fd, 40960, SEEK_HOLE));
	TRY(lseek(fd, 40960, SEEK_DATA));
	TRY(lseek(fd, -1, SEEK_DATA));
	TRY(fallocate(fd, FALLOC_PUNCH_HOLE, 8192, 4096));
	TRY(lseek(fd, 0, SEEK_DATA));
	TRY(fallocate(fd, 1, 0, 81920));
	TRY(lseek(fd, 0, SEEK_END));
	TRY(fallocate(fd, 0, 0, 49152));
	TRY(lseek(fd, 0, SEEK_END));
	TRY(fallocate(fd, 2, 0, 4096));
	TRY(fallocate(fd, 0x10, 0, 4096));
	TRY(fallocate(fd, 0, -1, 4096));
	TRY(fallocate(fd, 0, 0, 0));
	TRY(fallocate(77, 0, 0, 1));
	TRY(fallocate(fd, 0, LONG_MAX, 2));
	TRY(fallocate(open("/dev/shm/abi-holes", O_RDONLY), 0, 0, 1));
	TRY(unlink("/dev/shm/abi-holes"));
}

CASE(tree_vectors)
{
	struct iovec w[2] = { { "abc", 3 }, { "defg", 4 } };
	char a[4] = "", b[8] = "";
	struct iovec r[2] = { { a, 3 }, { b, 7 } };
	int fd;

	tree_enter();
	fd = open("f", O_CREAT | O_RDWR, 0600);
	TRY(writev(fd, w, 2));
	TRY(pwritev(fd, w, 2, 5));
	TRY(preadv(fd, r, 2, 1));
	say("%s %s", a, b);
	TRY(preadv(fd, r, 2, -1));
	TRY(preadv(fd, r, 2, 100));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(pread(fd, BAD_LOW, 4, 0));
	TRY(pwrite(fd, BAD_LOW, 4, 0));
	TRY(syscall(SYS_preadv2, fd, r, 2, 0, 0, 0));
	TRY(syscall(SYS_preadv2, fd, r, 2, -1, 0, 0));
	TRY(syscall(SYS_preadv2, fd, r, 2, 0, 0, 0x8000));
	tree_leave();
}

CASE(tree_unlinked_file)
{
	char buf[8] = "";
	struct stat st;
	int fd;

	tree_enter();
	fd = open("f", O_CREAT | O_RDWR, 0600);
	TRY(write(fd, "still", 5));
	TRY(unlink("f"));
	TRY(fstat(fd, &st));
	say("links %d", (int)st.st_nlink);
	TRY(pread(fd, buf, 8, 0));
	TRY(pwrite(fd, "x", 1, 5));
	TRY(access("f", F_OK));
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	TRY(write(fd, "tmp", 3));
	TRY(open(".", O_TMPFILE | O_RDONLY, 0600));
	TRY(open("none", O_TMPFILE | O_RDWR, 0600));
	list(".");
	tree_leave();
}

CASE(tree_attributes)
{
	struct timespec ts[2] = { { 1000, 5 }, { 2000, 7 } };
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 9, 9 } };
	struct timespec bad[2] = { { 0, 1000000000 }, { 0, 0 } };
	struct stat st;
	int fd;

	tree_enter();
	put("f", "x");
	fd = open("f", O_RDONLY);
	TRY(chmod("f", 04751));
	say_stat("f");
	TRY(fchmod(fd, 0600));
	say_stat("f");
	TRY(chmod("none", 0600));
	TRY(fchmod(77, 0600));
	TRY(fchmodat(AT_FDCWD, "f", 0640, 0));
	TRY(chown("f", 12, 34));
	TRY(chown("f", -1, 35));
	TRY(fchown(fd, 13, -1));
	TRY(lchown("none", 1, 1));
	TRY(fchownat(AT_FDCWD, "f", -1, -1, 1));
	stat("f", &st);
	say("owner %d %d mode %o", st.st_uid, st.st_gid, st.st_mode);
	TRY(utimensat(AT_FDCWD, "f", ts, 0));
	TRY(utimensat(AT_FDCWD, "f", omit, 0));
	stat("f", &st);
	say("%d.%d %d.%d", (int)st.st_atim.tv_sec, (int)st.st_atim.tv_nsec,
	    (int)st.st_mtim.tv_sec, (int)st.st_mtim.tv_nsec);
	TRY(utimensat(AT_FDCWD, "f", bad, 0));
	TRY(utimensat(AT_FDCWD, "f", ts, 1));
	TRY(utimensat(AT_FDCWD, "none", ts, 0));
	TRY(futimens(fd, NULL));
	TRY(futimens(77, NULL));
	TRY(access("f", X_OK));
	TRY(access("f", W_OK));
	TRY(access("f", 8));
	TRY(access(".", X_OK));
	TRY(faccessat(AT_FDCWD, "none", F_OK, 0));
	tree_leave();
}

CASE(tree_o_path)
{
	char buf[8];
	struct stat st;
	int fd, dir;

	tree_enter();
	put("f", "x");
	symlink("f", "s");
	fd = open("f", O_PATH | O_RDWR);
	TRY(fcntl(fd, F_GETFL));
	TRY(read(fd, buf, 1));
	TRY(write(fd, buf, 1));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(fstat(fd, &st));
	TRY(syscall(SYS_fchmod, fd, 0600));
	TRY(ftruncate(fd, 0));
	TRY(fsync(fd));
	TRY(openat(fd, "x", O_RDONLY));
	fd = open("s", O_PATH | O_NOFOLLOW);
	TRY(fstat(fd, &st));
	say("%o", st.st_mode);
	TRY(readlinkat(fd, "", buf, 8));
	dir = open(".", O_PATH);
	TRY(openat(dir, "f", O_RDONLY) > 0 ? 0 : -1);
	TRY(fchdir(dir));
	TRY(syscall(SYS_getdents64, dir, buf, 8));
	TRY(open("f", O_PATH | O_DIRECTORY));
	tree_leave();
}

CASE(tree_getdents)
{
	static char buf[4096];
	long n, all = 0;
	char name[16];
	int fd;

	tree_enter();
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		put(name, "");
	}
	fd = open(".", O_RDONLY);
	TRY(syscall(SYS_getdents64, fd, buf, 10));
	while ((n = syscall(SYS_getdents64, fd, buf, 100)) > 0) {
		for (long at = 0; at < n; all++) {
			struct dirent *e = (void *)(buf + at);

			at += e->d_reclen;
			/* What is listed may be removed at once. */
			unlink(e->d_name);
		}
	}
	say("all %ld, then %ld", all, n);
	TRY(lseek(fd, 0, SEEK_SET));
	list(".");
	TRY(syscall(SYS_getdents64, fd, BAD_LOW, 4096));
	TRY(syscall(SYS_getdents64, 77, buf, 4096));
	TRY(syscall(SYS_getdents64, open("/dev/null", O_RDONLY), buf, 4096));
	TRY(read(fd, buf, 1));
	TRY(write(fd, buf, 1));
	tree_leave();
}

CASE(tree_fsync)
{
	int fd, p[2];

	tree_enter();
	fd = open("f", O_CREAT | O_RDWR, 0600);
	TRY(fsync(fd));
	TRY(fdatasync(fd));
	TRY(fsync(open(".", O_RDONLY)));
	pipe(p);
	TRY(fsync(p[0]));
	TRY(fdatasync(p[1]));
	TRY(fsync(77));
	TRY(syncfs(fd));
	TRY(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	TRY(syscall(SYS_fadvise64, fd, 0, 0, 17));
	TRY(syscall(SYS_fadvise64, p[0], 0, 0, 0));
	tree_leave();
}

CASE(tree_fsize_limit)
{
	struct rlimit lim = { 100, RLIM_INFINITY };
	char buf[200] = "";
	int fd;

	tree_enter();
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	fd = open("f", O_CREAT | O_RDWR, 0600);
	TRY(setrlimit(RLIMIT_FSIZE, &lim));
	TRY(write(fd, buf, 200));
	TRY(write(fd, buf, 1));
	TRY(ftruncate(fd, 101));
	TRY(ftruncate(fd, 50));
	lim.rlim_cur = RLIM_INFINITY;
	TRY(setrlimit(RLIMIT_FSIZE, &lim));
	tree_leave();
}

CASE(tree_memfd)
{
	char buf[8] = "";
	struct stat st;
	int fd = memfd_create("name", MFD_CLOEXEC);

	TRY(write(fd, "hello", 5));
	TRY(pread(fd, buf, 8, 1));
	TRY(fstat(fd, &st));
	say("%o %d links %d", st.st_mode, (int)st.st_size, (int)st.st_nlink);
	TRY(fcntl(fd, F_GETFD));
	TRY(ftruncate(fd, 2));
	TRY(memfd_create("x", 0x100) < 0 ? -1 : 0);
	TRY(memfd_create(BAD_LOW, 0));
}

CASE(tree_statfs)
{
	struct statfs s;

	TRY(statfs("/dev/shm", &s));
	say("%lx %ld %ld", (long)s.f_type, (long)s.f_bsize,
	    (long)s.f_namelen);
	TRY(statfs("/proc", &s));
	say("%lx", (long)s.f_type);
	TRY(statfs("/none", &s));
	TRY(fstatfs(77, &s));
	TRY(syscall(SYS_statfs, "/", BAD_LOW));
}
