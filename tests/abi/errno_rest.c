/*
 * What is wrong with an address, a size, a signal, a clock or a number of a
 * thread, by the calls on memory, signals, time, threads and limits.
 * tests/abi/errnos.txt has the list.
 */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CALL(name, ...) TRY(syscall(SYS_##name, __VA_ARGS__))

static char buf[8192];

/* Three pages, of which the second is a hole. */
static char *with_hole(void)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + 4096, 4096);
	return p;
}

CASE(errno_memory_map)
{
	int ro, wo, p[2];
	char *hole = with_hole();

	tree_enter();
	close(open("f", O_CREAT | O_RDWR, 0600));
	ro = open("f", O_RDONLY);
	wo = open("f", O_WRONLY);
	ftruncate(wo, 4096);
	pipe(p);
	CALL(mmap, NULL, 0, PROT_READ, MAP_PRIVATE, ro, 0);
	CALL(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, ro, 1);
	CALL(mmap, NULL, 4096, PROT_READ, 0, ro, 0);
	CALL(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0);
	CALL(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, wo, 0);
	CALL(mmap, NULL, 4096, PROT_WRITE, MAP_SHARED, ro, 0);
	CALL(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, p[0], 0);
	CALL(mmap, NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
	     -1, 0);
	CALL(mmap, 1, 4096, PROT_READ,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CALL(mmap, hole, 4096, PROT_READ,
	     MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0);
	CALL(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, ro, -4096l);
	CALL(munmap, hole + 1, 4096);
	CALL(munmap, hole, 0);
	CALL(munmap, -4096ul, 8192);
	CALL(mprotect, hole + 1, 4096, PROT_READ);
	CALL(mprotect, hole, 3 * 4096, PROT_READ);
	CALL(mprotect, hole, 4096, 0x1000);
	CALL(mprotect, mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0), 4096,
	     PROT_WRITE);
	tree_leave();
}

CASE(errno_memory_others)
{
	char *hole = with_hole();

	CALL(mremap, hole + 1, 4096, 8192, 0);
	CALL(mremap, hole + 4096, 4096, 8192, MREMAP_MAYMOVE);
	CALL(mremap, hole, 3 * 4096, 4 * 4096, MREMAP_MAYMOVE);
	CALL(mremap, hole, 4096, 0, 0);
	CALL(mremap, hole, 4096, 8192, 0x100);
	CALL(mremap, hole, 4096, 8192, MREMAP_FIXED, hole);
	CALL(mremap, hole, 4096, 1ul << 60, MREMAP_MAYMOVE);
	CALL(mremap, hole, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, hole);
	CALL(msync, hole + 1, 4096, MS_SYNC);
	CALL(msync, hole, 4096, MS_SYNC | MS_ASYNC);
	CALL(msync, hole, 4096, 0x100);
	CALL(msync, hole, 3 * 4096, MS_SYNC);
	CALL(mincore, hole + 1, 4096, buf);
	CALL(mincore, hole, 3 * 4096, buf);
	CALL(mincore, hole, 4096, BAD_LOW);
	CALL(madvise, hole + 1, 4096, MADV_DONTNEED);
	CALL(madvise, hole, 4096, 9999);
	CALL(madvise, hole, 3 * 4096, MADV_DONTNEED);
	CALL(madvise, hole, -1l, MADV_DONTNEED);
	CALL(mlock, hole, 3 * 4096);
	CALL(mlock2, hole, 4096, 0x100);
	CALL(munlock, hole, 3 * 4096);
	CALL(mlockall, 0);
	CALL(mlockall, 0x100);
	CALL(pkey_alloc, 1, 0);
	CALL(membarrier, 9999, 0, 0);
	CALL(membarrier, 0, 1, 0);
}

