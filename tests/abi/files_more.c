/* Files: what the newer calls do, and the older forms of others. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <utime.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE	1
#define FALLOC_FL_PUNCH_HOLE	2
#endif

/* What statx(2) gives, as far as it is looked at. */
struct statx_head {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks;
	uint64_t rest[28];
};

static int fresh(const char *name, size_t size)
{
	int f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (size_t i = 0; i < size; i++)
		write(f, &"abcdefgh"[i % 8], 1);
	return f;
}

static void show_size(int f)
{
	struct stat st;

	fstat(f, &st);
	say("size %ld", (long)st.st_size);
}

CASE(files_fallocate)
{
	tree_enter();
	int f = fresh("f", 10000);
	char c[2] = "";

	TRY(fallocate(f, 0, 0, 20000));
	show_size(f);
	TRY(fallocate(f, FALLOC_FL_KEEP_SIZE, 0, 40000));
	show_size(f);
	TRY(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100,
		      9000));
	show_size(f);
	pread(f, c, 1, 99);
	say("before %d", c[0]);
	pread(f, c, 2, 100);
	say("in it %d %d", c[0], c[1]);
	pread(f, c, 2, 9099);
	say("its end %d %d", c[0], c[1]);
	TRY(fallocate(f, FALLOC_FL_PUNCH_HOLE, 0, 100));
	TRY(fallocate(f, 0, 0, 0));
	TRY(fallocate(f, 0, -1, 10));
	TRY(fallocate(f, 0, 1, -1));
	TRY(fallocate(f, 0, 0x7fffffffffffffff, 2));
	TRY(fallocate(f, 0x1000, 0, 1));
	TRY(fallocate(-1, 0, 0, 1));
	TRY(fallocate(open("f", O_RDONLY), 0, 0, 1));
	TRY(fallocate(open("/dev/null", O_RDWR), 0, 0, 1));
	tree_leave();
}

CASE(files_statx)
{
	tree_enter();
	struct statx_head sx = { .mask = 0 };
	int f = fresh("f", 10);

	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, &sx));
	say("basics %d, mode %o, size %ld, links %u, owner %u %u",
	    (sx.mask & 0x7ff) == 0x7ff, sx.mode, (long)sx.size, sx.nlink,
	    sx.uid, sx.gid);
	TRY(syscall(SYS_statx, f, "", AT_EMPTY_PATH, 0, &sx));
	say("size %ld", (long)sx.size);
	TRY(syscall(SYS_statx, f, "", 0, 0x7ff, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "none", 0, 0x7ff, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0x10000, 0x7ff, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0x6000, 0x7ff, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, BAD_LOW, 0, 0x7ff, &sx));
	TRY(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, BAD_LOW));
	TRY(syscall(SYS_statx, -1, "f", 0, 0x7ff, &sx));
	TRY(syscall(SYS_statx, -1, "/dev/null", 0, 0x7ff, &sx));
	tree_leave();
}

CASE(files_renameat2)
{
	tree_enter();
	int a = fresh("a", 1), b = fresh("b", 2);

	TRY(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 1));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 1));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 2));
	show_size(open("b", O_RDONLY));
	show_size(open("c", O_RDONLY));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "none", 2));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 3));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 8));
	TRY(syscall(SYS_renameat, AT_FDCWD, "c", AT_FDCWD, "b"));
	show_size(open("b", O_RDONLY));
	TRY(syscall(SYS_renameat, -1, "c", AT_FDCWD, "b"));
	TRY(mkdir("d", 0700));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "b", 2));
	TRY(unlink("d"));
	TRY(rmdir("b"));
	close(a);
	close(b);
	tree_leave();
}

