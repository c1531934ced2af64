/*
 * poll(2) and ppoll(2). The descriptors are copied in, all files are asked,
 * and if none is ready the task sleeps on all their wait queues and asks them
 * again. Task context.
 */
#include "fs/poll.h"

#include "fs/fdtable.h"
#include "fs/poll_internal.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/rlimit.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

/* As user space lays it out. */
struct pollfd {
	s32 fd;
	u16 events;
	u16 revents;
};

#define POLL_FAST_FDS 16

static u32 poll_fd(struct poll_wqueues *pwq, const struct pollfd *pfd)
{
	struct fd_ref f;
	u32 bits = EPOLLNVAL;

	if (pfd->fd < 0)
		return 0;
	f = fdget(pfd->fd);
	if (f.file)
		bits = poll_one(pwq, f.file,
				pfd->events | EPOLLERR | EPOLLHUP);
	fdput(f);
	return bits;
}

/* Asks every file once; returns how many have something to say. */
static int poll_round(struct poll_wqueues *pwq, struct pollfd *fds, u32 nfds)
{
	int ready = 0;

	for (u32 i = 0; i < nfds; i++) {
		fds[i].revents = (u16)poll_fd(pwq, &fds[i]);
		if (fds[i].revents) {
			ready++;
			poll_ready_found(pwq);
		}
	}
	return ready;
}

static int poll_loop(struct pollfd *fds, u32 nfds, u64 timeout)
{
	struct poll_wqueues pwq;
	u64 deadline = 0;
	int n, err = 0;

	poll_initwait(&pwq);
	if (!timeout)
		poll_ready_found(&pwq);
	else
		deadline = poll_deadline(timeout);
	for (;;) {
		n = poll_round(&pwq, fds, nfds);
		if (n || !timeout || err == -ETIME)
			break;
		err = poll_sleep(&pwq, deadline);
		if (err && err != -ETIME) {
			n = err;
			break;
		}
	}
	poll_freewait(&pwq);
	return n;
}

static void *fds_alloc(size_t size)
{
	return size <= PAGE_SIZE ? kmalloc(size) : vmalloc(size);
}

static void fds_free(void *p, size_t size)
{
	if (size <= PAGE_SIZE)
		kfree(p);
	else
		vfree(p);
}

/* Only revents goes back: another thread may change the rest meanwhile. */
static int put_revents(struct pollfd __user *ufds, const struct pollfd *fds,
		       u32 nfds)
{
	for (u32 i = 0; i < nfds; i++) {
		if (put_user(fds[i].revents, &ufds[i].revents))
			return -EFAULT;
	}
	return 0;
}

__stackprotect
static int do_poll(struct pollfd __user *ufds, u32 nfds, u64 timeout)
{
	struct pollfd fast[POLL_FAST_FDS], *fds = fast;
	size_t size = nfds * sizeof(fast[0]);
	int n;

	if (nfds > rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	if (nfds > POLL_FAST_FDS) {
		fds = fds_alloc(size);
		if (!fds)
			return -ENOMEM;
	}
	n = -EFAULT;
	if (!copy_from_user(fds, ufds, size))
		n = poll_loop(fds, nfds, timeout);
	if (n >= 0 && put_revents(ufds, fds, nfds))
		n = -EFAULT;
	if (fds != fast)
		fds_free(fds, size);
	return n;
}

SYSCALL_DEFINE3(poll, struct pollfd __user *, fds, u32, nfds, int, timeout)
{
	u64 ns = timeout < 0 ? KTIME_MAX : (u64)timeout * NSEC_PER_MSEC;

	return do_poll(fds, nfds, ns);
}

SYSCALL_DEFINE5(ppoll, struct pollfd __user *, fds, u32, nfds,
		struct timespec __user *, uts, const u64 __user *, mask,
		size_t, size)
{
	u64 timeout = KTIME_MAX, deadline;
	struct timespec ts;
	int n;

	if (uts) {
		if (get_user(ts, uts))
			return -EFAULT;
		if (!timespec_valid(&ts))
			return -EINVAL;
		timeout = timespec_to_ns(&ts);
	}
	n = set_user_sigmask(mask, size);
	if (n)
		return n;
	deadline = poll_deadline(timeout);
	n = do_poll(fds, nfds, timeout);
	restore_user_sigmask(n == -EINTR);
	if (uts)
		poll_put_remaining(uts, deadline);
	return n;
}
