/*
 * What a file is, and whether it may be used: the stat family, access,
 * readlink. Everybody is root here, so only what cannot be done at all is
 * refused. Task context.
 */
#include "fs/stat.h"

#include "fs/fdtable.h"
#include "fs/namei.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define BLOCK_SIZE	4096
#define X_OK		1
#define ACCESS_BITS	7

int vfs_fstat(struct file *file, struct kstat *st)
{
	if (file->f_op->stat)
		return file->f_op->stat(file, st);
	/* As Linux shows its anonymous inodes: no type, mode 0600. */
	*st = (struct kstat){ .dev = DEV_ANON, .ino = 1, .mode = 0600,
			      .nlink = 1 };
	return 0;
}

static int fd_stat(int fd, struct kstat *st)
{
	struct fd_ref f = fdget(fd);
	int err = -EBADF;

	if (f.file)
		err = vfs_fstat(f.file, st);
	fdput(f);
	return err;
}

static int path_stat(int dfd, const char __user *path, u32 flags,
		     struct kstat *st)
{
	struct nameidata *nd;
	int err = user_path_walk(dfd, path, flags, &nd);

	if (err)
		return err;
	err = dentry_stat(nd->dentry, st);
	nd_put(nd);
	return err;
}

/* As the calls with flags have it: an empty path may mean @dfd itself. */
static int stat_at(int dfd, const char __user *path, u32 flags,
		   struct kstat *st)
{
	char first;

	if (flags & AT_EMPTY_PATH) {
		if (get_user(first, path))
			return -EFAULT;
		if (!first && dfd != AT_FDCWD)
			return fd_stat(dfd, st);
	}
	return path_stat(dfd, path, flags, st);
}

static long put_stat(struct user_stat __user *to, const struct kstat *st)
{
	struct user_stat u;

	memset(&u, 0, sizeof(u));
	u.st_dev = st->dev;
	u.st_ino = st->ino;
	u.st_nlink = st->nlink;
	u.st_mode = st->mode;
	u.st_uid = st->uid;
	u.st_gid = st->gid;
	u.st_rdev = st->rdev;
	u.st_size = (s64)st->size;
	u.st_blksize = BLOCK_SIZE;
	u.st_blocks = (s64)st->blocks;
	u.st_atim = ns_to_timespec(st->atime);
	u.st_mtim = ns_to_timespec(st->mtime);
	u.st_ctim = ns_to_timespec(st->ctime);
	return copy_to_user(to, &u, sizeof(u));
}

SYSCALL_DEFINE2(fstat, int, fd, struct user_stat __user *, to)
{
	struct kstat st;
	int err = fd_stat(fd, &st);

	return err ? err : put_stat(to, &st);
}

SYSCALL_DEFINE2(stat, const char __user *, path, struct user_stat __user *, to)
{
	struct kstat st;
	int err = path_stat(AT_FDCWD, path, 0, &st);

	return err ? err : put_stat(to, &st);
}

SYSCALL_DEFINE2(lstat, const char __user *, path, struct user_stat __user *,
		to)
{
	struct kstat st;
	int err = path_stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st);

	return err ? err : put_stat(to, &st);
}

SYSCALL_DEFINE4(newfstatat, int, dfd, const char __user *, path,
		struct user_stat __user *, to, u32, flags)
{
	struct kstat st;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
			   AT_NO_AUTOMOUNT))
		return -EINVAL;
	err = stat_at(dfd, path, flags, &st);
	return err ? err : put_stat(to, &st);
}

/* --- statx --- */

struct statx_timestamp {
	s64 tv_sec;
	u32 tv_nsec;
	s32 pad;
};

/* struct statx of statx(2). */
struct user_statx {
	u32 stx_mask;
	u32 stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink;
	u32 stx_uid;
	u32 stx_gid;
	u16 stx_mode;
	u16 pad0;
	u64 stx_ino;
	u64 stx_size;
	u64 stx_blocks;
	u64 stx_attributes_mask;
	struct statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
	u32 stx_rdev_major, stx_rdev_minor;
	u32 stx_dev_major, stx_dev_minor;
	u64 stx_mnt_id;
	u64 spare[13];
};

_Static_assert(sizeof(struct user_statx) == 256, "Linux's struct statx");

