/*
 * Open files and directories of a 9P share: each has a fid of its own, which
 * is open at the server.
 *
 * LOCKING: as fs/mnt_file.c has it; none of its own.
 */
#include "fs/p9.h"

#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
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

/* Of one message. */
static u32 most(const struct p9_client *c, size_t n)
{
	return (u32)min(n, (size_t)c->data_max);
}

ssize_t p9_pread(struct file *file, u64 pos, void *buf, size_t n)
{
	struct p9_client *c = client_of(file);
	size_t done = 0;

	while (done < n) {
		u32 want = most(c, n - done), got = 0;
		struct p9_data data = { .buf = (u8 *)buf + done, .len = want,
					.in = true };
		int err = p9_rpc(c, P9_TREAD, &data, "dqd|d", fid_of(file),
				 pos + done, want, &got);

		if (!err && got > data.len)
			err = -EIO;
		if (err)
			return done ? (ssize_t)done : err;
		done += got;
		if (got < want)
			break;
	}
	return (ssize_t)done;
}

ssize_t p9_pwrite(struct file *file, u64 pos, void *buf, size_t n)
{
	struct p9_client *c = client_of(file);
	size_t done = 0;

	while (done < n) {
		u32 want = most(c, n - done), put = 0;
		struct p9_data data = { .buf = (u8 *)buf + done, .len = want };
		int err = p9_rpc(c, P9_TWRITE, &data, "dqd|d", fid_of(file),
				 pos + done, want, &put);

		if (!err && put > want)
			err = -EIO;
		if (err)
			return done ? (ssize_t)done : err;
		done += put;
		if (put < want)
			break;
	}
	return (ssize_t)done;
}

static int p9_fsync(struct file *file, bool data_only)
{
	int err = mnt_map_sync(vfs_file(file)->inode);
	int there = p9_rpc(client_of(file), P9_TFSYNC, NULL, "dd",
			   fid_of(file), data_only ? 1u : 0u);

	return err ? err : there;
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
	u8 *mem = kmalloc(DIR_BUF);
	int err = 0;

	if (!mem)
		return -ENOMEM;
	while (!err) {
		struct p9_data data = { .buf = mem, .len = most(c, DIR_BUF),
					.in = true };
		u32 got = 0;

		err = p9_rpc(c, P9_TREADDIR, &data, "dqd|d", fid_of(file), pos,
			     data.len, &got);
		if (!err && got > data.len)
			err = -EIO;
		if (!err)
			err = emit_entries(mem, got, &pos, emit, arg);
	}
	kfree(mem);
	return min(err, 0);
}

const struct file_operations p9_file_fops = {
	.read_iter = mnt_read,
	.write_iter = mnt_write,
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
