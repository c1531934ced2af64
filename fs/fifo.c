/*
 * FIFOs (fifo(7)): a pipe under a name. The pipe lives while the FIFO is open
 * anywhere; open(2) waits until the other end is open, too. Task context.
 *
 * LOCKING: inode->lock guards inode->pipe, the pipe's mutex who has it open.
 */
#include "fs/pipe_internal.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/poll.h"

/* The pipe of @dentry with a reference more; NULL: no memory. */
static struct pipe *fifo_pipe(struct dentry *dentry)
{
	struct inode *inode = dentry->inode;
	struct pipe *pipe;

	mutex_lock(&inode->lock);
	pipe = inode->pipe;
	if (!pipe) {
		pipe = pipe_alloc();
		if (!pipe)
			goto out;
		pipe->dentry = dget(dentry);
		inode->pipe = pipe;
	}
	atomic_inc(&pipe->ends);
out:
	mutex_unlock(&inode->lock);
	return pipe;
}

/* Counts the opening of an end, and wakes who waits for that in open(2). */
static void add_ends(struct pipe *pipe, bool reads, bool writes)
{
	if (reads) {
		WRITE_ONCE(pipe->readers, pipe->readers + 1);
		WRITE_ONCE(pipe->r_count, pipe->r_count + 1);
		wake_up_all(&pipe->wr_wait);
	}
	if (writes) {
		WRITE_ONCE(pipe->writers, pipe->writers + 1);
		WRITE_ONCE(pipe->w_count, pipe->w_count + 1);
		wake_up_all(&pipe->rd_wait);
	}
}

/* What an opener waits for: one more of the other end, since then. */
struct partner {
	const u32 *count;
	u32 before;
};

static bool partner_came(const void *arg)
{
	const struct partner *p = arg;

	return READ_ONCE(*p->count) != p->before;
}

/* 0, -ERESTARTSYS. */
static int wait_for_partner(struct pipe *pipe, bool reads,
			    struct partner *p)
{
	return file_sleep(reads ? &pipe->rd_wait : &pipe->wr_wait,
			  partner_came, p);
}

int fifo_open(struct dentry *dentry, u32 flags, struct file **out)
{
	bool reads = (flags & O_ACCMODE) != O_WRONLY;
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	struct pipe *pipe = fifo_pipe(dentry);
	struct partner p = { .count = NULL };
	struct file *file;

	if (!pipe)
		return -ENOMEM;
	mutex_lock(&pipe->mutex);
	if (writes && !reads && flags & O_NONBLOCK && !pipe->readers) {
		mutex_unlock(&pipe->mutex);
		pipe_put_end(pipe);
		return -ENXIO;
	}
	file = file_alloc(pipe_fops(flags), pipe, flags);
	if (!file) {
		mutex_unlock(&pipe->mutex);
		pipe_put_end(pipe);
		return -ENOMEM;
	}
	/* Whoever finds no writer has not been left by one. */
	file->f_pos = reads && !writes && !pipe->writers ?
			      (loff_t)pipe->w_count : -1;
	add_ends(pipe, reads, writes);
	if (!reads && !pipe->readers)
		p = (struct partner){ &pipe->r_count, pipe->r_count };
	else if (!writes && !pipe->writers && !(flags & O_NONBLOCK))
		p = (struct partner){ &pipe->w_count, pipe->w_count };
	mutex_unlock(&pipe->mutex);
	if (p.count && wait_for_partner(pipe, reads, &p)) {
		fput(file);
		return -ERESTARTSYS;
	}
	*out = file;
	return 0;
}
