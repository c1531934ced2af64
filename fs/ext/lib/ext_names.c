/*
 * libext2fs, called: names, and the inodes behind them that come and go. A
 * file without a name that is still open is on the superblock's list of
 * orphans, so that e2fsck, Linux or our next mount frees it after a crash.
 */
#include "fs/ext/ext_lib.h"

#include "fs/ext/lib/internal.h"

static u32 now_seconds(void)
{
	return (u32)(ext_now() / 1000000000);
}

static int file_type(u32 mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
		return EXT2_FT_REG_FILE;
	case LINUX_S_IFDIR:
		return EXT2_FT_DIR;
	case LINUX_S_IFLNK:
		return EXT2_FT_SYMLINK;
	case LINUX_S_IFCHR:
		return EXT2_FT_CHRDEV;
	case LINUX_S_IFBLK:
		return EXT2_FT_BLKDEV;
	case LINUX_S_IFIFO:
		return EXT2_FT_FIFO;
	default:
		return EXT2_FT_SOCK;
	}
}

int ext_lib_lookup(void *handle, u32 dir, const char *name, u32 *ino)
{
	struct ext_lib *lib = handle;
	ext2_ino_t found = 0;
	int err = ext_errno(ext2fs_lookup(lib->fs, dir, name,
					  (int)strlen(name), NULL, &found));

	if (!err && (found < EXT2_ROOT_INO ||
		     found > lib->fs->super->s_inodes_count))
		err = -EIO;
	*ino = found;
	return err;
}

/* A directory's times, and its links change by @links. */
static int touch_dir(struct ext_lib *lib, u32 dir, int links)
{
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, dir, &i);

	if (err)
		return err;
	/* 1 stands for more than can be counted. */
	if (i.i_links_count > 1)
		i.i_links_count = (u16)(i.i_links_count + links);
	SET_TIME(&i, mtime, ext_now());
	SET_TIME(&i, ctime, ext_now());
	return ext_put_inode(lib, dir, &i);
}

static int add_entry(struct ext_lib *lib, u32 dir, const char *name, u32 ino,
		     u32 mode)
{
	errcode_t err = ext2fs_link(lib->fs, dir, name, ino, file_type(mode));

	if (err == EXT2_ET_DIR_NO_SPACE) {
		err = ext2fs_expand_dir(lib->fs, dir);
		if (!err)
			err = ext2fs_link(lib->fs, dir, name, ino,
					  file_type(mode));
	}
	return ext_errno(err);
}

/* --- making --- */

static errcode_t make_dir(struct ext_lib *lib, u32 dir, u32 ino,
			  const char *name)
{
	errcode_t err = ext2fs_mkdir(lib->fs, dir, ino, name);

	if (err == EXT2_ET_DIR_NO_SPACE) {
		err = ext2fs_expand_dir(lib->fs, dir);
		if (!err)
			err = ext2fs_mkdir(lib->fs, dir, ino, name);
	}
	return err;
}

static errcode_t make_link(struct ext_lib *lib, u32 dir, u32 ino,
			   const char *name, const char *target)
{
	errcode_t err = ext2fs_symlink(lib->fs, dir, ino, name, target);

	if (err == EXT2_ET_DIR_NO_SPACE) {
		err = ext2fs_expand_dir(lib->fs, dir);
		if (!err)
			err = ext2fs_symlink(lib->fs, dir, ino, name, target);
	}
	return err;
}

static errcode_t init_extents(struct ext_lib *lib, u32 ino,
			      struct ext2_inode_large *i)
{
	ext2_extent_handle_t extents;
	errcode_t err;

	if (!LINUX_S_ISREG(i->i_mode) ||
	    !ext2fs_has_feature_extents(lib->fs->super))
		return 0;
	err = ext2fs_extent_open2(lib->fs, ino, EXT2_INODE(i), &extents);
	if (!err)
		ext2fs_extent_free(extents);
	return err;
}

