/*
 * What stands behind names: the inode is a file, the dentry one name of it.
 * In the tmpfs both stay as long as they are linked; those of /proc and /sys
 * are made when a path leads there and go with their last user.
 *
 * LOCKING, outermost first: inode->lock (a file's contents against other
 * writers; held over copies from the program), mm->lock, tree_lock (all
 * names, links and attributes; user memory is never touched under it),
 * inode->data_lock (a spinlock over size and pages).
 */
#pragma once

#include "fs/file.h"
#include "fs/page_tree.h"
#include "fs/stat.h"
#include "kernel/atomic.h"
#include "kernel/compiler.h"
#include "kernel/mutex.h"
#include "kernel/rbtree.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"

#define NAME_MAX	255u
#define PATH_MAX	4096u
/* Largest file, as Linux's tmpfs has it. */
#define MAX_FILE_SIZE	0x7fffffffffffffffull

struct dentry;
struct device;			/* fs/dev.h */
struct inode;
struct pipe;			/* fs/pipe.h */
struct record_lock;		/* fs/record_lock.c */

/* What reading a directory finds. */
struct dir_entry {
	const char *name;	/* @len bytes, no end */
	size_t len;
	u64 ino;
	u32 mode;
	char buf[24];		/* for names that are made on the spot */
};

/* What to change of a file; each call fills in its own. */
struct iattr {
	bool set_mode, set_uid, set_gid, set_atime, set_mtime, set_size;
	u32 mode, uid, gid;
	u64 atime, mtime, size;
};

/* What a new name shall stand for: a link's target, a device's number. */
struct new_inode {
	u32 mode;		/* S_IF and permissions */
	u32 rdev;
	const char *target;	/* @target_len bytes, no end */
	size_t target_len;
};

struct kstatfs;

/*
 * What a kind of inode can do; NULL: not that. In a task, and allowed to
 * sleep: another machine, or a disk, may have to be asked. Under tree_lock
 * down to writable, then without it, or with it just the same.
 */
struct inode_operations {
	/* Finds @name (@len bytes) in @dir: 0 with a reference, or -errno. */
	int (*lookup)(struct dentry *dir, const char *name, size_t len,
		      struct dentry **out);
	/* The entry at or after *@pos, which moves past it; false: no more. */
	bool (*readdir)(struct dentry *dir, u64 *pos, struct dir_entry *e);
	/* A link's target, without an end: its length or -errno. */
	ssize_t (*readlink)(struct dentry *link, char *buf, size_t size);
	/* Where a link leads that is more than a text: as lookup. */
	int (*jump)(struct dentry *link, struct dentry **out);
	/* How it is opened. NULL: it cannot be (ENXIO). */
	const struct file_operations *fops;
	/* Names in it, and what it is, may be changed. */
	bool writable;
	/* A directory's: what is made in it can be opened without a name. */
	bool nameless;
	/*
	 * Directories whose names may be changed. The caller has looked: what
	 * is made is not there, what is taken away is, and is what it says.
	 * All but make: 0 or -errno; make with a reference in *@out.
	 */
	int (*make)(struct dentry *dir, const char *name, size_t len,
		    const struct new_inode *what, struct dentry **out);
	/* One more name for @old, of the same file system. */
	int (*link)(struct dentry *dir, const char *name, size_t len,
		    struct dentry *old);
	/* @d goes out of its directory, which is this one. */
	int (*unlink)(struct dentry *d);
	/*
	 * @d goes to @dir, under that name, in place of @old if that is not
	 * NULL; or both change places.
	 */
	int (*rename)(struct dentry *d, struct dentry *dir, const char *name,
		      size_t len, struct dentry *old, bool exchange);
	/* What it is, asked anew; NULL: as the inode says. */
	int (*getattr)(struct dentry *d, struct kstat *st);
	int (*setattr)(struct dentry *d, const struct iattr *a);
	int (*statfs)(struct dentry *d, struct kstatfs *st);
	/* Before it is opened with O_ flags; *@state goes to vfs_file. */
	int (*open)(struct dentry *d, u32 flags, void **state);
	/* A dentry's and an inode's last reference; evict frees the inode. */
	void (*forget)(struct dentry *d);
	void (*evict)(struct inode *inode);
};

/*
 * Locks: c const after creation, a atomic, t tree_lock, d data_lock, and
 * written only under lock.
 */
