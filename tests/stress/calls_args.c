/*
 * Arguments: mostly of the right kind, sometimes the wrong ones. What could
 * end the program itself is not drawn: memory outside the arenas, signals
 * that cannot be handled, masks that would keep the kick out.
 */
#define _GNU_SOURCE
#include "tests/stress/calls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PICK(w, a)	((a)[below(w, ARRAY_SIZE(a))])
#define SLOT		256ul

/* Where in the page of fixed things they are. */
#define FIXED_MASK	0u	/* eight masks of 8 bytes */
#define FIXED_ACTION	64u	/* eight actions of 32 bytes */
#define FIXED_EVENT	512u	/* eight sigevents of 64 bytes */

static const uint64_t ints[] = {
	0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 100, 255, 256, 1000, 4095, 4096,
	4097, 65535, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32,
	1ull << 47, INT64_MAX, 1ull << 63, -1ull, -2ull, -4096ull, -100ull,
};

static const uint64_t bad[] = {
	0, 0, 1, 8, 4095, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000,
	0x8000000000000000, 0xffff800000000000, 0xffffffff80000000,
	0xffffffff80100000, 0xffffec0000000000, -4096ull, -8ull, -1ull,
};

static const char *const own_names[] = {
	"a", "b", "c", "d", "d/a", "d/b", "d/d", "d/d/a", "../fuzz/a", "l",
	"sock", "fifo", "", "a/", "d/", "d/.", "d/..", "./a", "a/b",
};

static const char *const far_names[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
	"/proc/self/maps", "/proc/self/fd", "/proc/self/fd/5",
	"/proc/self/fdinfo/4", "/proc/self/status", "/proc/self/stat",
	"/proc/self/task", "/proc/self/exe", "/proc/meminfo",
	"/proc/net/tcp", "/proc/net/unix", "/proc/self", "/proc", "/dev",
	"/", ".", "..", "/proc/slabinfo", "/proc/self/smaps",
	"/proc/self/limits", "/proc/self/cmdline", "/proc/sys/kernel",
};

/* xorshift64* (Vigna). */
uint64_t draw(struct worker *w)
{
	w->seed ^= w->seed >> 12;
	w->seed ^= w->seed << 25;
	w->seed ^= w->seed >> 27;
	return w->seed * 0x2545f4914f6cdd1dull;
}

uint32_t below(struct worker *w, uint32_t n)
{
	return (uint32_t)((draw(w) >> 32) % n);
}

bool one_in(struct worker *w, uint32_t n)
{
	return below(w, n) == 0;
}

bool in_an_arena(uint64_t va)
{
	for (int i = 0; i < WORKERS; i++) {
		uint64_t start = (uint64_t)world.worker[i].arena;

		if (va >= start && va < start + ARENA_PAGES * PAGE)
			return true;
	}
	return false;
}

static uint64_t flags(struct worker *w)
{
	uint64_t f = 0;

	for (uint32_t n = below(w, 4); n; n--)
		f |= 1ull << below(w, one_in(w, 8) ? 64 : 16);
	return f;
}

static int any_fd(struct worker *w)
{
	static const int odd[] = { -1, AT_FDCWD, 1000, 0x7fffffff, 64 };

	return one_in(w, 12) ? PICK(w, odd) : 3 + (int)below(w, 40);
}

/* Somewhere in an arena: at a slot, in it, or just before the hole. */
static uint8_t *somewhere(struct worker *w)
{
	uint8_t *arena = one_in(w, 16) ? PICK(w, world.worker).arena :
					 w->arena;
	uint32_t way = below(w, 16);

	if (way == 0)
		return arena + ARENA_PAGES * PAGE - below(w, 40);
	if (way == 1)
		return arena + below(w, ARENA_PAGES * PAGE);
	/* Few, so that what was filled in is found. */
	return arena + (below(w, 4) * PAGE) + below(w, 4) * SLOT;
}

static uint64_t pointer(struct worker *w)
{
	return one_in(w, 10) ? PICK(w, bad) : (uint64_t)somewhere(w);
}

static int64_t small_time(struct worker *w)
{
	return one_in(w, 8) ? (int64_t)PICK(w, ints) : below(w, 2000000);
}

/* --- what is in memory --- */

