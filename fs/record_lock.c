/*
 * Locks on ranges (fcntl(2)). Each inode has a list of them. An owner is an
 * open file (F_OFD_) or the process, of which there is one: its locks stand
 * in the way of those of open files only.
 *
 * LOCKING: lock guards all lists. Task context.
 */
#include "fs/record_lock.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/sched.h"
#include "kernel/uaccess.h"

#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_OFD_GETLK	36
#define F_OFD_SETLKW	38

#define F_RDLCK		0
#define F_WRLCK		1
#define F_UNLCK		2

/* struct flock of x86-64 Linux. */
struct user_flock {
	s16 l_type, l_whence;
	s64 l_start, l_len;
	s32 l_pid;
};

struct record_lock {
	struct record_lock *next;
	const struct vfs_file *owner;	/* NULL: the process */
	s64 start, last;		/* both are in it */
	s16 type;
};

static struct spinlock lock;
static struct wait_queue_head waiters = WAIT_QUEUE_HEAD_INIT(waiters);

/* The lock in @want's way that begins first, NULL: none. */
static struct record_lock *conflict(const struct inode *inode,
				    const struct record_lock *want)
{
	struct record_lock *l, *first = NULL;

	for (l = inode->locks; l; l = l->next) {
		if (l->owner != want->owner && l->start <= want->last &&
		    want->start <= l->last &&
		    (l->type == F_WRLCK || want->type == F_WRLCK) &&
		    (!first || l->start < first->start))
			first = l;
	}
	return first;
}

/*
 * Takes [start, last] out of @owner's locks; @spare becomes the second half of
 * one that is cut in two. What is left over is put on *@dead.
 */
static void cut_out(struct inode *inode, const struct record_lock *range,
		    struct record_lock **spare, struct record_lock **dead)
{
	struct record_lock **at = &inode->locks, *l;

	while ((l = *at)) {
		if (l->owner != range->owner || l->start > range->last ||
		    l->last < range->start) {
			at = &l->next;
		} else if (l->start < range->start && l->last > range->last) {
			**spare = *l;
			(*spare)->start = range->last + 1;
			l->next = *spare;
			l->last = range->start - 1;
			*spare = NULL;
			return;
		} else if (l->start < range->start) {
			l->last = range->start - 1;
			at = &l->next;
		} else if (l->last > range->last) {
			l->start = range->last + 1;
			at = &l->next;
		} else {
			*at = l->next;
			l->next = *dead;
			*dead = l;
		}
	}
}

/* Grows @new over what touches it and is alike, so that lists stay short. */
static void absorb(const struct inode *inode, struct record_lock *new)
{
	const struct record_lock *l;

	for (l = inode->locks; l; l = l->next) {
		if (l->owner != new->owner || l->type != new->type ||
		    l->start - 1 > new->last || new->start - 1 > l->last)
			continue;
		new->start = min(new->start, l->start);
		new->last = max(new->last, l->last);
	}
}

static void free_all(struct record_lock *l)
{
	while (l) {
		struct record_lock *next = l->next;

		kfree(l);
		l = next;
	}
}

/* What @want asks, if nobody is in the way: 0, -EAGAIN, -ENOMEM. */
static long try_lock(struct inode *inode, const struct record_lock *want)
{
	struct record_lock *new = kmalloc(sizeof(*new));
	struct record_lock *spare = kmalloc(sizeof(*spare)), *dead = NULL;
	bool given_up = want->type != F_WRLCK;
	long err = 0;

	if (!new || !spare) {
		kfree(new);
		kfree(spare);
		return -ENOMEM;
	}
	*new = *want;
	spin_lock(&lock);
	if (want->type != F_UNLCK && conflict(inode, want)) {
		err = -EAGAIN;
	} else {
		if (want->type != F_UNLCK)
			absorb(inode, new);
		cut_out(inode, new, &spare, &dead);
		if (want->type != F_UNLCK) {
			new->next = inode->locks;
			inode->locks = new;
			new = NULL;
		}
	}
	spin_unlock(&lock);
	kfree(new);
	kfree(spare);
	free_all(dead);
	/* Less than before is held, maybe. */
	if (!err && given_up)
		wake_up_all(&waiters);
	return err;
}

