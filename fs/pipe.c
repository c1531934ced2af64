/*
 * pipe(2): bytes from one descriptor to another through a ring of 16 pages,
 * each of which exists only while it holds data. A write of up to PIPE_BUF
 * bytes is never mixed with another's.
 *
 * LOCKING: pipe->mutex guards the ring and which ends are open; it is held
 * across user copies. Readers and writers wait on one queue each. A wakeup
 * follows the change it tells of, and file_wait() looks after it has queued.
 */
#include "fs/pipe.h"

#include "fs/fdtable.h"
#include "fs/pipe_internal.h"
#include "fs/stat.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define PIPE_FLAGS	(O_CLOEXEC | O_NONBLOCK)
#define FIONREAD	0x541b

static char **pipe_slot(struct pipe *pipe, u64 at)
{
	return &pipe->page[at / PAGE_SIZE % PIPE_PAGES];
}

/* After head or tail has moved. The head stays out of the tail's page. */
static void pipe_count(struct pipe *pipe)
{
	u64 end = ALIGN_DOWN(pipe->tail, PAGE_SIZE) + PIPE_PAGES * PAGE_SIZE;

	WRITE_ONCE(pipe->used, (u32)(pipe->head - pipe->tail));
	WRITE_ONCE(pipe->room, (u32)(end - pipe->head));
}

/* No page is left for a writer to begin. */
static bool pipe_full(const struct pipe *pipe)
{
	return READ_ONCE(pipe->room) < PIPE_BUF;
}

/*
 * Moves the tail; a page that is read out, or the last one, goes. True if that
 * ends a full pipe: only then are writers woken, as on Linux, where watchers
 * of the writing end see no edge for other reads.
 */
static bool pipe_consume(struct pipe *pipe, size_t n)
{
	char **slot = pipe_slot(pipe, pipe->tail);
	bool was_full = pipe_full(pipe);

	pipe->tail += n;
	if (pipe->tail == pipe->head) {
		pipe->tail = ALIGN_UP(pipe->tail, PAGE_SIZE);
		pipe->head = pipe->tail;
	}
	if (pipe->tail % PAGE_SIZE == 0) {
		free_page(*slot);
		*slot = NULL;
	}
	pipe_count(pipe);
	return was_full && !pipe_full(pipe);
}

/*
 * Takes what is there, up to the iterator's room; *@wake: wake writers. mutex
 * is held.
 */
static ssize_t pipe_take(struct pipe *pipe, struct iov_iter *to, bool *wake)
{
	size_t done = 0;

	while (to->count && pipe->used) {
		size_t off = pipe->tail % PAGE_SIZE;
		size_t want = min((size_t)pipe->used, PAGE_SIZE - off);
		size_t n;

		want = min(want, to->count);
		n = copy_to_iter(*pipe_slot(pipe, pipe->tail) + off, want, to);
		/* As on Linux what cannot be copied whole is not read. */
		if (n < want)
			return done ? (ssize_t)done : -EFAULT;
		*wake |= pipe_consume(pipe, n);
		done += n;
	}
	return (ssize_t)done;
}

/* Puts in what fits. Bytes, or -EFAULT or -ENOMEM if none. mutex is held. */
static ssize_t pipe_put(struct pipe *pipe, struct iov_iter *from)
{
	size_t done = 0;

	while (from->count && pipe->room) {
		size_t off = pipe->head % PAGE_SIZE;
		size_t want = min((size_t)pipe->room, PAGE_SIZE - off);
		char **slot = pipe_slot(pipe, pipe->head);
		size_t n;

		if (!*slot)
			*slot = get_zeroed_page();
		if (!*slot)
			return done ? (ssize_t)done : -ENOMEM;
		want = min(want, from->count);
		n = copy_from_iter(*slot + off, want, from);
		if (n < want)
			return done ? (ssize_t)done : -EFAULT;
		pipe->head += n;
		pipe_count(pipe);
		done += n;
	}
	return (ssize_t)done;
}

/* --- the reading end --- */

