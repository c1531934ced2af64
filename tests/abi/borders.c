/* The largest, the longest and the last: what bounds each number. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <netinet/tcp.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define PAGE	4096l
#define MMSG	1024		/* that sendmmsg() sends at most */

#ifndef SO_MAX_PACING_RATE
#define SO_MAX_PACING_RATE	47
#endif

static long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);

	read(fd, text, sizeof(text) - 1);
	close(fd);
	return atol(text);
}

/* musl answers for the kernel if it can. */
CASE(dup3_by_itself)
{
	int fd = open("/dev/null", O_RDWR);

	TRY(syscall(SYS_dup3, fd, fd, 0));
	TRY(syscall(SYS_dup3, fd, fd, O_CLOEXEC));
	TRY(syscall(SYS_dup3, fd, 40, O_NONBLOCK));
	TRY(syscall(SYS_dup3, fd, 40, O_CLOEXEC | 1));
	TRY(syscall(SYS_dup3, 99, 40, 0));
	TRY(syscall(SYS_dup3, 99, 99, 0));
	TRY(syscall(SYS_dup3, fd, -1, 0));
	TRY(syscall(SYS_dup3, fd, 1 << 30, 0));
	TRY(fcntl(40, F_GETFD));
	TRY(syscall(SYS_dup3, fd, 40, O_CLOEXEC));
	TRY(fcntl(40, F_GETFD));
}

/* Who was an owner is none of the file that comes in its place. */
CASE(fcntl_owner_of_a_new_file)
{
	int p[2], owned = 0;

	for (int i = 0; i < 64; i++) {
		pipe(p);
		owned += fcntl(p[0], F_GETOWN) || fcntl(p[1], F_GETOWN);
		fcntl(p[0], F_SETOWN, getpid());
		fcntl(p[1], F_SETOWN, getpid());
		close(p[0]);
		close(p[1]);
	}
	say("owned %d", owned);
}

/* How far from twice the largest that may be asked for. */
static void show_buffer(int s, int option, long most, int asked)
{
	socklen_t len = sizeof(int);
	int v = -1;

	setsockopt(s, SOL_SOCKET, option, &asked, sizeof(asked));
	getsockopt(s, SOL_SOCKET, option, &v, &len);
	say("option %d: %ld", option, v - 2 * most);
}

CASE(socket_buffers_have_a_cap)
{
	static const char *const most[] = { "/proc/sys/net/core/wmem_max",
					    "/proc/sys/net/core/rmem_max" };
	static const int option[] = { SO_SNDBUF, SO_RCVBUF };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

	for (int i = 0; i < 4; i++) {
		long max = number_in(most[i & 1]);
		int s = socket(AF_INET, types[i >> 1], 0);

		show_buffer(s, option[i & 1], max, max - 1);
		show_buffer(s, option[i & 1], max, max);
		show_buffer(s, option[i & 1], max, max + 1);
		show_buffer(s, option[i & 1], max, INT_MAX);
		show_buffer(s, option[i & 1], max, -1);
		close(s);
	}
}

static void show_pace(int s)
{
	uint64_t wide = 0;
	uint32_t word = 0;
	socklen_t len = sizeof(wide);

	TRY(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len));
	say("%u bytes: %llu", len, (unsigned long long)wide);
	len = sizeof(word);
	TRY(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &word, &len));
	say("%u bytes: %u", len, word);
}

CASE(pacing_in_words_of_both_sizes)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t wide = 5000000000;
	uint32_t word = 1000000;

	show_pace(s);
	TRY(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, 8));
	show_pace(s);
	TRY(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &word, 4));
	show_pace(s);
	wide = -1;
	TRY(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, 8));
	show_pace(s);
	TRY(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &word, 4));
	word = -1;
	TRY(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &word, 4));
	show_pace(s);
	TRY(setsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &word, 3));
	close(s);
}

/* The longest queue a listening TCP socket says it has. */
static long longest(int l, int backlog, long most)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	listen(l, backlog);
	getsockopt(l, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_sacked == most ? -1 : (long)info.tcpi_sacked;
}

