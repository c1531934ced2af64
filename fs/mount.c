/*
 * The mount table: filled at boot from the command line, read by /proc and by
 * whoever writes out. A mount point is a name in the tmpfs whose inode is the
 * other file system's root, so a walk crosses it without knowing.
 *
 * LOCKING: the table does not change once the program runs. mount->lock (a
 * leaf) guards the list of inodes in use.
 */
#include "fs/mount.h"

#include "fs/namei.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/param.h"
#include "kernel/string.h"

#define MOUNTS_MAX	8u
#define WORD_MAX	256u

/* Weak: there may be none. */
extern const struct fs_type *const __start_fs_type[] __weak;
extern const struct fs_type *const __stop_fs_type[] __weak;

static struct list_head mounts = LIST_HEAD_INIT(mounts);

/* The words of the command line, until memory can be had. */
static struct {
	char text[MOUNTS_MAX][WORD_MAX];
	u32 nr;
} wanted;

int mount_param(const char *val)
{
	if (!val || wanted.nr == MOUNTS_MAX ||
	    strlcpy(wanted.text[wanted.nr], val, WORD_MAX) >= WORD_MAX)
		return -EINVAL;
	wanted.nr++;
	return 0;
}
KERNEL_PARAM("mount", mount_param,
	     "TYPE:SOURCE:/PATH[:ro], for instance 9p:data:/data; at most 8");

/* --- inodes and dentries --- */

static struct inode *inode_in_use(struct mount *mnt, u64 ino)
{
	struct mnt_inode *i;

	list_for_each_entry(i, &mnt->inodes, list) {
		/* One whose last user is leaving does not come back. */
		if (i->inode.ino == ino && atomic_inc_not_zero(&i->inode.refs))
			return &i->inode;
	}
	return NULL;
}

struct inode *mnt_iget(struct mount *mnt, u64 ino, u32 mode,
		       const struct inode_operations *ops, size_t size,
		       bool *fresh)
{
	struct mnt_inode *new;
	struct inode *inode;

	spin_lock(&mnt->lock);
	inode = inode_in_use(mnt, ino);
	spin_unlock(&mnt->lock);
	*fresh = !inode;
	/* The number of a file that is gone may be another's now. */
	if (inode && (inode->mode & S_IFMT) == (mode & S_IFMT))
		return inode;
	if (inode)
		iput(inode);
	*fresh = true;
	new = kzalloc(size);
	if (!new)
		return NULL;
	inode_init(&new->inode, ops, mode);
	new->inode.dev = mnt->dev;
	new->inode.ino = ino;
	new->inode.nlink = 1;
	new->mnt = mnt;
	mutex_init(&new->io);
	spin_lock(&mnt->lock);
	list_add(&new->list, &mnt->inodes);
	spin_unlock(&mnt->lock);
	return &new->inode;
}

void mnt_evict(struct inode *inode)
{
	struct mnt_inode *i = mnt_inode(inode);

	spin_lock(&i->mnt->lock);
	list_del(&i->list);
	spin_unlock(&i->mnt->lock);
	kfree(i);
}

struct dentry *mnt_dentry(struct dentry *dir, const char *name, size_t len,
			  struct inode *inode, u32 fid)
{
	struct dentry *d = dentry_new(dir, name, len, true, inode);

	if (!d) {
		iput(inode);
		return NULL;
	}
	d->fid = fid;
	d->linked = true;
	return d;
}

/* --- mounting --- */

static const struct fs_type *find_type(const char *name)
{
	for (const struct fs_type *const *t = __start_fs_type;
	     t < __stop_fs_type; t++) {
		if (!strcmp((*t)->name, name))
			return *t;
	}
	pr_err("mount: no file system '%s' in this kernel; pollux-disk.elf (make disk) has 9p and ext",
	       name);
	return NULL;
}

/* The directory that @path names, made with all above it; tree_lock held. */
static int make_dirs(const char *path, struct dentry **dir, const char **last)
{
	const struct new_inode what = { .mode = S_IFDIR | 0755 };
	struct dentry *at = dget(root_dentry), *next;
	int err = 0;

	for (;;) {
		const char *end;

		while (*path == '/')
			path++;
		end = strchr(path, '/');
		if (!end || !end[1])
			break;
		err = at->inode->i_op->lookup(at, path, (size_t)(end - path),
					      &next);
		if (err == -ENOENT)
			err = at->inode->i_op->make(at, path,
						    (size_t)(end - path),
						    &what, &next);
		if (!err && !is_dir(next->inode)) {
			dput(next);
			err = -ENOTDIR;
		}
		if (err)
			break;
		dput(at);
		at = next;
		path = end;
	}
	*dir = at;
	*last = path;
	return err;
}

