/* The device side of virtio, for tests. */
#include "tests/unit/fake_virtio.h"

#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"

static struct fake_virtio *fake_of(struct virtio_device *vdev)
{
	return container_of(vdev, struct fake_virtio, vdev);
}

static u8 get_status(struct virtio_device *vdev)
{
	return fake_of(vdev)->status;
}

static void set_status(struct virtio_device *vdev, u8 status)
{
	struct fake_virtio *f = fake_of(vdev);

	if (f->refuse_features)
		status &= ~VIRTIO_S_FEATURES_OK;
	f->status = status;
	f->resets += status == 0;
}

static u64 get_features(struct virtio_device *vdev)
{
	return fake_of(vdev)->offered;
}

static void set_features(struct virtio_device *vdev, u64 features)
{
	assert_int_equal(features & ~fake_of(vdev)->offered, 0);
}

static u32 generation(struct virtio_device *vdev)
{
	struct fake_virtio *f = fake_of(vdev);

	if (f->restless) {
		f->restless--;
		f->generation++;
	}
	return f->generation;
}

static void read_config(struct virtio_device *vdev, u32 off, void *buf,
			u32 len)
{
	assert_in_range(off + len, 0, sizeof(fake_of(vdev)->config));
	fake_of(vdev)->config_reads++;
	memcpy(buf, fake_of(vdev)->config + off, len);
}

static void write_config(struct virtio_device *vdev, u32 off, u32 v)
{
	assert_in_range(off + sizeof(v), 0, sizeof(fake_of(vdev)->config));
	memcpy(fake_of(vdev)->config + off, &v, sizeof(v));
}

static u32 queue_max(struct virtio_device *vdev, u32 index)
{
	struct fake_virtio *f = fake_of(vdev);

	return index < f->nr_queues ? f->queue_max : 0;
}

static int enable_queue(struct virtio_device *vdev, struct virtqueue *vq)
{
	struct fake_virtio *f = fake_of(vdev);

	if (f->enable_error)
		return f->enable_error;
	f->vq[vq->index] = vq;
	f->next_avail[vq->index] = 0;
	return 0;
}

static void unbind(struct virtio_device *vdev)
{
	struct fake_virtio *f = fake_of(vdev);

	assert_int_equal(f->status, 0);
	f->unbound++;
	memset(f->vq, 0, sizeof(f->vq));
}

static void notify(struct virtqueue *vq)
{
	fake_of(vq->vdev)->notified[vq->index]++;
}

static const struct virtio_transport_ops fake_ops = {
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.generation = generation,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max = queue_max,
	.enable_queue = enable_queue,
	.unbind = unbind,
	.notify = notify,
};

void fake_virtio_init(struct fake_virtio *f, u32 id, u64 offered)
{
	memset(f, 0, sizeof(*f));
	f->vdev.ops = &fake_ops;
	f->vdev.id = id;
	f->vdev.legacy = !(offered & VIRTIO_F_VERSION_1);
	strcpy(f->vdev.name, "fake");
	f->offered = offered;
	f->queue_max = 256;
	f->nr_queues = 2;
}

static void add_piece(struct fake_chain *c, const struct vring_desc *d)
{
	unsigned int n = c->out + c->in;

	assert_in_range(n, 0, FAKE_PIECES - 1);
	c->piece[n].mem = phys_to_virt(d->addr);
	c->piece[n].len = d->len;
	if (d->flags & VRING_DESC_WRITE) {
		c->in++;
		c->in_len += d->len;
	} else {
		/* 2.7.4.2: what is read stands before what is written. */
		assert_int_equal(c->in, 0);
		c->out++;
		c->out_len += d->len;
	}
}

unsigned int fake_waiting(struct fake_virtio *f, unsigned int q)
{
	return (u16)(f->vq[q]->avail->idx - f->next_avail[q]);
}

bool fake_pop(struct fake_virtio *f, unsigned int q, struct fake_chain *c)
{
	struct virtqueue *vq = f->vq[q];
	struct vring_desc *table = vq->desc;
	u32 i, left = vq->num;
	u16 *avail_event = (u16 *)(void *)&vq->used->ring[vq->num];

	if (!fake_waiting(f, q))
		return false;
	memset(c, 0, sizeof(*c));
	i = c->head = vq->avail->ring[f->next_avail[q]++ % vq->num];
	*avail_event = f->next_avail[q];
	assert_in_range(c->head, 0, vq->num - 1);
	if (table[i].flags & VRING_DESC_INDIRECT) {
		assert_true(f->vdev.features & VIRTIO_F_INDIRECT_DESC);
		left = table[i].len / sizeof(struct vring_desc);
		table = phys_to_virt(table[i].addr);
		i = 0;
	}
	for (;;) {
		assert_int_not_equal(left--, 0);
		add_piece(c, &table[i]);
		if (!(table[i].flags & VRING_DESC_NEXT))
			return true;
		i = table[i].next;
	}
}

void fake_push_raw(struct fake_virtio *f, unsigned int q, u32 id, u32 len)
{
	struct virtqueue *vq = f->vq[q];
	u16 old = vq->used->idx;
	u16 new = (u16)(old + 1);
	u16 event = vq->avail->ring[vq->num];
	bool wanted;

	vq->used->ring[old % vq->num].id = id;
	vq->used->ring[old % vq->num].len = len;
	vq->used->idx = new;
	if (f->vdev.features & VIRTIO_F_EVENT_IDX)
		wanted = (u16)(new - event - 1) < (u16)(new - old);
	else
		wanted = !(vq->avail->flags & VRING_AVAIL_NO_INTERRUPT);
	if (!wanted || f->deaf)
		return;
	f->interrupts[q]++;
	if (vq->irq_fn)
		vq->irq_fn(vq->irq_data);
}

void fake_push(struct fake_virtio *f, unsigned int q, u16 head, u32 len)
{
	fake_push_raw(f, q, head, len);
}

u32 fake_read(const struct fake_chain *c, void *buf, u32 size)
{
	u32 done = 0;

	for (unsigned int i = 0; i < c->out; i++) {
		assert_in_range(done + c->piece[i].len, 0, size);
		memcpy((u8 *)buf + done, c->piece[i].mem, c->piece[i].len);
		done += c->piece[i].len;
	}
	return done;
}

void fake_write(const struct fake_chain *c, const void *buf, u32 len)
{
	u32 done = 0;

	assert_in_range(len, 0, c->in_len);
	for (unsigned int i = c->out; done < len; i++) {
		u32 n = min(c->piece[i].len, len - done);

		memcpy(c->piece[i].mem, (const u8 *)buf + done, n);
		done += n;
	}
}
