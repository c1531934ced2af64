/*
 * Filling the root: the archive's entries become inodes whose bytes stay in
 * the archive; directories that it only implies are made; then the devices,
 * the places where /proc and /sys are, and what is missing in /etc.
 */
#include "fs/rootfs.h"

#include "fs/dev.h"
#include "fs/initramfs.h"
#include "fs/namei.h"
#include "fs/pseudo.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/string.h"
#include "kernel/time.h"

#define DIR_MODE	(S_IFDIR | 0755)
#define STICKY_MODE	(S_IFDIR | 01777)

/* Links @inode, whose reference it takes; 0 or -ENOMEM. */
static int link_new(struct dentry *dir, const char *name, size_t len,
		    struct inode *inode)
	__no_lock_check
{
	struct dentry *d = NULL;

	if (inode) {
		d = tmpfs_link(dir, name, len, false, inode);
		iput(inode);
	}
	return d ? 0 : -ENOMEM;
}

static struct dentry *child(struct dentry *dir, const char *name, size_t len)
{
	struct dentry *d;

	if (!is_dir(dir->inode) ||
	    dir->inode->i_op->lookup(dir, name, len, &d))
		return NULL;
	/* The directory keeps it: borrowed from here on. */
	dput(d);
	return d;
}

/*
 * The directory that @path is in, made if the archive did not; *@last is what
 * is left of the path. NULL: no memory, or a file is in the way.
 */
static struct dentry *parent_dir(const char *path, const char **last)
{
	struct dentry *dir = root_dentry;
	const char *slash;

	for (; dir && (slash = strchr(path, '/')); path = slash + 1) {
		size_t len = (size_t)(slash - path);
		struct dentry *next;

		if (!len)
			continue;
		next = child(dir, path, len);
		if (!next && is_dir(dir->inode) &&
		    !link_new(dir, path, len, tmpfs_inode(DIR_MODE)))
			next = child(dir, path, len);
		dir = next;
	}
	*last = path;
	return dir && is_dir(dir->inode) ? dir : NULL;
}

static void set_times(struct inode *inode, u64 secs)
{
	inode->atime = secs * NSEC_PER_SEC;
	inode->mtime = inode->atime;
	inode->ctime = inode->atime;
}

static struct inode *archive_inode(const struct initramfs_file *f)
{
	struct inode *inode = tmpfs_inode(f->mode);
	u32 type = f->mode & S_IFMT;

	if (!inode)
		return NULL;
	if (type == S_IFREG || type == S_IFLNK) {
		inode->base = f->data;
		inode->size = f->size;
	}
	if (type == S_IFREG)
		inode->base_size = f->size;
	return inode;
}

/* The other name of a hard-linked file, if it came before; else NULL. */
static struct inode *linked_inode(const struct initramfs_file *f, u32 index)
{
	const struct initramfs_file *other;
	struct dentry *dir;
	const char *last;

	if (f->nlink < 2 || (f->mode & S_IFMT) != S_IFREG)
		return NULL;
	for (u32 i = 0; i < index; i++) {
		other = initramfs_entry(i);
		if (other->ino != f->ino || other->data != f->data)
			continue;
		dir = parent_dir(other->path, &last);
		dir = dir ? child(dir, last, strlen(last)) : NULL;
		if (dir && dir->inode->base == f->data) {
			iget(dir->inode);
			return dir->inode;
		}
	}
	return NULL;
}

static int add_entry(const struct initramfs_file *f, u32 index)
{
	const char *name;
	struct dentry *dir = parent_dir(f->path, &name), *there;
	struct inode *inode;
	size_t len = strlen(name);

	if (!dir)
		return -ENOMEM;
	there = len ? child(dir, name, len) : dir;
	if (there) {
		/* Implied before, or the root: what it is comes now. */
		if (is_dir(there->inode) && (f->mode & S_IFMT) == S_IFDIR) {
			there->inode->mode = f->mode;
			set_times(there->inode, f->mtime);
		}
		return 0;
	}
	if (len > NAME_MAX)
		return 0;
	inode = linked_inode(f, index);
	if (!inode) {
		inode = archive_inode(f);
		if (inode)
			set_times(inode, f->mtime);
	}
	return link_new(dir, name, len, inode);
}

static int add_archive(void)
{
	const struct initramfs_file *f;
	int err = 0;

	for (u32 i = 0; !err && (f = initramfs_entry(i)) != NULL; i++)
		err = add_entry(f, i);
	return err;
}

/* --- what servers expect --- */