/* Puts @root where @path leads, in place of what the archive has there. */
static int attach_root(struct mount *m, struct inode *root, u32 fid)
{
	struct dentry *dir = NULL, *old, *d = NULL;
	const char *last;
	size_t len;
	int err;

	mutex_lock(&tree_lock);
	err = make_dirs(m->path, &dir, &last);
	len = strlen(last);
	len -= len && last[len - 1] == '/';
	if (!err && (!len || dir->inode->dev != DEV_TMPFS))
		err = -EINVAL;
	if (!err && !dir->inode->i_op->lookup(dir, last, len, &old)) {
		if (old->inode->dev == DEV_TMPFS)
			tmpfs_remove_tree(old);
		else
			err = -EBUSY;
		dput(old);
	}
	if (!err) {
		d = tmpfs_link(dir, last, len, true, root);
		err = d ? 0 : -ENOMEM;
	}
	if (d)
		d->fid = fid;
	mutex_unlock(&tree_lock);
	dput(dir);
	return err;
}

/* Cuts @text at its colons. False if it is not TYPE:SOURCE:/PATH[:ro]. */
static bool split(char *text, struct mount *m, char **path)
{
	char *source = strchr(text, ':'), *opt;

	if (!source)
		return false;
	*source++ = '\0';
	*path = strchr(source, ':');
	if (!*path)
		return false;
	*(*path)++ = '\0';
	opt = strchr(*path, ':');
	if (opt)
		*opt++ = '\0';
	m->read_only = opt && !strcmp(opt, "ro");
	m->source = source;
	return **path == '/' && (!opt || m->read_only);
}

static int mount_one(char *text, u32 nr)
{
	struct mount *m = kzalloc(sizeof(*m));
	struct inode *root;
	u32 fid = 0;
	int err = -EINVAL;

	if (!m)
		return -ENOMEM;
	spin_lock_init(&m->lock);
	INIT_LIST_HEAD(&m->inodes);
	m->dev = DEV_MOUNT + nr;
	if (!split(text, m, &m->path)) {
		pr_err("mount=%s: want TYPE:SOURCE:/PATH or TYPE:SOURCE:/PATH:ro",
		       text);
		goto free;
	}
	m->type = find_type(text);
	err = m->type ? m->type->mount(m, &root, &fid) : -ENODEV;
	if (err)
		goto free;
	err = attach_root(m, root, fid);
	iput(root);
	if (err) {
		pr_err("mount: %s:%s cannot be at %s (error %d): a file or another mount is in the way",
		       m->type->name, m->source, m->path, -err);
		if (m->type->forget)
			m->type->forget(m);
		goto free;
	}
	list_add_tail(&m->list, &mounts);
	return 0;
free:
	kfree(m);
	return err;
}

int mount_all(void)
{
	int err = 0;

	for (u32 i = 0; !err && i < wanted.nr; i++)
		err = mount_one(wanted.text[i], i);
	return err;
}

/* --- writing out --- */

int sync_mounts(u32 dev)
{
	struct mount *m;
	int err = 0;

	list_for_each_entry(m, &mounts, list) {
		if ((!dev || m->dev == dev) && m->type->sync) {
			int one = m->type->sync(m);

			if (one)
				err = one;
		}
	}
	return err;
}

void unmount_all(void)
{
	struct mount *m;

	set_cwd(NULL);
	set_root(NULL);
	if (sync_mounts(0))
		pr_err("exit: not everything could be written out");
	list_for_each_entry(m, &mounts, list) {
		if (m->type->unmount)
			m->type->unmount(m);
	}
}

void mounts_forget(void)
{
	struct mount *m, *next;

	list_for_each_entry_safe(m, next, &mounts, list) {
		if (m->type->forget)
			m->type->forget(m);
		kfree(m);
	}
	INIT_LIST_HEAD(&mounts);
	wanted.nr = 0;
}

/* --- /proc --- */

static const char *how(const struct mount *m)
{
	return m->read_only ? "ro" : "rw";
}

bool mounts_show(struct seq_file *s, u64 *cursor)
{
	struct mount *m;

	(void)cursor;
	seq_puts(s, "tmpfs / tmpfs rw,relatime 0 0\n"
		    "proc /proc proc ro,relatime 0 0\n"
		    "sysfs /sys sysfs ro,relatime 0 0\n");
	list_for_each_entry(m, &mounts, list)
		seq_printf(s, "%s %s %s %s,relatime 0 0\n", m->source,
			   m->path, m->type->name, how(m));
	return false;
}

bool mountinfo_show(struct seq_file *s, u64 *cursor)
{
	struct mount *m;

	(void)cursor;
	seq_puts(s, "17 17 0:1 / / rw,relatime - tmpfs tmpfs rw\n"
		    "19 17 0:3 / /proc ro,relatime - proc proc ro\n"
		    "20 17 0:4 / /sys ro,relatime - sysfs sysfs ro\n");
	list_for_each_entry(m, &mounts, list)
		seq_printf(s, "%u 17 0:%u / %s %s,relatime - %s %s %s\n",
			   m->dev + 17, m->dev, m->path, how(m),
			   m->type->name, m->source, how(m));
	return false;
}
