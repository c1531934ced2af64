/*
 * Split virtqueues. Called by the virtio drivers, in whatever context they
 * hold their queue's lock in.
 *
 * Barriers: the device is another processor that reads and writes our memory.
 * avail->ring before avail->idx is a store-store order; used->idx before
 * used->ring a load-load order; but "tell, then look" (publish and read
 * avail_event; arm used_event and read used->idx) needs a full one, and both
 * sides do it, so that at least one of them sees the other.
 */
#include "drivers/virtio_ring.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/string.h"

/* A chain of more pieces goes into an indirect table, to spare the ring. */
#define DIRECT_MAX	4u
/* More pieces than this no device we know takes. */
#define PIECES_MAX	256u

static volatile u16 *used_event(const struct virtqueue *vq)
{
	return &vq->avail->ring[vq->num];
}

static volatile u16 *avail_event(const struct virtqueue *vq)
{
	return (volatile u16 *)(void *)&vq->used->ring[vq->num];
}

/* 2.7.7.2: does going from @old to @new pass @event? */
static bool need_event(u16 event, u16 new, u16 old)
{
	return (u16)(new - event - 1) < (u16)(new - old);
}

static size_t used_offset(u32 num)
{
	size_t avail_end = num * sizeof(struct vring_desc) +
			   sizeof(struct vring_avail) + (num + 1) * sizeof(u16);

	return ALIGN_UP(avail_end, (size_t)VRING_USED_ALIGN);
}

static size_t ring_size(u32 num)
{
	return used_offset(num) + sizeof(struct vring_used) +
	       num * sizeof(struct vring_used_elem) + sizeof(u16);
}

