/*
 * Reading and writing files of mounted file systems. Bytes go through pages of
 * the kernel's, since a device needs memory that does not go away while it
 * works, and a copy from the program may have to bring in what is mapped of
 * the same file.
 *
 * LOCKING: inode->lock serialises writers; mnt_inode.io is inside mm->lock and
 * held while bytes move between the file system and the kernel's pages.
 */
#include "fs/mount.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"

#define BOUNCE_ORDER	4u	/* at most so much memory for one transfer */

/* Memory that the device may use. */
struct bounce {
	struct page *page;
	unsigned int order;
	u8 *mem;
};

/* For @want bytes at most; fewer if memory is scarce. False: none at all. */
static bool bounce_get(struct bounce *b, size_t want)
{
	b->order = 0;
	while (b->order < BOUNCE_ORDER && (PAGE_SIZE << b->order) < want)
		b->order++;
	while (!(b->page = alloc_pages(b->order))) {
		if (!b->order--)
			return false;
	}
	b->mem = page_address(b->page);
	return true;
}

static void bounce_put(struct bounce *b)
{
	free_pages(b->page, b->order);
}

/* How much of @count bytes at @pos fits; the next begin on a page. */
static size_t bounce_room(const struct bounce *b, loff_t pos, size_t count)
{
	return min(count, (PAGE_SIZE << b->order) - (u64)pos % PAGE_SIZE);
}

static ssize_t read_some(struct file *file, u64 pos, void *buf, size_t n)
{
	struct inode *inode = vfs_file(file)->inode;
	ssize_t got;

	mutex_lock(&mnt_inode(inode)->io);
	got = mount_of(inode)->type->pread(file, pos, buf, n);
	if (got > 0)
		mnt_map_read(inode, pos, buf, (size_t)got);
	mutex_unlock(&mnt_inode(inode)->io);
	return got;
}

ssize_t mnt_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	size_t done = 0, want, copied;
	struct bounce b;
	ssize_t got = 0;

	if (!to->count)
		return 0;
	if (!bounce_get(&b, to->count))
		return -ENOMEM;
	do {
		want = bounce_room(&b, *pos, to->count);
		got = read_some(file, (u64)*pos, b.mem, want);
		if (got <= 0)
			break;
		copied = copy_to_iter(b.mem, (size_t)got, to);
		*pos += (loff_t)copied;
		done += copied;
		if (copied < (size_t)got)
			got = -EFAULT;
	} while (to->count && got == (ssize_t)want);
	bounce_put(&b);
	return done ? (ssize_t)done : min(got, (ssize_t)0);
}

static ssize_t write_some(struct file *file, u64 pos, void *buf, size_t n)
{
	struct inode *inode = vfs_file(file)->inode;
	ssize_t put;

	mutex_lock(&mnt_inode(inode)->io);
	put = mount_of(inode)->type->pwrite(file, pos, buf, n);
	if (put > 0) {
		mnt_map_written(inode, pos, buf, (size_t)put);
		if (pos + (u64)put > inode->size)
			WRITE_ONCE(inode->size, pos + (u64)put);
	}
	mutex_unlock(&mnt_inode(inode)->io);
	return put;
}

/* Under inode->lock. */
static ssize_t write_all(struct file *file, struct bounce *b,
			 struct iov_iter *from, loff_t *pos)
{
	size_t done = 0, want, n;
	ssize_t put;

	do {
		want = bounce_room(b, *pos, from->count);
		n = copy_from_iter(b->mem, want, from);
		put = n ? write_some(file, (u64)*pos, b->mem, n) : -EFAULT;
		if (put <= 0)
			break;
		*pos += put;
		done += (size_t)put;
	} while (from->count && put == (ssize_t)want);
	return done ? (ssize_t)done : put;
}

ssize_t mnt_write(struct file *file, struct iov_iter *from, loff_t *pos)
{
	struct inode *inode = vfs_file(file)->inode;
	struct bounce b;
	loff_t at;
	ssize_t n;

	if (!from->count)
		return 0;
	if (from->count > MAX_FILE_SIZE - (u64)*pos)
		return -EINVAL;
	if (!bounce_get(&b, from->count))
		return -ENOMEM;
	mutex_lock(&inode->lock);
	at = file->f_flags & O_APPEND ? (loff_t)inode->size : *pos;
	n = write_all(file, &b, from, &at);
	if (n > 0)
		*pos = at;
	mutex_unlock(&inode->lock);
	bounce_put(&b);
	return n;
}
