/* Data from file to file: sendfile, splice, tee, vmsplice, copy_file_range. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define COPY(...)	syscall(SYS_copy_file_range, __VA_ARGS__)

static char big[200000];

/* A file of @n bytes "0123456789012..." at its beginning. */
static int file_of(const char *path, int n)
{
	int fd;

	mkdir("/tmp", 0777);
	for (int i = 0; i < n; i++)
		big[i] = '0' + i % 10;
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, big, n) != n || lseek(fd, 0, SEEK_SET))
		say("file: %s", errno_name(errno));
	return fd;
}

static void show_read(int fd, unsigned room)
{
	char buf[64] = "";
	long n = read(fd, buf, room);

	say("read %ld '%s'", n < 0 ? -errno : n, buf);
}

static long where(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

CASE(sendfile_errors)
{
	int f = file_of("/tmp/abi-sf", 20), s[2], p[2], ro, wo, app;
	off_t off = -1;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	pipe2(p, O_NONBLOCK);
	ro = open("/tmp/abi-sf", O_RDONLY);
	wo = open("/tmp/abi-sf", O_WRONLY);
	app = open("/tmp/abi-sf", O_WRONLY | O_APPEND);
	TRY(sendfile(99, f, NULL, 5));
	TRY(sendfile(s[0], 99, NULL, 5));
	TRY(sendfile(ro, f, NULL, 5));
	TRY(sendfile(s[0], wo, NULL, 5));
	TRY(sendfile(s[0], f, &off, 5));
	TRY(sendfile(s[0], f, BAD_LOW, 5));
	TRY(sendfile(99, 99, BAD_LOW, 5));
	off = 0;
	TRY(sendfile(s[0], s[1], &off, 5));
	TRY(sendfile(s[0], s[1], NULL, 5));
	TRY(sendfile(s[0], p[0], NULL, 5));
	TRY(sendfile(app, f, NULL, 5));
	TRY(sendfile(p[0], f, NULL, 5));
	TRY(sendfile(s[0], f, NULL, 0));
	TRY(sendfile(s[0], open("/tmp", O_RDONLY), NULL, 5));
	close(s[1]);
	signal(SIGPIPE, SIG_IGN);
	TRY(sendfile(s[0], f, NULL, 5));
	say("at %ld", where(f));
	unlink("/tmp/abi-sf");
}

CASE(sendfile_moves)
{
	int f = file_of("/tmp/abi-sf", 20), s[2], p[2], g, tcp[2];
	off_t off = 15;
	long n, sum = 0;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	pipe2(p, O_NONBLOCK);
	TRY(sendfile(s[0], f, NULL, 5));
	say("at %ld", where(f));
	TRY(sendfile(s[0], f, &off, 100));
	say("off %ld at %ld", (long)off, where(f));
	TRY(sendfile(s[0], f, &off, 100));
	show_read(s[1], 60);
	TRY(sendfile(p[1], f, NULL, 100));
	show_read(p[0], 60);
	g = open("/tmp/abi-sg", O_RDWR | O_CREAT | O_TRUNC, 0600);
	off = 3;
	TRY(sendfile(g, f, &off, 4));
	say("at %ld", where(g));
	lseek(g, 0, SEEK_SET);
	show_read(g, 60);
	f = file_of("/tmp/abi-sf", sizeof(big));
	TRY(sendfile(p[1], f, NULL, sizeof(big)));
	TRY(sendfile(p[1], f, NULL, sizeof(big)));
	say("at %ld", where(f));
	tcp_pair(tcp);
	lseek(f, 0, SEEK_SET);
	fcntl(tcp[0], F_SETFL, 0);
	n = sendfile(tcp[0], f, NULL, 100000);
	say("%ld at %ld", n, where(f));
	while (sum < n) {
		long got = read_soon(tcp[1], big, sizeof(big));

		if (got <= 0)
			break;
		for (int i = 0; i < got; i++)
			if (big[i] != '0' + (sum + i) % 10) {
				say("wrong byte at %ld", sum + i);
				break;
			}
		sum += got;
	}
	say("%ld came", sum);
	unlink("/tmp/abi-sf");
	unlink("/tmp/abi-sg");
}

/* Where sums of positions would overflow. */
CASE(sendfile_near_the_end)
{
	const loff_t max = INT64_MAX;
	loff_t at[] = { max, max - 1, max - 5, max - 6 };
	int f, g, p[2], s[2];
	char buf[8];

	tree_enter();
	f = file_of("f", 20);
	pipe2(p, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	g = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 4; i++) {
		loff_t off = at[i], off2 = at[i];

		say("%d from the end", (int)(max - at[i]));
		TRY(sendfile(s[0], f, &off, 5));
		say("moved %d", off != at[i]);
		TRY(sendfile(p[1], f, &off, 5));
		TRY(sendfile(s[0], f, &off, 0));
		TRY(splice(f, &off, p[1], NULL, 5, 0));
		write(p[1], "hello", 5);
		TRY(splice(p[0], NULL, f, &off2, 6, 0));
		TRY(pread(f, buf, 6, at[i]));
		TRY(pwrite(f, buf, 6, at[i]));
		TRY(lseek(g, at[i], SEEK_SET) == at[i]);
		TRY(read(g, buf, 6));
		TRY(sendfile(s[0], g, NULL, 6));
		off = 0;
		TRY(sendfile(g, f, &off, 6));
	}
	ftruncate(f, 20);
	lseek(f, 0, SEEK_SET);
	TRY(sendfile(s[0], f, NULL, SIZE_MAX));
	TRY(sendfile(s[0], f, NULL, (size_t)max + 1));
	TRY(sendfile(s[0], f, NULL, max));
	close(f);
	close(g);
	unlink("f");
	unlink("g");
	tree_leave();
}

CASE(splice_errors)
{
	int f = file_of("/tmp/abi-sp", 20), p[2], q[2], s[2], app;
	loff_t off = 0, neg = -1;

	pipe2(p, O_NONBLOCK);
	pipe2(q, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	app = open("/tmp/abi-sp", O_WRONLY | O_APPEND);
	TRY(splice(99, NULL, 99, NULL, 0, 0));
	TRY(splice(99, NULL, 99, NULL, 0, 16));
	TRY(splice(99, NULL, p[1], NULL, 1, 16));
	TRY(splice(99, NULL, p[1], NULL, 1, 0));
	TRY(splice(f, NULL, 99, NULL, 1, 0));
	TRY(splice(f, NULL, f, NULL, 1, 0));
	TRY(splice(f, NULL, s[0], NULL, 1, 0));
	TRY(splice(p[0], NULL, p[1], NULL, 1, 0));
	TRY(splice(p[1], NULL, q[1], NULL, 1, 0));
	TRY(splice(f, NULL, p[0], NULL, 1, 0));
	TRY(splice(p[0], &off, f, NULL, 1, 0));
	TRY(splice(f, NULL, p[1], &off, 1, 0));
	TRY(splice(f, BAD_LOW, p[1], NULL, 1, 0));
	TRY(splice(f, &neg, p[1], NULL, 1, 0));
	TRY(splice(s[0], &off, p[1], NULL, 1, 0));
	TRY(splice(p[0], NULL, f, NULL, 1, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 1, 0));
	TRY(splice(s[0], NULL, p[1], NULL, 1, 0));
	write(p[1], "abc", 3);
	TRY(splice(p[0], NULL, app, NULL, 1, 0));
	TRY(splice(p[0], NULL, s[0], &off, 1, 0));
	TRY(splice(p[0], NULL, f, &neg, 1, 0));
	close(p[1]);
	show_read(p[0], 8);
	TRY(splice(p[0], NULL, f, NULL, 1, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 1, 0));
	signal(SIGPIPE, SIG_IGN);
	close(q[0]);
	TRY(splice(f, NULL, q[1], NULL, 1, 0));
	unlink("/tmp/abi-sp");
}

CASE(splice_moves)
{
	int f = file_of("/tmp/abi-sp", 20), p[2], q[2], s[2];
	loff_t off = 5;

	pipe2(p, O_NONBLOCK);
	pipe2(q, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	TRY(splice(f, NULL, p[1], NULL, 4, 0));
	say("at %ld", where(f));
	TRY(splice(f, &off, p[1], NULL, 100, 0));
	say("off %ld at %ld", (long)off, where(f));
	TRY(splice(f, &off, p[1], NULL, 100, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 6, 0));
	show_read(q[0], 60);
	TRY(splice(p[0], NULL, s[0], NULL, 3, 0));
	show_read(s[1], 60);
	/* Not to the same file: Linux would splice a page into itself. */
	f = file_of("/tmp/abi-sq", 20);
	off = 18;
	TRY(splice(p[0], NULL, f, &off, 4, 0));
	say("off %ld at %ld size %ld", (long)off, where(f),
	    (long)lseek(f, 0, SEEK_END));
	TRY(splice(p[0], NULL, f, NULL, 100, 0));
	say("at %ld", where(f));
	lseek(f, 15, SEEK_SET);
	show_read(f, 60);
	write(s[1], "sock", 4);
	TRY(splice(s[0], NULL, p[1], NULL, 100, 0));
	show_read(p[0], 60);
	close(s[1]);
	TRY(splice(s[0], NULL, p[1], NULL, 100, 0));
	unlink("/tmp/abi-sp");
	unlink("/tmp/abi-sq");
}

CASE(splice_full_pipe)
{
	int f = file_of("/tmp/abi-sp", sizeof(big)), p[2], q[2];

	pipe2(p, O_NONBLOCK);
	pipe(q);
	TRY(splice(f, NULL, p[1], NULL, sizeof(big), 0));
	TRY(splice(f, NULL, p[1], NULL, sizeof(big), 0));
	TRY(splice(f, NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK));
	TRY(splice(p[0], NULL, q[1], NULL, sizeof(big), 0));
	TRY(splice(f, NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK));
	TRY(splice(p[0], NULL, q[1], NULL, 1, 0));
	TRY(read(q[0], big, sizeof(big)));
	say("%d", ready(p[1], POLLOUT) == POLLOUT);
	TRY(splice(q[0], NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK));
	unlink("/tmp/abi-sp");
}

CASE(tee_copies)
{
	int p[2], q[2], f = open("/dev/null", O_RDWR);

	pipe2(p, O_NONBLOCK);
	pipe2(q, O_NONBLOCK);
	TRY(tee(99, 99, 1, 16));
	TRY(tee(99, 99, 0, 0));
	TRY(tee(99, q[1], 1, 0));
	TRY(tee(p[0], 99, 1, 0));
	TRY(tee(f, q[1], 1, 0));
	TRY(tee(p[0], f, 1, 0));
	TRY(tee(p[1], q[1], 1, 0));
	TRY(tee(p[0], q[0], 1, 0));
	TRY(tee(p[0], p[1], 1, 0));
	TRY(tee(p[0], q[1], 1, 0));
	write(p[1], "abcdef", 6);
	TRY(tee(p[0], q[1], 4, 0));
	TRY(tee(p[0], q[1], 100, 0));
	show_read(q[0], 60);
	show_read(p[0], 60);
	close(p[1]);
	TRY(tee(p[0], q[1], 100, 0));
}

CASE(vmsplice_moves)
{
	struct iovec iov[2] = { { "ab", 2 }, { "cde", 3 } };
	int p[2], f = open("/dev/null", O_RDWR);
	char buf[8] = "";

	pipe2(p, O_NONBLOCK);
	TRY(vmsplice(99, iov, 2, 0));
	TRY(vmsplice(p[1], iov, 2, 16));
	TRY(vmsplice(f, iov, 2, 0));
	TRY(vmsplice(p[1], iov, 0, 0));
	TRY(vmsplice(p[1], iov, 1025, 0));
	TRY(vmsplice(p[1], BAD_LOW, 1, 0));
	TRY(vmsplice(p[1], iov, 2, 0));
	iov[0] = (struct iovec){ buf, 4 };
	TRY(vmsplice(p[0], iov, 1, 0));
	say("'%s'", buf);
	TRY(vmsplice(p[0], iov, 1, 0));
	say("'%c'", buf[0]);
	TRY(vmsplice(p[0], iov, 1, SPLICE_F_NONBLOCK));
	iov[0] = (struct iovec){ big, sizeof(big) };
	say("%d", vmsplice(p[1], iov, 1, SPLICE_F_NONBLOCK) > 60000);
	close(p[1]);
	TRY(read(p[0], big, sizeof(big)) > 0);
	TRY(vmsplice(p[0], iov, 1, 0));
}

CASE(copy_file_range_moves)
{
	int f = file_of("/tmp/abi-cf", 20), g, p[2], ro, app;
	loff_t in = 4, out = 2, neg = -1, far = INT64_MAX - 2;

	pipe(p);
	g = open("/tmp/abi-cg", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ro = open("/tmp/abi-cg", O_RDONLY);
	app = open("/tmp/abi-cg", O_WRONLY | O_APPEND);
	TRY(COPY(99, NULL, g, NULL, 1, 0));
	TRY(COPY(f, NULL, 99, NULL, 1, 0));
	TRY(COPY(f, NULL, g, NULL, 1, 1));
	TRY(COPY(f, BAD_LOW, g, NULL, 1, 0));
	TRY(COPY(f, NULL, g, BAD_LOW, 1, 0));
	TRY(COPY(p[0], NULL, g, NULL, 1, 0));
	TRY(COPY(f, NULL, p[1], NULL, 1, 0));
	TRY(COPY(open("/tmp", O_RDONLY), NULL, g, NULL, 1, 0));
	TRY(COPY(f, NULL, ro, NULL, 1, 0));
	TRY(COPY(f, NULL, app, NULL, 1, 0));
	TRY(COPY(f, &neg, g, NULL, 1, 0));
	TRY(COPY(f, NULL, g, &neg, 1, 0));
	TRY(COPY(f, NULL, g, &far, 9, 0));
	TRY(COPY(f, NULL, f, NULL, 5, 0));
	TRY(COPY(f, NULL, g, NULL, 0, 0));
	TRY(COPY(f, NULL, g, NULL, 5, 0));
	say("at %ld %ld", where(f), where(g));
	TRY(COPY(f, &in, g, &out, 100, 0));
	say("off %ld %ld at %ld %ld", (long)in, (long)out, where(f),
	    where(g));
	TRY(COPY(f, &in, g, &out, 100, 0));
	lseek(g, 0, SEEK_SET);
	show_read(g, 60);
	in = 0;
	out = 10;
	TRY(COPY(g, &in, g, &out, 5, 0));
	unlink("/tmp/abi-cf");
	unlink("/tmp/abi-cg");
}

CASE(sendfile_from_what)
{
	int p[2], q[2], e = eventfd(3, EFD_NONBLOCK);
	int n = open("/dev/null", O_WRONLY);
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	pipe2(p, O_NONBLOCK);
	pipe2(q, O_NONBLOCK);
	write(p[1], "hello", 5);
	TRY(sendfile(q[1], p[0], NULL, 5));
	TRY(sendfile(p[1], p[0], NULL, 5));
	TRY(sendfile(p[1], e, NULL, 8));
	TRY(sendfile(n, e, NULL, 8));
	TRY(sendfile(n, p[0], NULL, 8));
	TRY(sendfile(p[1], t, NULL, 8));
	TRY(splice(e, NULL, p[1], NULL, 8, 0));
	TRY(splice(p[0], NULL, e, NULL, 8, 0));
	TRY(sendfile(q[1], p[0], NULL, 0));
	TRY(sendfile(n, p[0], NULL, 0));
}
