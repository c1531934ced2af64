/*
 * epoll's system calls that make and wait; epoll_ctl(2) is in epoll_ctl.c.
 * They turn the different ways to say a timeout into nanoseconds.
 */
#include "fs/eventpoll_internal.h"

#include "kernel/errno.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

static u64 ms_to_ns(int ms)
{
	return ms < 0 ? KTIME_MAX : (u64)ms * NSEC_PER_MSEC;
}

SYSCALL_DEFINE1(epoll_create, int, size)
{
	return size <= 0 ? -EINVAL : do_epoll_create(0);
}

SYSCALL_DEFINE1(epoll_create1, u32, flags)
{
	return do_epoll_create(flags);
}

/* Waits with the mask at @mask (NULL: the task's own) in force. */
static int do_epoll_pwait(int epfd, struct epoll_event __user *events,
			  int maxevents, u64 timeout, const u64 __user *mask,
			  size_t size)
{
	int n = set_user_sigmask(mask, size);

	if (n)
		return n;
	n = do_epoll_wait(epfd, events, maxevents, timeout);
	restore_user_sigmask(n == -EINTR);
	return n;
}

SYSCALL_DEFINE4(epoll_wait, int, epfd, struct epoll_event __user *, events,
		int, maxevents, int, timeout)
{
	return do_epoll_wait(epfd, events, maxevents, ms_to_ns(timeout));
}

/* With no mask, which is how C libraries call it, the plain wait. */
SYSCALL_DEFINE6(epoll_pwait, int, epfd, struct epoll_event __user *, events,
		int, maxevents, int, timeout, const u64 __user *, mask, size_t,
		size)
{
	if (likely(!mask))
		return do_epoll_wait(epfd, events, maxevents,
				     ms_to_ns(timeout));
	return do_epoll_pwait(epfd, events, maxevents, ms_to_ns(timeout), mask,
			      size);
}

SYSCALL_DEFINE6(epoll_pwait2, int, epfd, struct epoll_event __user *, events,
		int, maxevents, const struct timespec __user *, timeout,
		const u64 __user *, mask, size_t, size)
{
	struct timespec ts;
	u64 ns = KTIME_MAX;

	if (timeout) {
		if (get_user(ts, timeout))
			return -EFAULT;
		if (!timespec_valid(&ts))
			return -EINVAL;
		ns = timespec_to_ns(&ts);
	}
	return do_epoll_pwait(epfd, events, maxevents, ns, mask, size);
}
