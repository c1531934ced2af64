/* Which signals are kept, forgotten, counted; what threads inherit. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

static volatile int calls, order[8];
static volatile uint64_t mask_inside;

static uint64_t mask_now(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
	return mask;
}

static void on_signal(int sig)
{
	mask_inside = mask_now();
	order[calls++ % 8] = sig;
}

/* musl keeps some of the bits for itself: the kernel is asked. */
static void block(uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

static uint64_t bit(int sig)
{
	return 1ull << (sig - 1);
}

static uint64_t pending(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigpending, &mask, 8);
	return mask;
}

CASE(signal_once_and_queued)
{
	signal(SIGUSR1, on_signal);
	signal(SIGRTMIN, on_signal);
	calls = 0;
	block(bit(SIGUSR1) | bit(SIGRTMIN));
	for (int i = 0; i < 3; i++) {
		kill(getpid(), SIGUSR1);
		kill(getpid(), SIGRTMIN);
	}
	block(0);
	say("calls %d", calls);
	/* One for the thread and one for the process. */
	calls = 0;
	block(bit(SIGUSR1));
	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);
	block(0);
	say("calls %d", calls);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGRTMIN, SIG_DFL);
}

CASE(signal_blocked_is_kept)
{
	struct sigevent ev = { .sigev_signo = SIGURG };
	struct itimerspec its = { .it_value.tv_nsec = 30000000 };
	struct timespec wait = { 5, 0 };
	uint64_t mask = bit(SIGURG);
	timer_t t;

	signal(SIGUSR1, SIG_IGN);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGCHLD);
	say("pending %llx", (unsigned long long)pending());
	block(bit(SIGUSR1) | bit(SIGCHLD) | bit(SIGURG));
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGCHLD);
	say("pending %llx", (unsigned long long)pending());
	/* To be ignored from now on: forgotten at once. */
	signal(SIGUSR2, on_signal);
	block(bit(SIGUSR2) | bit(SIGURG));
	kill(getpid(), SIGUSR2);
	say("pending %llx", (unsigned long long)pending());
	signal(SIGUSR2, SIG_IGN);
	say("pending %llx", (unsigned long long)pending());
	signal(SIGUSR2, on_signal);
	calls = 0;
	/* Waited for, a signal is not ignored either. */
	timer_create(CLOCK_MONOTONIC, &ev, &t);
	timer_settime(t, 0, &its, NULL);
	TRY(syscall(SYS_rt_sigtimedwait, &mask, NULL, &wait, 8));
	block(0);
	say("calls %d, pending %llx", calls, (unsigned long long)pending());
	timer_delete(t);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

CASE(signal_never_blocked)
{
	struct { void *fn; uint64_t flags; void *restorer; uint64_t mask; }
		old, act;

	block(~0ull);
	say("mask %llx", (unsigned long long)mask_now());
	block(0);
	signal(SIGUSR1, on_signal);
	syscall(SYS_rt_sigaction, SIGUSR1, NULL, &act, 8);
	act.mask = ~0ull;
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, &act, NULL, 8));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
	say("mask %llx", (unsigned long long)old.mask);
	kill(getpid(), SIGUSR1);
	say("inside %llx", (unsigned long long)mask_inside);
	say("after %llx", (unsigned long long)mask_now());
	TRY(syscall(SYS_rt_sigprocmask, 3, &act.mask, NULL, 8));
	TRY(syscall(SYS_rt_sigprocmask, 3, NULL, NULL, 8));
	TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &act.mask, NULL, 4));
	signal(SIGUSR1, SIG_DFL);
}

/* Frames are laid in order, so the last one's handler runs first. */
CASE(signal_order)
{
	const int sigs[] = { SIGUSR1, SIGSEGV, SIGRTMIN + 1, SIGHUP, SIGBUS };
	uint64_t all = 0;

	calls = 0;
	for (int i = 0; i < 5; i++) {
		signal(sigs[i], on_signal);
		all |= bit(sigs[i]);
	}
	block(all);
	for (int i = 0; i < 5; i++)
		syscall(SYS_tgkill, getpid(), getpid(), sigs[i]);
	block(0);
	say("%d: %d %d %d %d %d", calls, order[0], order[1], order[2],
	    order[3], order[4]);
	/* The thread's own come before the process's. */
	calls = 0;
	block(all);
	kill(getpid(), SIGHUP);
	raise(SIGUSR1);
	block(0);
	say("%d: %d %d", calls, order[0], order[1]);
	for (int i = 0; i < 5; i++)
		signal(sigs[i], SIG_DFL);
}

/* Two timers of one program, and one that is faster than it is looked at. */
CASE(signal_timer_overrun)
{
	struct sigevent ev = { .sigev_signo = SIGUSR1 };
	struct itimerspec its = { { 0, 1000000 }, { 0, 1000000 } };
	uint64_t mask = bit(SIGUSR1);
	siginfo_t info;
	timer_t t;

	block(mask);
	TRY(timer_create(CLOCK_MONOTONIC, &ev, &t));
	TRY(timer_settime(t, 0, &its, NULL));
	usleep(50000);
	TRY(syscall(SYS_rt_sigtimedwait, &mask, &info, NULL, 8));
	say("code %d, overrun %d, the same %d", info.si_code,
	    info.si_overrun >= 40,
	    info.si_overrun == timer_getoverrun(t));
	TRY(timer_delete(t));
	say("pending %llx", (unsigned long long)pending());
	block(0);
}

static void *inherits(void *arg)
{
	say("thread: mask %llx, nice %d",
	    (unsigned long long)(mask_now() & bit(SIGUSR1)),
	    getpriority(PRIO_PROCESS, 0));
	return arg;
}

CASE(threads_inherit)
{
	static uint64_t args[1024];
	int own = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		  CLONE_THREAD;
	pthread_t t;

	signal(SIGUSR1, SIG_IGN);
	block(bit(SIGUSR1));
	setpriority(PRIO_PROCESS, 0, 5);
	pthread_create(&t, NULL, inherits, NULL);
	pthread_join(t, NULL);
	setpriority(PRIO_PROCESS, 0, 0);
	block(0);
	signal(SIGUSR1, SIG_DFL);
	TRY(syscall(SYS_clone, own | CLONE_SETTLS, 0, 0, 0, BAD_NONCANON));
	args[0] = CLONE_SIGHAND;
	TRY(syscall(SYS_clone3, args, 4096));
	TRY(syscall(SYS_clone3, args, 4104));
}
