/*
 * Advisory locks on whole files, and seals. flock(2)'s belong to an open
 * file, so two opens of a file stand in each other's way even within one
 * program: each inode counts them. Those on ranges are fs/record_lock.c.
 *
 * LOCKING: flock_lock guards all counts and vfs_file.flock. Task context.
 */
#include "fs/flock.h"

#include "fs/fdtable.h"
#include "fs/pipe.h"
#include "fs/record_lock.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/syscall.h"

#define LOCK_SH		1
#define LOCK_EX		2
#define LOCK_NB		4
#define LOCK_UN		8

#define F_NOTIFY	1026
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034

#define F_SEAL_KNOWN	0x1fu

static struct spinlock flock_lock;
static struct wait_queue_head flock_wait = WAIT_QUEUE_HEAD_INIT(flock_wait);

/* Takes @vf's lock away. flock_lock is held; true if somebody may go on. */
static bool drop_lock(struct vfs_file *vf)
{
	bool had = vf->flock;

	if (vf->flock == LOCK_SH)
		vf->inode->flock_shared--;
	else if (vf->flock == LOCK_EX)
		vf->inode->flock_exclusive--;
	vf->flock = 0;
	return had;
}

void flock_release(struct vfs_file *vf)
{
	bool wake;

	if (!vf->flock)
		return;
	spin_lock(&flock_lock);
	wake = drop_lock(vf);
	spin_unlock(&flock_lock);
	if (wake)
		wake_up_all(&flock_wait);
}

/*
 * Gives @vf the lock @type if nobody else's stands in the way. As on Linux, a
 * lock that is changed is first given up. True if it has it now.
 */
static bool try_lock(struct vfs_file *vf, u8 type)
{
	struct inode *inode = vf->inode;
	bool free, wake = false;

	spin_lock(&flock_lock);
	if (vf->flock != type)
		wake = drop_lock(vf);
	free = vf->flock == type ||
	       (!inode->flock_exclusive &&
		(type == LOCK_SH || !inode->flock_shared));
	if (free && !vf->flock) {
		if (type == LOCK_SH)
			inode->flock_shared++;
		else
			inode->flock_exclusive++;
		vf->flock = type;
	}
	spin_unlock(&flock_lock);
	if (wake)
		wake_up_all(&flock_wait);
	return free;
}

static long wait_lock(struct vfs_file *vf, u8 type)
{
	struct wait_queue_entry wait;
	long err = 0;

	init_wait(&wait);
	for (;;) {
		/* Queued before it looks: no release falls between. */
		prepare_to_wait(&flock_wait, &wait, TASK_INTERRUPTIBLE);
		if (try_lock(vf, type))
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	finish_wait(&flock_wait, &wait);
	return err;
}

static long flock_file(struct file *file, u8 type, bool wait)
{
	struct vfs_file *vf = vfs_file(file);

	if (file->f_flags & O_PATH)
		return -EBADF;
	/* Of pipes and the like there is but one open file each. */
	if (!vf)
		return 0;
	if (type == LOCK_UN)
		flock_release(vf);
	else if (!try_lock(vf, type))
		return wait ? wait_lock(vf, type) : -EWOULDBLOCK;
	return 0;
}

SYSCALL_DEFINE2(flock, int, fd, u32, op)
{
	struct fd_ref f = fdget(fd);
	u32 type = op & ~(u32)LOCK_NB;
	long err = -EBADF;

	if (type != LOCK_SH && type != LOCK_EX && type != LOCK_UN)
		err = -EINVAL;
	else if (f.file)
		err = flock_file(f.file, (u8)type, !(op & LOCK_NB));
	fdput(f);
	return err;
}

/* --- seals, and what else fcntl(2) asks --- */

/* *@arg becomes NULL if @a, of that inode, may be written to. */
static void find_writable(const struct vm_area *a, void *arg)
{
	void **inode = arg;

	if (a->source == *inode && a->flags & MAP_SHARED &&
	    !(a->flags & MAP_NOWRITE))
		*inode = NULL;
}

static bool mapped_writable(struct inode *inode)
{
	void *found = inode;

	mm_for_each_area(current->mm, find_writable, &found);
	return !found;
}

static long add_seals(struct file *file, unsigned long seals)
{
	struct vfs_file *vf = vfs_file(file);
	long err = 0;

	if (!vf || !is_reg(vf->inode) || seals & ~(u64)F_SEAL_KNOWN)
		return -EINVAL;
	if (!file_writable(file))
		return -EPERM;
	mutex_lock(&vf->inode->lock);
	if (vf->inode->seals & F_SEAL_SEAL)
		err = -EPERM;
	else if (seals & ~vf->inode->seals & F_SEAL_WRITE &&
		 mapped_writable(vf->inode))
		err = -EBUSY;
	else
		vf->inode->seals |= (u32)seals;
	mutex_unlock(&vf->inode->lock);
	return err;
}

/* A pipe's size is what /proc/sys/fs/pipe-max-size says; nothing is lost. */
static long set_pipe_size(struct pipe *pipe, u32 want)
{
	u32 used, size = PAGE_SIZE;

	if (want > 1u << 31)
		return -EINVAL;
	if (want > PIPE_SIZE)
		return -EPERM;
	while (size < want)
		size *= 2;
	pipe_lock(pipe);
	used = pipe_used(pipe);
	pipe_unlock(pipe);
	return used > size ? -EBUSY : (long)PIPE_SIZE;
}

long fcntl_lock(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vfs_file *vf = vfs_file(file);

	switch (cmd) {
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		if (!file_pipe(file))
			return -EBADF;
		return cmd == F_SETPIPE_SZ ?
			       set_pipe_size(file_pipe(file), (u32)arg) :
			       (long)PIPE_SIZE;
	case F_NOTIFY:
		return vf && is_dir(vf->inode) ? -EINVAL : -ENOTDIR;
	case F_ADD_SEALS:
		return add_seals(file, arg);
	case F_GET_SEALS:
		return vf && is_reg(vf->inode) ? (long)vf->inode->seals :
						 -EINVAL;
	default:
		return record_lock(file, cmd, arg);
	}
}
