/*
 * read(2), write(2) and their kin, lseek(2). Task context; a call may sleep
 * in the file's own operation. The plain read and write are the hot ones:
 * look the descriptor up, check, wrap the buffer, call the file.
 */
#include "fs/fs_syscall.h"

#include "fs/fdtable.h"
#include "fs/mmap.h"
#include "fs/stat.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define RWF_HIPRI 1u
#define RWF_DSYNC 2u
#define RWF_SYNC 4u

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4

static void file_set_pos(struct file *file, loff_t pos)
{
	spin_lock(&file->f_lock);
	file->f_pos = pos;
	spin_unlock(&file->f_lock);
}

/* The same for files that have a position of their own. */
static noinline ssize_t seekable_read(struct file *file, struct iov_iter *to)
{
	loff_t pos = READ_ONCE(file->f_pos);
	ssize_t n = file->f_op->read_iter(file, to, &pos);

	if (n > 0)
		file_set_pos(file, pos);
	return n;
}

static noinline ssize_t seekable_write(struct file *file,
				       struct iov_iter *from)
{
	loff_t pos = READ_ONCE(file->f_pos);
	ssize_t n = file->f_op->write_iter(file, from, &pos);

	if (n > 0)
		file_set_pos(file, pos);
	return n;
}

__inline_hot ssize_t vfs_iter_read(struct file *file, struct iov_iter *to,
				   loff_t *pos)
{
	if (unlikely(!file_readable(file)))
		return -EBADF;
	if (unlikely(!file->f_op->read_iter))
		return -EINVAL;
	if (file->f_seekable && !pos)
		return seekable_read(file, to);
	return file->f_op->read_iter(file, to, pos);
}

ssize_t vfs_iter_write(struct file *file, struct iov_iter *from, loff_t *pos)
{
	if (unlikely(!file_writable(file)))
		return -EBADF;
	if (unlikely(!file->f_op->write_iter))
		return -EINVAL;
	if (file->f_seekable && !pos)
		return seekable_write(file, from);
	return file->f_op->write_iter(file, from, pos);
}

static __inline_hot ssize_t buf_read(struct file *file, void __user *buf,
				     size_t count, loff_t *pos)
{
	struct iov_iter to;

	/* A file that cannot be read says so first. */
	if (unlikely(!access_ok(buf, count)) && file_readable(file) &&
	    file->f_op->read_iter)
		return -EFAULT;
	iov_iter_ubuf(&to, buf, count);
	return vfs_iter_read(file, &to, pos);
}

static ssize_t buf_write(struct file *file, void __user *buf, size_t count,
			 loff_t *pos)
{
	struct iov_iter from;

	if (unlikely(!access_ok(buf, count)) && file_writable(file) &&
	    file->f_op->write_iter)
		return -EFAULT;
	iov_iter_ubuf(&from, buf, count);
	return vfs_iter_write(file, &from, pos);
}

SYSCALL_DEFINE3(read, int, fd, void __user *, buf, size_t, count)
{
	struct fd_ref f = fdget(fd);
	ssize_t n = -EBADF;

	if (likely(f.file))
		n = buf_read(f.file, buf, count, NULL);
	fdput(f);
	return n;
}

SYSCALL_DEFINE3(write, int, fd, void __user *, buf, size_t, count)
{
	struct fd_ref f = fdget(fd);
	ssize_t n = -EBADF;

	if (likely(f.file))
		n = buf_write(f.file, buf, count, NULL);
	fdput(f);
	return n;
}

/* pread64 and pwrite64, by @op. */
static ssize_t rw_at(int fd, void __user *buf, size_t count, loff_t pos,
		     ssize_t (*op)(struct file *, void __user *, size_t,
				   loff_t *))
{
	struct fd_ref f;
	ssize_t n = -EBADF;

	if (pos < 0)
		return -EINVAL;
	f = fdget(fd);
	if (f.file)
		n = f.file->f_seekable ? op(f.file, buf, count, &pos) :
					 -ESPIPE;
	fdput(f);
	return n;
}

SYSCALL_DEFINE4(pread64, int, fd, void __user *, buf, size_t, count, loff_t,
		pos)
{
	return rw_at(fd, buf, count, pos, buf_read);
}

SYSCALL_DEFINE4(pwrite64, int, fd, void __user *, buf, size_t, count, loff_t,
		pos)
{
	return rw_at(fd, buf, count, pos, buf_write);
}

/* @op is vfs_iter_read or vfs_iter_write. */
static ssize_t vec_rw(int fd, const struct iovec __user *uvec, size_t nr,
		      ssize_t (*op)(struct file *, struct iov_iter *, loff_t *),
		      loff_t *pos)
{
	struct iovec fast[UIO_FASTIOV], *to_free = NULL;
	struct fd_ref f = fdget(fd);
	struct iov_iter it;
	ssize_t n = -EBADF;

	if (!f.file)
		return n;
	if (pos && !f.file->f_seekable) {
		n = -ESPIPE;
		goto out;
	}
	n = import_iovec(uvec, nr, fast, &to_free, &it);
	if (!n)
		n = op(f.file, &it, pos);
	kfree(to_free);
out:
	fdput(f);
	return n;
}

