/*
 * What is wrong with a path, or a directory's descriptor, by every call that
 * takes one: ELOOP, ENOTDIR, ENAMETOOLONG, ENOENT, EFAULT, EBADF.
 * tests/abi/errnos.txt has the list.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <utime.h>

/* What the compiler sees of it is checked by the compiler. */
static char *volatile bad = BAD_LOW;
static char name_long[300], path_long[5000];

/* X() with each wrong path. */
#define EACH_PATH							\
	X("loop/x") X("f/x") X("none/x") X("") X(name_long)		\
	X(path_long) X(bad)

/* X() with each wrong directory, for a relative path. */
#define EACH_DIR X(99) X(-5) X(f)

static void begin(void)
{
	tree_enter();
	memset(name_long, 'n', sizeof(name_long) - 1);
	for (size_t i = 0; i < sizeof(path_long) - 1; i++)
		path_long[i] = i % 2 ? '/' : '.';
	close(open("f", O_CREAT | O_RDWR, 0600));
	mkdir("d", 0700);
	symlink("loop", "loop");
	symlink("f", "link");
}

CASE(errno_path_open)
{
	int f;

	begin();
	f = open("f", O_RDONLY);
#define X(p) TRY(open(p, O_RDONLY)); TRY(open(p, O_RDWR | O_CREAT, 0600));
	EACH_PATH
#undef X
#define X(d) TRY(openat(d, "f", O_RDONLY));
	EACH_DIR
#undef X
	TRY(open("loop", O_RDONLY));
	TRY(open("link", O_RDONLY | O_NOFOLLOW));
	TRY(open("d", O_WRONLY));
	TRY(open("d", O_RDWR | O_CREAT, 0600));
	TRY(open("f", O_RDONLY | O_DIRECTORY));
	TRY(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
	TRY(open("link", O_RDWR | O_CREAT | O_EXCL, 0600));
	TRY(open("f", O_TMPFILE | O_RDWR, 0600));
	TRY(open("d", O_TMPFILE | O_RDONLY, 0600));
	TRY(open("none", O_TMPFILE | O_RDWR, 0600));
	OK(openat(99, "/dev/null", O_RDONLY));
	tree_leave();
}

CASE(errno_path_stat)
{
	char sx[256];
	struct stat st;
	struct statfs sf;
	int f;

	begin();
	f = open("f", O_RDONLY);
#define X(p)								\
	TRY(stat(p, &st)); TRY(lstat(p, &st)); TRY(access(p, F_OK));	\
	TRY(fstatat(AT_FDCWD, p, &st, 0));				\
	TRY(syscall(SYS_statx, AT_FDCWD, p, 0, 0xfff, sx));		\
	TRY(statfs(p, &sf));
	EACH_PATH
#undef X
#define X(d)								\
	TRY(fstatat(d, "f", &st, 0));					\
	TRY(syscall(SYS_statx, d, "f", 0, 1, sx));			\
	TRY(faccessat(d, "f", F_OK, 0));
	EACH_DIR
#undef X
	TRY(fstat(99, &st));
	TRY(syscall(SYS_stat, "f", BAD_LOW));
	TRY(syscall(SYS_fstat, f, BAD_LOW));
	TRY(syscall(SYS_lstat, "f", BAD_LOW));
	TRY(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x80000));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0x80000, 1, sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000, sx));
	TRY(access("f", 8));
	TRY(syscall(SYS_faccessat2, AT_FDCWD, "f", 0, 0x80000));
	TRY(syscall(SYS_statfs, "f", BAD_LOW));
	TRY(fstatfs(99, &sf));
	TRY(syscall(SYS_fstatfs, f, BAD_LOW));
	tree_leave();
}

