/*
 * /proc/self/fd and fdinfo: one entry for each open descriptor. All under
 * tree_lock, but for the text of fdinfo.
 */
#include "fs/dev.h"
#include "fs/fdtable.h"
#include "fs/proc_internal.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/string.h"

/* As Linux counts them in /proc/self/mountinfo; and for what has no mount. */
#define MNT_ANON	16

/* What the link of a file shows that has no name. */
static ssize_t anon_name(struct file *file, char *buf, size_t size)
{
	const char *name = file->f_op->name;
	struct kstat st;
	int n;

	if (name[0] == '[') {
		n = snprintf(buf, size, "anon_inode:%s", name);
	} else if (name[0] == '/') {
		const struct device *dev = file->private_data;

		n = dev ? snprintf(buf, size, "/dev/%s", dev->name) :
			  snprintf(buf, size, "%s", name);
	} else {
		if (vfs_fstat(file, &st))
			st.ino = 0;
		n = snprintf(buf, size, "%s:[%llu]", name,
			     (unsigned long long)st.ino);
	}
	return min((ssize_t)n, (ssize_t)size - 1);
}

static ssize_t fd_readlink(struct dentry *link, char *buf, size_t size)
	__must_hold(tree_lock)
{
	struct fd_ref f = fdget((int)link->inode->private_nr);
	ssize_t len = -ENOENT;
	char *at;

	if (f.file && !vfs_file(f.file)) {
		len = anon_name(f.file, buf, size);
	} else if (f.file) {
		at = d_path(vfs_file(f.file)->dentry, buf, size);
		len = at ? (ssize_t)strlen(at) : -ENAMETOOLONG;
		if (at)
			memmove(buf, at, (size_t)len);
	}
	fdput(f);
	return len;
}

/* A device's file is opened again by its name in /dev. */
static int device_dentry(const struct file *file, struct dentry **out)
{
	const struct device *dev = file->private_data;
	struct dentry *dir;
	int err;

	if (!dev)
		dev = device_by_fops(file->f_op);
	if (!dev)
		return -ENXIO;
	err = root_dentry->inode->i_op->lookup(root_dentry, "dev", 3, &dir);
	if (err)
		return err;
	err = is_dir(dir->inode) ?
		      dir->inode->i_op->lookup(dir, dev->name,
					       strlen(dev->name), out) :
		      -ENOENT;
	dput(dir);
	return err;
}

static int fd_jump(struct dentry *link, struct dentry **out)
{
	struct fd_ref f = fdget((int)link->inode->private_nr);
	int err = -ENOENT;

	if (f.file && vfs_file(f.file)) {
		*out = dget(vfs_file(f.file)->dentry);
		err = 0;
	} else if (f.file) {
		err = f.file->f_op->name[0] == '/' ?
		      device_dentry(f.file, out) : -ENXIO;
	}
	fdput(f);
	return err;
}

static const struct pseudo_node fd_link = {
	.mode = S_IFLNK | 0700, .readlink = fd_readlink, .jump = fd_jump,
};

static bool fdinfo_show(struct seq_file *m, u64 *cursor)
{
	int fd = (int)m->arg;
	struct fd_ref f = fdget(fd);
	struct kstat st;
	u32 flags;

	(void)cursor;
	if (!f.file)
		return false;
	flags = f.file->f_flags;
	if (get_close_on_exec(fd) > 0)
		flags |= O_CLOEXEC;
	if (vfs_fstat(f.file, &st))
		st.ino = 0;
	seq_printf(m, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n",
		   (long long)f.file->f_pos, flags, MNT_ANON + (int)st.dev,
		   (unsigned long long)st.ino);
	if (f.file->f_op->show_fdinfo)
		f.file->f_op->show_fdinfo(f.file, m);
	fdput(f);
	return false;
}

static const struct pseudo_node fdinfo_file = {
	.mode = S_IFREG | 0400, .show = fdinfo_show,
};

static int lookup_as(struct dentry *dir, const char *name, size_t len,
		     const struct pseudo_node *node, struct dentry **out)
{
	struct fd_ref f;
	bool open;
	u64 fd;

	if (!parse_decimal(name, len, &fd) || fd > INT32_MAX)
		return -ENOENT;
	f = fdget((int)fd);
	open = f.file;
	fdput(f);
	return open ? pseudo_dentry(dir, name, len, node, fd, out) : -ENOENT;
}

static int fd_lookup(struct dentry *dir, const char *name, size_t len,
		     struct dentry **out)
{
	return lookup_as(dir, name, len, &fd_link, out);
}

static int fdinfo_lookup(struct dentry *dir, const char *name, size_t len,
			 struct dentry **out)
{
	return lookup_as(dir, name, len, &fdinfo_file, out);
}

static bool readdir_as(u64 *pos, u32 mode, struct dir_entry *e)
{
	struct files_struct *files = current->files;
	u64 fd = *pos;
	bool found = false;

	spin_lock(&files->lock);
	while (fd < files->max_fds && !found)
		found = files->fd[fd++];
	spin_unlock(&files->lock);
	*pos = fd;
	if (found)
		number_entry(e, fd - 1, mode);
	return found;
}

static bool fd_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	(void)dir;
	return readdir_as(pos, fd_link.mode, e);
}

static bool fdinfo_readdir(struct dentry *dir, u64 *pos, struct dir_entry *e)
{
	(void)dir;
	return readdir_as(pos, fdinfo_file.mode, e);
}

const struct pseudo_node proc_fd = {
	.name = "fd", .mode = S_IFDIR | 0500,
	.names = NAMES(fd_lookup, fd_readdir),
};

const struct pseudo_node proc_fdinfo = {
	.name = "fdinfo", .mode = S_IFDIR | 0555,
	.names = NAMES(fdinfo_lookup, fdinfo_readdir),
};
