/*
 * open(2), directories, and the current directory. Files of the initramfs
 * are read in place. Task context.
 *
 * LOCKING: cwd.lock guards the current directory, which is the process's.
 */
#include "fs/open.h"

#include "fs/dev.h"
#include "fs/fdtable.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* Behind an open file or directory of the tree: its node and its name. */
struct open_node {
	struct node node;	/* c */
	size_t len;		/* c  of path */
	char path[];		/* c  without leading "/", no end */
};

/* Locks: w lock. */
static struct {
	struct spinlock lock;
	size_t len;		/* w */
	char path[PATH_MAX];	/* w */
} cwd;

/* --- regular files --- */

static ssize_t ramfile_read(struct file *file, struct iov_iter *to,
			    loff_t *pos)
{
	const struct open_node *on = file->private_data;
	const struct initramfs_file *f = on->node.file;
	size_t want, n;

	if ((u64)*pos >= f->size)
		return 0;
	want = min(to->count, f->size - (size_t)*pos);
	n = copy_to_iter((const char *)f->data + *pos, want, to);
	*pos += (loff_t)n;
	return n || !want ? (ssize_t)n : -EFAULT;
}

static int node_file_stat(struct file *file, struct kstat *st)
{
	node_stat(file_node(file), st);
	return 0;
}

static void node_file_release(struct file *file)
{
	kfree(file->private_data);
}

static const struct file_operations ramfile_fops = {
	.read_iter = ramfile_read,
	.stat = node_file_stat,
	.release = node_file_release,
	.name = "file",
};

/* --- directories --- */

static ssize_t dir_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	(void)file;
	(void)to;
	(void)pos;
	return -EISDIR;
}

static const struct file_operations dir_fops = {
	.read_iter = dir_read,
	.stat = node_file_stat,
	.release = node_file_release,
	.name = "directory",
};

const struct node *file_node(struct file *file)
{
	const struct open_node *on = file->private_data;

	if (file->f_op != &dir_fops && file->f_op != &ramfile_fops)
		return NULL;
	return &on->node;
}

/* struct linux_dirent64 of getdents64(2), without the name. */
struct dirent64_head {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
} __packed;

#define DIRENT_HEAD	19u
#define DIRENT_MAX	(DIRENT_HEAD + 256u)

_Static_assert(sizeof(struct dirent64_head) == DIRENT_HEAD, "as getdents64");

/* Copies one entry to *@buf of *@room bytes. 0, -EINVAL: no room, -EFAULT. */
static int put_dirent(char __user **buf, size_t *room, const char *name,
		      size_t len, const struct node *node, u64 off)
{
	size_t reclen = ALIGN_UP(DIRENT_HEAD + len + 1, 8ul);
	char rec[ALIGN_UP(DIRENT_MAX, 8u)] = { 0 };
	struct dirent64_head head = {
		.d_ino = node->ino, .d_off = (s64)off,
		.d_reclen = (u16)reclen,
		.d_type = (u8)((node->mode & S_IFMT) >> 12),
	};

	if (len > 255)
		return -ENAMETOOLONG;
	if (reclen > *room)
		return -EINVAL;
	memcpy(rec, &head, sizeof(head));
	memcpy(rec + DIRENT_HEAD, name, len);
	if (copy_to_user(*buf, rec, reclen))
		return -EFAULT;
	*buf += reclen;
	*room -= reclen;
	return 0;
}

/* Places: 0 is ".", 1 is "..", 2 and on are dir_entry()'s. */
static bool next_dirent(const struct open_node *dir, u64 *place,
			const char **name, size_t *len, struct node *node)
{
	u64 index;
	bool found;

	if (*place < 2) {
		*node = dir->node;
		*name = "..";
		*len = (size_t)++*place;
		return true;
	}
	index = *place - 2;
	found = dir_entry(dir->path, dir->len, &index, name, len, node);
	*place = index + 2;
	return found;
}

static long dir_getdents(struct file *file, char __user *buf, size_t room)
{
	const struct open_node *dir = file->private_data;
	u64 place = (u64)file->f_pos, next = place;
	size_t all = room, len;
	const char *name;
	struct node node;
	int err = 0;

	while (next_dirent(dir, &next, &name, &len, &node)) {
		err = put_dirent(&buf, &room, name, len, &node, next);
		if (err)
			break;
		place = next;
	}
	spin_lock(&file->f_lock);
	file->f_pos = (loff_t)place;
	spin_unlock(&file->f_lock);
	return all - room ? (long)(all - room) : err;
}

SYSCALL_DEFINE3(getdents64, int, fd, char __user *, buf, u32, count)
{
	struct fd_ref f = fdget(fd);
	long n = -EBADF;

	if (f.file)
		n = f.file->f_op == &dir_fops ?
		    dir_getdents(f.file, buf, count) : -ENOTDIR;
	fdput(f);
	return n;
}

/* --- where paths start --- */

/* Sets nd->path to where a relative path begins. */
static int start_at(struct nameidata *nd, int dfd)
{
	const struct open_node *on;
	struct fd_ref f;
	int err = -EBADF;

	if (dfd == AT_FDCWD) {
		spin_lock(&cwd.lock);
		nd->len = cwd.len;
		memcpy(nd->path, cwd.path, cwd.len);
		spin_unlock(&cwd.lock);
		return 0;
	}
	f = fdget(dfd);
	if (f.file)
		err = f.file->f_op == &dir_fops ? 0 : -ENOTDIR;
	if (!err) {
		on = f.file->private_data;
		nd->len = on->len;
		memcpy(nd->path, on->path, on->len);
	}
	fdput(f);
	return err;
}

