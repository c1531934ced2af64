/*
 * System calls that change names: mkdir, rmdir, unlink, link, symlink, mknod,
 * rename. Each walks to the directory and does its work under one hold of
 * tree_lock. Task context.
 */
#include "fs/dev.h"
#include "fs/fdtable.h"
#include "fs/namei.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define RENAME_NOREPLACE	1u
#define RENAME_EXCHANGE		2u

/* Is there something under nd->last? 0 with a reference, or -errno. */
static int find_last(struct nameidata *nd, struct dentry **out)
{
	if (nd->last_len > NAME_MAX)
		return -ENAMETOOLONG;
	return nd->dentry->inode->i_op->lookup(nd->dentry, nd->last,
					       nd->last_len, out);
}

/*
 * After path_parent(): may nd->last be made here? @dir: as a directory, whose
 * name may end with a slash.
 */
static int may_create(struct nameidata *nd, bool dir)
{
	struct dentry *there;
	int err;

	if (!nd->last_len || last_is_dots(nd))
		return -EEXIST;
	err = find_last(nd, &there);
	if (!err) {
		dput(there);
		return -EEXIST;
	}
	if (err != -ENOENT)
		return err;
	if ((nd->trailing && !dir) || !nd->dentry->inode->nlink)
		return -ENOENT;
	return nd->dentry->inode->i_op->writable ? 0 : -ENOENT;
}

static int make_last(struct nameidata *nd, const struct new_inode *what)
{
	struct dentry *d;
	int err = nd->dentry->inode->i_op->make(nd->dentry, nd->last,
						nd->last_len, what, &d);

	if (!err)
		dput(d);
	return err;
}

static int link_last(struct nameidata *nd, struct dentry *old)
{
	if (nd->dentry->inode->dev != old->inode->dev)
		return -EXDEV;
	return nd->dentry->inode->i_op->link(nd->dentry, nd->last,
					     nd->last_len, old);
}

static void unlock_parent(struct nameidata *nd) __no_lock_check
{
	mutex_unlock(&tree_lock);
	nd_put(nd);
}

/*
 * Walks to the directory of a path's last component. 0, and unlock_parent()
 * gives tree_lock and the walk back; or -errno.
 */
static int lock_parent(int dfd, const char __user *upath,
		       struct nameidata **nd)
	__no_lock_check
{
	int err = user_path(dfd, upath, false, nd);

	if (err)
		return err;
	mutex_lock(&tree_lock);
	err = path_parent(*nd);
	if (err)
		unlock_parent(*nd);
	return err;
}

/* A path's last component is from now on @what, or one more name of @old. */
static int add_name(int dfd, const char __user *upath,
		    const struct new_inode *what, struct dentry *old)
{
	struct nameidata *nd;
	int err = lock_parent(dfd, upath, &nd);

	if (err)
		return err;
	err = may_create(nd, what && (what->mode & S_IFMT) == S_IFDIR);
	if (!err && what)
		err = make_last(nd, what);
	else if (!err && old)
		err = link_last(nd, old);
	unlock_parent(nd);
	return err;
}

static u32 masked(u32 mode)
{
	return mode & S_IALL & ~current_umask();
}

static long do_mkdir(int dfd, const char __user *path, u32 mode)
{
	struct new_inode what = { .mode = S_IFDIR | (masked(mode) & 01777) };

	return add_name(dfd, path, &what, NULL);
}

SYSCALL_DEFINE3(mkdirat, int, dfd, const char __user *, path, u32, mode)
{
	return do_mkdir(dfd, path, mode);
}

SYSCALL_DEFINE2(mkdir, const char __user *, path, u32, mode)
{
	return do_mkdir(AT_FDCWD, path, mode);
}

static long do_mknod(int dfd, const char __user *path, u32 mode, u32 rdev)
{
	struct new_inode what;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	what = (struct new_inode){ .mode = (mode & S_IFMT) | masked(mode) };
	if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK)
		what.rdev = rdev;
	return add_name(dfd, path, &what, NULL);
}

SYSCALL_DEFINE3(mknod, const char __user *, path, u32, mode, u32, rdev)
{
	return do_mknod(AT_FDCWD, path, mode, rdev);
}

