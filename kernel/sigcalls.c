/* The system calls about signals: handlers, masks, sending, waiting. */
#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

/* How late a wait for a signal may end (prctl(2), PR_SET_TIMERSLACK). */
#define WAIT_SLACK	(50 * NSEC_PER_USEC)

SYSCALL_DEFINE4(rt_sigaction, int, sig, const struct sigaction __user *, act,
		struct sigaction __user *, oact, size_t, size)
{
	struct sigaction new, old;

	if (size != sizeof(u64) || sig < 1 || sig > NSIG)
		return -EINVAL;
	if (act && copy_from_user(&new, act, sizeof(new)))
		return -EFAULT;
	if (act && sig_bit(sig) & SIG_UNSTOPPABLE)
		return -EINVAL;
	set_sigaction(sig, act ? &new : NULL, &old);
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
		set_current_blocked(bits);
	}
	if (oset && put_user(old, oset))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE2(rt_sigpending, u64 __user *, set, size_t, size)
{
	u64 pending = signals_pending(current) & current->sig_blocked;

	if (size > sizeof(u64))
		return -EINVAL;
	return copy_to_user(set, &pending, size);
}

/* --- waiting --- */

static void sleep_until_signalled(void)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending(current))
			break;
		schedule();
	}
	set_current_state(TASK_RUNNING);
}

SYSCALL_DEFINE0(pause)
{
	sleep_until_signalled();
	return -ERESTARTNOHAND;
}

SYSCALL_DEFINE2(rt_sigsuspend, const u64 __user *, set, size_t, size)
{
	struct task *task = current;
	u64 bits;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(bits, set))
		return -EFAULT;
	task->sig_saved = task->sig_blocked;
	set_current_blocked(bits);
	sleep_until_signalled();
	/* The handler runs under the new mask and returns to the old one. */
	task->sig_restore = true;
	return -ERESTARTNOHAND;
}

/*
 * Sleeps with @which let through, so that one of them ends the sleep; then
 * takes it before it can be delivered.
 */
static int wait_for_signal(u64 which, u64 deadline, struct siginfo *info)
{
	struct task *task = current;
	u64 saved = task->sig_blocked;
	int sig;

	task->sig_real_blocked = saved;
	set_current_blocked(saved & ~which);
	set_current_state(TASK_INTERRUPTIBLE);
	if (signal_pending(task))
		set_current_state(TASK_RUNNING);
	else
		schedule_hrtimeout_range(deadline, WAIT_SLACK);
	set_current_blocked(saved);
	task->sig_real_blocked = 0;
	sig = dequeue_signal(task, ~which, info);
	if (sig)
		return sig;
	return ktime_get_ns() >= deadline ? -EAGAIN : -EINTR;
}

SYSCALL_DEFINE4(rt_sigtimedwait, const u64 __user *, uset,
		struct siginfo __user *, uinfo,
		const struct timespec __user *, uts, size_t, size)
{
	u64 which, now, timeout, deadline = KTIME_MAX;
	struct siginfo info;
	struct timespec ts;
	int sig;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(which, uset) || (uts && get_user(ts, uts)))
		return -EFAULT;
	if (uts) {
		if (!timespec_valid(&ts))
			return -EINVAL;
		now = ktime_get_ns();
		timeout = timespec_to_ns(&ts);
		if (timeout < KTIME_MAX - now)
			deadline = now + timeout;
	}
	which &= ~SIG_UNSTOPPABLE;
	sig = dequeue_signal(current, ~which, &info);
	if (!sig && uts && !timespec_to_ns(&ts))
		return -EAGAIN;
	if (!sig)
		sig = wait_for_signal(which, deadline, &info);
	if (sig > 0 && uinfo && copy_to_user(uinfo, &info, sizeof(info)))
		return -EFAULT;
	return sig;
}

/* Begun again after a signal without a handler; see sigdeliver.c. */
SYSCALL_DEFINE0(restart_syscall)
{
	struct restart_block *block = &current->restart;
	long (*fn)(struct restart_block *block) = block->fn;

	/* Good for one time; an interrupted call says it again. */
	block->fn = NULL;
	return fn ? fn(block) : -EINTR;
}

/* --- sending --- */

/* A process is asked for: 0, or -ESRCH if it is not the only one. */
static int check_pid(s32 pid)
{
	return pid == current->tgid ? 0 : -ESRCH;
}

static int send_to_process(int sig, struct siginfo *info)
{
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	info->si_signo = sig;
	return sig ? send_group_siginfo(info, current->sighand) : 0;
}

static int send_to_thread(s32 tid, int sig, struct siginfo *info)
{
	struct task *task;
	int err = -EINVAL;

	task = find_get_thread(tid);
	if (!task)
		return -ESRCH;
	if (sig >= 0 && sig <= NSIG) {
		info->si_signo = sig;
		err = sig ? send_siginfo(info, task) : 0;
	}
	put_task(task);
	return err;
}

/*
 * There is one process, and it is its own group: pid 0 means it, -1 all but
 * itself and so nobody.
 */
SYSCALL_DEFINE2(kill, s32, pid, int, sig)
{
	struct siginfo info = { .si_code = SI_USER };

	info.user.pid = current->tgid;
	if (pid == -1 || (pid && check_pid(pid) && check_pid(-pid)))
		return -ESRCH;
	return send_to_process(sig, &info);
}

static int do_tkill(s32 tid, int sig)
{
	struct siginfo info = { .si_code = SI_TKILL };

	info.user.pid = current->tgid;
	return send_to_thread(tid, sig, &info);
}

SYSCALL_DEFINE2(tkill, s32, tid, int, sig)
{
	return tid <= 0 ? -EINVAL : do_tkill(tid, sig);
}

SYSCALL_DEFINE3(tgkill, s32, tgid, s32, tid, int, sig)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return check_pid(tgid) ? -ESRCH : do_tkill(tid, sig);
}

/* One's own process may be told anything, others nothing but SI_QUEUE. */
SYSCALL_DEFINE3(rt_sigqueueinfo, s32, pid, int, sig,
		const struct siginfo __user *, uinfo)
{
	struct siginfo info;

	if (copy_from_user(&info, uinfo, sizeof(info)))
		return -EFAULT;
	if (check_pid(pid))
		return info.si_code >= 0 || info.si_code == SI_TKILL ?
		       -EPERM : -ESRCH;
	return send_to_process(sig, &info);
}

SYSCALL_DEFINE4(rt_tgsigqueueinfo, s32, tgid, s32, tid, int, sig,
		const struct siginfo __user *, uinfo)
{
	struct siginfo info;

	if (copy_from_user(&info, uinfo, sizeof(info)))
		return -EFAULT;
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	if (check_pid(tgid))
		return info.si_code >= 0 || info.si_code == SI_TKILL ?
		       -EPERM : -ESRCH;
	return send_to_thread(tid, sig, &info);
}