#define STATX_BASIC_STATS	0x7ffu
#define STATX_RESERVED		0x80000000u

static struct statx_timestamp statx_time(u64 ns)
{
	return (struct statx_timestamp){ (s64)(ns / NSEC_PER_SEC),
					 (u32)(ns % NSEC_PER_SEC), 0 };
}

static long put_statx(struct user_statx __user *to, const struct kstat *st)
{
	struct user_statx u;

	memset(&u, 0, sizeof(u));
	u.stx_mask = STATX_BASIC_STATS;
	u.stx_blksize = BLOCK_SIZE;
	u.stx_nlink = st->nlink;
	u.stx_uid = st->uid;
	u.stx_gid = st->gid;
	u.stx_mode = (u16)st->mode;
	u.stx_ino = st->ino;
	u.stx_size = st->size;
	u.stx_blocks = st->blocks;
	u.stx_atime = statx_time(st->atime);
	u.stx_ctime = statx_time(st->ctime);
	u.stx_mtime = statx_time(st->mtime);
	u.stx_rdev_major = st->rdev >> 8;
	u.stx_rdev_minor = st->rdev & 0xff;
	u.stx_dev_minor = (u32)st->dev;
	return copy_to_user(to, &u, sizeof(u));
}

SYSCALL_DEFINE5(statx, int, dfd, const char __user *, path, u32, flags, u32,
		mask, struct user_statx __user *, to)
{
	struct kstat st;
	int err;

	if (mask & STATX_RESERVED ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
			   AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	err = stat_at(dfd, path, flags, &st);
	return err ? err : put_statx(to, &st);
}

/* --- access and readlink --- */

static long do_access(int dfd, const char __user *path, int mode, u32 flags)
{
	struct kstat st;
	int err;

	if (mode & ~ACCESS_BITS)
		return -EINVAL;
	err = stat_at(dfd, path, flags & ~(u32)AT_EACCESS, &st);
	if (err)
		return err;
	if (mode & X_OK && (st.mode & S_IFMT) != S_IFDIR && !(st.mode & 0111))
		return -EACCES;
	return 0;
}

SYSCALL_DEFINE2(access, const char __user *, path, int, mode)
{
	return do_access(AT_FDCWD, path, mode, 0);
}

SYSCALL_DEFINE3(faccessat, int, dfd, const char __user *, path, int, mode)
{
	return do_access(dfd, path, mode, 0);
}

SYSCALL_DEFINE4(faccessat2, int, dfd, const char __user *, path, int, mode,
		u32, flags)
{
	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH))
		return -EINVAL;
	return do_access(dfd, path, mode, flags);
}

/* The link's target to user space; what is no link is @other. */
static long read_target(struct dentry *link, char __user *buf, size_t size,
			long other)
{
	char *target;
	ssize_t len;

	if (!is_link(link->inode))
		return other;
	target = kmalloc(PATH_MAX);
	if (!target)
		return -ENOMEM;
	mutex_lock(&tree_lock);
	len = link->inode->i_op->readlink(link, target, PATH_MAX);
	mutex_unlock(&tree_lock);
	if (len > 0) {
		len = (ssize_t)min((size_t)len, size);
		if (copy_to_user(buf, target, (size_t)len))
			len = -EFAULT;
	}
	kfree(target);
	return len;
}

static long do_readlink(int dfd, const char __user *path, char __user *buf,
			int size)
{
	struct nameidata *nd;
	char first;
	long ret;

	if (size <= 0)
		return -EINVAL;
	if (get_user(first, path))
		return -EFAULT;
	ret = user_path_walk(dfd, path,
			     AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, &nd);
	if (ret)
		return !first && dfd == AT_FDCWD ? -ENOENT : ret;
	ret = read_target(nd->dentry, buf, (size_t)size,
			  first ? -EINVAL : -ENOENT);
	nd_put(nd);
	return ret;
}

SYSCALL_DEFINE3(readlink, const char __user *, path, char __user *, buf, int,
		size)
{
	return do_readlink(AT_FDCWD, path, buf, size);
}

SYSCALL_DEFINE4(readlinkat, int, dfd, const char __user *, path,
		char __user *, buf, int, size)
{
	return do_readlink(dfd, path, buf, size);
}
