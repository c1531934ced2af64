/*
 * Requests that a task sends to a device and waits for: what 9P and disks
 * have in common. Each lives in the caller's frame until the device has
 * answered.
 */
#pragma once

#include "drivers/virtio_ring.h"
#include "kernel/io_call.h"
#include "kernel/spinlock.h"
#include "kernel/wait.h"

/* Locks: l lock, c const once set up. */
struct vcall_queue {
	struct virtqueue vq;		/* l */
	struct spinlock lock;		/* taken with interrupts off */
	struct wait_queue_head wait;	/* who waits for answers, or for room */
	struct list_head sent;		/* l  as io_call.list */
	u32 nr_sent;			/* l */
};

/* As virtqueue_setup(), with at most @max entries. Task. */
int vcall_setup(struct vcall_queue *q, struct virtio_device *vdev, u32 index,
		u32 max) __must_check;

/*
 * Sends: @bufs as virtqueue_add() has them. Waits for room. 0; -EIO (the
 * device is broken), -E2BIG. Task.
 */
int vcall_send(struct vcall_queue *q, struct io_call *call,
	       const struct vq_buf *bufs, unsigned int out, unsigned int in)
	__must_check;

/*
 * Sleeps until @call is done: 0; or, if @killable, -EINTR when the program is
 * to end (then it is not done, and has to be waited for again). Task.
 */
int vcall_wait(struct vcall_queue *q, struct io_call *call, bool killable);
