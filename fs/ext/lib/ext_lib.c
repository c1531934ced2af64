/*
 * libext2fs, called: opening, what a commit needs, inodes and their blocks.
 * Names are in ext_names.c. This half sees a C library's headers and the
 * library's own, and of the kernel only fs/ext/ext_lib.h.
 */
#include "fs/ext/ext_lib.h"

#include "fs/ext/lib/internal.h"

#include <stdio.h>

#define REFUSED_INCOMPAT (EXT4_FEATURE_INCOMPAT_INLINE_DATA |		\
			  EXT4_FEATURE_INCOMPAT_ENCRYPT |		\
			  EXT4_FEATURE_INCOMPAT_CASEFOLD |		\
			  EXT4_FEATURE_INCOMPAT_MMP |			\
			  EXT4_FEATURE_INCOMPAT_EA_INODE |		\
			  EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
#define REFUSED_RO	(EXT4_FEATURE_RO_COMPAT_BIGALLOC |		\
			 EXT4_FEATURE_RO_COMPAT_QUOTA |			\
			 EXT4_FEATURE_RO_COMPAT_PROJECT |		\
			 EXT4_FEATURE_RO_COMPAT_VERITY |		\
			 EXT4_FEATURE_RO_COMPAT_SHARED_BLOCKS)
/* So much of a journal is used, for two transactions; it may be longer. */
#define JOURNAL_MAX	4096u

errcode_t ext2fs_run_ext3_journal(ext2_filsys *fs);

int ext_errno(errcode_t err)
{
	switch (err) {
	case 0:
		return 0;
	case EXT2_ET_NO_MEMORY:
		return -ENOMEM;
	case EXT2_ET_FILE_NOT_FOUND:
		return -ENOENT;
	case EXT2_ET_BLOCK_ALLOC_FAIL:
	case EXT2_ET_INODE_ALLOC_FAIL:
	case EXT2_ET_DIR_NO_SPACE:
		return -ENOSPC;
	case EXT2_ET_FILE_TOO_BIG:
		return -EFBIG;
	case EXT2_ET_FILE_EXISTS:
	case EXT2_ET_DIR_EXISTS:
		return -EEXIST;
	case EXT2_ET_RO_FILSYS:
		return -EROFS;
	case ENOMEM:
		return -ENOMEM;
	default:
		/* What the disk holds makes no sense, or cannot be read. */
		return -EIO;
	}
}

/* --- the disk, as libext2fs wants it --- */

static struct ext_fs *ext_of_channel(io_channel ch)
{
	return ch->private_data;
}

static errcode_t io_close(io_channel ch)
{
	if (--ch->refcount > 0)
		return 0;
	ext_free(ch->name);
	ext_free(ch);
	return 0;
}

static errcode_t io_set_blksize(io_channel ch, int size)
{
	ch->block_size = size;
	return 0;
}

/* A negative count is a length in bytes: the superblock's, before all else. */
static errcode_t io_read64(io_channel ch, unsigned long long block, int count,
			   void *data)
{
	struct ext_fs *x = ext_of_channel(ch);
	int err = 0;

	if (count < 0)
		return (errcode_t)-ext_read_bytes(x, block * ch->block_size,
						  data, (u32)-count);
	ext_cache_block_size(x, (u32)ch->block_size);
	for (int i = 0; i < count && !err; i++)
		err = ext_cache_read(x, block + (u32)i,
				     (char *)data + i * ch->block_size);
	return (errcode_t)-err;
}

static errcode_t io_write64(io_channel ch, unsigned long long block, int count,
			    const void *data)
{
	struct ext_fs *x = ext_of_channel(ch);
	int err = count < 0 ? -EIO : 0;

	ext_cache_block_size(x, (u32)ch->block_size);
	for (int i = 0; i < count && !err; i++)
		err = ext_cache_write(x, block + (u32)i,
				      (const char *)data + i * ch->block_size);
	return (errcode_t)-err;
}

static errcode_t io_read(io_channel ch, unsigned long block, int count,
			 void *data)
{
	return io_read64(ch, block, count, data);
}

static errcode_t io_write(io_channel ch, unsigned long block, int count,
			  const void *data)
{
	return io_write64(ch, block, count, data);
}

static errcode_t io_flush(io_channel ch)
{
	return (errcode_t)-ext_flush(ext_of_channel(ch));
}

static errcode_t io_open(const char *name, int flags, io_channel *out)
{
	io_channel ch = calloc(1, sizeof(*ch));
	char *copy = strdup(name);

	(void)flags;
	if (!ch || !copy) {
		free(ch);
		free(copy);
		return EXT2_ET_NO_MEMORY;
	}
	ch->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	ch->manager = ext_manager();
	ch->name = copy;
	ch->block_size = 1024;
	ch->refcount = 1;
	ch->private_data = ext_by_disk(name);
	*out = ch;
	return 0;
}