struct inode {
	const struct inode_operations *i_op; /* c */
	struct atomic refs;			/* a */
	u32 mode;				/* t */
	u32 nlink;				/* t  0: removed */
	u32 uid, gid;				/* t */
	u32 rdev;				/* c */
	u32 dev;				/* c  DEV_ of its file system */
	u64 ino;				/* c */
	u64 atime, mtime, ctime;		/* t  ns since 1970 */
	struct mutex lock;
	struct spinlock data_lock;
	u64 size;				/* d */
	u64 nr_pages;				/* d */
	/* A file's bytes: pages, and below them what is used in place. */
	struct page_tree pages;			/* d */
	const char *base;			/* c */
	u64 base_size;				/* d  bytes of @base in use */
	u32 seals;				/* d  F_SEAL_ bits */
	bool running;				/* c  the program */
	bool linkable;				/* t  may yet get a name */
	u32 flock_shared, flock_exclusive;	/* flock_lock */
	struct record_lock *locks;		/* record_lock.c */
	char *link;				/* c  own copy of a target */
	struct rb_root children;		/* t  a directory's, by hash */
	const struct device *device;		/* c */
	union {
		const void *private;		/* c  of /proc and /sys */
		struct pipe *pipe;		/* lock; a FIFO's, if open */
	};
	u64 private_nr;				/* c */
};

/* Locks: as above. */
struct dentry {
	struct rb_node node;		/* t  in the parent's children */
	struct dentry *parent;		/* t  referenced; NULL: the root */
	struct inode *inode;		/* c  referenced */
	struct atomic refs;		/* a */
	const char *name;		/* t  @len bytes, no end */
	u64 hash;			/* t  of the name: its place */
	u32 fid;			/* c  the file system's own */
	u8 len;				/* t */
	bool own_name;			/* t  to be freed */
	bool linked;			/* t  its parent holds a reference */
};

/* Behind each open file that has a name, as private_data. */
struct vfs_file {
	struct dentry *dentry;		/* c  referenced */
	struct inode *inode;		/* c  the dentry's */
	void *state;			/* what the kind keeps; see release */
	u8 flock;			/* flock_lock; its own LOCK_, or 0 */
};

extern struct mutex tree_lock;
extern struct dentry *root_dentry;	/* c  after boot */

static inline bool is_dir(const struct inode *inode)
{
	return (inode->mode & S_IFMT) == S_IFDIR;
}

static inline bool is_link(const struct inode *inode)
{
	return (inode->mode & S_IFMT) == S_IFLNK;
}

static inline bool is_fifo(const struct inode *inode)
{
	return (inode->mode & S_IFMT) == S_IFIFO;
}

static inline bool is_reg(const struct inode *inode)
{
	return (inode->mode & S_IFMT) == S_IFREG;
}

/* One reference, no link, times of now, a number of its own; NULL: memory. */
struct inode *inode_new(const struct inode_operations *ops, u32 mode)
	__must_check;
/* The same for memory that is the caller's, and zero. */
void inode_init(struct inode *inode, const struct inode_operations *ops,
		u32 mode);
void iget(struct inode *inode);
/* The last one frees it and its contents. Task. */
void iput(struct inode *inode);

/*
 * A name for @inode below @parent (NULL: none), not linked yet; takes over
 * the caller's reference to @inode if it succeeds. @name is copied if @copy,
 * else borrowed for good. NULL if memory is out.
 */
struct dentry *dentry_new(struct dentry *parent, const char *name, size_t len,
			  bool copy, struct inode *inode) __must_check;
struct dentry *dget(struct dentry *dentry);
void dput(struct dentry *dentry);	/* NULL is fine. Task. */

/* A place in a directory that is kept while others come and go. */
u64 name_hash(const char *name, size_t len);

/* Sets the times whose pointers are given to now. Any lock. */
void touch(u64 *a, u64 *b);

/*
 * The absolute path into @buf, from its end: where it begins, or NULL if it
 * does not fit. " (deleted)" follows what has lost its name. tree_lock held.
 */
char *d_path(const struct dentry *dentry, char *buf, size_t size)
	__must_hold(tree_lock);
/* The same with the lock taken. Task. */
char *d_path_lock(const struct dentry *dentry, char *buf, size_t size);
/* Is it still in the tree, with all that is above it? tree_lock held. */
bool d_reachable(const struct dentry *dentry) __must_hold(tree_lock);

/* What it is; 0, or -errno from where the file is. Task. */
int dentry_stat(struct dentry *dentry, struct kstat *st) __must_check;

/*
 * A new open file for @dentry, which stays the caller's. NULL if memory is
 * out. Task.
 */
struct file *vfs_file_open(struct dentry *dentry,
			   const struct file_operations *fops, u32 flags)
	__must_check;
/* For file_operations of such files. */
int vfs_file_stat(struct file *file, struct kstat *st);
void vfs_file_release(struct file *file);

/* What is behind @file if it has a name, else NULL. */
static inline struct vfs_file *vfs_file(const struct file *file)
{
	return file->f_op->vfs ? file->private_data : NULL;
}
