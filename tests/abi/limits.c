/* Resource limits, and memory that is not there. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

static sigjmp_buf back;
static volatile int sig_no, sig_code;
static char *volatile sig_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	sig_no = sig;
	sig_code = info->si_code;
	sig_addr = info->si_addr;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static void release_faults(void)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
}

/* What reading @p gives, or the signal of it. */
static void touch(const char *what, volatile char *p, bool write)
{
	sig_no = 0;
	if (!sigsetjmp(back, 1)) {
		char c = *p;

		if (write)
			*p = 'w';
		say("%s: %d", what, c);
	} else {
		say("%s: signal %d, code %d, at it %d", what, sig_no,
		    sig_code, sig_addr == p);
	}
}

CASE(limits_beyond_the_end_of_a_file)
{
	char buf[16] = "";
	char *s, *p;
	int f;

	tree_enter();
	catch_faults();
	f = open("f", O_RDWR | O_CREAT, 0600);
	write(f, "hello", 5);
	s = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
	touch("in it", s, false);
	touch("in its last page", s + 100, false);
	touch("beyond", s + 4096, false);
	touch("beyond, write", s + 8192 + 7, true);
	touch("private, beyond", p + 4096, false);
	TRY(pread(f, s + 4096, 5, 0));
	TRY(write(f, s + 4096, 5));
	TRY(ftruncate(f, 4 * 4096));
	touch("grown", s + 4096, true);
	touch("private, grown", p + 4096, true);
	touch("the last", s + 3 * 4096, true);
	/* What is cut off is gone from all mappings, copies too. */
	TRY(ftruncate(f, 4096));
	touch("cut", s + 4096, false);
	touch("private, cut", p + 4096, false);
	touch("the last", s + 3 * 4096, false);
	touch("still there", s, false);
	TRY(ftruncate(f, 4 * 4096));
	touch("grown again", s + 4096, false);
	touch("private, grown again", p + 4096, false);
	s[4096] = 'x';
	TRY(fallocate(f, 3, 4096, 4096));
	touch("punched", s + 4096, false);
	s[4096] = 'y';
	TRY(pread(f, buf, 1, 4096));
	say("%s", buf);
	munmap(s, 4 * 4096);
	munmap(p, 4 * 4096);
	close(f);
	release_faults();
	tree_leave();
}

static void *get(size_t len, int prot, int flags)
{
	void *p = mmap(NULL, len, prot, flags | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	if (p == MAP_FAILED)
		say("%zu MiB: %s", len >> 20, errno_name(errno));
	else
		say("%zu MiB: mapped", len >> 20);
	return p == MAP_FAILED ? NULL : p;
}

CASE(limits_address_space)
{
	struct rlimit old, few;
	void *a, *b;

	getrlimit(RLIMIT_AS, &old);
	few = old;
	few.rlim_cur = 1ul << 30;
	TRY(setrlimit(RLIMIT_AS, &few));
	get(2ul << 30, PROT_NONE, MAP_PRIVATE);
	a = get(600ul << 20, PROT_NONE, MAP_PRIVATE);
	get(600ul << 20, PROT_READ, MAP_SHARED);
	TRY(munmap(a, 600ul << 20));
	b = get(600ul << 20, PROT_READ, MAP_SHARED);
	TRY((long)mremap(b, 600ul << 20, 1200ul << 20, MREMAP_MAYMOVE));
	/* In the place of what is there, no more is needed. */
	OK((long)mmap(b, 600ul << 20, PROT_READ, MAP_PRIVATE | MAP_FIXED |
		      MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	TRY(munmap(b, 600ul << 20));
	TRY(setrlimit(RLIMIT_AS, &old));
}

CASE(limits_data)
{
	struct rlimit old, few;
	void *a;

	getrlimit(RLIMIT_DATA, &old);
	few = old;
	few.rlim_cur = 1ul << 30;
	TRY(setrlimit(RLIMIT_DATA, &few));
	get(2ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	a = get(2ul << 30, PROT_READ, MAP_PRIVATE);
	munmap(a, 2ul << 30);
	a = get(2ul << 30, PROT_READ | PROT_WRITE, MAP_SHARED);
	munmap(a, 2ul << 30);
	a = get(600ul << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	get(600ul << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	munmap(a, 600ul << 20);
	TRY(setrlimit(RLIMIT_DATA, &old));
}

static __attribute__((noinline)) int deep(int n)
{
	volatile char room[16384];

	room[0] = (char)n;
	return n ? deep(n - 1) + room[0] : room[0];
}

CASE(limits_stack)
{
	static char own[16384];
	stack_t st = { .ss_sp = own, .ss_size = sizeof(own) };
	struct rlimit old, few;

	getrlimit(RLIMIT_STACK, &old);
	few = old;
	few.rlim_cur = 1 << 20;
	catch_faults();
	sigaltstack(&st, NULL);
	TRY(setrlimit(RLIMIT_STACK, &few));
	if (!sigsetjmp(back, 1))
		say("half of it %d", deep(32) != 0);
	else
		say("signal %d", sig_no);
	if (!sigsetjmp(back, 1))
		say("twice %d", deep(128) != 0);
	else
		say("signal %d, code %d", sig_no, sig_code);
	TRY(setrlimit(RLIMIT_STACK, &old));
	if (!sigsetjmp(back, 1))
		say("twice %d", deep(128) != 0);
	else
		say("signal %d, code %d", sig_no, sig_code);
	st.ss_flags = SS_DISABLE;
	sigaltstack(&st, NULL);
	release_faults();
}

CASE(limits_that_cannot_be)
{
	struct rlimit old, lim = { 20, 10 };

	getrlimit(RLIMIT_NOFILE, &old);
	TRY(setrlimit(RLIMIT_NOFILE, &lim));
	lim = (struct rlimit){ 10, RLIM_INFINITY };
	TRY(setrlimit(RLIMIT_NOFILE, &lim));
	TRY(setrlimit(99, &lim));
	TRY(setrlimit(RLIMIT_NOFILE, &old));
}

CASE(limits_files)
{
	struct rlimit old, few;
	struct sockaddr_in a;
	uint16_t port;
	int l = listener(&port), c, p[2];

	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 6;
	a = loopback(port);
	c = socket(AF_INET, SOCK_STREAM, 0);
	TRY(connect(c, (void *)&a, sizeof(a)));
	settle(l, 1);
	TRY(setrlimit(RLIMIT_NOFILE, &few));
	TRY(dup(l));
	TRY(dup(l));
	TRY(pipe(p));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(open("/dev/null", O_RDONLY));
	/* The connection stays in the queue. */
	TRY(accept(l, NULL, NULL));
	TRY(accept(l, NULL, NULL));
	TRY(dup2(l, 6));
	TRY(dup2(l, 5));
	TRY(fcntl(l, F_DUPFD, 6));
	TRY(close(5));
	TRY(pipe(p));
	TRY(accept(l, NULL, NULL));
	TRY(setrlimit(RLIMIT_NOFILE, &old));
	TRY(dup2(l, 6));
}