CASE(errno_signals)
{
	struct sigaction act = { .sa_handler = SIG_IGN };
	struct timespec t = { 0, 1000000000 }, none = { 0, 0 };
	stack_t small = { .ss_sp = buf, .ss_size = 10 };
	siginfo_t info = { .si_code = SI_QUEUE };
	sigset_t set;

	sigemptyset(&set);
	CALL(rt_sigaction, 0, NULL, NULL, 8);
	CALL(rt_sigaction, 65, NULL, NULL, 8);
	CALL(rt_sigaction, SIGKILL, &act, NULL, 8);
	CALL(rt_sigaction, SIGSTOP, &act, NULL, 8);
	CALL(rt_sigaction, SIGUSR1, NULL, NULL, 4);
	CALL(rt_sigaction, SIGUSR1, BAD_LOW, NULL, 8);
	CALL(rt_sigaction, SIGUSR1, NULL, BAD_LOW, 8);
	CALL(rt_sigprocmask, 99, &set, NULL, 8);
	CALL(rt_sigprocmask, SIG_BLOCK, &set, NULL, 4);
	CALL(rt_sigprocmask, SIG_BLOCK, BAD_LOW, NULL, 8);
	CALL(rt_sigprocmask, SIG_BLOCK, NULL, BAD_LOW, 8);
	CALL(rt_sigpending, BAD_LOW, 8);
	CALL(rt_sigpending, &set, 100);
	CALL(rt_sigsuspend, BAD_LOW, 8);
	CALL(rt_sigsuspend, &set, 4);
	CALL(rt_sigtimedwait, &set, NULL, &t, 8);
	CALL(rt_sigtimedwait, &set, NULL, &none, 8);
	CALL(rt_sigtimedwait, &set, NULL, &none, 4);
	CALL(rt_sigtimedwait, BAD_LOW, NULL, &none, 8);
	CALL(rt_sigtimedwait, &set, NULL, BAD_LOW, 8);
	CALL(rt_sigqueueinfo, 1 << 30, SIGUSR1, &info);
	CALL(rt_sigqueueinfo, getpid(), 99, &info);
	CALL(rt_sigqueueinfo, getpid(), SIGUSR1, BAD_LOW);
	CALL(rt_tgsigqueueinfo, getpid(), 1 << 30, SIGUSR1, &info);
	CALL(rt_tgsigqueueinfo, getpid(), -1, SIGUSR1, &info);
	CALL(rt_tgsigqueueinfo, getpid(), getpid(), 99, &info);
	CALL(sigaltstack, &small, NULL);
	CALL(sigaltstack, BAD_LOW, NULL);
	CALL(sigaltstack, NULL, BAD_LOW);
	small.ss_flags = 0x77;
	CALL(sigaltstack, &small, NULL);
	CALL(kill, getpid(), 99);
	CALL(kill, getpid(), -1);
	CALL(kill, 1 << 30, 0);
	CALL(kill, -(1 << 30), 0);
	CALL(tkill, 1 << 30, 0);
	CALL(tkill, 0, 0);
	CALL(tkill, getpid(), 99);
	CALL(tgkill, getpid(), 1 << 30, 0);
	CALL(tgkill, 1 << 30, getpid(), 0);
	CALL(tgkill, -1, getpid(), 0);
	CALL(tgkill, getpid(), getpid(), 99);
}

/* On the alternate stack itself it cannot be changed. */
static void on_altstack(int sig)
{
	stack_t off = { .ss_flags = SS_DISABLE };

	(void)sig;
	TRY(sigaltstack(&off, NULL));
}

CASE(errno_altstack_in_use)
{
	static char stack[65536];
	stack_t on = { .ss_sp = stack, .ss_size = sizeof(stack) };
	stack_t off = { .ss_flags = SS_DISABLE };
	struct sigaction act = { .sa_handler = on_altstack,
				 .sa_flags = SA_ONSTACK };

	TRY(sigaltstack(&on, NULL));
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	TRY(sigaltstack(&off, NULL));
}

/* A queue of signals that is full. */
CASE(errno_signal_queue)
{
	struct rlimit old, none;
	sigset_t set, was;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, &was);
	getrlimit(RLIMIT_SIGPENDING, &old);
	none = (struct rlimit){ 0, old.rlim_max };
	setrlimit(RLIMIT_SIGPENDING, &none);
	TRY(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ 1 }));
	TRY(kill(getpid(), SIGRTMIN + 3));
	setrlimit(RLIMIT_SIGPENDING, &old);
	signal(SIGRTMIN + 3, SIG_IGN);
	sigprocmask(SIG_SETMASK, &was, NULL);
	signal(SIGRTMIN + 3, SIG_DFL);
}

