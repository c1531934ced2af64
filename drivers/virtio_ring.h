/*
 * Split virtqueues (VIRTIO 1.2, section 2.7): a descriptor table, a ring of
 * what we make available, a ring of what the device has used. Everything the
 * device writes is checked before use; nothing it can write is trusted to
 * index memory. Not locked: each queue has one user at a time, which its
 * owner sees to.
 */
#pragma once

#include "drivers/virtio.h"
#include "kernel/compiler.h"
#include "kernel/types.h"
#include "kernel/x86/processor.h"

/* Alignment of the used ring (legacy transports tell the device). */
#define VRING_USED_ALIGN	64u

#define VRING_DESC_NEXT		1	/* the chain goes on at next */
#define VRING_DESC_WRITE	2	/* the device writes here */
#define VRING_DESC_INDIRECT	4	/* points to a table of descriptors */
#define VRING_AVAIL_NO_INTERRUPT 1
#define VRING_USED_NO_NOTIFY	1

struct vring_desc {
	u64 addr;
	union {
		struct {
			u32 len;
			u16 flags;
			u16 next;
		};
		u64 rest;	/* these three in one store */
	};
};

_Static_assert(sizeof(struct vring_desc) == 16, "VIRTIO 1.2, 2.7.5");

/* After ring[] of both follows one u16: used_event, avail_event. */
struct vring_avail {
	u16 flags;
	u16 idx;
	u16 ring[];
};

struct vring_used_elem {
	u32 id;		/* first descriptor of the chain */
	u32 len;	/* bytes written into it */
};

struct vring_used {
	u16 flags;
	u16 idx;
	struct vring_used_elem ring[];
};

/*
 * Our own notes, by descriptor, where the device cannot write. The free
 * descriptors are chained through next; a chain in flight keeps its links.
 */
struct vq_slot {
	void *token;		/* head of a chain in flight, else NULL */
	struct vring_desc *indirect;	/* table to free; if count is 0 */
	u32 in_len;		/* most the device may write */
	u16 next;
	u16 count;		/* descriptors in the chain, 0: indirect */
};

/* Locks: c const after setup, o the owner's. */
struct virtqueue {
	struct vring_desc *desc;	/* c */
	struct vring_avail *avail;	/* c */
	struct vring_used *used;	/* c */
	struct vq_slot *slots;		/* c */
	u16 num, mask;			/* c  entries, a power of two */
	u16 free_head;			/* o */
	u16 num_free;			/* o */
	u16 avail_idx;			/* o  next to fill */
	u16 published;			/* o  avail->idx, as the device sees */
	u16 last_used;			/* o  next to look at */
	bool event;			/* c  event-idx agreed */
	bool indirect;			/* c  indirect tables agreed */
	struct virtio_device *vdev;	/* c */
	void (*notify)(struct virtqueue *vq); /* c */
	volatile void *doorbell;	/* c  the transport's */
	u32 index;			/* c  queue number in the device */
	unsigned int order;		/* c  of the pages it lies in */
	irq_handler_t irq_fn;		/* c  NULL: wants no interrupts */
	void *irq_data;			/* c */
	u64 kicks;			/* o  doorbells rung */
};

/* A piece of memory for the device. */
struct vq_buf {
	phys_addr_t addr;
	u32 len;
};

/*
 * Allocates queue @index with at most @max entries and gives it to the
 * device. fn(data) is called in hardirq when it has used something; queues
 * with the same fn and data share one interrupt. 0, -ENODEV (no such queue),
 * -ENOMEM, or the transport's error. Task context.
 */
int virtqueue_setup(struct virtqueue *vq, struct virtio_device *vdev,
		    u32 index, u32 max, irq_handler_t fn,
		    void *data) __must_check;
/*
 * After a reset and with no token left: empties the ring and gives it to the
 * device again. 0 or the transport's error. Any context.
 */
int virtqueue_restart(struct virtqueue *vq) __must_check;
/* Gives the memory back. The device has been reset and no token is left. */
void virtqueue_free(struct virtqueue *vq);

/*
 * Queues a chain: @out pieces that the device reads, then @in that it writes.
 * @token (not NULL) comes back from virtqueue_get_buf(). The device sees it at
 * the next kick. 0, -ENOSPC (no room), -EIO (broken), -E2BIG (never fits).
 */
int virtqueue_add(struct virtqueue *vq, const struct vq_buf *bufs,
		  unsigned int out, unsigned int in, void *token) __must_check;

/*
 * The same for a single piece, read or written (@flags VRING_DESC_WRITE) by
 * the device: the packet's road. False if there is no room or the device is
 * broken.
 */
static inline __must_check bool
virtqueue_add_one(struct virtqueue *vq, phys_addr_t addr, u32 len, u16 flags,
		  void *token)
{
	u16 head = vq->free_head;
	struct vq_slot *slot = &vq->slots[head];
	struct vring_desc *desc = &vq->desc[head];

	if (unlikely(!vq->num_free || vq->vdev->broken))
		return false;
	desc->addr = addr;
	desc->rest = (u64)flags << 32 | len;
	slot->token = token;
	slot->in_len = flags & VRING_DESC_WRITE ? len : 0;
	slot->count = 1;
	vq->free_head = slot->next;
	vq->num_free--;
	vq->avail->ring[vq->avail_idx++ & vq->mask] = head;
	return true;
}

/*
 * Queues @n single buffers that the device writes, each of @len bytes, @off
 * behind its token[]. How many there was room for.
 */
u32 virtqueue_add_many(struct virtqueue *vq, void *const *token, u32 n,
		       u32 off, u32 len) __must_check;

/* Shows the device what was added; true if it wants the doorbell for it. */
bool virtqueue_kick_prepare(struct virtqueue *vq);

static inline void virtqueue_kick(struct virtqueue *vq)
{
	if (virtqueue_kick_prepare(vq)) {
		vq->kicks++;
		vq->notify(vq);
	}
}

/* Has the device used something we have not looked at? One memory read. */
static inline bool virtqueue_more_used(const struct virtqueue *vq)
{
	return READ_ONCE(vq->used->idx) != vq->last_used;
}

/*
 * The token of the next chain that the device is done with, and the bytes it
 * wrote; NULL if there is none or the device is broken.
 */
void *virtqueue_get_buf(struct virtqueue *vq, u32 *len);
/* The same when virtqueue_more_used() has just said that there is one. */
void *virtqueue_take_buf(struct virtqueue *vq, u32 *len);

/* After a reset only: the token of some chain in flight, NULL at the end. */
void *virtqueue_detach_unused_buf(struct virtqueue *vq);

/* No interrupts from now on (a late one may still come). */
void virtqueue_disable_cb(struct virtqueue *vq);
/*
 * Interrupt at the next used chain. False if one is there already: then no
 * interrupt may come for it, and the caller goes on or disables again.
 */
bool virtqueue_enable_cb(struct virtqueue *vq) __must_check;
/* The same, but at three quarters of what is in flight, if it can. */
bool virtqueue_enable_cb_delayed(struct virtqueue *vq) __must_check;

/* True if the interrupt is on and something waits that it was not for. */
bool virtqueue_lost_irq(const struct virtqueue *vq);
