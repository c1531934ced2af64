/* poll, time, memory, identity, bad pointers and calls that do not exist. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <elf.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

static long since_ms(const struct timespec *a)
{
	struct timespec b;

	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a->tv_sec) * 1000 +
		(b.tv_nsec - a->tv_nsec) / 1000000;
}

CASE(poll_calls)
{
	struct timespec start;
	struct pollfd p[3];
	int fd[2];

	tcp_pair(fd);
	p[0] = (struct pollfd){ .fd = fd[0], .events = POLLIN | POLLOUT };
	p[1] = (struct pollfd){ .fd = -5, .events = POLLIN, .revents = 9 };
	p[2] = (struct pollfd){ .fd = 60, .events = POLLIN };
	TRY(poll(p, 3, 0));
	say("%x %x %x", p[0].revents, p[1].revents, p[2].revents);
	write(fd[1], "x", 1);
	settle(fd[0], POLLIN);
	TRY(poll(p, 1, -1));
	say("%x", p[0].revents);
	close(fd[1]);
	p[0].events = POLLRDHUP;
	TRY(poll(p, 1, 1000));
	say("%x", p[0].revents);
	p[0].events = 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	TRY(poll(p, 1, 20));
	TRY(poll(NULL, 0, 20));
	say("slept %d", since_ms(&start) >= 40);
	TRY(poll(BAD_LOW, 1, 0));
}

CASE(sleeping)
{
	struct timespec start, req = { 0, 25000000 }, rem = { 7, 7 };
	struct timespec bad = { 0, 1000000000 }, neg = { -1, 0 };

	clock_gettime(CLOCK_MONOTONIC, &start);
	TRY(syscall(SYS_nanosleep, &req, &rem));
	say("slept %d, in time %d", since_ms(&start) >= 25,
	    since_ms(&start) < 2000);
	TRY(syscall(SYS_nanosleep, &bad, NULL));
	TRY(syscall(SYS_nanosleep, &neg, NULL));
	TRY(syscall(SYS_nanosleep, BAD_LOW, NULL));
}

CASE(clocks)
{
	struct timespec a, b;

	TRY(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &a));
	TRY(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b));
	say("forward %d", b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec &&
	    b.tv_nsec >= a.tv_nsec));
	say("nsec %d", a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
	TRY(syscall(SYS_clock_gettime, CLOCK_REALTIME, &a));
	TRY(syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &a));
	TRY(syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &a));
	TRY(syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &a));
	TRY(syscall(SYS_clock_gettime, 999, &a));
	TRY(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BAD_LOW));
}

CASE(memory)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t set = 0;
	char *m;
	int fd[2];

	say("mapped %d", p != MAP_FAILED);
	for (size_t i = 0; i < 1 << 20; i++)
		set += p[i] != 0;
	say("not zero: %zu", set);
	memset(p, 7, 1 << 20);
	tcp_pair(fd);
	TRY(write(fd[0], p, 10));
	TRY(mprotect(p, 4096, PROT_NONE));
	TRY(write(fd[0], p, 10));
	TRY(mprotect(p, 4096, PROT_READ));
	TRY(write(fd[0], p, 10));
	TRY(read(fd[1], p, 10));
	TRY(munmap(p, 1 << 20));
	TRY(write(fd[0], p, 10));
	TRY(munmap((void *)1, 4096));
	TRY(munmap(p, 0));
	m = malloc(5 << 20);
	say("malloc %d", m != NULL);
	memset(m, 1, 5 << 20);
	free(m);
}

CASE(identity)
{
	struct utsname u;

	TRY(uname(&u));
	say("%s %s", u.sysname, u.machine);
	TRY(uname(BAD_LOW));
	say("pid %d", getpid() > 0);
}

CASE(random_bytes)
{
	unsigned char a[32] = "", b[32] = "";

	TRY(getrandom(a, sizeof(a), 0));
	TRY(getrandom(b, sizeof(b), GRND_NONBLOCK));
	say("differ %d", memcmp(a, b, sizeof(a)) != 0);
	TRY(getrandom(a, sizeof(a), 0x100));
	TRY(getrandom(BAD_LOW, 16, 0));
	TRY(getrandom(a, 0, 0));
}

CASE(auxiliary_vector)
{
	say("page size %lu", getauxval(AT_PAGESZ));
	say("random %d", getauxval(AT_RANDOM) != 0);
	say("phdr %d phent %lu", getauxval(AT_PHDR) != 0,
	    getauxval(AT_PHENT));
	say("phnum %d", getauxval(AT_PHNUM) > 0);
	say("entry %d", getauxval(AT_ENTRY) != 0);
	say("secure %lu", getauxval(AT_SECURE));
	say("execfn %d", getauxval(AT_EXECFN) != 0);
}

CASE(bad_pointers)
{
	static const char fixed[16] = "read only";
	void *bad[] = { NULL, BAD_LOW, BAD_HOLE, BAD_NONCANON, BAD_KERNEL };
	struct iovec iov;
	int fd[2];

	tcp_pair(fd);
	write(fd[0], "data", 4);
	settle(fd[1], POLLIN);
	for (int i = 0; i < 5; i++) {
		say("pointer %d", i);
		TRY(read(fd[1], bad[i], 4));
		TRY(write(fd[0], bad[i], 4));
		TRY(write(STDOUT_FILENO, bad[i], 4));
		iov = (struct iovec){ bad[i], 4 };
		TRY(readv(fd[1], &iov, 1));
		TRY(writev(fd[0], &iov, 1));
		TRY(recv(fd[1], bad[i], 4, MSG_PEEK));
	}
	TRY(read(fd[1], (void *)fixed, 4));
	say("%s", fixed);
	TRY(recv(fd[1], &iov, 4, 0));
}

CASE(a_range_that_ends_in_a_hole)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[64];
	int fd[2];

	memset(p, 'x', 4096);
	munmap(p + 4096, 4096);
	tcp_pair(fd);
	TRY(write(fd[0], p + 4096 - 10, 10));
	TRY(read_soon(fd[1], buf, sizeof(buf)));
	TRY(read(fd[1], p + 4096 - 4, 0));
	TRY(read(fd[1], (void *)-1, 1));
	TRY(write(fd[0], p, (size_t)-1));
}

CASE(unknown_calls)
{
	TRY(syscall(390));
	TRY(syscall(400));
	TRY(syscall(9999));
	TRY(syscall(-1));
	TRY(syscall(0x40000000 + 999));
	TRY(syscall(SYS_getpid) > 0);
}
