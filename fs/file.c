/*
 * Birth and death of open files. Each is one small object from its own cache;
 * the last fput() tells epoll, then the file's kind, then frees it.
 *
 * LOCKING: f_lock guards f_flags, f_pos and the chain of epoll items; it is a
 * leaf except that ep->lock may be taken under it. Task context only.
 */
#include "fs/file.h"

#include "kernel/context.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/panic.h"
#include "kernel/sched.h"

static struct kmem_cache *file_cache __ro_after_init;

struct atomic nr_files;

void (*file_release_epoll)(struct file *file) __ro_after_init;

struct file *file_alloc(const struct file_operations *ops, void *priv,
			u32 flags)
{
	struct file *file = kmem_cache_alloc(file_cache);

	if (!file)
		return NULL;
	file->f_op = ops;
	file->private_data = priv;
	atomic_set(&file->f_count, 1);
	file->f_flags = flags & ~(u32)O_CLOEXEC;
	spin_lock_init(&file->f_lock);
	file->f_seekable = false;
	file->f_owner = FILE_OWNER_NONE;
	file->f_pos = 0;
	file->f_ep = NULL;
	atomic_inc(&nr_files);
	return file;
}

/*
 * Nobody can find the file any more except epoll items, and each of those is
 * gone when file_release_epoll() returns.
 */
static noinline void file_free(struct file *file)
{
	might_sleep();
	if (file->f_ep)
		file_release_epoll(file);
	if (file->f_op->release)
		file->f_op->release(file);
	kmem_cache_free(file_cache, file);
	atomic_dec(&nr_files);
}

void fput(struct file *file)
{
	if (atomic_dec_and_test(&file->f_count))
		file_free(file);
}

void file_change_flags(struct file *file, u32 clear, u32 set)
{
	spin_lock(&file->f_lock);
	WRITE_ONCE(file->f_flags, (file->f_flags & ~clear) | set);
	spin_unlock(&file->f_lock);
}

int file_sleep(struct wait_queue_head *wq, bool (*ready)(const void *arg),
	       const void *arg)
{
	struct wait_queue_entry wait;
	int err = 0;

	init_wait(&wait);
	for (;;) {
		prepare_to_wait(wq, &wait, TASK_INTERRUPTIBLE);
		if (ready(arg))
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	finish_wait(wq, &wait);
	return err;
}

int file_wait(struct file *file, struct wait_queue_head *wq,
	      bool (*ready)(const void *arg), const void *arg)
{
	if (ready(arg))
		return 0;
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return file_sleep(wq, ready, arg);
}

__cold void file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 0, 0);
	if (!file_cache)
		panic("file_init: out of memory; give the machine more");
}

int file_set_owner(struct file *file, s32 pid)
{
	enum file_owner owner = FILE_OWNER_NONE;

	if (pid == INT32_MIN)
		return -EINVAL;
	if (pid && pid != current->tgid && -pid != current->tgid)
		return -ESRCH;
	if (pid)
		owner = pid > 0 ? FILE_OWNER_PROCESS : FILE_OWNER_GROUP;
	WRITE_ONCE(file->f_owner, (u8)owner);
	return 0;
}

s32 file_get_owner(const struct file *file)
{
	u8 owner = READ_ONCE(file->f_owner);

	return owner == FILE_OWNER_NONE ? 0 :
	       owner == FILE_OWNER_GROUP ? -current->tgid : current->tgid;
}
