/*
 * open(2) and its kin: the walk with O_CREAT, what may be opened how, and the
 * kinds of open file that come of it. Task context.
 */
#include "fs/dev.h"
#include "fs/fdtable.h"
#include "fs/namei.h"
#include "fs/pipe.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define TMPFILE_ONLY	(O_TMPFILE & ~(u32)O_DIRECTORY)
#define PATH_FLAGS	(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
/* What open(2) needs once, and F_GETFL does not show. */
#define OPEN_ONLY	(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | TMPFILE_ONLY)

#define MFD_CLOEXEC	1u
#define MFD_ALLOW_SEALING 2u
#define MFD_NAME_MAX	249u
#define MEMFD_PREFIX	"/memfd:"

/* --- O_PATH: a place, and nothing can be done with what is there --- */

static ssize_t path_rw(struct file *file, struct iov_iter *it, loff_t *pos)
{
	(void)file;
	(void)it;
	(void)pos;
	return -EBADF;
}

const struct file_operations vfs_path_fops = {
	.read_iter = path_rw,
	.write_iter = path_rw,
	.stat = vfs_file_stat,
	.release = vfs_file_release,
	.vfs = true,
	.name = "path",
};

/* --- the walk --- */

/* Makes nd->last, which is not there, in the directory nd->dentry. */
static int create_last(struct nameidata *nd, u32 mode)
	__must_hold(tree_lock)
{
	struct new_inode what = {
		.mode = S_IFREG | (mode & S_IALL & ~current_umask()),
	};
	struct dentry *dir = nd->dentry;
	int err;

	if (!dir->inode->i_op->writable || !dir->inode->nlink)
		return -ENOENT;
	err = dir->inode->i_op->make(dir, nd->last, nd->last_len, &what,
				     &nd->dentry);
	if (!err)
		dput(dir);
	return err;
}

/* As path_walk(), and what is not there is made: then *@created. */
static int walk_creating(struct nameidata *nd, u32 flags, u32 mode,
			 bool *created)
	__must_hold(tree_lock)
{
	int ret;

	do {
		ret = path_parent(nd);
		if (ret)
			return ret;
		/* The root, or where a link of /proc led: it is there. */
		if (!nd->last_len)
			return flags & O_EXCL ? -EEXIST : 0;
		if (last_is_dots(nd))
			return flags & O_EXCL ? -EEXIST : -EISDIR;
		if (nd->trailing)
			return -EISDIR;
		ret = path_last(nd, !(flags & (O_EXCL | O_NOFOLLOW)));
	} while (ret == 1);
	if (ret == -ENOENT) {
		*created = true;
		return create_last(nd, mode);
	}
	return !ret && flags & O_EXCL ? -EEXIST : ret;
}

