/*
 * Signals: who handles what, what is blocked, what is pending. A pending
 * signal acts on its task's way back to user mode.
 *
 * LOCKING: sighand->lock, interrupts off, guards the handlers.
 */
#include "kernel/signal.h"

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* Cannot be caught, blocked or ignored. */
#define UNSTOPPABLE	((1ull << (SIGKILL - 1)) | (1ull << (SIGSTOP - 1)))
/* By default forgotten; stopping makes no sense for the only process. */
#define DEFAULT_IGNORED	((1ull << (SIGCHLD - 1)) | (1ull << (SIGCONT - 1)) | \
			 (1ull << (SIGURG - 1)) | (1ull << (SIGWINCH - 1)) | \
			 (1ull << (SIGSTOP - 1)) | (1ull << (SIGTSTP - 1)) | \
			 (1ull << (SIGTTIN - 1)) | (1ull << (SIGTTOU - 1)))

const char *const signal_names[32] = {
	[SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS", [SIGFPE] = "SIGFPE", [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",
	[SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP",
	[SIGTTIN] = "SIGTTIN", [SIGTTOU] = "SIGTTOU", [SIGURG] = "SIGURG",
	[SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
	[SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
	[SIGWINCH] = "SIGWINCH", [SIGIO] = "SIGIO", [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS",
};

static u64 handler_of(int sig, const struct task *task)
{
	return READ_ONCE(task->sighand->action[sig - 1].handler);
}

static bool ignored(int sig, const struct task *task)
{
	u64 handler = handler_of(sig, task);

	if (sig_bit(sig) & UNSTOPPABLE)
		return sig == SIGSTOP;
	return handler == SIG_IGN ||
	       (handler == SIG_DFL && sig_bit(sig) & DEFAULT_IGNORED);
}

bool signal_is_fatal(int sig, const struct task *task)
{
	/* Handlers are recorded, but nothing can run them yet. */
	(void)sig;
	return task->sighand;
}

/* Something pending is not blocked: the task must not sleep on. */
static void update_sigpending(struct task *task)
{
	if (READ_ONCE(task->sig_pending) & ~READ_ONCE(task->sig_blocked))
		__atomic_fetch_or(&task->work, TIF_SIGPENDING,
				  __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&task->work, ~TIF_SIGPENDING,
				   __ATOMIC_SEQ_CST);
}

static void mark_pending(int sig, struct task *task)
{
	__atomic_fetch_or(&task->sig_pending, sig_bit(sig), __ATOMIC_SEQ_CST);
	update_sigpending(task);
	if (signal_pending(task) &&
	    READ_ONCE(task->state) == TASK_INTERRUPTIBLE)
		wake_up_process(task);
}

int send_sig(int sig, struct task *task)
{
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!task->sighand)
		return -ESRCH;
	/* Number 0 only asks whether the task could be signalled. */
	if (!sig)
		return 0;
	/* While blocked it is kept: it may not be ignored any more later. */
	if (!ignored(sig, task) ||
	    READ_ONCE(task->sig_blocked) & sig_bit(sig))
		mark_pending(sig, task);
	return 0;
}

void force_sig(int sig, struct task *task)
{
	task->sig_blocked &= ~sig_bit(sig);
	mark_pending(sig, task);
}

static __noreturn void die_of(int sig)
{
	if (sig < (int)ARRAY_SIZE(signal_names))
		pr_notice("%s[%d] ended by %s", current->comm, current->pid,
			  signal_names[sig]);
	else
		pr_notice("%s[%d] ended by signal %d", current->comm,
			  current->pid, sig);
	do_exit_group(128 + sig);
}

int set_user_sigmask(const u64 __user *mask, size_t size)
{
	struct task *task = current;
	u64 bits;

	if (!mask)
		return 0;
	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(bits, mask))
		return -EFAULT;
	task->sig_saved = task->sig_blocked;
	task->sig_restore = true;
	WRITE_ONCE(task->sig_blocked, bits & ~UNSTOPPABLE);
	update_sigpending(task);
	return 0;
}

void restore_user_sigmask(bool interrupted)
{
	struct task *task = current;

	if (!task->sig_restore || (interrupted && signal_pending(task)))
		return;
	task->sig_restore = false;
	WRITE_ONCE(task->sig_blocked, task->sig_saved);
	update_sigpending(task);
}

void do_signal(struct pt_regs *regs)
{
	struct task *task = current;
	u64 ready;

	(void)regs;
	while ((ready = READ_ONCE(task->sig_pending) & ~task->sig_blocked)) {
		int sig = __builtin_ctzll(ready) + 1;

		__atomic_fetch_and(&task->sig_pending, ~sig_bit(sig),
				   __ATOMIC_SEQ_CST);
		if (!ignored(sig, task) || sig == SIGKILL)
			die_of(sig);
	}
	if (task->sig_restore) {
		task->sig_restore = false;
		WRITE_ONCE(task->sig_blocked, task->sig_saved);
	}
	update_sigpending(task);
}

/* A handler that ignores the signal also forgets one that is pending. */
static void set_action(struct task *task, int sig,
		       const struct sigaction *new, struct sigaction *old)
{
	struct sighand *sighand = task->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);

	*old = sighand->action[sig - 1];
	if (new) {
		sighand->action[sig - 1] = *new;
		sighand->action[sig - 1].mask &= ~UNSTOPPABLE;
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
	if (new && ignored(sig, task))
		__atomic_fetch_and(&task->sig_pending, ~sig_bit(sig),
				   __ATOMIC_SEQ_CST);
}

SYSCALL_DEFINE4(rt_sigaction, int, sig, const struct sigaction __user *, act,
		struct sigaction __user *, oact, size_t, size)
{
	struct sigaction new, old;

	if (size != sizeof(u64) || sig < 1 || sig > NSIG)
		return -EINVAL;
	if (act && copy_from_user(&new, act, sizeof(new)))
		return -EFAULT;
	if (act && sig_bit(sig) & UNSTOPPABLE)
		return -EINVAL;
	set_action(current, sig, act ? &new : NULL, &old);
	if (oact && copy_to_user(oact, &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE4(rt_sigprocmask, int, how, const u64 __user *, set,
		u64 __user *, oset, size_t, size)
{
	struct task *task = current;
	u64 old = task->sig_blocked, bits;

	if (size != sizeof(u64))
		return -EINVAL;
	if (set) {
		if (get_user(bits, set))
			return -EFAULT;
		if (how == SIG_BLOCK)
			bits = old | bits;
		else if (how == SIG_UNBLOCK)
			bits = old & ~bits;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		WRITE_ONCE(task->sig_blocked, bits & ~UNSTOPPABLE);
		update_sigpending(task);
	}
	if (oset && put_user(old, oset))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE2(rt_sigpending, u64 __user *, set, size_t, size)
{
	u64 pending = READ_ONCE(current->sig_pending) & current->sig_blocked;

	if (size > sizeof(u64))
		return -EINVAL;
	return copy_to_user(set, &pending, size);
}

/* There is one process: pid 0, -1 and its own number all mean it. */
SYSCALL_DEFINE2(kill, s32, pid, int, sig)
{
	s32 own = current->tgid;

	if (pid > 0 && pid != own)
		return -ESRCH;
	if (pid < -1 && pid != -own)
		return -ESRCH;
	return send_sig(sig, current);
}

SYSCALL_DEFINE2(tkill, s32, tid, int, sig)
{
	if (tid <= 0)
		return -EINVAL;
	return tid == current->pid ? send_sig(sig, current) : -ESRCH;
}

SYSCALL_DEFINE3(tgkill, s32, tgid, s32, tid, int, sig)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	if (tgid != current->tgid || tid != current->pid)
		return -ESRCH;
	return send_sig(sig, current);
}
