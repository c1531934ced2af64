/*
 * What a file is, and whether it may be used: the stat family, access,
 * readlink. Everybody is root here, so only what cannot be done at all is
 * refused. Task context.
 */
#include "fs/stat.h"

#include "fs/exec.h"
#include "fs/fdtable.h"
#include "fs/open.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define BLOCK_SIZE	4096
#define SECTOR_SIZE	512u
#define W_OK		2
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

static long put_stat(struct user_stat __user *to, const struct kstat *st)
{
	struct user_stat u;

	memset(&u, 0, sizeof(u));
	u.st_dev = st->dev;
	u.st_ino = st->ino;
	u.st_nlink = st->nlink;
	u.st_mode = st->mode;
	u.st_rdev = st->rdev;
	u.st_size = (s64)st->size;
	u.st_blksize = BLOCK_SIZE;
	u.st_blocks = (s64)DIV_ROUND_UP(st->size, SECTOR_SIZE);
	u.st_atim.tv_sec = (s64)st->mtime;
	u.st_mtim.tv_sec = (s64)st->mtime;
	u.st_ctim.tv_sec = (s64)st->mtime;
	return copy_to_user(to, &u, sizeof(u));
}

static long stat_fd(int fd, struct user_stat __user *to)
{
	struct fd_ref f = fdget(fd);
	struct kstat st;
	long err = -EBADF;

	if (f.file)
		err = vfs_fstat(f.file, &st);
	fdput(f);
	return err ? err : put_stat(to, &st);
}

static long stat_path(int dfd, const char __user *path, bool follow,
		      struct user_stat __user *to)
{
	struct nameidata *nd;
	struct kstat st;
	int err = user_path_walk(dfd, path, follow, &nd);

	if (err)
		return err;
	node_stat(&nd->node, &st);
	kfree(nd);
	return put_stat(to, &st);
}

SYSCALL_DEFINE2(fstat, int, fd, struct user_stat __user *, to)
{
	return stat_fd(fd, to);
}

SYSCALL_DEFINE2(stat, const char __user *, path, struct user_stat __user *, to)
{
	return stat_path(AT_FDCWD, path, true, to);
}

SYSCALL_DEFINE2(lstat, const char __user *, path, struct user_stat __user *,
		to)
{
	return stat_path(AT_FDCWD, path, false, to);
}

SYSCALL_DEFINE4(newfstatat, int, dfd, const char __user *, path,
		struct user_stat __user *, to, u32, flags)
{
	char first;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
			   AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH && dfd != AT_FDCWD) {
		if (get_user(first, path))
			return -EFAULT;
		if (!first)
			return stat_fd(dfd, to);
	}
	return stat_path(dfd, path, !(flags & AT_SYMLINK_NOFOLLOW), to);
}

static long do_access(int dfd, const char __user *path, int mode, bool follow)
{
	struct nameidata *nd;
	int err;

	if (mode & ~ACCESS_BITS)
		return -EINVAL;
	err = user_path_walk(dfd, path, follow, &nd);
	if (err)
		return err;
	if (mode & W_OK && !nd->node.dev)
		err = -EROFS;
	else if (mode & 1 && (nd->node.mode & S_IFMT) != S_IFDIR &&
		 !(nd->node.mode & 0111))
		err = -EACCES;
	kfree(nd);
	return err;
}

SYSCALL_DEFINE2(access, const char __user *, path, int, mode)
{
	return do_access(AT_FDCWD, path, mode, true);
}

SYSCALL_DEFINE3(faccessat, int, dfd, const char __user *, path, int, mode)
{
	return do_access(dfd, path, mode, true);
}

SYSCALL_DEFINE4(faccessat2, int, dfd, const char __user *, path, int, mode,
		u32, flags)
{
	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EACCESS))
		return -EINVAL;
	return do_access(dfd, path, mode, !(flags & AT_SYMLINK_NOFOLLOW));
}

/* /proc/self/exe is the one name in /proc that is answered so far. */
static bool is_self_exe(const char __user *upath)
{
	char path[16];

	return strncpy_from_user(path, upath, sizeof(path)) > 0 &&
	       !strcmp(path, "/proc/self/exe");
}

static long put_link(char __user *buf, size_t size, const char *target,
		     size_t len)
{
	len = min(len, size);
	return copy_to_user(buf, target, len) ? -EFAULT : (long)len;
}

static long do_readlink(int dfd, const char __user *path, char __user *buf,
			int size)
{
	struct nameidata *nd;
	long ret;

	if (size <= 0)
		return -EINVAL;
	if (is_self_exe(path))
		return put_link(buf, (size_t)size, exec_path(),
				strlen(exec_path()));
	ret = user_path_walk(dfd, path, false, &nd);
	if (ret)
		return ret;
	ret = -EINVAL;
	if ((nd->node.mode & S_IFMT) == S_IFLNK)
		ret = put_link(buf, (size_t)size, nd->node.file->data,
			       nd->node.file->size);
	kfree(nd);
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
