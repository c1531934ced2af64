/*
 * Files and directories of ext2 and ext4, opened. Data goes straight to the
 * disk and is there, in the disk's cache, when write(2) returns; fsync makes
 * the disk keep it, and commits what leads to it.
 *
 * LOCKING: ext_fs.lock over each read and write.
 */
#include "fs/ext/ext.h"

#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/rlimit.h"
#include "kernel/string.h"

static u32 ino_of(const struct inode *inode)
{
	return (u32)inode->ino;
}

static int disk_run(struct ext_fs *x, bool write, u64 block, void *mem, u32 n)
{
	struct disk_piece piece = { mem, n * x->block_size };

	return ext_disk_rw(x, write, block, &piece, 1);
}

/* --- reading --- */

/*
 * Fills @mem from block @index on with up to *@n blocks: as many as follow
 * each other on the disk, or are a hole.
 */
static int read_run(struct ext_fs *x, struct inode *inode, u64 index, u8 *mem,
		    u32 *n)
{
	u64 first, block;
	u32 count = 1;
	bool fresh;
	int err = ext_lib_map(x->lib, ino_of(inode), index, false, &first,
			      &fresh);

	if (err)
		return err;
	while (count < *n) {
		err = ext_lib_map(x->lib, ino_of(inode), index + count, false,
				  &block, &fresh);
		if (err || block != (first ? first + count : 0))
			break;
		count++;
	}
	*n = count;
	if (first)
		return disk_run(x, false, first, mem, count);
	memset(mem, 0, (size_t)count * x->block_size);
	return 0;
}

/* Up to @n bytes at @at go to @to; how many did, or -errno. */
static ssize_t read_bytes(struct ext_fs *x, struct inode *inode, u64 at,
			  u8 *to, size_t n)
{
	u32 off = at % x->block_size, count = (u32)(n / x->block_size);
	u64 index = at / x->block_size;
	int err;

	if (!off && count) {
		err = read_run(x, inode, index, to, &count);
		return err ? err : (ssize_t)count * x->block_size;
	}
	n = min(n, (size_t)x->block_size - off);
	count = 1;
	err = read_run(x, inode, index, x->scratch, &count);
	if (err)
		return err;
	memcpy(to, x->scratch + off, n);
	return (ssize_t)n;
}

ssize_t ext_pread(struct file *file, u64 pos, void *buf, size_t n)
{
	struct inode *inode = vfs_file(file)->inode;
	struct ext_fs *x = ext_of(inode);
	size_t done = 0;
	ssize_t ret = 0;

	mutex_lock(&x->lock);
	n = pos < inode->size ? min(n, inode->size - pos) : 0;
	while (done < n) {
		ret = read_bytes(x, inode, pos + done, (u8 *)buf + done,
				 n - done);
		if (ret < 0)
			break;
		done += (size_t)ret;
	}
	mutex_unlock(&x->lock);
	return done ? (ssize_t)done : ret;
}

/* --- writing --- */

/* A unit of @block, the one that has byte @off, to where it is in scratch. */
static int read_unit(struct ext_fs *x, u64 block, u32 off)
{
	u32 first = ALIGN_DOWN(off, x->disk->block_size);
	struct disk_piece piece = { x->scratch + first, x->disk->block_size };

	return x->disk->rw(x->disk, false,
			   ext_sector(x, block) + first / DISK_SECTOR,
			   &piece, 1);
}

/*
 * Block @block gets the @n bytes at @from, at @off of it. What else is in it
 * stays; or is zero, if it is @fresh.
 */
static int write_part(struct ext_fs *x, u64 block, bool fresh,
		      const u8 *from, u32 off, u32 n)
{
	u32 unit = x->disk->block_size;
	u32 first = fresh ? 0 : ALIGN_DOWN(off, unit);
	u32 end = fresh ? x->block_size : ALIGN_UP(off + n, unit);
	struct disk_piece piece = { x->scratch + first, end - first };
	int err = 0;

	if (fresh)
		memset(x->scratch, 0, x->block_size);
	if (!fresh && off > first)
		err = read_unit(x, block, off);
	if (!err && !fresh && off + n < end)
		err = read_unit(x, block, off + n);
	if (err)
		return err;
	memcpy(x->scratch + off, from, n);
	x->unflushed = true;
	return x->disk->rw(x->disk, true,
			   ext_sector(x, block) + first / DISK_SECTOR, &piece,
			   1);
}

/*
 * Whole blocks from @index on, @n of them at @mem: as many as can be had next
 * to each other. How many, or -errno.
 */
