/*
 * Advisory locks. flock(2)'s belong to an open file, so two opens of a file
 * stand in each other's way even within one program: each inode counts them.
 * fcntl(2)'s belong to a process, and there is only one: whatever it asks
 * for, it may have, once the question is a valid one.
 *
 * LOCKING: flock_lock guards all counts and vfs_file.flock. Task context.
 */
#include "fs/flock.h"

#include "fs/fdtable.h"
#include "fs/tmpfs.h"
#include "kernel/errno.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define LOCK_SH		1
#define LOCK_EX		2
#define LOCK_NB		4
#define LOCK_UN		8

#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034

#define F_RDLCK		0
#define F_WRLCK		1
#define F_UNLCK		2

#define F_SEAL_KNOWN	0x1fu

/* struct flock of x86-64 Linux. */
struct user_flock {
	s16 l_type, l_whence;
	s64 l_start, l_len;
	s32 l_pid;
};

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

/* --- fcntl --- */

/* Is the range one that a file can have? */
static long check_range(struct file *file, const struct user_flock *l)
{
	s64 base = 0, start, end;
	struct kstat st;

	switch (l->l_whence) {
	case 0:
		break;
	case 1:
		base = READ_ONCE(file->f_pos);
		break;
	case 2:
		if (vfs_fstat(file, &st))
			return -EINVAL;
		base = (s64)st.size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, l->l_start, &start))
		return -EOVERFLOW;
	if (start < 0 || (l->l_len < 0 && start < -l->l_len))
		return -EINVAL;
	if (l->l_len > 0 && __builtin_add_overflow(start, l->l_len - 1, &end))
		return -EOVERFLOW;
	return 0;
}

static long posix_lock(struct file *file, unsigned int cmd,
		       struct user_flock __user *arg)
{
	struct user_flock l;
	long err;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	if (cmd == F_GETLK && l.l_type != F_RDLCK && l.l_type != F_WRLCK)
		return -EINVAL;
	err = check_range(file, &l);
	if (err)
		return err;
	if (cmd == F_GETLK) {
		/* Only another process's lock would be shown. */
		l.l_type = F_UNLCK;
		return copy_to_user(arg, &l, sizeof(l));
	}
	switch (l.l_type) {
	case F_RDLCK:
		return file_readable(file) ? 0 : -EBADF;
	case F_WRLCK:
		return file_writable(file) ? 0 : -EBADF;
	case F_UNLCK:
		return 0;
	default:
		return -EINVAL;
	}
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
	else
		vf->inode->seals |= (u32)seals;
	mutex_unlock(&vf->inode->lock);
	return err;
}

long fcntl_lock(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vfs_file *vf = vfs_file(file);

	switch (cmd) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return posix_lock(file, cmd, (struct user_flock __user *)arg);
	case F_ADD_SEALS:
		return add_seals(file, arg);
	case F_GET_SEALS:
		return vf && is_reg(vf->inode) ? (long)vf->inode->seals :
						 -EINVAL;
	default:
		return -EINVAL;
	}
}
