/*
 * Signals on their way: who is sent what, what is blocked, what waits to be
 * acted on. What then happens is kernel/sigdeliver.c.
 *
 * LOCKING: sighand->lock, interrupts off, guards handlers, queues and the
 * list of threads; interrupts send, too. Run-queue and wait-queue locks come
 * below it.
 */
#include "kernel/signal.h"

#include "kernel/errno.h"
#include "kernel/itimer.h"
#include "kernel/mm/slab.h"
#include "kernel/names.h"
#include "kernel/rlimit.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/uaccess.h"

#define SIGRTMIN	32

/* By default forgotten; stopping makes no sense for the only process. */
#define DEFAULT_IGNORED	((1ull << (SIGCHLD - 1)) | (1ull << (SIGCONT - 1)) | \
			 (1ull << (SIGURG - 1)) | (1ull << (SIGWINCH - 1)) | \
			 (1ull << (SIGSTOP - 1)) | (1ull << (SIGTSTP - 1)) | \
			 (1ull << (SIGTTIN - 1)) | (1ull << (SIGTTOU - 1)))
/* Faults of the thread's own: acted on before all others. */
#define SYNCHRONOUS	((1ull << (SIGSEGV - 1)) | (1ull << (SIGBUS - 1)) | \
			 (1ull << (SIGILL - 1)) | (1ull << (SIGTRAP - 1)) | \
			 (1ull << (SIGFPE - 1)) | (1ull << (SIGSYS - 1)))

/* From signal 1 on. */
static const char names[] __packed_names =
	"SIGHUP\0SIGINT\0SIGQUIT\0SIGILL\0SIGTRAP\0SIGABRT\0SIGBUS\0SIGFPE\0"
	"SIGKILL\0SIGUSR1\0SIGSEGV\0SIGUSR2\0SIGPIPE\0SIGALRM\0SIGTERM\0"
	"SIGSTKFLT\0SIGCHLD\0SIGCONT\0SIGSTOP\0SIGTSTP\0SIGTTIN\0SIGTTOU\0"
	"SIGURG\0SIGXCPU\0SIGXFSZ\0SIGVTALRM\0SIGPROF\0SIGWINCH\0SIGIO\0"
	"SIGPWR\0SIGSYS";

const char *signal_name(int sig)
{
	return NTH_NAME(names, (u64)sig - 1);
}

void sighand_init(struct sighand *sighand)
{
	memset(sighand, 0, sizeof(*sighand));
	spin_lock_init(&sighand->lock);
	INIT_LIST_HEAD(&sighand->threads);
	init_waitqueue_head(&sighand->signalfd_wq);
}

bool signal_is_ignored(int sig, const struct sighand *sighand)
{
	u64 handler = READ_ONCE(sighand->action[sig - 1].handler);

	if (sig_bit(sig) & SIG_UNSTOPPABLE)
		return sig == SIGSTOP;
	return handler == SIG_IGN ||
	       (handler == SIG_DFL && sig_bit(sig) & DEFAULT_IGNORED);
}

bool signal_is_fatal(int sig, const struct task *task)
{
	u64 handler;

	if (!task->sighand)
		return false;
	handler = READ_ONCE(task->sighand->action[sig - 1].handler);
	/* A fault is not put off: see force_siginfo(). */
	return handler == SIG_DFL || handler == SIG_IGN ||
	       READ_ONCE(task->sig_blocked) & sig_bit(sig);
}

/* --- queues --- */

static void free_queued(struct sigqueue *q, struct sighand *sighand)
{
	q->queued = false;
	if (q->preallocated)
		return;
	sighand->nr_queued--;
	kfree(q);
}

static void append(struct sigpending *p, struct sigqueue *q)
{
	struct sigqueue **at = &p->first;

	while (*at)
		at = &(*at)->next;
	q->next = NULL;
	q->queued = true;
	*at = q;
	p->mask |= sig_bit(q->info.si_signo);
}

