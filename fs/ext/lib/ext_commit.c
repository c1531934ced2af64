/*
 * What libext2fs keeps in memory until a file system is closed, and a commit
 * needs on the disk: bitmaps, group descriptors, superblock; only those that
 * changed. And the blocks that were given up: nobody may have them before the
 * commit that says so, or a crash would leave them to two.
 */
#include "fs/ext/ext_lib.h"

#include "fs/ext/lib/internal.h"

#define SUPER_POS	1024u

/* Notes it. False: no memory, and it stays taken until e2fsck finds it. */
static bool note_range(struct ext_lib *lib, u64 block)
{
	struct ext_range *r = lib->gave_up, *more;
	u32 n = lib->nr_gave_up;

	if (n && r[n - 1].first + r[n - 1].count == block) {
		r[n - 1].count++;
		return true;
	}
	if (n == lib->max_gave_up) {
		more = realloc(r, (n + 64) * sizeof(*more));
		if (!more)
			return false;
		lib->gave_up = more;
		lib->max_gave_up = n + 64;
	}
	lib->gave_up[n] = (struct ext_range){ block, 1 };
	lib->nr_gave_up++;
	return true;
}

void ext_block_stats(ext2_filsys fs, blk64_t block, int inuse)
{
	struct ext_lib *lib = fs->priv_data;

	lib->groups[ext2fs_group_of_blk2(fs, block)] = 1;
	if (inuse > 0)
		return;
	/* What it held is nothing that a replay should bring back. */
	ext_cache_drop(lib->x, block);
	ext2fs_mark_block_bitmap2(fs->block_map, block);
	(void)note_range(lib, block);
}

static u64 last_block(ext2_filsys fs)
{
	return ext2fs_blocks_count(fs->super) - 1;
}

/* Would a block more have a group descriptor, be it an unused one? */
static bool has_descriptor(ext2_filsys fs)
{
	return ext2fs_group_of_blk2(fs, last_block(fs) + 1) <
	       fs->group_desc_count ||
	       fs->group_desc_count % EXT2_DESC_PER_BLOCK(fs->super);
}

void ext_keep_last(struct ext_lib *lib)
{
	ext2_filsys fs = lib->fs;

	if (has_descriptor(fs) ||
	    ext2fs_test_block_bitmap2(fs->block_map, last_block(fs)))
		return;
	ext2fs_mark_block_bitmap2(fs->block_map, last_block(fs));
	lib->last_kept = true;
}

errcode_t ext_punch(struct ext_lib *lib, u32 ino, struct ext2_inode *inode,
		    u64 first, u64 last)
{
	ext2_filsys fs = lib->fs;
	bool longer = inode->i_flags & EXT4_EXTENTS_FL && has_descriptor(fs);
	u64 n = ext2fs_blocks_count(fs->super);
	errcode_t err;

	if (longer)
		ext2fs_blocks_count_set(fs->super, n + 1);
	err = ext2fs_punch(fs, ino, inode, NULL, first, last);
	ext2fs_blocks_count_set(fs->super, n);
	return err;
}

void ext_inode_changed(struct ext_lib *lib, u32 ino)
{
	lib->groups[ext2fs_group_of_ino(lib->fs, ino)] = 1;
}

bool ext_lib_gave_up(void *handle)
{
	return ((struct ext_lib *)handle)->nr_gave_up;
}

static void free_given_up(struct ext_lib *lib)
{
	for (u32 i = 0; i < lib->nr_gave_up; i++) {
		const struct ext_range *r = &lib->gave_up[i];

		ext2fs_unmark_block_bitmap_range2(lib->fs->block_map, r->first,
						  (unsigned int)r->count);
	}
	lib->nr_gave_up = 0;
}

/* What lies behind the last group's end counts as taken. */
static void pad_last_group(ext2_filsys fs, dgrp_t group, void *bits)
{
	u64 last = (ext2fs_blocks_count(fs->super) -
		    fs->super->s_first_data_block) %
		   EXT2_BLOCKS_PER_GROUP(fs->super);

	if (group != fs->group_desc_count - 1 || !last)
		return;
	for (u64 i = last; i < fs->blocksize * 8ull; i++)
		ext2fs_set_bit64(i, bits);
}