static int make_file(struct ext_lib *lib, u32 dir, u32 ino, const char *name,
		     u32 mode, u32 rdev)
{
	struct ext2_inode_large i = { .i_mode = (u16)mode,
				      .i_links_count = 1 };
	errcode_t err;
	int ret;

	if (lib->fs->super->s_inode_size > EXT2_GOOD_OLD_INODE_SIZE)
		i.i_extra_isize = sizeof(i) - EXT2_GOOD_OLD_INODE_SIZE;
	if (LINUX_S_ISCHR(mode) || LINUX_S_ISBLK(mode))
		i.i_block[0] = rdev;
	err = init_extents(lib, ino, &i);
	if (!err)
		err = ext2fs_write_new_inode(lib->fs, ino, EXT2_INODE(&i));
	if (err)
		return ext_errno(err);
	ext2fs_inode_alloc_stats2(lib->fs, ino, +1, 0);
	ret = add_entry(lib, dir, name, ino, mode);
	if (ret)
		(void)ext_lib_delete(lib, ino);
	return ret;
}

/* What libext2fs has made so far has no times and modes of ours. */
static int finish_inode(struct ext_lib *lib, u32 ino, u32 mode)
{
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (err)
		return err;
	if (!LINUX_S_ISLNK(mode))
		i.i_mode = (u16)mode;
	SET_TIME(&i, atime, ext_now());
	SET_TIME(&i, mtime, ext_now());
	SET_TIME(&i, ctime, ext_now());
	return ext_put_inode(lib, ino, &i);
}

int ext_lib_make(void *handle, u32 dir, const char *name, u32 mode, u32 rdev,
		 const char *target, u32 *ino)
{
	struct ext_lib *lib = handle;
	ext2_ino_t new;
	int err = ext_errno(ext2fs_new_inode(lib->fs, dir, (int)mode, NULL,
					     &new));

	if (err)
		return err;
	ext_inode_changed(lib, new);
	if (LINUX_S_ISDIR(mode))
		err = ext_errno(make_dir(lib, dir, new, name));
	else if (LINUX_S_ISLNK(mode))
		err = ext_errno(make_link(lib, dir, new, name, target));
	else
		err = make_file(lib, dir, new, name, mode, rdev);
	if (!err)
		err = finish_inode(lib, new, mode);
	if (!err)
		err = touch_dir(lib, dir, 0);
	*ino = new;
	return err;
}

/* --- orphans --- */

/* The list goes through i_dtime, from s_last_orphan on. */
static int orphan_add(struct ext_lib *lib, u32 ino,
		      struct ext2_inode_large *i)
{
	i->i_dtime = lib->fs->super->s_last_orphan;
	lib->fs->super->s_last_orphan = ino;
	ext2fs_mark_super_dirty(lib->fs);
	return ext_put_inode(lib, ino, i);
}

/* @i is the inode's: its place in the list goes to who comes before it. */
static int orphan_remove(struct ext_lib *lib, u32 ino,
			 const struct ext2_inode_large *i)
{
	struct ext2_super_block *sb = lib->fs->super;
	u32 at = sb->s_last_orphan;
	struct ext2_inode_large before;

	if (at == ino) {
		sb->s_last_orphan = i->i_dtime;
		ext2fs_mark_super_dirty(lib->fs);
		return 0;
	}
	for (u32 n = 0; at && n < sb->s_inodes_count; n++) {
		int err = ext_get_inode(lib, at, &before);

		if (err)
			return err;
		if (before.i_dtime == ino) {
			before.i_dtime = i->i_dtime;
			return ext_put_inode(lib, at, &before);
		}
		at = before.i_dtime;
	}
	return 0;
}

int ext_lib_link(void *handle, u32 dir, const char *name, u32 ino)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (err)
		return err;
	if (i.i_links_count >= EXT2_LINK_MAX)
		return -EMLINK;
	err = add_entry(lib, dir, name, ino, i.i_mode);
	/* One that had no name leaves the list of orphans. */
	if (!err && !i.i_links_count) {
		err = orphan_remove(lib, ino, &i);
		i.i_dtime = 0;
	}
	if (err)
		return err;
	i.i_links_count++;
	SET_TIME(&i, ctime, ext_now());
	err = ext_put_inode(lib, ino, &i);
	return err ? err : touch_dir(lib, dir, 0);
}