CASE(listen_no_longer_than_somaxconn)
{
	struct sockaddr_un a = { AF_UNIX, "\0abi-somaxconn" };
	long most = number_in("/proc/sys/net/core/somaxconn"), n = 0;
	int l = socket(AF_INET, SOCK_STREAM, 0), c = -1;

	TRY(longest(l, 0, most));
	TRY(longest(l, 7, most));
	TRY(longest(l, most, most));
	TRY(longest(l, most + 1, most));
	TRY(longest(l, -1, most));
	close(l);
	/* And what fits: those who left are in the queue as well. */
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(l, (void *)&a, sizeof(a));
	TRY(listen(l, INT_MAX));
	for (;; n++) {
		c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(c, (void *)&a, sizeof(a)) || n > most + 9)
			break;
		close(c);
	}
	say("%ld more than it says", n - most);
	TRY(connect(c, (void *)&a, sizeof(a)));
	close(c);
	close(l);
}

CASE(messages_in_one_call)
{
	static struct mmsghdr m[MMSG + 2];
	static char bytes[2 * MMSG];
	struct iovec v = { bytes, 1 };
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_DGRAM, 0), pair[2];

	for (int i = 0; i < MMSG + 2; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v,
						.msg_iovlen = 1 };
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	TRY(write(pair[0], bytes, sizeof(bytes)));
	TRY(syscall(SYS_recvmmsg, pair[1], m, MMSG - 1, MSG_DONTWAIT, NULL));
	TRY(recv(pair[1], bytes, 1, MSG_DONTWAIT));
	TRY(write(pair[0], bytes, MMSG));
	TRY(syscall(SYS_recvmmsg, pair[1], m, MMSG + 2, MSG_DONTWAIT, NULL));
	say("%u %u", m[MMSG - 1].msg_len, m[MMSG].msg_len);
	/* To one who drops what he has no room for. */
	bind(s, (void *)&a, sizeof(a));
	getsockname(s, (void *)&a, &len);
	connect(s, (void *)&a, sizeof(a));
	m[MMSG].msg_len = 9;
	TRY(syscall(SYS_sendmmsg, s, m, MMSG + 2, 0));
	say("%u %u", m[MMSG - 1].msg_len, m[MMSG].msg_len);
	close(s);
}

CASE(mremap_fixed_must_be_free_to_move)
{
	char *p = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0), *to = p + 4 * PAGE;

	TRY(syscall(SYS_mremap, p, PAGE, PAGE, MREMAP_FIXED, to));
	TRY(syscall(SYS_mremap, p, PAGE, 2 * PAGE, MREMAP_FIXED, to));
	TRY(syscall(SYS_mremap, p, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE,
		    to) == (long)to);
	munmap(p, 8 * PAGE);
}

/* Where the stack's lowest page is now. */
static char *stack_start(void)
{
	char *text = file_text("/proc/self/maps");
	char *at = strstr(text, "[stack]");

	while (at && at > text && at[-1] != '\n')
		at--;
	return at ? (char *)strtoul(at, NULL, 16) : NULL;
}

/* What a hint asks for is not given in the megabyte below the stack. */
CASE(mapping_keeps_off_the_stack)
{
	char *stack = stack_start(), *p;
	long near = 0;

	for (long below = 1; !near && below < 300; below++) {
		p = mmap(stack - below * PAGE, PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == stack - below * PAGE)
			near = below;
		munmap(p, PAGE);
	}
	say("first at a page %ld below", near);
}

static sigjmp_buf back;
static volatile int calls;

static void on_signal(int sig)
{
	(void)sig;
	calls++;
}

static void on_segv(int sig)
{
	siglongjmp(back, sig);
}

/* A frame of 2 KiB and more, to which the FPU of this CPU belongs. */
CASE(signal_frame_too_large)
{
	static char low[1 << 16];
	stack_t st = { .ss_sp = low + (1 << 15), .ss_size = 2048 };
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_ONSTACK };

	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGSEGV, on_segv);
	TRY(syscall(SYS_sigaltstack, &st, NULL));
	calls = 0;
	if (getauxval(51 /* AT_MINSIGSTKSZ */) < 2400)
		say("SIGSEGV, calls 0");	/* an old CPU: it has room */
	else if (!sigsetjmp(back, 1))
		raise(SIGUSR1);
	else
		say("SIGSEGV, calls %d", calls);
	for (int i = 0; i < 1 << 15; i++)
		calls += low[i] != 0;
	say("written below it %d", calls);
	st.ss_flags = SS_DISABLE;
	sigaltstack(&st, NULL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
}
