/* Who and what the program is, its scheduling, and what it must not do. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define ARCH_SET_GS	0x1001
#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003
#define ARCH_GET_GS	0x1004

CASE(process_numbers)
{
	pid_t me = getpid();

	say("main thread %d", gettid() == me);
	say("parent %d", getppid() != me);
	say("ids %d %d %d %d", getuid(), geteuid(), getgid(), getegid());
	OK(getpgrp());
	OK(getpgid(0));
	say("same group %d", getpgid(0) == getpgrp());
	OK(getsid(0));
	TRY(getpgid(-1));
	TRY(getsid(-1));
	TRY(getpgid(0x7ffffff));
	TRY(getsid(0x7ffffff));
}

CASE(process_ids_can_be_kept)
{
	TRY(setresuid(-1, -1, -1));
	TRY(setresgid(-1, -1, -1));
	TRY(setreuid(-1, -1));
	TRY(setregid(-1, -1));
	TRY(syscall(SYS_setfsuid, -1));
	TRY(syscall(SYS_setfsgid, -1));
	TRY(setresuid(0, 0, 0));
	TRY(setregid(0, 0));
}

CASE(process_capset)
{
	uint32_t cap[2] = { 0x20080522, 0 }, data[6];

	TRY(syscall(SYS_capget, cap, data));
	TRY(syscall(SYS_capset, cap, data));
	TRY(syscall(SYS_capset, cap, BAD_LOW));
	TRY(syscall(SYS_capset, BAD_LOW, data));
	cap[1] = 0x7ffffff;
	TRY(syscall(SYS_capset, cap, data));
	cap[0] = 1;
	TRY(syscall(SYS_capset, cap, data));
}

CASE(process_names)
{
	TRY(setdomainname(BAD_LOW, 4));
	TRY(setdomainname("x", -1));
	TRY(setdomainname("x", 65));
	TRY(sethostname("x", -1));
	TRY(sethostname("x", 65));
	TRY(sethostname(BAD_LOW, 4));
}

CASE(process_prctl)
{
	char name[17] = "";

	TRY(prctl(PR_SET_NAME, "a long name that is cut", 0, 0, 0));
	TRY(prctl(PR_GET_NAME, name, 0, 0, 0));
	say("name %s", name);
	TRY(prctl(PR_SET_NAME, BAD_LOW, 0, 0, 0));
	TRY(prctl(PR_GET_NAME, BAD_LOW, 0, 0, 0));
	TRY(prctl(PR_SET_NAME, "abi", 0, 0, 0));
	TRY(prctl(PR_SET_PDEATHSIG, 9999, 0, 0, 0));
	TRY(prctl(PR_SET_DUMPABLE, 7, 0, 0, 0));
	TRY(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	TRY(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	TRY(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	TRY(prctl(PR_CAPBSET_READ, 0, 0, 0, 0));
	TRY(prctl(PR_CAPBSET_READ, 9999, 0, 0, 0));
	TRY(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0));
	TRY(prctl(123456, 0, 0, 0, 0));
}

CASE(process_arch_prctl)
{
	unsigned long fs = 0, gs = 1;

	TRY(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	say("this thread's %d", fs == (unsigned long)pthread_self());
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234000));
	TRY(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	say("gs %#lx", gs);
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
	TRY(syscall(SYS_arch_prctl, ARCH_GET_FS, BAD_LOW));
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, BAD_KERNEL));
	TRY(syscall(SYS_arch_prctl, ARCH_SET_FS, BAD_NONCANON));
	TRY(syscall(SYS_arch_prctl, 0x9999, 0));
}

CASE(process_scheduling)
{
	struct sched_param p = { .sched_priority = -1 };
	unsigned cpu = 99, node = 99;
	cpu_set_t set;
	long n;

	TRY(sched_yield());
	TRY(syscall(SYS_sched_getscheduler, 0));
	TRY(syscall(SYS_sched_getscheduler, -1));
	TRY(syscall(SYS_sched_getscheduler, 0x7ffffff));
	TRY(syscall(SYS_sched_getparam, 0, &p));
	say("priority %d", p.sched_priority);
	TRY(syscall(SYS_sched_getparam, 0, NULL));
	TRY(syscall(SYS_sched_getparam, -1, &p));
	for (int policy = 0; policy < 7; policy++)
		say("policy %d: %ld to %ld", policy,
		    syscall(SYS_sched_get_priority_min, policy),
		    syscall(SYS_sched_get_priority_max, policy));
	CPU_ZERO(&set);
	n = syscall(SYS_sched_getaffinity, 0, sizeof(set), &set);
	say("words %d, CPU 0 %d", n > 0 && n % 8 == 0,
	    !!CPU_ISSET(0, &set));
	TRY(syscall(SYS_sched_getaffinity, 0, 1, &set));
	TRY(syscall(SYS_sched_getaffinity, 0, 9, &set));
	TRY(syscall(SYS_sched_getaffinity, 0x7ffffff, sizeof(set), &set));
	TRY(syscall(SYS_sched_getaffinity, 0, sizeof(set), BAD_LOW));
	TRY(syscall(SYS_sched_setaffinity, 0, sizeof(set), &set));
	TRY(syscall(SYS_sched_setaffinity, 0, sizeof(set), BAD_LOW));
	TRY(syscall(SYS_sched_setaffinity, 0x7ffffff, sizeof(set), &set));
	CPU_ZERO(&set);
	TRY(syscall(SYS_sched_setaffinity, 0, sizeof(set), &set));
	TRY(syscall(SYS_getcpu, &cpu, &node, NULL));
	say("node %u", node);
	TRY(syscall(SYS_getcpu, NULL, NULL, NULL));
	TRY(syscall(SYS_getcpu, BAD_LOW, NULL, NULL));
}

CASE(process_membarrier)
{
	long all = syscall(SYS_membarrier, 0, 0, 0);

	say("global %ld, private %ld, register %ld", all & 1,
	    all >> 3 & 1, all >> 4 & 1);
	TRY(syscall(SYS_membarrier, 1, 0, 0));
	TRY(syscall(SYS_membarrier, 8, 0, 0));
	TRY(syscall(SYS_membarrier, 16, 0, 0));
	TRY(syscall(SYS_membarrier, 8, 0, 0));
	TRY(syscall(SYS_membarrier, 0x40000000, 0, 0));
	TRY(syscall(SYS_membarrier, 0, 77, 0));
}

CASE(process_sysinfo)
{
	struct sysinfo i = { .totalram = 0 };

	TRY(sysinfo(&i));
	say("some memory %d, some is used %d, unit %u", i.totalram > 0,
	    i.freeram < i.totalram, i.mem_unit);
	TRY(sysinfo(BAD_LOW));
}

/* Each thread sets one; the next must see its own only. */
CASE(process_robust_list)
{
	void *list[3] = { list, NULL, NULL }, *head = NULL;
	size_t len = 0;
	pid_t me = gettid();

	OK(syscall(SYS_set_tid_address, &me) == getpid() ? 0 : -1);
	TRY(syscall(SYS_set_robust_list, list, 23));
	TRY(syscall(SYS_set_robust_list, list, 24));
	TRY(syscall(SYS_get_robust_list, 0, &head, &len));
	say("same %d, length %zu", head == list, len);
	TRY(syscall(SYS_get_robust_list, 0, BAD_LOW, &len));
	TRY(syscall(SYS_get_robust_list, 0, &head, BAD_LOW));
	TRY(syscall(SYS_get_robust_list, 0x7ffffff, &head, &len));
	TRY(syscall(SYS_set_robust_list, NULL, 24));
}

