/*
 * fallocate(2) and O_TMPFILE in the directory it is given. On a disk and on
 * Linux it must print the same. With one more argument it asks for more room
 * than a small disk has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fd;

/* "name = result", its error, and the file's size and whether it has room. */
static void said(const char *what, long ret)
{
	struct stat st;

	printf("%s = %ld %s", what, ret, ret < 0 ? strerror(errno) : "");
	if (!fstat(fd, &st))
		printf(" size %ld blocks %d nlink %d", (long)st.st_size,
		       st.st_blocks > 0, (int)st.st_nlink);
	printf("\n");
}

#define TRY(call) said(#call, (call))

/* How many bytes of @c the file has, and of zero. */
static void counts(char c)
{
	char buf[4096];
	long n, at = 0, c_s = 0, zeroes = 0;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		for (long i = 0; i < n; i++) {
			c_s += buf[i] == c;
			zeroes += !buf[i];
		}
		at += n;
	}
	printf("%ld bytes: %ld of %c, %ld zeroes\n", at, c_s, c, zeroes);
}

/* A file without a name gets one, and others; one that lost all does not. */
static void names(void)
{
	char path[32];

	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	TRY(write(fd, "named later", 11));
	TRY(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	sprintf(path, "/proc/self/fd/%d", fd);
	TRY(linkat(AT_FDCWD, path, AT_FDCWD, "named-2", AT_SYMLINK_FOLLOW));
	TRY(linkat(AT_FDCWD, path, AT_FDCWD, "named-2", AT_SYMLINK_FOLLOW));
	TRY(unlink("named"));
	close(fd);
	fd = open("named-2", O_RDWR);
	TRY(write(fd, "N", 1));
	TRY(unlink("named-2"));
	TRY(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
	close(fd);
	fd = open(".", O_TMPFILE | O_EXCL | O_RDWR, 0600);
	TRY(linkat(fd, "", AT_FDCWD, "never", AT_EMPTY_PATH));
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	TRY(write(fd, "stays", 5));
	TRY(linkat(fd, "", AT_FDCWD, "stays", AT_EMPTY_PATH));
	TRY(ftruncate(fd, 4));
	close(fd);
}

int main(int argc, char **argv)
{
	static char big[100000];

	if (argc < 2 || chdir(argv[1]))
		return 1;
	memset(big, 'x', sizeof(big));
	printf("--- begin\n");
	fd = open("space", O_CREAT | O_RDWR, 0644);
	TRY(fallocate(fd, 0, 0, 0));
	TRY(fallocate(fd, 0, 0, 300000));
	counts('x');
	TRY(pwrite(fd, big, sizeof(big), 50000));
	TRY(fallocate(fd, 0, 0, 200000));
	counts('x');
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 60001,
		      70001));
	counts('x');
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 50010,
		      100));
	counts('x');
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      1 << 30));
	counts('x');
	TRY(pwrite(fd, big, 5, 299995));
	counts('x');
	if (argc > 2)
		TRY(fallocate(fd, 0, 0, 1l << 30));
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	TRY(write(fd, big, sizeof(big)));
	counts('x');
	close(fd);
	names();
	fd = open("space", O_TMPFILE | O_RDWR, 0600);
	printf("no directory: %s\n", fd < 0 ? strerror(errno) : "opened");
	TRY(unlink("space"));
	printf("--- end\n");
	return 0;
}