static void fill_words(struct worker *w, uint8_t *to)
{
	uint64_t word[SLOT / 8];

	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		word[i] = one_in(w, 3) ? pointer(w) :
			  one_in(w, 2) ? below(w, 64) : PICK(w, ints);
	memcpy(to, word, sizeof(word));
}

static void fill_fds(struct worker *w, uint8_t *to)
{
	struct { int fd; short events, revents; } p[SLOT / 8];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i].fd = any_fd(w);
		p[i].events = (short)flags(w);
		p[i].revents = 0;
	}
	memcpy(to, p, sizeof(p));
}

static void fill_addr(struct worker *w, uint8_t *to)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	uint16_t port = one_in(w, 4) ? 0 : htons(4000 + below(w, 6));

	in.sin_port = in6.sin6_port = port;
	in.sin_addr.s_addr = htonl(one_in(w, 4) ? INADDR_ANY :
						  INADDR_LOOPBACK);
	in6.sin6_addr = in6addr_loopback;
	un.sun_path[0] = one_in(w, 2) ? '\0' : 's';
	un.sun_path[1] = (char)('a' + below(w, 4));
	switch (below(w, 3)) {
	case 0:
		memcpy(to, &in, sizeof(in));
		break;
	case 1:
		memcpy(to, &in6, sizeof(in6));
		break;
	default:
		memcpy(to, &un, sizeof(un));
	}
}

static void fill_vectors(struct worker *w, uint8_t *to)
{
	struct iovec v[SLOT / sizeof(struct iovec)];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = (struct iovec){
			(void *)pointer(w),
			one_in(w, 12) ? PICK(w, ints) : below(w, 3000),
		};
	memcpy(to, v, sizeof(v));
}

/* A message that carries descriptors now and then. */
static void fill_message(struct worker *w, uint8_t *to)
{
	struct msghdr m = {
		.msg_name = one_in(w, 3) ? (void *)pointer(w) : NULL,
		.msg_namelen = below(w, 130),
		.msg_iov = (void *)pointer(w),
		.msg_iovlen = below(w, 5),
		.msg_control = to + 64,
		.msg_controllen = below(w, 64),
	};
	struct { struct cmsghdr c; int fd[4]; } c = {
		{ .cmsg_len = CMSG_LEN(4 * (1 + below(w, 4))),
		  .cmsg_level = SOL_SOCKET,
		  .cmsg_type = 1 + (int)below(w, 2) },
		{ any_fd(w), any_fd(w), any_fd(w), any_fd(w) },
	};

	memcpy(to, &m, sizeof(m));
	memcpy(to + 64, &c, sizeof(c));
}

static void fill_times(struct worker *w, uint8_t *to)
{
	int64_t t[4] = { 0, small_time(w), 0, small_time(w) };

	memcpy(to, t, sizeof(t));
}

static void fill_event(struct worker *w, uint8_t *to)
{
	struct epoll_event e = {
		.events = (uint32_t)(flags(w) | (uint64_t)below(w, 16) << 28 |
				     (one_in(w, 2) ? EPOLLIN : EPOLLOUT)),
		.data.u64 = draw(w),
	};

	memcpy(to, &e, sizeof(e));
}

static void fill_noise(struct worker *w, uint8_t *to)
{
	for (size_t i = 0; i < SLOT; i++)
		to[i] = (uint8_t)draw(w);
}

static void fill_name(struct worker *w, uint8_t *to)
{
	const char *name = one_in(w, 4) ? PICK(w, far_names) :
					  PICK(w, own_names);

	memcpy(to, name, strlen(name) + 1);
}

static void fill_small(struct worker *w, uint8_t *to)
{
	uint32_t v[8];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		v[i] = below(w, 130);
	memcpy(to, v, sizeof(v));
}

void fill_some_memory(struct worker *w)
{
	static void (*const fill[])(struct worker *, uint8_t *) = {
		fill_words, fill_fds, fill_addr, fill_vectors, fill_message,
		fill_times, fill_event, fill_noise, fill_name, fill_small,
		fill_addr, fill_event,
	};

	for (int i = 0; i < 3; i++) {
		uint8_t *to = w->arena + below(w, 4) * PAGE +
			      below(w, 4) * SLOT;

		PICK(w, fill)(w, to);
	}
}