static long wait_lock(struct inode *inode, const struct record_lock *want)
{
	struct wait_queue_entry wait;
	long err;

	init_wait(&wait);
	for (;;) {
		/* Queued before it looks: no release falls between. */
		prepare_to_wait(&waiters, &wait, TASK_INTERRUPTIBLE);
		err = try_lock(inode, want);
		if (err != -EAGAIN)
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	finish_wait(&waiters, &wait);
	return err;
}

static void drop_all(struct inode *inode, const struct vfs_file *owner)
{
	struct record_lock range = { .owner = owner, .last = INT64_MAX };
	struct record_lock *spare = NULL, *dead = NULL;

	spin_lock(&lock);
	cut_out(inode, &range, &spare, &dead);
	spin_unlock(&lock);
	if (dead)
		wake_up_all(&waiters);
	free_all(dead);
}

void record_lock_closed(struct file *file)
{
	struct inode *inode = vfs_file(file)->inode;

	if (unlikely(READ_ONCE(inode->locks)))
		drop_all(inode, NULL);
}

void record_lock_release(struct inode *inode, struct vfs_file *vf)
{
	if (unlikely(READ_ONCE(inode->locks)))
		drop_all(inode, vf);
}

/* The range that @u means: 0, -EINVAL, -EOVERFLOW. */
static long read_range(struct file *file, const struct user_flock *u,
		       struct record_lock *r)
{
	s64 base = 0, start;
	struct kstat st;

	switch (u->l_whence) {
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
	if (__builtin_add_overflow(base, u->l_start, &start))
		return -EOVERFLOW;
	if (start < 0 || (u->l_len < 0 &&
			  (u64)start < 0 - (u64)u->l_len))
		return -EINVAL;
	r->start = u->l_len < 0 ? start + u->l_len : start;
	r->last = u->l_len ? start - 1 : INT64_MAX;
	if (u->l_len > 0 && __builtin_add_overflow(start, u->l_len - 1,
						   &r->last))
		return -EOVERFLOW;
	return 0;
}

/* F_GETLK: the first lock in the way, or F_UNLCK. */
static long tell(struct inode *inode, struct record_lock *want,
		 struct user_flock *u, struct user_flock __user *arg)
{
	const struct record_lock *l;

	spin_lock(&lock);
	l = inode ? conflict(inode, want) : NULL;
	u->l_type = l ? l->type : F_UNLCK;
	if (l) {
		u->l_whence = 0;
		u->l_start = l->start;
		u->l_len = l->last == INT64_MAX ? 0 : l->last - l->start + 1;
		u->l_pid = l->owner ? -1 : current->tgid;
	}
	spin_unlock(&lock);
	return copy_to_user(arg, u, sizeof(*u));
}

/* May a lock of that type be had on @file? */
static long check_type(const struct file *file, s16 type)
{
	switch (type) {
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

long record_lock(struct file *file, unsigned int cmd, unsigned long arg)
{
	bool ofd = cmd >= F_OFD_GETLK && cmd <= F_OFD_SETLKW;
	struct user_flock __user *uarg = (struct user_flock __user *)arg;
	struct vfs_file *vf = vfs_file(file);
	struct inode *inode = vf ? vf->inode : NULL;
	struct record_lock want = { .owner = ofd ? vf : NULL };
	struct user_flock u;
	long err;

	if (!ofd && (cmd < F_GETLK || cmd > F_SETLKW))
		return -EINVAL;
	if (ofd)
		cmd -= F_OFD_GETLK - F_GETLK;
	if (copy_from_user(&u, uarg, sizeof(u)))
		return -EFAULT;
	if ((cmd == F_GETLK && u.l_type != F_RDLCK && u.l_type != F_WRLCK) ||
	    (ofd && u.l_pid))
		return -EINVAL;
	err = read_range(file, &u, &want);
	if (err)
		return err;
	want.type = u.l_type;
	if (cmd == F_GETLK)
		return tell(inode, &want, &u, uarg);
	err = check_type(file, u.l_type);
	/* Of pipes and the like there is but one open file each. */
	if (err || !inode)
		return err;
	return cmd == F_SETLK ? try_lock(inode, &want) :
				wait_lock(inode, &want);
}