static struct struct_io_manager disk_io_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "disk",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_blksize,
	.read_blk = io_read,
	.write_blk = io_write,
	.read_blk64 = io_read64,
	.write_blk64 = io_write64,
	.flush = io_flush,
};

io_manager ext_manager(void)
{
	return &disk_io_manager;
}

/* --- opening --- */

static void say(const char *name, const char *what, errcode_t err)
{
	char text[160];

	if (err)
		snprintf(text, sizeof(text), "%s: %s (libext2fs says %ld)",
			 name, what, (long)err);
	else
		snprintf(text, sizeof(text), "%s: %s", name, what);
	ext_complain(text);
}

/* What cannot be done with this file system; NULL: nothing. */
static const char *refusal(ext2_filsys fs, bool rw)
{
	struct ext2_super_block *sb = fs->super;

	if (sb->s_feature_incompat & REFUSED_INCOMPAT ||
	    (rw && sb->s_feature_ro_compat & REFUSED_RO))
		return "has features that are not supported; mke2fs -t ext4 makes one without";
	if (rw && !ext2fs_has_feature_journal(sb) &&
	    !(sb->s_state & EXT2_VALID_FS))
		return "was not closed properly and has no journal; run e2fsck -p on it";
	if (rw && sb->s_state & EXT2_ERROR_FS)
		return "has errors; run e2fsck on it";
	if (!rw && ext2fs_has_feature_journal_needs_recovery(sb))
		return "has a journal to replay, so it must be mounted for writing once";
	if (ext2fs_has_feature_journal(sb) && !sb->s_journal_inum)
		return "has its journal elsewhere, which is not supported";
	return NULL;
}

static errcode_t read_all(ext2_filsys *fs, const char *name, bool rw,
			  const char **wrong)
{
	int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP |
		    (rw ? EXT2_FLAG_RW : 0);
	errcode_t err;

	*wrong = "is no ext2 or ext4 that can be used; e2fsck may mend it";
	err = ext2fs_open(name, flags, 0, 0, &disk_io_manager, fs);
	if (err)
		return err;
	*wrong = refusal(*fs, rw);
	if (*wrong)
		return 0;
	if (rw && ext2fs_has_feature_journal_needs_recovery((*fs)->super)) {
		*wrong = "has a journal that cannot be replayed; run e2fsck on it";
		err = ext2fs_run_ext3_journal(fs);
		if (err || !*fs)
			return err ? err : EXT2_ET_NO_JOURNAL;
	}
	*wrong = "has bitmaps that cannot be read; run e2fsck on it";
	err = ext2fs_read_bitmaps(*fs);
	if (!err)
		*wrong = NULL;
	return err;
}

/* Does it lie outside the file system? */
static bool bad_block(ext2_filsys fs, blk64_t block)
{
	return block < fs->super->s_first_data_block ||
	       block >= ext2fs_blocks_count(fs->super);
}

/* Where the journal's blocks are. NULL with *@err 0: there is none. */
static u64 *journal_map(ext2_filsys fs, u32 *blocks, errcode_t *err)
{
	struct ext2_inode inode;
	blk64_t block = 0;
	u64 n, *map;

	*err = 0;
	if (!ext2fs_has_feature_journal(fs->super))
		return NULL;
	*err = ext2fs_read_inode(fs, fs->super->s_journal_inum, &inode);
	if (*err)
		return NULL;
	n = EXT2_I_SIZE(&inode) / fs->blocksize;
	*err = EXT2_ET_JOURNAL_TOO_SMALL;
	if (n < 128)
		return NULL;
	n = n > JOURNAL_MAX ? JOURNAL_MAX : n;
	map = ext_alloc(n * sizeof(*map));
	*err = map ? 0 : EXT2_ET_NO_MEMORY;
	for (u64 i = 0; i < n && !*err; i++) {
		*err = ext2fs_bmap2(fs, fs->super->s_journal_inum, &inode,
				    NULL, 0, i, NULL, &block);
		if (!*err && (!block || bad_block(fs, block)))
			*err = EXT2_ET_BAD_BLOCK_NUM;
		map[i] = block;
	}
	*blocks = (u32)n;
	if (*err) {
		ext_free(map);
		return NULL;
	}
	return map;
}

void ext_lib_free(void *handle)
{
	struct ext_lib *lib = handle;

	if (lib->fs)
		ext2fs_free(lib->fs);
	ext_free(lib->groups);
	ext_free(lib->gave_up);
	ext_free(lib->block);
	ext_free(lib);
}

void *ext_lib_open(struct ext_fs *x, const char *name, bool rw,
		   struct ext_geometry *g)
{
	struct ext_lib *lib = calloc(1, sizeof(*lib));
	const char *wrong = "no memory; give the machine more (-m)";
	errcode_t err = EXT2_ET_NO_MEMORY;