static int write_run(struct ext_fs *x, struct inode *inode, u64 index,
		     u8 *mem, u32 n)
{
	u64 first, block;
	u32 count = 1;
	bool fresh;
	int err = ext_lib_map(x->lib, ino_of(inode), index, true, &first,
			      &fresh);

	if (err)
		return err;
	while (count < n) {
		/* One that is elsewhere is found again, and is fresh no more:
		 * all of it is written then. */
		err = ext_lib_map(x->lib, ino_of(inode), index + count, true,
				  &block, &fresh);
		if (err || block != first + count)
			break;
		count++;
	}
	err = disk_run(x, true, first, mem, count);
	return err ? err : (int)count;
}

/* @n bytes at @from go to @at of the file; how many did, or -errno. */
static ssize_t write_bytes(struct ext_fs *x, struct inode *inode, u64 at,
			   u8 *from, size_t n)
{
	u32 off = at % x->block_size;
	u64 index = at / x->block_size, block;
	bool fresh;
	int ret;

	if (!off && n >= x->block_size) {
		ret = write_run(x, inode, index, from,
				(u32)(n / x->block_size));
		return ret < 0 ? ret : (ssize_t)ret * x->block_size;
	}
	n = min(n, (size_t)x->block_size - off);
	ret = ext_lib_map(x->lib, ino_of(inode), index, true, &block, &fresh);
	if (!ret)
		ret = write_part(x, block, fresh, from, off, (u32)n);
	return ret ? ret : (ssize_t)n;
}

/* Writes all of @n bytes at @from, if it can; how many, or -errno. */
static ssize_t write_all(struct ext_fs *x, struct inode *inode, u64 at,
			 u8 *from, size_t n)
{
	size_t done = 0;
	ssize_t ret = 0;

	while (done < n) {
		ret = write_bytes(x, inode, at + done, from + done, n - done);
		if (ret == -ENOSPC && ext_lib_gave_up(x->lib) &&
		    !ext_commit(x))
			continue;
		if (ret < 0)
			break;
		done += (size_t)ret;
	}
	if (done) {
		int err = ext_lib_written(x->lib, ino_of(inode), at + done);

		if (err)
			return err;
	}
	return done ? (ssize_t)done : ret;
}

ssize_t ext_pwrite(struct file *file, u64 pos, void *buf, size_t n)
{
	struct inode *inode = vfs_file(file)->inode;
	struct ext_fs *x = ext_of(inode);
	ssize_t ret;

	mutex_lock(&x->lock);
	ret = x->failed ? -EIO : write_all(x, inode, pos, buf, n);
	ext_changed(x);
	mutex_unlock(&x->lock);
	return ret;
}

/* @n bytes from @at on are zero; they lie in one block, or in a hole. */
static int zero_part(struct ext_fs *x, struct inode *inode, u64 at, u32 n)
{
	u32 off = at % x->block_size;
	u64 block;
	u8 *zeroes;
	bool fresh;
	int err;

	if (!n)
		return 0;
	err = ext_lib_map(x->lib, ino_of(inode), at / x->block_size, false,
			  &block, &fresh);
	if (err || !block)
		return err;
	zeroes = kzalloc(n);
	if (!zeroes)
		return -ENOMEM;
	err = write_part(x, block, false, zeroes, off, n);
	kfree(zeroes);
	return err;
}

int ext_truncate(struct inode *inode, u64 size)
{
	struct ext_fs *x = ext_of(inode);
	int err = 0;

	if (size > MAX_FILE_SIZE)
		return -EFBIG;
	/* What lies behind the end in the last block is zero. */
	if (size < inode->size)
		err = zero_part(x, inode, size,
				(u32)(ALIGN_UP(size, x->block_size) - size));
	if (!err)
		err = ext_lib_truncate(x->lib, ino_of(inode), size);
	if (!err)
		inode->size = size;
	return err;
}

/*
 * Blocks full of zeroes for all of [@at, @end) that has none. The file grows
 * with them, so that a commit on the way finds none behind its end.
 */
static int fill_holes(struct ext_fs *x, struct inode *inode, u64 at, u64 end)
{
	u64 block, next;
	bool fresh;
	int err = 0;

	for (; !err && at < end && !x->failed; at = next) {
		next = min(ALIGN_DOWN(at, x->block_size) + x->block_size, end);
		do {
			err = ext_lib_map(x->lib, ino_of(inode),
					  at / x->block_size, true, &block,
					  &fresh);
		} while (err == -ENOSPC && ext_lib_gave_up(x->lib) &&
			 !ext_commit(x));
		if (!err && fresh)
			err = write_part(x, block, true, x->scratch, 0, 0);
		if (!err && next > inode->size)
			err = ext_lib_written(x->lib, ino_of(inode), next);
		ext_changed(x);
	}
	return x->failed ? -EIO : err;
}