CASE(errno_time)
{
	struct timespec t = { 0, 1000000000 }, minus = { -1, 0 };
	struct itimerval itv = { .it_value = { 0, 1000000 } };
	struct itimerspec its = { .it_value = { 0, 1000000000 } };
	struct sigevent sev = { .sigev_notify = SIGEV_SIGNAL };
	timer_t id;
	int id_nr, tfd = timerfd_create(CLOCK_MONOTONIC, 0);

	CALL(nanosleep, &t, NULL);
	CALL(nanosleep, &minus, NULL);
	CALL(nanosleep, BAD_LOW, NULL);
	CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
	CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, BAD_LOW, NULL);
	CALL(clock_nanosleep, 99, 0, &t, NULL);
	CALL(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &minus, NULL);
	CALL(clock_gettime, 99, &t);
	CALL(clock_gettime, CLOCK_MONOTONIC, BAD_LOW);
	CALL(clock_getres, 99, &t);
	CALL(clock_getres, CLOCK_MONOTONIC, BAD_LOW);
	CALL(clock_settime, CLOCK_MONOTONIC, &minus);
	CALL(clock_settime, CLOCK_REALTIME, &minus);
	CALL(clock_settime, CLOCK_REALTIME, BAD_LOW);
	CALL(clock_settime, 99, &minus);
	CALL(gettimeofday, BAD_LOW, NULL);
	CALL(settimeofday, BAD_LOW, NULL);
	CALL(settimeofday, &itv.it_value, NULL);
	CALL(time, BAD_LOW);
	CALL(times, BAD_LOW);
	CALL(getitimer, 99, &itv);
	CALL(getitimer, ITIMER_REAL, BAD_LOW);
	CALL(setitimer, 99, &itv, NULL);
	CALL(setitimer, ITIMER_REAL, &itv, NULL);
	CALL(setitimer, ITIMER_REAL, BAD_LOW, NULL);
	CALL(timer_create, 99, NULL, &id_nr);
	CALL(timer_create, CLOCK_MONOTONIC, BAD_LOW, &id_nr);
	CALL(timer_create, CLOCK_MONOTONIC, NULL, BAD_LOW);
	sev.sigev_signo = 99;
	CALL(timer_create, CLOCK_MONOTONIC, &sev, &id_nr);
	sev.sigev_notify = 77;
	CALL(timer_create, CLOCK_MONOTONIC, &sev, &id_nr);
	CALL(timer_settime, 9999, 0, &its, NULL);
	CALL(timer_gettime, 9999, &its);
	CALL(timer_getoverrun, 9999);
	CALL(timer_delete, 9999);
	TRY(timer_create(CLOCK_MONOTONIC, NULL, &id));
	CALL(timer_settime, id, 0, &its, NULL);
	CALL(timer_settime, id, 0, BAD_LOW, NULL);
	CALL(timer_settime, id, 0, NULL, NULL);
	CALL(timer_gettime, id, BAD_LOW);
	TRY(timer_delete(id));
	CALL(timerfd_settime, tfd, 0, &its, NULL);
	CALL(timerfd_settime, tfd, 0x100, &its, NULL);
	CALL(timerfd_settime, tfd, 0, BAD_LOW, NULL);
	CALL(timerfd_gettime, tfd, BAD_LOW);
}

