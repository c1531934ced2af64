/*
 * epoll's system calls that make and wait; epoll_ctl(2) is in epoll_ctl.c.
 * They turn the different ways to say a timeout into nanoseconds.
 */
#include "fs/eventpoll_internal.h"

#include "kernel/errno.h"
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

SYSCALL_DEFINE4(epoll_wait, int, epfd, struct epoll_event __user *, events,
		int, maxevents, int, timeout)
{
	return do_epoll_wait(epfd, events, maxevents, ms_to_ns(timeout));
}