/* Signals from a kill() or a fault need no memory to be sent. */
static bool must_have_details(const struct siginfo *info)
{
	return info->si_signo >= SIGRTMIN && info->si_code < 0;
}

/* The limit is for what programs send; why a fault was is always told. */
static bool may_queue(const struct sighand *sighand,
		      const struct siginfo *info)
{
	return sighand->nr_queued < rlimit(RLIMIT_SIGPENDING) ||
	       (info->si_signo < SIGRTMIN && info->si_code >= 0);
}

static int enqueue(struct sighand *sighand, struct sigpending *p,
		   const struct siginfo *info)
{
	struct sigqueue *q = NULL;

	if (info->si_signo < SIGRTMIN && p->mask & sig_bit(info->si_signo))
		return 0;
	if (may_queue(sighand, info))
		q = kmalloc(sizeof(*q));
	if (!q && must_have_details(info))
		return -EAGAIN;
	p->mask |= sig_bit(info->si_signo);
	if (!q)
		return 0;
	sighand->nr_queued++;
	q->info = *info;
	q->preallocated = false;
	append(p, q);
	return 0;
}

/* Takes @sig, which is pending, out of @p. */
static void collect(struct sighand *sighand, struct sigpending *p, int sig,
		    struct siginfo *info)
{
	struct sigqueue **at = &p->first, *q = NULL;
	bool more = false;

	while (*at && (*at)->info.si_signo != sig)
		at = &(*at)->next;
	*info = (struct siginfo){ .si_signo = sig, .si_code = SI_USER };
	if (*at) {
		q = *at;
		*at = q->next;
		*info = q->info;
		free_queued(q, sighand);
	}
	for (q = *at; q; q = q->next)
		more |= q->info.si_signo == sig;
	if (!more)
		p->mask &= ~sig_bit(sig);
}

/* Drops all of @mask from @p. */
static void flush(struct sighand *sighand, struct sigpending *p, u64 mask)
{
	struct sigqueue **at = &p->first;

	p->mask &= ~mask;
	while (*at) {
		struct sigqueue *q = *at;

		if (sig_bit(q->info.si_signo) & mask) {
			*at = q->next;
			free_queued(q, sighand);
		} else {
			at = &q->next;
		}
	}
}

/* --- who is told --- */

/*
 * The bit is set before the state is looked at; a sleeper sets its state
 * before it looks at the bit (schedule()). So one of the two sees the other.
 */
static void signal_wake_up(struct task *task)
{
	__atomic_fetch_or(&task->work, TIF_SIGPENDING, __ATOMIC_SEQ_CST);
	if (READ_ONCE(task->state) == TASK_INTERRUPTIBLE)
		wake_up_process(task);
}

static bool wants_signal(const struct task *task, int sig)
{
	return !task->exiting && !(task->sig_blocked & sig_bit(sig));
}

static u64 pending_locked(const struct task *task)
{
	return task->pending.mask | task->sighand->shared.mask;
}

/* Own task: others only ever set the bit. */
static void recalc_sigpending_locked(struct task *task)
{
	if (pending_locked(task) & ~task->sig_blocked ||
	    task->sighand->exiting)
		__atomic_fetch_or(&task->work, TIF_SIGPENDING,
				  __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&task->work, ~TIF_SIGPENDING,
				   __ATOMIC_SEQ_CST);
}

/* Wakes a thread that will act on @sig, best one that has nothing to do. */
static void tell_a_thread(struct sighand *sighand, int sig)
{
	struct task *task, *busy = NULL;

	list_for_each_entry(task, &sighand->threads, thread_node) {
		if (!wants_signal(task, sig))
			continue;
		if (!signal_pending(task)) {
			signal_wake_up(task);
			return;
		}
		if (!busy)
			busy = task;
	}
	if (busy)
		signal_wake_up(busy);
}