CASE(errno_limits)
{
	struct rlimit wrong = { 2, 1 }, fine;
	int cap[2] = { 0x20080522, 1 << 30 }, version[2] = { 1, 0 }, pr = 0;
	unsigned int groups[4];

	CALL(getrlimit, 99, &fine);
	CALL(getrlimit, RLIMIT_NOFILE, BAD_LOW);
	CALL(setrlimit, 99, &wrong);
	CALL(setrlimit, RLIMIT_NOFILE, &wrong);
	CALL(setrlimit, RLIMIT_NOFILE, BAD_LOW);
	CALL(prlimit64, 1 << 30, RLIMIT_NOFILE, NULL, &fine);
	CALL(prlimit64, 0, 99, NULL, &fine);
	CALL(prlimit64, 0, RLIMIT_NOFILE, &wrong, NULL);
	CALL(prlimit64, 0, RLIMIT_NOFILE, BAD_LOW, NULL);
	CALL(prlimit64, 0, RLIMIT_NOFILE, NULL, BAD_LOW);
	CALL(getrusage, 99, buf);
	CALL(getrusage, RUSAGE_SELF, BAD_LOW);
	CALL(sysinfo, BAD_LOW);
	CALL(uname, BAD_LOW);
	CALL(setuid, -1);
	CALL(setgid, -1);
	CALL(getresuid, BAD_LOW, BAD_LOW, BAD_LOW);
	CALL(getresgid, BAD_LOW, BAD_LOW, BAD_LOW);
	CALL(getgroups, -1, groups);
	CALL(setgroups, 65537, groups);
	CALL(setgroups, -1, groups);
	CALL(setgroups, 1, BAD_LOW);
	CALL(capget, cap, buf);
	CALL(capget, version, buf);
	CALL(capget, BAD_LOW, buf);
	CALL(capset, cap, buf);
	version[0] = 1;
	CALL(capset, version, buf);
	CALL(capset, BAD_LOW, buf);
	CALL(getsid, 1 << 30);
	CALL(getpgid, 1 << 30);
	CALL(setpgid, 1 << 30, 0);
	CALL(setpgid, 0, -1);
	CALL(getcpu, BAD_LOW, NULL, NULL);
	CALL(getrandom, buf, 10, 0x100);
	CALL(getrandom, BAD_LOW, 10, 0);
	CALL(sethostname, buf, -1);
	CALL(sethostname, buf, 65);
	CALL(setdomainname, buf, 65);
	CALL(prctl, 9999, 0, 0, 0, 0);
	CALL(prctl, PR_SET_NAME, BAD_LOW, 0, 0, 0);
	CALL(prctl, PR_GET_NAME, BAD_LOW, 0, 0, 0);
	CALL(prctl, PR_SET_PDEATHSIG, 99, 0, 0, 0);
	CALL(prctl, PR_SET_DUMPABLE, 9, 0, 0, 0);
	CALL(prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
	CALL(prctl, PR_CAPBSET_READ, 99, 0, 0, 0);
	CALL(arch_prctl, 0x9999, 0);
	CALL(arch_prctl, 0x1002, -1l);
	CALL(arch_prctl, 0x1003, BAD_LOW);
	TRY(pr);
}

CASE(errno_threads)
{
	struct sched_param { int priority; } param = { 1 };
	struct timespec soon = { 0, 1000 }, wrong = { 0, 1000000000 };
	unsigned long mask = 0;
	int word = 0;
	size_t len;

	CALL(futex, &word, 0, 0, &soon, NULL, 0);
	CALL(futex, &word, 0, 1, NULL, NULL, 0);
	CALL(futex, &word, 0, 0, &wrong, NULL, 0);
	CALL(futex, &word, 0, 0, BAD_LOW, NULL, 0);
	CALL(futex, BAD_LOW, 0, 0, NULL, NULL, 0);
	CALL(futex, (char *)&word + 1, 0, 0, NULL, NULL, 0);
	CALL(futex, &word, 9, 0, NULL, NULL, 0);
	CALL(futex, &word, 4, 1, 1, &word, 5);
	CALL(futex, &word, 3, -1, 1, &word, 0);
	CALL(futex, &word, 99, 0, NULL, NULL, 0);
	CALL(set_robust_list, buf, 3);
	CALL(get_robust_list, 1 << 30, buf, &len);
	CALL(get_robust_list, 0, BAD_LOW, &len);
	CALL(sched_getaffinity, 1 << 30, 128, buf);
	CALL(sched_getaffinity, 0, 3, buf);
	CALL(sched_getaffinity, 0, 128, BAD_LOW);
	CALL(sched_setaffinity, 1 << 30, 8, buf);
	CALL(sched_setaffinity, 0, 8, BAD_LOW);
	CALL(sched_setaffinity, 0, 8, &mask);
	CALL(sched_getparam, 1 << 30, buf);
	CALL(sched_getparam, -1, buf);
	CALL(sched_getparam, 0, NULL);
	CALL(sched_setparam, 1 << 30, &param);
	CALL(sched_setparam, 0, &param);
	CALL(sched_setparam, 0, NULL);
	CALL(sched_getscheduler, 1 << 30);
	CALL(sched_getscheduler, -1);
	CALL(sched_setscheduler, 1 << 30, 0, &param);
	CALL(sched_setscheduler, 0, 99, &param);
	CALL(sched_setscheduler, 0, 0, &param);
	CALL(sched_setscheduler, 0, 0, NULL);
	CALL(sched_get_priority_max, 99);
	CALL(sched_get_priority_min, 99);
	CALL(wait4, -1, NULL, 0x10, NULL);
	CALL(wait4, -1, NULL, 0, NULL);
	CALL(waitid, 99, 0, NULL, WEXITED, NULL);
	CALL(waitid, 0, 0, NULL, 0, NULL);
	CALL(waitid, 0, 0, NULL, 4, NULL);
}

CASE(errno_epoll)
{
	struct epoll_event e = { .events = EPOLLIN }, x = e;
	int ep = epoll_create1(0), in = epoll_create1(0), f, ev;
	struct timespec wrong = { 0, 1000000000 };
	sigset_t set;

	tree_enter();
	sigemptyset(&set);
	f = open("f", O_CREAT | O_RDWR, 0600);
	ev = eventfd(0, 0);
	CALL(epoll_ctl, 99, EPOLL_CTL_ADD, ev, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, 99, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, f, &e);
	CALL(epoll_ctl, f, EPOLL_CTL_ADD, ev, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, ep, &e);
	CALL(epoll_ctl, ep, 99, ev, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, ev, BAD_LOW);
	CALL(epoll_ctl, ep, EPOLL_CTL_MOD, ev, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_DEL, ev, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, ev, &e);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, ev, &e);
	x.events |= EPOLLEXCLUSIVE;
	CALL(epoll_ctl, ep, EPOLL_CTL_MOD, ev, &x);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, in, &x);
	x.events |= EPOLLONESHOT;
	CALL(epoll_ctl, in, EPOLL_CTL_ADD, ev, &x);
	CALL(epoll_ctl, ep, EPOLL_CTL_ADD, in, &e);
	CALL(epoll_ctl, in, EPOLL_CTL_ADD, ep, &e);
	CALL(epoll_wait, 99, &e, 1, 0);
	CALL(epoll_wait, ev, &e, 1, 0);
	CALL(epoll_wait, ep, &e, 0, 0);
	CALL(epoll_wait, ep, &e, -1, 0);
	eventfd_write(ev, 1);
	CALL(epoll_wait, ep, BAD_LOW, 1, 0);
	CALL(epoll_pwait, ep, &e, 1, 0, &set, 4);
	CALL(epoll_pwait, ep, &e, 1, 0, BAD_LOW, 8);
	CALL(epoll_pwait2, ep, &e, 1, &wrong, NULL, 0);
	CALL(epoll_pwait2, ep, &e, 1, BAD_LOW, NULL, 0);
	CALL(poll, BAD_LOW, 1, 0);
	CALL(poll, buf, -1, 0);
	CALL(ppoll, buf, 0, &wrong, NULL, 8);
	CALL(ppoll, buf, 0, BAD_LOW, NULL, 8);
	CALL(select, -1, NULL, NULL, NULL, NULL);
	CALL(select, 1, BAD_LOW, NULL, NULL, NULL);
	CALL(pselect6, 0, NULL, NULL, NULL, &wrong, NULL);
	memset(buf, 0, sizeof(buf));
	buf[6] = 4;
	CALL(select, 60, buf, NULL, NULL, NULL);
	tree_leave();
}
