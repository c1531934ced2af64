/*
 * sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2): data from
 * file to file without the program's memory. Bytes pass through a buffer of
 * the kernel, a few pages at a time; what the target did not take was not
 * taken from the source. As on Linux a pipe stays locked while its other
 * side reads or writes. Task context, may sleep.
 */
#include "fs/fdtable.h"
#include "fs/fs_syscall.h"
#include "fs/inode.h"
#include "fs/pipe.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define SPLICE_F_NONBLOCK	2u
#define SPLICE_F_ALL		15u

/* What one step moves; a page if memory is short. */
#define STEP	16384u

/* One side of a move. */
struct side {
	struct fd_ref ref;
	struct file *file;
	struct pipe *pipe;	/* NULL: no pipe */
	loff_t pos;		/* if the file has one */
	bool own_pos;		/* pos goes back to the file's */
};

/* The kernel's buffer. */
struct bounce {
	char *buf;
	u32 size;
};

static bool bounce_alloc(struct bounce *b)
{
	b->size = STEP;
	b->buf = kmalloc(b->size);
	if (!b->buf) {
		b->size = PAGE_SIZE / 2;
		b->buf = kmalloc(b->size);
	}
	return b->buf;
}

static int side_open(struct side *s, int fd)
{
	s->ref = fdget(fd);
	s->file = s->ref.file;
	if (!s->file)
		return -EBADF;
	s->pipe = file_pipe(s->file);
	s->own_pos = true;
	s->pos = READ_ONCE(s->file->f_pos);
	return 0;
}

static void side_close(struct side *s)
{
	fdput(s->ref);
}

/* The caller's own position instead of the file's. 0, -EFAULT. */
static int side_take_pos(struct side *s, const loff_t __user *upos)
{
	if (!upos)
		return 0;
	s->own_pos = false;
	return get_user(s->pos, upos) ? -EFAULT : 0;
}

/* Where the position got to, after a move. */
static int side_give_pos(struct side *s, loff_t __user *upos)
{
	if (!s->own_pos)
		return put_user(s->pos, upos) ? -EFAULT : 0;
	if (!s->file->f_seekable)
		return 0;
	spin_lock(&s->file->f_lock);
	s->file->f_pos = s->pos;
	spin_unlock(&s->file->f_lock);
	return 0;
}

/* Linux looks at this before it looks for the end of the file. */
static bool past_any_end(const struct side *s, size_t n)
{
	return s->pos < 0 || n > MAX_FILE_SIZE - (u64)s->pos;
}

static loff_t *side_pos(struct side *s)
{
	return s->file->f_seekable ? &s->pos : NULL;
}

static ssize_t side_read(struct side *s, char *buf, size_t n)
{
	struct iov_iter to;

	iov_iter_kbuf(&to, buf, n);
	return vfs_iter_read(s->file, &to, side_pos(s));
}

static ssize_t side_write(struct side *s, char *buf, size_t n)
{
	struct iov_iter from;

	iov_iter_kbuf(&from, buf, n);
	return vfs_iter_write(s->file, &from, side_pos(s));
}

/* Both ends of a move with their checks of access. */
static int open_both(struct side *in, int infd, struct side *out, int outfd)
{
	int err = side_open(in, infd);

	if (err)
		return err;
	err = side_open(out, outfd);
	if (err)
		side_close(in);
	return err;
}

static void close_both(struct side *in, struct side *out)
{
	side_close(out);
	side_close(in);
}

/* ---- into a pipe and out of one ---- */

/* What stands at the file's position; a socket gives what it has at once. */
static ssize_t fill_pipe(struct side *in, struct pipe *pipe, size_t len,
			 struct bounce *b)
{
	size_t done = 0;

	while (len && pipe_room(pipe)) {
		u32 n = min(pipe_room(pipe), b->size);
		struct iov_iter from;
		ssize_t got;

		n = pipe_prepare(pipe, (u32)min(len, (size_t)n));
		got = n ? side_read(in, b->buf, n) : -ENOMEM;
		if (got <= 0)
			return done ? (ssize_t)done : got;
		iov_iter_kbuf(&from, b->buf, (size_t)got);
		got = pipe_add(pipe, &from);
		done += (size_t)got;
		len -= (size_t)got;
		if ((u32)got < n || !in->file->f_seekable)
			break;
	}
	return (ssize_t)done;
}

/* "[eventfd]" and its like: Linux moves nothing in or out of these. */
static bool is_anonymous(const struct file *file)
{
	return file->f_op->name && file->f_op->name[0] == '[';
}

