/*
 * ext2 and ext4: the kernel's half. The format itself is libext2fs's affair
 * (ext_lib.c). Here are the blocks that it changed and what makes a change
 * whole or void (ext_cache.c, ext_journal.c), names (ext_fs.c), files
 * (ext_file.c). docs/files.md says why a crash loses nothing.
 */
#pragma once

#include "fs/disk.h"
#include "fs/ext/ext_lib.h"
#include "fs/mount.h"
#include "kernel/mutex.h"
#include "kernel/rbtree.h"

#define EXT_CLEAN_MAX	64u	/* unchanged blocks that are kept */
#define EXT_DIRTY_MAX	192u	/* changed ones before they are committed */

/* A metadata block in memory. All under ext_fs.lock. */
struct ext_buf {
	struct rb_node node;		/* by number */
	struct list_head list;		/* of the changed or the unchanged */
	u64 block;
	bool dirty;
	u8 *data;			/* has a physical address */
};

/* Where the journal is; see ext_journal.c. */
struct ext_journal {
	u64 *map;			/* its blocks on the disk */
	u32 blocks;			/* 0: there is none */
	u32 first, half;		/* the two places for a transaction */
	u32 sequence;			/* of the next transaction */
	u32 seed;			/* of checksums */
	u8 *super;			/* its first block */
};

/* Locks: c const once mounted, l lock. */
struct ext_fs {
	struct mount *m;		/* c */
	struct disk *disk;		/* c */
	struct mutex lock;		/* over every operation and its I/O */
	void *lib;			/* l  libext2fs's handle */
	struct ext_geometry g;		/* c */
	u32 block_size;			/* l */
	u8 *scratch;			/* l  room for a block */
	struct rb_root bufs;		/* l */
	struct list_head dirty, clean;	/* l  the least recently used last */
	u32 nr_dirty, nr_clean;		/* l */
	bool through;			/* l  changes go to the disk at once */
	bool unflushed;			/* l  written since the last flush */
	int failed;			/* l  nothing is changed any more */
	struct ext_journal journal;	/* l */
	struct wait_queue_head wait;	/* ext_commit_task */
};

static inline u64 ext_sector(const struct ext_fs *x, u64 block)
{
	return block * (x->block_size / DISK_SECTOR);
}

/* The disk could not be written: says so once; the file system is stuck. */
int ext_fail(struct ext_fs *x, int err);
/* Blocks [@block, + @n pieces) of the file system. 0 or -errno. */
int ext_disk_rw(struct ext_fs *x, bool write, u64 block,
		const struct disk_piece *pieces, unsigned int n);
/* Forgets all blocks: there must be no changed one that matters. */
void ext_cache_empty(struct ext_fs *x);
/* Everything changed up to now stays. 0 or -errno. */
int ext_commit(struct ext_fs *x);
/* After a change: commits if much has come together. */
void ext_changed(struct ext_fs *x);

/* Reads the journal's superblock. 0 or -errno after saying why. Boot. */
int ext_journal_open(struct ext_fs *x);
/*
 * Writes the changed blocks to the journal, for good. 0 or -errno; 1: they
 * are too many, and nothing of them is safe yet.
 */
int ext_journal_write(struct ext_fs *x);
/* Nothing in it is needed any more. */
int ext_journal_clear(struct ext_fs *x);

/* Inode numbers fit 32 bits; the mount's inode has 64. */
static inline struct ext_fs *ext_of(const struct inode *inode)
{
	return mount_of(inode)->fs;
}

/* For ext_file.c: cut or grow a file. ext_fs.lock held. */
int ext_truncate(struct inode *inode, u64 size);

/* For fs_type. */
ssize_t ext_pread(struct file *file, u64 pos, void *buf, size_t n);
ssize_t ext_pwrite(struct file *file, u64 pos, void *buf, size_t n);

extern const struct file_operations ext_file_fops, ext_dir_fops;