/* What the process has pending, and this thread no longer wants. */
static void retarget(struct task *task, u64 which)
{
	struct sighand *sighand = task->sighand;
	struct task *other;

	which &= sighand->shared.mask;
	if (!which)
		return;
	list_for_each_entry(other, &sighand->threads, thread_node) {
		if (other != task && !other->exiting &&
		    which & ~other->sig_blocked)
			signal_wake_up(other);
	}
}

static void notify(struct sighand *sighand, struct task *task, int sig)
{
	if (wq_has_sleeper(&sighand->signalfd_wq))
		wake_up(&sighand->signalfd_wq);
	if (!task)
		tell_a_thread(sighand, sig);
	else if (wants_signal(task, sig))
		signal_wake_up(task);
}

/* While blocked a signal is kept: it may not be ignored any more later. */
static bool forgotten(struct sighand *sighand, const struct task *task,
		      int sig)
{
	if (!task && !list_empty(&sighand->threads))
		task = list_first_entry(&sighand->threads, struct task,
					thread_node);
	if (task && (task->sig_blocked | task->sig_real_blocked) &
		    sig_bit(sig))
		return false;
	return signal_is_ignored(sig, sighand);
}

/* @task NULL: to the process. */
static int send_locked(const struct siginfo *info, struct sighand *sighand,
		       struct task *task)
{
	int sig = info->si_signo, err;

	if (forgotten(sighand, task, sig))
		return 0;
	err = enqueue(sighand, task ? &task->pending : &sighand->shared, info);
	if (!err)
		notify(sighand, task, sig);
	return err;
}

int send_siginfo(const struct siginfo *info, struct task *task)
{
	struct sighand *sighand = task->sighand;
	unsigned long irq;
	int err;

	if (!sighand)
		return -ESRCH;
	irq = spin_lock_irqsave(&sighand->lock);
	err = send_locked(info, sighand, task);
	spin_unlock_irqrestore(&sighand->lock, irq);
	return err;
}

int send_group_siginfo(const struct siginfo *info, struct sighand *sighand)
{
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	int err = send_locked(info, sighand, NULL);

	spin_unlock_irqrestore(&sighand->lock, irq);
	return err;
}

int send_sig(int sig, struct task *task)
{
	struct siginfo info = { .si_signo = sig, .si_code = SI_USER };

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!task->sighand)
		return -ESRCH;
	/* Number 0 only asks whether the task could be signalled. */
	if (!sig)
		return 0;
	info.user.pid = task->tgid;
	return send_siginfo(&info, task);
}

bool send_sigqueue(struct sigqueue *q, struct sighand *sighand,
		   struct task *task)
{
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	int sig = q->info.si_signo;
	bool sent = false;

