/*
 * Open files and directories of a 9P share: each has a fid of its own, which
 * is open at the server. Bytes go through a buffer of the kernel's, since the
 * device needs memory that does not go away while it works.
 *
 * LOCKING: inode->lock around writes, for the size that O_APPEND goes by.
 */
#include "fs/p9.h"

#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/string.h"

#define DIR_BUF		(8u << 10)

static u32 fid_of(const struct file *file)
{
	return (u32)(uintptr_t)vfs_file(file)->state - 1;
}

static struct p9_client *client_of(const struct file *file)
{
	return p9_client_of(vfs_file(file)->inode);
}

/* Memory that the device may use. */
struct bounce {
	struct page *page;
	unsigned int order;
	u8 *mem;
	u32 len;
};

/* For @want bytes at most; fewer if memory is scarce. False: none at all. */
static bool bounce_get(struct bounce *b, struct p9_client *c, size_t want)
{
	want = min(want, (size_t)c->data_max);
	b->order = 0;
	while ((PAGE_SIZE << b->order) < want)
		b->order++;
	while (!(b->page = alloc_pages(b->order))) {
		if (!b->order--)
			return false;
	}
	b->mem = page_address(b->page);
	b->len = (u32)min(want, PAGE_SIZE << b->order);
	return true;
}

static void bounce_put(struct bounce *b)
{
	free_pages(b->page, b->order);
}

static ssize_t p9_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	struct p9_client *c = client_of(file);
	struct bounce b;
	size_t done = 0;
	int err = 0;

	if (!to->count)
		return 0;
	if (!bounce_get(&b, c, to->count))
		return -ENOMEM;
	while (to->count) {
		u32 n = (u32)min((size_t)b.len, to->count), got = 0;
		struct p9_data data = { .buf = b.mem, .len = n, .in = true };
		size_t copied;

		err = p9_rpc(c, P9_TREAD, &data, "dqd|d", fid_of(file),
			     (u64)*pos, n, &got);
		if (!err && got > data.len)
			err = -EIO;
		if (err || !got)
			break;
		copied = copy_to_iter(b.mem, got, to);
		*pos += (loff_t)copied;
		done += copied;
		if (copied < got)
			err = -EFAULT;
		if (got < n || err)
			break;
	}
	bounce_put(&b);
	return done ? (ssize_t)done : err;
}

/* Under inode->lock. */
static ssize_t write_chunks(struct file *file, struct bounce *b,
			    struct iov_iter *from, loff_t *pos)
{
	struct p9_client *c = client_of(file);
	size_t done = 0;
	int err = 0;

	while (from->count && !err) {
		u32 want = (u32)min((size_t)b->len, from->count), put = 0;
		u32 n = (u32)copy_from_iter(b->mem, want, from);
		struct p9_data data = { .buf = b->mem, .len = n };

		if (!n) {
			err = -EFAULT;
			break;
		}
		err = p9_rpc(c, P9_TWRITE, &data, "dqd|d", fid_of(file),
			     (u64)*pos, n, &put);
		if (!err && put > n)
			err = -EIO;
		if (err)
			break;
		*pos += (loff_t)put;
		done += put;
		if (put < n || n < want)
			break;
	}
	return done ? (ssize_t)done : err;
}

static ssize_t p9_write(struct file *file, struct iov_iter *from, loff_t *pos)
{
	struct inode *inode = vfs_file(file)->inode;
	struct bounce b;
	loff_t at;
	ssize_t n;

	if (!from->count)
		return 0;
	if (from->count > MAX_FILE_SIZE - (u64)*pos)
		return -EINVAL;
	if (!bounce_get(&b, client_of(file), from->count))
		return -ENOMEM;
	mutex_lock(&inode->lock);
	at = file->f_flags & O_APPEND ? (loff_t)inode->size : *pos;
	n = write_chunks(file, &b, from, &at);
	if (n > 0) {
		*pos = at;
		if ((u64)at > inode->size)
			WRITE_ONCE(inode->size, (u64)at);
	}
	mutex_unlock(&inode->lock);
	bounce_put(&b);
	return n;
}

static int p9_fsync(struct file *file, bool data_only)
{
	return p9_rpc(client_of(file), P9_TFSYNC, NULL, "dd", fid_of(file),
		      data_only ? 1u : 0u);
}

static void p9_release(struct file *file)
{
	struct vfs_file *vf = vfs_file(file);

	/* Not if opening it has failed. */
	if (vf->state)
		p9_fid_put(client_of(file), fid_of(file), true);
	vfs_file_release(file);
}

/* --- directories --- */

#define ENTRY_HEAD 24u		/* qid[13] offset[8] type[1] length[2] */

/*
 * The entry at @p, with @left bytes to the end: how long it is, 0 if that
 * cannot be one. Its number is unaligned, as all on the wire.
 */
static u32 parse_entry(const u8 *p, u32 left, struct dir_entry *e, u64 *next)
{
	u16 len;

	if (left < ENTRY_HEAD)
		return 0;
	memcpy(&e->ino, p + 5, sizeof(e->ino));
	memcpy(next, p + 13, sizeof(*next));
	e->mode = (u32)(p[21] & 15) << 12;
	memcpy(&len, p + 22, sizeof(len));
	if (!len || len > NAME_MAX || len > left - ENTRY_HEAD ||
	    memchr(p + ENTRY_HEAD, '/', len) ||
	    memchr(p + ENTRY_HEAD, 0, len))
		return 0;
	e->name = (const char *)p + ENTRY_HEAD;
	e->len = len;
	return ENTRY_HEAD + len;
}

/* 1: the listing is full, or at its end. */
static int emit_entries(const u8 *p, u32 left, u64 *pos, emit_t emit,
			void *arg)
{
	if (!left)
		return 1;
	while (left) {
		struct dir_entry e;
		u32 n = parse_entry(p, left, &e, pos);

		if (!n)
			return -EIO;
		if (!emit(arg, &e, *pos))
			return 1;
		p += n;
		left -= n;
	}
	return 0;
}

static int p9_iterate(struct file *file, u64 pos, emit_t emit, void *arg)
{
	struct p9_client *c = client_of(file);
	struct bounce b;
	int err = 0;

	if (!bounce_get(&b, c, DIR_BUF))
		return -ENOMEM;
	while (!err) {
		struct p9_data data = { .buf = b.mem, .len = b.len,
					.in = true };
		u32 got = 0;

		err = p9_rpc(c, P9_TREADDIR, &data, "dqd|d", fid_of(file), pos,
			     b.len, &got);
		if (!err && got > data.len)
			err = -EIO;
		if (!err)
			err = emit_entries(b.mem, got, &pos, emit, arg);
	}
	bounce_put(&b);
	return min(err, 0);
}

const struct file_operations p9_file_fops = {
	.read_iter = p9_read,
	.write_iter = p9_write,
	.stat = vfs_file_stat,
	.fsync = p9_fsync,
	.release = p9_release,
	.vfs = true,
	.name = "file",
};

const struct file_operations p9_dir_fops = {
	.read_iter = vfs_dir_read,
	.stat = vfs_file_stat,
	.fsync = p9_fsync,
	.release = p9_release,
	.iterate = p9_iterate,
	.vfs = true,
	.name = "directory",
};