static ssize_t file_to_pipe(struct side *in, struct pipe *pipe, size_t len,
			    bool nonblock)
{
	struct bounce b;
	ssize_t n;

	if (is_anonymous(in->file))
		return -EINVAL;
	if (!bounce_alloc(&b))
		return -ENOMEM;
	pipe_lock(pipe);
	n = pipe_wait_room(pipe, nonblock);
	if (n > 0)
		n = fill_pipe(in, pipe, len, &b);
	pipe_unlock(pipe);
	kfree(b.buf);
	return n;
}

static ssize_t drain_pipe(struct pipe *pipe, struct side *out, size_t len,
			  struct bounce *b)
{
	size_t done = 0;

	while (len && pipe_used(pipe)) {
		u32 n = min(pipe_used(pipe), b->size);
		ssize_t put;

		n = (u32)min(len, (size_t)n);
		pipe_peek(pipe, 0, b->buf, n);
		put = side_write(out, b->buf, n);
		if (put <= 0)
			return done ? (ssize_t)done : put;
		pipe_drop(pipe, (u32)put);
		done += (size_t)put;
		len -= (size_t)put;
		if ((u32)put < n)
			break;
	}
	return (ssize_t)done;
}

static ssize_t pipe_to_file(struct pipe *pipe, struct side *out, size_t len,
			    bool nonblock)
{
	struct bounce b;
	ssize_t n;

	if (is_anonymous(out->file))
		return -EINVAL;
	if (!bounce_alloc(&b))
		return -ENOMEM;
	pipe_lock(pipe);
	n = pipe_wait_data(pipe, nonblock);
	if (n > 0)
		n = drain_pipe(pipe, out, len, &b);
	pipe_unlock(pipe);
	kfree(b.buf);
	return n;
}

/* Waits, one after the other, until @in has data and @out has room. */
static int wait_both(struct pipe *in, struct pipe *out, bool nonblock)
{
	int err;

	pipe_lock(in);
	err = pipe_wait_data(in, nonblock);
	pipe_unlock(in);
	if (err <= 0)
		return err;
	pipe_lock(out);
	err = pipe_wait_room(out, nonblock);
	pipe_unlock(out);
	return err;
}

/* Copies what fits; @keep: and leaves it where it was. Both locked. */
static ssize_t copy_pipe(struct pipe *in, struct pipe *out, size_t len,
			 bool keep, struct bounce *b)
{
	u32 done = 0;

	len = min(len, (size_t)pipe_used(in));
	while (done < len && pipe_room(out)) {
		u32 n = min(pipe_room(out), b->size);
		struct iov_iter from;
		ssize_t put;

		n = (u32)min((size_t)n, len - done);
		pipe_peek(in, keep ? done : 0, b->buf, n);
		iov_iter_kbuf(&from, b->buf, n);
		put = pipe_add(out, &from);
		if (put <= 0)
			return done ? (ssize_t)done : put;
		if (!keep)
			pipe_drop(in, (u32)put);
		done += (u32)put;
	}
	return done;
}

static ssize_t pipe_to_pipe(struct pipe *in, struct pipe *out, size_t len,
			    bool keep, bool nonblock)
{
	struct bounce b;
	ssize_t n;

	if (!bounce_alloc(&b))
		return -ENOMEM;
	do {
		n = wait_both(in, out, nonblock);
		if (n <= 0)
			break;
		pipe_lock_two(in, out);
		n = copy_pipe(in, out, len, keep, &b);
		pipe_unlock(in);
		pipe_unlock(out);
	} while (!n);	/* another was faster: wait again */
	kfree(b.buf);
	return n;
}

/* ---- splice and tee ---- */

static bool side_nonblock(const struct side *s, u32 flags)
{
	return flags & SPLICE_F_NONBLOCK || s->file->f_flags & O_NONBLOCK;
}

static ssize_t do_splice(struct side *in, struct side *out, size_t len,
			 u32 flags)
{
	if (!file_readable(in->file) || !file_writable(out->file))
		return -EBADF;
	if (in->pipe && out->pipe) {
		if (in->pipe == out->pipe)
			return -EINVAL;
		return pipe_to_pipe(in->pipe, out->pipe, len, false,
				    side_nonblock(in, flags) ||
					    side_nonblock(out, flags));
	}
	if (in->pipe) {
		if (!out->own_pos && !out->file->f_seekable)
			return -EINVAL;
		if (out->file->f_flags & O_APPEND || past_any_end(out, len))
			return -EINVAL;
		return pipe_to_file(in->pipe, out, len,
				    side_nonblock(in, flags));
	}
	if (!out->pipe || (!in->own_pos && !in->file->f_seekable) ||
	    past_any_end(in, len))
		return -EINVAL;
	return file_to_pipe(in, out->pipe, len, side_nonblock(out, flags));
}