static bool pipe_readable(const void *arg)
{
	const struct pipe *pipe = arg;

	return READ_ONCE(pipe->used) || !READ_ONCE(pipe->writers);
}

static ssize_t pipe_read(struct file *file, struct iov_iter *to, loff_t *pos)
{
	struct pipe *pipe = file->private_data;

	(void)pos;
	if (!to->count)
		return 0;
	for (;;) {
		bool end, wake = false;
		ssize_t n;

		mutex_lock(&pipe->mutex);
		n = pipe_take(pipe, to, &wake);
		end = !pipe->writers;
		mutex_unlock(&pipe->mutex);
		if (wake && wq_has_sleeper(&pipe->wr_wait))
			wake_up_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
		if (n || end)
			return n;
		n = file_wait(file, &pipe->rd_wait, pipe_readable, pipe);
		if (n)
			return n;
	}
}

static u32 pipe_read_poll(struct file *file, struct poll_table *pt)
{
	struct pipe *pipe = file->private_data;
	u32 bits = 0;

	poll_wait(file, &pipe->rd_wait, pt);
	if (READ_ONCE(pipe->used))
		bits |= EPOLLIN | EPOLLRDNORM;
	/* Of a FIFO only if there was a writer since it was opened. */
	if (!READ_ONCE(pipe->writers) &&
	    file->f_pos != READ_ONCE(pipe->w_count))
		bits |= EPOLLHUP;
	return bits;
}

/* --- the writing end --- */

/* What a writer waits for: @need bytes of room, or nobody to read. */
struct pipe_need {
	const struct pipe *pipe;
	size_t need;
};

static bool pipe_writable(const void *arg)
{
	const struct pipe_need *want = arg;

	return READ_ONCE(want->pipe->room) >= want->need ||
	       !READ_ONCE(want->pipe->readers);
}

/* As much as fits; a small write whole or not at all. 0: does not fit. */
static ssize_t pipe_try_write(struct pipe *pipe, struct iov_iter *from,
			      size_t need)
{
	ssize_t n = 0;

	mutex_lock(&pipe->mutex);
	if (!pipe->readers)
		n = -EPIPE;
	else if (pipe->room >= need)
		n = pipe_put(pipe, from);
	mutex_unlock(&pipe->mutex);
	if (n > 0 && wq_has_sleeper(&pipe->rd_wait))
		wake_up_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	return n;
}

static ssize_t pipe_write(struct file *file, struct iov_iter *from,
			  loff_t *pos)
{
	struct pipe *pipe = file->private_data;
	struct pipe_need want = { .pipe = pipe };
	ssize_t done = 0;

	(void)pos;
	want.need = from->count <= PIPE_BUF ? from->count : 1;
	while (from->count) {
		ssize_t n = pipe_try_write(pipe, from, want.need);

		if (n == 0)
			n = file_wait(file, &pipe->wr_wait, pipe_writable,
				      &want);
		else if (n > 0)
			done += n;
		if (n == -EPIPE)
			send_sig(SIGPIPE, current);
		if (n < 0)
			return done ? done : n;
	}
	return done;
}

static u32 pipe_write_poll(struct file *file, struct poll_table *pt)
{
	struct pipe *pipe = file->private_data;
	u32 bits = 0;

	poll_wait(file, &pipe->wr_wait, pt);
	if (!pipe_full(pipe))
		bits |= EPOLLOUT | EPOLLWRNORM;
	if (!READ_ONCE(pipe->readers))
		bits |= EPOLLERR;
	return bits;
}

/* --- for splice --- */

void pipe_lock(struct pipe *pipe)
	__acquires(pipe->mutex)
{
	mutex_lock(&pipe->mutex);
}

void pipe_unlock(struct pipe *pipe)
	__releases(pipe->mutex)
{
	mutex_unlock(&pipe->mutex);
}

void pipe_lock_two(struct pipe *a, struct pipe *b)
	__no_lock_check
{
	mutex_lock(a < b ? &a->mutex : &b->mutex);
	mutex_lock(a < b ? &b->mutex : &a->mutex);
}

