/* Signals: handlers and their frames, masks, restarts, waits, faults. */
#define _GNU_SOURCE
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile int calls, last_sig;
static siginfo_t last;
static sigset_t mask_inside;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	calls++;
	last_sig = sig;
	last = *info;
	sigprocmask(SIG_BLOCK, NULL, &mask_inside);
}

static void handle(int sig, int flags)
{
	struct sigaction act = { .sa_sigaction = on_signal,
				 .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGUSR2);
	sigaction(sig, &act, NULL);
	calls = 0;
}

static void restore(int sig)
{
	signal(sig, SIG_DFL);
}

static void after_ms(int ms)
{
	struct itimerval it = { .it_value = { 0, ms * 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

CASE(signal_handler)
{
	sigset_t now;

	handle(SIGUSR1, 0);
	TRY(kill(getpid(), SIGUSR1));
	say("calls %d sig %d code %d own pid %d", calls, last.si_signo,
	    last.si_code, last.si_pid == getpid());
	say("inside: USR1 %d USR2 %d HUP %d",
	    sigismember(&mask_inside, SIGUSR1),
	    sigismember(&mask_inside, SIGUSR2),
	    sigismember(&mask_inside, SIGHUP));
	sigprocmask(SIG_BLOCK, NULL, &now);
	say("after: USR1 %d USR2 %d", sigismember(&now, SIGUSR1),
	    sigismember(&now, SIGUSR2));
	TRY(raise(SIGUSR1));
	say("code %d", last.si_code);
	handle(SIGUSR1, SA_NODEFER | SA_RESETHAND);
	raise(SIGUSR1);
	say("NODEFER: inside USR1 %d", sigismember(&mask_inside, SIGUSR1));
	struct sigaction old;

	sigaction(SIGUSR1, NULL, &old);
	say("RESETHAND: default %d", old.sa_handler == SIG_DFL);
}

static unsigned long seen_regs[4];
static void *seen_fp;
static unsigned seen_magic[2], seen_size_ok;

static void on_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned *sw;

	seen_regs[0] = uc->uc_mcontext.gregs[REG_RBX];
	seen_regs[1] = uc->uc_mcontext.gregs[REG_R12];
	seen_regs[2] = uc->uc_mcontext.gregs[REG_CSGSFS];
	seen_regs[3] = ((unsigned long *)uc)[0];
	seen_fp = uc->uc_mcontext.fpregs;
	sw = (unsigned *)((char *)seen_fp + 464);
	seen_magic[0] = sw[0];
	memcpy(&seen_magic[1], (char *)seen_fp + sw[4], 4);
	seen_size_ok = sw[1] == sw[4] + 4;
	uc->uc_mcontext.gregs[REG_RBX] = 99;
	/* xmm7, in the FXSAVE area */
	((double *)((char *)seen_fp + 160 + 7 * 16))[0] *= 2;
}

CASE(signal_frame)
{
	struct sigaction act = { .sa_sigaction = on_frame,
				 .sa_flags = SA_SIGINFO };
	unsigned long rbx = 0x1234, r12 = 0x5678, rax = SYS_tgkill;
	double x = 21.5, before;
	register long r10 __asm__("r10") = 0;

	sigaction(SIGUSR1, &act, NULL);
	__asm__ volatile("movq %[x], %%xmm7\n\tsyscall\n\tmovq %%xmm7, %[out]"
			 : "+a"(rax), "+b"(rbx), "+r"(r12),
			   [out] "=r"(before)
			 : "D"(getpid()), "S"(syscall(SYS_gettid)),
			   "d"(SIGUSR1), "r"(r10), [x] "r"(x)
			 : "rcx", "r11", "memory", "xmm7");
	say("rbx in the frame %lx, cs:ss %lx, flags %lx", seen_regs[0],
	    seen_regs[2] & 0xffff00000000ffff, seen_regs[3]);
	say("aligned %d, magic %x %x, size %d", (long)seen_fp % 64 == 0,
	    seen_magic[0], seen_magic[1], seen_size_ok);
	say("after: rax %lu rbx %lu xmm7 %g", rax, rbx, before);
	restore(SIGUSR1);
}

static sigjmp_buf jump;
static int fault_code, fault_sig;
static void *fault_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	fault_sig = sig;
	fault_code = info->si_code;
	fault_addr = info->si_addr;
	if ((unsigned long)fault_addr ==
	    (unsigned long)uc->uc_mcontext.gregs[REG_RIP])
		fault_addr = (void *)1;
	say("trapno %lld err %lld cr2 %d",
	    (long long)uc->uc_mcontext.gregs[REG_TRAPNO],
	    (long long)uc->uc_mcontext.gregs[REG_ERR],
	    (long)uc->uc_mcontext.gregs[REG_CR2] == (long)info->si_addr);
	siglongjmp(jump, 1);
}

/* The compiler must not know where this points. */
static volatile char *poke(unsigned long addr)
{
	__asm__ volatile("" : "+r"(addr));
	return (volatile char *)addr;
}

static void fault(int which, char *page)
{
	switch (which) {
	case 0:
		*poke(16) = 1;
		break;
	case 1:
		*(volatile char *)page = 1;
		break;
	case 2:
		__asm__ volatile("ud2");
		break;
	case 3:
		__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx"
				 : : "a"(1), "d"(0) : "ecx");
		break;
	case 4:
		__asm__ volatile("int3");
		break;
	case 5:
		__asm__ volatile("hlt");
		break;
	case 6:
		*poke(0x8000000000000000) = 1;
		break;
	case 7:
		((void (*)(void))page)();
		break;
	case 8:
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop"
				 : : : "memory", "cc");
		break;
	}
}

