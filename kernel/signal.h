/*
 * Signals. Handlers and masks are kept as Linux keeps them; what a signal
 * does by default (end the program, or nothing) happens on the way back to
 * user mode.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"

struct pt_regs;
struct task;

#define NSIG		64

#define SIGHUP		1
#define SIGINT		2
#define SIGQUIT		3
#define SIGILL		4
#define SIGTRAP		5
#define SIGABRT		6
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGUSR1		10
#define SIGSEGV		11
#define SIGUSR2		12
#define SIGPIPE		13
#define SIGALRM		14
#define SIGTERM		15
#define SIGSTKFLT	16
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGXFSZ		25
#define SIGVTALRM	26
#define SIGPROF		27
#define SIGWINCH	28
#define SIGIO		29
#define SIGPWR		30
#define SIGSYS		31

#define SIG_DFL		0ul
#define SIG_IGN		1ul

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

/* As rt_sigaction(2) lays it out. */
struct sigaction {
	u64 handler;		/* SIG_DFL, SIG_IGN or a user address */
	u64 flags;
	u64 restorer;
	u64 mask;
};

/* What a process's threads share. Locks: s lock. */
struct sighand {
	struct spinlock lock;
	struct sigaction action[NSIG];	/* s  [signal number - 1] */
};

static inline u64 sig_bit(int sig)
{
	return 1ull << (sig - 1);
}

extern const char *const signal_names[32];

/*
 * Sends @sig to @task: marks it pending and wakes the task if it sleeps
 * interruptibly. One that is ignored and not blocked is forgotten. Any context.
 * Returns 0, -EINVAL (no such signal) or -ESRCH (a kernel task).
 */
int send_sig(int sig, struct task *task);

/*
 * The same for a fault of @task's own doing, which it cannot block or ignore.
 */
void force_sig(int sig, struct task *task);

/* True if @sig would end @task, handlers and masks considered. Any context. */
bool signal_is_fatal(int sig, const struct task *task);

/*
 * The mask that ppoll(2), epoll_pwait(2) and pselect(2) wait with: takes the
 * place of the task's until restore_user_sigmask(). @mask NULL: leaves it.
 * 0, -EINVAL (@size is not a mask's) or -EFAULT. Own task only.
 */
int set_user_sigmask(const u64 __user *mask, size_t size) __must_check;
/*
 * Puts the task's mask back; if the wait was @interrupted by a signal, only
 * when that has been acted on, so that the wait's mask decides which.
 */
void restore_user_sigmask(bool interrupted);

/*
 * Acts on what is pending and not blocked. From the way out to user mode
 * only: task context, interrupts on, @regs complete.
 */
void do_signal(struct pt_regs *regs);