static unsigned int order_for(size_t size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

/* The largest power of two that is not above @n (n > 0). */
static u32 round_down_pow2(u32 n)
{
	return 1u << (31 - __builtin_clz(n));
}

/* All descriptors are free, nothing is in flight. */
static void clear_ring(struct virtqueue *vq)
{
	memset(vq->desc, 0, PAGE_SIZE << vq->order);
	memset(vq->slots, 0, vq->num * sizeof(vq->slots[0]));
	for (u32 i = 0; i < vq->num; i++)
		vq->slots[i].next = (u16)(i + 1);
	vq->num_free = vq->num;
	vq->free_head = 0;
	vq->avail_idx = vq->published = vq->last_used = 0;
	virtqueue_disable_cb(vq);
}

static int alloc_ring(struct virtqueue *vq, u32 num)
{
	struct page *page;
	u8 *mem;

	vq->order = order_for(ring_size(num));
	vq->slots = kcalloc(num, sizeof(vq->slots[0]));
	if (!vq->slots)
		return -ENOMEM;
	page = alloc_pages(vq->order);
	if (!page) {
		kfree(vq->slots);
		vq->slots = NULL;
		return -ENOMEM;
	}
	mem = page_address(page);
	vq->desc = (void *)mem;
	vq->avail = (void *)(mem + num * sizeof(struct vring_desc));
	vq->used = (void *)(mem + used_offset(num));
	vq->num = (u16)num;
	vq->mask = (u16)(num - 1);
	return 0;
}

__cold int virtqueue_setup(struct virtqueue *vq, struct virtio_device *vdev,
			   u32 index, u32 max, irq_handler_t fn, void *data)
{
	u32 num = vdev->ops->queue_max(vdev, index);
	int err;

	if (!num)
		return -ENODEV;
	num = round_down_pow2(min(min(num, max), 32768u));
	memset(vq, 0, sizeof(*vq));
	err = alloc_ring(vq, num);
	if (err)
		return err;
	vq->vdev = vdev;
	vq->index = index;
	vq->notify = vdev->ops->notify;
	vq->event = virtio_has(vdev, VIRTIO_F_EVENT_IDX);
	vq->indirect = virtio_has(vdev, VIRTIO_F_INDIRECT_DESC);
	vq->irq_fn = fn;
	vq->irq_data = data;
	err = virtqueue_restart(vq);
	if (err)
		virtqueue_free(vq);
	return err;
}

int virtqueue_restart(struct virtqueue *vq)
{
	clear_ring(vq);
	return vq->vdev->ops->enable_queue(vq->vdev, vq);
}

void virtqueue_free(struct virtqueue *vq)
{
	if (!vq->slots)
		return;
	free_pages(virt_to_page(vq->desc), vq->order);
	kfree(vq->slots);
	vq->slots = NULL;
}

static void fill_desc(struct vring_desc *d, const struct vq_buf *buf,
		      bool device_writes, bool last, u16 next)
{
	d->addr = buf->addr;
	d->len = buf->len;
	d->flags = (device_writes ? VRING_DESC_WRITE : 0) |
		   (last ? 0 : VRING_DESC_NEXT);
	d->next = next;
}

static u32 in_len(const struct vq_buf *bufs, unsigned int out, unsigned int in)
{
	u32 len = 0;

	for (unsigned int i = out; i < out + in; i++)
		len += bufs[i].len;
	return len;
}

static int add_indirect(struct virtqueue *vq, const struct vq_buf *bufs,
			unsigned int out, unsigned int in, void *token)
{
	unsigned int n = out + in;
	u16 head = vq->free_head;
	struct vring_desc *table;

	if (!vq->num_free)
		return -ENOSPC;
	table = kmalloc(n * sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		fill_desc(&table[i], &bufs[i], i >= out, i == n - 1,
			  (u16)(i + 1));
	if (!virtqueue_add_one(vq, virt_to_phys(table), n * sizeof(*table),
			       VRING_DESC_INDIRECT, token)) {
		kfree(table);
		return -ENOSPC;
	}
	vq->slots[head].indirect = table;
	vq->slots[head].in_len = in_len(bufs, out, in);
	vq->slots[head].count = 0;
	return 0;
}

static int add_direct(struct virtqueue *vq, const struct vq_buf *bufs,
		      unsigned int out, unsigned int in, void *token)
{
	unsigned int n = out + in;
	u16 head = vq->free_head, i = head;

	if (n > vq->num_free)
		return -ENOSPC;
	for (unsigned int k = 0; k < n; k++) {
		u16 next = vq->slots[i].next;

		fill_desc(&vq->desc[i], &bufs[k], k >= out, k == n - 1, next);
		i = next;
	}
	vq->slots[head].token = token;
	vq->slots[head].in_len = in_len(bufs, out, in);
	vq->slots[head].count = (u16)n;
	vq->free_head = i;
	vq->num_free -= n;
	vq->avail->ring[vq->avail_idx++ & vq->mask] = head;
	return 0;
}

int virtqueue_add(struct virtqueue *vq, const struct vq_buf *bufs,
		  unsigned int out, unsigned int in, void *token)
{
	unsigned int n = out + in;
	int err;

	if (unlikely(vq->vdev->broken))
		return -EIO;
	if (n <= DIRECT_MAX)
		return add_direct(vq, bufs, out, in, token);
	/* 2.7.5.3.1: a table is no longer than the queue either. */
	if (n > min(PIECES_MAX, (unsigned int)vq->num))
		return -E2BIG;
	if (vq->indirect) {
		err = add_indirect(vq, bufs, out, in, token);
		if (err != -ENOMEM)
			return err;
	}
	return add_direct(vq, bufs, out, in, token);
}

__inline_hot u32 virtqueue_add_many(struct virtqueue *vq, void *const *token,
				    u32 n, u32 off, u32 len)
{
	struct vq_slot *slots = vq->slots;
	struct vring_desc *descs = vq->desc;
	struct vring_avail *avail = vq->avail;
	u16 head = vq->free_head, at = vq->avail_idx;
	u64 rest = (u64)VRING_DESC_WRITE << 32 | len;
	u64 to_phys = off - direct_map_base;
	u16 mask = vq->mask;

	if (unlikely(vq->vdev->broken))
		return 0;
	n = min(n, (u32)vq->num_free);
	for (u32 i = 0; i < n; i++) {
		struct vring_desc *desc = &descs[head];
		struct vq_slot *slot = &slots[head];

		desc->addr = (u64)token[i] + to_phys;
		desc->rest = rest;
		slot->token = token[i];
		slot->in_len = len;
		slot->count = 1;
		avail->ring[at++ & mask] = head;
		head = slot->next;
	}
	vq->free_head = head;
	vq->num_free -= (u16)n;
	vq->avail_idx = at;
	return n;
}

bool virtqueue_kick_prepare(struct virtqueue *vq)
{
	u16 old = vq->published;
	u16 new = vq->avail_idx;

	if (old == new || unlikely(vq->vdev->broken))
		return false;
	smp_wmb();
	WRITE_ONCE(vq->avail->idx, new);
	vq->published = new;
	smp_mb();
	if (vq->event)
		return need_event(*avail_event(vq), new, old);
	return !(READ_ONCE(vq->used->flags) & VRING_USED_NO_NOTIFY);
}

/* Puts the chain at @head back on the free list; its token, to the caller. */
static void *detach(struct virtqueue *vq, u16 head)
{
	struct vq_slot *slot = &vq->slots[head];
	void *token = slot->token;
	u16 last = head, count = slot->count;

	slot->token = NULL;
	if (!count) {
		kfree(slot->indirect);
		count = 1;
	}
	for (u16 n = count; n > 1; n--)
		last = vq->slots[last].next;
	vq->slots[last].next = vq->free_head;
	vq->free_head = head;
	vq->num_free += count;
	return token;
}

/* What came back: in registers, so that its users need no stack for it. */
struct got {
	void *token;
	u32 len;
};

/* Chains, indirect tables, and what no device should say. */
static noinline struct got get_odd(struct virtqueue *vq, u32 id, u32 len)
{
	struct vq_slot *slot = id < vq->num ? &vq->slots[id] : NULL;

	if (!slot || !slot->token) {
		virtio_break(vq->vdev, "used a chain that was not given to it");
		return (struct got){ NULL, 0 };
	}
	if (len > slot->in_len) {
		if (slot->in_len) {
			virtio_break(vq->vdev, "wrote more than there is room");
			return (struct got){ NULL, 0 };
		}
		/* Old devices leave rubbish there for what they only read. */
		len = 0;
	}
	vq->last_used++;
	return (struct got){ detach(vq, (u16)id), len };
}

__inline_hot void *virtqueue_take_buf(struct virtqueue *vq, u32 *len)
{
	struct vring_used_elem *elem;
	struct vq_slot *slot;
	struct got got;
	void *token;
	u32 id, n;

	smp_rmb();
	elem = &vq->used->ring[vq->last_used & vq->mask];
	id = READ_ONCE(elem->id);
	n = READ_ONCE(elem->len);
	slot = &vq->slots[id];
	if (unlikely(id >= vq->num || !slot->token || slot->count != 1 ||
		     n > slot->in_len)) {
		got = get_odd(vq, id, n);
		*len = got.len;
		return got.token;
	}
	*len = n;
	token = slot->token;
	vq->last_used++;
	slot->token = NULL;
	slot->next = vq->free_head;
	vq->free_head = (u16)id;
	vq->num_free++;
	return token;
}

void *virtqueue_get_buf(struct virtqueue *vq, u32 *len)
{
	if (!virtqueue_more_used(vq) || unlikely(vq->vdev->broken))
		return NULL;
	return virtqueue_take_buf(vq, len);
}

__cold void *virtqueue_detach_unused_buf(struct virtqueue *vq)
{
	for (u16 i = 0; i < vq->num; i++) {
		if (vq->slots[i].token)
			return detach(vq, i);
	}
	return NULL;
}

/*
 * With event-idx the interrupt comes once, when used->idx passes used_event;
 * an event just behind us is a whole turn of the index away.
 */
void virtqueue_disable_cb(struct virtqueue *vq)
{
	if (vq->event)
		*used_event(vq) = (u16)(vq->last_used - 1);
	else
		WRITE_ONCE(vq->avail->flags, VRING_AVAIL_NO_INTERRUPT);
}

static bool arm(struct virtqueue *vq, u16 ahead)
{
	u16 event = (u16)(vq->last_used + ahead);

	if (vq->event)
		*used_event(vq) = event;
	else
		WRITE_ONCE(vq->avail->flags, 0);
	smp_mb();
	return (u16)(READ_ONCE(vq->used->idx) - vq->last_used) <= ahead;
}

bool virtqueue_enable_cb(struct virtqueue *vq)
{
	return arm(vq, 0);
}

bool virtqueue_enable_cb_delayed(struct virtqueue *vq)
{
	u16 in_flight = (u16)(vq->published - vq->last_used);

	return arm(vq, in_flight - in_flight / 4 - (in_flight != 0));
}

bool virtqueue_lost_irq(const struct virtqueue *vq)
{
	u16 used = READ_ONCE(vq->used->idx);

	if (used == vq->last_used)
		return false;
	if (!vq->event)
		return !READ_ONCE(vq->avail->flags);
	return need_event(*used_event(vq), used, vq->last_used);
}
