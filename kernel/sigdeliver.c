/*
 * What a signal does: nothing, the program's end, or a call of its handler;
 * and what becomes of the system call that it interrupted (signal(7)). On the
 * way out to user mode, in the task's own name.
 */
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall_nr.h"
#include "kernel/x86/ptrace.h"
#include "kernel/x86/sigframe.h"

static __noreturn void die_of(int sig)
{
	if (sig <= SIGSYS)
		pr_notice("%s[%d] ended by %s", current->comm, current->pid,
			  signal_name(sig));
	else
		pr_notice("%s[%d] ended by signal %d", current->comm,
			  current->pid, sig);
	do_exit_group(128 + sig);
}

/* Takes a copy of what @sig is to do; SA_RESETHAND is once only. */
static void take_action(int sig, struct sigaction *act)
{
	struct sighand *sighand = current->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);

	*act = sighand->action[sig - 1];
	if (act->handler != SIG_DFL && act->handler != SIG_IGN &&
	    act->flags & SA_RESETHAND)
		sighand->action[sig - 1].handler = SIG_DFL;
	spin_unlock_irqrestore(&sighand->lock, irq);
}

/* The next signal that has a handler; what needs none is done here. */
static bool get_signal(struct ksignal *k)
{
	struct task *task = current;

	for (;;) {
		if (READ_ONCE(task->sighand->exiting))
			do_exit();
		k->sig = dequeue_signal(task, task->sig_blocked, &k->info);
		if (!k->sig)
			return false;
		take_action(k->sig, &k->act);
		if (signal_is_ignored(k->sig, task->sighand) &&
		    k->act.handler <= SIG_IGN)
			continue;
		if (k->act.handler == SIG_DFL || k->sig == SIGKILL)
			die_of(k->sig);
		if (k->act.handler != SIG_IGN)
			return true;
	}
}

/* `syscall` is two bytes long. */
static void begin_again(struct pt_regs *regs, u64 nr)
{
	regs->rax = nr;
	regs->rip -= 2;
}

static void restart_for_handler(struct pt_regs *regs, u64 sa_flags)
{
	switch ((s64)regs->rax) {
	case -ERESTARTSYS:
		if (sa_flags & SA_RESTART)
			begin_again(regs, regs->orig_rax);
		else
			regs->rax = (u64)-EINTR;
		break;
	case -ERESTARTNOINTR:
		begin_again(regs, regs->orig_rax);
		break;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		/* It was told of its end: nothing is left to go on with. */
		current->restart.fn = NULL;
		regs->rax = (u64)-EINTR;
		break;
	default:
		break;
	}
}

static void restart_without_handler(struct pt_regs *regs)
{
	switch ((s64)regs->rax) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
		begin_again(regs, regs->orig_rax);
		break;
	case -ERESTART_RESTARTBLOCK:
		begin_again(regs, __NR_restart_syscall);
		break;
	default:
		break;
	}
}

/* The mask that rt_sigreturn() will put back. */
static u64 mask_to_save(struct task *task)
{
	if (!task->sig_restore)
		return task->sig_blocked;
	task->sig_restore = false;
	return task->sig_saved;
}

static void call_handler(struct pt_regs *regs, const struct ksignal *k)
{
	u64 blocked;

	if (setup_sigframe(regs, k, mask_to_save(current))) {
		force_sigsegv(k->sig);
		return;
	}
	blocked = current->sig_blocked | k->act.mask;
	if (!(k->act.flags & SA_NODEFER))
		blocked |= sig_bit(k->sig);
	set_current_blocked(blocked);
}

void do_signal(struct pt_regs *regs, bool syscall)
{
	struct task *task = current;
	struct ksignal k;

	if (get_signal(&k)) {
		if (syscall)
			restart_for_handler(regs, k.act.flags);
		call_handler(regs, &k);
		return;
	}
	if (syscall)
		restart_without_handler(regs);
	if (task->sig_restore) {
		task->sig_restore = false;
		set_current_blocked(task->sig_saved);
	}
}
