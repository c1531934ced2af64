/*
 * Contents of the tmpfs's files. A byte is on a page of its own, or, as long
 * as nobody has written to that page, where the archive has it (inode->base),
 * or it is a hole and reads as zero.
 *
 * LOCKING: inode->lock serialises writers and is held while bytes are copied
 * from the program; data_lock guards size and pages, and readers and page
 * faults take only that, so a program may write from a mapping of the file.
 */
#include "fs/tmpfs.h"

#include "fs/initramfs.h"
#include "fs/record_lock.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/rlimit.h"
#include "kernel/sched.h"
#include "kernel/string.h"


#define SEAL_ANY_WRITE		(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

static char zeroes[PAGE_SIZE];

/* Page @index with a reference, NULL if there is none. */
static struct page *find_page(struct inode *inode, u64 index)
{
	struct page *page;

	spin_lock(&inode->data_lock);
	page = page_tree_get(&inode->pages, index);
	if (page)
		get_page(page);
	spin_unlock(&inode->data_lock);
	return page;
}

/* What a page holds before anybody has written to it. */
static void fill_page(const struct inode *inode, struct page *page, u64 index)
{
	u64 from = index * PAGE_SIZE;
	size_t n = 0;

	if (from < inode->base_size) {
		n = min(inode->base_size - from, PAGE_SIZE);
		memcpy(page_address(page), inode->base + from, n);
	}
	memset((char *)page_address(page) + n, 0, PAGE_SIZE - n);
}

/* Page @index, made if need be, with a reference; NULL: no memory. */
static struct page *make_page(struct inode *inode, u64 index)
{
	struct page *page = find_page(inode, index), *other;

	if (page || memory_is_low())
		return page;
	page = alloc_pages(0);
	if (!page)
		return NULL;
	spin_lock(&inode->data_lock);
	other = page_tree_get(&inode->pages, index);
	if (other) {
		get_page(other);
	} else {
		fill_page(inode, page, index);
		get_page(page);
		if (!page_tree_set(&inode->pages, index, page)) {
			inode->nr_pages++;
			spin_unlock(&inode->data_lock);
			return page;
		}
		put_page(page);
	}
	spin_unlock(&inode->data_lock);
	put_page(page);
	return other;
}

struct page *tmpfs_get_page(struct inode *inode, u64 index, int *err)
{
	struct page *page;

	*err = -ENXIO;
	if (index >= DIV_ROUND_UP(READ_ONCE(inode->size), PAGE_SIZE))
		return NULL;
	page = make_page(inode, index);
	*err = page ? 0 : -ENOMEM;
	return page;
}

static bool all_zero(const char *p, const char *end)
{
	while (p < end && !*p)
		p++;
	return p == end;
}

const void *tmpfs_constant_page(struct inode *inode, u64 index)
{
	const char *at = inode->base + index * PAGE_SIZE, *end;
	bool constant;

	if (index >= DIV_ROUND_UP(inode->base_size, PAGE_SIZE) ||
	    (u64)at % PAGE_SIZE || !initramfs_holds(at, PAGE_SIZE))
		return NULL;
	spin_lock(&inode->data_lock);
	end = inode->base + inode->base_size;
	constant = (at + PAGE_SIZE <= end || all_zero(end, at + PAGE_SIZE)) &&
		   !page_tree_get(&inode->pages, index);
	spin_unlock(&inode->data_lock);
	return constant ? at : NULL;
}

/* --- reading --- */

/*
 * Where the bytes at @pos stand now: how many of them in a row, at most @n;
 * *@page is to be put back if it is not NULL.
 */
static size_t bytes_at(struct inode *inode, u64 pos, size_t n,
		       const char **from, struct page **page)
{
	size_t off = pos % PAGE_SIZE;

	n = min(n, PAGE_SIZE - off);
	*page = find_page(inode, pos / PAGE_SIZE);
	if (*page) {
		*from = (char *)page_address(*page) + off;
	} else if (pos < READ_ONCE(inode->base_size)) {
		*from = inode->base + pos;
		n = min(n, inode->base_size - pos);
	} else {
		*from = zeroes;
	}
	return n;
}

