/*
 * signalfd(2): pending signals of the reader's own, read as records. A mask of
 * signals is all that the file keeps; whoever reads or polls it looks at its
 * own and its process's queues.
 */
#include "fs/fdtable.h"
#include "fs/file.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* As read(2) gives it. */
struct signalfd_siginfo {
	u32 signo;
	s32 err, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value;
	u64 ptr, utime, stime, addr;
	u8 pad[48];
};

_Static_assert(sizeof(struct signalfd_siginfo) == 128, "as user space has it");

/* Locks: none, a mask is read and written whole. */
struct signalfd {
	u64 mask;
};

static u64 wanted(const struct file *file)
{
	const struct signalfd *s = file->private_data;

	return READ_ONCE(s->mask);
}

static void fill_record(struct signalfd_siginfo *out,
			const struct siginfo *info)
{
	memset(out, 0, sizeof(*out));
	out->signo = (u32)info->si_signo;
	out->err = info->si_errno;
	out->code = info->si_code;
	if (info->si_code == SI_TIMER) {
		out->tid = (u32)info->timer.id;
		out->overrun = (u32)info->timer.overrun;
		out->ptr = info->timer.value;
		out->value = (s32)info->timer.value;
		return;
	}
	out->pid = (u32)info->user.pid;
	out->uid = info->user.uid;
	if (info->si_code < 0 && info->si_code != SI_TKILL) {
		out->ptr = info->user.value;
		out->value = (s32)info->user.value;
	}
}

/* The next signal, or a wait for it; 0, -EAGAIN or -ERESTARTSYS. */
static int take_signal(struct file *file, struct siginfo *info, bool block)
{
	struct wait_queue_head *wq = &current->sighand->signalfd_wq;
	struct wait_queue_entry wait;
	int err = 0;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait(wq, &wait, TASK_INTERRUPTIBLE);
		if (dequeue_signal(current, ~wanted(file), info))
			break;
		if (!block || file->f_flags & O_NONBLOCK)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = -ERESTARTSYS;
		if (err)
			break;
		schedule();
	}
	finish_wait(wq, &wait);
	return err;
}

static ssize_t signalfd_read_iter(struct file *file, struct iov_iter *to,
				  loff_t *pos)
{
	struct signalfd_siginfo record;
	struct siginfo info;
	ssize_t done = 0;
	int err;

	(void)pos;
	if (to->count < sizeof(record))
		return -EINVAL;
	while (to->count >= sizeof(record)) {
		err = take_signal(file, &info, !done);
		if (err)
			return done ? done : err;
		fill_record(&record, &info);
		if (copy_to_iter(&record, sizeof(record), to) !=
		    sizeof(record))
			return done ? done : -EFAULT;
		done += sizeof(record);
	}
	return done;
}

static u32 signalfd_poll(struct file *file, struct poll_table *pt)
{
	poll_wait(file, &current->sighand->signalfd_wq, pt);
	return signals_pending(current) & wanted(file) ? EPOLLIN : 0;
}

static void signalfd_release(struct file *file)
{
	kfree(file->private_data);
}

static const struct file_operations signalfd_fops = {
	.read_iter = signalfd_read_iter,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.name = "[signalfd]",
};

static long make_signalfd(u64 mask, u32 flags)
{
	struct signalfd *s = kmalloc(sizeof(*s));
	int fd;

	if (!s)
		return -ENOMEM;
	s->mask = mask;
	fd = file_open_fd(&signalfd_fops, s, O_RDWR | flags);
	if (fd < 0)
		kfree(s);
	return fd;
}

static long change_signalfd(int fd, u64 mask)
{
	struct fd_ref f = fdget(fd);
	struct signalfd *s;

	if (!f.file)
		return -EBADF;
	if (f.file->f_op != &signalfd_fops) {
		fdput(f);
		return -EINVAL;
	}
	s = f.file->private_data;
	WRITE_ONCE(s->mask, mask);
	/* Readers that wait may want what is pending now. */
	wake_up_all(&current->sighand->signalfd_wq);
	fdput(f);
	return fd;
}

static long do_signalfd(int fd, const u64 __user *umask, size_t size,
			u32 flags)
{
	u64 mask;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK) || size != sizeof(mask))
		return -EINVAL;
	if (get_user(mask, umask))
		return -EFAULT;
	mask &= ~SIG_UNSTOPPABLE;
	return fd == -1 ? make_signalfd(mask, flags)
			: change_signalfd(fd, mask);
}

SYSCALL_DEFINE4(signalfd4, int, fd, const u64 __user *, mask, size_t, size,
		u32, flags)
{
	return do_signalfd(fd, mask, size, flags);
}

SYSCALL_DEFINE3(signalfd, int, fd, const u64 __user *, mask, size_t, size)
{
	return do_signalfd(fd, mask, size, 0);
}
