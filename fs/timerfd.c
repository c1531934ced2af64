/*
 * timerfd_create(2): a timer as a file. It counts expirations; reading takes
 * the count, or waits for the first.
 *
 * LOCKING: wq.lock guards the count and the settings; the timer fires in a
 * hard interrupt and takes it. Task context otherwise.
 */
#include "fs/fdtable.h"
#include "kernel/errno.h"
#include "kernel/hrtimer.h"
#include "kernel/mm/slab.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_BOOTTIME		7
#define CLOCK_REALTIME_ALARM	8
#define CLOCK_BOOTTIME_ALARM	9

#define TFD_TIMER_ABSTIME	1u
#define TFD_TIMER_CANCEL_ON_SET	2u
#define TFD_CREATE_FLAGS	(O_CLOEXEC | O_NONBLOCK)

/* As user space lays it out. */
struct itimerspec {
	struct timespec it_interval;
	struct timespec it_value;
};

/* Locks: w wq.lock, c const after creation. */
struct timerfd {
	struct wait_queue_head wq;
	struct hrtimer timer;
	u64 ticks;		/* w  expirations not yet read */
	u64 next;		/* w  ktime ns of the next one, 0: disarmed */
	u64 interval;		/* w  ns, 0: once */
	bool wall_clock;	/* c  absolute times are of the wall clock */
};

/*
 * Adds what has expired by @now and moves @next beyond it. wq.lock is held.
 */
static void timerfd_catch_up(struct timerfd *ctx, u64 now)
{
	u64 n = 1;

	if (!ctx->next || now < ctx->next)
		return;
	if (!ctx->interval) {
		ctx->next = 0;
	} else {
		n += (now - ctx->next) / ctx->interval;
		ctx->next += n * ctx->interval;
	}
	ctx->ticks += n;
}

static void timerfd_fired(struct hrtimer *timer)
{
	struct timerfd *ctx = container_of(timer, struct timerfd, timer);
	unsigned long irq = spin_lock_irqsave(&ctx->wq.lock);

	timerfd_catch_up(ctx, ktime_get_ns());
	if (ctx->next)
		hrtimer_start(timer, ctx->next, 0);
	if (ctx->ticks)
		__wake_up_locked(&ctx->wq, TASK_NORMAL_WAKE, 1,
				 (void *)(uintptr_t)EPOLLIN);
	spin_unlock_irqrestore(&ctx->wq.lock, irq);
}

static u32 timerfd_poll(struct file *file, struct poll_table *pt)
{
	struct timerfd *ctx = file->private_data;

	poll_wait(file, &ctx->wq, pt);
	return READ_ONCE(ctx->ticks) ? EPOLLIN : 0;
}

/* Takes the count; 0 if there is none. */
static u64 timerfd_take(struct timerfd *ctx)
{
	unsigned long irq = spin_lock_irqsave(&ctx->wq.lock);
	u64 ticks = ctx->ticks;

	ctx->ticks = 0;
	spin_unlock_irqrestore(&ctx->wq.lock, irq);
	return ticks;
}

static bool timerfd_has_ticks(const void *arg)
{
	const struct timerfd *ctx = arg;

	return READ_ONCE(ctx->ticks);
}

static ssize_t timerfd_read(struct file *file, struct iov_iter *to,
			    loff_t *pos)
{
	struct timerfd *ctx = file->private_data;
	u64 ticks;

	(void)pos;
	if (to->count < sizeof(ticks))
		return -EINVAL;
	while (!(ticks = timerfd_take(ctx))) {
		int err = file_wait(file, &ctx->wq, timerfd_has_ticks, ctx);

		if (err)
			return err;
	}
	return copy_to_iter(&ticks, sizeof(ticks), to) == sizeof(ticks) ?
	       (ssize_t)sizeof(ticks) : -EFAULT;
}

/* What is left and the interval, as timerfd_gettime(2) answers. */
static struct itimerspec timerfd_left(const struct timerfd *ctx, u64 now)
{
	u64 left = 0;

	if (ctx->next)
		left = ctx->next > now ? ctx->next - now : 1;
	return (struct itimerspec){ ns_to_timespec(ctx->interval),
				    ns_to_timespec(left) };
}

/*
 * Disarms; returns what was set. With @next 0 a timer that is just firing
 * elsewhere does not start itself again, so the cancel is final.
 */
static struct itimerspec timerfd_stop(struct timerfd *ctx)
{
	unsigned long irq = spin_lock_irqsave(&ctx->wq.lock);
	u64 now = ktime_get_ns();
	struct itimerspec old;