CASE(errno_path_directories)
{
	int f;

	begin();
	f = open("f", O_RDONLY);
#define X(p)								\
	TRY(chdir(p)); TRY(chroot(p)); TRY(mkdir(p, 0700)); TRY(rmdir(p));\
	TRY(unlink(p)); TRY(mknod(p, S_IFIFO | 0600, 0));
	EACH_PATH
#undef X
#define X(d)								\
	TRY(mkdirat(d, "n", 0700)); TRY(unlinkat(d, "f", 0));		\
	TRY(mknodat(d, "n", S_IFIFO | 0600, 0)); TRY(fchdir(d));
	EACH_DIR
#undef X
	TRY(mkdir("d", 0700));
	TRY(mkdir("f", 0700));
	TRY(mkdir("loop", 0700));
	TRY(rmdir("f"));
	TRY(rmdir("d/."));
	TRY(rmdir("d/.."));
	TRY(rmdir("/"));
	TRY(unlink("d"));
	TRY(unlink("d/"));
	TRY(unlink("f/"));
	TRY(unlinkat(AT_FDCWD, "f", 0x8000));
	TRY(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
	TRY(mknod("f", S_IFIFO | 0600, 0));
	TRY(mknod("n", S_IFDIR | 0600, 0));
	TRY(mknod("n", S_IFMT, 0));
	close(open("d/x", O_CREAT | O_RDWR, 0600));
	TRY(rmdir("d"));
	TRY(mkdir("e", 0700));
	TRY(chdir("e"));
	TRY(rmdir("../e"));
	TRY(syscall(SYS_getcwd, path_long, sizeof(path_long)));
	TRY(open("x", O_CREAT | O_RDWR, 0600));
	TRY(mkdir("x", 0700));
	TRY(chdir(".."));
	TRY(syscall(SYS_getcwd, path_long, 2));
	TRY(syscall(SYS_getcwd, BAD_LOW, 4096));
	tree_leave();
}

CASE(errno_path_names)
{
	char buf[100];
	int f;

	begin();
	f = open("f", O_RDONLY);
#define X(p)								\
	TRY(rename(p, "n")); TRY(rename("f", p)); TRY(link(p, "n"));	\
	TRY(link("f", p)); TRY(symlink("f", p)); TRY(symlink(p, "n"));	\
	TRY(unlink("n"));						\
	TRY(readlink(p, buf, sizeof(buf)));
	EACH_PATH
#undef X
#define X(d)								\
	TRY(renameat(d, "f", AT_FDCWD, "n"));				\
	TRY(renameat(AT_FDCWD, "f", d, "n"));				\
	TRY(linkat(d, "f", AT_FDCWD, "n", 0));				\
	TRY(linkat(AT_FDCWD, "f", d, "n", 0));				\
	TRY(symlinkat("f", d, "n"));					\
	TRY(readlinkat(d, "link", buf, sizeof(buf)));
	EACH_DIR
#undef X
	mkdir("d/e", 0700);
	mkdir("g", 0700);
	TRY(rename("f", "d"));
	TRY(rename("d", "f"));
	TRY(rename("d", "d/e/x"));
	TRY(rename("g", "d"));
	TRY(rename("d/.", "n"));
	TRY(rename("g", "d/.."));
	TRY(rename("d/..", "n"));
	TRY(rename("f", "/proc/x"));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d",
		    1));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "n",
		    2));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "n",
		    0x100));
	TRY(link("f", "d"));
	TRY(link("d", "n"));
	TRY(link("f", "/proc/x"));
	TRY(linkat(AT_FDCWD, "f", AT_FDCWD, "n", 0x80000));
	TRY(symlink("f", "d"));
	TRY(readlink("f", buf, sizeof(buf)));
	TRY(readlink("link", buf, 0));
	TRY(readlink("link", BAD_LOW, 10));
	tree_leave();
}

CASE(errno_path_attributes)
{
	struct timespec t[2] = { { 0, 1000000000 }, { 0, 0 } };
	struct timeval v[2] = { { 0, 1000000 }, { 0, 0 } };
	int f;

	begin();
	f = open("f", O_RDONLY);
#define X(p)								\
	TRY(chmod(p, 0600)); TRY(chown(p, 0, 0)); TRY(lchown(p, 0, 0));	\
	TRY(truncate(p, 1)); TRY(utimensat(AT_FDCWD, p, NULL, 0));	\
	TRY(syscall(SYS_utime, p, NULL)); TRY(syscall(SYS_utimes, p, NULL));
	EACH_PATH
#undef X
#define X(d)								\
	TRY(fchmodat(d, "f", 0600, 0)); TRY(fchownat(d, "f", 0, 0, 0));	\
	TRY(utimensat(d, "f", NULL, 0));				\
	TRY(syscall(SYS_futimesat, d, "f", NULL));
	EACH_DIR
#undef X
	TRY(fchmod(99, 0600));
	TRY(fchown(99, 0, 0));
	TRY(fchownat(AT_FDCWD, "f", 0, 0, 0x80000));
	TRY(utimensat(AT_FDCWD, "f", t, 0));
	TRY(utimensat(AT_FDCWD, "f", NULL, 0x80000));
	TRY(syscall(SYS_utimensat, AT_FDCWD, "f", bad, 0));
	TRY(syscall(SYS_utimes, "f", v));
	TRY(syscall(SYS_utimes, "f", BAD_LOW));
	TRY(syscall(SYS_utime, "f", BAD_LOW));
	TRY(syscall(SYS_futimesat, AT_FDCWD, "f", v));
	TRY(futimens(99, NULL));
	TRY(truncate("d", 1));
	TRY(truncate("f", -1));
	TRY(ftruncate(99, 1));
	TRY(ftruncate(f, 1));
	TRY(ftruncate(f, -1));
	tree_leave();
}

CASE(errno_path_exec)
{
	char *argv[] = { "x", NULL };

	begin();
	chmod("f", 0600);
#define X(p) TRY(execve(p, argv, argv));
	EACH_PATH
#undef X
	TRY(execve("d", argv, argv));
	TRY(execve("f", argv, argv));
	TRY(execve("loop", argv, argv));
	TRY(syscall(SYS_execveat, 99, "f", argv, argv, 0));
	TRY(syscall(SYS_execveat, AT_FDCWD, "f", argv, argv, 0x80000));
	TRY(syscall(SYS_execveat, AT_FDCWD, "link", argv, argv,
		    AT_SYMLINK_NOFOLLOW));
	tree_leave();
}

CASE(errno_path_bind)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	begin();
#define X(p)								\
	strcpy(a.sun_path, p);						\
	say("%.10s", p);						\
	TRY(bind(s, (void *)&a, sizeof(a)));				\
	TRY(connect(s, (void *)&a, sizeof(a)));
	X("loop/x") X("f/x") X("none/x") X("f") X("d")
#undef X
	memset(a.sun_path, '/', sizeof(a.sun_path));
	TRY(bind(s, (void *)&a, sizeof(a)));
	memset(a.sun_path, 'n', sizeof(a.sun_path));
	TRY(bind(s, (void *)&a, sizeof(a) + 1));
	tree_leave();
}
