/*
 * Requests that tasks wait for. The interrupt takes answers from the queue
 * and wakes all who wait: they are few. Who waits also looks by himself now
 * and then, for a device without interrupts or one that got lost.
 */
#include "drivers/virtio_call.h"

#include "kernel/errno.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/time.h"

#define WATCH_NS	(100 * NSEC_PER_MSEC)
#define POLL_NS		(200 * NSEC_PER_USEC)

static void finish(struct vcall_queue *q, struct io_call *call, int got)
{
	list_del(&call->list);
	q->nr_sent--;
	call->got = got;
	/* The frame it lives in may go from here on. */
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
}

/* With the lock held: takes what was answered; all, if the device broke. */
static void collect(struct vcall_queue *q)
{
	struct io_call *call;
	u32 len;

	while ((call = virtqueue_get_buf(&q->vq, &len)) != NULL)
		finish(q, call, (int)min(len, 0x7fffffffu));
	while (q->vq.vdev->broken && !list_empty(&q->sent)) {
		call = list_first_entry(&q->sent, struct io_call, list);
		finish(q, call, -EIO);
	}
}

/* Hardirq, and those who look by themselves. */
static void vcall_interrupt(void *data)
{
	struct vcall_queue *q = data;
	unsigned long flags = spin_lock_irqsave(&q->lock);

	do {
		collect(q);
	} while (!q->vq.vdev->broken && !virtqueue_enable_cb(&q->vq));
	spin_unlock_irqrestore(&q->lock, flags);
	/* done, and room, are there before anybody is woken to look. */
	wake_up_all(&q->wait);
}

int vcall_setup(struct vcall_queue *q, struct virtio_device *vdev, u32 index,
		u32 max)
{
	int err;

	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->wait);
	INIT_LIST_HEAD(&q->sent);
	err = virtqueue_setup(&q->vq, vdev, index, max, vcall_interrupt, q);
	if (!err)
		vcall_interrupt(q);
	return err;
}

static int try_send(struct vcall_queue *q, struct io_call *call,
		    const struct vq_buf *bufs, unsigned int out,
		    unsigned int in)
{
	unsigned long flags = spin_lock_irqsave(&q->lock);
	int err = virtqueue_add(&q->vq, bufs, out, in, call);

	if (!err) {
		list_add_tail(&call->list, &q->sent);
		q->nr_sent++;
		virtqueue_kick(&q->vq);
	} else if (err == -ENOSPC && !q->nr_sent) {
		err = -E2BIG;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return err;
}

/* Sleeps until woken, or until it is time to look at the ring. */
static void sleep_and_look(struct vcall_queue *q)
{
	u64 ns = q->vq.vdev->no_irq ? POLL_NS : WATCH_NS;

	if (schedule_hrtimeout_range(ktime_get_ns() + ns, ns / 8))
		return;
	/* The doorbell may have got lost just the same. */
	q->vq.notify(&q->vq);
	vcall_interrupt(q);
}

int vcall_send(struct vcall_queue *q, struct io_call *call,
	       const struct vq_buf *bufs, unsigned int out, unsigned int in)
{
	struct wait_queue_entry wait;
	int err;

	call->done = false;
	err = try_send(q, call, bufs, out, in);
	if (err != -ENOSPC)
		return err;
	init_wait(&wait);
	for (;;) {
		prepare_to_wait(&q->wait, &wait, TASK_UNINTERRUPTIBLE);
		err = try_send(q, call, bufs, out, in);
		if (err != -ENOSPC)
			break;
		sleep_and_look(q);
	}
	finish_wait(&q->wait, &wait);
	return err;
}

/* The program ends, and it is not this task that is just doing that. */
static bool killed(void)
{
	return current->sighand && READ_ONCE(current->sighand->exiting) &&
	       !current->exiting;
}

static bool is_done(const struct io_call *call)
{
	return __atomic_load_n(&call->done, __ATOMIC_ACQUIRE);
}

int vcall_wait(struct vcall_queue *q, struct io_call *call, bool killable)
{
	u32 state = killable ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE;
	struct wait_queue_entry wait;
	int err = 0;

	if (is_done(call))
		return 0;
	init_wait(&wait);
	for (;;) {
		prepare_to_wait(&q->wait, &wait, state);
		if (is_done(call))
			break;
		if (killable && killed()) {
			err = -EINTR;
			break;
		}
		sleep_and_look(q);
	}
	finish_wait(&q->wait, &wait);
	return err;
}