SYSCALL_DEFINE3(readv, int, fd, const struct iovec __user *, vec, size_t, nr)
{
	return vec_rw(fd, vec, nr, vfs_iter_read, NULL);
}

SYSCALL_DEFINE3(writev, int, fd, const struct iovec __user *, vec, size_t, nr)
{
	return vec_rw(fd, vec, nr, vfs_iter_write, NULL);
}

/* The sixth argument of Linux (the upper half of the position) is 32-bit's. */
SYSCALL_DEFINE4(preadv, int, fd, const struct iovec __user *, vec, size_t, nr,
		loff_t, pos)
{
	return pos < 0 ? -EINVAL : vec_rw(fd, vec, nr, vfs_iter_read, &pos);
}

SYSCALL_DEFINE4(pwritev, int, fd, const struct iovec __user *, vec, size_t, nr,
		loff_t, pos)
{
	return pos < 0 ? -EINVAL : vec_rw(fd, vec, nr, vfs_iter_write, &pos);
}

/*
 * preadv2(2) and pwritev2(2): what is in memory is written at once, and no
 * other flag is for it. Position -1 is the file's.
 */
static ssize_t vec_rw2(int fd, const struct iovec __user *vec, size_t nr,
		       ssize_t (*op)(struct file *, struct iov_iter *,
				     loff_t *), loff_t pos, u32 flags)
{
	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
		return -EOPNOTSUPP;
	if (pos < -1)
		return -EINVAL;
	return vec_rw(fd, vec, nr, op, pos < 0 ? NULL : &pos);
}

SYSCALL_DEFINE6(preadv2, int, fd, const struct iovec __user *, vec, size_t, nr,
		loff_t, pos, u64, high, u32, flags)
{
	(void)high;
	return vec_rw2(fd, vec, nr, vfs_iter_read, pos, flags);
}

SYSCALL_DEFINE6(pwritev2, int, fd, const struct iovec __user *, vec, size_t, nr,
		loff_t, pos, u64, high, u32, flags)
{
	(void)high;
	return vec_rw2(fd, vec, nr, vfs_iter_write, pos, flags);
}

/* How mmap(2) reads a file: see mmap_read_file in kernel/mm/mm.h. */
static __cold ssize_t read_file_at(int fd, u64 pos, void *buf, size_t n)
{
	struct fd_ref f = fdget(fd);
	loff_t at = (loff_t)pos;
	struct iov_iter to;
	ssize_t got = -EBADF;

	if (f.file && !file_readable(f.file))
		got = -EACCES;
	else if (f.file && (!f.file->f_seekable || !f.file->f_op->read_iter))
		got = -ENODEV;
	else if (f.file)
		got = 0;
	if (!got) {
		iov_iter_kbuf(&to, buf, n);
		got = vfs_iter_read(f.file, &to, &at);
	}
	fdput(f);
	return got;
}

void read_write_init(void)
{
	mmap_read_file = read_file_at;
	mmap_sources = &vfs_mmap_sources;
}

/* Only the tmpfs's files have holes: the others' end where they end. */
static loff_t seek_extent(struct file *file, loff_t offset, bool data)
{
	struct vfs_file *vf = vfs_file(file);
	struct kstat st;
	int err;

	if (file->f_op == &tmpfs_file_fops)
		return tmpfs_seek(vf->inode, offset, data);
	if (!vf || !is_reg(vf->inode) || !vf->inode->i_op->getattr)
		return -EINVAL;
	err = vfs_fstat(file, &st);
	if (err)
		return err;
	if (offset < 0 || (u64)offset >= st.size)
		return -ENXIO;
	return data ? offset : (loff_t)st.size;
}

/* Where @offset and @whence lead in @file: a position, or -errno. */
static loff_t seek_target(struct file *file, loff_t offset, int whence)
{
	loff_t base = 0, pos;
	struct kstat st;
	int err;

	if (file->f_flags & O_PATH)
		return -EBADF;
	if (!file->f_seekable)
		return -ESPIPE;
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		return seek_extent(file, offset, whence == SEEK_DATA);
	err = vfs_fstat(file, &st);
	if (err)
		return err;
	/* A device that can seek has nothing but its beginning. */
	if ((st.mode & S_IFMT) == S_IFCHR)
		return 0;
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = READ_ONCE(file->f_pos);
		break;
	case SEEK_END:
		base = (loff_t)st.size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &pos) || pos < 0)
		return -EINVAL;
	return pos;
}

SYSCALL_DEFINE3(lseek, int, fd, loff_t, offset, int, whence)
{
	struct fd_ref f = fdget(fd);
	loff_t pos = -EBADF;

	if (f.file)
		pos = seek_target(f.file, offset, whence);
	if (pos >= 0)
		file_set_pos(f.file, pos);
	fdput(f);
	return pos;
}
