/*
 * What the program has used: getrusage(2) and times(2). All of its CPU time
 * counts as the user's; what it spends in calls is not measured apart.
 */
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/page.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN	(-1)
#define RUSAGE_THREAD	1

#define NSEC_PER_TICK	(NSEC_PER_SEC / 100)	/* of times(2) */

/* As getrusage(2) lays it out. */
struct rusage {
	struct timeval ru_utime, ru_stime;
	s64 ru_maxrss;			/* KiB */
	s64 no_sizes[3];		/* Linux has none either */
	s64 ru_minflt;
	s64 rest[9];			/* nothing of which we count */
};

_Static_assert(sizeof(struct rusage) == 144, "as user space has it");

SYSCALL_DEFINE2(getrusage, int, who, struct rusage __user *, to)
{
	struct rusage r;
	u64 us;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN &&
	    who != RUSAGE_THREAD)
		return -EINVAL;
	memset(&r, 0, sizeof(r));
	/* There never are children. */
	if (who != RUSAGE_CHILDREN) {
		us = (who == RUSAGE_THREAD ? task_cpu_ns(current) :
					     process_cpu_ns()) / NSEC_PER_USEC;
		r.ru_utime = (struct timeval){ (s64)(us / 1000000),
					       (s64)(us % 1000000) };
		r.ru_maxrss = (s64)(READ_ONCE(current->mm->rss) *
				    (PAGE_SIZE / 1024));
		r.ru_minflt = (s64)READ_ONCE(current->mm->nr_faults);
	}
	return copy_to_user(to, &r, sizeof(r));
}

SYSCALL_DEFINE1(times, s64 __user *, to)
{
	s64 now = (s64)(ktime_get_ns() / NSEC_PER_TICK);
	/* User and system time of the program and of its children. */
	s64 tms[4] = { (s64)(process_cpu_ns() / NSEC_PER_TICK) };

	if (to && copy_to_user(to, tms, sizeof(tms)))
		return -EFAULT;
	return now;
}