static int punch_hole(struct ext_fs *x, struct inode *inode, u64 at, u64 end)
{
	u64 first = ALIGN_UP(at, x->block_size);
	u64 last = ALIGN_DOWN(end, x->block_size);
	int err;

	/* Behind the file's end there is nothing to keep. */
	if (end == inode->size && last < end && first <= last)
		last = end = ALIGN_UP(end, x->block_size);
	if (first > last)
		return zero_part(x, inode, at, (u32)(end - at));
	err = zero_part(x, inode, at, (u32)(first - at));
	if (!err)
		err = zero_part(x, inode, last, (u32)(end - last));
	if (!err && first < last)
		err = ext_lib_punch(x->lib, ino_of(inode),
				    first / x->block_size,
				    last / x->block_size - 1);
	return err;
}

static int reserve(struct ext_fs *x, struct inode *inode, u64 at, u64 end)
{
	u64 size = inode->size;
	int err = fill_holes(x, inode, at, end);

	if (err && end > size)
		(void)ext_lib_truncate(x->lib, ino_of(inode), size);
	else if (!err)
		inode->size = max(size, end);
	return err;
}

/* Blocks are never reserved behind the end: e2fsck would not like them. */
static int ext_fallocate(struct file *file, u32 mode, u64 pos, u64 len)
{
	const u32 punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	struct inode *inode = vfs_file(file)->inode;
	struct ext_fs *x = ext_of(inode);
	int err = x->failed ? -EIO : 0;

	if (mode && mode != punch)
		return -EOPNOTSUPP;
	if (!mode && pos + len > min(rlimit(RLIMIT_FSIZE), MAX_FILE_SIZE))
		return -EFBIG;
	mutex_lock(&mnt_inode(inode)->io);
	mutex_lock(&x->lock);
	if (!err && !mode)
		err = reserve(x, inode, pos, pos + len);
	else if (!err && pos < inode->size)
		err = punch_hole(x, inode, pos, min(pos + len, inode->size));
	if (!err && mode)
		mnt_map_written(inode, pos, NULL, len);
	ext_changed(x);
	mutex_unlock(&x->lock);
	mutex_unlock(&mnt_inode(inode)->io);
	return err;
}

static int ext_fsync(struct file *file, bool data_only)
{
	struct ext_fs *x = ext_of(vfs_file(file)->inode);
	int err = mnt_map_sync(vfs_file(file)->inode), there;

	(void)data_only;
	if (x->m->read_only)
		return 0;
	mutex_lock(&x->lock);
	there = ext_commit(x);
	mutex_unlock(&x->lock);
	return err ? err : there;
}

/* --- directories --- */

struct emitter {
	emit_t emit;
	void *arg;
};

/* ext's own numbers of types, as S_IF bits; 0: it does not say. */
static bool emit_entry(void *arg, const char *name, size_t len, u32 ino,
		       u32 type, u64 next)
{
	static const u32 modes[] = { 0, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK,
				     S_IFIFO, S_IFSOCK, S_IFLNK };
	struct emitter *em = arg;
	struct dir_entry e = {
		.name = name, .len = len, .ino = ino,
		.mode = type < ARRAY_SIZE(modes) ? modes[type] : 0,
	};

	return em->emit(em->arg, &e, next);
}

static int ext_iterate(struct file *file, u64 pos, emit_t emit, void *arg)
{
	struct inode *inode = vfs_file(file)->inode;
	struct ext_fs *x = ext_of(inode);
	struct emitter em = { emit, arg };
	int err;

	mutex_lock(&x->lock);
	err = inode->nlink ? ext_lib_iterate(x->lib, ino_of(inode), pos,
					     emit_entry, &em) : -ENOENT;
	mutex_unlock(&x->lock);
	return err;
}

const struct file_operations ext_file_fops = {
	.read_iter = mnt_read,
	.write_iter = mnt_write,
	.stat = vfs_file_stat,
	.fsync = ext_fsync,
	.fallocate = ext_fallocate,
	.release = vfs_file_release,
	.vfs = true,
	.name = "file",
};

const struct file_operations ext_dir_fops = {
	.read_iter = vfs_dir_read,
	.stat = vfs_file_stat,
	.fsync = ext_fsync,
	.release = vfs_file_release,
	.iterate = ext_iterate,
	.vfs = true,
	.name = "directory",
};
