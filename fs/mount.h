/*
 * File systems beside the tmpfs: which there are, where they are mounted, and
 * what all whose files live elsewhere need. mount=TYPE:SOURCE:/PATH on the
 * command line mounts one when the program starts; none is ever unmounted
 * while it runs. docs/files.md tells the whole.
 */
#pragma once

#include "fs/inode.h"
#include "kernel/list.h"
#include "kernel/seq_file.h"

struct mount;

/* A kind of file system. All in task context; may sleep. */
struct fs_type {
	const char *name;
	/*
	 * Finds m->source and makes the root's inode. Says itself what is
	 * wrong. 0 with a reference in *@root, *@fid its dentry's; -errno.
	 */
	int (*mount)(struct mount *m, struct inode **root, u32 *fid);
	/*
	 * @n bytes at @pos of an open file, under mnt_inode.io: how many, fewer
	 * only at its end or if it is full, or -errno. @buf is in the direct
	 * map.
	 */
	ssize_t (*pread)(struct file *file, u64 pos, void *buf, size_t n);
	ssize_t (*pwrite)(struct file *file, u64 pos, void *buf, size_t n);
	/* All that was written stays. NULL: it does anyway. */
	int (*sync)(struct mount *m);
	/* The machine ends; after sync. */
	void (*unmount)(struct mount *m);
	void (*forget)(struct mount *m);	/* frees m->fs: for tests */
};

/* Makes a kind known; it need only be linked in. */
#define FS_TYPE(_name)							\
	static const struct fs_type *const fs_type_##_name __used	\
		__section("fs_type") __aligned(8) = &_name

/* Locks: c const once mounted, l lock. */
struct mount {
	struct list_head list;		/* c */
	const struct fs_type *type;	/* c */
	u32 dev;			/* c */
	bool read_only;			/* c */
	struct spinlock lock;
	struct list_head inodes;	/* l  those in use, as mnt_inode */
	void *fs;			/* c  the type's */
	char *source, *path;		/* c */
};

/*
 * The inode of a file that lives elsewhere: one per file, so that locks and
 * comparisons mean the file, for as long as somebody uses it. While a file is
 * mapped, inode.pages has what was touched of it. Locks: c const, i io.
 */
struct mnt_inode {
	struct inode inode;
	struct mount *mnt;		/* c */
	struct list_head list;		/* mnt->lock */
	struct mutex io;		/* its bytes, there and in pages */
	struct file *mapped;		/* i  reads and writes the pages */
	u32 maps;			/* i  areas that map it */
	bool written;			/* i  a page may have been */
};

static inline struct mnt_inode *mnt_inode(const struct inode *inode)
{
	return container_of(inode, struct mnt_inode, inode);
}

static inline struct mount *mount_of(const struct inode *inode)
{
	return mnt_inode(inode)->mnt;
}

/*
 * The inode of file @ino: the one in use, or a new one of @size bytes, zero
 * behind mnt_inode, with a reference; *@fresh says which. NULL: no memory.
 * Under tree_lock, or before the program runs.
 */
struct inode *mnt_iget(struct mount *mnt, u64 ino, u32 mode,
		       const struct inode_operations *ops, size_t size,
		       bool *fresh) __must_check;
/* For evict: the inode is nobody's any more; frees it. */
void mnt_evict(struct inode *inode);

/*
 * For lookup and make: a dentry that goes with its last user. Takes over
 * @inode's reference, also if it fails. NULL: no memory.
 */
struct dentry *mnt_dentry(struct dentry *dir, const char *name, size_t len,
			  struct inode *inode, u32 fid) __must_check;

/* file_operations of regular files: what they share (fs/mnt_file.c). */
ssize_t mnt_read(struct file *file, struct iov_iter *to, loff_t *pos);
ssize_t mnt_write(struct file *file, struct iov_iter *from, loff_t *pos);

/*
 * Mappings (fs/mnt_map.c). Under mnt_inode.io: @n bytes at @pos were written
 * from @buf, or zeroed if that is NULL; were read to @buf, which gets what
 * only a mapping has; the file now ends at @size.
 */
void mnt_map_written(struct inode *inode, u64 pos, void *buf, size_t n);
void mnt_map_read(struct inode *inode, u64 pos, void *buf, size_t n);
void mnt_map_cut(struct inode *inode, u64 size);
/* After mnt_map_cut(), without that lock: mappings show no more than that. */
void mnt_map_shrink(struct inode *inode, u64 size);
/* What mappings wrote goes to the file: of one, of all. 0 or -errno. */
int mnt_map_sync(struct inode *inode);
int mnt_map_sync_all(struct mount *m);
/* Files of mounts can be mapped from now on. */
void mnt_map_init(void);

/* mount= of the command line. 0, -EINVAL. Boot. */
int mount_param(const char *val);
/* Mounts what the command line says; 0, or -errno after saying why. Boot. */
int mount_all(void) __must_check;
/* Writes out the file system with that st_dev, 0: all. Task. */
int sync_mounts(u32 dev);
/* The end: all files are closed, what was written must stay. Task. */
void unmount_all(void);
/* Frees the table: for tests, after rootfs_forget(). */
void mounts_forget(void);

/* /proc/self/mounts and mountinfo. */
bool mounts_show(struct seq_file *m, u64 *cursor);
bool mountinfo_show(struct seq_file *m, u64 *cursor);
