/* The numbers of /proc/self/stat, and the files of each thread. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* As proc(5) numbers them; behind the name all are numbers but the state. */
enum {
	PGRP = 5, SESSION, TTY, TPGID, MINFLT = 10, PRIORITY = 18, NICE,
	THREADS, ITREAL, START, VSIZE, RSS, RSSLIM, CODE, CODE_END, STACK,
	BLOCKED = 32, IGNORED, CAUGHT, EXIT_SIGNAL = 38, RT_PRIORITY = 40,
	POLICY, DATA = 45, DATA_END, BRK, ARG, ARG_END, ENV, ENV_END, NR,
};

static unsigned long stat_field[64];
static int initialised = 5;

static int read_stat(const char *path)
{
	char text[1024] = "", *p;
	int fd = open(path, O_RDONLY), n = 3;

	read(fd, text, sizeof(text) - 1);
	close(fd);
	p = strrchr(text, ')');
	for (p = p ? strchr(p + 2, ' ') : NULL; p && n < 63; p = strchr(p, ' '))
		stat_field[++n] = strtoull(++p, NULL, 10);
	return n;
}

static bool within(const void *p, int start, int end)
{
	return (unsigned long)p >= stat_field[start] &&
	       (unsigned long)p < stat_field[end];
}

static void on_usr1(int sig)
{
	(void)sig;
}

CASE(proc_stat_numbers)
{
	extern char **environ;
	struct rlimit limit;
	int here = 0;

	say("fields %d", read_stat("/proc/self/stat"));
	say("group %d session %d", (int)stat_field[PGRP] == getpgrp(),
	    (int)stat_field[SESSION] == getsid(0));
	say("terminal %lu, its group %ld", stat_field[TTY],
	    (long)stat_field[TPGID]);
	say("faults %d", stat_field[MINFLT] > 0);
	say("priority %ld nice %ld threads %ld", (long)stat_field[PRIORITY],
	    (long)stat_field[NICE], (long)stat_field[THREADS]);
	say("size %d resident %d", stat_field[VSIZE] > 4096 * stat_field[RSS],
	    stat_field[RSS] > 0);
	getrlimit(RLIMIT_RSS, &limit);
	say("limit %d", limit.rlim_cur == stat_field[RSSLIM]);
	say("code %d data %d", within(read_stat, CODE, CODE_END),
	    within(&initialised, DATA, DATA_END));
	say("stack %d", (unsigned long)&here < stat_field[STACK] &&
			stat_field[STACK] - (unsigned long)&here < 1 << 20);
	say("heap %d", stat_field[BRK] <= (unsigned long)sbrk(0));
	say("arguments %d environment %d together %d end %d",
	    (unsigned long)program_invocation_name == stat_field[ARG],
	    !environ[0] || (unsigned long)environ[0] == stat_field[ENV],
	    stat_field[ARG_END] == stat_field[ENV],
	    stat_field[ENV_END] >= stat_field[ENV]);
	say("exit signal %lu, policy %lu %lu", stat_field[EXIT_SIGNAL],
	    stat_field[RT_PRIORITY], stat_field[POLICY]);
}

CASE(proc_stat_signals)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGUSR1, on_usr1);
	signal(SIGWINCH, SIG_IGN);
	signal(SIGRTMIN + 2, on_usr1);
	read_stat("/proc/self/stat");
	say("blocked %lx caught %lx ignored %lx", stat_field[BLOCKED],
	    stat_field[CAUGHT] & 1ul << (SIGUSR1 - 1), stat_field[IGNORED]);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGWINCH, SIG_DFL);
	signal(SIGRTMIN + 2, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

CASE(proc_stat_time)
{
	struct timespec t;
	struct rusage before, after;
	char *p = malloc(1 << 20);

	clock_gettime(CLOCK_BOOTTIME, &t);
	read_stat("/proc/self/stat");
	say("started before now %d",
	    stat_field[START] <= (unsigned long)t.tv_sec * 100 + 100);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 1 << 20; i += 4096)
		p[i] = 1;
	getrusage(RUSAGE_SELF, &after);
	say("faults %d", after.ru_minflt > before.ru_minflt);
	free(p);
}

CASE(proc_stat_nice)
{
	int pid = getpid();

	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(setpriority(PRIO_PROCESS, 0, 5));
	TRY(getpriority(PRIO_PROCESS, pid));
	read_stat("/proc/self/stat");
	say("priority %ld nice %ld", (long)stat_field[PRIORITY],
	    (long)stat_field[NICE]);
	TRY(setpriority(PRIO_PROCESS, pid, 100));
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(setpriority(PRIO_PROCESS, 0, -100));
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(nice(3));
	TRY(getpriority(PRIO_PGRP, 0));
	TRY(setpriority(PRIO_PGRP, 0, 0));
	TRY(getpriority(PRIO_PROCESS, 0));
	TRY(getpriority(PRIO_PROCESS, 1 << 30));
	TRY(setpriority(PRIO_PROCESS, 1 << 30, 0));
	TRY(getpriority(PRIO_PGRP, 1 << 30));
	TRY(getpriority(PRIO_USER, 1 << 30));
	TRY(setpriority(PRIO_USER, 1 << 30, 0));
	TRY(getpriority(3, 0));
	TRY(setpriority(3, 0, 0));
	TRY(setpriority(-1, 0, 0));
}

static void *own_name(void *arg)
{
	char path[64];

	pthread_setname_np(pthread_self(), "abi-two");
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 (int)syscall(SYS_gettid));
	say("a thread's fields %d, threads %lu", read_stat(path),
	    stat_field[THREADS]);
	setpriority(PRIO_PROCESS, 0, 7);
	read_stat(path);
	say("its nice %ld", (long)stat_field[NICE]);
	read_stat("/proc/self/stat");
	say("the first's %ld", (long)stat_field[NICE]);
	return arg;
}

CASE(proc_task_files)
{
	static const char *const names[] = {
		"auxv", "cgroup", "cmdline", "comm", "cwd", "environ", "exe",
		"fd", "fdinfo", "limits", "maps", "mounts", "net", "root",
		"smaps", "stat", "statm", "status",
	};
	char path[64], one[256], other[256];
	struct stat st;
	pthread_t t;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/%s",
			 getpid(), names[i]);
		say("%s %d type %o", names[i], lstat(path, &st),
		    st.st_mode & S_IFMT);
	}
	snprintf(path, sizeof(path), "/proc/self/task/%d/task", getpid());
	TRY(access(path, F_OK));
	snprintf(path, sizeof(path), "/proc/self/task/%d/fd/0", getpid());
	TRY(readlink(path, one, sizeof(one)) ==
	    readlink("/proc/self/fd/0", other, sizeof(other)));
	pthread_create(&t, NULL, own_name, NULL);
	pthread_join(t, NULL);
	TRY(access("/proc/self/task/99999999", F_OK));
}

/* There is none: the program is not in a terminal's session. */
CASE(dev_tty)
{
	struct stat st;

	TRY(open("/dev/tty", O_RDWR));
	TRY(open("/dev/tty", O_RDONLY | O_NONBLOCK));
	OK(open("/dev/tty", O_PATH));
	TRY(stat("/dev/tty", &st));
	say("mode %o device %lx", st.st_mode & S_IFMT, (long)st.st_rdev);
	TRY(access("/dev/tty", R_OK | W_OK));
}
