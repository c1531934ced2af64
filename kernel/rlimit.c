/*
 * Resource limits of the process. They are kept as the program sets them;
 * who owns a resource asks for its limit.
 */
#include "kernel/rlimit.h"

#include "kernel/errno.h"
#include "kernel/sched.h"
#include "kernel/spinlock.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define NOFILE_MAX	(1u << 20)
#define STACK_DEFAULT	(8ull << 20)

static struct {
	struct spinlock lock;
	struct rlimit limit[RLIM_NLIMITS];	/* lock */
} rlimits = {
	.limit = {
		[RLIMIT_CPU] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_FSIZE] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_DATA] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_STACK] = { STACK_DEFAULT, RLIM_INFINITY },
		[RLIMIT_CORE] = { 0, RLIM_INFINITY },
		[RLIMIT_RSS] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_NPROC] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_NOFILE] = { NOFILE_MAX, NOFILE_MAX },
		[RLIMIT_MEMLOCK] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_AS] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_LOCKS] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_SIGPENDING] = { 1024, 1024 },
		[RLIMIT_MSGQUEUE] = { 0, 0 },
		[RLIMIT_NICE] = { 0, 0 },
		[RLIMIT_RTPRIO] = { 0, 0 },
		[RLIMIT_RTTIME] = { RLIM_INFINITY, RLIM_INFINITY },
	},
};

u64 rlimit(unsigned int which)
{
	return READ_ONCE(rlimits.limit[which].cur);
}

u64 rlimit_max(unsigned int which)
{
	return READ_ONCE(rlimits.limit[which].max);
}

/* Sets what @new says (may be NULL), hands back what was. 0 or -errno. */
static int do_prlimit(unsigned int which, const struct rlimit *new,
		      struct rlimit *old)
{
	unsigned long irq;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (new && new->cur > new->max)
		return -EINVAL;
	/* The descriptor table cannot grow beyond this (fs/fdtable.h). */
	if (new && which == RLIMIT_NOFILE && new->max > NOFILE_MAX)
		return -EPERM;
	irq = spin_lock_irqsave(&rlimits.lock);
	*old = rlimits.limit[which];
	if (new)
		rlimits.limit[which] = *new;
	spin_unlock_irqrestore(&rlimits.lock, irq);
	return 0;
}

SYSCALL_DEFINE4(prlimit64, s32, pid, unsigned int, which,
		const struct rlimit __user *, unew,
		struct rlimit __user *, uold)
{
	struct rlimit new, old;
	int err;

	if (pid && pid != current->tgid)
		return -ESRCH;
	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	err = do_prlimit(which, unew ? &new : NULL, &old);
	if (!err && uold)
		err = copy_to_user(uold, &old, sizeof(old));
	return err;
}

SYSCALL_DEFINE2(getrlimit, unsigned int, which, struct rlimit __user *, uold)
{
	struct rlimit old;
	int err = do_prlimit(which, NULL, &old);

	return err ? err : copy_to_user(uold, &old, sizeof(old));
}

SYSCALL_DEFINE2(setrlimit, unsigned int, which,
		const struct rlimit __user *, unew)
{
	struct rlimit new, old;

	if (copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	return do_prlimit(which, &new, &old);
}
