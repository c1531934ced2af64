/*
 * What a program does with files, in the directory it is given: prints what
 * each call says. On a disk, on a share and on Linux it must print the same.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRY(call) ({							\
	long ret_ = (errno = 0, (long)(call));				\
	printf("%s = %ld%s%s\n", #call, ret_, ret_ < 0 ? " " : "",	\
	       ret_ < 0 ? strerrorname(errno) : "");			\
	ret_; })

static const char *strerrorname(int e)
{
	switch (e) {
	case ENOENT: return "ENOENT";
	case EEXIST: return "EEXIST";
	case ENOTDIR: return "ENOTDIR";
	case EISDIR: return "EISDIR";
	case ENOTEMPTY: return "ENOTEMPTY";
	case EXDEV: return "EXDEV";
	case EINVAL: return "EINVAL";
	case EBADF: return "EBADF";
	case ELOOP: return "ELOOP";
	case EPERM: return "EPERM";
	case EAGAIN: return "EAGAIN";
	case ENAMETOOLONG: return "ENAMETOOLONG";
	case EROFS: return "EROFS";
	case EBUSY: return "EBUSY";
	default: return strerror(e);
	}
}

static void show(const char *path)
{
	struct stat st;

	if (lstat(path, &st)) {
		printf("%s: %s\n", path, strerrorname(errno));
		return;
	}
	printf("%s: mode %o nlink %lu size %ld\n", path, st.st_mode,
	       S_ISDIR(st.st_mode) ? 0 : (unsigned long)st.st_nlink,
	       S_ISDIR(st.st_mode) ? 0 : (long)st.st_size);
}

static void contents(const char *path)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY);
	long n = read(fd, buf, sizeof(buf) - 1);

	printf("%s holds %ld: %.*s\n", path, n, n > 0 ? (int)n : 0, buf);
	close(fd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path)
{
	char *names[512];
	int n = 0;
	struct dirent *e;
	DIR *d = opendir(path);

	if (!d) {
		printf("opendir %s: %s\n", path, strerrorname(errno));
		return;
	}
	while ((e = readdir(d)) && n < 512) {
		struct stat st;

		/* A file system need not know the type, but must not lie. */
		if (!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    e->d_type != DT_UNKNOWN &&
		    e->d_type != (st.st_mode & S_IFMT) >> 12)
			printf("%s: type %d\n", e->d_name, e->d_type);
		if (strcmp(e->d_name, "lost+found"))
			names[n++] = strdup(e->d_name);
	}
	closedir(d);
	qsort(names, (size_t)n, sizeof(*names), by_name);
	printf("%s:", path);
	for (int i = 0; i < n; i++)
		printf(n > 20 && i > 5 && i < n - 3 ? "" : " %s", names[i]);
	printf(" (%d)\n", n);
}

static void names(void)
{
	char target[64] = "";
	char name[300];

	TRY(mkdir("d", 0755));
	TRY(mkdir("d", 0755));
	TRY(mkdir("d/e", 0700));
	TRY(mkdir("none/e", 0700));
	TRY(open("d/f", O_CREAT | O_EXCL | O_RDWR, 0640) >= 0);
	TRY(open("d/f", O_CREAT | O_EXCL | O_RDWR, 0640));
	TRY(open("d/f/g", O_RDONLY));
	TRY(open("d", O_RDWR));
	TRY(open("d/none", O_RDONLY));
	show("d");
	show("d/f");
	TRY(symlink("f", "d/link"));
	TRY(symlink("f", "d/link"));
	TRY(readlink("d/link", target, sizeof(target)));
	printf("leads to %s\n", target);
	TRY(open("d/link", O_RDONLY | O_NOFOLLOW));
	TRY(link("d/f", "d/hard"));
	show("d/f");
	TRY(link("d", "dd"));
	TRY(link("/proc/version", "d/x"));
	TRY(rename("d/hard", "d/e/moved"));
	show("d/hard");
	show("d/e/moved");
	TRY(rename("d", "d/e/d"));
	TRY(rename("d/f", "d/e"));
	TRY(rename("d/e", "d/f"));
	TRY(rename("d/f", "/proc/elsewhere"));
	TRY(rmdir("d"));
	TRY(rmdir("d/f"));
	TRY(unlink("d/e"));
	list("d");
	TRY(unlink("d/e/moved"));
	TRY(rename("d/e", "d/z"));
	TRY(rmdir("d/z"));
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	TRY(open(name, O_CREAT | O_RDWR, 0600));
	name[255] = 0;
	TRY(open(name, O_CREAT | O_RDWR, 0600) >= 0);
	TRY(unlink(name));
	list("d");
}

