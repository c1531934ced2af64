/*
 * System calls that change what a file is, not what its names are: modes,
 * owners, times, size; and those that ask that it be written out. Task
 * context.
 */
#include "fs/fdtable.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/pipe.h"
#include "kernel/errno.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define UTIME_NOW	((1l << 30) - 1l)
#define UTIME_OMIT	((1l << 30) - 2l)
#define NO_ID		0xffffffffu

#define SYNC_FILE_RANGE_KNOWN 7u

static int setattr(struct dentry *d, const struct iattr *a)
{
	/* /proc and /sys are as they are. */
	if (!d->inode->i_op->writable)
		return -EPERM;
	if (a->set_mode && is_link(d->inode))
		return -EOPNOTSUPP;
	return d->inode->i_op->setattr(d, a);
}

static long setattr_fd(int fd, const struct iattr *a, bool path_too)
{
	struct fd_ref f = fdget(fd);
	struct vfs_file *vf;
	long err = -EBADF;

	if (f.file && (path_too || !(f.file->f_flags & O_PATH))) {
		/* Sockets and the like take it, and nobody sees it. */
		vf = vfs_file(f.file);
		err = vf ? setattr(vf->dentry, a) : 0;
	}
	fdput(f);
	return err;
}

static long setattr_path(int dfd, const char __user *path, u32 flags,
			 const struct iattr *a)
{
	struct nameidata *nd;
	long err = user_path_walk(dfd, path, flags, &nd);

	if (err)
		return err;
	err = setattr(nd->dentry, a);
	nd_put(nd);
	return err;
}

/* --- mode and owner --- */

SYSCALL_DEFINE2(chmod, const char __user *, path, u32, mode)
{
	struct iattr a = { .set_mode = true, .mode = mode };

	return setattr_path(AT_FDCWD, path, 0, &a);
}

SYSCALL_DEFINE2(fchmod, int, fd, u32, mode)
{
	struct iattr a = { .set_mode = true, .mode = mode };

	return setattr_fd(fd, &a, false);
}

SYSCALL_DEFINE3(fchmodat, int, dfd, const char __user *, path, u32, mode)
{
	struct iattr a = { .set_mode = true, .mode = mode };

	return setattr_path(dfd, path, 0, &a);
}

static struct iattr owner(u32 uid, u32 gid)
{
	return (struct iattr){
		.set_uid = uid != NO_ID, .uid = uid,
		.set_gid = gid != NO_ID, .gid = gid,
	};
}

SYSCALL_DEFINE3(chown, const char __user *, path, u32, uid, u32, gid)
{
	struct iattr a = owner(uid, gid);

	return setattr_path(AT_FDCWD, path, 0, &a);
}

SYSCALL_DEFINE3(lchown, const char __user *, path, u32, uid, u32, gid)
{
	struct iattr a = owner(uid, gid);

	return setattr_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &a);
}

SYSCALL_DEFINE3(fchown, int, fd, u32, uid, u32, gid)
{
	struct iattr a = owner(uid, gid);

	return setattr_fd(fd, &a, false);
}

SYSCALL_DEFINE5(fchownat, int, dfd, const char __user *, path, u32, uid, u32,
		gid, u32, flags)
{
	struct iattr a = owner(uid, gid);

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_path(dfd, path, flags, &a);
}

/* --- times --- */

