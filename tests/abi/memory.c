/* madvise(2)'s effects, seals of what is mapped, the stack that grows. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096l

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#define MADV_DONTNEED_LOCKED	24

static char *some_pages(int flags, int fd, int n)
{
	return mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
}

static void show(const char *what, const char *p)
{
	say("%s: %02x %02x %02x", what, p[0] & 255, p[PAGE] & 255,
	    p[2 * PAGE] & 255);
}

CASE(madvise_private)
{
	char *p = some_pages(MAP_PRIVATE | MAP_ANONYMOUS, -1, 4);

	memset(p, 0xaa, 3 * PAGE);
	TRY(madvise(p + PAGE, PAGE, MADV_DONTNEED));
	show("in the middle", p);
	memset(p, 0xab, 3 * PAGE);
	TRY(madvise(p, 1, MADV_DONTNEED));
	show("a byte is a page", p);
	memset(p, 0xac, 3 * PAGE);
	TRY(madvise(p, 3 * PAGE, MADV_DONTNEED_LOCKED));
	show("all", p);
	memset(p, 0xad, 3 * PAGE);
	TRY(madvise(p, 3 * PAGE, MADV_WILLNEED));
	TRY(madvise(p, 3 * PAGE, MADV_RANDOM));
	TRY(madvise(p, 3 * PAGE, MADV_SEQUENTIAL));
	TRY(madvise(p, 3 * PAGE, MADV_NORMAL));
	TRY(madvise(p, 3 * PAGE, MADV_DONTFORK));
	TRY(madvise(p, 3 * PAGE, MADV_DOFORK));
	TRY(madvise(p, 3 * PAGE, MADV_DONTDUMP));
	TRY(madvise(p, 3 * PAGE, MADV_DODUMP));
	show("hints", p);
	/* Freed when memory is short, so perhaps not yet: write and keep. */
	TRY(madvise(p, 3 * PAGE, MADV_FREE));
	p[0] = 1;
	say("written again %d", p[0]);
	TRY(madvise(p, PAGE, MADV_REMOVE));
	munmap(p + PAGE, PAGE);
	memset(p, 0xae, PAGE);
	memset(p + 2 * PAGE, 0xae, PAGE);
	/* A hole is told of, and the rest done. */
	TRY(madvise(p, 3 * PAGE, MADV_DONTNEED));
	say("%d %d", p[0], p[2 * PAGE]);
	TRY(madvise(p, 3 * PAGE, MADV_WILLNEED));
	TRY(madvise(p, 3 * PAGE, MADV_POPULATE_READ));
	TRY(madvise(p, 0, MADV_DONTNEED));
	TRY(madvise(p, 0, MADV_REMOVE));
	TRY(madvise(p + 1, PAGE, MADV_DONTNEED));
	TRY(madvise(p, PAGE, 5));
	TRY(madvise(p, PAGE, 7));
	TRY(madvise(p, PAGE, 26));
	TRY(madvise(p, PAGE, 99));
	TRY(madvise(p, -1ul, MADV_NORMAL));
	munmap(p, 4 * PAGE);
}

CASE(madvise_shared)
{
	char *p = some_pages(MAP_SHARED | MAP_ANONYMOUS, -1, 3);

	memset(p, 0xaa, 3 * PAGE);
	TRY(madvise(p, 3 * PAGE, MADV_DONTNEED));
	show("it stays", p);
	TRY(madvise(p, 3 * PAGE, MADV_FREE));
	show("it stays", p);
	TRY(madvise(p + PAGE, PAGE, MADV_REMOVE));
	show("a hole", p);
	munmap(p, 3 * PAGE);
}