static int leave(void *arg)
{
	syscall(SYS_exit, 5);
	return 0;
}

/* exit(2) ends one thread only; no children, no second process to wait for. */
CASE(process_exit_ends_a_thread)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t t = clone(leave, stack + sizeof(stack), CLONE_VM | CLONE_FS |
			CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);

	say("a thread %d", t > 0);
	for (int i = 0; i < 2000 && syscall(SYS_tgkill, getpid(), t, 0) == 0;
	     i++)
		usleep(1000);
	TRY(syscall(SYS_tgkill, getpid(), t, 0));
	TRY(syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED | WNOHANG, NULL));
	TRY(syscall(SYS_waitid, P_ALL, 0, NULL, 0, NULL));
	TRY(syscall(SYS_waitid, 99, 0, NULL, WEXITED, NULL));
	TRY(wait4(-1, NULL, WNOHANG, NULL));
	TRY(wait4(-1, NULL, 0x40, NULL));
}

static volatile int handled;
static volatile void *told;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	handled = info->si_code;
	told = info->si_value.sival_ptr;
}

CASE(process_queued_signals)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	siginfo_t info = { .si_code = SI_QUEUE };
	pid_t me = getpid();

	sa.sa_sigaction = on_signal;
	sigaction(SIGUSR1, &sa, NULL);
	info.si_value.sival_ptr = &info;
	TRY(syscall(SYS_rt_tgsigqueueinfo, me, me, SIGUSR1, &info));
	say("code %d, value %d", handled, told == &info);
	TRY(syscall(SYS_rt_tgsigqueueinfo, me, me, 0, &info));
	TRY(syscall(SYS_rt_tgsigqueueinfo, me, me, 65, &info));
	TRY(syscall(SYS_rt_tgsigqueueinfo, 0, me, SIGUSR1, &info));
	TRY(syscall(SYS_rt_tgsigqueueinfo, me, 0, SIGUSR1, &info));
	TRY(syscall(SYS_rt_tgsigqueueinfo, me, 0x7ffffff, SIGUSR1, &info));
	TRY(syscall(SYS_rt_tgsigqueueinfo, me, me, SIGUSR1, BAD_LOW));
	/* A handler comes back by rt_sigreturn(); here is no frame of one. */
	TRY(syscall(SYS_restart_syscall));
	signal(SIGUSR1, SIG_DFL);
}