SYSCALL_DEFINE6(splice, int, infd, loff_t __user *, off_in, int, outfd,
		loff_t __user *, off_out, size_t, len, u32, flags)
{
	struct side in, out;
	ssize_t n;

	if (!len)
		return 0;
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	n = open_both(&in, infd, &out, outfd);
	if (n)
		return n;
	n = -ESPIPE;
	if ((in.pipe && off_in) || (out.pipe && off_out))
		goto out;
	n = side_take_pos(&out, off_out);
	if (!n)
		n = side_take_pos(&in, off_in);
	if (!n)
		n = do_splice(&in, &out, len, flags);
	if (n >= 0 && (side_give_pos(&out, off_out) ||
		       side_give_pos(&in, off_in)))
		n = -EFAULT;
out:
	close_both(&in, &out);
	return n;
}

SYSCALL_DEFINE4(tee, int, infd, int, outfd, size_t, len, u32, flags)
{
	struct side in, out;
	ssize_t n;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!len)
		return 0;
	n = open_both(&in, infd, &out, outfd);
	if (n)
		return n;
	if (!file_readable(in.file) || !file_writable(out.file))
		n = -EBADF;
	else if (!in.pipe || !out.pipe || in.pipe == out.pipe)
		n = -EINVAL;
	else
		n = pipe_to_pipe(in.pipe, out.pipe, min(len, MAX_RW_COUNT),
				 true, side_nonblock(&in, flags) ||
					       side_nonblock(&out, flags));
	close_both(&in, &out);
	return n;
}

static ssize_t pipe_user(struct side *s, struct iov_iter *it, u32 flags)
{
	bool read = file_readable(s->file), nonblock = side_nonblock(s, flags);
	ssize_t n;

	if (!it->count)
		return 0;
	pipe_lock(s->pipe);
	n = read ? pipe_wait_data(s->pipe, nonblock) :
		   pipe_wait_room(s->pipe, nonblock);
	if (n > 0)
		n = read ? pipe_get(s->pipe, it) : pipe_add(s->pipe, it);
	pipe_unlock(s->pipe);
	return n;
}

__stackprotect
SYSCALL_DEFINE4(vmsplice, int, fd, const struct iovec __user *, uvec,
		unsigned long, nr, u32, flags)
{
	struct iovec fast[UIO_FASTIOV], *to_free = NULL;
	struct iov_iter it;
	struct side s;
	ssize_t n;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	n = side_open(&s, fd);
	if (n)
		return n;
	n = import_iovec(uvec, nr, fast, &to_free, &it);
	if (!n)
		n = s.pipe ? pipe_user(&s, &it, flags) : -EBADF;
	kfree(to_free);
	side_close(&s);
	return n;
}

/* ---- sendfile ---- */

/* The regular file behind @s: 0, -EISDIR, -EINVAL. */
static int regular(const struct side *s, struct inode **out)
{
	struct vfs_file *vf = vfs_file(s->file);

	if (!vf)
		return -EINVAL;
	if (is_dir(vf->inode))
		return -EISDIR;
	*out = vf->inode;
	return is_reg(vf->inode) ? 0 : -EINVAL;
}

/* Until @out takes no more, or the end of @in. */
static ssize_t file_to_file(struct side *in, struct side *out, size_t len)
{
	struct bounce b;
	size_t done = 0;
	ssize_t n = 0;

	if (!bounce_alloc(&b))
		return -ENOMEM;
	while (done < len) {
		loff_t from = in->pos;
		ssize_t got;

		got = side_read(in, b.buf, min(len - done, (size_t)b.size));
		n = got > 0 ? side_write(out, b.buf, (size_t)got) : got;
		if (n <= 0) {
			in->pos = from;
			break;
		}
		in->pos = from + n;
		done += (size_t)n;
		if (n < got)
			break;
	}
	kfree(b.buf);
	return done ? (ssize_t)done : n;
}

/* Up to WRITE_RUNS pieces of @inode from @pos on; *@bytes in all. */
static u32 take_runs(struct inode *inode, u64 pos, size_t len,
		     struct page_run *run, size_t *bytes)
{
	u32 nr = 0;

	*bytes = 0;
	while (nr < WRITE_RUNS && *bytes < len &&
	       tmpfs_run(inode, pos + *bytes, len - *bytes, &run[nr]))
		*bytes += run[nr++].len;
	return nr;
}

/*
 * The same from the pages of @inode, which @in is, as far as they go; *@on:
 * and from there bytes may be copied.
 */
__stackprotect
static ssize_t pages_to_file(struct side *in, struct inode *inode,
			     struct side *out, size_t len, bool *on)
{
	struct page_run run[WRITE_RUNS];
	size_t done = 0, bytes;
	ssize_t n = 0;
	u32 nr;

