/* Descriptor flags, record locks and /proc, to the last bit. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

CASE(fcntl_append_by_flag)
{
	char buf[16] = "";
	int f;

	tree_enter();
	f = open("f", O_RDWR | O_CREAT, 0600);
	write(f, "abc", 3);
	lseek(f, 0, SEEK_SET);
	TRY(fcntl(f, F_SETFL, O_APPEND));
	TRY(write(f, "d", 1));
	TRY(fcntl(f, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE));
	/* What it was opened for stays. */
	TRY(fcntl(f, F_SETFL, O_WRONLY | O_CREAT | O_TRUNC));
	TRY(fcntl(f, F_GETFL) & (O_APPEND | O_TRUNC | O_ACCMODE));
	lseek(f, 0, SEEK_SET);
	TRY(write(f, "X", 1));
	TRY(pread(f, buf, 15, 0));
	say("%s", buf);
	close(f);
	unlink("f");
	tree_leave();
}

CASE(dup_and_close_ranges)
{
	int fd = eventfd(0, 0);

	TRY(dup3(fd, fd, 0));
	TRY(dup3(fd, 40, O_NONBLOCK));
	TRY(dup3(fd, 40, O_CLOEXEC));
	TRY(fcntl(40, F_GETFD));
	TRY(dup2(fd, 40));
	TRY(fcntl(40, F_GETFD));
	TRY(dup2(fd, 41));
	/* Flagged, not closed; and what is not open does not matter. */
	TRY(syscall(SYS_close_range, 40, 45, 4));
	TRY(fcntl(40, F_GETFD));
	TRY(fcntl(41, F_GETFD));
	TRY(fcntl(fd, F_GETFD));
	TRY(syscall(SYS_close_range, 41, -1u, 0));
	TRY(fcntl(41, F_GETFD));
	TRY(fcntl(40, F_GETFD));
}

/* Is byte @at free for another open file to write? */
static int free_at(int fd, int at)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = at, .l_len = 1 };

	fcntl(fd, F_OFD_GETLK, &l);
	return l.l_type == F_UNLCK;
}

static void lock(int fd, int type, int start, int len)
{
	struct flock l = { .l_type = type, .l_start = start, .l_len = len };

	TRY(fcntl(fd, F_SETLK, &l));
}

CASE(lock_borders)
{
	const int at[] = { 0, 9, 10, 19, 20, 39, 40, 59, 60, 99, 100, 200 };
	struct flock l = { .l_type = F_WRLCK };
	int f, g;

	tree_enter();
	f = open("f", O_RDWR | O_CREAT, 0600);
	g = open("f", O_RDWR);
	lock(f, F_WRLCK, 10, 90);
	lock(f, F_UNLCK, 40, 20);
	lock(f, F_RDLCK, 15, 5);
	for (int i = 0; i < 12; i++)
		say("%d: %d", at[i], free_at(g, at[i]));
	for (int i = 0; i < 5; i++) {
		l.l_type = F_WRLCK;
		TRY(fcntl(g, F_OFD_GETLK, &l));
		say("type %d, %ld for %ld, mine %d", l.l_type,
		    (long)l.l_start, (long)l.l_len, l.l_pid == getpid());
		if (l.l_type == F_UNLCK)
			break;
		l.l_start += l.l_len;
		l.l_len = l.l_pid = 0;
	}
	lock(f, F_WRLCK, 35, 30);
	say("joined %d %d %d", free_at(g, 40), free_at(g, 59),
	    free_at(g, 100));
	lock(f, F_UNLCK, 0, 0);
	say("free %d %d", free_at(g, 10), free_at(g, 99));
	close(g);
	close(f);
	unlink("f");
	tree_leave();
}

static const char *line_of(const char *path, const char *name)
{
	char *at = strstr(file_text(path), name);

	if (at && strchr(at, '\n'))
		*strchr(at, '\n') = '\0';
	return at ? at : "none";
}

static void *park(void *arg)
{
	char c;

	read(*(int *)arg, &c, 1);
	return NULL;
}

static long number(const char *name)
{
	const char *line = line_of("/proc/self/status", name);

	return atol(line + strcspn(line, "0123456789"));
}

CASE(proc_status_numbers)
{
	long before, size = 8 << 20;
	pthread_t t[2];
	char *p;
	int fd[2];

	pipe(fd);
	say("threads %ld", number("Threads:"));
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, park, fd);
	say("threads %ld", number("Threads:"));
	close(fd[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))(long)8);
	say("ignored %.1s", line_of("/proc/self/status", "SigIgn:") + 8 + 13);
	say("%s", line_of("/proc/self/status", "SigCgt:") + 8 + 8);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	before = number("VmRSS:");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, size);
	say("resident %d", number("VmRSS:") - before >= size / 2048);
	say("size %d", number("VmSize:") >= number("VmRSS:"));
	munmap(p, size);
	dup2(fd[0], 700);
	say("room %d", number("FDSize:") > 700);
	close(700);
}

CASE(proc_maps_flags)
{
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *r = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	char name[32];

	snprintf(name, sizeof(name), "%08lx-", (long)p);
	say("%.4s", strchr(line_of("/proc/self/maps", name), ' ') + 1);
	snprintf(name, sizeof(name), "%08lx-", (long)q);
	say("%.4s", strchr(line_of("/proc/self/maps", name), ' ') + 1);
	munmap(p, 4096);
	munmap(q, 4096);
	munmap(r, 4096);
}

CASE(proc_limits_lines)
{
	struct rlimit old, few;

	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 321;
	setrlimit(RLIMIT_NOFILE, &few);
	say("%.47s", line_of("/proc/self/limits", "Max open files"));
	setrlimit(RLIMIT_NOFILE, &old);
	say("%.33s", line_of("/proc/self/limits", "Max address space"));
}

CASE(proc_fdinfo_flags)
{
	const int flags[] = { O_RDONLY, O_RDWR | O_CLOEXEC,
			      O_WRONLY | O_APPEND | O_NONBLOCK };
	char path[64], c;

	tree_enter();
	close(open("f", O_CREAT | O_WRONLY, 0600));
	for (int i = 0; i < 3; i++) {
		int fd = open("f", flags[i]);

		write(fd, "abc", 3);
		lseek(fd, 2, SEEK_SET);
		read(fd, &c, 1);
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		say("%s", line_of(path, "pos:"));
		say("%s", line_of(path, "flags:"));
	}
	for (int fd = 3; fd < 9; fd++)
		close(fd);
	unlink("f");
	tree_leave();
}

CASE(sleeping_until)
{
	const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
				  CLOCK_BOOTTIME, CLOCK_TAI };

	for (int i = 0; i < 4; i++) {
		struct timespec now, until;

		clock_gettime(ids[i], &until);
		until.tv_nsec += 30000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		TRY(clock_nanosleep(ids[i], TIMER_ABSTIME, &until, NULL));
		clock_gettime(ids[i], &now);
		say("slept %d", now.tv_sec > until.tv_sec ||
		    (now.tv_sec == until.tv_sec &&
		     now.tv_nsec >= until.tv_nsec));
	}
}
