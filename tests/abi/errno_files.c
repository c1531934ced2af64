/*
 * What is wrong with a descriptor, an offset or a flag, by the calls on files
 * and those that make descriptors. tests/abi/errnos.txt has the list.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static char buf[8192];

CASE(errno_file_read_write)
{
	struct rlimit limit = { 100, 100 }, old;
	struct iovec v = { buf, 10 }, bad = { BAD_LOW, 10 };
	struct iovec huge[2] = { { buf, SSIZE_MAX }, { buf, SSIZE_MAX } };
	int d, r, w, u, p[2], closed[2], m;

	tree_enter();
	d = open(".", O_RDONLY);
	w = open("f", O_CREAT | O_WRONLY, 0600);
	r = open("f", O_RDONLY);
	u = socket(AF_INET, SOCK_DGRAM, 0);
	pipe2(p, O_NONBLOCK);
	pipe(closed);
	close(closed[0]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	TRY(read(99, buf, 1));
	TRY(read(w, buf, 1));
	TRY(read(d, buf, 1));
	TRY(read(p[0], buf, 1));
	write(w, "some", 4);
	TRY(read(r, BAD_LOW, 4));
	TRY(write(99, buf, 1));
	TRY(write(r, buf, 1));
	TRY(write(u, buf, 1));
	TRY(write(w, BAD_LOW, 1));
	TRY(write(closed[1], buf, 1));
	TRY(pread(p[0], buf, 1, 0));
	TRY(pread(r, buf, 1, -1));
	TRY(pread(99, buf, 1, 0));
	TRY(pread(d, buf, 1, 0));
	TRY(pwrite(p[1], buf, 1, 0));
	TRY(pwrite(w, buf, 1, -1));
	TRY(pwrite(r, buf, 1, 0));
	TRY(readv(99, &v, 1));
	TRY(readv(r, &v, -1));
	TRY(readv(r, &v, 1025));
	TRY(readv(r, BAD_LOW, 1));
	TRY(readv(r, &bad, 1));
	TRY(readv(r, huge, 2));
	TRY(writev(w, &v, 1025));
	TRY(writev(w, huge, 2));
	TRY(writev(r, &v, 1));
	TRY(preadv(r, &v, 1, -1));
	TRY(pwritev(p[1], &v, 1, 0));
	TRY(syscall(SYS_preadv2, r, &v, 1, 0, 0, 0x10000));
	getrlimit(RLIMIT_FSIZE, &old);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, old.rlim_max });
	TRY(pwrite(w, buf, 200, 0));
	TRY(pwrite(w, buf, 1, 100));
	TRY(write(w, buf, 200));
	TRY(write(w, buf, 200));
	TRY(ftruncate(w, 101));
	TRY(truncate("f", 101));
	TRY(fallocate(w, 0, 0, 101));
	setrlimit(RLIMIT_FSIZE, &old);
	TRY(limit.rlim_cur == 100);
	signal(SIGXFSZ, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	m = memfd_create("m", MFD_ALLOW_SEALING);
	ftruncate(m, 4096);
	fcntl(m, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	TRY(write(m, buf, 1));
	TRY(ftruncate(m, 1));
	TRY(ftruncate(m, 8192));
	TRY(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, m, 0) == MAP_FAILED);
	TRY((long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, m, 0));
	TRY(fallocate(m, 0, 0, 8192));
	TRY(fcntl(m, F_ADD_SEALS, 0x1000));
	TRY(fcntl(w, F_ADD_SEALS, F_SEAL_GROW));
	tree_leave();
}

CASE(errno_file_offsets)
{
	int f, p[2], d;

	tree_enter();
	f = open("f", O_CREAT | O_RDWR, 0600);
	write(f, buf, 100);
	d = open(".", O_RDONLY);
	pipe(p);
	TRY(lseek(99, 0, SEEK_SET));
	TRY(lseek(p[0], 0, SEEK_SET));
	TRY(lseek(f, -1, SEEK_SET));
	TRY(lseek(f, -1000, SEEK_CUR));
	TRY(lseek(f, 0, 77));
	TRY(lseek(f, 1000, SEEK_DATA));
	TRY(lseek(f, 1000, SEEK_HOLE));
	TRY(lseek(f, -1, SEEK_DATA));
	TRY(lseek(f, INT64_MAX, SEEK_END));
	TRY(syscall(SYS_getdents64, 99, buf, 100));
	TRY(syscall(SYS_getdents64, f, buf, 100));
	TRY(syscall(SYS_getdents64, d, BAD_LOW, 100));
	TRY(syscall(SYS_getdents64, d, buf, 3));
	TRY(syscall(SYS_fadvise64, 99, 0, 0, 0));
	TRY(syscall(SYS_fadvise64, f, 0, 0, 77));
	TRY(syscall(SYS_fadvise64, f, 0, -1, 0));
	TRY(syscall(SYS_fadvise64, p[0], 0, 0, 0));
	TRY(sync_file_range(99, 0, 0, 0));
	TRY(sync_file_range(f, -1, 0, 0));
	TRY(sync_file_range(f, 0, 0, 8));
	TRY(sync_file_range(p[0], 0, 0, 0));
	TRY(fallocate(99, 0, 0, 1));
	TRY(fallocate(f, 0, -1, 1));
	TRY(fallocate(f, 0, 0, 0));
	TRY(fallocate(f, 0, INT64_MAX, 1));
	TRY(fallocate(p[1], 0, 0, 1));
	TRY(fallocate(socket(AF_INET, SOCK_DGRAM, 0), 0, 0, 1));
	TRY(fallocate(open("f", O_RDONLY), 0, 0, 1));
	TRY(fsync(99));
	TRY(fsync(p[0]));
	TRY(fdatasync(99));
	TRY(fdatasync(p[0]));
	TRY(syncfs(99));
	TRY(fchmod(99, 0));
	TRY(close(99));
	TRY(close(-1));
	tree_leave();
}

CASE(errno_file_copies)
{
	int f, g, ro, app, p[2], q[2], d, s[2];
	struct iovec v = { buf, 10 }, bad = { BAD_LOW, 10 };
	off_t off = -1, zero = 0;

	tree_enter();
	f = open("f", O_CREAT | O_RDWR, 0600);
	g = open("g", O_CREAT | O_RDWR, 0600);
	ro = open("g", O_RDONLY);
	app = open("g", O_WRONLY | O_APPEND);
	d = open(".", O_RDONLY);
	write(f, buf, 100);
	lseek(f, 0, SEEK_SET);
	pipe2(p, O_NONBLOCK);
	pipe2(q, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	TRY(sendfile(99, f, NULL, 1));
	TRY(sendfile(g, 99, NULL, 1));
	TRY(sendfile(ro, f, NULL, 1));
	TRY(sendfile(g, f, &off, 1));
	TRY(sendfile(g, f, BAD_LOW, 1));
	TRY(sendfile(app, f, NULL, 1));
	TRY(sendfile(g, p[0], &zero, 1));
	TRY(syscall(SYS_copy_file_range, 99, NULL, g, NULL, 1, 0));
	TRY(syscall(SYS_copy_file_range, f, NULL, ro, NULL, 1, 0));
	TRY(syscall(SYS_copy_file_range, f, NULL, app, NULL, 1, 0));
	TRY(syscall(SYS_copy_file_range, f, NULL, g, NULL, 1, 1));
	TRY(syscall(SYS_copy_file_range, f, NULL, d, NULL, 1, 0));
	TRY(syscall(SYS_copy_file_range, d, NULL, g, NULL, 1, 0));
	TRY(syscall(SYS_copy_file_range, f, NULL, p[1], NULL, 1, 0));
	TRY(syscall(SYS_copy_file_range, f, NULL, f, NULL, 10, 0));
	TRY(syscall(SYS_copy_file_range, f, BAD_LOW, g, NULL, 1, 0));
	TRY(splice(99, NULL, p[1], NULL, 1, 0));
	TRY(splice(f, NULL, g, NULL, 1, 0));
	TRY(splice(f, &off, p[1], NULL, 1, 0));
	TRY(splice(p[0], &zero, f, NULL, 1, 0));
	TRY(splice(p[0], NULL, p[1], NULL, 1, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 1, 0));
	TRY(splice(f, NULL, p[1], NULL, 1, 0x80));
	TRY(splice(f, BAD_LOW, p[1], NULL, 1, 0));
	TRY(splice(p[0], NULL, app, NULL, 1, 0));
	TRY(tee(99, p[1], 1, 0));
	TRY(tee(f, p[1], 1, 0));
	TRY(tee(p[0], p[1], 1, 0));
	TRY(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK));
	TRY(tee(p[0], q[1], 1, 0x80));
	TRY(vmsplice(99, &v, 1, 0));
	TRY(vmsplice(f, &v, 1, 0));
	TRY(vmsplice(p[1], &v, 1, 0x80));
	TRY(vmsplice(p[1], &v, 1025, 0));
	TRY(vmsplice(p[1], &bad, 1, 0));
	TRY(vmsplice(p[0], &v, 1, SPLICE_F_NONBLOCK));
	tree_leave();
}

CASE(errno_file_descriptors)
{
	struct flock l = { .l_type = 7 };
	sigset_t set;
	int f, p[2];

	tree_enter();
	f = open("f", O_CREAT | O_RDWR, 0600);
	pipe(p);
	sigemptyset(&set);
	TRY(dup(99));
	TRY(dup2(99, 5));
	TRY(dup2(f, -1));
	TRY(dup2(f, 1 << 30));
	TRY(dup3(f, f, 0));
	TRY(dup3(f, 20, 1));
	TRY(dup3(99, 20, 0));
	TRY(fcntl(99, F_GETFD));
	TRY(fcntl(f, 999));
	TRY(fcntl(f, F_DUPFD, -1));
	TRY(fcntl(f, F_DUPFD, 1 << 30));
	TRY(fcntl(f, F_SETLK, &l));
	TRY(fcntl(f, F_SETLK, BAD_LOW));
	TRY(fcntl(f, F_GETLK, &l));
	l.l_type = F_WRLCK;
	TRY(fcntl(open("f", O_RDONLY), F_SETLK, &l));
	l.l_start = -1;
	TRY(fcntl(f, F_SETLK, &l));
	TRY(fcntl(f, F_SETSIG, 99));
	TRY(fcntl(f, F_SETOWN, 1 << 30));
	TRY(fcntl(p[0], F_SETPIPE_SZ, -1));
	TRY(fcntl(f, F_GETPIPE_SZ));
	TRY(flock(99, LOCK_SH));
	TRY(flock(f, 77));
	TRY(ioctl(99, FIONREAD, buf));
	TRY(ioctl(f, 0x5413, buf));
	TRY(ioctl(p[0], FIONREAD, BAD_LOW));
	TRY(pipe2(p, 0x1000000));
	TRY(syscall(SYS_pipe2, BAD_LOW, 0));
	TRY(eventfd(0, 0x1000000));
	TRY(epoll_create1(0x1000000));
	TRY(epoll_create(0));
	TRY(timerfd_create(99, 0));
	TRY(timerfd_create(CLOCK_MONOTONIC, 0x1000000));
	TRY(timerfd_settime(99, 0, BAD_LOW, NULL));
	TRY(timerfd_settime(f, 0, (void *)buf, NULL));
	TRY(timerfd_gettime(99, (void *)buf));
	TRY(timerfd_gettime(f, (void *)buf));
	TRY(syscall(SYS_signalfd4, -1, &set, 8, 0x1000000));
	TRY(syscall(SYS_signalfd4, -1, &set, 7, 0));
	TRY(syscall(SYS_signalfd4, 99, &set, 8, 0));
	TRY(syscall(SYS_signalfd4, f, &set, 8, 0));
	TRY(syscall(SYS_signalfd4, -1, BAD_LOW, 8, 0));
	TRY(memfd_create(BAD_LOW, 0));
	TRY(memfd_create("m", 0x1000));
	memset(buf, 'm', 300);
	buf[300] = '\0';
	TRY(memfd_create(buf, 0));
	TRY(syscall(SYS_close_range, 10, 5, 0));
	TRY(syscall(SYS_close_range, 5, 10, 0x100));
	tree_leave();
}

/* Every call that makes a descriptor, when there is no number left. */
CASE(errno_file_EMFILE)
{
	struct rlimit old, few = { 10, 0 };
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint16_t port;
	int p[2], l = listener(&port), c, fd;
	sigset_t set;

	a = loopback(port);
	c = socket(AF_INET, SOCK_STREAM, 0);
	connect(c, (void *)&a, len);
	settle(l, 1);
	sigemptyset(&set);
	getrlimit(RLIMIT_NOFILE, &old);
	few.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	do
		fd = dup(l);
	while (fd >= 0);
	TRY(open("/dev/null", O_RDONLY));
	TRY(open("/none", O_RDONLY));
	TRY(syscall(SYS_creat, "/dev/null", 0));
	TRY(openat(AT_FDCWD, "/dev/null", O_RDONLY));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	TRY(accept(l, NULL, NULL));
	TRY(accept4(l, NULL, NULL, 0));
	TRY(pipe(p));
	TRY(pipe2(p, 0));
	TRY(dup(l));
	TRY(fcntl(l, F_DUPFD, 0));
	TRY(epoll_create1(0));
	TRY(eventfd(0, 0));
	TRY(timerfd_create(CLOCK_MONOTONIC, 0));
	TRY(signalfd(-1, &set, 0));
	TRY(memfd_create("m", 0));
	setrlimit(RLIMIT_NOFILE, &old);
}