	while (*on && (nr = take_runs(inode, (u64)in->pos, len - done, run,
				      &bytes))) {
		bool more = done + bytes < len &&
			    (u64)in->pos + bytes < READ_ONCE(inode->size);

		n = out->file->f_op->write_pages(out->file, run, nr, more);
		while (nr--) {
			if (run[nr].page)
				put_page(run[nr].page);
		}
		if (n == -EOPNOTSUPP)
			return 0;
		*on = n == (ssize_t)bytes;
		if (n > 0) {
			in->pos += n;
			done += (size_t)n;
		}
	}
	return done ? (ssize_t)done : n;
}

static ssize_t do_sendfile(struct side *in, struct side *out, size_t len)
{
	struct inode *inode = NULL;
	ssize_t done = 0, n;
	bool on = true;

	if (!file_writable(out->file))
		return -EBADF;
	len = min(len, MAX_RW_COUNT);
	if (out->pipe && !len)
		return 0;
	if (out->pipe)
		return in->pipe ? -EINVAL :
		       file_to_pipe(in, out->pipe, len, side_nonblock(out, 0));
	if (!in->file->f_seekable || out->file->f_flags & O_APPEND ||
	    regular(in, &inode) == -EISDIR || past_any_end(out, len))
		return -EINVAL;
	if (in->file->f_op == &tmpfs_file_fops && out->file->f_op->write_pages)
		done = pages_to_file(in, inode, out, len, &on);
	if (done >= 0 && on && (size_t)done < len) {
		n = file_to_file(in, out, len - (size_t)done);
		done = n < 0 && done ? done : done + n;
	}
	return done;
}

SYSCALL_DEFINE4(sendfile, int, outfd, int, infd, loff_t __user *, upos,
		size_t, count)
{
	loff_t pos = 0;
	struct side in, out;
	ssize_t n;

	if (upos && get_user(pos, upos))
		return -EFAULT;
	n = side_open(&in, infd);
	if (n)
		return n;
	if (upos) {
		in.own_pos = false;
		in.pos = pos;
	}
	if (!file_readable(in.file))
		n = -EBADF;
	else if (upos && !in.file->f_seekable)
		n = -ESPIPE;
	else if (past_any_end(&in, count))
		n = -EINVAL;
	if (!n)
		n = side_open(&out, outfd);
	if (!n) {
		n = do_sendfile(&in, &out, count);
		if (n > 0)
			(void)side_give_pos(&out, NULL);
		side_close(&out);
	}
	if ((n >= 0 || !in.own_pos) && side_give_pos(&in, upos))
		n = -EFAULT;
	side_close(&in);
	return n;
}

/* ---- copy_file_range ---- */

/* Linux's order of what may be wrong; *@len becomes what there is. */
static int check_range(struct side *in, struct side *out, size_t *len)
{
	struct inode *from, *to;
	u64 size, end;
	int err = regular(in, &from);

	if (!err)
		err = regular(out, &to);
	if (err)
		return err;
	if (!file_readable(in->file) || !file_writable(out->file) ||
	    out->file->f_flags & O_APPEND)
		return -EBADF;
	if (from->dev != to->dev)
		return -EXDEV;
	if (__builtin_add_overflow((u64)in->pos, *len, &end) ||
	    __builtin_add_overflow((u64)out->pos, *len, &end))
		return -EOVERFLOW;
	if (in->pos < 0 || out->pos < 0)
		return -EINVAL;
	if (end > MAX_FILE_SIZE)
		return -EFBIG;
	size = READ_ONCE(from->size);
	if ((u64)in->pos >= size)
		*len = 0;
	else
		*len = min(*len, (size_t)(size - (u64)in->pos));
	if (from == to && out->pos + (loff_t)*len > in->pos &&
	    out->pos < in->pos + (loff_t)*len)
		return -EINVAL;
	return 0;
}

SYSCALL_DEFINE6(copy_file_range, int, infd, loff_t __user *, off_in,
		int, outfd, loff_t __user *, off_out, size_t, len, u32, flags)
{
	struct side in, out;
	ssize_t n = open_both(&in, infd, &out, outfd);

	if (n)
		return n;
	n = side_take_pos(&in, off_in);
	if (!n)
		n = side_take_pos(&out, off_out);
	if (!n && flags)
		n = -EINVAL;
	if (!n)
		n = check_range(&in, &out, &len);
	if (!n && len)
		n = file_to_file(&in, &out, min(len, MAX_RW_COUNT));
	if (n > 0 && (side_give_pos(&in, off_in) ||
		      side_give_pos(&out, off_out)))
		n = -EFAULT;
	close_both(&in, &out);
	return n;
}