	if (!lib)
		goto failed;
	lib->x = x;
	err = read_all(&lib->fs, name, rw, &wrong);
	if (err || wrong)
		goto failed;
	wrong = "has a journal that is damaged; run e2fsck on it";
	if (rw)
		g->journal = journal_map(lib->fs, &g->journal_blocks, &err);
	if (err)
		goto failed;
	lib->groups = calloc(lib->fs->group_desc_count + 1, 1);
	lib->block = ext_alloc(lib->fs->blocksize);
	wrong = "no memory; give the machine more (-m)";
	if (!lib->groups || !lib->block)
		goto failed;
	lib->fs->priv_data = lib;
	ext_keep_last(lib);
	ext2fs_set_block_alloc_stats_callback(lib->fs, ext_block_stats, NULL);
	g->block_size = lib->fs->blocksize;
	g->blocks = ext2fs_blocks_count(lib->fs->super);
	g->root = EXT2_ROOT_INO;
	return lib;
failed:
	say(name, wrong, err);
	if (lib)
		ext_lib_free(lib);
	return NULL;
}

int ext_lib_mark(void *handle, bool in_use)
{
	ext2_filsys fs = ext_fs_of(handle);
	struct ext2_super_block *sb = fs->super;

	if (in_use) {
		sb->s_mtime = (u32)(ext_now() / 1000000000);
		sb->s_mnt_count++;
	}
	if (!ext2fs_has_feature_journal(sb))
		sb->s_state = in_use ? sb->s_state & ~EXT2_VALID_FS :
				       sb->s_state | EXT2_VALID_FS;
	else if (in_use)
		ext2fs_set_feature_journal_needs_recovery(sb);
	else
		ext2fs_clear_feature_journal_needs_recovery(sb);
	return ext_put_super(handle);
}

/* --- inodes --- */

int ext_get_inode(struct ext_lib *lib, u32 ino, struct ext2_inode_large *i)
{
	if (ino < EXT2_ROOT_INO || ino > lib->fs->super->s_inodes_count)
		return -EIO;
	memset(i, 0, sizeof(*i));
	return ext_errno(ext2fs_read_inode_full(lib->fs, ino,
						EXT2_INODE(i), sizeof(*i)));
}

int ext_put_inode(struct ext_lib *lib, u32 ino, struct ext2_inode_large *i)
{
	return ext_errno(ext2fs_write_inode_full(lib->fs, ino, EXT2_INODE(i),
						 sizeof(*i)));
}

bool ext_has_extra(const struct ext2_inode_large *i, size_t end)
{
	return (size_t)EXT2_GOOD_OLD_INODE_SIZE + i->i_extra_isize >= end;
}

void ext_set_time(u32 *sec, u32 *extra, bool has_extra, u64 ns)
{
	u64 s = ns / 1000000000;

	*sec = (u32)s;
	/* Two more bits of seconds, then nanoseconds. */
	if (has_extra)
		*extra = (u32)(s >> 32 & 3) | (u32)(ns % 1000000000) << 2;
}

static u64 get_time(u32 sec, u32 extra, bool has_extra)
{
	u64 s = sec;

	/* Before 1970 is nobody's file. */
	if (!has_extra)
		return (s32)sec < 0 ? 0 : s * 1000000000;
	if (extra >> 2 >= 1000000000)
		extra &= 3;
	return (s | (u64)(extra & 3) << 32) * 1000000000 + (extra >> 2);
}

static u32 get_rdev(const struct ext2_inode_large *i)
{
	u32 dev = i->i_block[0];

	if (!LINUX_S_ISCHR(i->i_mode) && !LINUX_S_ISBLK(i->i_mode))
		return 0;
	if (dev)
		return dev & 0xffff;
	dev = i->i_block[1];
	return (dev >> 8 & 0xfff) << 8 | (dev & 0xff);
}

int ext_lib_getattr(void *handle, u32 ino, struct ext_attr *a)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (err)
		return err;
	a->mode = i.i_mode;
	a->nlink = i.i_links_count;
	a->uid = inode_uid(i);
	a->gid = inode_gid(i);
	a->rdev = get_rdev(&i);
	a->size = EXT2_I_SIZE(&i);
	a->sectors = ext2fs_get_stat_i_blocks(lib->fs, EXT2_INODE(&i));
	a->atime = get_time(i.i_atime, i.i_atime_extra, EXTRA(&i, atime));
	a->mtime = get_time(i.i_mtime, i.i_mtime_extra, EXTRA(&i, mtime));
	a->ctime = get_time(i.i_ctime, i.i_ctime_extra, EXTRA(&i, ctime));
	return a->size >> 63 ? -EIO : 0;
}