static errcode_t put_block_bitmap(struct ext_lib *lib, dgrp_t group)
{
	ext2_filsys fs = lib->fs;
	u32 bits = EXT2_CLUSTERS_PER_GROUP(fs->super);
	blk64_t where;
	errcode_t err;

	memset(lib->block, 0xff, fs->blocksize);
	err = ext2fs_get_block_bitmap_range2(fs->block_map,
			fs->super->s_first_data_block + (u64)group * bits,
			bits, lib->block);
	if (err)
		return err;
	pad_last_group(fs, group, lib->block);
	/* To others it is as free as it is. */
	if (lib->last_kept && group == fs->group_desc_count - 1)
		ext2fs_clear_bit64((last_block(fs) -
				    fs->super->s_first_data_block) % bits,
				   lib->block);
	err = ext2fs_block_bitmap_csum_set(fs, group, lib->block, bits / 8);
	if (err)
		return err;
	where = ext2fs_block_bitmap_loc(fs, group);
	return io_channel_write_blk64(fs->io, where, 1, lib->block);
}

static errcode_t put_inode_bitmap(struct ext_lib *lib, dgrp_t group)
{
	ext2_filsys fs = lib->fs;
	u32 bits = EXT2_INODES_PER_GROUP(fs->super);
	blk64_t where;
	errcode_t err;

	memset(lib->block, 0xff, fs->blocksize);
	err = ext2fs_get_inode_bitmap_range2(fs->inode_map,
					     1 + (u64)group * bits, bits,
					     lib->block);
	if (err)
		return err;
	err = ext2fs_inode_bitmap_csum_set(fs, group, lib->block,
					   (bits + 7) / 8);
	if (err)
		return err;
	where = ext2fs_inode_bitmap_loc(fs, group);
	return io_channel_write_blk64(fs->io, where, 1, lib->block);
}

static errcode_t put_group(struct ext_lib *lib, dgrp_t group)
{
	ext2_filsys fs = lib->fs;
	errcode_t err = 0;

	if (!ext2fs_bg_flags_test(fs, group, EXT2_BG_BLOCK_UNINIT))
		err = put_block_bitmap(lib, group);
	if (!err && !ext2fs_bg_flags_test(fs, group, EXT2_BG_INODE_UNINIT))
		err = put_inode_bitmap(lib, group);
	ext2fs_group_desc_csum_set(fs, group);
	return err;
}

/* The block that has the descriptors of @group. */
static errcode_t put_descriptors(struct ext_lib *lib, u32 nr)
{
	ext2_filsys fs = lib->fs;
	blk64_t where = ext2fs_descriptor_block_loc2(fs,
				fs->super->s_first_data_block, nr);

	return io_channel_write_blk64(fs->io, where, 1,
				      (char *)fs->group_desc +
				      (size_t)nr * fs->blocksize);
}

int ext_put_super(struct ext_lib *lib)
{
	ext2_filsys fs = lib->fs;
	u64 block = SUPER_POS / fs->blocksize;
	errcode_t err;

	fs->super->s_wtime = (u32)(ext_now() / 1000000000);
	err = ext2fs_superblock_csum_set(fs, fs->super);
	if (!err)
		err = io_channel_read_blk64(fs->io, block, 1, lib->block);
	if (err)
		return ext_errno(err);
	memcpy((char *)lib->block + SUPER_POS % fs->blocksize, fs->super,
	       SUPERBLOCK_SIZE);
	return ext_errno(io_channel_write_blk64(fs->io, block, 1,
						lib->block));
}

int ext_lib_prepare_commit(void *handle)
{
	struct ext_lib *lib = handle;
	u32 per_block = EXT2_DESC_PER_BLOCK(lib->fs->super);
	errcode_t err = 0;
	bool any = false;

	free_given_up(lib);
	for (dgrp_t g = 0; g < lib->fs->group_desc_count && !err; g++) {
		bool last = g + 1 == lib->fs->group_desc_count ||
			    (g + 1) % per_block == 0;

		if (lib->groups[g])
			err = put_group(lib, g);
		any |= lib->groups[g];
		lib->groups[g] = 0;
		if (last && any && !err) {
			err = put_descriptors(lib, g / per_block);
			any = false;
		}
	}
	if (err || !(lib->fs->flags & EXT2_FLAG_DIRTY))
		return ext_errno(err);
	lib->fs->flags &= ~EXT2_FLAG_DIRTY;
	return ext_put_super(lib);
}
