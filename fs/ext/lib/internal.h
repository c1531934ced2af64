/* What the library's half has for itself; not to be mixed with fs/ext/ext.h. */
#pragma once

#include "fs/ext/ext_lib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "ext2fs/ext2_fs.h"
#include "ext2fs/ext2fs.h"

/* Blocks [first, first + count) that were given up. */
struct ext_range {
	u64 first, count;
};

struct ext_lib {
	ext2_filsys fs;
	struct ext_fs *x;
	u8 *groups;			/* 1: its bitmaps have changed */
	struct ext_range *gave_up;
	u32 nr_gave_up, max_gave_up;
	void *block;			/* room for one */
	bool last_kept;			/* see ext_keep_last() */
};

static inline ext2_filsys ext_fs_of(void *handle)
{
	return ((struct ext_lib *)handle)->fs;
}

int ext_errno(errcode_t err);
/* How libext2fs reaches the disk. */
io_manager ext_manager(void);

int ext_get_inode(struct ext_lib *lib, u32 ino, struct ext2_inode_large *i);
int ext_put_inode(struct ext_lib *lib, u32 ino, struct ext2_inode_large *i);

/* Does the inode on the disk reach to byte @end? */
bool ext_has_extra(const struct ext2_inode_large *i, size_t end);
void ext_set_time(u32 *sec, u32 *extra, bool has_extra, u64 ns);

#define EXTRA(i, which)							\
	ext_has_extra(i, offsetof(struct ext2_inode_large,		\
				  i_##which##_extra) + 4)
#define SET_TIME(i, which, ns)						\
	ext_set_time(&(i)->i_##which, &(i)->i_##which##_extra,		\
		     EXTRA(i, which), ns)

/* libext2fs calls it for each block that is taken or given up. */
void ext_block_stats(ext2_filsys fs, blk64_t block, int inuse);
/* Inode @ino of the bitmap has changed. */
void ext_inode_changed(struct ext_lib *lib, u32 ino);
int ext_put_super(struct ext_lib *lib);

/*
 * libext2fs 1.47.0 refuses to give up an extent that ends with the file
 * system's last block. So ext_punch() makes it seem longer meanwhile; where
 * that block would be the first of a group that has no descriptor, nobody
 * gets the last one (ext_keep_last(), when it is opened).
 */
void ext_keep_last(struct ext_lib *lib);
errcode_t ext_punch(struct ext_lib *lib, u32 ino, struct ext2_inode *inode,
		    u64 first, u64 last);
