/* Which signals are kept, forgotten, counted; what threads inherit. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
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

CASE(signal_suspend_puts_back)
{
	uint64_t mask = bit(SIGUSR1) | bit(SIGUSR2), wait = bit(SIGUSR2);

	signal(SIGUSR1, on_signal);
	block(mask);
	kill(getpid(), SIGUSR1);
	calls = 0;
	TRY(syscall(SYS_rt_sigsuspend, &wait, 8));
	say("calls %d, inside %llx, after %llx", calls,
	    (unsigned long long)mask_inside, (unsigned long long)mask_now());
	TRY(syscall(SYS_rt_sigsuspend, &wait, 4));
	TRY(syscall(SYS_rt_sigsuspend, BAD_LOW, 8));
	block(0);
	signal(SIGUSR1, SIG_DFL);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM	(1 << 31)
#endif

static char alt[32768];
static stack_t inside;
static volatile int on_alt;

static void on_stack(int sig)
{
	char here;

	on_alt = &here >= alt && &here < alt + sizeof(alt);
	sigaltstack(NULL, &inside);
}

static void show_stack(const char *what, const stack_t *st)
{
	say("%s: flags %x, size %zu, at it %d", what, st->ss_flags,
	    st->ss_size, st->ss_sp == alt);
}

CASE(signal_altstack_disarms)
{
	stack_t st = { .ss_sp = alt, .ss_size = sizeof(alt) }, old;
	struct sigaction sa = { .sa_handler = on_stack };
	const unsigned flags[] = { 0, SS_AUTODISARM };

	for (int i = 0; i < 4; i++) {
		st.ss_flags = flags[i % 2];
		sa.sa_flags = i / 2 ? 0 : SA_ONSTACK;
		sigaction(SIGUSR1, &sa, NULL);
		TRY(sigaltstack(&st, NULL));
		kill(getpid(), SIGUSR1);
		say("on it %d", on_alt);
		show_stack("inside", &inside);
		TRY(sigaltstack(NULL, &old));
		show_stack("after", &old);
	}
	st.ss_flags = SS_DISABLE | SS_AUTODISARM;
	TRY(sigaltstack(&st, NULL));
	TRY(sigaltstack(NULL, &old));
	say("flags %x", old.ss_flags);
	st.ss_flags = SS_DISABLE;
	TRY(sigaltstack(&st, NULL));
	signal(SIGUSR1, SIG_DFL);
}

/*
 * What lies below the stack pointer is the function's own for 128 bytes, and
 * a handler may use the vector registers.
 */
static void on_red_zone(int sig)
{
	volatile char big[4096];

	memset((void *)big, 0xee, sizeof(big));
	__asm__ volatile("pxor %%xmm5, %%xmm5\n\tstd\n\tcld" : : :
			 "xmm5");
	calls++;
}

CASE(signal_red_zone)
{
	uint64_t sum = 0, vector[2] = { 0x1234, 0x5678 }, flags;
	long pid = getpid(), ret;

	signal(SIGUSR1, on_red_zone);
	calls = 0;
	__asm__ volatile(
		"movq $0x11, -8(%%rsp)\n\t"
		"movq $0x22, -64(%%rsp)\n\t"
		"movq $0x44, -128(%%rsp)\n\t"
		"movdqu (%[vector]), %%xmm5\n\t"
		"syscall\n\t"
		"movdqu %%xmm5, (%[vector])\n\t"
		"movq -8(%%rsp), %[sum]\n\t"
		"addq -64(%%rsp), %[sum]\n\t"
		"addq -128(%%rsp), %[sum]"
		: "=a" (ret), [sum] "=&r" (sum)
		: "a" (62l), "D" (pid), "S" ((long)SIGUSR1),
		  [vector] "r" (vector)
		: "rcx", "r11", "xmm5", "memory");
	__asm__ volatile("pushfq\n\tpopq %0" : "=r" (flags));
	say("kill %ld, calls %d, red zone %llx, vector %llx %llx, flags %llx",
	    ret, calls, (unsigned long long)sum,
	    (unsigned long long)vector[0], (unsigned long long)vector[1],
	    (unsigned long long)flags & 0x400);
	signal(SIGUSR1, SIG_DFL);
}

static volatile unsigned mxcsr, fpu_word;

static void on_fpu(int sig)
{
	unsigned m;
	unsigned short w;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m" (m), "=m" (w));
	mxcsr = m;
	fpu_word = w;
}

/* A handler begins with the FPU as a program does, whatever it was set to. */
CASE(signal_fpu_is_fresh)
{
	unsigned round_up = 0x5f80, m;
	unsigned short word = 0xb7f, w;

	signal(SIGUSR1, on_fpu);
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m" (round_up),
			 "m" (word));
	kill(getpid(), SIGUSR1);
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m" (m), "=m" (w));
	round_up = 0x1f80;
	word = 0x37f;
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m" (round_up),
			 "m" (word));
	say("inside %x %x, after %x %x", mxcsr, fpu_word, m, w);
	signal(SIGUSR1, SIG_DFL);
}

static sigjmp_buf back;

static void on_segv(int sig)
{
	siglongjmp(back, sig);
}

/* No room for the frame: SIGSEGV instead, on a stack that is there. */
CASE(signal_without_a_stack)
{
	stack_t st = { .ss_sp = alt, .ss_size = sizeof(alt) };
	struct sigaction sa = { .sa_handler = on_segv,
				.sa_flags = SA_ONSTACK };
	long pid = getpid();

	signal(SIGUSR1, on_signal);
	sigaction(SIGSEGV, &sa, NULL);
	sigaltstack(&st, NULL);
	calls = 0;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("movq $4096, %%rsp\n\tsyscall\n\tud2"
				 : : "a" (62l), "D" (pid),
				     "S" ((long)SIGUSR1)
				 : "rcx", "r11", "memory");
	else
		say("SIGSEGV, calls %d", calls);
	st.ss_flags = SS_DISABLE;
	sigaltstack(&st, NULL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
}