int user_path_walk(int dfd, const char __user *upath, bool follow,
		   struct nameidata **out)
{
	struct nameidata *nd = kmalloc(sizeof(*nd));
	ssize_t len;
	int err = 0;

	if (!nd)
		return -ENOMEM;
	nd->len = 0;
	len = strncpy_from_user(nd->rest, upath, sizeof(nd->rest));
	if (len < 0)
		err = (int)len;
	else if (nd->rest[0] != '/')
		err = start_at(nd, dfd);
	if (!err)
		err = path_walk(nd, follow);
	if (err) {
		kfree(nd);
		return err;
	}
	*out = nd;
	return 0;
}

/* --- open --- */

static struct file *open_tree_node(const struct nameidata *nd, u32 flags)
{
	struct open_node *on = kmalloc(sizeof(*on) + nd->len);
	bool dir = (nd->node.mode & S_IFMT) == S_IFDIR;
	struct file *file;

	if (!on)
		return NULL;
	on->node = nd->node;
	on->len = nd->len;
	memcpy(on->path, nd->path, nd->len);
	file = file_alloc(dir ? &dir_fops : &ramfile_fops, on, flags);
	if (!file) {
		kfree(on);
		return NULL;
	}
	file->f_seekable = true;
	return file;
}

static struct file *open_device(const struct device *dev, u32 flags)
{
	struct file *file = file_alloc(dev->fops, (void *)dev, flags);

	if (file)
		file->f_seekable = dev->seekable;
	return file;
}

/* May what the walk found be opened that way? */
static int open_checks(const struct node *node, u32 flags)
{
	u32 type = node->mode & S_IFMT;
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (type == S_IFLNK)
		return -ELOOP;
	if (flags & O_DIRECTORY && type != S_IFDIR)
		return -ENOTDIR;
	if (type == S_IFDIR && (writes || flags & O_CREAT))
		return -EISDIR;
	if (type == S_IFREG && writes)
		return -EROFS;
	return type == S_IFDIR || type == S_IFREG || node->dev ? 0 : -ENXIO;
}

static long do_open(int dfd, const char __user *upath, u32 flags)
{
	bool follow = !(flags & O_NOFOLLOW) &&
		      (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	struct nameidata *nd = NULL;
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		return fd;
	err = user_path_walk(dfd, upath, follow, &nd);
	if (err == -ENOENT && flags & O_CREAT)
		err = -EROFS;
	if (!err)
		err = open_checks(&nd->node, flags);
	if (err)
		goto put_fd;
	flags &= ~(u32)(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
	flags |= O_LARGEFILE;
	err = -ENOMEM;
	file = nd->node.dev ? open_device(nd->node.dev, flags) :
			      open_tree_node(nd, flags);
	if (!file)
		goto put_fd;
	kfree(nd);
	fd_install(fd, file);
	return fd;
put_fd:
	kfree(nd);
	put_unused_fd(fd);
	return err;
}

SYSCALL_DEFINE3(open, const char __user *, path, u32, flags, u32, mode)
{
	(void)mode;
	return do_open(AT_FDCWD, path, flags);
}

SYSCALL_DEFINE4(openat, int, dfd, const char __user *, path, u32, flags, u32,
		mode)
{
	(void)mode;
	return do_open(dfd, path, flags);
}

/* --- the current directory --- */

SYSCALL_DEFINE2(getcwd, char __user *, buf, size_t, size)
{
	char *copy = kmalloc(PATH_MAX + 1);
	size_t len;
	long ret;

	if (!copy)
		return -ENOMEM;
	spin_lock(&cwd.lock);
	len = cwd.len + 2;
	memcpy(copy + 1, cwd.path, cwd.len);
	spin_unlock(&cwd.lock);
	copy[0] = '/';
	copy[len - 1] = '\0';
	ret = (long)len;
	if (len > size)
		ret = -ERANGE;
	else if (copy_to_user(buf, copy, len))
		ret = -EFAULT;
	kfree(copy);
	return ret;
}

static void set_cwd(const char *path, size_t len)
{
	spin_lock(&cwd.lock);
	memcpy(cwd.path, path, len);
	cwd.len = len;
	spin_unlock(&cwd.lock);
}

SYSCALL_DEFINE1(chdir, const char __user *, path)
{
	struct nameidata *nd;
	int err = user_path_walk(AT_FDCWD, path, true, &nd);

	if (err)
		return err;
	if ((nd->node.mode & S_IFMT) == S_IFDIR)
		set_cwd(nd->path, nd->len);
	else
		err = -ENOTDIR;
	kfree(nd);
	return err;
}

SYSCALL_DEFINE1(fchdir, int, fd)
{
	struct fd_ref f = fdget(fd);
	const struct open_node *on;
	long err = -EBADF;

	if (f.file)
		err = f.file->f_op == &dir_fops ? 0 : -ENOTDIR;
	if (!err) {
		on = f.file->private_data;
		set_cwd(on->path, on->len);
	}
	fdput(f);
	return err;
}