/* All of it in one piece if the file is as the archive has it. */
static bool all_in_place(const struct inode *inode)
{
	return !READ_ONCE(inode->nr_pages) && inode->base_size == inode->size;
}

static ssize_t tmpfs_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	struct inode *inode = vfs_file(file)->inode;
	u64 size = READ_ONCE(inode->size), at = (u64)*pos;
	size_t done = 0, want = to->count;

	if (want > MAX_FILE_SIZE - at)
		return -EINVAL;
	while (to->count && at < size) {
		size_t n = min(to->count, size - at), copied;
		struct page *page = NULL;
		const char *from = inode->base + at;

		if (!all_in_place(inode))
			n = bytes_at(inode, at, n, &from, &page);
		copied = copy_to_iter(from, n, to);
		if (page)
			put_page(page);
		done += copied;
		at += copied;
		if (copied < n)
			break;
	}
	*pos = (loff_t)at;
	return done || !want || at >= size ? (ssize_t)done : -EFAULT;
}

bool tmpfs_run(struct inode *inode, u64 pos, size_t n, struct page_run *run)
{
	u64 size = READ_ONCE(inode->size);
	const char *from = inode->base + pos;

	*run = (struct page_run){ .len = 0 };
	if (pos >= size)
		return false;
	n = min(n, size - pos);
	if (!all_in_place(inode))
		n = bytes_at(inode, pos, n, &from, &run->page);
	/* A hole has no bytes; what is not kept for good could be freed. */
	if (!run->page && !initramfs_holds(from, n))
		return false;
	run->data = (void *)(uintptr_t)from;
	run->len = n;
	return true;
}

size_t tmpfs_read_at(struct inode *inode, u64 pos, void *buf, size_t n)
{
	u64 size = READ_ONCE(inode->size);
	size_t done = 0;

	while (done < n && pos + done < size) {
		size_t part = min(n - done, size - pos - done);
		struct page *page;
		const char *from;

		part = bytes_at(inode, pos + done, part, &from, &page);
		memcpy((char *)buf + done, from, part);
		if (page)
			put_page(page);
		done += part;
	}
	return done;
}

/* --- writing --- */

/* How much of @n bytes at @pos may be written; -EFBIG, -EPERM, -EINVAL. */
static ssize_t write_limit(const struct inode *inode, u64 pos, size_t n)
{
	u64 limit = min(rlimit(RLIMIT_FSIZE), MAX_FILE_SIZE);

	if (n > MAX_FILE_SIZE - pos)
		return -EINVAL;
	if (inode->seals & SEAL_ANY_WRITE)
		return -EPERM;
	if (inode->seals & F_SEAL_GROW && pos + n > inode->size)
		return -EPERM;
	if (pos >= limit)
		return n ? -EFBIG : 0;
	return (ssize_t)min(n, limit - pos);
}

static void grow_to(struct inode *inode, u64 size)
{
	spin_lock(&inode->data_lock);
	if (size > inode->size)
		WRITE_ONCE(inode->size, size);
	spin_unlock(&inode->data_lock);
}