SYSCALL_DEFINE4(mknodat, int, dfd, const char __user *, path, u32, mode, u32,
		rdev)
{
	return do_mknod(dfd, path, mode, rdev);
}

static long do_symlink(const char __user *utarget, int dfd,
		       const char __user *path)
{
	char *target = kmalloc(PATH_MAX);
	struct new_inode what = { .mode = S_IFLNK | 0777, .target = target };
	ssize_t len;
	long err;

	if (!target)
		return -ENOMEM;
	len = strncpy_from_user(target, utarget, PATH_MAX);
	err = len ? len : -ENOENT;
	if (len > 0) {
		what.target_len = (size_t)len;
		err = add_name(dfd, path, &what, NULL);
	}
	kfree(target);
	return err;
}

SYSCALL_DEFINE2(symlink, const char __user *, target, const char __user *,
		path)
{
	return do_symlink(target, AT_FDCWD, path);
}

SYSCALL_DEFINE3(symlinkat, const char __user *, target, int, dfd,
		const char __user *, path)
{
	return do_symlink(target, dfd, path);
}

static long do_link(int olddfd, const char __user *old, int newdfd,
		    const char __user *new, u32 flags)
{
	struct nameidata *nd;
	struct inode *inode;
	long err;

	if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!(flags & AT_SYMLINK_FOLLOW))
		flags |= AT_SYMLINK_NOFOLLOW;
	err = user_path_walk(olddfd, old, flags, &nd);
	if (err)
		return err;
	inode = nd->dentry->inode;
	if (is_dir(inode)) {
		err = -EPERM;
	} else if (!inode->i_op->writable) {
		err = -EXDEV;
	} else if (!inode->nlink && !inode->linkable) {
		err = -ENOENT;
	} else {
		err = add_name(newdfd, new, NULL, nd->dentry);
		if (!err)
			inode->linkable = false;
	}
	nd_put(nd);
	return err;
}

SYSCALL_DEFINE2(link, const char __user *, old, const char __user *, new)
{
	return do_link(AT_FDCWD, old, AT_FDCWD, new, 0);
}

SYSCALL_DEFINE5(linkat, int, olddfd, const char __user *, old, int, newdfd,
		const char __user *, new, u32, flags)
{
	return do_link(olddfd, old, newdfd, new, flags);
}

/* --- taking names away --- */

/* What another file system is mounted on. */
static bool is_mounted(const struct dentry *d)
{
	return d->parent && d->inode->dev != d->parent->inode->dev;
}

static int check_unlink(const struct nameidata *nd, const struct dentry *d)
{
	if (!nd->dentry->inode->i_op->writable)
		return -EPERM;
	if (is_dir(d->inode))
		return -EISDIR;
	return nd->trailing ? -ENOTDIR : 0;
}

static int check_rmdir(const struct nameidata *nd, const struct dentry *d)
	__must_hold(tree_lock)
{
	if (!nd->dentry->inode->i_op->writable)
		return -EPERM;
	if (!is_dir(d->inode))
		return -ENOTDIR;
	return is_mounted(d) ? -EBUSY : 0;
}

/* The last component's own trouble with "." and "..". */
static int last_error(const struct nameidata *nd, bool dir)
{
	if (!nd->last_len)
		return dir ? -EBUSY : -EISDIR;
	if (!last_is_dots(nd))
		return 0;
	if (!dir)
		return -EISDIR;
	return nd->last_len == 1 ? -EINVAL : -ENOTEMPTY;
}

static long remove_name(int dfd, const char __user *upath, bool dir)
	__no_lock_check
{
	struct dentry *d = NULL;
	struct nameidata *nd;
	int err = lock_parent(dfd, upath, &nd);

	if (err)
		return err;
	err = last_error(nd, dir);
	if (!err)
		err = find_last(nd, &d);
	if (!err)
		err = dir ? check_rmdir(nd, d) : check_unlink(nd, d);
	if (!err)
		err = nd->dentry->inode->i_op->unlink(d);
	unlock_parent(nd);
	/* The last reference, with the file's pages, goes without the lock. */
	dput(d);
	return err;
}

SYSCALL_DEFINE1(unlink, const char __user *, path)
{
	return remove_name(AT_FDCWD, path, false);
}

SYSCALL_DEFINE1(rmdir, const char __user *, path)
{
	return remove_name(AT_FDCWD, path, true);
}

