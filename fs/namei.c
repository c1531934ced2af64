/*
 * Walking paths: one component at a time, asking each directory's own lookup.
 * Everybody is root here, so nothing but files and links stands in the way.
 */
#include "fs/namei.h"

#include "fs/fdtable.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define UMASK_BITS	0777u
#define UMASK_DEFAULT	022u

/* What the threads of the program share. Locks: w lock. */
static struct {
	struct spinlock lock;
	struct dentry *cwd;	/* w  referenced; NULL: root_dentry */
	struct dentry *root;	/* w  the same */
	u32 umask;		/* w */
} fs_struct = { .umask = UMASK_DEFAULT };

static struct dentry *get_place(struct dentry *const *place)
{
	struct dentry *dir;

	spin_lock(&fs_struct.lock);
	dir = dget(*place ? *place : root_dentry);
	spin_unlock(&fs_struct.lock);
	return dir;
}

static void set_place(struct dentry **place, struct dentry *dir)
{
	struct dentry *old;

	if (dir)
		dget(dir);
	spin_lock(&fs_struct.lock);
	old = *place;
	*place = dir;
	spin_unlock(&fs_struct.lock);
	dput(old);
}

struct dentry *get_cwd(void)
{
	return get_place(&fs_struct.cwd);
}

void set_cwd(struct dentry *dir)
{
	set_place(&fs_struct.cwd, dir);
}

void set_root(struct dentry *dir)
{
	set_place(&fs_struct.root, dir);
}

const struct dentry *current_root(void)
{
	const struct dentry *root = READ_ONCE(fs_struct.root);

	return root ? root : root_dentry;
}

u32 current_umask(void)
{
	return READ_ONCE(fs_struct.umask);
}

SYSCALL_DEFINE1(umask, u32, mask)
{
	u32 old;

	spin_lock(&fs_struct.lock);
	old = fs_struct.umask;
	fs_struct.umask = mask & UMASK_BITS;
	spin_unlock(&fs_struct.lock);
	return old;
}

/* --- the walk --- */

static char *skip_slashes(char *s)
{
	while (*s == '/')
		s++;
	return s;
}

/* Stands at @to from now on; takes over the reference. */
static void stand_at(struct nameidata *nd, struct dentry *to)
{
	dput(nd->dentry);
	nd->dentry = to;
}

/* Puts @len bytes at the end of @buf in front of nd->rest. */
static int put_target(struct nameidata *nd, const char *target, size_t len,
		      const char *rest)
{
	size_t rest_len = strlen(rest) + 1;

	if (!len)
		return -ENOENT;
	if (len + rest_len > sizeof(nd->buf))
		return -ENAMETOOLONG;
	memmove(nd->buf + len, rest, rest_len);
	memcpy(nd->buf, target, len);
	nd->rest = nd->buf;
	if (nd->rest[0] == '/')
		stand_at(nd, dget(nd->root));
	return 0;
}

/* @rest is what follows the link in the path, with its slash. */
static int follow_link(struct nameidata *nd, struct dentry *link, char *rest)
{
	struct dentry *to;
	ssize_t len;
	char *target;
	int err;

	if (++nd->links > MAX_SYMLINKS)
		return -ELOOP;
	if (link->inode->i_op->jump) {
		err = link->inode->i_op->jump(link, &to);
		if (!err)
			stand_at(nd, to);
		nd->rest = rest;
		return err;
	}
	target = kmalloc(PATH_MAX);
	if (!target)
		return -ENOMEM;
	len = link->inode->i_op->readlink(link, target, PATH_MAX);
	err = len < 0 ? (int)len : put_target(nd, target, (size_t)len, rest);
	kfree(target);
	return err;
}