CASE(process_mlock)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TRY(mlock(p, 8192));
	TRY(munlock(p, 8192));
	TRY(mlock(BAD_HOLE, 4096));
	TRY(munlock(BAD_HOLE, 4096));
	TRY(mlock(p, 0));
	TRY(mlockall(0));
	TRY(mlockall(99));
	TRY(mlockall(MCL_CURRENT));
	TRY(munlockall());
	munmap(p, 8192);
}

CASE(process_sync)
{
	tree_enter();
	int f = open("sync-me", O_CREAT | O_RDWR, 0600);

	sync();
	TRY(syncfs(f));
	TRY(syncfs(-1));
	TRY(sync_file_range(f, 0, 100, 7));
	TRY(sync_file_range(f, 0, 100, 8));
	TRY(sync_file_range(f, -1, 100, 0));
	TRY(sync_file_range(-1, 0, 100, 0));
	tree_leave();
}

/*
 * What a guest has one of, and Linux refuses to a user who may have no more:
 * this is asked as nobody, with the limit at zero.
 */
CASE(process_no_more_processes)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_NPROC, &old);
	none = old;
	none.rlim_cur = 0;
	TRY(setrlimit(RLIMIT_NPROC, &none));
	TRY(syscall(SYS_setresuid, 65534, 65534, 0));
	TRY(fork());
	TRY(vfork());
	TRY(syscall(SYS_clone, SIGCHLD, 0, NULL, NULL, 0));
	TRY(syscall(SYS_setresuid, 0, 0, 0));
	TRY(setrlimit(RLIMIT_NPROC, &old));
}

