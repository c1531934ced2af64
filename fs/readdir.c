/*
 * Open directories: listing them, and the current one. A listing is put
 * together in a page under tree_lock and copied out after it, so a call gives
 * at most a page of entries; its cost does not depend on where it goes on.
 */
#include "fs/fdtable.h"
#include "fs/namei.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/process.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* struct linux_dirent64 of getdents64(2), without the name. */
struct dirent64_head {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
} __packed;

#define DIRENT_HEAD	19u

_Static_assert(sizeof(struct dirent64_head) == DIRENT_HEAD, "as getdents64");

ssize_t vfs_dir_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	(void)file;
	(void)to;
	(void)pos;
	return -EISDIR;
}

/* A listing that is being put together. */
struct listing {
	char *buf;		/* zero at first: so the ends of records */
	size_t len, room;
	u64 place;		/* behind the last entry in it */
	bool full;
};

/* Adds one entry; @next is the place behind it. False: no room. */
static bool put_dirent(void *arg, const struct dir_entry *e, u64 next)
{
	struct listing *l = arg;
	size_t reclen = ALIGN_UP(DIRENT_HEAD + e->len + 1, 8ul);
	struct dirent64_head head = {
		.d_ino = e->ino, .d_off = (s64)next, .d_reclen = (u16)reclen,
		.d_type = (u8)((e->mode & S_IFMT) >> 12),
	};
	char *rec = l->buf + l->len;

	if (reclen > l->room - l->len) {
		l->full = true;
		return false;
	}
	memcpy(rec, &head, sizeof(head));
	memcpy(rec + DIRENT_HEAD, e->name, e->len);
	l->len += reclen;
	l->place = next;
	return true;
}

/* Places: 0 is ".", 1 is "..", from 2 on what the directory's readdir says. */
static bool next_entry(struct dentry *dir, u64 *place, struct dir_entry *e)
{
	const struct dentry *d = dir;
	u64 pos;
	bool found;

	if (*place < 2) {
		if (*place && dir->parent)
			d = dir->parent;
		e->name = "..";
		e->len = (size_t)++*place;
		e->ino = d->inode->ino;
		e->mode = d->inode->mode;
		return true;
	}
	pos = *place - 2;
	found = dir->inode->i_op->readdir(dir, &pos, e);
	*place = pos + 2;
	return found;
}

/* As file_operations.iterate, for directories with a readdir of their own. */
static int vfs_iterate(struct file *file, u64 pos, emit_t emit, void *arg)
{
	struct dentry *dir = vfs_file(file)->dentry;
	struct dir_entry e;
	int err = 0;

	mutex_lock(&tree_lock);
	if (!dir->inode->nlink)
		err = -ENOENT;
	while (!err && next_entry(dir, &pos, &e) && emit(arg, &e, pos))
		;
	mutex_unlock(&tree_lock);
	return err;
}

const struct file_operations vfs_dir_fops = {
	.read_iter = vfs_dir_read,
	.stat = vfs_file_stat,
	.release = vfs_file_release,
	.iterate = vfs_iterate,
	.vfs = true,
	.name = "directory",
};

static long dir_getdents(struct file *file, char __user *buf, size_t room)
{
	struct listing l = { .buf = get_zeroed_page(),
			     .room = min(room, PAGE_SIZE),
			     .place = (u64)file->f_pos };
	long ret;

	if (!l.buf)
		return -ENOMEM;
	ret = file->f_op->iterate(file, l.place, put_dirent, &l);
	/* No room even for one. */
	if (!ret && l.full && !l.len)
		ret = -EINVAL;
	if (!ret && copy_to_user(buf, l.buf, l.len))
		ret = -EFAULT;
	if (!ret) {
		spin_lock(&file->f_lock);
		file->f_pos = (loff_t)l.place;
		spin_unlock(&file->f_lock);
		ret = (long)l.len;
	}
	free_page(l.buf);
	return ret;
}

SYSCALL_DEFINE3(getdents64, int, fd, char __user *, buf, u32, count)
{
	struct fd_ref f = fdget(fd);
	long n = -EBADF;

	if (f.file && !(f.file->f_flags & O_PATH))
		n = f.file->f_op->iterate ?
		    dir_getdents(f.file, buf, count) : -ENOTDIR;
	fdput(f);
	return n;
}

/* --- the current directory --- */

SYSCALL_DEFINE2(getcwd, char __user *, buf, size_t, size)
{
	char *path = kmalloc(PATH_MAX), *at = NULL;
	struct dentry *dir;
	long ret = -ENOENT;

	if (!path)
		return -ENOMEM;
	dir = get_cwd();
	mutex_lock(&tree_lock);
	if (d_reachable(dir)) {
		at = d_path(dir, path, PATH_MAX);
		ret = -ENAMETOOLONG;
	}
	mutex_unlock(&tree_lock);
	dput(dir);
	if (at) {
		size_t len = (size_t)(path + PATH_MAX - at);

		ret = (long)len;
		if (len > size)
			ret = -ERANGE;
		else if (copy_to_user(buf, at, len))
			ret = -EFAULT;
	}
	kfree(path);
	return ret;
}

/* Lets @set know the directory that @path leads to, if @may. */
static long set_dir(const char __user *path, bool may,
		    void (*set)(struct dentry *dir))
{
	struct nameidata *nd;
	int err = user_path_walk(AT_FDCWD, path, 0, &nd);

	if (err)
		return err;
	if (!is_dir(nd->dentry->inode))
		err = -ENOTDIR;
	else if (!may)
		err = -EPERM;
	else
		set(nd->dentry);
	nd_put(nd);
	return err;
}

SYSCALL_DEFINE1(chdir, const char __user *, path)
{
	return set_dir(path, true, set_cwd);
}

SYSCALL_DEFINE1(chroot, const char __user *, path)
{
	return set_dir(path, is_root(), set_root);
}

SYSCALL_DEFINE1(fchdir, int, fd)
{
	struct fd_ref f = fdget(fd);
	struct vfs_file *vf = f.file ? vfs_file(f.file) : NULL;
	long err = f.file ? -ENOTDIR : -EBADF;

	if (vf && is_dir(vf->inode)) {
		set_cwd(vf->dentry);
		err = 0;
	}
	fdput(f);
	return err;
}
