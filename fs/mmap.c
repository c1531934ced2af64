/*
 * What mmap(2) shares with files: the pages of the tmpfs. Whoever maps a file
 * and whoever reads and writes it see the same bytes. A page that is mapped
 * outlives a truncation of the file, for those who have it. What a private
 * mapping only reads, it reads where the archive has it.
 */
#include "fs/mmap.h"

#include "fs/fdtable.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"

int vfs_mmap_open(struct file *file, u32 prot, void **source)
{
	struct inode *inode;

	if (file->f_flags & O_PATH)
		return -EBADF;
	if (!file_readable(file) ||
	    (prot & PROT_WRITE && !file_writable(file)))
		return -EACCES;
	/* /dev/zero: memory that is nobody else's. */
	if (!file->f_op->vfs && file->f_seekable)
		return 0;
	if (file->f_op != &tmpfs_file_fops)
		return -ENODEV;
	inode = vfs_file(file)->inode;
	if (prot & PROT_WRITE &&
	    inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	iget(inode);
	*source = inode;
	return 0;
}

int vfs_mmap_fd(int fd, u32 prot, void **source,
		int (*open)(struct file *file, u32 prot, void **source))
{
	struct fd_ref f = fdget(fd);
	int err = f.file ? open(f.file, prot, source) : -EBADF;

	fdput(f);
	return err;
}

static int source_open(int fd, u32 prot, void **source)
{
	return vfs_mmap_fd(fd, prot, source, vfs_mmap_open);
}

static void source_get(void *source)
{
	iget(source);
}

static void source_put(void *source)
{
	iput(source);
}

static struct page *source_page(void *source, u64 index, int *err)
{
	return tmpfs_get_page(source, index, err);
}

/* Its times are those of the last write(2). */
static int source_dirty(void *source, u64 index)
{
	(void)source;
	(void)index;
	return 0;
}

static phys_addr_t source_constant(void *source, u64 index)
{
	const void *at = tmpfs_constant_page(source, index);

	return at ? virt_to_phys(at) : 0;
}

static int source_remove(void *source, u64 first, u64 nr)
{
	return tmpfs_punch(source, first * PAGE_SIZE, nr * PAGE_SIZE);
}

const struct mmap_source_ops vfs_mmap_sources = {
	.open = source_open,
	.get = source_get,
	.put = source_put,
	.page = source_page,
	.dirty = source_dirty,
	.constant = source_constant,
	.remove = source_remove,
};