	timerfd_catch_up(ctx, now);
	old = timerfd_left(ctx, now);
	ctx->next = 0;
	spin_unlock_irqrestore(&ctx->wq.lock, irq);
	hrtimer_cancel(&ctx->timer);
	return old;
}

static void timerfd_release(struct file *file)
{
	(void)timerfd_stop(file->private_data);
	kfree(file->private_data);
}

static const struct file_operations timerfd_fops = {
	.read_iter = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
	.name = "[timerfd]",
};

SYSCALL_DEFINE2(timerfd_create, int, clockid, u32, flags)
{
	struct timerfd *ctx;
	long fd;

	if (flags & ~(u32)TFD_CREATE_FLAGS)
		return -EINVAL;
	if (clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC &&
	    clockid != CLOCK_BOOTTIME && clockid != CLOCK_REALTIME_ALARM &&
	    clockid != CLOCK_BOOTTIME_ALARM)
		return -EINVAL;
	ctx = kzalloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	init_waitqueue_head(&ctx->wq);
	hrtimer_init(&ctx->timer, timerfd_fired);
	ctx->wall_clock = clockid == CLOCK_REALTIME ||
			  clockid == CLOCK_REALTIME_ALARM;
	fd = file_open_fd(&timerfd_fops, ctx, O_RDWR | flags);
	if (fd < 0)
		kfree(ctx);
	return fd;
}

/* When @value means, in ktime ns; 0 disarms. */
static u64 timerfd_expiry(const struct timerfd *ctx, u64 value, bool absolute,
			  u64 now)
{
	u64 wall;

	if (!value)
		return 0;
	if (!absolute)
		return value < KTIME_MAX - now ? now + value : KTIME_MAX;
	if (!ctx->wall_clock)
		return value;
	wall = ktime_get_real_ns();
	/* A time that has passed expires at once. */
	return value > wall ? now + (value - wall) : now;
}

static struct itimerspec timerfd_set(struct timerfd *ctx, bool absolute,
				     const struct itimerspec *new)
{
	struct itimerspec old = timerfd_stop(ctx);
	unsigned long irq = spin_lock_irqsave(&ctx->wq.lock);

	WRITE_ONCE(ctx->ticks, 0);
	ctx->interval = timespec_to_ns(&new->it_interval);
	ctx->next = timerfd_expiry(ctx, timespec_to_ns(&new->it_value),
				   absolute, ktime_get_ns());
	if (ctx->next)
		hrtimer_start(&ctx->timer, ctx->next, 0);
	spin_unlock_irqrestore(&ctx->wq.lock, irq);
	return old;
}

/* The timer behind @f, or NULL with *@err. */
static struct timerfd *timerfd_of(struct fd_ref f, int *err)
{
	if (!f.file) {
		*err = -EBADF;
		return NULL;
	}
	*err = f.file->f_op == &timerfd_fops ? 0 : -EINVAL;
	return *err ? NULL : f.file->private_data;
}

SYSCALL_DEFINE4(timerfd_settime, int, fd, u32, flags,
		const struct itimerspec __user *, unew,
		struct itimerspec __user *, uold)
{
	struct itimerspec new, old;
	struct timerfd *ctx;
	struct fd_ref f;
	int err;

	if (get_user(new, unew))
		return -EFAULT;
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) ||
	    !timespec_valid(&new.it_value) ||
	    !timespec_valid(&new.it_interval))
		return -EINVAL;
	f = fdget(fd);
	ctx = timerfd_of(f, &err);
	if (ctx)
		old = timerfd_set(ctx, flags & TFD_TIMER_ABSTIME, &new);
	fdput(f);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		err = -EFAULT;
	return err;
}

SYSCALL_DEFINE2(timerfd_gettime, int, fd, struct itimerspec __user *, ucur)
{
	struct itimerspec cur;
	struct timerfd *ctx;
	struct fd_ref f;
	unsigned long irq;
	int err;

	f = fdget(fd);
	ctx = timerfd_of(f, &err);
	if (ctx) {
		irq = spin_lock_irqsave(&ctx->wq.lock);
		cur = timerfd_left(ctx, ktime_get_ns());
		spin_unlock_irqrestore(&ctx->wq.lock, irq);
	}
	fdput(f);
	if (!err && copy_to_user(ucur, &cur, sizeof(cur)))
		err = -EFAULT;
	return err;
}