u32 pipe_used(const struct pipe *pipe)
{
	return pipe->used;
}

u32 pipe_room(const struct pipe *pipe)
{
	return pipe->room;
}

int pipe_wait_data(struct pipe *pipe, bool nonblock)
	__must_hold(pipe->mutex)
{
	int err = 0;

	while (!err && !pipe->used) {
		if (!pipe->writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&pipe->mutex);
		err = file_sleep(&pipe->rd_wait, pipe_readable, pipe);
		mutex_lock(&pipe->mutex);
	}
	return err ? err : 1;
}

int pipe_wait_room(struct pipe *pipe, bool nonblock)
	__must_hold(pipe->mutex)
{
	struct pipe_need want = { .pipe = pipe, .need = PIPE_BUF };
	int err = 0;

	while (!err && pipe->readers && pipe_full(pipe)) {
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&pipe->mutex);
		err = file_sleep(&pipe->wr_wait, pipe_writable, &want);
		mutex_lock(&pipe->mutex);
	}
	if (!err && !pipe->readers) {
		send_sig(SIGPIPE, current);
		err = -EPIPE;
	}
	return err ? err : 1;
}

static void wake_writers(struct pipe *pipe)
{
	if (wq_has_sleeper(&pipe->wr_wait))
		wake_up_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
}

ssize_t pipe_get(struct pipe *pipe, struct iov_iter *to)
{
	bool wake = false;
	ssize_t n = pipe_take(pipe, to, &wake);

	if (wake)
		wake_writers(pipe);
	return n;
}

ssize_t pipe_add(struct pipe *pipe, struct iov_iter *from)
{
	ssize_t n = pipe_put(pipe, from);

	if (n > 0 && wq_has_sleeper(&pipe->rd_wait))
		wake_up_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	return n;
}

/* A page that turns out not to be needed stays for the next writer. */
u32 pipe_prepare(struct pipe *pipe, u32 n)
{
	u64 at = pipe->head, end = pipe->head + n;

	while (at < end) {
		char **slot = pipe_slot(pipe, at);

		if (!*slot)
			*slot = get_zeroed_page();
		if (!*slot)
			return (u32)(at - pipe->head);
		at = ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
	}
	return n;
}

void pipe_peek(const struct pipe *pipe, u32 skip, void *buf, u32 n)
{
	u64 at = pipe->tail + skip;
	u32 done = 0;

	while (done < n) {
		size_t off = at % PAGE_SIZE;
		u32 part = (u32)min((size_t)(n - done), PAGE_SIZE - off);

		memcpy((char *)buf + done,
		       pipe->page[at / PAGE_SIZE % PIPE_PAGES] + off, part);
		at += part;
		done += part;
	}
}

void pipe_drop(struct pipe *pipe, u32 n)
{
	bool wake = false;

	while (n) {
		size_t off = pipe->tail % PAGE_SIZE;
		u32 part = (u32)min((size_t)n, PAGE_SIZE - off);

		wake |= pipe_consume(pipe, part);
		n -= part;
	}
	if (wake)
		wake_writers(pipe);
}

/* --- both --- */

static long pipe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pipe *pipe = file->private_data;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user((s32)READ_ONCE(pipe->used), (s32 __user *)arg);
}

static int pipe_stat(struct file *file, struct kstat *st)
{
	struct pipe *pipe = file->private_data;

	if (pipe->dentry)
		return dentry_stat(pipe->dentry, st);
	*st = (struct kstat){ .dev = DEV_ANON, .ino = 2,
			      .mode = S_IFIFO | 0600, .nlink = 1 };
	return 0;
}

void pipe_put_end(struct pipe *pipe)
	__no_lock_check
{
	struct inode *inode = pipe->dentry ? pipe->dentry->inode : NULL;
	bool last;

	/* Nobody finds a FIFO's pipe while its last user goes. */
	if (inode)
		mutex_lock(&inode->lock);
	last = atomic_dec_and_test(&pipe->ends);
	if (last && inode)
		inode->pipe = NULL;
	if (inode)
		mutex_unlock(&inode->lock);
	if (!last)
		return;
	dput(pipe->dentry);
	for (u32 i = 0; i < PIPE_PAGES; i++) {
		if (pipe->page[i])
			free_page(pipe->page[i]);
	}
	kfree(pipe);
}