static void bytes(void)
{
	char buf[64] = "";
	struct iovec v[2] = { { "one ", 4 }, { "two", 3 } };
	struct stat st;
	char *m;
	int fd = open("bytes", O_CREAT | O_RDWR | O_TRUNC, 0644), fd2;

	TRY(write(fd, "hello, world", 12));
	TRY(pwrite(fd, "J", 1, 0));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(lseek(fd, -5, SEEK_END));
	TRY(read(fd, buf, sizeof(buf)));
	printf("%s\n", buf);
	TRY(read(fd, buf, sizeof(buf)));
	TRY(pwrite(fd, "far", 3, 10000));
	TRY(fstat(fd, &st));
	printf("size %ld\n", (long)st.st_size);
	TRY(pread(fd, buf, 4, 9997));
	printf("%d %d %d %c\n", buf[0], buf[1], buf[2], buf[3]);
	TRY(ftruncate(fd, 5));
	TRY(ftruncate(fd, 10));
	TRY(pread(fd, buf, sizeof(buf), 0));
	printf("%.5s %d %d\n", buf, buf[5], buf[9]);
	TRY(fsync(fd));
	TRY(fdatasync(fd));
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	printf("mapped: %.5s\n", m == MAP_FAILED ? "not" : m);
	if (m != MAP_FAILED)
		m[0] = 'X';
	contents("bytes");
	close(fd);
	fd = open("bytes", O_RDWR | O_APPEND);
	fd2 = open("bytes", O_WRONLY | O_APPEND);
	TRY(writev(fd, v, 2));
	TRY(write(fd2, "/2/", 3));
	TRY(write(fd, "/1/", 3));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(flock(fd, LOCK_EX));
	TRY(flock(fd2, LOCK_EX | LOCK_NB));
	close(fd);
	TRY(flock(fd2, LOCK_EX | LOCK_NB));
	TRY(read(fd2, buf, 1));
	close(fd2);
	TRY(truncate("bytes", 3));
	contents("bytes");
	fd = open("bytes", O_WRONLY | O_TRUNC);
	show("bytes");
	TRY(unlink("bytes"));
	TRY(write(fd, "still here", 10));
	TRY(fstat(fd, &st));
	printf("size %ld\n", (long)st.st_size);
	close(fd);
	show("bytes");
}

static void big(void)
{
	size_t n = 3 << 20, got = 0;
	unsigned char *p = malloc(n), *q = malloc(n);
	int fd = open("big", O_CREAT | O_RDWR, 0644);
	long part;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 7 + i / 4096);
	TRY(write(fd, p, n));
	TRY(lseek(fd, 0, SEEK_SET));
	while ((part = read(fd, q + got, n - got)) > 0)
		got += (size_t)part;
	printf("%zu read, %s\n", got, memcmp(p, q, n) ? "differ" : "equal");
	TRY(pread(fd, q, 100000, 12345));
	printf("%s\n", memcmp(p + 12345, q, 100000) ? "differ" : "equal");
	close(fd);
	/* Written backwards, a few bytes at a time, over block borders. */
	fd = open("back", O_CREAT | O_RDWR, 0644);
	for (int i = 20; i--;)
		pwrite(fd, p + i * 1000, 1000, i * 1000);
	pread(fd, q, 20000, 0);
	printf("%s\n", memcmp(p, q, 20000) ? "differ" : "equal");
	close(fd);
	free(p);
	free(q);
}

static void many(void)
{
	char name[32];
	int made = 0, gone = 0;

	TRY(mkdir("many", 0755));
	for (int i = 0; i < 300; i++) {
		int fd;

		sprintf(name, "many/a-file-%d", i);
		fd = open(name, O_CREAT | O_WRONLY, 0600);
		made += fd >= 0 && write(fd, name, 9) == 9;
		close(fd);
	}
	list("many");
	for (int i = 0; i < 300; i += 2) {
		sprintf(name, "many/a-file-%d", i);
		gone += !unlink(name);
	}
	printf("%d made, %d gone\n", made, gone);
	list("many");
}

static void attributes(void)
{
	struct timespec t[2] = { { 1000000000, 5000 }, { 1234567890, 6000 } };
	struct stat st;
	struct statfs fs;
	int fd = open("attr", O_CREAT | O_RDWR, 0600);

	TRY(fchmod(fd, 0751));
	TRY(chmod("attr", 0644));
	show("attr");
	TRY(utimensat(AT_FDCWD, "attr", t, 0));
	stat("attr", &st);
	printf("%ld %ld %ld %ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec,
	       st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	TRY(statfs(".", &fs));
	printf("%d %d\n", fs.f_blocks > 0, fs.f_bsize >= 512);
	TRY(fallocate(fd, 0, 0, 8192) == 0 || errno == EOPNOTSUPP);
	TRY(access("attr", R_OK | W_OK));
	TRY(access("attr", X_OK) == 0 ? 0 : -1);
	close(fd);
	TRY(chdir("d"));
	list(".");
	TRY(open("../attr", O_RDONLY) >= 0);
	TRY(chdir(".."));
}

int main(int argc, char **argv)
{
	printf("--- begin\n");
	umask(022);
	if (argc < 2 || chdir(argv[1])) {
		printf("no directory %s\n", argc > 1 ? argv[1] : "given");
		return 1;
	}
	names();
	bytes();
	big();
	many();
	attributes();
	list(".");
	printf("--- end\n");
	return 0;
}
