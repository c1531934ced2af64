/*
 * Signals. Handlers and masks are kept as Linux keeps them; what a signal
 * does by default (end the program, or nothing) happens on the way back to
 * user mode.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/list.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"
#include "kernel/wait.h"

struct pt_regs;
struct sigqueue;
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

/* sigaction(2)'s flags. */
#define SA_NOCLDSTOP	0x00000001u
#define SA_NOCLDWAIT	0x00000002u
#define SA_SIGINFO	0x00000004u
#define SA_RESTORER	0x04000000u
#define SA_ONSTACK	0x08000000u
#define SA_RESTART	0x10000000u
#define SA_NODEFER	0x40000000u
#define SA_RESETHAND	0x80000000u

/* siginfo's si_code: who sent it, or what kind of fault it was. */
#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_QUEUE	(-1)
#define SI_TIMER	(-2)
#define SI_TKILL	(-6)
#define ILL_ILLOPN	2
#define FPE_INTDIV	1
#define FPE_FLTDIV	3
#define FPE_FLTOVF	4
#define FPE_FLTUND	5
#define FPE_FLTRES	6
#define FPE_FLTINV	7
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define BUS_ADRALN	1
#define BUS_ADRERR	2
#define TRAP_BRKPT	1
#define TRAP_TRACE	2

/* As rt_sigaction(2) lays it out. */
struct sigaction {
	u64 handler;		/* SIG_DFL, SIG_IGN or a user address */
	u64 flags;
	u64 restorer;
	u64 mask;
};

/* As sigaction(2) lays it out for handlers; the union by si_code. */
struct siginfo {
	s32 si_signo, si_errno, si_code, pad;
	union {
		struct {
			s32 pid;
			u32 uid;
			u64 value;
		} user;			/* kill, sigqueue */
		struct {
			s32 id, overrun;
			u64 value;
		} timer;		/* SI_TIMER */
		u64 addr;		/* faults */
		u8 bytes[112];
	};
};

_Static_assert(sizeof(struct siginfo) == 128, "as user space has it");

/* What came and has not been acted on. Locks: s sighand->lock. */
struct sigpending {
	u64 mask;			/* s */
	struct sigqueue *first;		/* s  the details, oldest first */
};

/*
 * What a process's threads share of signals, and the threads themselves.
 * Locks: s lock.
 */
struct sighand {
	struct spinlock lock;
	struct sigaction action[NSIG];	/* s  [signal number - 1] */
	struct sigpending shared;	/* s  for whichever thread */
	u32 nr_queued;			/* s  sigqueues allocated */
	struct list_head threads;	/* s  task->thread_node */
	u32 nr_threads;			/* s */
	bool exiting;			/* s  exit_group(2) was called */
	int exit_code;			/* s */
	struct wait_queue_head signalfd_wq;
};

static inline u64 sig_bit(int sig)
{
	return 1ull << (sig - 1);
}

/* Cannot be caught, blocked or ignored. */
#define SIG_UNSTOPPABLE	((1ull << (SIGKILL - 1)) | (1ull << (SIGSTOP - 1)))

/* "SIGHUP" of SIGHUP; "?" above SIGSYS. */
const char *signal_name(int sig);

/* One signal's details, waiting. A timer keeps its own in itself. */
struct sigqueue {
	struct sigqueue *next;
	struct siginfo info;
	bool queued;			/* s */
	bool preallocated;		/* c */
};

/* An empty table, no threads. Task context. */
void sighand_init(struct sighand *sighand);

/*
 * Sends @sig to @task: marks it pending and wakes the task if it sleeps
 * interruptibly. One that is ignored and not blocked is forgotten. Any context.
 * Returns 0, -EINVAL (no such signal) or -ESRCH (a kernel task).
 */
int send_sig(int sig, struct task *task);

/*
 * The same with details (borrowed). -EAGAIN if there is no memory, or the
 * limit is reached, for those that sigqueue(3) sends.
 */
int send_siginfo(const struct siginfo *info, struct task *task);
/* The same to a process: whichever thread does not block it. */
int send_group_siginfo(const struct siginfo *info, struct sighand *sighand);
/*
 * Sends a timer's own sigqueue, to @task or (NULL) to the process. False if
 * it is ignored, or still queued from last time: then the overrun in its
 * details is counted up. Hardirq.
 */
bool send_sigqueue(struct sigqueue *q, struct sighand *sighand,
		   struct task *task);
/* Takes a timer's sigqueue back wherever it is queued. Any context. */
void sigqueue_forget(struct sigqueue *q, struct sighand *sighand);

/*
 * Takes the next signal out of @task's pending ones that @mask does not hold
 * back; its details in @info. 0 if there is none. Own task, takes the lock.
 */
int dequeue_signal(struct task *task, u64 mask, struct siginfo *info);

/*
 * For a fault of @task's own doing, which it cannot block or ignore. The
 * second with details. Own task.
 */
void force_sig(int sig, struct task *task);
void force_siginfo(const struct siginfo *info);
/* The same for a handler that could not be entered: SIGSEGV. */
void force_sigsegv(int sig);

/* True if @sig is forgotten when it comes, as long as nobody blocks it. */
bool signal_is_ignored(int sig, const struct sighand *sighand);

/* Sets what @sig does (@new NULL: leaves it); what it did in @old. */
void set_sigaction(int sig, const struct sigaction *new,
		   struct sigaction *old);

/* True if @sig would end @task, handlers and masks considered. Any context. */
bool signal_is_fatal(int sig, const struct task *task);

/* Sets the own task's mask and sees what that lets through. */
void set_current_blocked(u64 mask);

/* Tells the other threads that they must come to their end. */
void kill_other_threads(struct sighand *sighand)
	__must_hold(sighand->lock);
/* @task leaves: what it should have acted on is others' now, or dropped. */
void exit_signals(struct task *task);

/* Signals of @task or its process that are pending; takes the lock. */
u64 signals_pending(struct task *task);

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

/* A signal that a handler of the program's is to be called for. */
struct ksignal {
	int sig;
	struct sigaction act;
	struct siginfo info;
};

/*
 * Acts on what is pending and not blocked. From the way out to user mode
 * only: task context, interrupts on, @regs complete. @syscall: out of a
 * system call, which may have to begin again.
 */
void do_signal(struct pt_regs *regs, bool syscall);