static ssize_t write_locked(struct inode *inode, struct iov_iter *from,
			    u64 *pos)
{
	ssize_t limit = write_limit(inode, *pos, from->count);
	size_t left = (size_t)limit, done = 0;

	if (limit < 0)
		return limit;
	while (left) {
		size_t off = *pos % PAGE_SIZE;
		size_t n = min(left, PAGE_SIZE - off), copied;
		struct page *page = make_page(inode, *pos / PAGE_SIZE);

		if (!page)
			return done ? (ssize_t)done : -ENOSPC;
		copied = copy_from_iter((char *)page_address(page) + off, n,
					from);
		put_page(page);
		*pos += copied;
		done += copied;
		left -= copied;
		grow_to(inode, *pos);
		if (copied < n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

static ssize_t tmpfs_write(struct file *file, struct iov_iter *from,
			   loff_t *pos)
{
	struct inode *inode = vfs_file(file)->inode;
	u64 at;
	ssize_t n;

	mutex_lock(&inode->lock);
	at = file->f_flags & O_APPEND ? inode->size : (u64)*pos;
	n = write_locked(inode, from, &at);
	if (n > 0) {
		touch(&inode->mtime, &inode->ctime);
		*pos = (loff_t)at;
	}
	mutex_unlock(&inode->lock);
	return n;
}

/* --- size --- */

/* Gives back the pages from @first to @end, not included. */
static void drop_pages(struct inode *inode, u64 first, u64 end)
{
	u64 i = first;

	while (page_tree_next(&inode->pages, &i) && i < end) {
		put_page(page_tree_take(&inode->pages, i));
		inode->nr_pages--;
	}
}

/* The bytes [@from, @to) of one page become zero, if the page is there. */
static void zero_part(struct inode *inode, u64 from, u64 to)
{
	struct page *page = page_tree_get(&inode->pages, from / PAGE_SIZE);

	if (page && from < to)
		memset((char *)page_address(page) + from % PAGE_SIZE, 0,
		       to - from);
}

/* No mapping shows pages [@first, @end) any more. */
static void unmap_pages(struct inode *inode, u64 first, u64 end)
{
	if (current->mm)
		mm_zap_source(current->mm, inode, first, end,
			      MAP_SHARED | MAP_PRIVATE);
}

static void set_size(struct inode *inode, u64 size)
{
	bool cut = size < inode->size;

	spin_lock(&inode->data_lock);
	if (size < inode->size) {
		drop_pages(inode, DIV_ROUND_UP(size, PAGE_SIZE), UINT64_MAX);
		if (size % PAGE_SIZE)
			zero_part(inode, size, ALIGN_UP(size, PAGE_SIZE));
	}
	inode->base_size = min(inode->base_size, size);
	WRITE_ONCE(inode->size, size);
	spin_unlock(&inode->data_lock);
	if (cut)
		unmap_pages(inode, DIV_ROUND_UP(size, PAGE_SIZE), UINT64_MAX);
	touch(&inode->mtime, &inode->ctime);
}

int tmpfs_truncate(struct inode *inode, u64 size)
{
	int err = 0;

	mutex_lock(&inode->lock);
	if ((size < inode->size && inode->seals & F_SEAL_SHRINK) ||
	    (size > inode->size && inode->seals & F_SEAL_GROW))
		err = -EPERM;
	else if (size > inode->size &&
		 size > min(rlimit(RLIMIT_FSIZE), MAX_FILE_SIZE))
		err = -EFBIG;
	else
		set_size(inode, size);
	mutex_unlock(&inode->lock);
	return err;
}

/*
 * Zeroes [@pos, @end). What the archive holds there must not show again, so
 * pages that cover it are made and zeroed, the others are given back.
 */
static int punch_hole(struct inode *inode, u64 pos, u64 end)
{
	while (pos < end) {
		u64 next = min(ALIGN_DOWN(pos, PAGE_SIZE) + PAGE_SIZE, end);
		bool whole = next - pos == PAGE_SIZE;
		struct page *page;

		if (whole && pos >= inode->base_size) {
			next = ALIGN_DOWN(end, PAGE_SIZE);
			spin_lock(&inode->data_lock);
			drop_pages(inode, pos / PAGE_SIZE, next / PAGE_SIZE);
			spin_unlock(&inode->data_lock);
			unmap_pages(inode, pos / PAGE_SIZE, next / PAGE_SIZE);
		} else if (pos < inode->base_size) {
			page = make_page(inode, pos / PAGE_SIZE);
			if (!page)
				return -ENOSPC;
			put_page(page);
		}
		if (!whole || pos < inode->base_size) {
			spin_lock(&inode->data_lock);
			zero_part(inode, pos, next);
			spin_unlock(&inode->data_lock);
		}
		pos = next;
	}
	return 0;
}

/* Pages for [@pos, @end), so that writing there finds room. */
static int reserve(struct inode *inode, u64 pos, u64 end)
{
	if ((end - pos) / PAGE_SIZE > nr_free_pages())
		return -ENOSPC;
	for (u64 i = pos / PAGE_SIZE; i < DIV_ROUND_UP(end, PAGE_SIZE); i++) {
		struct page *page = make_page(inode, i);

		if (!page)
			return -ENOSPC;
		put_page(page);
	}
	return 0;
}

static int fallocate_locked(struct inode *inode, u32 mode, u64 pos, u64 end)
{
	int err;

	if (mode & FALLOC_FL_PUNCH_HOLE) {
		if (inode->seals & SEAL_ANY_WRITE)
			return -EPERM;
		err = punch_hole(inode, pos, min(end, inode->size));
		touch(&inode->mtime, &inode->ctime);
		return err;
	}
	if (inode->seals & F_SEAL_GROW && end > inode->size)
		return -EPERM;
	if (end > min(rlimit(RLIMIT_FSIZE), MAX_FILE_SIZE))
		return -EFBIG;
	err = reserve(inode, pos, end);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE))
		grow_to(inode, end);
	touch(&inode->ctime, NULL);
	return err;
}

static int fallocate_inode(struct inode *inode, u32 mode, u64 pos, u64 len)
{
	int err;

	mutex_lock(&inode->lock);
	err = fallocate_locked(inode, mode, pos, pos + len);
	mutex_unlock(&inode->lock);
	return err;
}

int tmpfs_punch(struct inode *inode, u64 pos, u64 len)
{
	return fallocate_inode(inode, FALLOC_FL_KEEP_SIZE |
			       FALLOC_FL_PUNCH_HOLE, pos, len);
}

static int tmpfs_fallocate(struct file *file, u32 mode, u64 pos, u64 len)
{
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) ||
	    mode == FALLOC_FL_PUNCH_HOLE)
		return -EOPNOTSUPP;
	return fallocate_inode(vfs_file(file)->inode, mode, pos, len);
}