CASE(signal_faults)
{
	struct sigaction act = { .sa_sigaction = on_fault,
				 .sa_flags = SA_SIGINFO };
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	for (size_t i = 0; i < 5; i++)
		sigaction(sigs[i], &act, NULL);
	say("present %d", *(volatile char *)page);
	for (int i = 0; i < 9; i++) {
		fault_addr = NULL;
		if (!sigsetjmp(jump, 1))
			fault(i, page);
		say("fault %d: signal %d code %d addr %s", i, fault_sig,
		    fault_code, fault_addr == page ? "page" :
		    fault_addr == (void *)1 ? "ip" :
		    fault_addr == (void *)16 ? "16" :
		    fault_addr ? "other" : "none");
	}
	for (size_t i = 0; i < 5; i++)
		restore(sigs[i]);
	munmap(page, 4096);
}

/* No room in the queue: what there is to say of a fault is said. */
CASE(signal_fault_with_a_full_queue)
{
	struct sigaction act = { .sa_sigaction = on_fault,
				 .sa_flags = SA_SIGINFO };
	struct rlimit old, none;

	getrlimit(RLIMIT_SIGPENDING, &old);
	none = (struct rlimit){ 0, old.rlim_max };
	TRY(setrlimit(RLIMIT_SIGPENDING, &none));
	sigaction(SIGSEGV, &act, NULL);
	if (!sigsetjmp(jump, 1))
		*poke(16) = 1;
	say("signal %d code %d addr %p", fault_sig, fault_code, fault_addr);
	TRY(setrlimit(RLIMIT_SIGPENDING, &old));
	restore(SIGSEGV);
}

static int was_on_stack;
static char *alt;

static void on_alt(int sig, siginfo_t *info, void *context)
{
	char here;
	stack_t st;

	was_on_stack = &here > alt && &here < alt + 16384;
	sigaltstack(NULL, &st);
	say("inside: flags %d", st.ss_flags);
	TRY(sigaltstack(&st, NULL));
}

