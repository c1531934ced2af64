/*
 * System calls on descriptors themselves: close, the dup family, fcntl, and
 * the ioctls that are the same for every file. Task context.
 */
#include "fs/fdtable.h"
#include "fs/flock.h"
#include "kernel/errno.h"
#include "kernel/rlimit.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_SETOWN	8
#define F_GETOWN	9
#define F_SETOWN_EX	15
#define F_GETOWN_EX	16
#define F_OWNER_PID	1u
#define F_OWNER_PGRP	2u

struct f_owner_ex {
	u32 type;		/* F_OWNER_ */
	s32 pid;
};
#define F_DUPFD_CLOEXEC	1030
#define FD_CLOEXEC	1

#define FIONBIO		0x5421
#define FIONCLEX	0x5450
#define FIOCLEX		0x5451
#define FIOASYNC	0x5452

/* What F_SETFL may change; the rest of its argument is ignored. */
#define SETFL_MASK	(O_APPEND | O_NONBLOCK | O_ASYNC)

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

SYSCALL_DEFINE1(close, int, fd)
{
	return close_fd(fd);
}

SYSCALL_DEFINE3(close_range, u32, first, u32, last, u32, flags)
{
	u32 end = min(last, current->files->max_fds - 1);
	u32 known = CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC;

	if (first > last || flags & ~known)
		return -EINVAL;
	/* A number that is not open is no error here: -EBADF is dropped. */
	for (u32 fd = first; fd <= end; fd++) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			set_close_on_exec((int)fd, true);
		else
			close_fd((int)fd);
	}
	return 0;
}

/* Puts @file under the lowest free number >= @start; takes a reference. */
static long dup_from(struct file *file, int start, u32 flags)
{
	int fd = get_unused_fd_from(start, flags);

	if (fd >= 0) {
		get_file(file);
		fd_install(fd, file);
	}
	return fd;
}

SYSCALL_DEFINE1(dup, int, oldfd)
{
	struct fd_ref f = fdget(oldfd);
	long fd = f.file ? dup_from(f.file, 0, 0) : -EBADF;

	fdput(f);
	return fd;
}

static long do_dup3(int oldfd, int newfd, u32 flags)
{
	struct fd_ref f = fdget(oldfd);
	long err = f.file ? replace_fd(newfd, f.file, flags) : -EBADF;

	fdput(f);
	return err ? err : newfd;
}

SYSCALL_DEFINE2(dup2, int, oldfd, int, newfd)
{
	struct fd_ref f;
	bool known;

	if (oldfd != newfd)
		return do_dup3(oldfd, newfd, 0);
	f = fdget(oldfd);
	known = f.file;
	fdput(f);
	return known ? newfd : -EBADF;
}

SYSCALL_DEFINE3(dup3, int, oldfd, int, newfd, u32, flags)
{
	if (flags & ~(u32)O_CLOEXEC || oldfd == newfd)
		return -EINVAL;
	return do_dup3(oldfd, newfd, flags);
}

/* The same with a name for what the number is; a thread stands for all. */
static __cold long fcntl_owner_ex(struct file *file, unsigned int cmd,
				  unsigned long arg)
{
	struct f_owner_ex __user *uex = (struct f_owner_ex __user *)arg;
	s32 pid = file_get_owner(file);
	struct f_owner_ex ex;

	if (cmd == F_GETOWN_EX) {
		ex.type = pid < 0 ? F_OWNER_PGRP : F_OWNER_PID;
		ex.pid = pid < 0 ? -pid : pid;
		return copy_to_user(uex, &ex, sizeof(ex));
	}
	if (copy_from_user(&ex, uex, sizeof(ex)))
		return -EFAULT;
	if (ex.type > F_OWNER_PGRP)
		return -EINVAL;
	return file_set_owner(file, ex.type == F_OWNER_PGRP ? -ex.pid
							    : ex.pid);
}

static long fcntl_file(int fd, struct file *file, unsigned int cmd,
		       unsigned long arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= rlimit(RLIMIT_NOFILE))
			return -EINVAL;
		return dup_from(file, (int)arg,
				cmd == F_DUPFD ? 0 : O_CLOEXEC);
	case F_GETFD:
		return get_close_on_exec(fd);
	case F_SETFD:
		return set_close_on_exec(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return READ_ONCE(file->f_flags);
	case F_SETFL:
		if (file->f_flags & O_PATH)
			return -EBADF;
		file_change_flags(file, SETFL_MASK, arg & SETFL_MASK);
		return 0;
	case F_SETOWN:		/* for SIGURG; SIGIO is never sent */
		return file_set_owner(file, (s32)arg);
	case F_GETOWN:
		return file_get_owner(file);
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		return fcntl_owner_ex(file, cmd, arg);
	default:
		if (file->f_flags & O_PATH)
			return -EBADF;
		return fcntl_lock(file, cmd, arg);
	}
}

SYSCALL_DEFINE3(fcntl, int, fd, unsigned int, cmd, unsigned long, arg)
{
	struct fd_ref f = fdget(fd);
	long ret = f.file ? fcntl_file(fd, f.file, cmd, arg) : -EBADF;

	fdput(f);
	return ret;
}

/* FIONBIO and FIOASYNC: the int at @arg switches @flag. */
static long ioctl_flag(struct file *file, u32 flag, unsigned long arg)
{
	int on;

	if (get_user(on, (int __user *)arg))
		return -EFAULT;
	file_change_flags(file, flag, on ? flag : 0);
	return 0;
}

static long ioctl_file(int fd, struct file *file, unsigned int cmd,
		       unsigned long arg)
{
	switch (cmd) {
	case FIOCLEX:
		return set_close_on_exec(fd, true);
	case FIONCLEX:
		return set_close_on_exec(fd, false);
	case FIONBIO:
		return ioctl_flag(file, O_NONBLOCK, arg);
	case FIOASYNC:
		return ioctl_flag(file, O_ASYNC, arg);
	default:
		if (!file->f_op->ioctl)
			return -ENOTTY;
		return file->f_op->ioctl(file, cmd, arg);
	}
}

SYSCALL_DEFINE3(ioctl, int, fd, unsigned int, cmd, unsigned long, arg)
{
	struct fd_ref f = fdget(fd);
	long ret = f.file ? ioctl_file(fd, f.file, cmd, arg) : -EBADF;

	fdput(f);
	return ret;
}