__attribute__((naked)) static void own_restorer(void)
{
	__asm__("mov %0, %%eax; syscall" : : "i"(SYS_rt_sigreturn));
}

/* What sigaction(2) of a C library hides. */
CASE(process_sigreturn)
{
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} sa = { on_signal, SA_SIGINFO | 0x04000000, own_restorer, 0 }, old;

	handled = 0;
	TRY(syscall(SYS_rt_sigaction, SIGUSR2, &sa, &old, 8));
	TRY(raise(SIGUSR2));
	say("code %d", handled);
	TRY(syscall(SYS_rt_sigaction, SIGUSR2, &old, NULL, 8));
}

CASE(process_execve)
{
	char *argv[] = { "x", NULL }, *none[] = { NULL };
	int fd = open("/proc/version", O_RDONLY);

	TRY(syscall(SYS_execve, "/none", argv, none));
	TRY(syscall(SYS_execve, "/proc/version/x", argv, none));
	TRY(syscall(SYS_execve, "/proc/self/exe/x", argv, none));
	TRY(syscall(SYS_execve, "", argv, none));
	TRY(syscall(SYS_execve, "/dev", argv, none));
	TRY(syscall(SYS_execve, "/dev/null", argv, none));
	TRY(syscall(SYS_execve, "/proc/version", argv, none));
	TRY(syscall(SYS_execve, BAD_LOW, argv, none));
	TRY(syscall(SYS_execve, BAD_KERNEL, argv, none));
	TRY(syscall(SYS_execveat, -1, "none", argv, none, 0));
	TRY(syscall(SYS_execveat, fd, "x", argv, none, 0));
	TRY(syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH));
	TRY(syscall(SYS_execveat, AT_FDCWD, "/none", argv, none, 0));
	TRY(syscall(SYS_execveat, AT_FDCWD, "/none", argv, none, 1));
	TRY(syscall(SYS_execveat, AT_FDCWD, "", argv, none, 0));
	TRY(syscall(SYS_execveat, AT_FDCWD, "/dev/null", argv, none, 0));
	TRY(syscall(SYS_execveat, AT_FDCWD, "/proc/self/cwd", argv, none,
		    AT_SYMLINK_NOFOLLOW));
}

CASE(process_ptrace)
{
	TRY(syscall(SYS_ptrace, PTRACE_PEEKUSER, getpid(), 0, 0));
	TRY(syscall(SYS_ptrace, PTRACE_CONT, getpid(), 0, 0));
	TRY(syscall(SYS_ptrace, PTRACE_ATTACH, getpid(), 0, 0));
	TRY(syscall(SYS_ptrace, PTRACE_SEIZE, getpid(), 0, 0));
	TRY(syscall(SYS_ptrace, PTRACE_ATTACH, 999999, 0, 0));
	TRY(syscall(SYS_ptrace, PTRACE_CONT, 999999, 0, 0));
	TRY(syscall(SYS_ptrace, 9999, getpid(), 0, 0));
}

/* Linux may let it become the leader, once. */
CASE(process_session)
{
	setsid();
	TRY(setsid());
	TRY(setpgid(0, 0));
	TRY(setpgid(-1, 0));
	TRY(setpgid(0, -1));
	TRY(setpgid(999999, 0));
	TRY(setpgid(getpid(), 999999));
	TRY(getpgrp() == getpid());
	TRY(getsid(0) == getpid());
	TRY(getpgid(0) == getpid());
}

/* There, or not built in: a C library asks and does without. */
CASE(process_rseq)
{
	static char area[32] __attribute__((aligned(32)));
	long ret = syscall(SYS_rseq, area, sizeof(area), 0, 0x53053053);

	say("rseq is answered: %d", ret == 0 || errno == ENOSYS);
}

CASE(process_pkeys)
{
	TRY(syscall(SYS_pkey_alloc, 1, 0));
	TRY(syscall(SYS_pkey_alloc, 0, 4));
}