void fill_fixed(uint8_t *page)
{
	uint64_t open = 1ull << (KICK - 1) | 1ull << (SIGSEGV - 1) |
			1ull << (SIGBUS - 1);
	struct worker w = { .seed = 12345 };

	for (int i = 0; i < 8; i++) {
		uint64_t mask = i ? draw(&w) & ~open : 0;
		struct sigevent e = { 0 };

		memcpy(page + FIXED_MASK + 8 * i, &mask, 8);
		e.sigev_signo = i ? 34 + i : SIGALRM;
		e.sigev_notify = i % 3 == 2 ? SIGEV_NONE : SIGEV_SIGNAL;
		memcpy(page + FIXED_EVENT + 64 * i, &e, sizeof(e));
	}
}

/* --- arguments --- */

/* A path into the arena, or a bad one; @far may be one not to be changed. */
static uint64_t path(struct worker *w, bool far)
{
	uint8_t *to = w->arena + (4 + below(w, 4)) * PAGE;
	uint32_t way = below(w, 24);
	const char *name;

	if (way == 0)
		return PICK(w, bad);
	if (way == 1) {
		/* Without an end, up to the hole. */
		to = w->arena + ARENA_PAGES * PAGE - 50;
		memset(to, 'x', 50);
		return (uint64_t)to;
	}
	if (way == 2) {
		memset(to, 'n', 300);
		to[below(w, 300)] = 0;
		return (uint64_t)to;
	}
	name = far && way < 12 ? PICK(w, far_names) : PICK(w, own_names);
	memcpy(to, name, strlen(name) + 1);
	return (uint64_t)to;
}

static uint64_t size(struct worker *w)
{
	switch (below(w, 12)) {
	case 0:
		return PICK(w, ints);
	case 1:
		return 65536 + below(w, 65536);
	case 2:
		return 0;
	case 3:
	case 4:
		return below(w, 8192);
	default:
		return below(w, 200);
	}
}

static uint64_t signal_number(struct worker *w)
{
	uint32_t s = below(w, 68);

	return s == SIGKILL || s == SIGSTOP ? SIGUSR2 : s;
}

/* As signal_number(), but none whose handler is needed. */
static uint64_t free_signal(struct worker *w)
{
	uint64_t s = signal_number(w);

	return s == SIGSEGV || s == SIGBUS || s == KICK ? SIGUSR2 : s;
}

static uint64_t process_number(struct worker *w)
{
	static const int odd[] = { 0, -1, 1, 2, 99999, -99999 };

	switch (below(w, 4)) {
	case 0:
		return (uint64_t)(int64_t)PICK(w, odd);
	case 1:
		return (uint64_t)world.pid;
	default:
		return (uint64_t)PICK(w, world.worker).tid;
	}
}

static uint64_t fixed_at(struct worker *w, uint32_t base, uint32_t each)
{
	return one_in(w, 6) ? PICK(w, bad) :
	       (uint64_t)world.fixed + base + below(w, 8) * each;
}

/* Such that with any length() it stays in the arena, or is bad. */
static uint64_t range(struct worker *w)
{
	if (one_in(w, 12))
		return PICK(w, bad);
	return (uint64_t)w->arena + below(w, ARENA_PAGES - 10) * PAGE +
	       (one_in(w, 16) ? below(w, PAGE) : 0);
}

static uint64_t length(struct worker *w)
{
	static const uint64_t odd[] = { 0, 1ull << 48, -1ull, -4096ull };

	return one_in(w, 10) ? PICK(w, odd) : 1 + below(w, 8 * PAGE);
}

static uint64_t map_flags(struct worker *w, bool fixed)
{
	uint64_t f = 1 + below(w, 3);

	if (!one_in(w, 3))
		f |= MAP_ANONYMOUS;
	f |= flags(w) & ~(uint64_t)MAP_FIXED;
	return fixed && one_in(w, 2) ? f | MAP_FIXED : f;
}

static uint64_t request(struct worker *w)
{
	static const uint32_t known[] = {
		FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, FIOASYNC, TIOCGWINSZ,
		TIOCSWINSZ, TCGETS, TCSETS, TIOCOUTQ, SIOCGIFCONF,
		SIOCGIFNAME, SIOCGIFADDR, SIOCGIFMTU, SIOCGIFFLAGS,
		SIOCATMARK, SIOCGPGRP, 0x40088a01, 0x80088a02,
		TIOCGPGRP, TIOCGSID, 0x5452,
	};

	return one_in(w, 10) ? draw(w) : PICK(w, known);
}