int ext_lib_setattr(void *handle, u32 ino, const struct ext_attr *a)
{
	struct ext2_inode_large i;
	int err = ext_get_inode(handle, ino, &i);

	if (err)
		return err;
	i.i_mode = (u16)((i.i_mode & LINUX_S_IFMT) |
			 (a->mode & ~LINUX_S_IFMT));
	i.i_uid = (u16)a->uid;
	i.osd2.linux2.l_i_uid_high = (u16)(a->uid >> 16);
	i.i_gid = (u16)a->gid;
	i.osd2.linux2.l_i_gid_high = (u16)(a->gid >> 16);
	SET_TIME(&i, atime, a->atime);
	SET_TIME(&i, mtime, a->mtime);
	SET_TIME(&i, ctime, ext_now());
	return ext_put_inode(handle, ino, &i);
}

void ext_lib_room(void *handle, struct ext_room *r)
{
	struct ext2_super_block *sb = ext_fs_of(handle)->super;

	r->blocks = ext2fs_blocks_count(sb);
	r->free_blocks = ext2fs_free_blocks_count(sb);
	r->inodes = sb->s_inodes_count;
	r->free_inodes = sb->s_free_inodes_count;
}

/* --- a file's blocks --- */

int ext_lib_map(void *handle, u32 ino, u64 index, bool alloc, u64 *block,
		bool *fresh)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	blk64_t phys = 0;
	int flags = 0, err = ext_get_inode(lib, ino, &i);

	*fresh = false;
	*block = 0;
	if (err)
		return err;
	err = ext_errno(ext2fs_bmap2(lib->fs, ino, EXT2_INODE(&i), NULL, 0,
				     index, &flags, &phys));
	if (err)
		return err;
	if (phys && bad_block(lib->fs, phys))
		return -EIO;
	if (phys && flags & BMAP_RET_UNINIT) {
		/* Reserved, and reads as zero until it is written. */
		if (alloc)
			err = ext_errno(ext2fs_bmap2(lib->fs, ino,
						     EXT2_INODE(&i), NULL,
						     BMAP_SET, index, NULL,
						     &phys));
		else
			phys = 0;
		*fresh = alloc;
	} else if (!phys && alloc) {
		err = ext_errno(ext2fs_bmap2(lib->fs, ino, EXT2_INODE(&i),
					     NULL, BMAP_ALLOC, index, NULL,
					     &phys));
		*fresh = true;
	}
	if (err)
		return err;
	/* The library has zeroed it as if it were its own. */
	if (*fresh)
		ext_cache_drop(lib->x, phys);
	*block = phys;
	return 0;
}

int ext_lib_written(void *handle, u32 ino, u64 end)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (!err && end > EXT2_I_SIZE(&i))
		err = ext_errno(ext2fs_inode_size_set(lib->fs, EXT2_INODE(&i),
						      (ext2_off64_t)end));
	if (err)
		return err;
	SET_TIME(&i, mtime, ext_now());
	SET_TIME(&i, ctime, ext_now());
	return ext_put_inode(lib, ino, &i);
}

/* Can a file of that kind have a block with that number? */
static bool too_big(ext2_filsys fs, struct ext2_inode *inode, u64 block)
{
	u64 ptrs = fs->blocksize / 4;

	if (inode->i_flags & EXT4_EXTENTS_FL)
		return block >= UINT32_MAX;
	return block >= EXT2_NDIR_BLOCKS + ptrs + ptrs * ptrs +
			ptrs * ptrs * ptrs || block > UINT32_MAX;
}

int ext_lib_truncate(void *handle, u32 ino, u64 size)
{
	struct ext_lib *lib = handle;
	u64 keep = (size + lib->fs->blocksize - 1) / lib->fs->blocksize;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (!err && too_big(lib->fs, EXT2_INODE(&i), keep ? keep - 1 : 0))
		err = -EFBIG;
	if (!err && size < EXT2_I_SIZE(&i))
		err = ext_errno(ext_punch(lib, ino, EXT2_INODE(&i), keep,
					  ~0ull));
	if (!err)
		err = ext_errno(ext2fs_inode_size_set(lib->fs, EXT2_INODE(&i),
						      (ext2_off64_t)size));
	if (err)
		return err;
	SET_TIME(&i, mtime, ext_now());
	SET_TIME(&i, ctime, ext_now());
	return ext_put_inode(lib, ino, &i);
}

int ext_lib_punch(void *handle, u32 ino, u64 first, u64 last)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (!err)
		err = ext_errno(ext_punch(lib, ino, EXT2_INODE(&i), first,
					  last));
	if (err)
		return err;
	SET_TIME(&i, mtime, ext_now());
	SET_TIME(&i, ctime, ext_now());
	return ext_put_inode(lib, ino, &i);
}

u32 ext_crc32c(u32 crc, const void *data, size_t n)
{
	return ext2fs_crc32c_le(crc, data, n);
}