/* One end is closed: the other learns of it. */
static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->private_data;

	mutex_lock(&pipe->mutex);
	if (file_readable(file))
		WRITE_ONCE(pipe->readers, pipe->readers - 1);
	if (file_writable(file))
		WRITE_ONCE(pipe->writers, pipe->writers - 1);
	mutex_unlock(&pipe->mutex);
	wake_up_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	wake_up_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM | EPOLLERR);
	pipe_put_end(pipe);
}

static const struct file_operations pipe_read_fops = {
	.read_iter = pipe_read,
	.poll = pipe_read_poll,
	.ioctl = pipe_ioctl,
	.stat = pipe_stat,
	.release = pipe_release,
	.name = "pipe",
};

static const struct file_operations pipe_write_fops = {
	.write_iter = pipe_write,
	.poll = pipe_write_poll,
	.ioctl = pipe_ioctl,
	.stat = pipe_stat,
	.release = pipe_release,
	.name = "pipe",
};

static u32 pipe_both_poll(struct file *file, struct poll_table *pt)
{
	return pipe_read_poll(file, pt) | pipe_write_poll(file, pt);
}

/* A FIFO that was opened for both. */
static const struct file_operations pipe_both_fops = {
	.read_iter = pipe_read,
	.write_iter = pipe_write,
	.poll = pipe_both_poll,
	.ioctl = pipe_ioctl,
	.stat = pipe_stat,
	.release = pipe_release,
	.name = "pipe",
};

const struct file_operations *pipe_fops(u32 flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return &pipe_read_fops;
	case O_WRONLY:
		return &pipe_write_fops;
	default:
		return &pipe_both_fops;
	}
}

struct pipe *file_pipe(const struct file *file)
{
	if (file->f_op->release != pipe_release)
		return NULL;
	return file->private_data;
}

struct pipe *pipe_alloc(void)
{
	struct pipe *pipe = kzalloc(sizeof(*pipe));

	if (!pipe)
		return NULL;
	mutex_init(&pipe->mutex);
	init_waitqueue_head(&pipe->rd_wait);
	init_waitqueue_head(&pipe->wr_wait);
	pipe_count(pipe);
	return pipe;
}

/* 0 with the two descriptors in @fd; -EMFILE, -ENOMEM. */
static int pipe_open(u32 flags, int fd[2])
{
	struct pipe *pipe = pipe_alloc();

	if (!pipe)
		return -ENOMEM;
	pipe->readers = pipe->writers = pipe->w_count = 1;
	atomic_set(&pipe->ends, 2);
	fd[0] = file_open_fd(&pipe_read_fops, pipe, O_RDONLY | flags);
	if (fd[0] < 0) {
		kfree(pipe);
		return fd[0];
	}
	fd[1] = file_open_fd(&pipe_write_fops, pipe, O_WRONLY | flags);
	if (fd[1] < 0) {
		close_fd(fd[0]);
		pipe_put_end(pipe);
		return fd[1];
	}
	return 0;
}

static long do_pipe(int __user *ufd, u32 flags)
{
	int fd[2], err;

	if (flags & ~(u32)PIPE_FLAGS)
		return -EINVAL;
	err = pipe_open(flags, fd);
	if (err)
		return err;
	if (!copy_to_user(ufd, fd, sizeof(fd)))
		return 0;
	close_fd(fd[0]);
	close_fd(fd[1]);
	return -EFAULT;
}

SYSCALL_DEFINE1(pipe, int __user *, fd)
{
	return do_pipe(fd, 0);
}

SYSCALL_DEFINE2(pipe2, int __user *, fd, u32, flags)
{
	return do_pipe(fd, flags);
}