/* Not F_SETSIG: it could ask for SIGKILL. */
static uint64_t fcntl_command(struct worker *w)
{
	uint32_t c = below(w, 44);

	return c == 10 ? 9 : c > 40 ? 1020 + below(w, 24) : c;
}

static uint64_t other_number(struct worker *w, char kind)
{
	static const int families[] = { 1, 1, 2, 2, 2, 10, 10, 16, 17, 0, 99 };
	static const int types[] = { 1, 1, 2, 2, 3, 5, 0, 11 };
	static const int levels[] = { 1, 1, 1, 6, 6, 0, 17, 41, 58, 255 };
	static const int clocks[] = { 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 11, -1 };

	switch (kind) {
	case 'D':
		return (uint64_t)PICK(w, families);
	case 'Y':
		return (uint64_t)PICK(w, types) |
		       (one_in(w, 2) ? SOCK_NONBLOCK : 0) |
		       (one_in(w, 4) ? SOCK_CLOEXEC : 0);
	case 'V':
		return (uint64_t)PICK(w, levels);
	case 'C':
		return (uint64_t)(int64_t)PICK(w, clocks);
	case 'H':
		return 0x1000 + below(w, 6);
	case 'K':
		return flags(w) & ~0x100ull;	/* CLONE_VM */
	case 'R':
		/* Not RLIMIT_CPU, which kills. */
		return 1 + below(w, 18);
	case 'Z':
		return one_in(w, 10) ? size(w) : 8;
	case 'l':
		return one_in(w, 8) ? size(w) : 2 + below(w, 30);
	default:
		return draw(w);
	}
}

static uint64_t number(struct worker *w, char kind)
{
	switch (kind) {
	case 'f':
		return (uint64_t)(int64_t)any_fd(w);
	case 'd':
		return (uint64_t)(int64_t)(one_in(w, 2) ? AT_FDCWD :
							  any_fd(w));
	case 's':
		return size(w);
	case 'n':
		return one_in(w, 16) ? PICK(w, ints) : below(w, 12);
	case 'i':
	case 'o':
		return one_in(w, 2) ? PICK(w, ints) : below(w, 10000);
	case 'k':
		return flags(w);
	case 'e':
		return one_in(w, 16) ? PICK(w, ints) :
		       below(w, one_in(w, 3) ? 64 : 4);
	case 't':
		return one_in(w, 3) ? (uint64_t)-1 : below(w, 4);
	case 'm':
		return below(w, 010000) | (one_in(w, 3) ?
			(uint64_t)below(w, 16) << 12 : 0);
	case 'F':
		return below(w, 3) | (one_in(w, 2) ? O_CREAT : 0) |
		       (one_in(w, 2) ? O_NONBLOCK : 0) |
		       (one_in(w, 4) ? O_CLOEXEC : 0) |
		       (one_in(w, 8) ? flags(w) << 6 : 0);
	case 'g':
		return below(w, 16) | (one_in(w, 2) ? 0x80 : 0) |
		       (one_in(w, 8) ? 0x100 : 0);
	case 'a':
		return one_in(w, 2) ? below(w, 100) : flags(w) << 8;
	default:
		return other_number(w, kind);
	}
}

uint64_t make_arg(struct worker *w, const char *args, int at)
{
	switch (args[at]) {
	case 'b':
	case 'T':
		return pointer(w);
	case 'B':
		return one_in(w, 2) ? 0 : pointer(w);
	case 'x':
		return PICK(w, bad);
	case 'z':
		return 0;
	case 'p':
		return path(w, true);
	case 'q':
		return path(w, false);
	case 'A':
		return range(w);
	case 'L':
		return length(w);
	case 'M':
		return fixed_at(w, FIXED_MASK, 8);
	case 'N':
		return map_flags(w, args[0] == 'A');
	case 'E':
		return fixed_at(w, FIXED_EVENT, 64);
	case 'G':
		return one_in(w, 2) ? 0 : PICK(w, bad);
	case 'S':
		return strchr(args, 'G') ? free_signal(w) : signal_number(w);
	case 'P':
		return process_number(w);
	case 'c':
		return fcntl_command(w);
	case 'I':
		return request(w);
	default:
		return number(w, args[at]);
	}
}
