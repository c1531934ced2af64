/* After a round: everything that the workers could leave is put back. */
#define _GNU_SOURCE
#include "tests/stress/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAX_RANGES	64
#define MAX_NAMES	128
#define TIMERS		128

struct range {
	uint64_t start, end;
};

static struct range kept[MAX_RANGES];
static int nr_kept;
static struct known {
	uint64_t dir;		/* its inode number */
	char name[24];
} known[MAX_NAMES];
static int nr_known;
static struct rlimit limit[RLIM_NLIMITS];
static uint64_t heap_end;

struct entry {
	uint64_t ino, off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* --- memory --- */

char *read_file(const char *path)
{
	static char text[128 << 10];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < sizeof(text) - 1 &&
	       (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = '\0';
	return text;
}

/* Calls @fn with each range of the address space but the stack's. */
static void each_range(void (*fn)(struct range r))
{
	char *line = read_file("/proc/self/maps");

	for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		struct range r;

		*end = '\0';
		if (!strstr(line, "[stack]") &&
		    sscanf(line, "%lx-%lx", &r.start, &r.end) == 2)
			fn(r);
	}
}

static void keep_range(struct range r)
{
	if (nr_kept == MAX_RANGES) {
		printf("calls: too many mappings\n");
		exit(1);
	}
	kept[nr_kept++] = r;
}

/* Unmaps what of @r was not there. */
static void unmap_new(struct range r)
{
	uint64_t at = r.start;

	for (int i = 0; i < nr_kept && at < r.end; i++) {
		if (kept[i].end <= at || kept[i].start >= r.end)
			continue;
		if (kept[i].start > at)
			munmap((void *)at, kept[i].start - at);
		at = kept[i].end;
	}
	if (at < r.end)
		munmap((void *)at, r.end - at);
}

static void new_arenas(void)
{
	for (int i = 0; i < WORKERS; i++) {
		uint8_t *a = world.worker[i].arena;
		size_t half = ARENA_PAGES * PAGE;
		int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS;

		mmap(a, half, PROT_READ | PROT_WRITE, flags, -1, 0);
		mmap(a + half, half, PROT_NONE, flags, -1, 0);
	}
}

/* --- files --- */

static bool is_known(uint64_t dir, const char *name)
{
	for (int i = 0; i < nr_known; i++)
		if (known[i].dir == dir && !strcmp(name, known[i].name))
			return true;
	return false;
}

static void learn(uint64_t dir, const char *name)
{
	if (nr_known == MAX_NAMES) {
		printf("calls: too many files\n");
		exit(1);
	}
	known[nr_known].dir = dir;
	snprintf(known[nr_known++].name, sizeof(known[0].name), "%.23s", name);
}

/* Calls @fn with each name in the directory @fd, and that. */
static void each_name(int fd, void (*fn)(int fd, uint64_t dir,
					 const struct entry *e))
{
	uint64_t buf[128];
	struct stat st;
	long n;

	fstat(fd, &st);
	while ((n = raw(SYS_getdents64, fd, (uint64_t)buf, sizeof(buf), 0, 0,
			0)) > 0)
		for (char *p = (char *)buf; p < (char *)buf + n;) {
			const struct entry *e = (const struct entry *)p;

			if (strcmp(e->name, ".") && strcmp(e->name, ".."))
				fn(fd, st.st_ino, e);
			p += e->len;
		}
}

/* The same with what is in the directory @name of @fd, of this file system. */
static void each_below(int fd, const char *name,
		       void (*fn)(int fd, uint64_t dir, const struct entry *e))
{
	int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	struct stat here, there;

	if (below < 0)
		return;
	fstatat(AT_FDCWD, "/", &here, 0);
	fstat(below, &there);
	if (here.st_dev == there.st_dev)
		each_name(below, fn);
	close(below);
}

static void learn_all(int fd, uint64_t dir, const struct entry *e)
{
	learn(dir, e->name);
	if (e->type == DT_DIR)
		each_below(fd, e->name, learn_all);
}

static void remove_new(int fd, uint64_t dir, const struct entry *e)
{
	bool keep = is_known(dir, e->name);

	if (!keep && unlinkat(fd, e->name, 0) == 0)
		return;
	each_below(fd, e->name, remove_new);
	if (!keep)
		unlinkat(fd, e->name, AT_REMOVEDIR);
}

static void remove_files(void)
{
	umask(0);
	chdir("/");
	/* A directory that loses names while it is read may hide some. */
	for (int i = 0; i < 3; i++)
		each_below(AT_FDCWD, "/", remove_new);
	chmod(HOME, 0777);
	if (rmdir(HOME) || mkdir(HOME, 0777) || chdir(HOME))
		printf("calls: " HOME " cannot be emptied\n");
}

/* --- the rest --- */

static void close_all(void)
{
	struct linger now = { 1, 0 };

	for (int fd = 3; fd < 1100; fd++)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	raw(SYS_close_range, 3, ~0u, 0, 0, 0, 0);
}

void stop_timers(void)
{
	struct itimerval none = { 0 };
	struct timespec now = { 0 };
	uint64_t all = ~0ull;

	for (int i = 0; i < 3; i++)
		setitimer(i, &none, NULL);
	for (int i = 0; i < TIMERS; i++)
		raw(SYS_timer_delete, i, 0, 0, 0, 0, 0);
	while (raw(SYS_rt_sigtimedwait, (uint64_t)&all, 0, (uint64_t)&now, 8,
		   0, 0) > 0)
		;
}

void remember(void)
{
	chdir("/");
	each_below(AT_FDCWD, "/", learn_all);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		raw(SYS_getrlimit, i, (uint64_t)&limit[i], 0, 0, 0, 0);
	new_arenas();
	heap_end = raw(SYS_brk, 0, 0, 0, 0, 0, 0);
	each_range(keep_range);
}

void clean_up(void)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		raw(SYS_setrlimit, i, (uint64_t)&limit[i], 0, 0, 0, 0);
	stop_timers();
	close_all();
	munlockall();
	raw(SYS_brk, heap_end, 0, 0, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		each_range(unmap_new);
	new_arenas();
	remove_files();
}
