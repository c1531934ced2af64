/*
 * CPU clocks, by the numbers that Linux gives them: below 0 is the complement
 * of a process or thread id, times 8, and in the low bits what of it counts.
 */
#include "kernel/cputime.h"

#include "kernel/errno.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/time.h"

#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	3
#define PER_THREAD		4	/* else the process */
#define WHICH			3	/* user, both, scheduler's; all one */
#define WHICH_FD		3	/* not a CPU clock */

int cpu_clock_find(int clock, struct task **thread)
{
	s32 pid = clock < 0 ? ~(clock >> 3) : 0;

	*thread = NULL;
	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		return 0;
	if (clock != CLOCK_THREAD_CPUTIME_ID) {
		if (clock >= 0 || (clock & WHICH) == WHICH_FD)
			return -EINVAL;
		if (!(clock & PER_THREAD))
			return pid && pid != current->tgid ? -EINVAL : 0;
	}
	*thread = pid ? find_get_thread(pid) : current;
	if (!pid)
		get_task(current);
	return *thread ? 0 : -EINVAL;
}

u64 cpu_clock_ns(const struct task *thread)
{
	return thread ? task_cpu_ns(thread) : process_cpu_ns();
}

int cpu_clock_read(int clock, u64 *ns)
{
	struct task *thread;
	int err = cpu_clock_find(clock, &thread);

	if (err)
		return err;
	*ns = cpu_clock_ns(thread);
	if (thread)
		put_task(thread);
	return 0;
}

u64 cpu_timer_look(u64 expires, u64 now)
{
	return ktime_get_ns() + max(expires > now ? expires - now : 0,
				    CPU_TIMER_NS);
}