SYSCALL_DEFINE3(unlinkat, int, dfd, const char __user *, path, u32, flags)
{
	if (flags & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	return remove_name(dfd, path, flags & AT_REMOVEDIR);
}

/* --- rename --- */

/* Is @d in the tree below @top, or that itself? */
static bool is_below(const struct dentry *d, const struct dentry *top)
{
	while (d && d->inode != top->inode)
		d = d->parent;
	return d;
}

/* Whether @old may take the place of @new, which is there. */
static int check_replace(const struct dentry *old, const struct dentry *new)
	__must_hold(tree_lock)
{
	if (is_dir(old->inode)) {
		if (!is_dir(new->inode))
			return -ENOTDIR;
		return is_mounted(new) ? -EBUSY : 0;
	}
	return is_dir(new->inode) ? -EISDIR : 0;
}

/* Both names are walked to; @new is NULL if its name is free. */
static int rename_checks(struct nameidata *from, struct nameidata *to,
			 struct dentry *old, struct dentry *new, u32 flags)
	__must_hold(tree_lock)
{
	if (!to->dentry->inode->i_op->writable)
		return -EXDEV;
	if (is_mounted(old))
		return -EBUSY;
	if (new && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (!new && flags & RENAME_EXCHANGE)
		return -ENOENT;
	/* Two names of one file: nothing to do, says POSIX. */
	if (new && new->inode == old->inode)
		return 0;
	/* Into itself; and, for the other direction, out of itself. */
	if (is_below(to->dentry, old))
		return -EINVAL;
	if (new && is_below(from->dentry, new))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (!is_dir(old->inode) && (from->trailing || to->trailing))
		return -ENOTDIR;
	if (!to->dentry->inode->nlink)
		return -ENOENT;
	if (!new || flags & RENAME_EXCHANGE)
		return 0;
	return check_replace(old, new);
}

static int rename_found(struct nameidata *from, struct nameidata *to,
			struct dentry *old, struct dentry *new, u32 flags)
	__must_hold(tree_lock)
{
	int err = rename_checks(from, to, old, new, flags);

	if (err || (new && new->inode == old->inode))
		return err;
	return to->dentry->inode->i_op->rename(old, to->dentry, to->last,
					       to->last_len, new,
					       flags & RENAME_EXCHANGE);
}

static int rename_locked(struct nameidata *from, struct nameidata *to,
			 u32 flags, struct dentry **old, struct dentry **new)
	__must_hold(tree_lock)
{
	int err = path_parent(from);

	if (!err)
		err = path_parent(to);
	if (err)
		return err;
	if (from->dentry->inode->dev != to->dentry->inode->dev)
		return -EXDEV;
	if (!from->last_len || last_is_dots(from))
		return -EBUSY;
	if (!to->last_len || last_is_dots(to))
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = find_last(from, old);
	if (err)
		return err;
	err = find_last(to, new);
	if (err && err != -ENOENT)
		return err;
	return rename_found(from, to, *old, *new, flags);
}

static long do_rename(int olddfd, const char __user *uold, int newdfd,
		      const char __user *unew, u32 flags)
{
	struct nameidata *from, *to;
	struct dentry *old = NULL, *new = NULL;
	long err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = user_path(olddfd, uold, false, &from);
	if (err)
		return err;
	err = user_path(newdfd, unew, false, &to);
	if (err)
		goto put_from;
	mutex_lock(&tree_lock);
	err = rename_locked(from, to, flags, &old, &new);
	mutex_unlock(&tree_lock);
	dput(new);
	dput(old);
	nd_put(to);
put_from:
	nd_put(from);
	return err;
}

SYSCALL_DEFINE2(rename, const char __user *, old, const char __user *, new)
{
	return do_rename(AT_FDCWD, old, AT_FDCWD, new, 0);
}

SYSCALL_DEFINE4(renameat, int, olddfd, const char __user *, old, int, newdfd,
		const char __user *, new)
{
	return do_rename(olddfd, old, newdfd, new, 0);
}

SYSCALL_DEFINE5(renameat2, int, olddfd, const char __user *, old, int, newdfd,
		const char __user *, new, u32, flags)
{
	return do_rename(olddfd, old, newdfd, new, flags);
}
