/*
 * eventfd(2): a counter as a file. Writing adds, reading takes everything, or
 * one in semaphore mode; either may wait for room or for something to take.
 *
 * LOCKING: the counter is guarded by wq.lock, so that a wakeup and the state
 * it tells of are one step. Task context.
 */
#include "fs/fdtable.h"
#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall.h"

#define EFD_SEMAPHORE	1u
#define EFD_FLAGS	(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)
#define COUNT_MAX	(UINT64_MAX - 1)

/* Locks: w wq.lock, c const after creation. */
struct eventfd {
	struct wait_queue_head wq;
	u64 count;		/* w */
	bool semaphore;		/* c */
};

static u32 eventfd_poll(struct file *file, struct poll_table *pt)
{
	struct eventfd *ctx = file->private_data;
	u64 count;
	u32 bits = 0;

	poll_wait(file, &ctx->wq, pt);
	count = READ_ONCE(ctx->count);
	if (count > 0)
		bits |= EPOLLIN;
	if (count == UINT64_MAX)
		bits |= EPOLLERR;
	if (count < COUNT_MAX)
		bits |= EPOLLOUT;
	return bits;
}

static bool eventfd_has_count(const void *arg)
{
	const struct eventfd *ctx = arg;

	return READ_ONCE(ctx->count) > 0;
}

/* Takes the value to read into *@value; false if there is none. */
static bool eventfd_take(struct eventfd *ctx, u64 *value)
{
	unsigned long irq = spin_lock_irqsave(&ctx->wq.lock);

	*value = ctx->semaphore ? ctx->count > 0 : ctx->count;
	if (*value) {
		WRITE_ONCE(ctx->count, ctx->count - *value);
		/* Now there is room: whoever watches for writing hears it. */
		__wake_up_locked(&ctx->wq, TASK_NORMAL_WAKE, 1,
				 (void *)(uintptr_t)EPOLLOUT);
	}
	spin_unlock_irqrestore(&ctx->wq.lock, irq);
	return *value;
}

static ssize_t eventfd_read(struct file *file, struct iov_iter *to,
			    loff_t *pos)
{
	struct eventfd *ctx = file->private_data;
	u64 value;

	(void)pos;
	if (to->count < sizeof(value))
		return -EINVAL;
	while (!eventfd_take(ctx, &value)) {
		int err = file_wait(file, &ctx->wq, eventfd_has_count, ctx);

		if (err)
			return err;
	}
	return copy_to_iter(&value, sizeof(value), to) == sizeof(value) ?
	       (ssize_t)sizeof(value) : -EFAULT;
}

/* What a writer waits for. */
struct eventfd_room {
	const struct eventfd *ctx;
	u64 value;
};

static bool eventfd_has_room(const void *arg)
{
	const struct eventfd_room *room = arg;

	return COUNT_MAX - READ_ONCE(room->ctx->count) >= room->value;
}

/* Adds @value; false if it does not fit. */
static bool eventfd_add(struct eventfd *ctx, u64 value)
{
	unsigned long irq = spin_lock_irqsave(&ctx->wq.lock);
	bool fits = COUNT_MAX - ctx->count >= value;

	if (fits) {
		WRITE_ONCE(ctx->count, ctx->count + value);
		__wake_up_locked(&ctx->wq, TASK_NORMAL_WAKE, 1,
				 (void *)(uintptr_t)EPOLLIN);
	}
	spin_unlock_irqrestore(&ctx->wq.lock, irq);
	return fits;
}

static ssize_t eventfd_write(struct file *file, struct iov_iter *from,
			     loff_t *pos)
{
	struct eventfd *ctx = file->private_data;
	struct eventfd_room room = { .ctx = ctx };

	(void)pos;
	if (from->count < sizeof(room.value))
		return -EINVAL;
	if (copy_from_iter(&room.value, sizeof(room.value), from) !=
	    sizeof(room.value))
		return -EFAULT;
	if (room.value == UINT64_MAX)
		return -EINVAL;
	while (!eventfd_add(ctx, room.value)) {
		int err = file_wait(file, &ctx->wq, eventfd_has_room, &room);

		if (err)
			return err;
	}
	return sizeof(room.value);
}

static void eventfd_release(struct file *file)
{
	kfree(file->private_data);
}

static const struct file_operations eventfd_fops = {
	.read_iter = eventfd_read,
	.write_iter = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.name = "[eventfd]",
};

static long do_eventfd(u32 count, u32 flags)
{
	struct eventfd *ctx;
	long fd;

	if (flags & ~(u32)EFD_FLAGS)
		return -EINVAL;
	ctx = kmalloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	init_waitqueue_head(&ctx->wq);
	ctx->count = count;
	ctx->semaphore = flags & EFD_SEMAPHORE;
	fd = file_open_fd(&eventfd_fops, ctx,
			  O_RDWR | (flags & ~EFD_SEMAPHORE));
	if (fd < 0)
		kfree(ctx);
	return fd;
}

SYSCALL_DEFINE1(eventfd, u32, count)
{
	return do_eventfd(count, 0);
}

SYSCALL_DEFINE2(eventfd2, u32, count, u32, flags)
{
	return do_eventfd(count, flags);
}