/* May what the walk found be opened that way? */
static int open_checks(const struct inode *inode, u32 flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if (flags & O_DIRECTORY && !is_dir(inode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (is_link(inode))
		return -ELOOP;
	if (is_dir(inode) && (writes || flags & O_CREAT))
		return -EISDIR;
	if (is_reg(inode) && writes && !inode->i_op->writable &&
	    !(inode->mode & 0222))
		return -EACCES;
	if (writes && inode->running)
		return -ETXTBSY;
	return inode->i_op->fops || is_fifo(inode) ||
	       (inode->device && inode->device->fops) ? 0 : -ENXIO;
}

/* --- from a dentry to an open file --- */

/* 0 with the file; -ENOMEM, or why a FIFO or another does not open. */
static int open_dentry(struct dentry *dentry, u32 flags, struct file **out)
{
	const struct inode_operations *ops = dentry->inode->i_op;
	const struct device *dev = dentry->inode->device;
	struct file *file;

	if (flags & O_PATH) {
		file = vfs_file_open(dentry, &vfs_path_fops,
				     flags & PATH_FLAGS);
	} else if (is_fifo(dentry->inode)) {
		return fifo_open(dentry, flags, out);
	} else if (!dev) {
		file = vfs_file_open(dentry, ops->fops, flags);
		if (file && ops->open) {
			int err = ops->open(dentry, flags,
					    &vfs_file(file)->state);

			if (err) {
				fput(file);
				return err;
			}
		}
	} else {
		file = file_alloc(dev->fops, (void *)dev, flags);
		if (file)
			file->f_seekable = dev->seekable;
	}
	*out = file;
	return file ? 0 : -ENOMEM;
}

/* The same on a disk: it has a name for a moment. */
static int make_and_remove(struct dentry *dir, u32 mode, struct dentry **out)
{
	const struct new_inode what = { .mode = mode };
	char name[32];
	int err, n = snprintf(name, sizeof(name), "#tmp-%016llx",
			      (unsigned long long)get_random_u64());

	err = dir->inode->i_op->make(dir, name, (size_t)n, &what, out);
	if (err)
		return err;
	err = dir->inode->i_op->unlink(*out);
	if (err)
		dput(*out);
	return err;
}

/*
 * O_TMPFILE: a file without a name, in the directory the walk led to. linkat()
 * may give it one, unless O_EXCL says that it never will.
 */
static int make_nameless(struct nameidata *nd, u32 flags, u32 mode)
{
	struct dentry *dir = nd->dentry, *d;
	struct inode *inode;
	int err;

	if (!is_dir(dir->inode))
		return -ENOTDIR;
	mode = S_IFREG | (mode & S_IALL & ~current_umask());
	if (dir->inode->i_op->nameless) {
		err = make_and_remove(dir, mode, &d);
		if (err)
			return err;
		goto made;
	}
	if (dir->inode->dev != DEV_TMPFS)
		return -EOPNOTSUPP;
	inode = tmpfs_inode(mode);
	d = inode ? dentry_new(dir, "#tmpfile", 8, false, inode) : NULL;
	if (!d) {
		if (inode)
			iput(inode);
		return -ENOSPC;
	}
made:
	d->inode->linkable = !(flags & O_EXCL);
	nd->dentry = d;
	dput(dir);
	return 0;
}

/* Leads nd to what shall be opened. Takes and gives back tree_lock. */
static int open_walk(struct nameidata *nd, u32 flags, u32 mode)
{
	bool created = false;
	int err;

	mutex_lock(&tree_lock);
	if (flags & O_CREAT)
		err = walk_creating(nd, flags, mode, &created);
	else
		err = path_walk(nd, !(flags & O_NOFOLLOW));
	if (!err && flags & TMPFILE_ONLY)
		err = make_nameless(nd, flags, mode);
	else if (!err && !created)
		err = open_checks(nd->dentry->inode, flags);
	mutex_unlock(&tree_lock);
	return err;
}

static int truncate_dentry(struct dentry *dentry)
{
	const struct iattr a = { .set_size = true };

	return dentry->inode->i_op->writable ?
	       dentry->inode->i_op->setattr(dentry, &a) : 0;
}

static int check_flags(u32 *flags)
{
	if (*flags & TMPFILE_ONLY) {
		if ((*flags & O_TMPFILE) != O_TMPFILE || *flags & O_CREAT ||
		    (*flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	if (*flags & O_PATH)
		*flags &= PATH_FLAGS;
	return 0;
}

static long do_open(int dfd, const char __user *upath, u32 flags, u32 mode)
{
	struct nameidata *nd = NULL;
	struct file *file;
	int fd, err = check_flags(&flags);

	if (err)
		return err;
	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		return fd;
	err = user_path(dfd, upath, false, &nd);
	if (!err)
		err = open_walk(nd, flags, mode);
	if (!err && flags & O_TRUNC && is_reg(nd->dentry->inode))
		err = truncate_dentry(nd->dentry);
	if (!err && !(flags & O_PATH))
		flags = (flags & ~(u32)OPEN_ONLY) | O_LARGEFILE;
	if (!err)
		err = open_dentry(nd->dentry, flags, &file);
	if (err)
		goto put_fd;
	nd_put(nd);
	fd_install(fd, file);
	return fd;
put_fd:
	nd_put(nd);
	put_unused_fd(fd);
	return err;
}

SYSCALL_DEFINE3(open, const char __user *, path, u32, flags, u32, mode)
{
	return do_open(AT_FDCWD, path, flags, mode);
}

SYSCALL_DEFINE2(creat, const char __user *, path, u32, mode)
{
	return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

SYSCALL_DEFINE4(openat, int, dfd, const char __user *, path, u32, flags, u32,
		mode)
{
	return do_open(dfd, path, flags, mode);
}

/* --- memfd_create --- */

/* A nameless file whose path is "/memfd:name". NULL: no memory. */
static struct file *memfd_file(const char *name, size_t len, bool sealing)
{
	struct inode *inode = tmpfs_inode(S_IFREG | 0777);
	struct dentry *d = NULL;
	struct file *file;

	if (inode)
		d = dentry_new(NULL, name, len, true, inode);
	if (!d) {
		if (inode)
			iput(inode);
		return NULL;
	}
	inode->seals = sealing ? 0 : F_SEAL_SEAL;
	file = vfs_file_open(d, &tmpfs_file_fops, O_RDWR | O_LARGEFILE);
	dput(d);
	return file;
}

SYSCALL_DEFINE2(memfd_create, const char __user *, uname, u32, flags)
{
	char name[sizeof(MEMFD_PREFIX) + MFD_NAME_MAX];
	struct file *file;
	ssize_t len;
	int fd;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	memcpy(name, MEMFD_PREFIX, sizeof(MEMFD_PREFIX));
	len = strncpy_from_user(name + strlen(MEMFD_PREFIX), uname,
				MFD_NAME_MAX + 1);
	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : len;
	fd = get_unused_fd_flags(flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;
	file = memfd_file(name, strlen(name), flags & MFD_ALLOW_SEALING);
	if (!file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, file);
	return fd;
}