static bool is_dots(const char *name, size_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

bool last_is_dots(const struct nameidata *nd)
{
	return is_dots(nd->last, nd->last_len);
}

static int lookup(struct dentry *dir, const char *name, size_t len,
		  struct dentry **out)
{
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	return dir->inode->i_op->lookup(dir, name, len, out);
}

/*
 * Goes to component @name; @rest follows it. A link is followed if @follow. 1
 * if one was, else 0 or -errno.
 */
static int step(struct nameidata *nd, const char *name, size_t len, char *rest,
		bool follow)
{
	struct dentry *next;
	int err;

	nd->rest = rest;
	if (is_dots(name, len)) {
		if (len == 2 && nd->dentry->parent && nd->dentry != nd->root)
			stand_at(nd, dget(nd->dentry->parent));
		return 0;
	}
	err = lookup(nd->dentry, name, len, &next);
	if (err)
		return err;
	if (is_link(next->inode) && follow) {
		err = follow_link(nd, next, rest);
		dput(next);
		return err ? err : 1;
	}
	stand_at(nd, next);
	return 0;
}

int path_parent(struct nameidata *nd)
{
	for (;;) {
		char *name = skip_slashes(nd->rest), *end = name;
		int err;

		nd->last = name;
		while (*end && *end != '/')
			end++;
		nd->last_len = (size_t)(end - name);
		/* "file/" asks for a directory, too. */
		if ((nd->last_len || name != nd->rest) &&
		    !is_dir(nd->dentry->inode))
			return -ENOTDIR;
		if (!nd->last_len)
			return 0;
		nd->rest = end;
		nd->trailing = *end;
		if (!*skip_slashes(end))
			return 0;
		err = step(nd, name, nd->last_len, end, true);
		if (err < 0)
			return err;
	}
}

int path_last(struct nameidata *nd, bool follow)
{
	int ret = step(nd, nd->last, nd->last_len, nd->rest,
		       follow || nd->trailing);

	if (!ret && nd->trailing && !is_dir(nd->dentry->inode))
		return -ENOTDIR;
	return ret;
}

int path_walk(struct nameidata *nd, bool follow)
{
	int ret;

	do {
		ret = path_parent(nd);
		if (ret || !nd->last_len)
			return ret;
		ret = path_last(nd, follow);
	} while (ret == 1);
	return ret;
}

/* --- beginning and end --- */

static struct nameidata *nd_new(void)
{
	struct nameidata *nd = kmalloc(sizeof(*nd));

	if (!nd)
		return NULL;
	nd->dentry = NULL;
	nd->root = get_place(&fs_struct.root);
	nd->links = 0;
	nd->rest = nd->buf;
	return nd;
}

void nd_put(struct nameidata *nd)
{
	if (nd) {
		dput(nd->dentry);
		dput(nd->root);
	}
	kfree(nd);
}

static struct nameidata *kernel_path_n(const char *path, size_t len, int *err)
{
	struct nameidata *nd = nd_new();

	*err = nd ? -ENAMETOOLONG : -ENOMEM;
	if (!nd || len >= sizeof(nd->buf)) {
		nd_put(nd);
		return NULL;
	}
	memcpy(nd->buf, path, len);
	nd->buf[len] = '\0';
	nd->dentry = path[0] == '/' ? dget(nd->root) : get_cwd();
	*err = 0;
	return nd;
}

struct nameidata *kernel_path(const char *path, int *err)
{
	return kernel_path_n(path, strlen(path), err);
}

/* Where a relative path begins. */
static int start_at(struct nameidata *nd, int dfd, bool empty)
{
	struct vfs_file *vf;
	struct fd_ref f;
	int err = -EBADF;

	if (dfd == AT_FDCWD) {
		nd->dentry = get_cwd();
		return 0;
	}
	f = fdget(dfd);
	if (f.file) {
		vf = vfs_file(f.file);
		err = vf && (empty || is_dir(vf->inode)) ? 0 : -ENOTDIR;
	}
	if (!err)
		nd->dentry = dget(vf->dentry);
	fdput(f);
	return err;
}

int user_path(int dfd, const char __user *upath, bool empty,
	      struct nameidata **out)
{
	struct nameidata *nd = nd_new();
	ssize_t len;
	int err = 0;

	if (!nd)
		return -ENOMEM;
	len = strncpy_from_user(nd->buf, upath, sizeof(nd->buf));
	if (len < 0)
		err = (int)len;
	else if (!len && !empty)
		err = -ENOENT;
	else if (nd->buf[0] == '/')
		nd->dentry = dget(nd->root);
	else
		err = start_at(nd, dfd, !len);
	if (err) {
		nd_put(nd);
		return err;
	}
	*out = nd;
	return 0;
}

int user_path_walk(int dfd, const char __user *upath, u32 flags,
		   struct nameidata **out)
{
	struct nameidata *nd;
	int err = user_path(dfd, upath, flags & AT_EMPTY_PATH, &nd);

	if (err)
		return err;
	mutex_lock(&tree_lock);
	err = path_walk(nd, !(flags & AT_SYMLINK_NOFOLLOW));
	mutex_unlock(&tree_lock);
	if (err)
		nd_put(nd);
	else
		*out = nd;
	return err;
}

/* --- for the kernel --- */

int namei_exec(const char *path, struct exec_file *out)
{
	int err;
	struct nameidata *nd = kernel_path(path, &err);
	struct inode *inode;
	char *at;

	if (!nd)
		return err;
	mutex_lock(&tree_lock);
	err = path_walk(nd, true);
	if (!err) {
		inode = nd->dentry->inode;
		out->inode = inode;
		out->data = inode->base;
		out->size = inode->base_size;
		out->mode = inode->mode;
		at = d_path(nd->dentry, out->path, sizeof(out->path));
		if (at)
			memmove(out->path, at, strlen(at) + 1);
		if (!is_reg(inode) || !at)
			err = -ENOENT;
	}
	mutex_unlock(&tree_lock);
	nd_put(nd);
	return err;
}

static int make_socket(struct nameidata *nd, struct inode **out)
	__must_hold(tree_lock)
{
	struct new_inode what = {
		.mode = S_IFSOCK | (0777 & ~current_umask()),
	};
	struct dentry *there;
	int err = path_parent(nd);

	if (err)
		return err;
	if (!nd->last_len || last_is_dots(nd))
		return -EADDRINUSE;
	err = lookup(nd->dentry, nd->last, nd->last_len, &there);
	if (!err)
		dput(there);
	if (err != -ENOENT)
		return err ? err : -EADDRINUSE;
	if (!nd->dentry->inode->i_op->writable || nd->trailing ||
	    !nd->dentry->inode->nlink)
		return -ENOENT;
	err = nd->dentry->inode->i_op->make(nd->dentry, nd->last,
					    nd->last_len, &what, &there);
	if (err)
		return err == -ENOSPC ? -ENOMEM : err;
	*out = there->inode;
	iget(*out);
	dput(there);
	return 0;
}

int vfs_make_socket(const char *path, size_t len, struct inode **out)
{
	int err;
	struct nameidata *nd = kernel_path_n(path, len, &err);

	if (!nd)
		return err;
	mutex_lock(&tree_lock);
	err = make_socket(nd, out);
	mutex_unlock(&tree_lock);
	nd_put(nd);
	return err;
}

int vfs_find_socket(const char *path, size_t len, struct inode **out)
{
	int err;
	struct nameidata *nd = kernel_path_n(path, len, &err);

	if (!nd)
		return err;
	mutex_lock(&tree_lock);
	err = path_walk(nd, true);
	if (!err && (nd->dentry->inode->mode & S_IFMT) != S_IFSOCK)
		err = -ECONNREFUSED;
	if (!err) {
		*out = nd->dentry->inode;
		iget(*out);
	}
	mutex_unlock(&tree_lock);
	nd_put(nd);
	return err;
}