static int free_inode(struct ext_lib *lib, u32 ino, struct ext2_inode_large *i)
{
	errcode_t err = 0;

	if (ext2fs_inode_has_valid_blocks2(lib->fs, EXT2_INODE(i)))
		err = ext_punch(lib, ino, EXT2_INODE(i), 0, ~0ull);
	if (!err)
		err = ext2fs_free_ext_attr(lib->fs, ino, i);
	if (err)
		return ext_errno(err);
	i->i_links_count = 0;
	i->i_size = 0;
	i->i_size_high = 0;
	i->i_dtime = now_seconds();
	ext2fs_inode_alloc_stats2(lib->fs, ino, -1,
				  LINUX_S_ISDIR(i->i_mode));
	ext_inode_changed(lib, ino);
	return ext_put_inode(lib, ino, i);
}

int ext_lib_delete(void *handle, u32 ino)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (!err)
		err = orphan_remove(lib, ino, &i);
	return err ? err : free_inode(lib, ino, &i);
}

int ext_lib_orphans(void *handle)
{
	struct ext_lib *lib = handle;
	struct ext2_super_block *sb = lib->fs->super;

	for (u32 n = 0; sb->s_last_orphan && n < sb->s_inodes_count; n++) {
		struct ext2_inode_large i;
		u32 ino = sb->s_last_orphan;
		int err = ext_get_inode(lib, ino, &i);

		if (!err && (ino < EXT2_FIRST_INO(sb) ||
			     !ext2fs_test_inode_bitmap2(lib->fs->inode_map,
							ino)))
			err = -EIO;
		if (err)
			return err;
		sb->s_last_orphan = i.i_dtime;
		ext2fs_mark_super_dirty(lib->fs);
		i.i_dtime = 0;
		/* Linux was cutting it: nothing lies behind its end. */
		if (i.i_links_count)
			err = ext_put_inode(lib, ino, &i) ?:
			      ext_lib_truncate(lib, ino, EXT2_I_SIZE(&i));
		else
			err = free_inode(lib, ino, &i);
		if (err)
			return err;
	}
	return 0;
}

/* --- taking away --- */

/* One name less for @ino; a directory has none left. */
static int drop_link(struct ext_lib *lib, u32 ino)
{
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	if (err)
		return err;
	SET_TIME(&i, ctime, ext_now());
	if (LINUX_S_ISDIR(i.i_mode) || i.i_links_count <= 1) {
		i.i_links_count = 0;
		return orphan_add(lib, ino, &i);
	}
	i.i_links_count--;
	return ext_put_inode(lib, ino, &i);
}

static int count_entries(struct ext2_dir_entry *e, int offset, int blocksize,
			 char *buf, void *arg)
{
	int len = ext2fs_dirent_name_len(e);

	(void)offset;
	(void)blocksize;
	(void)buf;
	if (!e->inode || (len == 1 && e->name[0] == '.') ||
	    (len == 2 && e->name[0] == '.' && e->name[1] == '.'))
		return 0;
	*(bool *)arg = true;
	return DIRENT_ABORT;
}

static int check_empty(struct ext_lib *lib, u32 ino, bool *is_dir)
{
	struct ext2_inode_large i;
	bool full = false;
	int err = ext_get_inode(lib, ino, &i);

	*is_dir = !err && LINUX_S_ISDIR(i.i_mode);
	if (err || !*is_dir)
		return err;
	err = ext_errno(ext2fs_dir_iterate(lib->fs, ino, 0, NULL,
					   count_entries, &full));
	return err ? err : full ? -ENOTEMPTY : 0;
}

int ext_lib_unlink(void *handle, u32 dir, const char *name, u32 ino)
{
	struct ext_lib *lib = handle;
	bool is_dir;
	int err = check_empty(lib, ino, &is_dir);

	if (!err)
		err = ext_errno(ext2fs_unlink(lib->fs, dir, name, ino, 0));
	if (!err)
		err = drop_link(lib, ino);
	return err ? err : touch_dir(lib, dir, is_dir ? -1 : 0);
}

/* --- rename --- */

struct dotdot {
	u32 parent;
	bool found;
};

static int set_dotdot(struct ext2_dir_entry *e, int offset, int blocksize,
		      char *buf, void *arg)
{
	struct dotdot *d = arg;

	(void)offset;
	(void)blocksize;
	(void)buf;
	if (ext2fs_dirent_name_len(e) != 2 || e->name[0] != '.' ||
	    e->name[1] != '.')
		return 0;
	e->inode = d->parent;
	d->found = true;
	return DIRENT_ABORT | DIRENT_CHANGED;
}