CASE(signal_altstack)
{
	struct sigaction act = { .sa_sigaction = on_alt,
				 .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t st, small = { .ss_size = 100 }, bad = { .ss_flags = 77 };

	TRY(sigaltstack(NULL, &st));
	say("flags %d size %zu", st.ss_flags, st.ss_size);
	TRY(sigaltstack(&small, NULL));
	bad.ss_size = 16384;
	TRY(sigaltstack(&bad, NULL));
	TRY(syscall(SYS_sigaltstack, BAD_LOW, NULL));
	alt = malloc(16384);
	st = (stack_t){ .ss_sp = alt, .ss_size = 16384 };
	TRY(sigaltstack(&st, NULL));
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	say("on it %d", was_on_stack);
	st.ss_flags = SS_DISABLE;
	TRY(sigaltstack(&st, NULL));
	restore(SIGUSR1);
	free(alt);
}

CASE(signal_masks)
{
	sigset_t set, pending;
	struct timespec none = { 0, 0 }, some = { 0, 20000000 };
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	handle(SIGUSR1, 0);
	raise(SIGUSR1);
	sigpending(&pending);
	say("calls %d pending %d", calls, sigismember(&pending, SIGUSR1));
	TRY(sigtimedwait(&set, &info, &none));
	say("code %d", info.si_code);
	TRY(sigtimedwait(&set, &info, &none));
	TRY(sigtimedwait(&set, &info, &some));
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	for (int i = 0; i < 3; i++) {
		sigtimedwait(&set, &info, &none);
		say("queued %d code %d", info.si_value.sival_int,
		    info.si_code);
	}
	raise(SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("calls %d", calls);
	TRY(kill(getpid(), 65));
	TRY(kill(getpid(), 0));
	restore(SIGUSR1);
}

CASE(signal_interrupts)
{
	struct timespec req = { 5, 0 }, rem = { 0, 0 };
	struct epoll_event ev;
	struct pollfd p;
	sigset_t none;
	char c;
	int fd[2], ep = epoll_create1(0);
	fd_set set;

	sigemptyset(&none);
	tcp_pair(fd);
	fd[0] = dup(fd[0]);
	pipe(fd);
	for (int i = 0; i < 2; i++) {
		handle(SIGALRM, i ? SA_RESTART : 0);
		say("SA_RESTART %d", i);
		after_ms(20);
		TRY(epoll_wait(ep, &ev, 1, 2000));
		after_ms(20);
		TRY(epoll_pwait(ep, &ev, 1, 2000, &none));
		p = (struct pollfd){ .fd = fd[0], .events = POLLIN };
		after_ms(20);
		TRY(poll(&p, 1, 2000));
		after_ms(20);
		TRY(ppoll(&p, 1, &req, &none));
		FD_ZERO(&set);
		FD_SET(fd[0], &set);
		after_ms(20);
		TRY(select(fd[0] + 1, &set, NULL, NULL, NULL));
		after_ms(20);
		TRY(nanosleep(&req, &rem));
		say("remaining %ld", (long)rem.tv_sec);
		after_ms(20);
		TRY(clock_nanosleep(CLOCK_MONOTONIC, 0, &req, NULL) == EINTR);
		after_ms(20);
		TRY(pause());
		after_ms(20);
		TRY(sigsuspend(&none));
		if (!i) {
			after_ms(20);
			TRY(read(fd[0], &c, 1));
		}
		say("calls %d", calls);
	}
	restore(SIGALRM);
}

static int pipe_fd;

static void on_write(int sig)
{
	write(pipe_fd, "x", 1);
}

CASE(signal_restart)
{
	struct sigaction act = { .sa_handler = on_write,
				 .sa_flags = SA_RESTART };
	char c = 0;
	int fd[2];

	pipe(fd);
	pipe_fd = fd[1];
	sigaction(SIGALRM, &act, NULL);
	after_ms(20);
	TRY(read(fd[0], &c, 1));
	say("read %c", c);
	restore(SIGALRM);
}

CASE(signal_pwait_mask)
{
	struct epoll_event ev;
	sigset_t blocked, none, now;
	int ep = epoll_create1(0);

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	handle(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	TRY(epoll_wait(ep, &ev, 1, 10));
	say("calls %d", calls);
	TRY(epoll_pwait(ep, &ev, 1, 10, &none));
	say("calls %d", calls);
	sigprocmask(SIG_BLOCK, NULL, &now);
	say("blocked again %d", sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	TRY(ppoll(NULL, 0, NULL, &none));
	say("calls %d", calls);
	raise(SIGUSR1);
	TRY(pselect(0, NULL, NULL, NULL, NULL, &none));
	say("calls %d", calls);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	restore(SIGUSR1);
}

static pthread_t handled_by;

static void on_thread(int sig)
{
	handled_by = pthread_self();
	calls++;
}

static void *sleeper(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	while (!calls)
		usleep(5000);
	return NULL;
}

CASE(signal_threads)
{
	struct sigaction act = { .sa_handler = on_thread };
	sigset_t set;
	pthread_t t;

	calls = 0;
	sigaction(SIGUSR1, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_create(&t, NULL, sleeper, NULL);
	kill(getpid(), SIGUSR1);
	pthread_join(t, NULL);
	say("the other one handled it %d, calls %d",
	    pthread_equal(handled_by, t) != 0, calls);
	calls = 0;
	pthread_create(&t, NULL, sleeper, NULL);
	pthread_kill(t, SIGUSR1);
	pthread_join(t, NULL);
	say("pthread_kill %d", pthread_equal(handled_by, t) != 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	restore(SIGUSR1);
}

CASE(signal_pipe)
{
	int fd[2];

	handle(SIGPIPE, 0);
	pipe(fd);
	close(fd[0]);
	TRY(write(fd[1], "x", 1));
	say("calls %d code %d", calls, last.si_code);
	restore(SIGPIPE);
}