	if (q->queued) {
		q->info.timer.overrun++;
	} else if (!forgotten(sighand, task, sig)) {
		append(task ? &task->pending : &sighand->shared, q);
		notify(sighand, task, sig);
		sent = true;
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
	return sent;
}

static bool unlink_from(struct sigpending *p, struct sigqueue *q)
{
	struct sigqueue **at = &p->first;
	struct siginfo info;

	while (*at && *at != q)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = q->next;
	q->queued = false;
	info = q->info;
	for (q = p->first; q; q = q->next)
		if (q->info.si_signo == info.si_signo)
			return true;
	p->mask &= ~sig_bit(info.si_signo);
	return true;
}

void sigqueue_forget(struct sigqueue *q, struct sighand *sighand)
{
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	struct task *task;

	if (q->queued && !unlink_from(&sighand->shared, q)) {
		list_for_each_entry(task, &sighand->threads, thread_node)
			if (unlink_from(&task->pending, q))
				break;
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
}

/* --- who takes --- */

static int next_signal(u64 ready)
{
	if (ready & SYNCHRONOUS)
		ready &= SYNCHRONOUS;
	return __builtin_ctzll(ready) + 1;
}

int dequeue_signal(struct task *task, u64 mask, struct siginfo *info)
{
	struct sighand *sighand = task->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	struct sigpending *p = &task->pending;
	int sig = 0;

	if (!(p->mask & ~mask))
		p = &sighand->shared;
	if (p->mask & ~mask) {
		sig = next_signal(p->mask & ~mask);
		collect(sighand, p, sig, info);
	}
	recalc_sigpending_locked(task);
	spin_unlock_irqrestore(&sighand->lock, irq);
	if (sig && (info->si_code == SI_TIMER || info->si_code == SI_KERNEL))
		timer_signal_delivered(info);
	return sig;
}

u64 signals_pending(struct task *task)
{
	unsigned long irq = spin_lock_irqsave(&task->sighand->lock);
	u64 mask = pending_locked(task);

	spin_unlock_irqrestore(&task->sighand->lock, irq);
	return mask;
}

void force_siginfo(const struct siginfo *info)
{
	struct task *task = current;
	struct sighand *sighand = task->sighand;
	int sig = info->si_signo;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);

	if (task->sig_blocked & sig_bit(sig) ||
	    sighand->action[sig - 1].handler == SIG_IGN)
		sighand->action[sig - 1].handler = SIG_DFL;
	task->sig_blocked &= ~sig_bit(sig);
	(void)enqueue(sighand, &task->pending, info);
	recalc_sigpending_locked(task);
	spin_unlock_irqrestore(&sighand->lock, irq);
}

void force_sig(int sig, struct task *task)
{
	struct siginfo info = { .si_signo = sig, .si_code = SI_KERNEL };

	(void)task;
	force_siginfo(&info);
}

void force_sigsegv(int sig)
{
	struct sighand *sighand = current->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);

	if (sig == SIGSEGV)
		sighand->action[sig - 1].handler = SIG_DFL;
	spin_unlock_irqrestore(&sighand->lock, irq);
	force_sig(SIGSEGV, current);
}

void set_current_blocked(u64 mask)
{
	struct task *task = current;
	struct sighand *sighand = task->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	u64 newly;

	mask &= ~SIG_UNSTOPPABLE;
	newly = mask & ~task->sig_blocked;
	task->sig_blocked = mask;
	retarget(task, newly);
	recalc_sigpending_locked(task);
	spin_unlock_irqrestore(&sighand->lock, irq);
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
	set_current_blocked(bits);
	return 0;
}

void restore_user_sigmask(bool interrupted)
{
	struct task *task = current;

	if (!task->sig_restore || (interrupted && signal_pending(task)))
		return;
	task->sig_restore = false;
	set_current_blocked(task->sig_saved);
}

void set_sigaction(int sig, const struct sigaction *new,
		   struct sigaction *old)
{
	struct sighand *sighand = current->sighand;
	unsigned long irq = spin_lock_irqsave(&sighand->lock);
	struct task *task;

	*old = sighand->action[sig - 1];
	if (new) {
		sighand->action[sig - 1] = *new;
		sighand->action[sig - 1].mask &= ~SIG_UNSTOPPABLE;
	}
	/* Who ignores the signal also forgets one that is pending. */
	if (new && signal_is_ignored(sig, sighand)) {
		flush(sighand, &sighand->shared, sig_bit(sig));
		list_for_each_entry(task, &sighand->threads, thread_node)
			flush(sighand, &task->pending, sig_bit(sig));
	}
	spin_unlock_irqrestore(&sighand->lock, irq);
}

void kill_other_threads(struct sighand *sighand)
{
	struct task *task;

	list_for_each_entry(task, &sighand->threads, thread_node) {
		if (task == current)
			continue;
		task->pending.mask |= sig_bit(SIGKILL);
		signal_wake_up(task);
	}
}

void exit_signals(struct task *task)
{
	struct sighand *sighand = task->sighand;

	task->exiting = true;
	retarget(task, ~task->sig_blocked);
	flush(sighand, &task->pending, UINT64_MAX);
}