/* Makes @path unless the archive has it. Takes @inode's reference. */
static int add_missing(const char *path, struct inode *inode)
{
	const char *name;
	struct dentry *dir = parent_dir(path, &name);

	if (!inode)
		return -ENOMEM;
	/* A file of the archive in the way is the archive's business. */
	if (!dir || child(dir, name, strlen(name))) {
		iput(inode);
		return 0;
	}
	return link_new(dir, name, strlen(name), inode);
}

static int add_devices(void)
	__no_lock_check
{
	const struct device *dev;
	struct dentry *dir;
	const char *name;
	int err = 0;

	dir = parent_dir("dev/", &name);
	for (u32 i = 0; dir && !err && (dev = device_entry(i)) != NULL; i++) {
		struct dentry *old = child(dir, dev->name, strlen(dev->name));
		struct inode *inode = tmpfs_inode(S_IFCHR | dev->mode);

		/* The archive's node of that name has no driver. */
		if (old)
			tmpfs_remove_tree(old);
		if (inode) {
			inode->device = dev;
			inode->rdev = dev->rdev;
		}
		err = link_new(dir, dev->name, strlen(dev->name), inode);
	}
	return dir ? err : -ENOMEM;
}

static const struct {
	const char *path;
	u32 mode;
	const char *text;	/* of a file or a link */
} expected[] = {
	{ "tmp", STICKY_MODE, NULL },
	{ "run", DIR_MODE, NULL },
	{ "var/tmp", STICKY_MODE, NULL },
	{ "var/run", S_IFLNK | 0777, "/run" },
	{ "dev/shm", STICKY_MODE, NULL },
	{ "dev/fd", S_IFLNK | 0777, "/proc/self/fd" },
	{ "dev/stdin", S_IFLNK | 0777, "/proc/self/fd/0" },
	{ "dev/stdout", S_IFLNK | 0777, "/proc/self/fd/1" },
	{ "dev/stderr", S_IFLNK | 0777, "/proc/self/fd/2" },
	/* These three change when DHCP answers. */
	{ "etc/resolv.conf", S_IFLNK | 0777, "/proc/net/pnp" },
	{ "etc/hosts", S_IFLNK | 0777, "/proc/net/hosts" },
	{ "etc/hostname", S_IFLNK | 0777, "/proc/sys/kernel/hostname" },
	{ "etc/host.conf", S_IFREG | 0644, "multi on\n" },
	{ "etc/passwd", S_IFREG | 0644,
	  "root:x:0:0:root:/:/bin/sh\n"
	  "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n" },
	{ "etc/group", S_IFREG | 0644,
	  "root:x:0:\nnogroup:x:65534:\n" },
};

static int add_expected(void)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(expected); i++) {
		struct inode *inode = tmpfs_inode(expected[i].mode);

		if (inode && expected[i].text) {
			inode->base = expected[i].text;
			inode->size = strlen(expected[i].text);
			inode->base_size = is_reg(inode) ? inode->size : 0;
		}
		err = add_missing(expected[i].path, inode);
	}
	return err;
}

static int add_mounts(void)
{
	int err = add_missing("proc", pseudo_root(&proc_root, DEV_PROC));

	return err ? err : add_missing("sys", pseudo_root(&sys_root,
							  DEV_SYSFS));
}

/* A root that is empty; it counts as a link to itself. */
static int make_root(void)
{
	struct inode *inode = tmpfs_inode(DIR_MODE);
	struct dentry *root = NULL;

	if (inode)
		root = dentry_new(NULL, "", 0, false, inode);
	if (!root) {
		if (inode)
			iput(inode);
		return -ENOMEM;
	}
	inode->nlink = 2;
	root_dentry = root;
	return 0;
}

int rootfs_init(void)
{
	int err = make_root();

	if (!err) {
		mutex_lock(&tree_lock);
		err = add_archive();
		if (!err)
			err = add_mounts();
		if (!err)
			err = add_devices();
		if (!err)
			err = add_expected();
		mutex_unlock(&tree_lock);
	}
	if (err) {
		pr_err("rootfs: no memory for the names in the initramfs; "
		       "give the machine more (-m)");
		rootfs_forget();
	}
	return err;
}

void rootfs_forget(void)
{
	set_cwd(NULL);
	set_root(NULL);
	if (!root_dentry)
		return;
	mutex_lock(&tree_lock);
	tmpfs_remove_tree(root_dentry);
	mutex_unlock(&tree_lock);
	dput(root_dentry);
	root_dentry = NULL;
}