CASE(files_tmpfile)
{
	tree_enter();
	int f = TRY(open(".", O_TMPFILE | O_RDWR, 0600)), g;
	char name[64], buf[8] = "";
	struct stat st;

	TRY(write(f, "hello", 5));
	fstat(f, &st);
	say("links %d, mode %o", (int)st.st_nlink, st.st_mode);
	sprintf(name, "/proc/self/fd/%d", f);
	TRY(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	g = TRY(open("named", O_RDONLY));
	TRY(read(g, buf, 8));
	say("%s", buf);
	TRY(unlink("named"));
	/* It had a name, and lost it: like any file that was removed. */
	TRY(linkat(f, "", AT_FDCWD, "again", AT_EMPTY_PATH));
	f = TRY(open(".", O_TMPFILE | O_EXCL | O_RDWR, 0600));
	TRY(linkat(f, "", AT_FDCWD, "never", AT_EMPTY_PATH));
	TRY(open(".", O_TMPFILE | O_RDONLY, 0600));
	TRY(open("/dev/null", O_TMPFILE | O_RDWR, 0600));
	TRY(open("none", O_TMPFILE | O_RDWR, 0600));
	tree_leave();
}

CASE(files_old_times)
{
	tree_enter();
	struct timeval tv[2] = { { 1000, 500000 }, { 2000, 999999 } };
	struct utimbuf ut = { 3000, 4000 };
	int f = fresh("f", 1);
	struct stat st;

	TRY(syscall(SYS_utimes, "f", tv));
	fstat(f, &st);
	say("%ld.%09ld %ld.%09ld", st.st_atim.tv_sec, st.st_atim.tv_nsec,
	    st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	TRY(syscall(SYS_utime, "f", &ut));
	fstat(f, &st);
	say("%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	TRY(syscall(SYS_futimesat, AT_FDCWD, "f", tv));
	TRY(syscall(SYS_futimesat, f, NULL, tv));
	tv[0].tv_usec = 1000000;
	TRY(syscall(SYS_utimes, "f", tv));
	TRY(syscall(SYS_utimes, "none", NULL));
	TRY(syscall(SYS_utime, "f", BAD_LOW));
	TRY(syscall(SYS_utime, "f", NULL));
	fstat(f, &st);
	say("now %d", st.st_mtim.tv_sec > 4000);
	tree_leave();
}

CASE(files_symlinkat)
{
	tree_enter();
	int d;
	char buf[16] = "";

	TRY(mkdir("d", 0700));
	d = open("d", O_RDONLY | O_DIRECTORY);
	TRY(symlinkat("target", d, "link"));
	TRY(symlinkat("target", d, "link"));
	TRY(symlinkat("", d, "other"));
	TRY(symlinkat("target", -1, "link"));
	TRY(readlinkat(d, "link", buf, 16));
	say("%s", buf);
	TRY(unlinkat(d, "link", 0));
	tree_leave();
}

CASE(files_pwritev2)
{
	tree_enter();
	int f = fresh("f", 4);
	struct iovec v[2] = { { "12", 2 }, { "345", 3 } };
	char buf[16] = "";

	TRY(syscall(SYS_pwritev2, f, v, 2, 1, 0, 0));
	TRY(syscall(SYS_pwritev2, f, v, 2, -1L, 0, 0));
	TRY(lseek(f, 0, SEEK_CUR));
	TRY(syscall(SYS_pwritev2, f, v, 1, 0, 0, 6));
	TRY(pread(f, buf, 16, 0));
	say("%s", buf);
	TRY(syscall(SYS_pwritev2, f, v, 1, -2L, 0, 0));
	TRY(syscall(SYS_pwritev2, f, v, 1, 0, 0, 0x40000000));
	tree_leave();
}

#define LOCK(f, cmd, type, start, len)					\
	({								\
		struct flock fl = { type, SEEK_SET, start, len, 0 };	\
									\
		TRY(fcntl(f, cmd, &fl));				\
		fl;							\
	})

/* Locks of an open file stand in the way of another open of it. */
CASE(files_ofd_locks)
{
	tree_enter();
	int a = fresh("f", 100), b = open("f", O_RDWR), c = dup(a);
	struct flock fl;

	LOCK(a, F_OFD_SETLK, F_WRLCK, 0, 10);
	LOCK(b, F_OFD_SETLK, F_WRLCK, 5, 10);
	LOCK(b, F_OFD_SETLK, F_RDLCK, 9, 1);
	LOCK(b, F_OFD_SETLK, F_RDLCK, 10, 1);
	LOCK(c, F_OFD_SETLK, F_WRLCK, 5, 1);
	fl = LOCK(b, F_OFD_GETLK, F_RDLCK, 0, 0);
	say("type %d, %ld+%ld, pid %d", fl.l_type, (long)fl.l_start,
	    (long)fl.l_len, fl.l_pid);
	fl = LOCK(a, F_OFD_GETLK, F_WRLCK, 0, 10);
	say("type %d", fl.l_type);
	/* Part of it given back, part of it shared. */
	LOCK(a, F_OFD_SETLK, F_UNLCK, 2, 2);
	LOCK(b, F_OFD_SETLK, F_WRLCK, 2, 2);
	LOCK(b, F_OFD_SETLK, F_WRLCK, 1, 2);
	LOCK(a, F_OFD_SETLK, F_RDLCK, 4, 6);
	LOCK(b, F_OFD_SETLK, F_RDLCK, 4, 6);
	LOCK(b, F_OFD_SETLK, F_WRLCK, 4, 6);
	/* Those of the process see them, too. */
	fl = LOCK(a, F_GETLK, F_WRLCK, 0, 1);
	say("type %d, pid %d", fl.l_type, fl.l_pid);
	LOCK(a, F_SETLK, F_WRLCK, 0, 1);
	LOCK(a, F_SETLK, F_WRLCK, 50, 1);
	LOCK(b, F_OFD_SETLK, F_WRLCK, 50, 1);
	/* The dup keeps it; the last close ends it. */
	TRY(close(a));
	LOCK(b, F_OFD_SETLK, F_WRLCK, 0, 1);
	TRY(close(c));
	LOCK(b, F_OFD_SETLK, F_WRLCK, 0, 0);
	fl = (struct flock){ F_WRLCK, SEEK_SET, 0, 1, 77 };
	TRY(fcntl(b, F_OFD_SETLK, &fl));
	tree_leave();
}

CASE(files_text_busy)
{
	int fd;

	TRY(open("/proc/self/exe", O_WRONLY));
	TRY(open("/proc/self/exe", O_RDWR));
	TRY(open("/proc/self/exe", O_RDONLY | O_TRUNC));
	TRY(truncate("/proc/self/exe", 0));
	fd = OK(open("/proc/self/exe", O_RDONLY));
	TRY(ftruncate(fd, 0));
}