/* The first byte at or after @pos that is data, or that is in a hole. */
static u64 next_extent(struct inode *inode, u64 pos, bool data)
{
	u64 base_end = ALIGN_UP(inode->base_size, PAGE_SIZE);

	while (pos < inode->size) {
		u64 i = pos / PAGE_SIZE;
		bool here = pos < base_end || page_tree_get(&inode->pages, i);

		if (here == data)
			return pos;
		if (data) {
			if (!page_tree_next(&inode->pages, &i))
				return inode->size;
			pos = i * PAGE_SIZE;
		} else {
			pos = (i + 1) * PAGE_SIZE;
		}
	}
	return inode->size;
}

loff_t tmpfs_seek(struct inode *inode, loff_t pos, bool data)
{
	u64 to, size;

	spin_lock(&inode->data_lock);
	size = inode->size;
	to = pos >= 0 && (u64)pos < size ?
		     next_extent(inode, (u64)pos, data) : size;
	spin_unlock(&inode->data_lock);
	if (pos < 0 || (u64)pos >= size || (data && to >= size))
		return -ENXIO;
	return (loff_t)min(to, size);
}

const struct file_operations tmpfs_file_fops = {
	.read_iter = tmpfs_read,
	.write_iter = tmpfs_write,
	.stat = vfs_file_stat,
	.fallocate = tmpfs_fallocate,
	.closed = record_lock_closed,
	.release = vfs_file_release,
	.vfs = true,
	.name = "file",
};