/* One of the two times; UTIME_NOW and UTIME_OMIT stand in tv_nsec. */
static int one_time(const struct timespec *ts, bool *set, u64 *ns)
{
	*set = ts->tv_nsec != UTIME_OMIT;
	if (ts->tv_nsec == UTIME_NOW || !*set) {
		*ns = ktime_get_real_ns();
		return 0;
	}
	if (ts->tv_nsec < 0 || ts->tv_nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	*ns = timespec_valid(ts) ? timespec_to_ns(ts) : 0;
	return 0;
}

static long set_times(int dfd, const char __user *path,
		      const struct timespec ts[2], u32 flags)
{
	struct iattr a = { 0 };
	int err = one_time(&ts[0], &a.set_atime, &a.atime);

	if (!err)
		err = one_time(&ts[1], &a.set_mtime, &a.mtime);
	if (err || (!a.set_atime && !a.set_mtime))
		return err;
	if (!path && dfd != AT_FDCWD)
		return flags ? -EINVAL : setattr_fd(dfd, &a, false);
	return setattr_path(dfd, path, flags, &a);
}

static const struct timespec now_both[2] = {
	{ 0, UTIME_NOW }, { 0, UTIME_NOW },
};

SYSCALL_DEFINE4(utimensat, int, dfd, const char __user *, path,
		const struct timespec __user *, uts, u32, flags)
{
	struct timespec ts[2];

	memcpy(ts, now_both, sizeof(ts));
	if (uts && copy_from_user(ts, uts, sizeof(ts)))
		return -EFAULT;
	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return set_times(dfd, path, ts, flags);
}

SYSCALL_DEFINE3(futimesat, int, dfd, const char __user *, path,
		const struct timeval __user *, utv)
{
	struct timespec ts[2];
	struct timeval tv[2];

	memcpy(ts, now_both, sizeof(ts));
	if (utv && copy_from_user(tv, utv, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; utv && i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct timespec){ tv[i].tv_sec,
					   tv[i].tv_usec * 1000 };
	}
	return set_times(dfd, path, ts, 0);
}

SYSCALL_DEFINE2(utimes, const char __user *, path,
		const struct timeval __user *, utv)
{
	return sys_futimesat(AT_FDCWD, path, utv);
}

SYSCALL_DEFINE2(utime, const char __user *, path, const s64 __user *, ut)
{
	struct timespec ts[2];
	s64 secs[2];

	memcpy(ts, now_both, sizeof(ts));
	if (ut && copy_from_user(secs, ut, sizeof(secs)))
		return -EFAULT;
	for (int i = 0; ut && i < 2; i++)
		ts[i] = (struct timespec){ secs[i], 0 };
	return set_times(AT_FDCWD, path, ts, 0);
}

/* --- size --- */

static int truncate_dentry(struct dentry *d, loff_t size)
{
	const struct iattr a = { .set_size = true, .size = (u64)size };

	if (is_dir(d->inode))
		return -EISDIR;
	if (!is_reg(d->inode))
		return -EINVAL;
	if (!d->inode->i_op->writable)
		return -EACCES;
	if (d->inode->running)
		return -ETXTBSY;
	return d->inode->i_op->setattr(d, &a);
}

SYSCALL_DEFINE2(truncate, const char __user *, path, loff_t, size)
{
	struct nameidata *nd;
	long err;

	if (size < 0)
		return -EINVAL;
	err = user_path_walk(AT_FDCWD, path, 0, &nd);
	if (err)
		return err;
	err = truncate_dentry(nd->dentry, size);
	nd_put(nd);
	return err;
}

static long ftruncate_file(struct file *file, loff_t size)
{
	struct vfs_file *vf = vfs_file(file);

	if (file->f_flags & O_PATH)
		return -EBADF;
	if (!vf || !is_reg(vf->inode) || !file_writable(file))
		return -EINVAL;
	return truncate_dentry(vf->dentry, size);
}

SYSCALL_DEFINE2(ftruncate, int, fd, loff_t, size)
{
	struct fd_ref f;
	long err = -EBADF;

	if (size < 0)
		return -EINVAL;
	f = fdget(fd);
	if (f.file)
		err = ftruncate_file(f.file, size);
	fdput(f);
	return err;
}

static long fallocate_file(struct file *file, u32 mode, loff_t pos, loff_t len)
{
	struct vfs_file *vf = vfs_file(file);
	loff_t end;

	if (pos < 0 || len <= 0)
		return -EINVAL;
	if (file->f_flags & O_PATH || !file_writable(file))
		return -EBADF;
	if (!vf)
		return file_pipe(file) ? -ESPIPE : -ENODEV;
	if (is_dir(vf->inode))
		return -EISDIR;
	if (!is_reg(vf->inode) || !vf->inode->i_op->writable)
		return -ENODEV;
	if (__builtin_add_overflow(pos, len, &end))
		return -EFBIG;
	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	return file->f_op->fallocate(file, mode, (u64)pos, (u64)len);
}

SYSCALL_DEFINE4(fallocate, int, fd, u32, mode, loff_t, pos, loff_t, len)
{
	struct fd_ref f = fdget(fd);
	long err = f.file ? fallocate_file(f.file, mode, pos, len) : -EBADF;

	fdput(f);
	return err;
}

/* --- written out, where that means something --- */

/* Sockets and pipes cannot be synchronised, says fsync(2). */
static long do_fsync(int fd, bool data)
{
	struct fd_ref f = fdget(fd);
	long err = -EBADF;

	if (f.file && !(f.file->f_flags & O_PATH))
		err = !vfs_file(f.file) ? -EINVAL :
		      f.file->f_op->fsync ? f.file->f_op->fsync(f.file, data) :
		      0;
	fdput(f);
	return err;
}

SYSCALL_DEFINE1(fsync, int, fd)
{
	return do_fsync(fd, false);
}

SYSCALL_DEFINE1(fdatasync, int, fd)
{
	return do_fsync(fd, true);
}

SYSCALL_DEFINE4(sync_file_range, int, fd, loff_t, pos, loff_t, len, u32, flags)
{
	long err = do_fsync(fd, true);

	if (err != -EBADF &&
	    (flags & ~SYNC_FILE_RANGE_KNOWN || pos < 0 || len < 0))
		return -EINVAL;
	return err == -EINVAL ? -ESPIPE : err;
}

SYSCALL_DEFINE0(sync)
{
	(void)sync_mounts(0);
	return 0;
}

SYSCALL_DEFINE1(syncfs, int, fd)
{
	struct fd_ref f = fdget(fd);
	struct vfs_file *vf = f.file ? vfs_file(f.file) : NULL;
	long err = f.file && !(f.file->f_flags & O_PATH) ? 0 : -EBADF;

	if (!err && vf)
		err = sync_mounts(vf->inode->dev);
	fdput(f);
	return err;
}

SYSCALL_DEFINE4(fadvise64, int, fd, loff_t, pos, loff_t, len, int, advice)
{
	struct fd_ref f = fdget(fd);
	long err = -EBADF;

	(void)pos;
	if (f.file)
		err = !vfs_file(f.file) && !f.file->f_seekable ? -ESPIPE :
		      len < 0 || advice < 0 || advice > 5 ? -EINVAL : 0;
	fdput(f);
	return err;
}
