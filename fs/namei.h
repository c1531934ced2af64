/*
 * From path names to what they name. A walk holds tree_lock and a reference
 * to where it stands; symbolic links are put in front of what is still to
 * walk, in the walk's own buffer.
 */
#pragma once

#include "fs/inode.h"

#define MAX_SYMLINKS	40

/* Flags of the calls that take a directory descriptor and a path. */
#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100
#define AT_EACCESS		0x200
#define AT_REMOVEDIR		0x200
#define AT_SYMLINK_FOLLOW	0x400
#define AT_NO_AUTOMOUNT		0x800
#define AT_EMPTY_PATH		0x1000
#define AT_STATX_SYNC_TYPE	0x6000

/* A walk under way; too big for the stack. */
struct nameidata {
	struct dentry *dentry;	/* where it stands; referenced */
	struct dentry *root;	/* where "/" leads, and no ".." past; referenced */
	const char *last;	/* of path_parent(): the last component */
	size_t last_len;	/* 0: there is none, as in "/" */
	bool trailing;		/* ... and a slash stood behind it */
	int links;		/* symbolic links followed */
	char *rest;		/* in @buf: what is still to walk */
	char buf[PATH_MAX];
};

/*
 * Walks all of nd->rest; @follow: also a link at the end. 0, -ENOENT,
 * -ENOTDIR, -ELOOP, -ENAMETOOLONG, -ENOMEM. tree_lock held.
 */
int path_walk(struct nameidata *nd, bool follow)
	__must_hold(tree_lock) __must_check;

/*
 * The same up to the last component, which is left in nd->last: nd->dentry
 * is then the directory to find it in.
 */
int path_parent(struct nameidata *nd) __must_hold(tree_lock) __must_check;

/*
 * After path_parent(): goes to the last component. 1 if that was a link and
 * was followed, so that the walk goes on with path_parent(); else 0 or -errno.
 */
int path_last(struct nameidata *nd, bool follow)
	__must_hold(tree_lock) __must_check;

/* Is nd->last "." or ".."? */
bool last_is_dots(const struct nameidata *nd);

/*
 * A walk about to begin at @path, which is the kernel's, from the root. NULL:
 * no memory, or too long (*@err). nd_put() it.
 */
struct nameidata *kernel_path(const char *path, int *err) __must_check;

/*
 * The same for user path @upath as seen from directory descriptor @dfd; the
 * empty path leads to @dfd itself if @empty. 0 with *@out; -EFAULT,
 * -ENAMETOOLONG, -ENOMEM, -EBADF, -ENOTDIR, -ENOENT. Task.
 */
int user_path(int dfd, const char __user *upath, bool empty,
	      struct nameidata **out) __must_check;

/*
 * user_path() and the whole walk, with the lock taken and given back. Of
 * @flags AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW count.
 */
int user_path_walk(int dfd, const char __user *upath, u32 flags,
		   struct nameidata **out) __must_check;

/* Ends a walk; NULL is fine. */
void nd_put(struct nameidata *nd);

/* A program in place: what exec needs. */
struct exec_file {
	struct inode *inode;
	const void *data;
	size_t size;
	u32 mode;
	char path[PATH_MAX];	/* absolute, without links */
};

/*
 * The regular file that @path leads to, as the archive has it. -ENOENT also
 * if it is none; -ENOMEM. Borrowed until it is written to. Task.
 */
int namei_exec(const char *path, struct exec_file *out) __must_check;

/*
 * AF_UNIX: makes a socket's node at @path (@len bytes, no end). 0 with a
 * reference in *@out; -EADDRINUSE and what the walk gives. Task.
 */
int vfs_make_socket(const char *path, size_t len, struct inode **out)
	__must_check;
/* The node that a socket was bound to; -ECONNREFUSED if it is none. Task. */
int vfs_find_socket(const char *path, size_t len, struct inode **out)
	__must_check;

/*
 * The directories that relative and absolute paths start from, and the umask.
 * Setters take a reference of their own; NULL: the root of all.
 */
struct dentry *get_cwd(void);			/* referenced */
void set_cwd(struct dentry *dir);
void set_root(struct dentry *dir);
const struct dentry *current_root(void);	/* only to compare with */
u32 current_umask(void);