CASE(madvise_of_a_file)
{
	int fd = memfd_create("advice", MFD_ALLOW_SEALING), ro;
	char *s, *p, *r, path[64], byte = 1;

	ftruncate(fd, 3 * PAGE);
	s = some_pages(MAP_SHARED, fd, 4);
	p = some_pages(MAP_PRIVATE, fd, 4);
	memset(s, 0xaa, 3 * PAGE);
	memset(p, 0xbb, PAGE);
	show("own copy of one", p);
	TRY(madvise(p, 3 * PAGE, MADV_DONTNEED));
	show("the file's", p);
	TRY(madvise(s, 3 * PAGE, MADV_DONTNEED));
	show("the file's", s);
	TRY(madvise(s, PAGE, MADV_FREE));
	TRY(madvise(p, PAGE, MADV_FREE));
	TRY(madvise(p, PAGE, MADV_REMOVE));
	TRY(madvise(s + PAGE, PAGE, MADV_REMOVE));
	show("a hole", s);
	show("a hole", p);
	TRY(pread(fd, &byte, 1, PAGE));
	say("read %d", byte);
	TRY(lseek(fd, 0, SEEK_HOLE) / PAGE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	r = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	TRY(madvise(r, PAGE, MADV_REMOVE));
	munmap(r, PAGE);
	/* Beyond the end it would be a SIGBUS. */
	TRY(madvise(s, 3 * PAGE, MADV_POPULATE_READ));
	TRY(madvise(s, 4 * PAGE, MADV_POPULATE_READ));
	TRY(madvise(s, 4 * PAGE, MADV_POPULATE_WRITE));
	munmap(p, 4 * PAGE);
	munmap(s, 4 * PAGE);
	close(fd);
}

static int here(char *p, int n)
{
	unsigned char vec[8];
	int sum = 0;

	mincore(p, n * PAGE, vec);
	for (int i = 0; i < n; i++)
		sum += vec[i] & 1;
	return sum;
}

CASE(madvise_populate)
{
	char *p = some_pages(MAP_PRIVATE | MAP_ANONYMOUS, -1, 8);

	/* As large as they are, huge pages would make it less clear. */
	madvise(p, 8 * PAGE, MADV_NOHUGEPAGE);
	say("in memory %d", here(p, 8));
	TRY(madvise(p, 3 * PAGE, MADV_POPULATE_WRITE));
	say("in memory %d", here(p, 8));
	TRY(madvise(p + 3 * PAGE, 5 * PAGE, MADV_POPULATE_WRITE));
	say("in memory %d", here(p, 8));
	TRY(mprotect(p, PAGE, PROT_READ));
	TRY(madvise(p, PAGE, MADV_POPULATE_READ));
	TRY(madvise(p, PAGE, MADV_POPULATE_WRITE));
	TRY(mprotect(p, PAGE, PROT_NONE));
	TRY(madvise(p, PAGE, MADV_POPULATE_READ));
	TRY(madvise(p, 8 * PAGE, MADV_DONTNEED));
	say("in memory %d", here(p, 8));
	munmap(p, 8 * PAGE);
}

/* Who maps it to write stands in the way of the seal. */
CASE(lock_seals_of_what_is_mapped)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING), ro;
	char path[64], *s, *p;

	ftruncate(fd, 2 * PAGE);
	s = some_pages(MAP_SHARED, fd, 2);
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
	TRY(fcntl(fd, F_GET_SEALS));
	/* It could be made writable again. */
	TRY(mprotect(s, 2 * PAGE, PROT_READ));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(munmap(s, PAGE));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(munmap(s + PAGE, PAGE));
	/* What cannot write does not matter. */
	p = some_pages(MAP_PRIVATE, fd, 2);
	p[0] = 1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0));
	OK((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	munmap(s, PAGE);
	munmap(p, 2 * PAGE);
}

CASE(lock_seal_of_future_writes)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);
	char *s;

	ftruncate(fd, PAGE);
	s = some_pages(MAP_SHARED, fd, 1);
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	s[0] = 'x';
	TRY(pwrite(fd, "y", 1, 0));
	TRY((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0));
	TRY(madvise(s, PAGE, MADV_REMOVE));
	say("%d", s[0]);
	munmap(s, PAGE);
}

static sigjmp_buf back;
static volatile int code;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	code = info->si_code;
	siglongjmp(back, 1);
}

static __attribute__((noinline)) long down(long left)
{
	volatile char room[3000];

	room[0] = (char)left;
	if (left <= 0)
		return (long)&room[0];
	return down(left - 3072) + room[0] - (char)left;
}

static void try_down(const char *what, long bytes)
{
	if (!sigsetjmp(back, 1))
		say("%s: %d", what, down(bytes) != 0);
	else
		say("%s: fault, code %d", what, code);
}

/* Down to the default limit and not below, whatever was asked before. */
CASE(memory_stack_grows)
{
	static char own[16384];
	stack_t st = { .ss_sp = own, .ss_size = sizeof(own) };
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct rlimit old, lim;

	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, NULL);
	sigaltstack(&st, NULL);
	getrlimit(RLIMIT_STACK, &old);
	lim = old;
	lim.rlim_cur = 8 << 20;
	TRY(setrlimit(RLIMIT_STACK, &lim));
	try_down("7 MiB", 7 << 20);
	try_down("9 MiB", 9 << 20);
	try_down("7 MiB", 7 << 20);
	/* What has grown stays, but none may go beyond what is said now. */
	lim.rlim_cur = 256 << 10;
	TRY(setrlimit(RLIMIT_STACK, &lim));
	try_down("128 KiB", 128 << 10);
	TRY(setrlimit(RLIMIT_STACK, &old));
	st.ss_flags = SS_DISABLE;
	sigaltstack(&st, NULL);
	signal(SIGSEGV, SIG_DFL);
}
