/*
 * The file system that lives in memory: what holds the names and the files
 * at "/". The archive's files are used in place until they are written.
 */
#pragma once

#include "fs/inode.h"

/*
 * A new, empty inode of any type (S_IF and permissions in @mode): one
 * reference, no link. NULL if memory is out. Task.
 */
struct inode *tmpfs_inode(u32 mode) __must_check;
/* A symbolic link: @target (@len bytes) is copied. NULL: no memory. Task. */
struct inode *tmpfs_symlink_inode(const char *target, size_t len)
	__must_check;

/*
 * Links @inode as @name in @dir, under tree_lock; the caller keeps its
 * reference. @copy as in dentry_new(). The dentry, borrowed from the
 * directory, or NULL if memory is out.
 */
struct dentry *tmpfs_link(struct dentry *dir, const char *name, size_t len,
			  bool copy, struct inode *inode)
	__must_hold(tree_lock) __must_check;
/* Takes the name out of its directory. tree_lock held. */
void tmpfs_unlink(struct dentry *dentry) __must_hold(tree_lock);
bool tmpfs_dir_empty(const struct inode *dir) __must_hold(tree_lock);
/* Frees everything below @dentry, and that: for tests. */
void tmpfs_remove_tree(struct dentry *dentry) __must_hold(tree_lock);
/* What fcntl(2) has sealed an inode against. */
#define F_SEAL_SEAL		1u
#define F_SEAL_SHRINK		2u
#define F_SEAL_GROW		4u
#define F_SEAL_WRITE		8u
#define F_SEAL_FUTURE_WRITE	16u

extern const struct file_operations vfs_dir_fops;	/* fs/readdir.c */
/* A directory's read_iter: -EISDIR. */
ssize_t vfs_dir_read(struct file *file, struct iov_iter *to, loff_t *pos);
extern const struct file_operations tmpfs_file_fops;	/* tmpfs_file.c */

/*
 * A regular file's contents. @size is a new size: 0, -EFBIG, -EPERM (sealed).
 * Task; takes inode->lock.
 */
int tmpfs_truncate(struct inode *inode, u64 size) __must_check;
/* [@pos, @pos + @len) becomes a hole: 0, -EPERM (sealed), -ENOSPC. Task. */
int tmpfs_punch(struct inode *inode, u64 pos, u64 len);
/* SEEK_DATA and SEEK_HOLE: the position, or -ENXIO. Task. */
loff_t tmpfs_seek(struct inode *inode, loff_t pos, bool data);

/*
 * Page @index with a reference, for a mapping: the file's own, made if it is
 * not there. NULL with *@err -ENXIO (past the end) or -ENOMEM. Task; takes
 * only data_lock.
 */
/*
 * The bytes at @pos where they stand, at most @n in a row, with a reference
 * in *@run. False: the end, or what has to be copied. Task.
 */
bool tmpfs_run(struct inode *inode, u64 pos, size_t n, struct page_run *run);

struct page *tmpfs_get_page(struct inode *inode, u64 index, int *err);
/*
 * The bytes of page @index where the archive has them, if they fill a page
 * there, or are followed by zeroes at the file's end, and nobody has written
 * to them; else NULL. Borrowed for good. Task; takes only data_lock.
 */
const void *tmpfs_constant_page(struct inode *inode, u64 index);
/* Copies what stands at @pos to kernel memory; bytes, 0 at the end. Task. */
size_t tmpfs_read_at(struct inode *inode, u64 pos, void *buf, size_t n);