static int move_dir(struct ext_lib *lib, u32 ino, u32 from, u32 to)
{
	struct dotdot d = { .parent = to };
	int err = ext_errno(ext2fs_dir_iterate(lib->fs, ino, 0, NULL,
					       set_dotdot, &d));

	if (!err && !d.found)
		err = -EIO;
	if (!err)
		err = touch_dir(lib, from, -1);
	return err ? err : touch_dir(lib, to, 1);
}

int ext_lib_rename(void *handle, u32 from, const char *name, u32 to,
		   const char *new_name, u32 ino, u32 old)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	/* All of it is one transaction: nobody sees it half done. */
	if (!err && old)
		err = ext_lib_unlink(lib, to, new_name, old);
	if (!err)
		err = add_entry(lib, to, new_name, ino, i.i_mode);
	if (!err)
		err = ext_errno(ext2fs_unlink(lib->fs, from, name, ino, 0));
	if (!err && LINUX_S_ISDIR(i.i_mode) && from != to)
		err = move_dir(lib, ino, from, to);
	if (!err)
		err = ext_get_inode(lib, ino, &i);
	if (err)
		return err;
	SET_TIME(&i, ctime, ext_now());
	err = ext_put_inode(lib, ino, &i);
	if (!err)
		err = touch_dir(lib, from, 0);
	return err ? err : touch_dir(lib, to, 0);
}

/* --- reading --- */

int ext_lib_readlink(void *handle, u32 ino, char *buf, size_t size)
{
	struct ext_lib *lib = handle;
	struct ext2_inode_large i;
	u64 block, len;
	bool fresh;
	int err = ext_get_inode(lib, ino, &i);

	if (err)
		return err;
	len = EXT2_I_SIZE(&i);
	if (len > lib->fs->blocksize)
		return -EIO;
	if (ext2fs_is_fast_symlink(EXT2_INODE(&i))) {
		if (len > sizeof(i.i_block))
			return -EIO;
		memcpy(buf, i.i_block, len < size ? len : size);
		return (int)(len < size ? len : size);
	}
	err = ext_lib_map(lib, ino, 0, false, &block, &fresh);
	if (!err && !block)
		err = -EIO;
	if (!err)
		err = ext_cache_read(lib->x, block, lib->block);
	if (err)
		return err;
	memcpy(buf, lib->block, len < size ? len : size);
	return (int)(len < size ? len : size);
}

/* One block of a directory, in lib->block. 1: @emit has enough. */
static int emit_block(struct ext_lib *lib, u64 start, u64 pos,
		      bool (*emit)(void *arg, const char *name, size_t len,
				   u32 ino, u32 type, u64 next),
		      void *arg)
{
	u32 size = lib->fs->blocksize, at = 0, len;

	for (; at + 8 <= size; at += len) {
		struct ext2_dir_entry *e = (void *)((char *)lib->block + at);
		u32 name_len = (u32)ext2fs_dirent_name_len(e);

		if (ext2fs_get_rec_len(lib->fs, e, &len) || len < 8 ||
		    len % 4 || len > size - at || name_len + 8 > len)
			return -EIO;
		if (!e->inode || !name_len || start + at < pos)
			continue;
		if (!emit(arg, e->name, name_len, e->inode,
			  (u32)ext2fs_dirent_file_type(e), start + at + len))
			return 1;
	}
	return 0;
}

int ext_lib_iterate(void *handle, u32 ino, u64 pos,
		    bool (*emit)(void *arg, const char *name, size_t len,
				 u32 ino, u32 type, u64 next),
		    void *arg)
{
	struct ext_lib *lib = handle;
	u32 size = lib->fs->blocksize;
	struct ext2_inode_large i;
	int err = ext_get_inode(lib, ino, &i);

	for (u64 n = pos / size; !err && n < EXT2_I_SIZE(&i) / size; n++) {
		bool fresh;
		u64 block;

		err = ext_lib_map(lib, ino, n, false, &block, &fresh);
		if (err || !block)
			continue;
		err = ext_errno(ext2fs_read_dir_block4(lib->fs, block,
						       lib->block, 0, ino));
		if (!err)
			err = emit_block(lib, n * size, pos, emit, arg);
	}
	return err < 0 ? err : 0;
}
